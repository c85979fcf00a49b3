#!/usr/bin/env bats
# Disks onto devices: what this kernel has of them.
# bats file_tags=vm
load ../system/lib
bats_require_minimum_version 1.5.0

# A disk of 40 MiB with two partitions, $STATE/disk, and a device of 64, $DEVICE, that was used before.
prepare() {
	need_program strake-disk
	modprobe loop
	truncate -s 40M "$STATE/disk"
	printf '%s\n' 'label: gpt' 'start=2048, size=8192, type=U' 'start=10240, size=63488, name=new' | sfdisk -q "$STATE/disk"
	mkdir "$STATE/tree"
	echo hello >"$STATE/tree/file"
	mke2fs -q -t ext4 -L new -E offset=5242880 -d "$STATE/tree" "$STATE/disk" 31M
	head -c 64M /dev/urandom >"$STATE/device"
	printf '%s\n' 'label: gpt' 'start=2048, size=16384, name=old' | sfdisk -q "$STATE/device"
	DEVICE=$(losetup -f -P --show "$STATE/device")
	soon [ -b "${DEVICE}p1" ]
	mke2fs -q -t ext4 -L before "${DEVICE}p1"
}

refused() { # TEXT WORD...
	local text=$1
	shift
	run -1 "$PROGRAMS/strake" disk write "$STATE/disk" "$@"
	assert_has "$text"
}

@test "A10.13: disk write refuses what is used, and what surprises" {
	prepare
	refused "is in use: vda is mounted on /;" /dev/vda --yes --fixed
	refused "is in use: vdb is mounted on /srv/strake" /dev/vdb --yes --fixed
	refused "is built in" "$DEVICE" --yes
	refused "is a partition" "${DEVICE}p1" --yes --fixed
	refused "is no block device" /dev/null --yes --fixed
	refused "is a file: 'disk convert'" "$STATE/device" --yes --fixed
	refused "nobody to ask" "$DEVICE" --fixed
	assert_has "p1  8.0MiB  ext4 before"
	refused "too small: it has 8.0MiB" "${DEVICE}p1" --yes --fixed --partition
	mkdir "$STATE/mnt"
	mount "${DEVICE}p1" "$STATE/mnt"
	refused "p1 is mounted on $STATE/mnt" "$DEVICE" --yes --fixed
	umount "$STATE/mnt"
	mkswap -q "${DEVICE}p1"
	swapon "${DEVICE}p1"
	refused "p1 is swapped to" "$DEVICE" --yes --fixed
	swapoff "${DEVICE}p1"
	# Seen by nobody here: the kernel knows.
	mke2fs -q -t ext4 -F "${DEVICE}p1"
	mkfifo "$STATE/go" "$STATE/there"
	unshare -m --propagation private sh -c 'mount "$1" "$2/mnt" && echo >"$2/there" && read -r _ <"$2/go"' sh "${DEVICE}p1" "$STATE" &
	read -r _ <"$STATE/there"
	refused "is in use, perhaps mounted where it cannot be seen" "$DEVICE" --yes --fixed
	echo >"$STATE/go"
	wait $!
	sfdisk -q --verify "$DEVICE"
}

@test "A10.13: disk write writes, reads back, moves the second table, tells the kernel; its script does the same" {
	prepare
	"$PROGRAMS/strake" disk write "$STATE/disk" "$DEVICE" --yes --fixed
	cmp -n 1024 -i 5242880 "$STATE/disk" "$STATE/device"
	[ "$(lsblk -nro LABEL "${DEVICE}p2")" = new ] || blkid "${DEVICE}p2" | grep -q 'LABEL="new"'
	[ ! -e "${DEVICE}p1" ] || [ "$(blockdev --getsize64 "${DEVICE}p1")" = 4194304 ]
	run -0 sfdisk --verify "$DEVICE"
	assert_lacks "not on end"
	mkdir "$STATE/mnt"
	mount "${DEVICE}p2" "$STATE/mnt"
	[ "$(cat "$STATE/mnt/file")" = hello ]
	umount "$STATE/mnt"
	sync
	cp "$STATE/device" "$STATE/ours"
	# Onto zeros both ways give the same bytes.
	for way in ours script; do
		blkdiscard -f -z "$DEVICE"
		if [ $way = ours ]; then
			"$PROGRAMS/strake" disk write -q "$STATE/disk" "$DEVICE" --yes --fixed
		else
			"$PROGRAMS/strake" --dry-run disk write "$STATE/disk" "$DEVICE" --fixed >"$STATE/script"
			sh -eu "$STATE/script"
		fi
		sync
		sha256sum <"$STATE/device" >"$STATE/$way.sum"
	done
	cmp "$STATE/ours.sum" "$STATE/script.sum"
}
