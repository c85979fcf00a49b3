#!/usr/bin/env bats
# Records of containers that a disk, or a person, damaged: nothing stops for them, and all can be put right.
bats_require_minimum_version 1.5.0
load lib

DAMAGES="truncated empty garbage types list directory"

damage() { # HOW FILE
	rm -rf "$2"
	case $1 in
	truncated) printf '{"pid": 17, "exitCode": 0, "boot' >"$2" ;;
	empty) : >"$2" ;;
	garbage) printf 'a\0b\377\n' >"$2" ;;
	types) jq -n --arg boot "$(cat /proc/sys/kernel/random/boot_id)" '{exitCode: "x", pid: "x", bootId: $boot}' >"$2" ;;
	list) echo '[]' >"$2" ;;
	directory) mkdir -p "$2/deeper" ;;
	esac
}

# One line that names the container, the file and the remedy.
assert_warns() { # WHAT FILE
	output=$1
	assert_equal "$(wc -l <<<"$output")" 1
	assert_has "container d: damaged record: $2"
	assert_has "'strake system check --repair' puts it right"
}

others_go_on() {
	run strake run --rm --network none --bare /bin/busybox -- echo other
	assert_equal "$status $output" "0 other"
}

start() { strake run -d --name d --network none --bare /bin/busybox -- sleep 1000; }

@test "a damaged live.json: the container is seen, entered, mended, stopped and removed all the same" {
	for how in $DAMAGES; do
		echo "damage: $how"
		id=$(start)
		live=$RUN/containers/$id/live.json
		before=$(jq -S 'del(.startedAt)' "$live")
		damage "$how" "$live"
		run --separate-stderr strake ps --format '{{.Name}} {{.State}} {{.Status}}'
		assert_equal "$status" 0
		[[ $output == "d running Up "*second* ]]
		assert_warns "$stderr" "$live"
		run --separate-stderr strake inspect --format '{{.State.Pid}} {{.State.MonitorPid}} {{.State.Running}}' d
		assert_equal "$status $output" "0 $(jq -r '"\(.pid) \(.monitorPid) true"' <<<"$before")"
		assert_warns "$stderr" "$live"
		others_go_on
		run strake exec d /busybox echo inside
		assert_equal "$status $output" "0 inside"
		run strake rm d
		assert_status 1
		assert_has "container d runs"
		run strake system check
		assert_status 1
		assert_has "container d: damaged record: $live"
		assert_has "1 found; 'strake system check --repair' puts it right"
		run strake system check --repair
		assert_status 0
		assert_equal "$(jq -S 'del(.startedAt)' "$live")" "$before"
		run --separate-stderr strake ps -q
		assert_equal "$status $stderr" "0 "
		damage "$how" "$live"
		strake stop -t 0 d
		run --separate-stderr strake inspect --format '{{.State.Status}} {{.State.ExitCode}}' d
		assert_equal "$status $output $stderr" "0 exited 137 "
		[ ! -e "$live" ]
		strake rm d
		id=$(start)
		damage "$how" "$RUN/containers/$id/live.json"
		run strake rm -f d
		assert_equal "$status $output" "0 d"
	done
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

@test "a damaged live.json of a container without a monitor: it runs on, is stopped, and its end is seen" {
	for how in truncated directory; do
		id=$(start)
		live=$RUN/containers/$id/live.json
		pid=$(jq .pid "$live")
		kill -KILL "$(jq .monitorPid "$live")"
		soon eval '! pgrep -f "^strake-monitor.*$RUN"'
		damage "$how" "$live"
		run --separate-stderr strake ps --format '{{.Name}} {{.Status}}'
		[[ $output == "d Up "*"(unsupervised)" ]]
		kill -0 "$pid"
		if [ "$how" = truncated ]; then
			strake stop -t 0 d
		else
			kill -KILL "$pid"
			soon eval '[ -z "$(strake ps -q 2>/dev/null)" ]'
		fi
		run --separate-stderr strake ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
		assert_equal "$status $output $stderr" "0 d exited -1 "
		strake rm d
	done
}

@test "a damaged exit.json: the end is unknown, and nothing else is" {
	for how in $DAMAGES; do
		echo "damage: $how"
		id=$(start)
		strake stop -t 0 d
		ended=$ROOT/containers/$id/exit.json
		damage "$how" "$ended"
		run --separate-stderr strake ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
		assert_equal "$status $output" "0 d exited -1"
		assert_warns "$stderr" "$ended"
		run --separate-stderr strake inspect --format '{{.State.Status}} {{.State.ExitCode}}' d
		assert_equal "$status $output" "0 exited -1"
		assert_warns "$stderr" "$ended"
		others_go_on
		run strake stop d
		assert_equal "$status $output" "0 d"
		run strake system check
		assert_status 1
		assert_has "container d: damaged record: $ended"
		run strake system check --repair
		assert_status 0
		run --separate-stderr strake ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
		assert_equal "$status $output $stderr" "0 d exited -1 "
		damage "$how" "$ended"
		# shellcheck disable=SC2046
		run strake rm $([ "$how" = empty ] || echo -f) d
		assert_equal "$status $output" "0 d"
	done
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

# The copy of the command that is about to become the monitor, or strake-dns.
stopped_copy() {
	grep -lE '^State:.*[Tt] \(' /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3
}

@test "a monitor that is stopped before it is one: all that would wait for it name it, and it goes on when it may" {
	grep -q STRAKE_FAULT "$PROGRAMS/strake" || skip "a build without tests has no fault points"
	STRAKE_FAULT=daemon-forked:STOP run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run -d --name n --network none --bare /bin/busybox -- sleep 1000
	assert_status 125
	assert_equal "${#lines[@]}" 1
	copy=$(stopped_copy)
	assert_has "strake-monitor, process $copy, is stopped; 'kill -CONT $copy'"
	for how in "stop -t 1" "rm -f" wait; do
		# shellcheck disable=SC2086
		run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" $how n
		assert_equal "$how $status" "$how 1"
		assert_equal "${#lines[@]}" 1
		assert_has "process $copy, which has its lock, is stopped; 'kill -CONT $copy'"
	done
	kill -CONT "$copy"
	soon eval '[ "$(strake ps --format "{{.Name}}")" = n ]'
	strake rm -f n
}

@test "a monitor that is killed before it is one leaves nothing, and is missed at once" {
	grep -q STRAKE_FAULT "$PROGRAMS/strake" || skip "a build without tests has no fault points"
	STRAKE_FAULT=daemon-forked run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run -d --name n --network none --bare /bin/busybox -- sleep 1000
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has "strake-monitor ended without a word"
	assert_equal "$(strake ps -aq)" ""
	# Stopped first, and its command killed.
	STRAKE_FAULT=daemon-forked:STOP background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run -d --name n --network none --bare /bin/busybox -- sleep 1000
	soon eval '[ -n "$(stopped_copy)" ]'
	kill -KILL "${BACKGROUND[-1]}"
	copy=$(stopped_copy)
	run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rm -f n
	assert_status 1
	assert_has "process $copy, which has its lock, is stopped"
	kill -KILL "$copy"
	soon eval '! kill -0 "$copy" 2>/dev/null || grep -q "^State:.*Z" "/proc/$copy/status"'
	assert_equal "$(strake ps -aq)" ""
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}
