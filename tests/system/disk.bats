#!/usr/bin/env bats
# strake disk: files into a disk and out again, what stands under its name, and when; boots are in tests/boot.
load lib
load disk_lib

@test "A10.2: every kind of file is on the disk as it was in the directory" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	setfattr -n user.note -v "$(printf 'y%.0s' {1..800})" "$STATE/tree/etc/late" || skip "no extended attributes here"
	command -v setfacl && setfacl -m u:77:rx,d:u:78:rwx "$STATE/tree/deep"
	strake disk build "$STATE/tree" -o "$STATE/disk" --timestamp "$DISK_DATE"
	e2fsck -fn "$(root_partition "$STATE/disk")"
	disk_mount "$STATE/disk" "$STATE/mnt"
	same_tree "$STATE/tree" "$STATE/mnt"
	[ "$(stat -c %b "$STATE/mnt/etc/sparse")" -lt 100 ]
	[ $(($(stat -c '%b * 512' "$STATE/disk"))) -lt $(($(stat -c %s "$STATE/disk") / 2)) ]
	umount "$STATE/mnt"
}

@test "A10.2: a user without rights makes the same disk of an archive, plain and packed" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat setpriv
	short_folder # others may look into that one
	tree_new "$STATE/tree"
	tar -C "$STATE/tree" --xattrs --xattrs-include='*' -S -cf "$SHORT/tree.tar" .
	gzip -1 <"$SHORT/tree.tar" >"$SHORT/tree.tar.gz"
	mkdir -m 777 "$SHORT/out"
	for kind in tar tar.gz; do
		HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups \
			sh -c '"$@"' sh "$PROGRAMS/strake" disk build "$SHORT/tree.$kind" -o "$SHORT/out/$kind" --timestamp "$DISK_DATE"
	done
	cmp "$SHORT/out/tar" "$SHORT/out/tar.gz"
	[ "$(ls -A "$SHORT/out")" = "$(printf 'tar\ntar.gz')" ]
	e2fsck -fn "$(root_partition "$SHORT/out/tar")"
	disk_mount "$SHORT/out/tar" "$STATE/mnt"
	# tar keeps seconds alone
	diff <(listing "$STATE/tree" | sed 's/\.[0-9]\{10\}//') <(listing "$STATE/mnt" | sed 's/\.[0-9]\{10\}//')
	umount "$STATE/mnt"
}

@test "layers of an image: what a later one removes or replaces is not on the disk" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	tar -C "$STATE/tree" -cf "$STATE/base.tar" .
	strake import "$STATE/base.tar" base >/dev/null
	strake run --name change --network none base /bin/busybox sh -c \
		'b=/bin/busybox; $b rm /etc/early; $b rm -r /many; $b mkdir /many; echo one >/many/new; echo changed >/etc/other-name; $b ln /etc/late /etc/late2'
	strake commit change changed >/dev/null
	strake export change >"$STATE/export.tar"
	strake disk build changed -o "$STATE/disk" --timestamp "$DISK_DATE"
	mkdir "$STATE/expected" && tar -C "$STATE/expected" -xpf "$STATE/export.tar"
	e2fsck -fn "$(root_partition "$STATE/disk")"
	disk_mount "$STATE/disk" "$STATE/mnt"
	[ "$(ls "$STATE/mnt/many")" = new ]
	[ ! -e "$STATE/mnt/etc/early" ]
	diff -r --no-dereference -x hosts -x hostname -x resolv.conf "$STATE/expected/etc" "$STATE/mnt/etc"
	[ "$(stat -c %h "$STATE/mnt/etc/late")" = 2 ]
	umount "$STATE/mnt"
}

@test "A10.1, A10.4: size and time are told; the newest kernel and its initrd are taken; without one nothing is written" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	run strake disk build "$STATE/tree" -o "$STATE/disk"
	assert_status 0
	[[ $output =~ MiB,\ [0-9.]+MiB\ of\ it\ used,\ boots\ its\ own\ init,\ kernel\ 6\.1\.0-10,\ [0-9.]+\ s ]]
	mcopy -i "$STATE/disk@@1M" ::/initrd.img "$STATE/initrd"
	[ "$(cat "$STATE/initrd")" = 'initrd of 10' ]
	rm -r "$STATE/tree/boot"
	run strake disk build "$STATE/tree" -o "$STATE/none"
	assert_status 1
	assert_has "has no kernel in /boot or /lib/modules"
	assert_has "--kernel and --initrd"
	[ ! -e "$STATE/none" ]
	echo 'no kernel' >"$STATE/text"
	run strake disk build "$STATE/tree" --kernel "$STATE/text" -o "$STATE/none"
	assert_status 1
	assert_has "no x86 bzImage"
	[ ! -e "$STATE/none" ]
}

@test "A10.14: the same input and date give the same bytes; without a date disks have names of their own" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/a" --timestamp "$DISK_DATE"
	# The clock has moved on meanwhile: FAT counts in units of two seconds.
	DEADLINE=5 soon eval '[ $((EPOCHSECONDS / 2)) != '$((EPOCHSECONDS / 2))' ]'
	SOURCE_DATE_EPOCH="$DISK_DATE" strake disk build -q "$STATE/tree" -o "$STATE/b"
	cmp "$STATE/a" "$STATE/b"
	strake disk build -q "$STATE/tree" -o "$STATE/c"
	strake disk build -q "$STATE/tree" -o "$STATE/d"
	[ "$(strake disk inspect "$STATE/c" | jq -r '.partitions[1].uuid')" != "$(strake disk inspect "$STATE/d" | jq -r '.partitions[1].uuid')" ]
}

@test "A10.16: killed half-way nothing stands under the name, nor beside it" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	mkdir "$STATE/out"
	echo before >"$STATE/out/disk"
	# mkfs.vfat has begun when its clock is asked for: stop there, and kill.
	run strake disk build "$STATE/tree" -o "$STATE/out/other" --size 8m
	assert_status 1
	assert_has "--size is too small"
	mkfifo "$STATE/pipe"
	background "$PROGRAMS/strake" disk build "$STATE/pipe" -o "$STATE/out/disk"
	local pid=$!
	exec {hold}>"$STATE/pipe"
	# It waits for the archive, and has opened its output.
	soon eval "ls -l /proc/$pid/fd | grep -q '(deleted)'"
	kill -KILL "$pid"
	wait "$pid" || true
	exec {hold}>&-
	[ "$(ls -A "$STATE/out")" = disk ]
	[ "$(cat "$STATE/out/disk")" = before ]
}

@test "--size is the size of the disk; one that is too small says what would do" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --size 512m
	[ "$(stat -c %s "$STATE/disk")" = $((512 << 20)) ]
	e2fsck -fn "$(root_partition "$STATE/disk")"
	run strake disk build "$STATE/tree" -o "$STATE/small" --size 40m
	assert_status 1
	local least=${output##*(}
	strake disk build -q "$STATE/tree" -o "$STATE/small" --size "${least%)}"
	e2fsck -fn "$(root_partition "$STATE/small")"
}

@test "A10.11: check follows the chain and names what lacks" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/disk"
	run strake disk check "$STATE/disk"
	assert_status 0
	assert_has "/EFI/BOOT/BOOTX64.EFI"
	assert_has "/sbin/init"
	assert_lacks LACKS
	mdel -i "$STATE/disk@@1M" ::/initrd.img
	run strake disk check "$STATE/disk"
	assert_status 1
	assert_has "LACKS   /initrd.img is missing"
	head -c 2M /dev/zero >"$STATE/zeros"
	run strake disk check "$STATE/zeros"
	assert_status 1
	assert_has "no partition table"
}

@test "ls, cat and cp read files out of a disk" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/disk"
	run strake disk ls -l "$STATE/disk" /etc
	assert_has "-rwsr-sr-x     0     0"
	run strake disk ls "$STATE/disk" /deep/er
	[ "$output" = $'file\nstill' ]
	[ "$(strake disk cat "$STATE/disk" /deep/link)" = text ]
	strake disk cp "$STATE/disk" /deep "$STATE/copied"
	diff -r --no-dereference "$STATE/tree/deep" "$STATE/copied"
	strake disk cp "$STATE/disk" /etc/sparse "$STATE/sparse"
	cmp "$STATE/tree/etc/sparse" "$STATE/sparse"
	run strake disk cat "$STATE/disk" /nowhere
	assert_status 1
	assert_has "/nowhere is not on the disk"
	# A slash behind a name makes no path of the host of it.
	mkdir "$STATE/into" "$STATE/into2"
	strake disk cp "$STATE/disk" /deep/er/ "$STATE/into"
	strake disk cp "$STATE/disk" /deep/er/. "$STATE/into2"
	strake disk cp "$STATE/disk" /deep/er/../er "$STATE/new/"
	for each in into/er into2 new; do
		diff -r "$STATE/tree/deep/er" "$STATE/$each"
	done
}

@test "a disk that leads in circles, or tells of enormous holes, costs neither time nor room" {
	need_program strake-disk
	need_command mke2fs debugfs
	mkdir -p "$STATE/tree"/{a,b} && echo text >"$STATE/tree/file"
	mke2fs -q -t ext4 -O ^metadata_csum -d "$STATE/tree" "$STATE/fs" 8m
	debugfs -w -f - "$STATE/fs" >"$STATE/log" 2>&1 <<-'END'
		link <2> a/up
		link <2> b/up
		symlink loop loop
		sif file size 15000000000000
	END
	run timeout 20 "$PROGRAMS/strake" disk cp "$STATE/fs" / "$STATE/copied"
	assert_status 1
	assert_has "has two names"
	run strake disk cat "$STATE/fs" /loop
	assert_has "/loop: its links lead to one another"
	timeout 20 "$PROGRAMS/strake" disk cp "$STATE/fs" /file "$STATE/file"
	[ "$(stat -c '%s' "$STATE/file")" = 15000000000000 ]
	[ "$(head -c 5 "$STATE/file")" = text ]
	# Two files into one: the second is no file's beginning.
	debugfs -w -R 'sif file size 5' "$STATE/fs" 2>>"$STATE/log"
	strake disk cat "$STATE/fs" /file /file >"$STATE/both"
	[ "$(cat "$STATE/both")" = $'text\ntext' ]
	strake disk cat "$STATE/fs" /file >>"$STATE/both"
	[ "$(wc -l <"$STATE/both")" = 3 ]
}

@test "a small squashfs of enormous files does not fill the disk that it is unpacked to" {
	need_program strake-disk
	need_command tar2sqfs sqfs2tar
	mkdir "$STATE/small" "$STATE/tree" && truncate -s 200M "$STATE/tree/zeros"
	tar -C "$STATE/tree" -cf - . | tar2sqfs -q "$STATE/fs"
	mount -t tmpfs -o size=64m none "$STATE/small"
	TMPDIR="$STATE/small" run strake disk ls "$STATE/fs"
	assert_status 1
	assert_has "squashfs: sqfs2tar: it unpacks to more than 31 MiB, half of what is free there"
	umount "$STATE/small"
	run strake disk ls "$STATE/fs"
	[ "$output" = zeros ]
}

@test "what is no source is told from what is a damaged one" {
	need_program strake-disk
	kernel_new "$STATE/kernel" 6.1.0
	head -c 100000 /dev/urandom >"$STATE/noise"
	run strake disk build "$STATE/noise" -o "$STATE/disk" --kernel "$STATE/kernel"
	assert_has "noise is no directory, no executable and no tar archive"
	run strake disk build /dev/null -o "$STATE/disk" --kernel "$STATE/kernel"
	assert_has "/dev/null is no directory, archive or executable, but a device"
	run strake disk build /bin/ls -o "$STATE/disk" --kernel "$STATE/kernel"
	assert_has "/bin/ls is dynamic: link it with -static, or"
	run strake disk build /bin/busybox -o "$STATE/disk"
	assert_has "/bin/busybox has no kernel in /boot or /lib/modules: name one with --kernel"
	[ ! -e "$STATE/disk" ]
}

@test "words that would end a loader's line, that a kernel cuts off, or that are no name of a machine, are refused" {
	need_program strake-disk
	local long
	kernel_new "$STATE/kernel" 6.1.0
	printf -v long '%2000s' ''
	for words in $'quiet\nTIMEOUT 0' $'a\tb' "$long"; do
		run strake disk build /bin/busybox -o "$STATE/disk" --kernel "$STATE/kernel" --cmdline "$words" -- true
		assert_status 1
		assert_has "--cmdline: a "
	done
	for words in 'a b' $'a\nb' ''; do
		run strake disk build /bin/busybox -o "$STATE/disk" --kernel "$STATE/kernel" --hostname "$words" -- true
		assert_status 1
		assert_has "is no name of a machine"
	done
	[ ! -e "$STATE/disk" ]
}

@test "an archive whose names lead outside, or through files, makes no disk" {
	need_program strake-disk
	python3 - "$STATE" <<-'PY'
		import io, sys, tarfile
		def archive(name, entries):
		    with tarfile.open(f"{sys.argv[1]}/{name}", "w") as tar:
		        for path, kind, link in entries:
		            info = tarfile.TarInfo(path)
		            info.type, info.linkname = kind, link
		            tar.addfile(info)
		archive("dots.tar", [("a/..", tarfile.REGTYPE, "")])
		archive("file.tar", [("a", tarfile.REGTYPE, ""), ("a/b", tarfile.REGTYPE, "")])
		archive("hard.tar", [("a", tarfile.LNKTYPE, "../../etc/passwd")])
	PY
	for name in dots file hard; do
		run strake disk build "$STATE/$name.tar" -o "$STATE/disk"
		assert_status 1
		assert_has "$name.tar: a"
		[ ! -e "$STATE/disk" ]
	done
}

@test "a dry run is a script of stock tools that makes the same disk; with --explain each step is told" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat sfdisk cpio
	tree_new "$STATE/tree"
	touch "$STATE/tree/etc/late" # nor does it know years behind 2038
	local boots='::/EFI ::/loader ::/syslinux/syslinux.cfg ::/vmlinuz ::/initrd.img' kind
	tar -C "$STATE/tree" --xattrs --xattrs-include='*' -cf "$STATE/tree.tar" .
	for kind in tree tree.tar; do
		SOURCE_DATE_EPOCH="$DISK_DATE" strake --dry-run disk build "$STATE/$kind" -o "$STATE/disk" --hostname box >"$STATE/script"
		[ ! -e "$STATE/disk" ]
		sh "$STATE/script"
		mv "$STATE/disk" "$STATE/by-script"
		SOURCE_DATE_EPOCH="$DISK_DATE" strake --explain disk build "$STATE/$kind" -o "$STATE/disk" --hostname box 2>"$STATE/told"
		grep -q '^+ .*mke2fs' "$STATE/told"
		diff <(strake disk inspect "$STATE/disk" | jq .partitions) <(strake disk inspect "$STATE/by-script" | jq .partitions)
		strake disk check "$STATE/by-script"
		for each in disk by-script; do
			mkdir "$STATE/boot-$each"
			# shellcheck disable=SC2086 # words
			mcopy -sp -i "$STATE/$each@@1M" $boots "$STATE/boot-$each"
			disk_mount "$STATE/$each" "$STATE/mnt-$each"
		done
		diff -r "$STATE/boot-disk" "$STATE/boot-by-script"
		cmp -n 440 "$STATE/disk" "$STATE/by-script"
		# mke2fs 1.47.0 keeps seconds alone, and not those of the root directory; a name in etc changes that one
		diff <(listing "$STATE/mnt-disk" | sed '/hostname/d; /^\.\(\/etc\)\? d/d; s/\.[0-9]\{10\}//') <(listing "$STATE/mnt-by-script" | sed '/hostname/d; /^\.\(\/etc\)\? d/d; s/\.[0-9]\{10\}//')
		[ "$(cat "$STATE/mnt-by-script/etc/hostname")" = box ]
		[ ! -e "$STATE/tree/etc/hostname" ]
		umount "$STATE/mnt-disk" "$STATE/mnt-by-script"
		rm -r "$STATE/disk" "$STATE/by-script" "$STATE"/boot-*
	done
	strake --dry-run disk build /bin/busybox -o "$STATE/disk" --kernel "$STATE/tree/boot/vmlinuz-6.1.0-9" --timestamp "$DISK_DATE" -- echo 'two  words' >"$STATE/script"
	sh "$STATE/script"
	strake disk check "$STATE/disk"
	mcopy -n -i "$STATE/disk@@1M" ::/initrd.img "$STATE/initrd"
	mkdir "$STATE/unpacked" && (cd "$STATE/unpacked" && cpio --quiet -id <"$STATE/initrd")
	strake disk build -q /bin/busybox -o "$STATE/ours" --kernel "$STATE/tree/boot/vmlinuz-6.1.0-9" --timestamp "$DISK_DATE" -- echo 'two  words'
	mcopy -n -o -i "$STATE/ours@@1M" ::/initrd.img "$STATE/initrd"
	mkdir "$STATE/ours-unpacked" && (cd "$STATE/ours-unpacked" && cpio --quiet -id <"$STATE/initrd")
	diff -r "$STATE/unpacked" "$STATE/ours-unpacked"
}

@test "a dry run's script follows no link of the source's out of its tree" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat sfdisk cpio
	local out=$STATE/outside
	mkdir -p "$out/data/old" "$STATE/tree" && touch "$out/data/old/file"
	tree_new "$STATE/tree"
	cp -r "$out" "$STATE/before"
	rm -r "$STATE/tree/etc"
	mkdir -p "$STATE/tree$out/skel"
	ln -s "$out" "$STATE/tree/etc"
	ln -s "$out" "$STATE/tree/.strake"
	printf 'root:x:0:0::/../../../..%s:/bin/sh\n' "$out" >"$STATE/tree$out/passwd"
	printf 'root:x:0:\n' >"$STATE/tree$out/group"
	printf '127.0.0.1 localhost\n' >"$STATE/tree$out/hosts"
	mkdir -p "$STATE/tree/usr/sbin" && touch "$STATE/tree/usr/sbin/"{sshd,ifup} "$STATE/tree/sbin/ifup"
	echo 'ssh-ed25519 AAAA me' >"$STATE/key"
	strake --dry-run disk build "$STATE/tree" -o "$STATE/disk" --hostname box --user ann --ssh-key "root=$STATE/key" --network dhcp >"$STATE/script"
	sh "$STATE/script"
	diff -r "$STATE/before" "$out"
	[ "$(strake disk cat "$STATE/disk" "$out/hostname")" = box ]
	[ "$(strake disk cat "$STATE/disk" "$out/.ssh/authorized_keys")" = "ssh-ed25519 AAAA me" ]
	[ -n "$(strake disk cat "$STATE/disk" "$out/first" | head -c 4 | tr -d '\0')" ]
	# Where there is no init, volumes are moved out of the tree.
	rm -r "$STATE/tree/sbin"
	ln -s "$out" "$STATE/tree/srv"
	strake --dry-run disk build "$STATE/tree" -o "$STATE/disk" --root-on disk --volume /srv/data -- /bin/busybox true >"$STATE/script"
	sh "$STATE/script"
	diff -r "$STATE/before" "$out"
}

@test "A10.2: a user without rights runs a dry run's script under fakeroot, and the disk has the same files" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat sfdisk setpriv fakeroot
	short_folder # others may look into that one
	tree_new "$STATE/tree"
	rm "$STATE/tree/etc/capable" "$STATE/tree/etc/early" # what fakeroot and mke2fs lose
	touch "$STATE/tree/etc/late"
	tar -C "$STATE/tree" --xattrs --xattrs-include='*' -S -cf "$SHORT/tree.tar" .
	mkdir -m 777 "$SHORT/out"
	strake --dry-run disk build "$SHORT/tree.tar" -o "$SHORT/out/disk" --timestamp "$DISK_DATE" >"$SHORT/script"
	TMPDIR=$SHORT/out HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups fakeroot sh "$SHORT/script"
	[ "$(ls -A "$SHORT/out")" = disk ]
	e2fsck -fn "$(root_partition "$SHORT/out/disk")"
	strake disk check "$SHORT/out/disk"
	disk_mount "$SHORT/out/disk" "$STATE/mnt"
	diff <(listing "$STATE/tree" | sed 's/\.[0-9]\{10\}//; /^\. d/d') <(listing "$STATE/mnt" | sed 's/\.[0-9]\{10\}//; /^\. d/d')
	umount "$STATE/mnt"
}
