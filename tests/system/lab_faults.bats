# Labs: each fault of the library breaks what it should, and its cause is named.
load lib

LABS=$HERE/../../examples/labs
OWN=$HERE/labs

setup() {
	state_new
	need_program strake-lab
}

teardown() {
	strake lab list -q 2>/dev/null | xargs -r "$PROGRAMS/strake" --run-root "$RUN" lab down
	state_done
}

# faults LAB <<END, lines of FAULT CAUSE
faults() {
	local fault cause failed=()
	while read -r fault cause; do
		strake lab up -q --break "$fault" "$1"
		! strake lab check "$1" >"$STATE/tap" || failed+=("$fault breaks nothing")
		# The first reason is the right one.
		[[ $(grep -m1 '^#' "$STATE/tap") == *"[$cause]" ]] || failed+=("$fault: $(grep '^#' "$STATE/tap")")
		strake lab down "$1"
	done
	printf '%s\n' "${failed[@]}"
	[ ${#failed[@]} = 0 ]
}

@test "A4.5 A4.6 A4.11 faults of hosts on one segment" {
	faults "$OWN/near.yaml" <<-END
		host-link-down link-down
		host-no-address address-missing
		host-wrong-address address-missing
		target-no-address address-missing
		host-narrow-mask mask-mismatch
		host-blackhole route-refuses
		host-unreachable route-refuses
		host-prohibit route-refuses
		host-rule route-refuses
		duplicate-address duplicate-address
		duplicate-mac duplicate-mac
		wrong-neighbour wrong-neighbour
		host-arp-off arp-unanswered
		target-arp-ignore arp-unanswered
		target-arp-filter arp-unanswered
		host-firewall-out firewall
		host-firewall-in firewall
		host-ingress firewall
		target-firewall firewall
		target-reject firewall
		target-ignores-echo ignored
		host-mtu mtu
	END
}

@test "A4.11 faults of switches and their cables" {
	faults "$OWN/near.yaml" <<-END
		switch-port-down link-down
		switch-down link-down
		switch-port-unplugged unplugged
		switch-isolated isolated-port
		switch-no-broadcast flood-off
		switch-blocking spanning-tree
		switch-filter firewall
		switch-mtu mtu
		loop storm
	END
	faults "$OWN/uplink.yaml" <<<"uplink-down link-down"
	faults "$OWN/vlan.yaml" <<<"vlan-mismatch vlan-mismatch"
	faults "$OWN/trunk.yaml" <<<"trunk-vlan-missing vlan-mismatch"
	faults "$OWN/six.yaml" <<<"ipv6-off address-missing"
}

@test "A4.7 A4.11 A5.6 A5.7 faults of routers" {
	faults "$OWN/routed.yaml" <<-END
		host-wide-mask mask-mismatch
		host-no-gateway no-route
		host-wrong-gateway wrong-gateway
		host-gateway-is-host wrong-gateway
		target-no-gateway no-return-route
		target-wrong-gateway wrong-gateway
		host-ttl ttl
		router-duplicate-address duplicate-address
		gateway-wrong-neighbour wrong-neighbour
		router-wrong-neighbour wrong-neighbour
		router-arp-ignore arp-unanswered
		router-forwarding-off forwarding-off
		router-interface-forwarding-off forwarding-off
		router-link-down link-down
		router-no-address address-missing
		router-blackhole route-refuses
		router-unreachable route-refuses
		router-wrong-return arp-unanswered
		rp-filter rp-filter
		router-firewall firewall
		router-firewall-return firewall
		router-policy firewall
		router-mtu mtu
	END
	faults "$OWN/far.yaml" <<-END
		router-no-route no-route
		far-no-return-route no-return-route
		routing-loop routing-loop
	END
	faults "$LABS/proxy-arp.yaml" <<<"proxy-arp-off proxy-arp-off"
	faults "$LABS/container-nat.yaml" <<-END
		nat-missing no-return-route
		nat-forwarding-off forwarding-off
	END
}

@test "faults of names: a server down, the wrong one, port 53 dropped, a wrong record" {
	faults "$LABS/names.yaml" <<-END
		dns-server-down name-server-down
		dns-wrong-server wrong-name-server
		dns-no-server wrong-name-server
		dns-firewall firewall
		dns-wrong-record wrong-record
		dns-no-record name-unknown
	END
}

@test "A1.9 A2.11 A4.11 faults of tunnels" {
	faults "$LABS/vxlan.yaml" <<-END
		vxlan-wrong-id vxlan
		vxlan-wrong-remote vxlan
	END
}

@test "A4.9 native VLANs that differ are named" {
	cat >"$STATE/lab.yaml" <<-END
		name: natives
		nodes:
		  s1: {kind: switch, interfaces: {up: {trunk: [10, 20], native: 10}}}
		  s2: {kind: switch, interfaces: {up: {trunk: [10, 20], native: 20}}}
		hosts:
		  h1: {addresses: [10.9.0.1/24]}
		  h2: {addresses: [10.9.0.2/24]}
		links:
		  - {between: [h1, s1], vlan: 10}
		  - {between: [h2, s2], vlan: 10}
		  - s1:up - s2:up
		checks:
		  - no-reach: [h1, h2]
		    because: vlan-mismatch
	END
	strake lab up -q "$STATE/lab.yaml"
	strake lab check natives
	run strake lab ping natives h1 h2
	assert_has "native VLANs differ"
}

@test "every fault of the library stands in a table above" {
	local id missing=()
	[ "$(strake lab faults --json | jq length)" -ge 40 ]
	for id in $(strake lab faults --json | jq -r '.[].id'); do
		grep -qE "(^|[[:space:]<\"])$id [a-z]" "$BATS_TEST_FILENAME" "$HERE/../vm/lab.bats" || missing+=("$id")
	done
	printf '%s\n' "${missing[@]}"
	[ ${#missing[@]} = 0 ]
}

@test "A4.5 A4.6 a wrong mask and a double address name both hosts" {
	strake lab up -q "$OWN/near.yaml"
	strake lab exec near h1 sh -c 'ip address del 10.9.0.1/24 dev eth0; ip address add 10.9.0.1/25 dev eth0'
	run strake lab matrix near
	assert_has "4 of 6 pairs reach each other"
	assert_has "h1 -> h2: mask mismatch: h1 has 10.9.0.1/25, h2 has 10.9.0.200/24, so only one of them"
	assert_has "h2 -> h1: mask mismatch: h1 has 10.9.0.1/25, h2 has 10.9.0.200/24"
	strake lab down near
	strake lab up -q --break duplicate-address "$OWN/near.yaml"
	run strake lab check near
	assert_has "duplicate address: h2 and h3 both have 10.9.0.200"
}

@test "A4.11 hints come one at a time, the matrix names the cause, and mending it is seen" {
	strake lab up -q --break target-no-gateway "$OWN/routed.yaml"
	run strake lab hint routed
	assert_has "way back"
	run strake lab hint routed
	[ "$output" = "Look at 'ip route' in h3." ]
	run strake lab hint routed
	[ "$output" = "h3 has no default route." ]
	run strake lab matrix routed --json
	assert_status 1
	jq -e '.matrix[] | select(.from == "h1" and .to == "h3") | .cause == "no-return-route" and .at == "h3" and .onReturn' <<<"$output"
	strake lab exec routed h3 ip route add default via 10.9.1.254
	strake lab check routed
	strake lab down routed
	run strake lab up --break no-such "$OWN/near.yaml"
	assert_status 1
	assert_has "there is no fault no-such"
	run strake lab up --break router-policy "$OWN/near.yaml"
	assert_has "does not fit lab near"
	[ -z "$(strake lab list -q)" ]
	strake lab up -q --break random "$OWN/near.yaml"
	run strake lab check near
	assert_status 1
	strake lab down near
	strake lab up -q "$OWN/near.yaml"
	run strake lab hint near
	assert_has "no fault is hidden"
}
