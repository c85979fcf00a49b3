# shellcheck shell=bash
# What the tests of disks share: trees to make disks of, and a disk's files as the kernel shows them.

setup_file() {
	export DISK_DATE=1700000000
}

# A kernel is only looked at for its header: this one has that and nothing else.  kernel_new FILE VERSION
kernel_new() {
	head -c 65536 /dev/zero >"$1"
	printf 'HdrS' | dd of="$1" bs=1 seek=514 conv=notrunc status=none
	printf '\000\001' | dd of="$1" bs=1 seek=526 conv=notrunc status=none
	printf '%s (test)' "$2" | dd of="$1" bs=1 seek=768 conv=notrunc status=none
}

# A directory with every kind of file, an init and a kernel.
tree_new() {
	mkdir -p "$1"/{bin,boot,etc,sbin,deep/er/still,many,dev} && chmod 751 "$1/deep"
	cp /bin/busybox "$1/bin/busybox"
	cp /bin/busybox "$1/sbin/init"
	kernel_new "$1/boot/vmlinuz-6.1.0-9" 6.1.0-9
	kernel_new "$1/boot/vmlinuz-6.1.0-10" 6.1.0-10
	echo 'initrd of 9' >"$1/boot/initrd.img-6.1.0-9"
	echo 'initrd of 10' >"$1/boot/initrd.img-6.1.0-10"
	echo text >"$1/deep/er/file"
	chown 1234:4567890 "$1/deep/er/file"
	ln "$1/deep/er/file" "$1/etc/other-name"
	ln -s er/file "$1/deep/link"
	ln -s "$(printf 'x%.0s' {1..300})" "$1/deep/long-link"
	cp /bin/busybox "$1/etc/set-uid" && chmod 6755 "$1/etc/set-uid"
	cp /bin/busybox "$1/etc/capable" && setcap cap_net_raw+ep "$1/etc/capable"
	mknod "$1/dev/tty" c 5 0
	mknod "$1/dev/large" b 259 70000
	mkfifo "$1/dev/pipe"
	truncate -s 20M "$1/etc/sparse" && printf end | dd of="$1/etc/sparse" bs=1 seek=15000000 conv=notrunc status=none
	(cd "$1/many" && seq 2000 | xargs touch)
	touch -d '1965-03-04 05:06:07.5 UTC' "$1/etc/early"
	touch -d '2100-03-04 05:06:07.123456789 UTC' "$1/etc/late"
	chmod 1777 "$1/deep/er/still"
}

# The disk's root as the kernel shows it: disk_mount FILE DIR
disk_mount() {
	local offset
	offset=$(strake disk inspect "$1" | jq '.partitions[] | select(.type == "linux").offset')
	mkdir -p "$2"
	mount -o loop,ro,noload,offset="$offset" "$1" "$2" || skip "no loop device to read it with"
}

listing() { # DIR
	(cd "$1" && find . \( -path ./lost+found -o -path ./.strake \) -prune -o -printf '%p %y %m %U %G %n %l %T@ ' \( -type f -printf '%s' -o -true \) -printf '\n' |
		sed 's/^\(\S* d \S* \S* \S*\) [0-9]*/\1/' | sort)
	(cd "$1" && find . -path ./.strake -prune -o -type f -exec sha256sum {} + | sort -k 2)
	(cd "$1" && find . -path ./.strake -prune -o \( -type c -o -type b \) -exec stat -c '%n %t %T' {} + | sort)
	(cd "$1" && find . \( -path ./lost+found -o -path ./.strake \) -prune -o -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex | sed 's/^# file: //')
}

same_tree() { # DIR DIR
	diff <(listing "$1") <(listing "$2")
}

root_partition() { # FILE: its root alone, as a file
	local offset size
	read -r offset size < <(strake disk inspect "$1" | jq -r '.partitions[] | select(.type == "linux") | "\(.offset) \(.size)"')
	dd if="$1" of="$STATE/part" bs=1M skip=$((offset >> 20)) count=$((size >> 20)) conv=sparse status=none
	echo "$STATE/part"
}
