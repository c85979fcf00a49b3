#!/usr/bin/env bats
# The stages of a build side by side: what runs when, what is shown, how it ends.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx"
}
build() { # the Containerfile on standard input
	cat >"$STATE/ctx/Containerfile"
	strake build --network none "$@" "$STATE/ctx"
}
run_in() { strake run --rm --network none "$@"; }
clean() { # nothing is left of a build
	assert_equal "$(strake ps -aq)" ""
	assert_equal "$(find "$ROOT/tmp" "$RUN/build" "$RUN/build-turns" -mindepth 1 2>/dev/null)" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}
# A stage that cannot end before the other one runs, and the other way round.
meeting() { # OWN OTHER
	printf '%s\n' "FROM base:1 AS $1" "RUN --mount=type=cache,id=m,target=/m echo >/m/$1; while ! test -e /m/$2; do read -t 0.02 <>/m/never; done; echo $1 >/$1"
}

@test "stages that do not need each other run at the same time; the last begins before they are done" {
	base_new
	{
		echo 'FROM base:1 AS pipe'
		echo 'RUN --mount=type=cache,id=m,target=/m mkfifo /m/never'
		meeting one two | sed 's/^FROM base:1/FROM pipe/'
		meeting two three | sed 's/^FROM base:1/FROM pipe/'
		# It has no slot of two processors: it is let in because they are idle.
		meeting three one | sed 's/^FROM base:1/FROM pipe/'
		echo 'FROM pipe'
		echo 'RUN echo early >/early'
		echo 'COPY --from=one /one /'
		echo 'COPY --from=two /two /'
		echo 'COPY --from=three /three /'
	} >"$STATE/tmp/file"
	run -0 build -t g:1 <"$STATE/tmp/file"
	assert_equal "$(run_in g:1 cat /one /two /three /early)" $'one\ntwo\nthree\nearly'
	clean
	# Again, all of it is there; one after the other gives the same.
	local id
	id=$(strake images -q --no-trunc g:1)
	run -0 build -t g:2 --jobs 1 <"$STATE/tmp/file"
	assert_equal "$(grep -c '^#[0-9]*   cached' <<<"$output")" 8
	assert_equal "$(strake images -q --no-trunc g:2)" "$id"
}

@test "each line of output carries the number of its step; output of two stages is not mixed within lines" {
	base_new
	run -0 build <<-'D'
		FROM base:1 AS a
		RUN for i in 1 2 3 4 5 6 7 8 9; do printf 'a%s ' $i; printf 'x\n'; done; printf last-a
		FROM base:1 AS b
		RUN for i in 1 2 3 4 5 6 7 8 9; do printf 'b%s ' $i; printf 'y\n' >&2; done; printf last-b
		FROM scratch
		COPY --from=a /bin /a
		COPY --from=b /bin /b
	D
	# Nothing but the ID, on standard output, has no number.
	assert_equal "$(grep -cv '^#[0-9]' <<<"$output")" 1
	assert_equal "$(sed -n 's/^#2 | //p' <<<"$output")" "$(printf 'a%s x\n' 1 2 3 4 5 6 7 8 9; echo last-a)"
	assert_equal "$(sed -n 's/^#4 | //p' <<<"$output" | sort)" "$(printf 'b%s ' 1 2 3 4 5 6 7 8 9; echo last-b; printf 'y\n%.0s' 1 2 3 4 5 6 7 8 9)"
	assert_has '#2 [a 2/2] RUN for i'
	assert_has '#7 [stage-2 3/3] COPY --from=b /bin /b'
}

@test "a stage that fails stops the others at once, and its error is the one shown; nothing is left" {
	base_new
	cat >"$STATE/tmp/file" <<-'D'
		FROM base:1 AS long
		RUN --mount=type=cache,id=m,target=/m mkfifo /m/never; echo >/m/begun; read x <>/m/never
		FROM base:1 AS bad
		RUN --mount=type=cache,id=m,target=/m while ! test -e /m/begun; do busybox usleep 20000; done; echo the reason; exit 9
		FROM scratch
		COPY --from=long / /
		COPY --from=bad / /
	D
	run build <"$STATE/tmp/file"
	assert_status 1
	assert_has '#4 | the reason'
	assert_has '    4 | RUN --mount=type=cache,id=m'
	assert_equal "${lines[-1]}" "strake build: Containerfile:4: the command ended with status 9; build --debug opens a shell where it did"
	clean
	# Quietly, what it said last is told all the same.
	rm -r "$ROOT"/volumes/build-cache-*
	run build -q <"$STATE/tmp/file"
	assert_status 1
	assert_equal "${lines[0]}" '[bad 2/2] RUN --mount=type=cache,id=m,target=/m while ! test -e /m/begun; do busybox usleep 20000; done; echo the reason; exit 9'
	assert_equal "${lines[1]}" '  | the reason'
	# With --debug the others are gone when the shell opens.
	rm -r "$ROOT"/volumes/build-cache-*
	run strake build --network none --debug "$STATE/ctx" <<<'echo in the shell'
	assert_status 1
	assert_has '#4   a shell where it failed'
	assert_has 'in the shell'
	clean
}

@test "^C ends all stages, with what they run and what they have half made" {
	base_new
	local pid status=0
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1 AS a
		RUN --mount=type=cache,id=a,target=/m mkfifo /m/never; echo >/m/begun; trap '' INT TERM; read x <>/m/never
		FROM base:1 AS b
		RUN --mount=type=cache,id=b,target=/m mkfifo /m/never; echo >/m/begun; trap '' INT TERM; read x <>/m/never
		FROM scratch
		COPY --from=a / /
		COPY --from=b / /
	D
	begun() { [ "$(find "$ROOT" -path '*/volumes/*/begun' | wc -l)" = "$1" ]; }
	for signal in INT TERM HUP; do
		env --default-signal "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --network none "$STATE/ctx" >"$STATE/tmp/out" 2>&1 3>&- &
		pid=$!
		soon begun 2
		kill -$signal $pid
		wait $pid || status=$?
		assert_equal "$status" $((128 + $(kill -l $signal)))
		clean
		rm -r "$ROOT"/volumes/build-cache-*
	done
	# One stage alone, without a worker.
	printf 'FROM base:1\nRUN --mount=type=cache,id=a,target=/m mkfifo /m/never; echo >/m/begun; read x <>/m/never\n' >"$STATE/ctx/Containerfile"
	"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --network none "$STATE/ctx" >"$STATE/tmp/out" 2>&1 3>&- &
	pid=$!
	soon begun 1
	kill -TERM $pid
	wait $pid || status=$?
	assert_equal "$status" 143
	clean
}

@test "the same step in two stages, or in two builds, is done once" {
	base_new
	cat >"$STATE/tmp/file" <<-'D'
		FROM base:1 AS a
		RUN --mount=type=cache,id=m,target=/m echo once >>/m/times; cp /m/times /times
		RUN echo a >/a
		FROM base:1 AS b
		RUN --mount=type=cache,id=m,target=/m echo once >>/m/times; cp /m/times /times
		RUN echo b >/b
		FROM base:1
		COPY --from=a /times /a
		COPY --from=b /times /b
	D
	cat "$STATE/tmp/file" >"$STATE/ctx/Containerfile"
	local pids=() pid
	for i in 1 2; do
		strake build --network none -t "d:$i" "$STATE/ctx" >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	assert_equal "$(run_in d:1 cat /a /b)" $'once\nonce'
	assert_equal "$(strake images -q d:1)" "$(strake images -q d:2)"
	clean
}

@test "two caches are never locked against each other, nor one against itself" {
	base_new
	run -0 build <<-'D'
		FROM base:1 AS a
		RUN --mount=type=cache,id=x,target=/x,sharing=locked --mount=type=cache,id=y,target=/y,sharing=locked true a
		FROM base:1 AS b
		RUN --mount=type=cache,id=y,target=/y,sharing=locked --mount=type=cache,id=x,target=/x,sharing=locked true b
		FROM base:1
		RUN --mount=type=cache,id=x,target=/x --mount=type=cache,id=x,target=/z,sharing=locked echo same >/x/f; cat /z/f
		COPY --from=a /etc /a
		COPY --from=b /etc /b
	D
	assert_has '| same'
	clean
}
