#!/usr/bin/env bats
# kill -9 while images come, go and are made, at random moments: the next command finds a whole store.
# STRAKE_KILLS=200 tries more of them.
# shellcheck disable=SC2016,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

KILLS=${STRAKE_KILLS:-24}

# Starts a command and kills it after up to MS milliseconds.
killed_within() { # MS COMMAND...
	local ms=$((RANDOM % $1)) pid
	shift
	"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@" >"$STATE/tmp/said" 2>&1 &
	pid=$!
	read -r -t "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" <> <(:) || true
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
# Whatever was there before is there and works; what is half there is found and removed.
whole() {
	local image
	strake images --format json >"$STATE/tmp/list"
	for image in $(strake images -q); do
		strake save "$image" >/dev/null # reads all of it, and checks each layer's digest
	done
	[ $((TRY % 8)) = 7 ] || return 0
	strake system check --repair >"$STATE/tmp/found" || true
	run strake system check
	assert_status 0
	assert_equal "$(ls -A "$ROOT/tmp")" ""
}

@test "killed loads, removals, saves and commits: the store is whole at the next command" {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	strake run --name c --network none base:1 sh -c 'for i in 1 2 3 4 5 6 7 8; do cp /bin/busybox /tmp/$i; done; rm /etc/passwd'
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar" gzip
	for ((TRY = 0; TRY < KILLS; TRY++)); do
		case $((TRY % 4)) in
		0) killed_within 120 load -q -i "$STATE/tmp/image.tar" ;;
		1)
			strake load -q -i "$STATE/tmp/image.tar" >/dev/null
			killed_within 40 rmi -f test:1
			;;
		2) killed_within 80 commit c "made:$TRY" ;;
		3) killed_within 60 save --format oci-dir --compression gzip -o "$STATE/tmp/out" base:1 ;;
		esac
		whole || { echo "after kill $TRY: $(cat "$STATE/tmp/said")"; return 1; }
		rm -rf "$STATE/tmp"/out*
	done
	# And it still does what it should.
	strake load -q -i "$STATE/tmp/image.tar"
	run strake run --rm --network none test:1 cat /etc/kept
	assert_equal "$output" second
	strake commit c last:1
	run strake run --rm --network none last:1 sh -c 'cmp /bin/busybox /tmp/8 && [ ! -e /etc/passwd ] && echo whole'
	assert_equal "$output" whole
}
