#!/usr/bin/env bats
# Disks that boot: emulated machines with SeaBIOS and OVMF, one to four seconds of their own time each.
load lib

# A kernel and its initrd, of the machine that tests/vm makes; without QEMU there is nothing to test with.
need_machine() {
	need_program strake-disk
	need_command qemu-system-x86_64 syslinux mcopy mkfs.vfat
	MACHINE=$("$HERE/../vm/machine") || {
		echo "the emulated machine cannot be built"
		return 1
	}
}

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
	assert_status 0
}

@test "A10.7: one static program is a machine: its line, its exit status, power off; BIOS and UEFI, three kinds of disk" {
	need_machine
	strake disk build /bin/busybox -o "$STATE/disk" --kernel "$MACHINE/vmlinuz" --env ANSWER=42 --hostname alone -- \
		sh -c 'echo "answer $ANSWER of $(hostname), process $$"; exit 3'
	strake disk check "$STATE/disk"
	boot "$STATE/disk" --bus sata
	assert_has "SYSLINUX"
	assert_has "answer 42 of alone, process "
	assert_has "/busybox ended with exit status 3"
	assert_has "Power down"
	boot "$STATE/disk" --bus nvme --firmware uefi
	assert_has "answer 42 of alone, process "
	assert_has "/busybox ended with exit status 3"
	boot "$STATE/disk" --bus virtio --firmware uefi
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

@test "A10.1, A10.3: a Debian with systemd boots from its ext4 by UUID and answers on the serial console" {
	need_machine
	mkdir "$STATE/debian"
	debugfs -R "rdump / $STATE/debian" "$MACHINE/root.ext4" 2>/dev/null
	cp "$MACHINE/vmlinuz" "$STATE/debian/boot/vmlinuz-$(ls "$STATE/debian/lib/modules")"
	cp "$MACHINE/initrd" "$STATE/debian/boot/initrd.img-$(ls "$STATE/debian/lib/modules")"
	strake disk build "$STATE/debian" -o "$STATE/disk" --hostname debian \
		--cmdline 'systemd.debug_shell=ttyS0 systemd.mask=strake-test.service'
	rm -r "$STATE/debian"
	strake disk check "$STATE/disk"
	mkfifo "$STATE/keys"
	exec {keys}<>"$STATE/keys"
	# What runs in the background reads /dev/null unless it opens something else itself.
	# shellcheck disable=SC2016 # the words are the inner shell's
	background timeout 280 sh -c 'exec "$1" disk run --accel tcg "$2" <"$3"' sh \
		"$PROGRAMS/strake" "$STATE/disk" "$STATE/keys" >"$STATE/console" 2>&1
	local pid=$!
	DEADLINE=200 soon eval "grep -q 'root@debian' '$STATE/console' || ! kill -0 $pid"
	echo 'echo "root is $(findmnt -no SOURCE,FSTYPE /) on $(hostname), $((6 * 7))"; sync; poweroff -ff' >&"$keys"
	wait "$pid" || true
	exec {keys}>&-
	grep -q 'root is /dev/vda2 ext4 on debian, 42' "$STATE/console" || {
		tail -n 40 "$STATE/console"
		return 1
	}
}

@test "A10.9: an ISO starts from an optical drive, on BIOS and UEFI, and as a disk; a qcow2 starts as it is" {
	need_machine
	need_command qemu-img
	[ -e /usr/lib/ISOLINUX/isolinux.bin ] || skip "isolinux is not installed"
	strake disk build -q /bin/busybox -o "$STATE/disk.iso" --kernel "$MACHINE/vmlinuz" --network none -- echo 'from a CD'
	boot "$STATE/disk.iso" --bus cdrom
	assert_has "ISOLINUX"
	assert_has "from a CD"
	boot "$STATE/disk.iso" --bus cdrom --firmware uefi
	assert_has "DVD-ROM"
	assert_has "from a CD"
	strake disk convert -q "$STATE/disk.iso" "$STATE/disk.qcow2"
	boot "$STATE/disk.qcow2"
	assert_has "SYSLINUX"
	assert_has "from a CD"
}
