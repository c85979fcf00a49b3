#!/usr/bin/env bats
# strake disk build: who may log in, what the machine is called, how it reaches its network; files alone, boots are in tests/boot.
load lib

# What a distribution's image has, as far as anything looks at it, and a kernel that is a header.
system_new() {
	mkdir -p "$1"/{boot,sbin,bin,home,root,etc/skel,lib/systemd/system,usr/sbin,usr/share/zoneinfo/Europe}
	cp /bin/busybox "$1/bin/sh"
	cp /bin/busybox "$1/sbin/init"
	head -c 65536 /dev/zero >"$1/boot/vmlinuz-6.1.0-9"
	printf 'HdrS' | dd of="$1/boot/vmlinuz-6.1.0-9" bs=1 seek=514 conv=notrunc status=none
	echo initrd >"$1/boot/initrd.img-6.1.0-9"
	echo 'root:*:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	printf 'root:x:0:\nsudo:x:27:\n' >"$1/etc/group"
	echo 'root:*:19000:0:99999:7:::' >"$1/etc/shadow" && chmod 640 "$1/etc/shadow"
	echo '127.0.0.1 localhost' >"$1/etc/hosts"
	echo 'password [success=1] pam_unix.so obscure yescrypt' >"$1/etc/passwords"
	mkdir "$1/etc/pam.d" && mv "$1/etc/passwords" "$1/etc/pam.d/common-password"
	echo 'alias ll="ls -l"' >"$1/etc/skel/.bashrc"
	touch "$1"/usr/sbin/sshd "$1"/lib/systemd/{systemd,systemd-networkd} "$1"/lib/systemd/system/{ssh,systemd-networkd}.service
	touch "$1/usr/share/zoneinfo/Europe/Berlin"
}

@test "A10.8: an account with a key and a hashed password, a name, a time zone and a network are on the disk, and in a dry run's script" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat openssl
	system_new "$STATE/tree"
	echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAITest ann@home' >"$STATE/key.pub"
	echo 'correct horse' >"$STATE/secret"
	openssl passwd -6 -salt saltsalt 'for root' >"$STATE/hash"
	local homes=/home words=(disk build "$STATE/tree" --timestamp 1700000000 --hostname box --user ann:1005:sudo --ssh-key "$STATE/key.pub" --password-file "$STATE/secret"
		--password-hash-file "root=$STATE/hash" --timezone Europe/Berlin --network "192.0.2.5/24,gateway=192.0.2.1,dns=192.0.2.53")
	strake --explain "${words[@]}" -o "$STATE/disk" 2>"$STATE/told"
	strake --dry-run "${words[@]}" -o "$STATE/by-script" >"$STATE/script"
	# Neither the password nor what we made of it is told to anyone.
	run grep -E 'correct horse|\$y\$' "$STATE/told" "$STATE/script"
	assert_status 1
	sh "$STATE/script"
	strake disk convert -q "$STATE/disk" "$STATE/packed.qcow2"
	[ "$(stat -c %a "$STATE"/{disk,by-script,packed.qcow2} | uniq)" = 600 ]
	for disk in disk by-script; do
		run strake disk cat "$STATE/$disk" /etc/passwd /etc/group /etc/hostname /etc/hosts /etc/resolv.conf "$homes/ann/.bashrc" \
			"$homes/ann/.ssh/authorized_keys" /etc/systemd/network/10-wired.network
		assert_status 0
		assert_has "ann:x:1005:1005::$homes/ann:/bin/sh"
		assert_has "sudo:x:27:ann"
		assert_has "127.0.1.1	box"
		assert_has "nameserver 192.0.2.53"
		assert_has "ann@home"
		assert_has "Gateway=192.0.2.1"
		strake disk ls -l "$STATE/$disk" "$homes/ann/.ssh" | grep -q -- '^-rw------- *1005 *1005 .* authorized_keys'
		strake disk ls -l "$STATE/$disk" /home | grep -q '^drwx------ *1005 *1005 .* ann'
		strake disk ls -l "$STATE/$disk" /etc | grep -q 'localtime -> /usr/share/zoneinfo/Europe/Berlin'
		strake disk ls -l "$STATE/$disk" /etc/systemd/system/multi-user.target.wants >"$STATE/wants"
		grep -q 'ssh.service' "$STATE/wants"
		grep -q 'systemd-networkd.service' "$STATE/wants"
		strake disk cat "$STATE/$disk" /etc/shadow >"$STATE/shadow-$disk"
		[ "$(grep -o '^root:[^:]*' "$STATE/shadow-$disk")" = "root:$(cat "$STATE/hash")" ]
		strake disk ls -l "$STATE/$disk" /etc | grep -q -- '^-rw-r----- .* shadow'
	done
	# The machine's own method, and a password that opens it.
	python3 -W ignore -c 'import crypt, sys; h = sys.argv[1]; sys.exit(not h.startswith("$y$") or crypt.crypt("correct horse", h) != h)' \
		"$(sed -n 's/^ann:\([^:]*\):.*/\1/p' "$STATE/shadow-disk")"
	[ ! -e "$STATE/tree/home/ann" ]
	strake "${words[@]}" -q -o "$STATE/again"
	cmp "$STATE/disk" "$STATE/again"
}

@test "A10.8: by default nothing is changed; without a password no one may log in by one" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat
	system_new "$STATE/tree"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --user ann
	run strake disk cat "$STATE/disk" /etc/shadow
	[ "$(cut -d: -f1,2 <<<"$output")" = $'root:*\nann:!' ]
	(umask 027 && strake disk build -q "$STATE/tree" -o "$STATE/disk")
	[ "$(stat -c %a "$STATE/disk")" = 640 ]
	strake disk cp "$STATE/disk" /etc "$STATE/etc"
	diff -r --no-dereference "$STATE/tree/etc" "$STATE/etc"
	run strake disk build "$STATE/tree" -o "$STATE/none" --password-file "eve=$STATE/tree/etc/hosts"
	assert_status 1
	assert_has "there is no account 'eve': make it with --user eve"
	run strake disk build "$STATE/tree" -o "$STATE/none" --cloud-init "$STATE/tree/etc"
	assert_status 1
	assert_has "there is no cloud-init in it"
	[ ! -e "$STATE/none" ]
	# NoCloud's directory: what was given, and an instance where nothing names one; secrets for root alone.
	mkdir -p "$STATE/tree/usr/bin" && touch "$STATE/tree/usr/bin/cloud-init"
	printf '#cloud-config\nhostname: cloudy\n' >"$STATE/user-data"
	strake disk build -q "$STATE/tree" -o "$STATE/disk" --cloud-init "$STATE/user-data" --hostname box --timestamp 1700000000
	strake disk cp "$STATE/disk" /var/lib/cloud/seed/nocloud "$STATE/seed"
	[ "$(ls "$STATE/seed")" = $'meta-data\nuser-data' ]
	cmp "$STATE/seed/user-data" "$STATE/user-data"
	[ "$(cat "$STATE/seed/meta-data")" = $'instance-id: strake-1700000000\nlocal-hostname: box' ]
	strake disk ls -l "$STATE/disk" /var/lib/cloud/seed/nocloud | grep -c -- '^-rw------- *0 *0' | grep -qx 2
}

@test "A10.6: a dry run's script makes the same machine for a program: its files and volumes on the disk, and what starts first" {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat cpio
	system_new "$STATE/system"
	rootfs_new "$STATE/tree"
	mkdir "$STATE/tree/data"
	echo kept >"$STATE/tree/data/file"
	local words=(disk build "$STATE/tree" --timestamp 1700000000 --root-on disk --volume /data --size 256m --kernel "$STATE/system/boot/vmlinuz-6.1.0-9"
		--network "192.0.2.5/24,gateway=192.0.2.1" -- sh -c 'echo  "two  words"')
	strake --dry-run "${words[@]:0:2}" -o "$STATE/by-script" "${words[@]:2}" >"$STATE/script"
	sh "$STATE/script"
	strake "${words[@]:0:2}" -q -o "$STATE/disk" "${words[@]:2}"
	for disk in disk by-script; do
		strake disk check "$STATE/$disk"
		mcopy -n -i "$STATE/$disk@@1M" ::/initrd.img "$STATE/initrd-$disk"
		mkdir "$STATE/early-$disk" "$STATE/root-$disk"
		(cd "$STATE/early-$disk" && cpio --quiet -id <"$STATE/initrd-$disk")
		strake disk cp "$STATE/$disk" / "$STATE/root-$disk/all"
		strake disk inspect "$STATE/$disk" | jq .partitions >"$STATE/parts-$disk"
	done
	diff "$STATE/parts-disk" "$STATE/parts-by-script"
	[ "$(jq length "$STATE/parts-disk")" = 3 ]
	diff -r "$STATE/early-disk" "$STATE/early-by-script"
	diff -r --no-dereference "$STATE/root-disk" "$STATE/root-by-script"
	# The volume's file is on its own partition, and shown in its place alone.
	[ "$(cat "$STATE/root-disk/all/data/file")" = kept ]
	[ "$(strake disk ls -p 2 "$STATE/disk" /data)" = '' ]
	tr '\0' '\n' <"$STATE/early-disk/.strake/orders" >"$STATE/orders"
	grep -qx 'v0 /data' "$STATE/orders"
	grep -qx 'A192.0.2.5/24' "$STATE/orders"
	dd if="$STATE/disk" of="$STATE/volumes" bs=1M skip=$(($(jq '.[2].offset' "$STATE/parts-disk") >> 20)) conv=sparse status=none
	[ "$(debugfs -R 'cat /0/file' "$STATE/volumes" 2>/dev/null)" = kept ]
}
