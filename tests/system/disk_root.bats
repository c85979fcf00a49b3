#!/usr/bin/env bats
# strake disk: roots of other file systems, read-only, hashed, encrypted; swap.  What boots is in tests/boot.
bats_require_minimum_version 1.5.0
load lib
load disk_lib

need_disks() {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat setfattr setfacl "$@"
	tree_new "$STATE/tree"
}

# disk_mount of any file system: root_mount FILE DIR TYPE
root_mount() {
	local offset
	offset=$(strake disk inspect "$1" | jq 'first(.partitions[] | select(.type == "linux").offset)')
	mkdir -p "$2"
	mount -t "$3" -o loop,ro,offset="$offset" "$1" "$2" 2>"$STATE/mount-error" || { cat "$STATE/mount-error"; skip "no loop device, or no $3, to read it with: $(cat "$STATE/mount-error")"; }
}

@test "A10.2: erofs holds every kind of file, holes and times to the nanosecond" {
	need_disks
	setfattr -n user.note -v "$(printf 'y%.0s' {1..800})" "$STATE/tree/etc/late"
	setfacl -m u:77:rx,d:u:78:rwx "$STATE/tree/deep"
	head -c 4096 /dev/urandom >"$STATE/tree/etc/block"
	head -c 2000 /dev/urandom >"$STATE/tree/etc/tail"
	head -c 6143 /dev/urandom >"$STATE/tree/etc/block-and-tail"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs erofs --timestamp "$DISK_DATE"
	strake disk build -q "$STATE/tree" -o "$STATE/twice" --fs erofs --timestamp "$DISK_DATE"
	cmp "$STATE/disk" "$STATE/twice"
	root_mount "$STATE/disk" "$STATE/mnt" erofs
	same_tree "$STATE/tree" "$STATE/mnt"
	umount "$STATE/mnt"
	strake disk check "$STATE/disk"
	[ "$(stat -c %b "$STATE/disk")" -lt 40000 ] # the sparse file is
}

@test "A10.2: xfs holds every kind of file, holes and times to the nanosecond, and is the same bytes again" {
	need_disks xfs_repair
	setfattr -n user.note -v "$(printf 'y%.0s' {1..800})" "$STATE/tree/etc/late"
	setfattr -n user.short -v abc "$STATE/tree/etc/capable"
	setfacl -m u:77:rx,d:u:78:rwx "$STATE/tree/deep"
	echo x >"$STATE/tree/a name with blanks"
	mkdir "$STATE/tree/some"
	(cd "$STATE/tree/some" && seq 300 | xargs touch)
	chown -R 65534:65534 "$STATE/tree/some"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --fs xfs --timestamp "$DISK_DATE"
	strake disk build -q "$STATE/tree" -o "$STATE/twice" --fs xfs --timestamp "$DISK_DATE"
	cmp "$STATE/disk" "$STATE/twice"
	xfs_repair -n -f "$(root_partition "$STATE/disk")"
	root_mount "$STATE/disk" "$STATE/mnt" xfs
	# The kernel shows root an ACL twice.
	diff <(listing "$STATE/tree") <(listing "$STATE/mnt" | sed '/^trusted.SGI_ACL_/d')
	umount "$STATE/mnt"
	strake disk check "$STATE/disk"
	[ "$(stat -c %b "$STATE/disk")" -lt 40000 ] # the sparse file is
	run strake --dry-run disk build "$STATE/tree" -o "$STATE/none" --fs xfs
	assert_status 1
	assert_has "no stock tool fills an XFS"
}

# As nobody, with a home that is not there: as_nobody COMMAND...
as_nobody() {
	HOME=/nonexistent TMPDIR="$SHORT/out" setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$@"' sh "$@"
}

@test "A10.2: btrfs holds every kind of file, made by a user without rights; the kernel writes to it and grows it" {
	need_disks btrfs setpriv
	local disk size
	setfattr -n user.note -v "$(printf 'y%.0s' {1..8000})" "$STATE/tree/etc/late"
	setfacl -m u:77:rx,d:u:78:rwx "$STATE/tree/deep"
	head -c 5000 /dev/urandom >"$STATE/tree/etc/block-and-tail"
	echo x >"$STATE/tree/a name with blanks"
	(cd "$STATE/tree/many" && seq 300 | sed "s/^/$(printf 'n%.0s' {1..250})-/" | xargs -n1 ln 1)
	short_folder
	mkdir -m 777 "$SHORT/out"
	tar -C "$STATE/tree" --format pax --xattrs --xattrs-include='*' -S -cf "$SHORT/tree.tar" .
	for disk in a b; do
		as_nobody "$PROGRAMS/strake" disk build -q "$SHORT/tree.tar" -o "$SHORT/out/$disk" --fs btrfs --timestamp "$DISK_DATE"
	done
	[ "$(ls -A "$SHORT/out")" = "$(printf 'a\nb')" ]
	cmp "$SHORT"/out/{a,b}
	[ "$(stat -c %b "$SHORT/out/a")" -lt 40000 ] # the sparse file is
	strake disk check "$SHORT/out/a"
	size=$(stat -c %s "$(root_partition "$SHORT/out/a")")
	btrfs check --check-data-csum "$STATE/part"
	mkdir "$STATE/mnt"
	mount -t btrfs -o loop "$STATE/part" "$STATE/mnt" 2>"$STATE/why" || skip "the rest needs a loop device and the kernel's btrfs: $(cat "$STATE/why")"
	# A directory's size is that of its names.
	diff <(listing "$STATE/tree") <(listing "$STATE/mnt")
	rm "$STATE"/mnt/many/*7
	cp "$STATE/mnt/bin/busybox" "$STATE/mnt/etc/written"
	umount "$STATE/mnt"
	truncate -s $((size + (200 << 20))) "$STATE/part"
	mount -t btrfs -o loop "$STATE/part" "$STATE/mnt"
	btrfs filesystem resize max "$STATE/mnt"
	[ "$(stat -f -c '%b' "$STATE/mnt")" = $(((size >> 12) + (200 << 8))) ]
	cmp /bin/busybox "$STATE/mnt/etc/written"
	btrfs scrub start -B "$STATE/mnt"
	umount "$STATE/mnt"
	btrfs check --check-data-csum "$STATE/part"
	run strake disk build "$SHORT/tree.tar" -o "$STATE/none" --fs btrfs --size 100m
	assert_status 1
	assert_has "too small for btrfs"
}

@test "A10.2: squashfs holds the same files, made of an archive by a user without rights" {
	need_disks tar2sqfs setpriv
	short_folder
	mkdir -m 777 "$SHORT/out"
	truncate -s 2M "$STATE/tree/etc/sparse"
	touch "$STATE/tree/etc/early" "$STATE/tree/etc/late"
	tar -C "$STATE/tree" --xattrs --xattrs-include='*' -S -cf "$SHORT/tree.tar" .
	as_nobody "$PROGRAMS/strake" disk build -q "$SHORT/tree.tar" -o "$SHORT/out/disk" --fs squashfs --timestamp "$DISK_DATE"
	[ "$(ls -A "$SHORT/out")" = disk ]
	root_mount "$SHORT/out/disk" "$STATE/mnt" squashfs
	# It keeps seconds alone.
	diff <(listing "$STATE/tree" | sed 's/\.[0-9]\{10\}//; s/^\(\S* d \S* \S* \S*\).*/\1/') \
		<(listing "$STATE/mnt" | sed 's/\.[0-9]\{10\}//; s/^\(\S* d \S* \S* \S*\).*/\1/')
	umount "$STATE/mnt"
	strake disk check "$SHORT/out/disk"
}

@test "A10.14: squashfs, hashes and swap are the same bytes again; the hashes are veritysetup's, the swap area is mkswap's" {
	need_disks tar2sqfs veritysetup
	local options offset size
	for options in '--fs squashfs' '--verity --swap 8m'; do
		# shellcheck disable=SC2086 # words
		strake disk build -q "$STATE/tree" -o "$STATE/a" $options --timestamp "$DISK_DATE"
		# shellcheck disable=SC2086
		strake disk build -q "$STATE/tree" -o "$STATE/b" $options --timestamp "$DISK_DATE"
		cmp "$STATE/a" "$STATE/b"
	done
	strake disk check "$STATE/a"
	for n in 2 3 4; do
		read -r offset size < <(strake disk inspect "$STATE/a" | jq -r ".partitions[$n - 1] | \"\(.offset) \(.size)\"")
		dd if="$STATE/a" of="$STATE/part$n" bs=1M skip=$((offset >> 20)) count=$((size >> 20)) conv=sparse status=none
	done
	[ "$(swaplabel "$STATE/part2" | grep -c '^LABEL: swap')" = 1 ]
	mcopy -i "$STATE/a@@1M" ::/syslinux/syslinux.cfg "$STATE/cfg"
	veritysetup verify "$STATE/part3" "$STATE/part4" "$(grep -o 'roothash=[0-9a-f]*' "$STATE/cfg" | cut -d= -f2)"
	run strake disk cat "$STATE/a" /etc/fstab
	assert_has "UUID=$(swaplabel "$STATE/part2" | sed -n 's/^UUID:  *//p') none swap"
}

@test "an encrypted root opens with its passphrase, and holds the files; no passphrase is an argument" {
	need_disks cryptsetup
	local offset size
	mkdir -p "$STATE"/tree/{lib64,lib/x86_64-linux-gnu}
	cp -L /sbin/cryptsetup "$STATE/tree/sbin/"
	cp -L /lib64/ld-linux-x86-64.so.2 "$STATE/tree/lib64/"
	ldd /sbin/cryptsetup | grep -o '/[^ ]*' | xargs -I{} cp -L {} "$STATE/tree/lib/x86_64-linux-gnu/"
	echo 'open sesame' >"$STATE/key"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --encrypt --key-file "$STATE/key"
	[ "$(stat -c %a "$STATE/disk")" = 600 ]
	strake disk check "$STATE/disk"
	read -r offset size < <(strake disk inspect "$STATE/disk" | jq -r '.partitions[1] | "\(.offset) \(.size)"')
	dd if="$STATE/disk" of="$STATE/luks" bs=1M skip=$((offset >> 20)) count=$((size >> 20)) status=none
	run ! grep -q lost+found "$STATE/luks"
	printf 'open sesame' | cryptsetup luksDump --dump-volume-key --batch-mode --key-file=- --volume-key-file "$STATE/volume" "$STATE/luks"
	# An independent reader: Python's own words for XTS are libcrypto's, so the sector is opened by the openssl program.
	python3 - "$STATE" <<-'PY'
		import ctypes, ctypes.util, sys
		crypto = ctypes.CDLL("libcrypto.so.3")
		for name in ("EVP_CIPHER_CTX_new", "EVP_aes_256_xts"):
		    getattr(crypto, name).restype = ctypes.c_void_p
		key = open(sys.argv[1] + "/volume", "rb").read()
		with open(sys.argv[1] + "/luks", "rb") as luks, open(sys.argv[1] + "/plain", "wb") as plain:
		    luks.seek(16 << 20)
		    sector = 0
		    ctx = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
		    cipher = ctypes.c_void_p(crypto.EVP_aes_256_xts())
		    out, n = ctypes.create_string_buffer(512), ctypes.c_int()
		    while (data := luks.read(512)):
		        crypto.EVP_DecryptInit_ex(ctx, cipher, None, key, sector.to_bytes(16, "little"))
		        crypto.EVP_DecryptUpdate(ctx, out, ctypes.byref(n), data, 512)
		        plain.write(out.raw)
		        sector += 1
	PY
	e2fsck -fn "$STATE/plain"
	debugfs -R 'cat /deep/er/file' "$STATE/plain" 2>/dev/null | grep -qx text
	rm "$STATE/tree/sbin/cryptsetup"
	run strake disk build "$STATE/tree" -o "$STATE/none" --encrypt --key-file "$STATE/key"
	assert_status 1
	assert_has "cryptsetup-bin"
	run strake disk build "$STATE/tree" -o "$STATE/none" --encrypt </dev/null
	assert_status 1
	assert_has "--key-file"
	[ ! -e "$STATE/none" ]
}

@test "what does not go together is refused before anything is written" {
	need_disks
	local options
	for options in '--fs zfs' '--fs squashfs --size 1g' '--verity --encrypt --key-file /etc/hostname' '--swap 1k' '--key-file /etc/hostname' '--swap 1g --size 512m'; do
		# shellcheck disable=SC2086 # words
		run strake disk build "$STATE/tree" -o "$STATE/disk" $options
		assert_status 1
		[ ! -e "$STATE/disk" ]
	done
	# What would start these is for amd64 alone.
	kernel_new "$STATE/arm64" 6.1.0
	printf 'ARM\144' | dd of="$STATE/arm64" bs=1 seek=56 conv=notrunc status=none
	for options in --read-only-root --verity '--fs erofs' '--encrypt --key-file /etc/hostname'; do
		# shellcheck disable=SC2086 # words
		run strake disk build "$STATE/tree" -o "$STATE/disk" --kernel "$STATE/arm64" --efi-loader /etc/hostname $options
		assert_status 1
		assert_has "own initrd is for amd64 alone"
		[ ! -e "$STATE/disk" ]
	done
	run strake disk build /bin/busybox --kernel "$STATE/tree/boot/vmlinuz-6.1.0-9" --fs btrfs -o "$STATE/disk" -- true
	assert_status 1
	assert_has "have no meaning for it"
}

@test "the options' scripts make disks with the same files by stock tools" {
	need_disks tar2sqfs mkfs.erofs mkfs.btrfs veritysetup mkswap sfdisk cpio
	local fs changes='s/\.[0-9]\{10\}//; /^\.\(\/etc\)\? d\|fstab/d'
	touch "$STATE/tree/etc/late" "$STATE/tree/etc/early"
	truncate -s 2M "$STATE/tree/etc/sparse"
	for fs in squashfs erofs btrfs; do
		if [ $fs = btrfs ]; then
			run strake --dry-run disk build "$STATE/tree" -o "$STATE/disk" --fs btrfs
			assert_status 1
			assert_has "mkfs.btrfs cannot write the device 'large'"
			rm "$STATE"/tree/dev/{tty,large}
			changes+='; s/^\(\S* d .*\) [0-9.]* $/\1/' # it sets the times of directories
		fi
		strake --dry-run disk build "$STATE/tree" -o "$STATE/disk" --fs $fs --swap 8m --timestamp "$DISK_DATE" >"$STATE/script"
		sh "$STATE/script"
		strake disk build -q "$STATE/tree" -o "$STATE/ours" --fs $fs --swap 8m --timestamp "$DISK_DATE"
		strake disk check "$STATE/disk"
		root_mount "$STATE/disk" "$STATE/mnt" $fs
		root_mount "$STATE/ours" "$STATE/mnt2" $fs
		diff <(listing "$STATE/mnt" | sed "$changes") <(listing "$STATE/mnt2" | sed "$changes")
		cmp "$STATE/mnt/etc/fstab" "$STATE/mnt2/etc/fstab"
		umount "$STATE/mnt" "$STATE/mnt2"
		rm "$STATE/disk" "$STATE/ours"
	done
}
