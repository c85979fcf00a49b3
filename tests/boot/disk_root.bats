#!/usr/bin/env bats
# Roots that boot: emulated machines whose init is a script of busybox's, a few seconds each.
load ../system/disk_lib
load lib # its setup_file is the one

# $STATE/tree: a system that has no more than a kernel, its modules and busybox.
make_tree() { # COMMAND...: what the test needs beside
	need_machine "$@"
	mkdir -p "$STATE"/tree/{boot,sbin,bin,etc,dev,proc,sys,run,tmp,lib}
	cp /bin/busybox "$STATE/tree/bin/"
	debugfs -R "rdump /lib/modules $STATE/tree/lib" "$MACHINE/root.ext4" 2>/dev/null
	[ -n "$(ls "$STATE/tree/lib/modules")" ]
	cp "$MACHINE/vmlinuz" "$STATE/tree/boot/vmlinuz-$(ls "$STATE/tree/lib/modules")"
	cat >"$STATE/tree/sbin/init" <<-'SH'
		#!/bin/busybox sh
		b=/bin/busybox
		$b mount -t proc proc /proc 2>/dev/null
		$b mount -t sysfs sys /sys 2>/dev/null
		echo "root: $($b awk '$2 == "/" { print $3, substr($4, 1, 2) }' /proc/mounts) $($b df -m / | $b awk 'END { print $2 }') MB"
		$b swapon "$($b sed -n 's/ none swap.*//p' /etc/fstab)" 2>/dev/null && $b tail -n +2 /proc/swaps
		echo "before: $($b cat /etc/note 2>/dev/null)"
		echo kept >/etc/note
		$b sync
		$b poweroff -f
	SH
	chmod 755 "$STATE/tree/sbin/init"
}

boot() { # FILE OPTION...: what it says on its console is $output
	local file=$1
	shift
	run timeout 240 "$PROGRAMS/strake" disk run --accel tcg "$@" "$file" </dev/null
	output=${output//$'\r'/}
	assert_status 0
}

@test "A10.9, A10.17: a root grows with its disk at the first start, by the source's own initrd or by ours; swap is used" {
	make_tree
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --swap 16m
	truncate -s 600M "$STATE/disk"
	boot "$STATE/disk"
	assert_has "grows to "
	assert_has "root: ext4 rw 5"
	assert_has "partition"
	boot "$STATE/disk" --disk nvme --firmware uefi
	assert_has "before: kept"
	assert_lacks "grows"
	# A dry run's script makes one that does the same.
	by_script "$STATE/tree" "$STATE/by-script" --swap 16m --table mbr
	truncate -s 600M "$STATE/by-script"
	boot "$STATE/by-script"
	assert_has "grows to "
	assert_has "root: ext4 rw 5"
	assert_has "partition"
	sfdisk -V "$STATE/disk"
	strake disk ls "$STATE/disk" / | grep -q bin
	# The same by an initrd of Debian's: the kernel's own way to the first process.
	cp "$MACHINE/initrd" "$STATE/tree/boot/initrd.img-$(ls "$STATE/tree/lib/modules")"
	strake disk build -q "$STATE/tree" -o "$STATE/disk"
	truncate -s 600M "$STATE/disk"
	boot "$STATE/disk"
	assert_has "grows to "
	assert_has "root: ext4 rw 5"
}

@test "A10.17: an xfs root boots, grows with its disk, and is written to" {
	make_tree
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs xfs
	truncate -s 900M "$STATE/disk"
	boot "$STATE/disk"
	assert_has "root: xfs rw 8"
	boot "$STATE/disk" --firmware uefi
	assert_has "before: kept"
}

@test "A10.17: a btrfs root boots, all of it is read, it grows with its disk and is written to, and stays sound" {
	make_tree btrfs
	sed -i 's|^echo kept|\$b find / -xdev -type f -exec \$b cat {} + >/dev/null \&\& echo all read\n&|' "$STATE/tree/sbin/init"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs btrfs
	truncate -s 900M "$STATE/disk"
	boot "$STATE/disk"
	assert_has "root: btrfs rw 8"
	assert_has "all read"
	btrfs check --check-data-csum "$(root_partition "$STATE/disk")"
	[ "$(strake disk cat "$STATE/disk" /etc/note)" = kept ]
}

@test "A10.17: squashfs and hashed roots boot, writes stay in memory; a changed byte under hashes is seen" {
	make_tree tar2sqfs veritysetup
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs squashfs
	boot "$STATE/disk"
	assert_has "root: overlay rw"
	boot "$STATE/disk"
	assert_has "before: "
	assert_lacks "kept"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs erofs --verity --cmdline panic=-1
	boot "$STATE/disk"
	assert_has "root: overlay rw"
	# By a script the hashes are those of what it has made; here on UEFI, of an ext4.
	by_script "$STATE/tree" "$STATE/by-script" --verity
	boot "$STATE/by-script" --firmware uefi --disk nvme
	assert_has "root: overlay rw"
	local offset
	offset=$(strake disk inspect "$STATE/disk" | jq '.partitions[1].offset')
	printf 'x' | dd of="$STATE/disk" bs=1 seek=$((offset + 1500)) conv=notrunc status=none
	run timeout 240 "$PROGRAMS/strake" disk run --accel tcg "$STATE/disk" </dev/null
	assert_lacks "root: overlay"
}

# What costs a guess a second here costs a minute in an emulated machine: for the test it is made cheap.
make_cheap() { # DISK
	local offset
	offset=$(strake disk inspect "$1" | jq '.partitions[1].offset')
	dd if="$1" of="$STATE/head" bs=1M skip=$((offset >> 20)) count=17 status=none
	printf 'open sesame' | cryptsetup luksConvertKey --disable-locks --batch-mode --key-file=- --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$STATE/head"
	dd if="$STATE/head" of="$1" bs=1M seek=$((offset >> 20)) count=16 conv=notrunc status=none
}

# cryptsetup throws away what was typed before it listens, and it listens only after it has asked: what is not
# answered within three quiet seconds is typed again.
boot_with_passphrase() { # DISK TEXT: what it says then
	python3 - "$PROGRAMS/strake" "$1" >"$STATE/console" <<-'PY'
		import os, select, subprocess, sys
		run = subprocess.Popen([sys.argv[1], "disk", "run", "--accel", "tcg", "--timeout", "240", sys.argv[2]],
		                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
		said, out, quiet = b"", run.stdout.fileno(), 0
		while quiet < 20:
		    if select.select([out], [], [], 3)[0]:
		        data = os.read(out, 4096)
		        said += data
		        quiet = 0
		        if not data:
		            break
		        continue
		    quiet += 1
		    if b"Enter passphrase" in said and b"root: " not in said:
		        run.stdin.write(b"open sesame\n")
		        run.stdin.flush()
		run.terminate()
		run.wait()
		sys.stdout.write(said.decode("latin1").replace("\r", ""))
	PY
	grep -q "$2" "$STATE/console" || {
		tail -n 30 "$STATE/console"
		return 1
	}
}

@test "A10.17: an encrypted root asks for its passphrase, boots and grows with its disk; a dry run's script makes one, too" {
	make_tree cryptsetup python3
	mkdir -p "$STATE"/tree/{lib64,lib/x86_64-linux-gnu}
	cp -L /sbin/cryptsetup "$STATE/tree/sbin/"
	cp -L /lib64/ld-linux-x86-64.so.2 "$STATE/tree/lib64/"
	ldd /sbin/cryptsetup | grep -o '/[^ ]*' | xargs -I{} cp -L {} "$STATE/tree/lib/x86_64-linux-gnu/"
	echo 'open sesame' >"$STATE/key"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --encrypt --key-file "$STATE/key"
	make_cheap "$STATE/disk"
	truncate -s 600M "$STATE/disk"
	boot_with_passphrase "$STATE/disk" 'root: ext4 rw [45]..'
	grep -q 'partition 2 of vda grows' "$STATE/console"
	by_script "$STATE/tree" "$STATE/by-script" --encrypt --key-file "$STATE/key"
	make_cheap "$STATE/by-script"
	boot_with_passphrase "$STATE/by-script" 'root: ext4 rw'
}

@test "A10.13: an ISO of a whole system starts from an optical drive, and as a disk" {
	make_tree tar2sqfs
	[ -e /usr/lib/ISOLINUX/isolinux.bin ] || skip "isolinux is not installed"
	strake disk build -q "$STATE/tree" -o "$STATE/disk.iso" --fs squashfs
	boot "$STATE/disk.iso" --disk cdrom
	assert_has "root: overlay rw"
	boot "$STATE/disk.iso" --firmware uefi
	assert_has "root: overlay rw"
}

@test "A10.3: a disk with an MBR starts on BIOS, and grows, and on UEFI; its roots are found by their numbers" {
	make_tree veritysetup
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --table mbr
	truncate -s 600M "$STATE/disk"
	boot "$STATE/disk"
	assert_has "partition 2 of vda grows to "
	assert_has "root: ext4 rw 5"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --table mbr --verity
	boot "$STATE/disk" --disk nvme --firmware uefi
	assert_has "root: overlay rw"
}
