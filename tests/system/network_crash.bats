#!/usr/bin/env bats
# Killed at each step of attaching and detaching: the next command clears up, and check finds nothing.
bats_require_minimum_version 1.5.0
load lib
load network_lib

teardown() { network_done; }

points() { # PREFIX...
	grep -rhoE "fault_point\(\"($1)[a-z-]*" "${HERE%/tests/system}/src" | sed 's/.*"//' | sort -u
}
need_faults() {
	grep -q STRAKE_FAULT "$PROGRAMS/strake" || skip "a build without tests has no fault points"
}
nothing_left() {
	# A monitor may be clearing up at the same time.
	soon eval '[ "$(strake ps -aq)" = "'"${1-}"'" ]' || true
	assert_equal "$(strake ps -aq)" "${1-}"
	run strake network check
	assert_status 0
	run strake system check
	assert_status 0
	if [ -z "${1-}" ]; then
		run ip -o link
		assert_lacks strake0
		soon eval '! ip -o link | grep -q sk-'
		assert_equal "$(nft list tables)" ""
		assert_equal "$(find "$RUN/containers" -mindepth 1)" ""
	fi
}
run_it() { strake run -d --name "$1" --network dual -p "$2:80" --bare /bin/busybox -- tail -f /dev/null; }

@test "A5.18 killed at each step of the first attach: nothing is left" {
	need_faults
	strake network create --ipv6 dual >/dev/null
	points="$(points 'attach|bridge|plug')"
	[ "$(wc -l <<<"$points")" -ge 10 ]
	for point in $points; do
		STRAKE_FAULT=$point run run_it x 8000
		assert_equal "$point: $status" "$point: 137"
		nothing_left || { echo "after a kill at $point"; return 1; }
	done
}

@test "A5.18 killed at each step of a further attach: the first container is as it was" {
	need_faults
	strake network create --ipv6 dual >/dev/null
	serve a --network dual -p 8080:80
	id=$(strake ps -q)
	for point in $(points 'attach|plug'); do
		STRAKE_FAULT=$point run run_it x 8000
		assert_equal "$point: $status" "$point: 137"
		nothing_left "$id" || { echo "after a kill at $point"; return 1; }
		reach host tcp 127.0.0.1 8080 a
	done
	run_it x 8000
	reach a tcp "$(address a dual)" 80 a
}

@test "A5.18 killed at each step of a removal: the next command goes on with it" {
	need_faults
	strake network create --ipv6 dual >/dev/null
	points="$(points 'detach|remove')"
	[ "$(wc -l <<<"$points")" -ge 5 ]
	for point in $points; do
		run_it x 8000
		STRAKE_FAULT=$point run strake rm -f x
		nothing_left || { echo "after a kill at $point"; return 1; }
	done
}

@test "a failed attach leaves nothing" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	# The bridge's name is taken by something else in the moment before.
	ip link add br7 type veth peer name br8
	strake network create --opt bridge=br9 --subnet 10.9.0.0/24 nine >/dev/null
	ip link add br9 type veth peer name br10
	run strake run -d --network one --network nine --bare /bin/busybox -- tail -f /dev/null
	assert_status 125
	assert_has br9
	ip link del br9
	nothing_left
}

@test "a network that another container is just making, or has just left, is no reason to fail" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	strake network create --subnet 10.2.0.0/24 two >/dev/null
	client a --network one --network two
	# As it is before the bridge of "two" is made and after it has gone: it has a lease, no gateway, no strake-dns.
	ip link delete "strake1"
	pid=$(pgrep -f -- "^strake-dns .*--network=two")
	kill -KILL "$pid"
	soon eval '! kill -0 '"$pid"' 2>/dev/null'
	client b --network one
	run strake network disconnect one b
	assert_status 0
	strake network check --repair
	run strake network check
	assert_status 0
	pgrep -f -- "^strake-dns .*--network=two"
}

@test "strake-dns goes with its bridge, in one step: who comes next gets its own" {
	need_faults
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	client a --network one
	STRAKE_FAULT=detach-rows:STOP background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" network disconnect one a
	remover=${BACKGROUND[-1]}
	soon eval '! ip link show strake0 2>/dev/null'
	client b --network one
	run in_network b busybox nslookup b "10.1.0.1"
	kill -CONT "$remover"
	assert_has "$(address b one)"
	soon eval '! kill -0 '"$remover"' 2>/dev/null'
	run in_network b busybox nslookup b "10.1.0.1"
	assert_has "$(address b one)"
	run strake network check
	assert_status 0
}
