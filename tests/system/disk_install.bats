#!/usr/bin/env bats
# strake disk build --install-kernel: what each family's package manager is told, by ones that only write that down;
# Debian's real one is in tests/boot.
load lib

# An image whose package manager notes its words and leaves what a real one would: distribution_new NAME MANAGER
distribution_new() {
	rootfs_new "$STATE/$1"
	mkdir -p "$STATE/$1"/{boot,sbin,lib}
	echo "ID=$1" >"$STATE/$1/etc/os-release"
	cat >"$STATE/$1/bin/$2" <<-'SH'
		#!/bin/sh
		echo "${0##*/} $*" >>/packages
		case " $* " in *" install "* | *" add "*) ;; *) exit 0 ;; esac
		mkdir -p /lib/modules/6.1.0
		{ head -c 514 /dev/zero; printf 'HdrS'; head -c 8 /dev/zero; printf '\000\001'; head -c 240 /dev/zero; printf '6.1.0 x'; head -c 4096 /dev/zero; } \
			>/lib/modules/6.1.0/vmlinuz
		[ -e /bin/dnf ] || cp /lib/modules/6.1.0/vmlinuz /boot/vmlinuz-6.1.0
		[ -e /bin/dnf ] || echo initrd >/boot/initrd.img-6.1.0
		[ -e /sbin/init ] || { printf '#!/bin/sh\n' >/sbin/init; chmod 755 /sbin/init; }
	SH
	printf '#!/bin/sh\necho "${0##*/} $*" >>/packages\n' >"$STATE/$1/bin/rc-update"
	printf '#!/bin/sh\necho "${0##*/} $*" >>/packages; echo initramfs >"$3"\n' >"$STATE/$1/bin/dracut"
	chmod 755 "$STATE/$1/bin/"{"$2",rc-update,dracut}
	[ "$2" = apk ] || rm "$STATE/$1/bin/rc-update"
}

packages() { # NAME OPTION...: what its manager was told
	local name=$1
	shift
	strake disk build "$STATE/$name" -q -o "$STATE/disk" --install-kernel "$@" 2>"$STATE/log" || {
		cat "$STATE/log"
		return 1
	}
	strake disk check "$STATE/disk" >/dev/null
	strake disk cat "$STATE/disk" /packages
}

@test "A10.1: a kernel and an init come by apt, apk or dnf, each told in its own words" {
	need_program strake-disk strake-build strake-image
	need_command syslinux mcopy mkfs.vfat
	distribution_new debian apt-get
	run packages debian
	assert_has "apt-get -q update"
	assert_has "install linux-image-amd64 initramfs-tools zstd e2fsprogs systemd-sysv udev login"
	distribution_new ubuntu apt-get
	touch "$STATE/ubuntu/sbin/init" && chmod 755 "$STATE/ubuntu/sbin/init"
	run packages ubuntu --kernel-package linux-image-virtual
	assert_has "install linux-image-virtual initramfs-tools zstd e2fsprogs"
	assert_lacks "systemd-sysv"
	distribution_new alpine apk
	run packages alpine
	assert_has "apk add --no-cache linux-lts linux-firmware-none mkinitfs e2fsprogs alpine-base"
	assert_has "rc-update -q add devfs sysinit"
	assert_has "rc-update -q add mount-ro shutdown"
	distribution_new fedora dnf
	run packages fedora
	assert_has "dnf -y --setopt=install_weak_deps=0 install kernel-core dracut e2fsprogs systemd util-linux"
	assert_has "dracut --force --no-hostonly /boot/initramfs-6.1.0.img 6.1.0"
	# The source is as it was, and the store has nothing of it.
	[ ! -e "$STATE/fedora/sbin/init" ]
	[ -z "$(strake images -aq)" ]
}

@test "A10.1: what cannot be installed is said, and no disk is made" {
	need_program strake-disk strake-build strake-image
	distribution_new debian apt-get
	printf '#!/bin/sh\necho "E: no such package" >&2; exit 100\n' >"$STATE/debian/bin/apt-get"
	run strake disk build "$STATE/debian" -o "$STATE/disk" --install-kernel
	assert_status 1
	assert_has "E: no such package"
	assert_has "the kernel could not be installed"
	echo 'ID=plan9' >"$STATE/debian/etc/os-release"
	run strake disk build "$STATE/debian" -o "$STATE/disk" --install-kernel
	assert_status 1
	assert_has "its os-release says 'plan9'"
	[ ! -e "$STATE/disk" ]
	[ -z "$(strake images -aq)" ]
}
