#!/usr/bin/env bats
# strake disk: killed at each of its steps, and with no room left: nothing half stands under a name.
bats_require_minimum_version 1.5.0
load lib
load disk_lib

# The least of a disk, and what makes it: $BUILD.
need_crash() {
	need_program strake-disk
	need_command syslinux mcopy mkfs.vfat qemu-img "$@"
	kernel_new "$STATE/vmlinuz" 6.1.0
	STRAKE=("$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN")
	BUILD=("${STRAKE[@]}" disk build -q /bin/busybox --kernel "$STATE/vmlinuz" --network none --timestamp "$DISK_DATE")
}

# Fails if it is killed, which is when it is about to do that for this time: killed_at SYSCALL NUMBER COMMAND...
# strace(1) and the leak check of a sanitized build do not go together.
killed_at() {
	local at=(-e "trace=$1" -e "inject=$1:signal=KILL:when=$2")
	shift 2
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -qq -o /dev/null "${at[@]}" "$@" 2>/dev/null
}

# What stood there does so until the new one is whole, and of what a kill left the next one takes away the rest; how
# often the call is made is in $CALLS: kill_each FILE SYSCALL COMMAND...
kill_each() {
	local file=$1 call=$2
	shift 2
	CALLS=0
	while echo before >"$file" && ! killed_at "$call" $((CALLS + 1)) "$@"; do
		[ $CALLS -lt 100 ]
		# Behind its last step it is whole.
		[ "$(head -c 6 "$file")" = before ] || strake disk check "$file" >/dev/null
		CALLS=$((CALLS + 1))
	done
	[ "$(ls -A "${file%/*}")" = "${file##*/}" ]
	strake disk check "$file" >/dev/null
}

@test "A10.16: a build or a conversion that is killed at any step leaves what stood there, and no other name" {
	need_crash strace
	local call format tools
	mkdir "$STATE/out"
	for call in wait4 fsync linkat renameat ftruncate; do
		kill_each "$STATE/out/disk" $call "${BUILD[@]}" -o "$STATE/out/disk" -- true
		[ $CALLS -gt 0 ]
		[ $call != wait4 ] || tools=$CALLS
	done
	mv "$STATE/out/disk" "$STATE/disk.img"
	# Where nothing stood.
	run ! killed_at linkat 1 "${BUILD[@]}" -o "$STATE/out/disk" -- true
	[ -z "$(ls -A "$STATE/out")" ]
	for format in qcow2 vmdk vhd vhdx vdi iso; do
		echo before >"$STATE/out/disk"
		run ! killed_at wait4 $((tools + 1)) "${BUILD[@]}" -o "$STATE/out/disk" --format $format -- true
		run ! killed_at renameat 1 "${BUILD[@]}" -o "$STATE/out/disk" --format $format -- true
		[ "$(cat "$STATE/out/disk")" = before ]
		for call in wait4 renameat; do
			kill_each "$STATE/out/disk" $call "${STRAKE[@]}" disk convert -q "$STATE/disk.img" "$STATE/out/disk" --format $format
			[ $CALLS -gt 0 ]
		done
	done
	# A file system that has no nameless files.
	truncate -s 200M "$STATE/fat" && mkfs.vfat "$STATE/fat" >/dev/null && mkdir "$STATE/mnt"
	if mount -o loop "$STATE/fat" "$STATE/mnt"; then
		for call in wait4 renameat; do
			kill_each "$STATE/mnt/disk" $call "${BUILD[@]}" -o "$STATE/mnt/disk" -- true
		done
		umount "$STATE/mnt"
	fi
	run ! grep -q "$STATE" <(losetup --list --noheadings --output BACK-FILE)
}

@test "A10.16: an import that is killed at any step leaves no image, and the next one makes it" {
	need_crash strace
	need_program strake-image
	local call n
	mkdir -p "$STATE/tree/etc"
	echo text >"$STATE/tree/etc/file"
	"${BUILD[@]/\/bin\/busybox/$STATE/tree}" -o "$STATE/disk" --root-on disk -- true
	local kills=0
	for call in fsync linkat renameat renameat2 pwrite64; do
		for n in 1 2 3; do
			killed_at $call $n "${STRAKE[@]}" disk import "$STATE/disk" "from-$call" && break
			[ -z "$(strake images -q)" ]
			kills=$((kills + 1))
		done
		strake rmi -f "from-$call" 2>/dev/null || true
	done
	[ $kills -gt 3 ]
	strake disk import "$STATE/disk" whole
	strake run --rm --network none -v /bin/busybox:/busybox whole /busybox cat /etc/file | grep -qx text
	strake system check
}

# One line that says it, and nothing left: no_room DIR COMMAND...
no_room() {
	local dir=$1
	shift
	run "$@"
	[ "$status" != 0 ]
	assert_has "No space left on device"
	[ "${#lines[@]}" = 1 ]
	[ -z "$(ls -A "$dir")" ]
}

@test "A10.16: with no room left a build, a conversion, an import and a copy say so in one line, and leave nothing" {
	need_crash
	need_program strake-image
	local format size
	short_folder
	mkdir -p "$STATE/tree"
	head -c 12M /dev/urandom >"$STATE/tree/large"
	for size in 1m 12m; do
		mount -o "remount,size=$size" "$SHORT"
		for format in raw qcow2 vmdk vhd vhdx vdi iso; do
			no_room "$SHORT" "${BUILD[@]/\/bin\/busybox/$STATE/tree}" -o "$SHORT/disk" --format $format -- true
		done
	done
	"${BUILD[@]/\/bin\/busybox/$STATE/tree}" -o "$STATE/disk.img" --root-on disk -- true
	for format in raw qcow2 vmdk vhd vhdx vdi iso; do
		no_room "$SHORT" strake disk convert -q "$STATE/disk.img" "$SHORT/disk" --format $format
	done
	mount -o "remount,size=4m" "$SHORT"
	no_room "$SHORT" strake disk cp "$STATE/disk.img" /large "$SHORT/large"
	TMPDIR=$SHORT no_room "$SHORT" strake disk import "$STATE/disk.img" none
	strake disk convert -q "$STATE/disk.img" "$STATE/disk.qcow2"
	TMPDIR=$SHORT no_room "$SHORT" strake disk check "$STATE/disk.qcow2"
	[ -z "$(strake images -q)" ]
}
