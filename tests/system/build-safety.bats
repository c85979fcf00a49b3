#!/usr/bin/env bats
# Builds beside other commands, killed, and with hostile input.
# shellcheck disable=SC2016,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx"
}
build() {
	cat >"$STATE/ctx/Containerfile"
	strake build "$@" "$STATE/ctx"
}
run_in() { strake run --rm --network none "$@"; }
# A step that waits until its cache's pipe is written to; $pipe is that pipe.
waiting_build() { # OPTIONS...
	build_it() { exec "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build "$@" "$STATE/ctx" >"$STATE/tmp/out" 2>&1; }
	background build_it "$@"
	BUILD=$!
	soon compgen -G "$ROOT/volumes/build-cache-*/_data/go"
	pipe=$(compgen -G "$ROOT/volumes/build-cache-*/_data/go")
}

@test "images and the cache are removed while a long RUN goes on, and what it stands on stays" {
	base_new
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN echo below >/below
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go; cat /below >/above
	D
	strake tag base:1 other:1
	waiting_build -t w:1
	# Neither waits for the step.
	run -0 strake rmi base:1
	run -0 strake image rm -f other:1
	run -0 strake builder prune --force
	assert_has 'Steps forgotten: 1'
	run -0 strake image prune --all --force
	assert_equal "$(strake images -q | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
	echo go >"$pipe"
	wait "$BUILD"
	assert_equal "$(run_in w:1 cat /above)" below
	# The base's own image is gone; with this one the last of it goes.
	strake rmi w:1
	strake builder prune --force
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "layers that only a failed or killed build still needed go with it" {
	base_new
	printf 'FROM base:1\nRUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go; exit 3\n' >"$STATE/ctx/Containerfile"
	waiting_build
	strake rmi base:1
	echo go >"$pipe"
	wait "$BUILD" || true
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	strake import "$STATE/tree" base:1
	rm "$pipe"
	waiting_build
	strake rmi base:1
	kill -KILL "$BUILD"
	wait "$BUILD" || true
	strake ps -aq | xargs -r "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rm -f
	strake images
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
}
