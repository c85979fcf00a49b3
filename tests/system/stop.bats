#!/usr/bin/env bats
# The end of containers on request: when, of how many, and what is said.
bats_require_minimum_version 1.5.0
load lib

# A program that no signal but KILL ends: the first process of a namespace has no default actions.
start_deaf() { # NAME [OPTION...]
	local name=$1
	shift
	strake run -d --name "$name" --network none "$@" --bare /bin/busybox -- sleep 1000
}
# Seconds, with two digits behind the point, into $took.
timed() { # COMMAND...
	local from=$EPOCHREALTIME
	"$@"
	took=$(bc <<<"$EPOCHREALTIME - $from")
}
assert_less() { [ "$(bc <<<"$1 < $2")" = 1 ] || { echo "$1 s, not below $2 s"; return 1; }; }

@test "stop -t 0 and --stop-timeout 0 wait for nothing" {
	start_deaf a
	start_deaf b --stop-timeout 0
	timed strake stop -t 0 a
	assert_less "$took" 5
	timed strake stop b
	assert_less "$took" 5
	assert_equal "$(strake inspect --format '{{.StopTimeout}}' b)" 0
}

@test "several are stopped, killed and removed together" {
	for name in a b c; do
		start_deaf $name
	done
	timed strake stop -t 2 a b c
	assert_less "$took" 5.5
	assert_equal "$(strake ps -q)" ""
	for name in d e; do
		start_deaf $name
	done
	run --separate-stderr strake rm -f a d nosuch e
	assert_status 1
	assert_equal "$(sort <<<"$output" | tr '\n' ' ')" "a d e "
	assert_equal "$(wc -l <<<"$stderr")" 1
	assert_equal "$(strake ps -aq | wc -l)" 2
	run strake rm b c
	assert_status 0
}

@test "exec into a container that just ends says that, in no words of the kernel's" {
	for ((round = 0; round < 8; round++)); do
		strake run -d --name a --network none --bare /bin/busybox -- sleep 1000
		pids=()
		for ((i = 0; i < 6; i++)); do
			background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec a /busybox true >>"$STATE/said" 2>&1
			pids+=($!)
		done
		strake rm -f a
		for pid in "${pids[@]}"; do
			wait "$pid" || true
		done
	done
	run grep -v -e "^strake exec: container a does not run$" -e "^strake exec: no container 'a'; 'strake ps -a' lists them$" "$STATE/said"
	assert_equal "$output" ""
}
