#!/usr/bin/env bats
# strake disk import: a disk back into an image of the store.
load lib
load disk_lib

# Every entry of an image as its archive has it, each name with all that its file has: image_listing IMAGE
image_listing() {
	strake save "$1" -o "$STATE/saved.tar"
	python3 - "$STATE/saved.tar" <<-'PY'
		import hashlib, io, json, sys, tarfile
		outer = tarfile.open(sys.argv[1])
		layers = [l for m in json.load(outer.extractfile("manifest.json")) for l in m["Layers"]]
		assert len(layers) == 1, layers
		with tarfile.open(fileobj=io.BytesIO(outer.extractfile(layers[0]).read())) as tar:
		    names, text = {}, {}
		    for m in tar:
		        name = "./" + m.name.removeprefix("./").rstrip("/") if m.name not in (".", "./") else "./"
		        if m.islnk():
		            first = "./" + m.linkname.removeprefix("./")
		            names[first] = names[name] = names[first] | {name}
		            text[name] = text[first]
		            continue
		        names[name] = {name}
		        xattrs = sorted((k, v) for k, v in m.pax_headers.items() if "xattr" in k)
		        data = hashlib.sha256(tar.extractfile(m).read()).hexdigest() if m.isreg() else ""
		        kind = "-" if m.isreg() else m.type.decode()
		        text[name] = f"{kind} {m.mode:o} {m.uid} {m.gid} {m.size} {m.pax_headers.get('mtime', int(m.mtime))} {m.linkname} {m.devmajor} {m.devminor} {xattrs} {data}"
		print("\n".join(f"{n} {len(names[n])} {text[n]}" for n in sorted(text)))
	PY
}

config_of() { # IMAGE
	strake image inspect "$1" | jq -S '.[0].Config'
}

@test "A10.12: an image, its disk, and an image of that: every entry and the configuration are the same" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat qemu-img python3
	tree_new "$STATE/tree"
	setfattr -n user.note -v "$(printf 'y%.0s' {1..800})" "$STATE/tree/etc/late" || skip "no extended attributes here"
	! command -v setfacl || { setfacl -m u:77:rx,g:78:r "$STATE/tree/deep" "$STATE/tree/etc/capable" && setfacl -m d:u:78:rwx "$STATE/tree/deep"; }
	tar -C "$STATE/tree" --format pax --xattrs --xattrs-include='*' -S -cf "$STATE/tree.tar" .
	strake import -c 'ENV A="b c"' -c 'LABEL note=x' -c 'USER 33:33' -c 'WORKDIR /deep' -c 'ENTRYPOINT ["/bin/busybox", "echo"]' \
		-c 'CMD ["a b"]' -c 'EXPOSE 80/tcp' -c 'STOPSIGNAL SIGINT' "$STATE/tree.tar" first >/dev/null
	strake disk build -q first -o "$STATE/disk.qcow2"
	strake disk import "$STATE/disk.qcow2" second
	image_listing first >"$STATE/first"
	image_listing second >"$STATE/second"
	[ "$(wc -l <"$STATE/first")" -gt 2020 ]
	[ "$(grep -c '^./\(deep/er/file\|etc/other-name\) 2 ' "$STATE/second")" = 2 ]
	diff "$STATE/first" "$STATE/second"
	diff <(config_of first) <(config_of second)
	# Twenty million bytes of which three are some.
	[ "$(stat -c %s "$STATE/saved.tar")" -lt 12000000 ]
	run strake disk import -c 'CMD ["other"]' "$STATE/disk.qcow2" third
	assert_status 0
	[ "$(config_of third | jq -r '.Cmd[0]')" = other ]
	[ "$(config_of third | jq -r '.User')" = 33:33 ]
}

@test "a disk of another's making, or a file system without a table: ext2 with its block maps" {
	need_program strake-disk strake-image
	need_command mke2fs
	tree_new "$STATE/tree"
	rm "$STATE/tree/etc/late" # nor does it know years behind 2038
	mke2fs -q -t ext2 -b 1024 -I 128 -d "$STATE/tree" "$STATE/disk" 60M
	strake disk import "$STATE/disk" it >/dev/null
	strake import "$STATE/tree" expected >/dev/null
	# mke2fs does not look at the root directory itself
	image_listing expected | grep -v '^./ ' >"$STATE/expected"
	image_listing it | grep -v '^./ ' | diff "$STATE/expected" -
}

@test "A10.12: the same with other roots: their disks make images of the same files; ls, cat and cp read them" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat python3 tar2sqfs sqfs2tar
	local fs
	tree_new "$STATE/tree"
	setfattr -n user.note -v "$(printf 'y%.0s' {1..800})" "$STATE/tree/etc/late" || skip "no extended attributes here"
	for fs in erofs xfs squashfs; do
		if [ $fs = squashfs ]; then
			touch "$STATE/tree/etc/early" "$STATE/tree/etc/late" # 32 bits of seconds
			find "$STATE/tree" -exec touch -h -d @1700000000 {} +
		fi
		strake import "$STATE/tree" first-$fs >/dev/null
		strake disk build -q first-$fs -o "$STATE/$fs" --fs $fs
		strake disk import "$STATE/$fs" second-$fs >/dev/null
		image_listing first-$fs | grep -v "^./ " >"$STATE/first"
		image_listing second-$fs | grep -v "^./ " >"$STATE/second"
		diff "$STATE/first" "$STATE/second"
		run strake disk ls -l "$STATE/$fs" /etc
		assert_has "-rwsr-sr-x     0     0"
		[ "$(strake disk cat "$STATE/$fs" /deep/link)" = text ]
		strake disk cp "$STATE/$fs" /deep "$STATE/copied-$fs"
		diff -r --no-dereference "$STATE/tree/deep" "$STATE/copied-$fs"
		strake disk cp "$STATE/$fs" /etc/sparse "$STATE/sparse"
		cmp "$STATE/tree/etc/sparse" "$STATE/sparse"
		[ "$(stat -c %b "$STATE/sparse")" -lt 8192 ]
		rm "$STATE/sparse"
		run strake disk cat "$STATE/$fs" /nowhere
		assert_status 1
		assert_has "/nowhere is not on the disk"
	done
}

@test "A10.12: an xfs that mkfs.xfs or a kernel filled is read: large directories, many extents, attributes in blocks; not if its log is dirty" {
	need_program strake-disk strake-image
	need_command mkfs.xfs python3 setfattr
	{
		printf '/\n0 0\nd--755 0 0\nmany d--751 7 8\n'
		seq -f 'a-name-of-some-length-%g -u-644 3 4 /dev/null' 3000
		printf '$\nlink l--777 0 0 many/a-name-of-some-length-1\ntty c--620 0 5 5 1\n$\n'
	} >"$STATE/proto"
	truncate -s 300M "$STATE/disk"
	mkfs.xfs -q -p "$STATE/proto" "$STATE/disk"
	strake disk ls "$STATE/disk" /many | sort >"$STATE/names"
	seq -f 'a-name-of-some-length-%g' 3000 | sort | diff - "$STATE/names"
	run strake disk ls -l "$STATE/disk" /
	assert_has "drwxr-x--x     7     8"
	assert_has "link -> many/a-name-of-some-length-1"
	assert_has "crw--w----     0     5"
	run strake disk ls -l "$STATE/disk" /many
	assert_has "-rwSr--r--     3     4"
	mkdir "$STATE/mnt"
	mount -t xfs -o loop "$STATE/disk" "$STATE/mnt" 2>"$STATE/why" || skip "the rest needs a loop device and the kernel's xfs: $(cat "$STATE/why")"
	tree_new "$STATE/tree"
	setfattr -n user.note -v "$(printf 'y%.0s' {1..3600})" "$STATE/tree/etc/late" || skip "no extended attributes here"
	setfattr -n user.other -v short "$STATE/tree/etc/early"
	rm -r "${STATE:?}"/mnt/*
	cp -a "$STATE"/tree/. "$STATE/mnt"
	sync -f "$STATE/mnt"
	cp --sparse=always "$STATE/disk" "$STATE/dirty"
	python3 - "$STATE/mnt/etc/pieces" "$STATE/mnt/etc/kept" <<-'PY'
		import os, sys
		with open(sys.argv[1], "wb", buffering=0) as f:
		    for i in range(400):
		        f.seek(i * 16384)
		        f.write(b"%d" % i)
		with open(sys.argv[2], "wb") as f:
		    f.write(b"some")
		    os.posix_fallocate(f.fileno(), 0, 1 << 20)
	PY
	cp -a "$STATE"/mnt/etc/{pieces,kept} "$STATE/tree/etc/"
	touch -r "$STATE/tree/etc" "$STATE/mnt/etc"
	umount "$STATE/mnt"
	tar -C "$STATE/tree" --format pax --xattrs --xattrs-include='*' -S -cf "$STATE/tree.tar" .
	strake import "$STATE/tree.tar" first >/dev/null
	strake disk import "$STATE/disk" second >/dev/null
	image_listing first >"$STATE/first"
	image_listing second >"$STATE/second"
	diff "$STATE/first" "$STATE/second"
	run strake disk import "$STATE/dirty" none
	assert_status 1
	assert_has "was not left cleanly"
}

@test "A10.12: a btrfs is read, with its subvolumes, snapshots, shared extents and holes; not if it is compressed by lzo" {
	need_program strake-disk strake-image
	need_command mkfs.btrfs btrfs mcopy syslinux mkfs.vfat setfattr
	tree_new "$STATE/tree"
	setfattr -n user.note -v "$(printf 'y%.0s' {1..3000})" "$STATE/tree/etc/late" || skip "no extended attributes here"
	strake disk build -q "$STATE/tree" -o "$STATE/ours" --fs btrfs
	strake disk cp "$STATE/ours" /deep "$STATE/copied"
	diff -r --no-dereference "$STATE/tree/deep" "$STATE/copied"
	run strake disk ls -l "$STATE/ours" /etc
	assert_has "-rwsr-sr-x     0     0"
	truncate -s 200M "$STATE/disk"
	mkfs.btrfs -q "$STATE/disk"
	mkdir "$STATE/mnt"
	mount -t btrfs -o loop "$STATE/disk" "$STATE/mnt" 2>"$STATE/why" || skip "the rest needs a loop device and the kernel's btrfs: $(cat "$STATE/why")"
	cp -a "$STATE"/tree/. "$STATE/mnt"
	btrfs -q subvolume create "$STATE/mnt/volume"
	echo first >"$STATE/mnt/volume/file"
	cp --reflink=always "$STATE"/mnt/{bin/busybox,volume/shared}
	btrfs -q subvolume snapshot "$STATE/mnt/volume" "$STATE/mnt/snapshot"
	echo second >"$STATE/mnt/volume/file"
	tar -C "$STATE/mnt" --format pax --xattrs --xattrs-include='*' -S -cf "$STATE/tree.tar" .
	umount "$STATE/mnt"
	strake import "$STATE/tree.tar" first >/dev/null
	strake disk import "$STATE/disk" second >/dev/null
	image_listing first >"$STATE/first"
	image_listing second >"$STATE/second"
	diff "$STATE/first" "$STATE/second"
	[ "$(strake disk cat "$STATE/disk" /snapshot/file /volume/file | xargs)" = 'first second' ]
	mount -t btrfs -o loop,compress-force=lzo "$STATE/disk" "$STATE/mnt"
	seq 10000 >"$STATE/mnt/packed"
	umount "$STATE/mnt"
	run strake disk ls "$STATE/disk"
	assert_status 1
	assert_has "compressed by lzo"
}

@test "A10.12: a btrfs that is compressed, as cloud images are: by zlib and zstd, inline, overwritten in parts, shared, sparse" {
	need_program strake-disk strake-image
	need_command mkfs.btrfs
	local by
	truncate -s 200M "$STATE/disk"
	mkfs.btrfs -q "$STATE/disk"
	mkdir "$STATE/mnt"
	for by in zlib zstd; do
		mount -t btrfs -o "loop,compress-force=$by" "$STATE/disk" "$STATE/mnt" 2>"$STATE/why" || skip "needs a loop device and the kernel's btrfs: $(cat "$STATE/why")"
		mkdir "$STATE/mnt/$by"
		cp /bin/busybox "$STATE/mnt/$by/"
		seq 500 >"$STATE/mnt/$by/small"
		seq 200000 >"$STATE/mnt/$by/long"
		sync -f "$STATE/mnt"
		python3 - "$STATE/mnt/$by" <<-'PY'
			import fcntl, os, struct, sys
			with open(sys.argv[1] + "/long", "r+b") as long:
			    for at, data in (50000, b"x" * 5000), (300000, os.urandom(9000)):
			        long.seek(at)
			        long.write(data)
			    os.fsync(long.fileno())
			    with open(sys.argv[1] + "/part", "wb") as part:  # FICLONERANGE
			        fcntl.ioctl(part, 0x4020940D, struct.pack("=qQQQ", long.fileno(), 131072 - 8192, 65536, 40960))
			with open(sys.argv[1] + "/sparse", "wb") as sparse:
			    for at, data in (1000000, b"abc" * 30000), (5000000, b"z"):
			        sparse.seek(at)
			        sparse.write(data)
			    sparse.truncate(9000000)
		PY
		umount "$STATE/mnt"
	done
	mount -t btrfs -o loop,ro "$STATE/disk" "$STATE/mnt"
	tar -C "$STATE/mnt" --format pax -S -cf "$STATE/tree.tar" .
	(cd "$STATE/mnt" && sha256sum ./*/*) >"$STATE/expected"
	umount "$STATE/mnt"
	strake import "$STATE/tree.tar" first >/dev/null
	strake disk import "$STATE/disk" second >/dev/null
	image_listing first >"$STATE/first"
	image_listing second >"$STATE/second"
	[ "$(wc -l <"$STATE/first")" = 13 ]
	diff "$STATE/first" "$STATE/second"
	strake disk cp "$STATE/disk" / "$STATE/copied"
	(cd "$STATE/copied" && sha256sum ./*/*) | diff "$STATE/expected" -
}

@test "A10.12: a btrfs whose root, home and more are subvolumes that fstab mounts, as in Fedora and openSUSE" {
	need_program strake-disk strake-image
	need_command mkfs.btrfs btrfs
	local uuid=6e1d5d4b-2b0c-4a70-9b50-1c6d7c0f7a11 each
	truncate -s 200M "$STATE/disk"
	mkfs.btrfs -q -U $uuid "$STATE/disk"
	mkdir "$STATE/mnt"
	mount -t btrfs -o loop,compress=zstd "$STATE/disk" "$STATE/mnt" 2>"$STATE/why" || skip "needs a loop device and the kernel's btrfs: $(cat "$STATE/why")"
	for each in root home @ @/var; do btrfs -q subvolume create "$STATE/mnt/$each"; done
	mkdir -p "$STATE/mnt"/root/{etc,srv,var/hidden} "$STATE"/mnt/@/usr
	seq 3000 >"$STATE/mnt"/root/etc/long
	printf 'UUID=%s %s btrfs %s 0 0\n' $uuid / subvol=root $uuid /srv subvol=home,compress=zstd:1 $uuid /var subvol=/@/var \
		$uuid /.snapshots subvol=@/.snapshots >"$STATE/mnt"/root/etc/fstab
	echo home >"$STATE/mnt/home/file"
	echo var >"$STATE/mnt/@/var/file"
	umount "$STATE/mnt"
	[ "$(strake disk ls "$STATE/disk" / | xargs)" = 'etc srv var' ]
	[ "$(strake disk cat "$STATE/disk" /srv/file /var/file | xargs)" = 'home var' ]
	strake disk import "$STATE/disk" it >/dev/null
	image_listing it | cut -d' ' -f1 >"$STATE/names"
	printf '%s\n' ./ ./etc ./etc/fstab ./etc/long ./srv ./srv/file ./var ./var/file | diff - "$STATE/names"
	# One that the file system itself says is the root.
	mount -t btrfs -o loop "$STATE/disk" "$STATE/mnt"
	btrfs subvolume set-default "$STATE/mnt/@"
	umount "$STATE/mnt"
	[ "$(strake disk ls "$STATE/disk" / | xargs)" = 'usr var' ]
	mount -t btrfs -o loop,subvolid=5 "$STATE/disk" "$STATE/mnt"
	btrfs subvolume set-default "$STATE/mnt"
	sed -i 's,/@/var,gone,' "$STATE/mnt"/root/etc/fstab
	umount "$STATE/mnt"
	run strake disk import "$STATE/disk" none
	assert_status 1
	assert_has "/var: btrfs: it has no subvolume gone"
}

@test "A10.12, A10.17: a disk of stock tools with /boot and /srv apart: what its fstab mounts is there, and what is elsewhere is told" {
	need_program strake-disk strake-image
	need_command mke2fs mkfs.xfs sfdisk mkfs.vfat
	tree_new "$STATE/tree"
	rm -r "$STATE/tree/many" "$STATE/tree/etc/late"
	find "$STATE/tree" -exec touch -h -d @1700000000 {} + # mke2fs knows whole seconds
	tar -C "$STATE/tree" --format pax --xattrs --xattrs-include='*' -S -cf "$STATE/tree.tar" .
	mkdir -p "$STATE/tree/srv" "$STATE/root"
	cp -a "$STATE/tree/." "$STATE/root"
	rm -r "${STATE:?}"/root/boot/*
	touch -r "$STATE/tree/boot" "$STATE"/root/boot
	printf '%s\n' 'PARTUUID=22222222-2222-4222-8222-222222222222 / ext4 defaults 0 1' 'LABEL=BOOT /boot ext4 defaults 0 2' \
		'UUID=ABCD-1234 /boot/efi vfat umask=077 0 1' 'UUID=33333333-3333-4333-8333-333333333333 /srv xfs defaults 0 0' \
		'/dev/mapper/data-home /home ext4 defaults 0 2' >"$STATE"/root/etc/fstab
	truncate -s 560M "$STATE/disk"
	sfdisk -q "$STATE/disk" <<-'EOF'
		label: gpt
		start=2048, size=40M, type=U
		size=60M, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
		size=100M, type=L, uuid=22222222-2222-4222-8222-222222222222
		size=310M, type=L
	EOF
	mkfs.vfat -F 32 -i ABCD1234 --offset 2048 "$STATE/disk" $((40 << 10)) >/dev/null
	mke2fs -q -t ext4 -L BOOT -d "$STATE/tree/boot" -E offset=$((41 << 20)) "$STATE/disk" 60M
	mke2fs -q -t ext4 -I 256 -d "$STATE/root" -E offset=$((101 << 20)) "$STATE/disk" 100M
	printf '/\n0 0\nd--755 0 0\nfile ---644 0 0 /proc/sys/kernel/ostype\n$\n' >"$STATE/proto"
	mkfs.xfs -q -m uuid=33333333-3333-4333-8333-333333333333 -p "$STATE/proto" -d file,name="$STATE/xfs",size=310m
	dd if="$STATE/xfs" of="$STATE/disk" bs=1M seek=201 conv=notrunc,sparse status=none
	strake disk inspect "$STATE/disk" | jq -e '.partitions | length == 4 and .[1].label == "BOOT" and .[2].filesystem == "ext4"'
	[ "$(strake disk cat "$STATE/disk" /boot/initrd.img-6.1.0-10)" = 'initrd of 10' ]
	[ "$(strake disk ls "$STATE/disk" /srv)" = file ]
	[ "$(strake disk ls -p 3 "$STATE/disk" /boot)" = '' ]
	run strake disk import -p 3 "$STATE/disk" alone
	assert_status 0
	run strake disk import "$STATE/disk" it
	assert_status 0
	assert_has "/home (/dev/mapper/data-home) is not on this disk: left out"
	assert_lacks efi
	image_listing it >"$STATE/it"
	image_listing alone >"$STATE/alone"
	[ "$(grep -c '^./boot/\|^./srv/' "$STATE/it")" = 6 ]
	strake import "$STATE/tree.tar" expected >/dev/null
	image_listing expected >"$STATE/expected"
	grep '^./boot/[vi]\|^./etc/[sco]\|^./d' "$STATE/expected" >"$STATE/some"
	grep '^./boot/[vi]\|^./etc/[sco]\|^./d' "$STATE/it" | diff "$STATE/some" -
	[ "$(wc -l <"$STATE/some")" -gt 15 ]
}

@test "A10.12: a machine without an operating system, and its volumes: the disk's image is the first one; and what the machine wrote is in it" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat debugfs e2fsck
	local on part
	mkdir -p "$STATE"/tree/{bin,srv,etc} "$STATE/tree/data/sub"
	kernel_new "$STATE/kernel" 6.1.0-9
	cp /bin/busybox "$STATE/tree/bin/"
	echo kept >"$STATE/tree/data/file"
	echo deep >"$STATE/tree/data/sub/file"
	ln "$STATE/tree/data/file" "$STATE/tree/srv/same"
	cp /bin/busybox "$STATE/tree/etc/capable" && setcap cap_net_raw+ep "$STATE/tree/etc/capable"
	chown 7:8 "$STATE/tree/data" && chmod 710 "$STATE/tree/data"
	find "$STATE/tree" -exec touch -h -d @1700000000 {} +
	strake import -c 'VOLUME /data' -c 'VOLUME /data/sub' -c 'VOLUME /new/one' -c 'CMD ["/bin/busybox", "true"]' "$STATE/tree" first >/dev/null
	image_listing first | grep -v '^./ ' >"$STATE/first"
	for on in memory disk; do
		strake disk build -q first -o "$STATE/$on" --kernel "$STATE/kernel" --root-on $on --timestamp 1700000000
		read -r part < <(strake disk inspect "$STATE/$on" | jq -r '.partitions[] | select(.label == "volumes").offset')
		dd if="$STATE/$on" of="$STATE/part" bs=1M skip=$((part >> 20)) conv=sparse status=none
		e2fsck -fn "$STATE/part" >"$STATE/fsck" 2>&1 || { cat "$STATE/fsck"; return 1; }
		[ "$(strake disk ls "$STATE/$on" /data | xargs)" = 'file sub' ]
		[ "$(strake disk cat "$STATE/$on" /data/sub/file)" = deep ]
		strake disk import "$STATE/$on" $on >/dev/null
		image_listing $on | grep -v '^./\(\|dev\|proc\|run\|sys\|tmp\|new\|new/one\) ' >"$STATE/second"
		# A link from a volume to elsewhere is another file by now.
		diff <(sed 's,^\(./data/file\|./srv/same\) [12] ,\1 N ,' "$STATE/first") <(sed 's,^\(./data/file\|./srv/same\) [12] ,\1 N ,' "$STATE/second")
		diff <(config_of first) <(config_of $on)
	done
	printf 'write /proc/sys/kernel/ostype new\ncd /2\nwrite /proc/sys/kernel/ostype log\n' >"$STATE/commands"
	debugfs -w -f "$STATE/commands" "$STATE/part" >/dev/null 2>&1
	dd if="$STATE/part" of="$STATE/disk" bs=1M seek=$((part >> 20)) conv=notrunc,sparse status=none
	[ "$(strake disk ls "$STATE/disk" /new/one)" = log ]
	[ "$(strake disk ls -p 3 "$STATE/disk" /)" = "$(printf '0\n1\n2\nlost+found\nnew')" ]
	# What is no such machine's: an initrd that is packed, orders that lead out.
	strake disk cat -p 1 "$STATE/memory" /initrd.img >"$STATE/initrd"
	gzip -n "$STATE/initrd"
	mcopy -o -i "$STATE/memory@@1M" "$STATE/initrd.gz" ::/initrd.img
	[ "$(strake disk ls "$STATE/memory" / | head -n 3 | xargs)" = '0 1 2' ]
}

@test "ls, cat and cp read the boot partition, too, and import makes an image of it" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/disk"
	[ "$(strake disk cat -p 1 "$STATE/disk" /initrd.img)" = 'initrd of 10' ]
	run strake disk ls -p 1 "$STATE/disk" /syslinux
	assert_has ldlinux.sys
	run strake disk ls -p 3 "$STATE/disk"
	assert_status 1
	assert_has "no partition 3"
	strake disk import -p 1 -m 'what starts' "$STATE/disk" boot >/dev/null
	image_listing boot >"$STATE/boot"
	grep -q "^./initrd.img .* 13 .*$(sha256sum <"$STATE/tree/boot/initrd.img-6.1.0-10" | cut -d' ' -f1)" "$STATE/boot"
	grep -q '^./syslinux/syslinux.cfg ' "$STATE/boot"
	strake history boot | grep 'what starts'
	strake disk import -p 2 "$STATE/disk" root >/dev/null
	image_listing root | grep '^./deep/er/file 2 '
	run strake disk import -p 3 "$STATE/disk" none
	assert_status 1
	assert_has "no partition 3"
}

@test "what cannot be read is refused with a word that helps, and no image is made" {
	need_program strake-disk strake-image
	need_command syslinux mcopy mkfs.vfat mke2fs debugfs
	tree_new "$STATE/tree"
	cp "$STATE/tree/bin/busybox" "$STATE/junk"
	run strake disk import "$STATE/junk" none
	assert_status 1
	assert_has "no partition table"
	mke2fs -q -t ext4 -d "$STATE/tree/etc" "$STATE/fs" 40M
	cp "$STATE/fs" "$STATE/dirty"
	debugfs -w -R 'feature needs_recovery' "$STATE/dirty" 2>/dev/null
	run strake disk import "$STATE/dirty" none
	assert_status 1
	assert_has "was not left cleanly"
	debugfs -w -R 'sif other-name block[2] 0xffffffff' "$STATE/fs" 2>/dev/null
	debugfs -w -R 'clri set-uid' "$STATE/fs" 2>/dev/null
	run strake disk import "$STATE/fs" none
	assert_status 1
	assert_has "damaged"
	run strake images -q
	[ "$output" = "" ]
	run strake --dry-run disk import "$STATE/fs" none
	assert_status 1
	assert_has "--dry-run"
}

@test "A10.1: a container is a source: what it changed, without its mounts, and how it was told to run; it goes on" {
	need_program strake-disk strake-image strake-monitor
	need_command syslinux mcopy mkfs.vfat
	tree_new "$STATE/tree"
	rm -r "$STATE/tree/many" "$STATE/tree/dev/large"
	strake import -c 'ENV A=image B=image' -c 'CMD ["/bin/busybox", "true"]' "$STATE/tree" base >/dev/null
	strake run -d --name changed --network none -e A=container base /bin/busybox sh -c \
		'b=/bin/busybox; $b echo new >/etc/new; $b rm /deep/er/file; $b rm -r /deep/er/still; $b mkdir /deep/er/still; $b touch /deep/er/still/x; $b echo ready; exec $b sleep inf'
	soon eval '[ "$(strake logs changed)" = ready ]'
	strake disk build -q changed -o "$STATE/disk"
	[ "$(strake exec changed /bin/busybox echo on)" = on ]
	[ "$(strake disk cat "$STATE/disk" /etc/new)" = new ]
	[ "$(strake disk ls "$STATE/disk" /deep/er)" = still ]
	[ "$(strake disk ls "$STATE/disk" /deep/er/still)" = x ]
	run strake disk ls "$STATE/disk" /etc
	assert_lacks hosts
	strake disk import "$STATE/disk" again >/dev/null
	[ "$(config_of again | jq -c '.Env | map(select(test("^[AB]=")))')" = '["A=container","B=image"]' ]
	strake kill changed
	strake wait changed
	strake --dry-run disk build container:changed -o "$STATE/other" --timestamp "$DISK_DATE" >"$STATE/script"
	sh "$STATE/script"
	[ "$(strake disk cat "$STATE/other" /etc/new)" = new ]
	run strake disk ls "$STATE/other" /etc
	assert_lacks hosts
	run strake disk build neither -o "$STATE/none"
	assert_status 1
	assert_has neither
}
