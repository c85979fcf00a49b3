#!/usr/bin/env bats
# kill -9 while images come, go and are made, at 200 random moments: the next command finds a whole store,
# and cleans up after the dead without being told.  (The pull that is killed while its bytes come slowly is in
# registry.bats.)  STRAKE_KILLS=N makes it N moments.
# shellcheck disable=SC2016 # expanded in the container
bats_require_minimum_version 1.5.0
load lib

KILLS=${STRAKE_KILLS:-200}

# Starts a command and kills it after up to MS milliseconds.
killed_within() { # MS COMMAND...
	local ms=$((RANDOM % $1)) pid
	shift
	"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@" >"$STATE/tmp/said" 2>&1 3>&- &
	pid=$!
	read -r -t "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))" <> <(:) || true
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
# Whatever was there before is there and works; what was left half done is gone with the next command.
whole() {
	local image
	strake images -q --no-trunc >"$STATE/tmp/list"
	while read -r image; do
		strake save -o "$STATE/tmp/all.tar" "$image" # reads all of it, and checks each layer's digest
	done <"$STATE/tmp/list"
	[ -z "$(ls -A "$ROOT/tmp")" ] || { ls -AR "$ROOT/tmp"; return 1; }
	[ $((TRY % 5)) = 4 ] || return 0
	run strake system check
	[ "$status" = 0 ] || { echo "$output"; return 1; }
	[ -z "$(ls -A "$ROOT/tmp")" ]
}
registry_new() {
	need_command docker-registry
	cat >"$STATE/registry.yml" <<-YML
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $STATE/registry}}
		http: {addr: 127.0.0.1:5000, secret: test}
	YML
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
}

@test "200 killed pulls, loads, commits, removals, prunes, pushes and saves: the store is whole at the next command" {
	local REG=127.0.0.1:5000
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	registry_new
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	strake run --name c --network none base:1 sh -c 'for i in 1 2 3 4 5 6 7 8; do cp /bin/busybox /tmp/$i; done; rm /etc/passwd'
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar" gzip
	strake copy -q "docker-archive:$STATE/tmp/image.tar" "docker://$REG/pulled:1"
	for ((TRY = 0; TRY < KILLS; TRY++)); do
		case $((TRY % 8)) in
		0) killed_within 90 load -q -i "$STATE/tmp/image.tar" ;;
		1)
			strake load -q -i "$STATE/tmp/image.tar" >/dev/null
			killed_within 40 rmi -f test:1
			;;
		2) killed_within 80 commit c "made:$TRY" ;;
		3 | 7) killed_within 120 pull -q "$REG/pulled:1" ;;
		4) killed_within 60 image prune --all --force ;;
		5)
			killed_within 150 push -q base:1 "$REG/pushed:$TRY"
			strake push -q base:1 "$REG/pushed:again"
			;;
		6) killed_within 60 save --format oci-dir --compression gzip -o "$STATE/tmp/out" base:1 ;;
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
	run strake run --rm --network none "$REG/pulled:1" cat /etc/kept
	assert_equal "${lines[-1]}" second
	strake rm -f c
	strake image prune --all --force
	strake system df --format '{{.Type}} {{.Size}}' | grep -q '^Images 0B$'
	assert_equal "$(find "$ROOT/layers" "$ROOT/blobs" -mindepth 1 ! -path "$ROOT/blobs/sha256")" ""
}
