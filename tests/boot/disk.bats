#!/usr/bin/env bats
# Disks that boot: emulated machines with SeaBIOS and OVMF, one to four seconds of their own time each.
load lib

# The kernel's modules, as /lib/modules/VERSION has them: $MODULES.
machine_modules() {
	mkdir -p "$STATE/modules"
	debugfs -R "rdump /lib/modules $STATE/modules" "$MACHINE/root.ext4" 2>/dev/null
	MODULES=$(echo "$STATE"/modules/modules/*)
	[ -s "$MODULES/modules.dep" ]
}

boot() { # FILE OPTION...: what it says on its console is $output
	local file=$1
	shift
	run timeout 240 "$PROGRAMS/strake" disk run --accel tcg "$@" "$file" </dev/null
	output=${output//$'\r'/}
	assert_status "${ENDS_WITH:-0}"
}

@test "A10.7: one static program is a machine: its line, its exit status, power off; BIOS and UEFI, three kinds of disk" {
	need_machine
	strake disk build /bin/busybox -o "$STATE/disk" --kernel "$MACHINE/vmlinuz" --env ANSWER=42 --hostname alone -- \
		sh -c 'echo "answer $ANSWER of $(hostname), process $$"; exit 3'
	strake disk check "$STATE/disk"
	ENDS_WITH=3
	boot "$STATE/disk" --disk sata
	assert_has "SYSLINUX"
	assert_has "answer 42 of alone, process "
	assert_has "/busybox ended with exit status 3"
	assert_has "Power down"
	boot "$STATE/disk" --disk nvme --firmware uefi
	assert_has "answer 42 of alone, process "
	assert_has "/busybox ended with exit status 3"
	# The same by a dry run's script.
	by_script /bin/busybox "$STATE/by-script" --kernel "$MACHINE/vmlinuz" --env ANSWER=42 --hostname alone -- \
		sh -c 'echo "answer $ANSWER of $(hostname), process $$"; exit 3'
	boot "$STATE/by-script" --disk virtio --firmware uefi
	assert_has "answer 42 of alone, process "
	assert_has "/busybox ended with exit status 3"
}

@test "A10.6: an image's program runs with its variables, directory and user, and serves a page" {
	need_machine
	need_program strake-image
	machine_modules
	rootfs_new "$STATE/rootfs"
	cat >"$STATE/rootfs/bin/serve" <<-'SH'
		#!/bin/sh
		echo "I am $(id -un) in $PWD with $GREETING"
		echo "$GREETING" >/tmp/index.html
		(exec sleep 0) & # an orphan for process 1
		exec httpd -f -p 8080 -h /tmp
	SH
	chmod 755 "$STATE/rootfs/bin/serve"
	tar -C "$STATE/rootfs" -c . | strake import --change 'ENV GREETING=hello' --change 'WORKDIR /var/www' --change 'USER www' \
		--change 'ENTRYPOINT ["serve"]' - web >/dev/null
	strake disk build web -o "$STATE/disk" --kernel "$MACHINE/vmlinuz" --modules "$MODULES"
	background "$PROGRAMS/strake" disk run --accel tcg -p 8088:8080 "$STATE/disk" </dev/null >"$STATE/console" 2>&1
	local pid=$!
	DEADLINE=200 soon eval "curl --silent --fail --max-time 5 -o '$STATE/page' http://127.0.0.1:8088/ || ! kill -0 $pid"
	[ "$(cat "$STATE/page")" = hello ]
	grep -q 'I am www in /var/www with hello' "$STATE/console"
	grep -q 'network: eth0 has 10.0.2.15' "$STATE/console"
	kill "$pid"
}

# Starts a machine whose keyboard is descriptor $keys: machine_start DISK OPTION...; $MACHINE_PID, $STATE/console.
machine_start() {
	local file=$1
	shift
	mkfifo "$STATE/keys"
	exec {keys}<>"$STATE/keys"
	# What runs in the background reads /dev/null unless it opens something else itself.
	# shellcheck disable=SC2016 # the words are the inner shell's
	background timeout 280 sh -c 'keys=$1; shift; exec "$@" <"$keys"' sh "$STATE/keys" \
		"$PROGRAMS/strake" disk run --accel tcg "$@" "$file" >"$STATE/console" 2>&1
	MACHINE_PID=$!
}

machine_says() { # TEXT
	DEADLINE=240 soon eval "grep -q -- '$1' '$STATE/console' || ! kill -0 $MACHINE_PID"
	grep -q -- "$1" "$STATE/console" || {
		tail -n 40 "$STATE/console"
		return 1
	}
}

machine_end() {
	wait "$MACHINE_PID" || true
	exec {keys}>&-
	rm "$STATE/keys"
}

# At a Debian's serial console, with the password that the test gave it: debian_log_in COMMAND
debian_log_in() {
	machine_says 'login:'
	echo root >&"$keys"
	machine_says 'Password:'
	echo 'open sesame' >&"$keys"
	machine_says 'root@'
	echo "$1" >&"$keys"
}

@test "A10.3: a Debian of mmdebstrap's answers at its serial console: SATA under BIOS, NVMe under UEFI, there by a dry run's script" {
	need_program strake-disk
	need_command qemu-system-x86_64 syslinux mcopy mkfs.vfat sfdisk
	local debian
	debian=$("$HERE/../vm/system")
	# What takes an emulated processor long and is not asked for here.
	local spare='quiet systemd.mask=e2scrub_reap.service systemd.mask=getty-static.service systemd.mask=getty@tty1.service'
	spare+=' modprobe.blacklist=aesni_intel,ghash_clmulni_intel,crct10dif_pclmul,ppdev,parport_pc,iTCO_wdt,pcspkr,sr_mod'
	echo 'open sesame' >"$STATE/password"
	mkdir "$STATE/seed"
	printf '#cloud-config\npackages: []\n' >"$STATE/seed/user-data"
	strake disk build -q "$debian" -o "$STATE/disk" --password-file "root=$STATE/password" --cloud-init "$STATE/seed" --cmdline "$spare"
	machine_start "$STATE/disk" --cpus 2 --disk sata
	# cloud-init's own words for what it has found.
	debian_log_in '/usr/lib/cloud-init/ds-identify --force; echo "root is $(findmnt -no SOURCE,FSTYPE /) of $(grep -c root=UUID /proc/cmdline), $(grep -o NoCloud /run/cloud-init/cloud.cfg), $((6 * 7))"; poweroff -ff'
	machine_says 'root is /dev/sda2 ext4 of 1, NoCloud, 42'
	machine_end
	grep -q SYSLINUX "$STATE/console"
	openssl passwd -6 -salt saltsalt 'open sesame' >"$STATE/hash"
	by_script "$debian" "$STATE/disk2" --password-hash-file "root=$STATE/hash" --cmdline "$spare"
	machine_start "$STATE/disk2" --cpus 2 --disk nvme --firmware uefi
	debian_log_in 'echo "root is $(findmnt -no SOURCE,FSTYPE /) by $(ls -d /sys/firmware/efi), $((6 * 7))"; poweroff -ff'
	machine_says 'root is /dev/nvme0n1p2 ext4 by /sys/firmware/efi, 42'
	machine_end
}

@test "A10.1, A10.3, A10.8: a Debian image gets kernel and init from its packages, boots from its ext4 by UUID, answers on the serial console and lets a key in" {
	need_program strake-disk strake-build strake-image
	need_command qemu-system-x86_64 syslinux mcopy mkfs.vfat ssh ssh-keygen
	local debian
	debian=$("$HERE/../vm/debian")
	strake import "$debian" debian >/dev/null
	ssh-keygen -q -t ed25519 -N '' -f "$STATE/key"
	echo 'open sesame' >"$STATE/password"
	strake disk build debian -o "$STATE/disk" --install-kernel --kernel-package linux-image-cloud-amd64 --hostname debian --user ann \
		--ssh-key "$STATE/key.pub" --password-file "root=$STATE/password" 2>"$STATE/log" || {
		tail -n 20 "$STATE/log"
		return 1
	}
	strake disk check "$STATE/disk"
	machine_start "$STATE/disk" --cpus 2 -p 2222:22
	debian_log_in 'echo "root is $(findmnt -no SOURCE,FSTYPE /) on $(hostname), $((6 * 7))"'
	machine_says 'root is /dev/vda2 ext4 on debian, 42'
	[ "$(ssh -i "$STATE/key" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR ann@127.0.0.1 id -un)" = ann ]
	echo 'poweroff -ff' >&"$keys"
	machine_end
}

@test "A10.5: a kernel of one's own without an initrd finds its root by PARTUUID, on NVMe under UEFI" {
	need_machine
	rootfs_new "$STATE/tree"
	mkdir "$STATE/tree/sbin"
	cat >"$STATE/tree/sbin/init" <<-'SH'
		#!/bin/sh
		mount -t proc proc /proc
		mount -t devtmpfs dev /dev
		echo "init of $(grep -o 'root=PARTUUID=\S*' /proc/cmdline | wc -l) root, $(grep -c nvme0n1p2 /proc/partitions) disk, $(grep -o answer=42 /proc/cmdline)"
		poweroff -f
	SH
	chmod 755 "$STATE/tree/sbin/init"
	strake disk build "$STATE/tree" -o "$STATE/disk" --kernel "$MACHINE/vmlinuz" --cmdline 'quiet answer=42'
	strake disk check "$STATE/disk"
	boot "$STATE/disk" --disk nvme --firmware uefi
	assert_has 'init of 1 root, 1 disk, answer=42'
}

@test "A10.9: an ISO starts from an optical drive, on BIOS and UEFI, and as a disk; a qcow2 starts as it is" {
	need_machine
	need_command qemu-img
	[ -e /usr/lib/ISOLINUX/isolinux.bin ] || skip "isolinux is not installed"
	strake disk build -q /bin/busybox -o "$STATE/disk.iso" --kernel "$MACHINE/vmlinuz" --network none -- echo 'from a CD'
	boot "$STATE/disk.iso" --disk cdrom
	assert_has "ISOLINUX"
	assert_has "from a CD"
	boot "$STATE/disk.iso" --disk cdrom --firmware uefi
	assert_has "CD-ROM"
	assert_has "from a CD"
	strake disk convert -q "$STATE/disk.iso" "$STATE/disk.qcow2"
	boot "$STATE/disk.qcow2"
	assert_has "SYSLINUX"
	assert_has "from a CD"
}

@test "A10.6, A10.10: on its disk: volumes that stay and grow, capabilities, arguments, a shared folder, the power button, the exit status" {
	need_program strake-disk strake-image
	need_command qemu-system-x86_64 syslinux mcopy mkfs.vfat setcap
	local kernel
	kernel=$("$HERE/../vm/kernel")
	rootfs_new "$STATE/rootfs"
	cat >"$STATE/rootfs/bin/serve" <<-'SH'
		#!/bin/sh
		trap 'echo "asked to end"; exit 7' USR1
		echo boot >>/data/boots
		echo "start $(wc -l </data/boots) of $# words: $1, $2; $(cat /data/first)"
		echo "root is $(grep -c '^/dev/[sv]da2 / ext4' /proc/mounts), volume has $(df -m /data | awk 'END { print ($2 > 150 ? "much" : "little") }')"
		mine=$(mktemp) && busybox-capable chown 0 "$mine" && echo "capable: $(stat -c %u "$mine")"
		echo "from the host: $(cat /shared/word)"
		echo "from the machine" >/shared/answer
		tail -f /dev/null &
		echo ready
		wait $!
	SH
	mkdir "$STATE/rootfs/data" "$STATE/shared"
	echo 'from the image' >"$STATE/rootfs/data/first"
	chown -R 33:33 "$STATE/rootfs/data"
	# A copy, whose file alone lets anybody change owners.
	cp /bin/busybox "$STATE/rootfs/bin/busybox-capable"
	setcap cap_chown+ep "$STATE/rootfs/bin/busybox-capable"
	chmod 755 "$STATE/rootfs/bin/serve"
	chmod 777 "$STATE/shared"
	echo hello >"$STATE/shared/word"
	tar -C "$STATE/rootfs" --xattrs --xattrs-include='*' -c . | strake import --change 'USER www' --change 'VOLUME /data' \
		--change 'STOPSIGNAL SIGUSR1' --change 'ENTRYPOINT ["serve"]' --change 'CMD ["of the image"]' - service >/dev/null
	strake disk build service -o "$STATE/disk" --root-on disk --kernel "$kernel/vmlinuz" --modules "$kernel/modules" --cmdline '-- one "two three"'
	for turn in 1 2; do
		machine_start "$STATE/disk" --disk "$([ $turn = 1 ] && echo sata || echo virtio)" --share "$STATE/shared:/shared"
		machine_says ready
		grep -q "start $turn of 2 words: one, two three; from the image" "$STATE/console"
		machine_says 'capable: 0'
		grep -q "from the host: hello" "$STATE/console"
		[ "$(cat "$STATE/shared/answer")" = "from the machine" ]
		kill -TERM "$(pgrep -P "$MACHINE_PID" || echo "$MACHINE_PID")"
		status=0
		wait "$MACHINE_PID" || status=$?
		exec {keys}>&-
		rm "$STATE/keys"
		grep -q "asked to end" "$STATE/console"
		[ "$status" = 7 ]
		grep -q "root is 1, volume has $([ $turn = 1 ] && echo little || echo much)" "$STATE/console"
		truncate -s +200M "$STATE/disk"
	done
	# It was closed as it should be.
	strake disk check "$STATE/disk"
}

@test "A10.15: an arm64 machine made here starts by UEFI under emulation, and finds its root by UUID" {
	need_program strake-disk
	need_command qemu-system-aarch64 mcopy mkfs.vfat
	local arm
	arm=$("$HERE/../vm/arm64")
	mkdir -p "$STATE/tree"/{bin,sbin,proc,sys,dev,etc}
	cp "$arm/busybox" "$STATE/tree/bin/busybox"
	ln -s busybox "$STATE/tree/bin/sh"
	cat >"$STATE/tree/sbin/init" <<-'SH'
		#!/bin/sh
		b=/bin/busybox
		$b mount -t proc proc /proc
		echo "$($b uname -m) on $($b awk '$2 == "/" && $3 == "ext4" { print "ext4" }' /proc/mounts), $($b grep -o 'answer=[0-9]*' /proc/cmdline)"
		$b poweroff -f
	SH
	chmod 755 "$STATE/tree/sbin/init"
	strake disk build "$STATE/tree" -o "$STATE/disk" --kernel "$arm/vmlinuz" --initrd "$arm/initrd" --efi-loader "$arm/loader.efi" --cmdline 'quiet answer=42'
	strake disk check "$STATE/disk"
	run strake disk build /bin/busybox -o "$STATE/none" --kernel "$arm/vmlinuz" -- true
	assert_status 1
	assert_has "is for amd64 alone"
	boot "$STATE/disk"
	assert_has 'aarch64 on ext4, answer=42'
}

@test "A10.11, A10.12: a Debian disk as clouds have them, made by stock tools alone: inspect, check, ls, cp, import; a container of it; qcow2, zstd" {
	need_machine mke2fs sfdisk qemu-img python3
	need_program strake-image strake-monitor
	local archive kernel boot=/usr/lib/systemd/boot/efi/systemd-bootx64.efi uuid=6e1d5d4b-2b0c-4a70-9b50-1c6d7c0f7a12
	archive=$("$HERE/../vm/system")
	[ -e $boot ] || skip "needs systemd-boot-efi"
	mkdir "$STATE/tree"
	tar -C "$STATE/tree" --xattrs --xattrs-include='*' -xpf "$archive"
	rm -rf "$STATE"/tree/usr/lib/modules/*/kernel/drivers
	printf 'UUID=%s / ext4 errors=remount-ro 0 1\nUUID=ABCD-1234 /boot/efi vfat umask=077 0 1\n' $uuid >"$STATE/tree/etc/fstab"
	kernel=$(basename "$STATE"/tree/boot/vmlinuz-*)
	truncate -s 1G "$STATE/disk"
	# Numbers and order as Debian's: the root is the first, behind the boot partitions.
	sfdisk -q "$STATE/disk" <<-'EOF'
		label: gpt
		1: start=262144, type=L
		14: start=2048, size=3M, type=21686148-6449-6E6F-744E-656564454649
		15: start=8192, size=124M, type=U
	EOF
	mke2fs -q -t ext4 -U $uuid -d "$STATE/tree" -E offset=$((262144 << 9)) "$STATE/disk" 895M
	mkfs.vfat -i ABCD1234 -C "$STATE/esp" $((124 << 10)) >/dev/null
	dd if="$STATE/esp" of="$STATE/disk" bs=1M seek=4 conv=notrunc,sparse status=none
	mmd -i "$STATE/disk@@4M" ::/EFI ::/EFI/BOOT
	mcopy -i "$STATE/disk@@4M" $boot ::/EFI/BOOT/BOOTX64.EFI
	strake disk inspect "$STATE/disk" | jq -e '.table == "gpt" and ([.partitions[] | select(.root)][0].filesystem == "ext4")'
	run strake disk check "$STATE/disk"
	assert_status 0
	assert_has "found   /boot/$kernel, if the loader finds it"
	mmd -i "$STATE/disk@@4M" ::/loader ::/loader/entries
	mcopy -i "$STATE/disk@@4M" "$STATE/tree/boot/$kernel" ::/linux
	printf 'title Debian\nlinux /linux\noptions root=UUID=%s ro\n' $uuid | mcopy -i "$STATE/disk@@4M" - ::/loader/entries/debian.conf
	run strake disk check "$STATE/disk"
	assert_status 0
	assert_has "found   /linux"
	assert_has "found   ext4, UUID $uuid"
	qemu-img convert -f raw -O qcow2 -c -o compression_type=zstd "$STATE/disk" "$STATE/disk.qcow2"
	[ "$(strake disk ls "$STATE/disk.qcow2" /boot/efi)" = '' ]
	strake disk cp "$STATE/disk" /etc "$STATE/etc"
	diff -r --no-dereference "$STATE/tree/etc" "$STATE/etc"
	strake disk import "$STATE/disk.qcow2" cloud >/dev/null
	strake disk import -c 'CMD ["cat", "/etc/debian_version"]' "$STATE/disk" raw >/dev/null
	[ "$(strake run --rm --network none raw)" = "$(cat "$STATE/tree/etc/debian_version")" ]
	# Every entry, as tar shows it of the tree and of the image.
	strake save cloud -o "$STATE/saved.tar"
	python3 - "$STATE/saved.tar" "$STATE/tree" <<-'PY'
		import hashlib, json, os, stat, sys, tarfile
		outer = tarfile.open(sys.argv[1])
		(layer,) = json.load(outer.extractfile("manifest.json"))[0]["Layers"]
		tar, seen = tarfile.open(fileobj=outer.extractfile(layer)), set()
		for m in tar:
		    name = m.name.removeprefix("./").rstrip("/")
		    if name in ("", "."):
		        continue
		    path = os.path.join(sys.argv[2], name)
		    st = os.lstat(path)
		    seen.add(name)
		    if m.islnk():
		        assert os.path.samestat(st, os.lstat(os.path.join(sys.argv[2], m.linkname.removeprefix("./")))), name
		        continue
		    assert (m.mode, m.uid, m.gid, int(m.mtime)) == (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, int(st.st_mtime)), name
		    if m.issym():
		        assert m.linkname == os.readlink(path), name
		    elif m.isreg():
		        with open(path, "rb") as f:
		            assert hashlib.sha256(f.read()).digest() == hashlib.sha256(tar.extractfile(m).read()).digest(), name
		expected = {os.path.relpath(os.path.join(d, n), sys.argv[2]) for d, ds, fs in os.walk(sys.argv[2]) for n in ds + fs}
		assert seen == expected, seen ^ expected
		assert len(seen) > 5000, len(seen)
	PY
}
