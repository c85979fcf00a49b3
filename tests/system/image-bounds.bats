#!/usr/bin/env bats
# What small archives may cost: room, memory and time are bounded, whatever they say.
bats_require_minimum_version 1.5.0
load lib

hostile() { python3 "$TOOLS/hostile.py" "$@"; }
# Peak memory in kB of a command, into $PEAK.
peak() { # COMMAND...
	PEAK=$(python3 - "$PROGRAMS/$1" --root "$ROOT" --run-root "$RUN" "${@:2}" <<-'PY'
		import resource, subprocess, sys
		r = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if r.returncode == 0 else -r.returncode or -1)
	PY
	)
}
used() { du -s --block-size=1K "$ROOT" | cut -f1; }

@test "hard links to a sparse file below: holes stay holes, and it is copied once" {
	local tree
	hostile links "$STATE/tmp/links.tar"
	strake load -q -i "$STATE/tmp/links.tar"
	[ "$(used)" -lt 10000 ]
	tree=$ROOT/layers/$(strake image inspect -f '{{json .Layers}}' hostile:1 | jq -r '.[1].Chain')/diff
	assert_equal "$(stat -c '%s %h' "$tree/c0")" "104857600 4"
	assert_equal "$(head -c 4 "$tree/c3")" data
	assert_equal "$(tail -c 4 "$tree/c3")" tail
	run strake image check
	assert_equal "$output" "nothing is wrong"
}

@test "sizes with holes count: one that is too large, and several that are together, get one line" {
	local kind
	for kind in huge negative sum copies; do
		hostile "$kind" "$STATE/tmp/$kind.tar"
		run strake load -q -i "$STATE/tmp/$kind.tar"
		assert_status 1
		assert_equal "${#lines[@]}" 1
		case $kind in
		huge) assert_has "a size is too large" ;;
		negative) assert_has "the tar archive is not sound" ;;
		*) assert_has "the layer's files have more than 64 GiB, holes counted" ;;
		esac
		assert_equal "$(find "$ROOT/layers" "$ROOT/tmp" -mindepth 1)" ""
	done
}

@test "a directory that is named 40000 times takes no memory" {
	case $PROGRAMS in *asan*) skip "the sanitizer keeps what is freed" ;; esac
	hostile dirs "$STATE/tmp/dirs.tar.gz" 40000
	peak strake-image load -q -i "$STATE/tmp/dirs.tar.gz"
	[ "$PEAK" -gt 0 ]
	[ "$PEAK" -lt 65536 ] || { echo "$PEAK kB"; return 1; }
}

@test "an archive through a pipe is kept as it came" {
	local i
	rootfs_new "$STATE/tmp/tree"
	mkdir "$STATE/tmp/tree/many"
	for i in {1..2000}; do ln -s "$i" "$STATE/tmp/tree/many/$i"; done
	tar -C "$STATE/tmp/tree" -c . | strake import - piped:1
	run strake image check
	assert_equal "$output" "nothing is wrong"
}

@test "system df counts a container whose directories lie 3000 deep" {
	rootfs_new "$STATE/tmp/tree"
	strake run --name deep --network none --rootfs "$STATE/tmp/tree" sh -c \
		'i=0; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i + 1)); done; echo x >file'
	run strake system df
	assert_status 0
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	strake rm deep
}

@test "image prune goes on where another command was quicker" {
	local pid
	python3 "$TOOLS/images.py" layers "$STATE/tmp/a.tar" none a:1
	strake load -q -i "$STATE/tmp/a.tar"
	STRAKE_FAULT=prune:STOP "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" image prune -fa >"$STATE/tmp/said" 2>&1 &
	pid=$!
	soon grep -q '^State:.T' "/proc/$pid/status"
	strake rmi a:1
	kill -CONT "$pid"
	wait "$pid"
	assert_equal "$(grep -vc '^Total reclaimed space:' "$STATE/tmp/said" || true)" 0
}

@test "whoever claims a layer and hardly makes it keeps nobody from it" {
	local evil good digest pid
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	# Another blob whose config claims the layer of the good image.
	digest=$(hostile claims "$STATE/tmp/good" "$STATE/tmp/evil")
	background python3 "$TOOLS/registry.py" "$STATE/tmp/at-evil" --seed "evil=$STATE/tmp/evil" --fault "GET blobs/sha256:$digest slow=1" 2>"$STATE/evil.log"
	background python3 "$TOOLS/registry.py" "$STATE/tmp/at-good" --seed "good=$STATE/tmp/good" 2>"$STATE/good.log"
	soon test -s "$STATE/tmp/at-evil" && soon test -s "$STATE/tmp/at-good"
	evil=$(cat "$STATE/tmp/at-evil")/evil good=$(cat "$STATE/tmp/at-good")/good
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" pull "$evil" >"$STATE/tmp/said" 2>&1
	pid=${BACKGROUND[-1]}
	soon eval '[ -n "$(find "$ROOT/tmp" -maxdepth 2 -name diff)" ]'
	run strake pull "$good"
	assert_status 0
	assert_has "waiting for another command that makes 1 of its layers"
	kill -0 "$pid"
	run strake image check
	assert_equal "$output" "nothing is wrong"
}

@test "layers with large zstd windows are unpacked one at a time" {
	case $PROGRAMS in *asan*) skip "the sanitizer keeps what is freed" ;; esac
	need_command zstd
	hostile windows "$STATE/tmp/windows"
	peak strake-image load -q -i "$STATE/tmp/windows"
	[ "$PEAK" -gt 0 ]
	[ "$PEAK" -lt 204800 ] || { echo "$PEAK kB"; return 1; }
	assert_equal "$(find "$ROOT/layers" -name 'f?' -size 140M | wc -l)" 3
}
