# For disks that boot: the system tests' library, and what emulated machines are made of.
# shellcheck source=tests/system/lib.bash
source "${BASH_SOURCE[0]%/*}/../system/lib.bash"

# It comes from package sources, once; a test itself has no network.
setup_file() {
	local each
	command -v qemu-system-x86_64 mmdebstrap >/dev/null || return 0
	for each in machine debian system kernel arm64; do
		"$HERE/../vm/$each" >&2 || true
	done
}

# What a dry run prints, run: by_script SOURCE OUTPUT OPTION...
by_script() {
	local source=$1 disk=$2
	shift 2
	strake --dry-run disk build "$source" -o "$disk" "$@" >"$STATE/script"
	[ ! -e "$disk" ]
	sh "$STATE/script" 2>"$STATE/script-said" || {
		cat "$STATE/script-said"
		return 1
	}
}

# A kernel and its initrd, of the machine that tests/vm makes; without QEMU there is nothing to test with.
need_machine() { # COMMAND...: more that the test needs
	need_program strake-disk
	need_command qemu-system-x86_64 syslinux mcopy mkfs.vfat "$@"
	# shellcheck disable=SC2034 # the tests use it
	MACHINE=$("$HERE/../vm/machine") || {
		echo "the emulated machine cannot be built"
		return 1
	}
}
