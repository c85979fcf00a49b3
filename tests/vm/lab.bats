#!/usr/bin/env bats
# Labs where the kernel filters VLANs and has 802.1Q and netem: its own way is taken, and does the same.
# bats file_tags=vm
load ../system/lib

LABS=$HERE/../../examples/labs

setup() {
	state_new
	need_program strake-lab
}

teardown() {
	strake lab list -q 2>/dev/null | xargs -r "$PROGRAMS/strake" --run-root "$RUN" lab down
	state_done
}

# Of each node named, what a dry run's script must make the same: dump ours|theirs NODE...
ours() { strake lab exec both "$@"; }
theirs() { ip netns exec "both-$1" "${@:2}"; }
dump() {
	local node
	for node in "${@:2}"; do
		echo "== $node"
		"$1" "$node" sh -c 'ip -j -d address show; bridge -j vlan show; tc qdisc show | grep netem' |
			sed -E 's/"(link_index|ifindex)":[0-9]+,//g; s/"link_netns(id)?":[^,]*,//g; s/ [0-9a-f]+: dev/ dev/; s/seed [0-9]+//
				s/"[a-z_]+_timer":[0-9.]+,//g'
	done
}

@test "A4.9 A4.10 VLANs are the kernel's: checks, tables, domains, paths and pictures are as elsewhere" {
	run strake lab up "$LABS/vlan-trunk.yaml"
	assert_status 0
	assert_has "VLANs are the kernel's own"
	strake lab check vlan-trunk
	run strake lab show vlan-trunk s1 --format json
	[ "$(jq -r '.fdb[] | select(.whose == "h11:eth0") | "\(.vlan) \(.port)"' <<<"$output")" = '10 eth2' ]
	run strake lab domains vlan-trunk
	assert_has "2 broadcast domains"
	run strake lab path vlan-trunk h10 h11 --json
	jq -e '[.request[].out[]?.vlan] == [null, 10, null]' <<<"$output"
	run strake lab draw vlan-trunk
	assert_has "s1 (switch)"
	strake lab up -q "$LABS/router-on-a-stick.yaml"
	run strake lab path router-on-a-stick h10 h20
	assert_has "VLAN tag 10 becomes 20"
}

@test "A4.9 A4.11 faults of VLANs, by the kernel's own commands" {
	local lab fault cause
	cp "$HERE"/labs/{vlan,trunk}.yaml "$STATE"
	while read -r lab fault cause; do
		strake lab up -q --break "$fault" "$STATE/$lab.yaml"
		run strake lab check "$lab"
		assert_status 1
		assert_has "[$cause]"
		strake lab down "$lab"
	done <<-END
		vlan vlan-mismatch vlan-mismatch
		trunk native-vlan-mismatch vlan-mismatch
	END
	assert_has "native VLANs differ"
}

@test "delay, loss and rate are the kernel's; the script of a dry run raises the same" {
	local nodes=(s1 s2 h10 r1)
	cat >"$STATE/lab.yaml" <<-END
		name: both
		nodes:
		  s[1-2]: {kind: switch}
		  h10: {addresses: [10.0.10.1/24]}
		  h11: {addresses: [10.0.10.2/24]}
		  r1: {kind: router, interfaces: {eth0.10: {addresses: [10.0.10.254/24]}, eth0.20: {addresses: [10.0.20.254/24]}}}
		links:
		  - {between: [h10, s1], vlan: 10, delay: 30ms, jitter: 1ms, rate: 100mbit}
		  - {between: [h11, s1], vlan: 10, loss: 100%}
		  - {between: [s1, s2], trunk: [10, 20], native: 1}
		  - {between: [r1, s2], trunk: [10, 20]}
		checks:
		  - reach: [h10, r1]
		  - no-reach: [h11, r1]
	END
	run strake lab up "$STATE/lab.yaml"
	assert_status 0
	assert_has "delay, loss and rate are the kernel's own"
	strake lab check both
	run ours h10 ping -c 1 -W 5 10.0.10.254
	[[ $output =~ time=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 55 ]
	dump ours "${nodes[@]}" >"$STATE/ours"
	strake lab down both
	mount -t tmpfs netns /run
	strake --dry-run lab up "$STATE/lab.yaml" >"$STATE/script"
	sh "$STATE/script"
	dump theirs "${nodes[@]}" >"$STATE/theirs"
	theirs h10 ping -c 1 -W 5 10.0.10.254
	ip -all netns delete
	umount -R /run
	diff "$STATE/ours" "$STATE/theirs"
	grep -q 'netem.*delay 30ms' "$STATE/ours"
	grep -q '"vlan":20' "$STATE/ours"
}
