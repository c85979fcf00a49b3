#!/usr/bin/env bats
# What layers say: a table of cases (tools/layers.py), against what is written there, what umoci and podman
# unpack, and in a user namespace.
# shellcheck disable=SC2016,SC2119,SC2120 # what inner shells expand
bats_require_minimum_version 1.5.0
load lib

tool() { python3 "$TOOLS/layers.py" "$@"; }
# The root of an image as a container would see it, at $STATE/view.
view() { # IMAGE
	local lower
	lower=$(strake image inspect -f '{{.GraphDriver.Data.LowerDir}}' "$1:1")
	mkdir -p "$STATE/view"
	mount -t overlay overlay -o "lowerdir=$lower" "$STATE/view"
}

@test "the table of cases: a container sees what the layers say" {
	tool image "$STATE/tmp/cases.tar" >"$STATE/tmp/want"
	[ "$(wc -l <"$STATE/tmp/want")" -gt 85 ]
	strake load -q -i "$STATE/tmp/cases.tar"
	view cases
	tool list "$STATE/view" >"$STATE/tmp/have"
	diff "$STATE/tmp/want" "$STATE/tmp/have"
	umount "$STATE/view"
}

@test "the same table as umoci unpacks it" {
	need_command umoci skopeo
	tool image "$STATE/tmp/cases.tar" >/dev/null
	strake load -q -i "$STATE/tmp/cases.tar"
	view cases
	tool list "$STATE/view" >"$STATE/tmp/have"
	umount "$STATE/view"
	skopeo --insecure-policy copy -q "docker-archive:$STATE/tmp/cases.tar" "oci:$STATE/tmp/layout:cases"
	umoci unpack --image "$STATE/tmp/layout:cases" "$STATE/tmp/bundle"
	tool list "$STATE/tmp/bundle/rootfs" >"$STATE/tmp/theirs"
	# Not compared, since umoci 0.4.7 has it otherwise: opaque and whiteouts behind new children in the same layer,
	# links to files below, times of directories that nobody names, fractions of negative times.
	left_out='^.(again-behind|again-file|opq-last|opq-first|up|low|implicit|named|time|hl|dot|ovl|x|selinux|dev|wh)'
	diff <(grep -vE "$left_out" "$STATE/tmp/theirs") <(grep -vE "$left_out" "$STATE/tmp/have")
}

@test "the same table as podman unpacks it" {
	need_command podman
	short_folder
	DUPLICATES=0 tool image "$STATE/tmp/cases.tar" >/dev/null
	strake load -q -i "$STATE/tmp/cases.tar"
	view cases
	tool list "$STATE/view" >"$STATE/tmp/have"
	umount "$STATE/view"
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	podman load -q -i "$STATE/tmp/cases.tar"
	tool list "$(podman image mount localhost/cases:1)" >"$STATE/tmp/theirs"
	podman image umount -a >/dev/null
	left_out='^.(again-behind|again-file|opq-last|opq-first|up|low|implicit|named|time|hl|dot|ovl|x|selinux|dev|wh)'
	diff <(grep -vE "$left_out" "$STATE/tmp/theirs") <(grep -vE "$left_out" "$STATE/tmp/have")
}

@test "sparse files and long names as GNU tar writes them, in each of its forms" {
	local args=() form
	mkdir -p "$STATE/tmp/in/dir"
	truncate -s 3M "$STATE/tmp/in/dir/sparse"
	printf middle | dd of="$STATE/tmp/in/dir/sparse" bs=1 seek=1048576 conv=notrunc status=none
	printf end | dd of="$STATE/tmp/in/dir/sparse" bs=1 seek=2097152 conv=notrunc status=none
	truncate -s 1M "$STATE/tmp/in/hole"
	for form in {0..60}; do printf x | dd of="$STATE/tmp/in/many" bs=1 seek=$((form * 65536)) conv=notrunc status=none; done
	echo x >"$STATE/tmp/in/dir/$(printf 'n%.0s' {1..200})"
	touch -d '2001-02-03 04:05:06.789' "$STATE/tmp/in/hole"
	form() { # NAME ARGUMENT...
		local name=$1
		shift
		rm -rf "$STATE/tmp/$name"
		mkdir "$STATE/tmp/$name"
		cp -a --sparse=always "$STATE/tmp/in" "$STATE/tmp/$name/$name"
		tar -C "$STATE/tmp/$name" --sort=name -S "$@" -cf "$STATE/tmp/$name.tar" "$name"
		args+=("$STATE/tmp/$name.tar")
	}
	form gnu --format=gnu
	form pax00 --format=pax --sparse-version=0.0
	form pax01 --format=pax --sparse-version=0.1
	form pax10 --format=pax --sparse-version=1.0
	tool tar-layers "$STATE/tmp/tars.tar" "${args[@]}"
	strake load -q -i "$STATE/tmp/tars.tar"
	view tars
	for form in gnu pax00 pax01 pax10; do
		diff -r "$STATE/tmp/in" "$STATE/view/$form"
		[ "$(stat -c %b "$STATE/view/$form/dir/sparse")" -lt 100 ]
	done
	assert_equal "$(stat -c %.3Y "$STATE/view/pax10/hole")" "$(stat -c %.3Y "$STATE/tmp/in/hole")"
	umount "$STATE/view"
}

@test "in a user namespace: the same table, without devices; owners that have no number are named" {
	need_command unshare
	DEVICES=0 tool image "$STATE/tmp/cases.tar" >"$STATE/tmp/want"
	tool image "$STATE/tmp/devices.tar" >/dev/null
	cat >"$STATE/tmp/inside" <<-'SCRIPT'
		set -eu
		mount -t tmpfs tmpfs /mnt
		mkdir /mnt/store /mnt/run /mnt/view
		s="$1 --root /mnt/store --run-root /mnt/run"
		$s load -q -i "$2/cases.tar" >/dev/null
		lower=$($s image inspect cases:1 | jq -r '.[0].Layers | reverse | map("/mnt/store/layers/" + .Chain + "/diff") | join(":")')
		mount -t overlay overlay -o "userxattr,lowerdir=$lower" /mnt/view
		python3 "$3/layers.py" list /mnt/view
		umount /mnt/view
		$s load -q -i "$2/null.tar" 2>&1 >/dev/null
		$s rmi -f test:1 >/dev/null
		$s copy -q "docker-archive:$2/null.tar" store:copied:1 2>&1 >/dev/null
		tar -xOf "$2/null.tar" 0.tar | $s import - imported:1 2>&1 >/dev/null
		if $s load -q -i "$2/devices.tar" 2>&1; then exit 1; fi
	SCRIPT
	python3 "$TOOLS/images.py" case ok-device "$STATE/tmp/null.tar"
	run userns bash "$STATE/tmp/inside" "$PROGRAMS/strake" "$STATE/tmp" "$TOOLS"
	assert_status 0
	for command in load copy import; do
		assert_has "strake $command: note: 1 device file is left out, which a user namespace may not make"
	done
	[[ ${lines[-1]} == *"owner 3000000:4000000 has no number in this user namespace"* ]] || { echo "${lines[-1]}"; false; }
	diff "$STATE/tmp/want" <(printf '%s\n' "${lines[@]}" | grep -v '^strake')
}
# Root in a user namespace with 65536 IDs.
userns() {
	python3 - "$@" <<-'PYTHON'
		import os, sys
		ready, go = os.pipe(), os.pipe()
		pid = os.fork()
		if pid == 0:
		    import ctypes
		    assert ctypes.CDLL(None, use_errno=True).unshare(0x10000000 | 0x00020000) == 0
		    os.write(ready[1], b"x")
		    os.read(go[0], 1)
		    os.setgid(0), os.setuid(0)
		    os.execvp(sys.argv[1], sys.argv[1:])
		os.read(ready[0], 1)
		for m in ("uid_map", "gid_map"):
		    open(f"/proc/{pid}/{m}", "w").write("0 0 65536\n")
		os.write(go[1], b"x")
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	PYTHON
}

@test "two loads of one image at once share the work" {
	python3 "$TOOLS/images.py" big "$STATE/tmp/big.tar"
	local i
	for i in 1 2 3; do
		strake load -q -i "$STATE/tmp/big.tar" >"$STATE/tmp/out$i" 2>&1 &
	done
	wait
	[ "$(cat "$STATE"/tmp/out* | sort -u | wc -l)" = 1 ]
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1
	assert_equal "$(ls -A "$ROOT/tmp")" ""
	run strake system check
	assert_status 0
}

@test "a directory's default ACL is the image's, and not what is unpacked below it gets" {
	need_command setfacl getfacl
	mkdir -p "$STATE/tree/dir/sub"
	touch "$STATE/tree/dir/file" "$STATE/tree/dir/sub/file"
	mkfifo "$STATE/tree/dir/pipe"
	setfacl -m d:u:78:rwx,u:77:rx "$STATE/tree/dir"
	tar -C "$STATE/tree" --format pax --xattrs --xattrs-include='*' -cf "$STATE/tree.tar" .
	strake import "$STATE/tree.tar" acls:1 >/dev/null
	local layer
	layer=$(strake image inspect -f '{{.GraphDriver.Data.LowerDir}}' acls:1)
	diff <(cd "$STATE/tree" && find . | sort | xargs getfacl -n 2>/dev/null) <(cd "$layer" && find . | sort | xargs getfacl -n 2>/dev/null)
	getfacl -n "$layer/dir" 2>/dev/null | grep -q default:user:78
}
