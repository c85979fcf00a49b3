#!/usr/bin/env bats
# Containerfiles with what comes of them: build-cases/*, compared with what is written there and with podman.
# shellcheck disable=SC2016,SC2153
bats_require_minimum_version 1.5.0
load lib

CASES=$HERE/build-cases

# A case is "=== NAME [podman|differs]", a Containerfile, "---", what describe-image prints or "error: TEXT".
# podman: Podman 4.3 does the same.  differs: it does otherwise; docs/decisions.md says why we do not.
context_new() {
	rootfs_new "$STATE/tree"
	# What buildah puts where it is missing: a PATH, and files that its mounts lie on.
	mkdir "$STATE/tree/run"
	touch "$STATE/tree/etc/"{hosts,hostname,resolv.conf}
	strake import -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$STATE/tree" base:1 >/dev/null
	base_root=$(strake image mount base:1)
	base_config=$(config_of base:1)
	C=$STATE/ctx
	mkdir -p "$C"/{dir/sub,"with blank",empty}
	echo one >"$C/one"
	echo two >"$C/two.txt"
	echo three >"$C/dir/three"
	echo deep >"$C/dir/sub/deep.txt"
	echo blank >"$C/with blank/a b"
	ln -s three "$C/dir/link"
	ln "$C/dir/three" "$C/dir/hard"
	chmod 640 "$C/one"
	chmod 755 "$C/two.txt"
	cp "$C/one" "$C/suid"
	chmod 4755 "$C/suid"
	chmod 700 "$C/dir/sub"
	printf 'x\n' >"$C/ignored.log"
	printf '*.log\n' >"$C/.dockerignore"
	mkdir -p "$STATE/pack/p/q"
	echo packed >"$STATE/pack/p/q/file"
	chmod 711 "$STATE/pack/p"
	tar --owner=7 --group=8 --mtime=@0 -C "$STATE/pack" -czf "$C/pack.tar.gz" p
}
config_of() { echo "$ROOT/blobs/sha256/$(strake images -q --no-trunc "$1" | head -n 1 | cut -d: -f2)"; }

# case_do NAME WORDS FILE WANT for each case of a file.
each_case() { # FILE COMMAND
	local line name='' part=file
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'=== '*)
			[ -z "$name" ] || "$2" "$name"
			name=${line#=== } part=file
			: >"$STATE/tmp/file"
			: >"$STATE/tmp/want"
			;;
		'---') part=want ;;
		*) printf '%s\n' "$line" >>"$STATE/tmp/$part" ;;
		esac
	done <"$1"
	[ -z "$name" ] || "$2" "$name"
}

ours() { # NAME
	local files
	if strake build -t got:1 --build-arg given=cli -f "$STATE/tmp/file" "$STATE/ctx" >/dev/null 2>"$STATE/tmp/said"; then
		files=$(strake image mount got:1)
		"$TOOLS/describe-image" "$files" "$(config_of got:1)" "$base_root" "$base_config" >"$STATE/tmp/got"
		strake image unmount got:1 >/dev/null
		strake rmi -f got:1 >/dev/null
	else
		sed -n "s,^strake build: ,error: ,; s,$STATE/tmp/file,FILE,; /^error: /p" "$STATE/tmp/said" >"$STATE/tmp/got"
	fi
	done_cases=$((done_cases + 1))
	diff -u "$STATE/tmp/want" "$STATE/tmp/got" || bad+=("$1")
}

# Those that podman refuses as we do are of the comparison, too; those that it makes otherwise must do so still.
theirs() { # NAME
	local files is_equal=1
	[[ $1 == *' podman' || $1 == *' differs' ]] || return 0
	seen=$((seen + 1))
	[ -n "${STRAKE_ALL_CASES-}" ] || ((seen % 11 == 1)) || return 0
	done_cases=$((done_cases + 1))
	: >"$STATE/tmp/got"
	if podman build -q --isolation chroot --format docker --layers=false --build-arg given=cli -t got:1 -f "$STATE/tmp/file" "$STATE/ctx" >"$STATE/tmp/said" 2>&1; then
		podman image inspect got:1 | jq '{config: (.[0].Config + (.[0].Healthcheck | if . then {Healthcheck: .} else {} end))}' >"$STATE/tmp/config"
		files=$(podman image mount got:1)
		"$TOOLS/describe-image" "$files" "$STATE/tmp/config" "$base_root" "$base_config" >"$STATE/tmp/got"
		podman image unmount got:1 >/dev/null
		podman rmi -f got:1 >/dev/null
		diff -u "$STATE/tmp/want" "$STATE/tmp/got" >"$STATE/tmp/diff" || is_equal=0
	elif ! grep -v '^error: warning: ' "$STATE/tmp/want" | grep -q '^error: '; then
		cp "$STATE/tmp/said" "$STATE/tmp/diff"
		is_equal=0
	fi
	case $is_equal-$1 in
	0-*podman) cat "$STATE/tmp/diff" && bad+=("$1") ;;
	1-*differs) bad+=("$1: it is the same") ;;
	esac
}

verdict() {
	strake image unmount --all
	[ ${#bad[@]} = 0 ] && return
	printf 'differs: %s\n' "${bad[@]}"
	return 1
}

@test "A6.1 a corpus of Containerfiles gives what is written beside each" {
	local bad=() done_cases=0
	context_new
	for file in "$CASES"/*; do each_case "$file" ours; done
	[ "$done_cases" -ge 200 ]
	verdict
}

# STRAKE_ALL_CASES=1 compares all of them, in place of every eleventh.
@test "A6.1 podman build gives the same files and config for those that it can build" {
	need_command podman
	local bad=() done_cases=0 seen=0
	context_new
	short_folder
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs --cgroup-manager cgroupfs "$@"; }
	strake save -o "$STATE/tmp/base.tar" base:1
	podman load -q -i "$STATE/tmp/base.tar" >/dev/null
	podman tag "$(podman images -q)" docker.io/library/base:1
	for file in "$CASES"/*; do each_case "$file" theirs; done
	[ "$done_cases" -ge 15 ]
	[ -z "${STRAKE_ALL_CASES-}" ] || [ "$done_cases" -ge 165 ]
	verdict
}
