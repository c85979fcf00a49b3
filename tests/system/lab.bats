# Labs: raising, tables, taking down.
bats_require_minimum_version 1.5.0
load lib

LABS=$HERE/../../examples/labs

setup() {
	state_new
	need_program strake-lab
}

teardown() {
	strake lab list -q 2>/dev/null | xargs -r "$PROGRAMS/strake" --run-root "$RUN" lab down
	state_done
}

up() { strake lab up -q "$1"; }
down() { strake lab down "$1"; }
in_node() { strake lab exec "$LAB" "$@"; }
reach() { # FROM ADDRESS
	in_node "$1" ping -c 1 -W 2 "$2"
}
no_reach() {
	! in_node "$1" ping -c 1 -W 0.3 "$2" >/dev/null 2>&1
}
# The file of a test: lab <<END
lab() { cat >"$STATE/lab.yaml"; }
refused() { # TEXT: what is said about $STATE/lab.yaml
	run strake lab up "$STATE/lab.yaml"
	assert_status 1
	assert_has "$1"
	[ -z "$(strake lab list -q)" ]
}

# A3.2: links, routes, rules and parameters of this namespace.
host_state() {
	ip -d address show
	ip route show table all
	ip -6 route show table all
	ip rule
	nft list ruleset
	sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(conf|ip_forward)' || true
}

@test "A3.1 A3.2 A3.4 a lab from ten lines goes up and down, and the host sees nothing of it" {
	[ "$(grep -c . "$LABS/flat.yaml")" -le 12 ]
	host_state >"$STATE/before"
	up "$LABS/flat.yaml"
	host_state >"$STATE/during"
	run strake lab list -q
	[ "$output" = flat ]
	LAB=flat
	run in_node h2 ip -br link show eth0
	assert_has UP
	pid=$(strake lab list --format json | jq '.[0].keeper')
	down flat
	run ! kill -0 "$pid"
	host_state >"$STATE/after"
	diff "$STATE/before" "$STATE/during"
	diff "$STATE/before" "$STATE/after"
	[ -z "$(ls "$RUN/labs")" ]
	run ! pgrep -f -- "$RUN"
}

@test "A3.3 hosts without addresses say nothing" {
	up "$LABS/hierarchy.yaml"
	run strake lab show hierarchy --format json
	assert_status 0
	[ "$(jq '[.fdb[] | select(.how == "learned")] | length' <<<"$output")" = 0 ]
	[ "$(jq '[.interfaces[] | select(.addresses != "-")] | length' <<<"$output")" = 0 ]
	LAB=hierarchy
	[ "$(in_node h10 cat /sys/class/net/eth0/statistics/tx_packets)" = 0 ]
	[ "$(in_node br1 cat /sys/class/net/br0/statistics/tx_packets)" = 0 ]
}

@test "A2.3 A3.6 a switch learns from frames, and shows it" {
	up "$LABS/switch.yaml"
	LAB=switch
	run strake lab show switch s1
	assert_lacks learned
	# To whom it does not know: to all.
	run strake lab send switch h1 --to h2 first
	assert_equal "$(grep -oE '^h[0-9]:eth0' <<<"$output" | sort | xargs)" "h2:eth0 h3:eth0 h4:eth0"
	run strake lab show --diff switch -- "$PROGRAMS/strake" --run-root "$RUN" lab exec switch h1 ping -c 1 -W 2 10.9.0.2
	assert_status 0
	assert_has 'h2:eth0'
	run strake lab show switch s1 --format json
	[ "$(jq -r '[.fdb[] | select(.how == "learned") | "\(.whose) \(.port)"] | sort | join(",")' <<<"$output")" = 'h1:eth0 eth0,h2:eth0 eth1' ]
	run strake lab show --diff switch -- true
	[ "$output" = 'nothing changed' ] || assert_has h2
}

@test "A2.1 a hub gives a unicast to everybody, a switch that knows does not" {
	for LAB in hub switch; do
		up "$LABS/$LAB.yaml"
		reach h1 10.9.0.2
		for other in h3 h4; do
			before=$(in_node $other cat /sys/class/net/eth0/statistics/rx_packets)
			reach h1 10.9.0.2
			after=$(in_node $other cat /sys/class/net/eth0/statistics/rx_packets)
			if [ $LAB = hub ]; then
				[ "$after" = $((before + 2)) ]
			else
				[ "$after" = "$before" ]
			fi
		done
	done
	run strake lab show hub hub1
	assert_lacks learned
}

@test "A1.1 A1.2 A4.4 two racks: every pair, and each device has the tables of its kind" {
	up "$LABS/racks.yaml"
	LAB=racks
	for from in a1 a3 b2; do
		for to in 10.1.1.1 10.1.1.2 10.1.1.3 10.1.2.1 10.1.2.2 10.1.2.3; do
			reach $from $to
		done
	done
	run reach a1 10.1.2.1
	assert_has ttl=61
	run reach a1 10.1.1.2
	assert_has ttl=64
	strake lab show racks --format json >"$STATE/tables"
	count() { jq "[.$1[] | select($2)] | length" "$STATE/tables"; }
	[ "$(count fdb '.node == "dist"')" = 0 ]
	[ "$(count fdb '.node == "tor1" and .how == "learned"')" = 3 ]
	[ "$(count routes '.node == "tor1" and .remark == ""')" = 1 ]
	[ "$(count routes '.node == "dist" and .remark == ""')" = 2 ]
}

@test "A1.6 a management port answers when the others are broken" {
	lab <<-END
		name: managed
		nodes:
		  s1: {kind: switch, interfaces: {mgmt: {addresses: [192.168.7.1/24]}}}
		  admin: {addresses: [192.168.7.9/24]}
		hosts: h[1-2]
		links: [h1 - s1, h2 - s1, "admin - s1:mgmt"]
	END
	up "$STATE/lab.yaml"
	LAB=managed
	in_node s1 ip link del br0
	in_node s1 ip link set eth0 down
	in_node s1 ip link set eth1 down
	reach admin 192.168.7.1
}

@test "A1.7 equal routes, and the spanning tree: one way is taken down, the other is used" {
	lab <<-END
		name: redundant
		nodes:
		  h1: {addresses: [10.1.0.1/24], gateway: 10.1.0.254}
		  h2: {addresses: [10.2.0.1/24], gateway: 10.2.0.254}
		  r1:
		    kind: router
		    interfaces:
		      lan: {addresses: [10.1.0.254/24]}
		      wan1: {addresses: [10.3.0.1/30]}
		      wan2: {addresses: [10.4.0.1/30]}
		    routes: [10.2.0.0/24 via 10.3.0.2 metric 10, 10.2.0.0/24 via 10.4.0.2 metric 20]
		  r2:
		    kind: router
		    interfaces:
		      lan: {addresses: [10.2.0.254/24]}
		      wan1: {addresses: [10.3.0.2/30]}
		      wan2: {addresses: [10.4.0.2/30]}
		    routes: [10.1.0.0/24 via 10.3.0.1 metric 10, 10.1.0.0/24 via 10.4.0.1 metric 20]
		links: ["h1 - r1:lan", "h2 - r2:lan", "r1:wan1 - r2:wan1", "r1:wan2 - r2:wan2"]
	END
	up "$STATE/lab.yaml"
	LAB=redundant
	reach h1 10.2.0.1
	run strake lab link redundant r1 r2 down
	assert_status 1
	assert_has '2 links join r1 and r2; say which'
	# Down by hand on both ends: a router that only loses its neighbour keeps its route.
	in_node r1 ip link set wan1 down
	in_node r2 ip link set wan1 down
	reach h1 10.2.0.1
	strake lab link redundant r1:wan1 r2:wan1 up
	run in_node r1 ip route get 10.2.0.1
	assert_has 'dev wan1'
	reach h1 10.2.0.1
}

@test "A1.7 ways of equal cost: one goes down, the other carries all" {
	# Linux sends into a way without carrier unless it is told not to, and sees that there is none after up to a second.
	local heed='run: for i in wan1 wan2; do sysctl -qw net.ipv4.conf.$i.ignore_routes_with_linkdown=1; done'
	lab <<-END
		name: equal
		nodes:
		  h1: {addresses: [10.1.0.1/24], gateway: 10.1.0.254}
		  h2: {addresses: [10.2.0.1/24], gateway: 10.2.0.254}
		  r1:
		    kind: router
		    interfaces: {lan: {addresses: [10.1.0.254/24]}, wan1: {addresses: [10.3.0.1/30]}, wan2: {addresses: [10.4.0.1/30]}}
		    routes: [10.2.0.0/24 via 10.3.0.2, 10.2.0.0/24 via 10.4.0.2]
		    $heed
		  r2:
		    kind: router
		    interfaces: {lan: {addresses: [10.2.0.254/24]}, wan1: {addresses: [10.3.0.2/30]}, wan2: {addresses: [10.4.0.2/30]}}
		    routes: [10.1.0.0/24 via 10.3.0.1, 10.1.0.0/24 via 10.4.0.1]
		    $heed
		links: ["h1 - r1:lan", "h2 - r2:lan", "r1:wan1 - r2:wan1", "r1:wan2 - r2:wan2"]
	END
	run strake --dry-run lab up "$STATE/lab.yaml"
	assert_has 'route add 10.2.0.0/24 nexthop via 10.3.0.2 nexthop via 10.4.0.2'
	up "$STATE/lab.yaml"
	LAB=equal
	reach h1 10.2.0.1
	for wan in wan1 wan2; do
		# For how long traffic is lost is said, and it comes back by itself.
		run strake lab ping equal h1 10.2.0.1 --json --command "$PROGRAMS/strake --run-root $RUN lab link equal r1:$wan r2:$wan down"
		assert_status 0
		jq -e '.reached and .status == 0 and .sent >= .answered and .lostMs >= 0' <<<"$output"
		strake lab matrix equal
		strake lab link equal r1:$wan r2:$wan up
		run in_node r1 ip route show 10.2.0.0/24
		assert_has 'via 10.3.0.2 dev wan1'
		assert_has 'via 10.4.0.2 dev wan2'
	done
}

@test "A1.7 A3.9 a cable of a loop with a spanning tree is pulled, and the other way takes over" {
	sed 's/^hosts:.*/hosts:\n  h[1-3]: {addresses: [10.0.0.1\/24]}/' "$LABS/loop-stp.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	LAB=loop-stp
	local -x DEADLINE=60
	soon reach h1 10.0.0.3
	run strake lab ping loop-stp h1 h3 --command "$PROGRAMS/strake --run-root $RUN lab link loop-stp br1 br3 down"
	assert_status 0
	assert_has "h1 -> 10.0.0.3: no answer for "
	reach h2 10.0.0.3
}

@test "A2.3 what a switch has forgotten is flooded again" {
	sed 's/kind: switch/&, ageing: 1/' "$LABS/switch.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	LAB=switch
	heard() { in_node h3 cat /sys/class/net/eth0/statistics/rx_packets; }
	nothing_learned() { [ "$(strake lab show switch s1 --format json | jq '[.fdb[] | select(.how == "learned")] | length')" = 0 ]; }
	strake lab send switch h2 hello
	before=$(heard)
	strake lab send switch h1 --to h2 known
	[ "$(heard)" = "$before" ]
	soon nothing_learned
	strake lab send switch h1 --to h2 forgotten
	[ "$(heard)" = $((before + 1)) ]
}

@test "A3.11 a thousand hosts over fifty switches: a broadcast reaches 999" {
	lab <<-END
		name: large
		nodes:
		  s[1-50]: {kind: switch}
		hosts:
		  h[1-1000]: {addresses: [10.0.0.1/16]}
		links:
		  - s[1-49] - s[2-50]
		$(for i in {0..49}; do echo "  - h[$((i * 20 + 1))-$((i * 20 + 20))] - s$((i + 1))"; done)
	END
	up "$STATE/lab.yaml"
	strake lab send large h1 hello >"$STATE/receivers"
	[ "$(grep -c received "$STATE/receivers")" = 999 ]
	LAB=large
	reach h1 10.0.3.232
}

@test "A1.9 A2.11 one segment over a routed network, and a wrong number" {
	up "$LABS/vxlan.yaml"
	LAB=vxlan
	reach h1 192.168.0.3
	reach h2 192.168.0.4
	in_node h1 ping -c 1 -W 2 -M "do" -s 1422 192.168.0.3
	run in_node h1 ping -c 1 -W 1 -M "do" -s 1423 192.168.0.3
	assert_status 1
	run strake lab show vxlan v1
	assert_has 'in the tunnel to 10.0.2.2'
	down vxlan
	sed '0,/id: 42/s//id: 43/' "$LABS/vxlan.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	reach h1 192.168.0.2
	no_reach h1 192.168.0.3
}

@test "A1.5 a port of a running switch becomes one of a router" {
	up "$LABS/switch.yaml"
	LAB=switch
	reach h1 10.9.0.4
	in_node s1 ip link set eth3 nomaster
	no_reach h1 10.9.0.4
	strake lab domains switch --json | jq -e '[.broadcast[] | length] | sort == [1, 3]'
	in_node s1 ip address add 10.9.0.254/24 dev eth3
	in_node h4 ping -c 1 -W 2 10.9.0.254
}

@test "A2.10 A4.1 A4.2 A4.3 subnets on one segment" {
	up "$LABS/two-subnets.yaml"
	LAB=two-subnets
	reach h1 192.168.0.2
	sent=$(in_node h1 cat /sys/class/net/eth0/statistics/tx_packets)
	run in_node h1 ping -c 1 -W 1 192.168.1.3
	assert_has 'Network is unreachable'
	[ "$(in_node h1 cat /sys/class/net/eth0/statistics/tx_packets)" = "$sent" ]
	# On one side only: the request arrives, the answer does not.
	in_node h1 ip route add 192.168.1.0/24 dev eth0
	no_reach h1 192.168.1.3
	run strake lab show two-subnets h3
	assert_has 192.168.0.1 || assert_has h1:eth0
	down two-subnets
	LAB=two-subnets-on-link
	up "$LABS/two-subnets-on-link.yaml"
	run reach h1 192.168.1.3
	assert_has ttl=64
	LAB=two-subnets-router
	up "$LABS/two-subnets-router.yaml"
	run reach h1 192.168.1.3
	assert_has ttl=63
}

@test "A4.7 A4.8 proxy ARP by one word, and its counterpart for IPv6" {
	LAB=proxy-arp
	up "$LABS/proxy-arp.yaml"
	run reach h1 192.168.0.3
	assert_has ttl=63
	run strake lab show proxy-arp h1 --format json
	[ "$(jq -r '.neighbours[] | select(.address == "192.168.0.3").whose' <<<"$output")" = r1:eth0 ]
	strake lab down proxy-arp
	# By a router that has two interfaces, or by one of them.
	sed 's/answered-by: .*/answered-by: r1/' "$LABS/proxy-arp.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	strake lab check proxy-arp
	down proxy-arp
	sed '/proxy_arp/d' "$LABS/proxy-arp.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	reach h1 192.168.0.2
	no_reach h1 192.168.0.3
	run strake lab ping proxy-arp h1 h3
	assert_has "nobody answered ARP for 192.168.0.3; router r1 could have (it has a route), proxy_arp is off"
	LAB=proxy-ndp
	up "$LABS/proxy-ndp.yaml"
	run reach h1 fd00:9::3
	assert_has ttl=63
	reach h1 fd00:9::2
	# Here each address has to be named.
	in_node r1 ip -6 neigh del proxy fd00:9::3 dev eth0
	in_node h1 ip neigh flush all
	run strake lab ping proxy-ndp h1 h3
	assert_has "nobody answered ND for fd00:9::3; router r1 could have (it has a route), but proxy NDP answers for the addresses that are named to it"
	in_node r1 sysctl -qw net.ipv6.conf.eth0.proxy_ndp=0
	run strake lab ping proxy-ndp h1 h3
	assert_has "router r1 could have (it has a route), proxy_ndp is off"
}

@test "A4.9 A4.10 VLANs on one switch, on two, and a router on a stick" {
	LAB=vlan-split
	run strake lab up "$LABS/vlan-split.yaml"
	assert_status 0
	assert_has 'VLANs are'
	reach h10 192.168.0.12
	no_reach h10 192.168.0.20
	LAB=vlan-trunk
	up "$LABS/vlan-trunk.yaml"
	reach h10 192.168.10.11
	reach h20 192.168.20.21
	# An address of the other VLAN's subnet is not enough.
	in_node h10 ip address add 192.168.20.99/24 dev eth0
	no_reach h10 192.168.20.21
	run strake lab show vlan-trunk s1 --format json
	[ "$(jq -r '.fdb[] | select(.whose == "h11:eth0") | "\(.vlan) \(.port)"' <<<"$output")" = '10 eth2' ]
	LAB=router-on-a-stick
	up "$LABS/router-on-a-stick.yaml"
	reach h10 192.168.10.11
	run reach h10 192.168.20.20
	assert_has ttl=63
}

@test "A2.9 a trunk carries four bytes more, an access port does not; 0 and 4095 are nobody's" {
	LAB=vlan-trunk
	up "$LABS/vlan-trunk.yaml"
	strake lab exec $LAB s1 "$TOOLS/count-tags.py" eth0 eth2 >"$STATE/tags" &
	soon test -s "$STATE/tags"
	reach h10 192.168.10.11
	wait $!
	run cat "$STATE/tags"
	assert_has 'eth0 0'
	assert_has 'eth2 10'
	down $LAB
	for id in 0 4095; do
		lab <<-END
			nodes: {s1: {kind: switch}, h1: }
			links:
			  - {between: [h1, s1], vlan: $id}
		END
		refused "lab.yaml:3:31: vlan: VLAN ids are 1 to 4094, not $id; 802.1Q keeps 0 and 4095 for itself"
	done
}

@test "A5.3 A5.4 two cables of one subnet clash, a bridge does not" {
	for filter in 0 1; do
		sed "s/  host:/&\n    rp_filter: $filter/" "$LABS/veth-clash.yaml" >"$STATE/lab.yaml"
		up "$STATE/lab.yaml"
		LAB=veth-clash
		reach c1 172.18.0.11
		reach c1 172.18.0.21
		no_reach c2 172.18.0.21
		no_reach c1 172.18.0.20
		in_node host ping -c 1 -W 2 172.18.0.10
		no_reach host 172.18.0.20
		run strake lab show veth-clash host
		assert_has "never taken: an equal one comes first (rp_filter $filter)"
		down veth-clash
	done
	up "$LABS/container-bridge.yaml"
	LAB=container-bridge
	reach c1 172.18.0.20
	reach c2 172.18.0.10
	no_reach c1 203.0.113.9
}

@test "A5.6 A5.7 the way out needs forwarding and masquerading" {
	up "$LABS/container-nat.yaml"
	LAB=container-nat
	reach c1 203.0.113.9
	# Who asked is not who is answered: the connection is shown with both.
	run strake lab show container-nat host --format json
	jq -e '.connections[] | select(.protocol == "icmp" and .from == "172.18.0.10" and .to == "203.0.113.9") |
		.answer_from == "203.0.113.9" and .answer_to == "203.0.113.1" and (.remark | test("NAT"))' <<<"$output"
	run strake lab show container-nat host
	assert_has "Connections: how a packet came, and how its answer comes"
	in_node host sysctl -qw net.ipv4.ip_forward=0
	no_reach c1 203.0.113.9
	in_node host sysctl -qw net.ipv4.ip_forward=1
	reach c1 203.0.113.9
	in_node host nft delete table inet lab
	no_reach c1 203.0.113.9
	# The request arrives, and there is no way back to its sender: what outside would send is refused.
	run strake lab ping container-nat c1 203.0.113.9
	assert_status 1
	assert_has "no return route: outside has no route back to 172.18.0.10"
	in=$(in_node outside nstat -az IcmpInEchos | awk '/IcmpInEchos/ { print $2 }')
	no_reach c1 203.0.113.9
	[ "$(in_node outside nstat -az IcmpInEchos | awk '/IcmpInEchos/ { print $2 }')" -gt "$in" ]
}

@test "A5.8 A5.9 a published port, from outside, from the host, from its neighbour and itself" {
	get() { in_node "$1" curl -fsS -m 3 -o /dev/null "http://$2:8080/GPL-2"; }
	LAB=container-publish
	up "$LABS/container-publish.yaml"
	# A lab keeps bridged packets from its rules, whatever the host says.
	[ "$(in_node host sysctl -n net.bridge.bridge-nf-call-iptables 2>/dev/null || echo 0)" = 0 ]
	for netfilter in 0 1; do
		if ! in_node host sysctl -qw net.bridge.bridge-nf-call-iptables=$netfilter 2>/dev/null && [ $netfilter = 1 ]; then
			echo "# this kernel has no bridge netfilter" >&3
			continue
		fi
		get outside 203.0.113.1
		get host 203.0.113.1
		get host 127.0.0.1
		get c2 203.0.113.1
		# Then a frame goes back by the port that it came by, which bridges do not do unasked.
		[ $netfilter = 0 ] || in_node host bridge link set dev eth1 hairpin on
		get c1 203.0.113.1
	done
	down $LAB
	sed 's/{port: 8080, /&hooks: prerouting, /' "$LABS/container-publish.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	get outside 203.0.113.1
	run ! get host 203.0.113.1
	run strake lab check $LAB
	assert_status 1
	assert_has "not ok 2 - reach host, host"
	assert_has "its rule is in the hook prerouting, and what the node sends itself passes the hook output instead"
}

@test "A3.8 A3.10 a tree four deep, and names longer than the kernel's" {
	LAB=tree
	lab <<-END
		name: tree
		nodes:
		  a-switch-in-the-cellar-of-the-main-building: {kind: switch}
		  floor[1-3]: {kind: switch}
		  room[1-9]: {kind: switch}
		  desk[01-27]: {addresses: [10.0.0.1/24]}
		links:
		  - floor[1-3] - a-switch-in-the-cellar-of-the-main-building
		  - room[1-3] - floor1
		  - room[4-6] - floor2
		  - room[7-9] - floor3
		  - desk[01-09] - room[1-9]
		  - desk[10-18] - room[1-9]
		  - desk[19-27] - room[1-9]
	END
	up "$STATE/lab.yaml"
	for i in 2 5 9 27; do reach desk01 10.0.0.$i; done
	run strake lab show tree a-switch-in-the-cellar-of-the-main-building --format json
	[ "$(jq -r '.fdb[] | select(.whose == "desk05:eth0").port' <<<"$output")" = eth1 ]
	[ "$(jq -r '.fdb[] | select(.whose == "desk27:eth0").port' <<<"$output")" = eth2 ]
}

@test "A3.10 a name used twice, a second up, one below another run root" {
	up "$LABS/flat.yaml"
	run strake lab up "$LABS/flat.yaml"
	assert_status 1
	assert_has "lab flat is up already, held by process"
	LAB=flat
	in_node h1 true
	"$PROGRAMS/strake" --run-root "$STATE/other" lab up -q "$LABS/flat.yaml"
	down flat
	"$PROGRAMS/strake" --run-root "$STATE/other" lab exec flat h1 true
	"$PROGRAMS/strake" --run-root "$STATE/other" lab down flat
	run strake lab down flat
	assert_status 1
	assert_has "lab flat is not up"
	run strake lab exec flat h1 true
	assert_status 125
}

@test "a lab goes with its keeper, and the next up clears away what is left" {
	up "$LABS/switch.yaml"
	LAB=switch
	strake lab exec switch h1 sh -c 'busybox nc -l -p 99 >/dev/null & echo $!' >/dev/null
	pid=$(strake lab list --format json | jq '.[0].keeper')
	kill -KILL "$pid"
	soon eval '! pgrep -f "nc -l -p 99"'
	# It lets go of all first, and is gone a moment later.
	run strake lab exec switch h1 true
	assert_has 'its keeper died'
	soon eval "! kill -0 $pid 2>/dev/null"
	run strake lab exec switch h1 true
	assert_has 'its keeper died'
	run strake lab list -q
	[ -z "$output" ]
	[ -z "$(ls -A "$RUN/labs")" ]
	up "$LABS/switch.yaml"
	reach h1 10.9.0.2
}

@test "a lab whose copy of the file cannot be read stays, and is taken down whole" {
	local pid
	up "$LABS/switch.yaml"
	pid=$(strake lab list --format json | jq '.[0].keeper')
	echo 'hosts: h1, nodez: 1' >"$RUN/labs/switch/lab.yaml"
	strake lab list
	run strake lab show switch
	assert_status 1
	assert_has "switch.yaml:1"
	run strake lab up "$LABS/switch.yaml"
	assert_status 1
	assert_has "lab switch is up already, held by process $pid"
	kill -0 "$pid"
	strake lab down switch
	run ! kill -0 "$pid"
	[ -z "$(ls -A "$RUN/labs")" ]
}

@test "killed half-way, at each step: nothing is up and nothing is left" {
	for step in lab-namespace lab-cable lab-kept lab-recorded; do
		STRAKE_FAULT=$step run strake lab up "$LABS/switch.yaml"
		[ "$status" != 0 ]
		run strake lab list -q
		[ -z "$output" ]
		[ -z "$(ls -A "$RUN/labs")" ]
		soon eval '! pgrep -f "strake lab up"'
		up "$LABS/switch.yaml"
		down switch
	done
}

@test "killed at any moment: the next list finds a whole lab or none, and no rubbish" {
	local i
	# What was killed may take a moment to let go of its lock.
	nothing_left() { strake lab list -q && [ -z "$(ls -A "$RUN/labs" 2>/dev/null)" ]; }
	for i in {1..15}; do
		timeout -s KILL "0.0$((RANDOM % 10))$((RANDOM % 10))" "$PROGRAMS/strake-lab" --run-root "$RUN" up "$LABS/switch.yaml" >/dev/null 2>&1 || true
		if [ "$(strake lab list -q)" = switch ]; then
			strake lab exec switch h1 ping -c 1 -W 2 10.9.0.2 >/dev/null
			strake lab down switch
		fi
		soon nothing_left
	done
	up "$LABS/switch.yaml"
	strake lab check switch
}

@test "a full disk is told, and nothing is left of what did not fit" {
	local size
	mkdir "$STATE/small"
	for size in 4k 8k; do
		mount -t tmpfs -o size=$size small "$STATE/small"
		run "$PROGRAMS/strake" --run-root "$STATE/small" lab up "$LABS/switch.yaml"
		assert_status 1
		assert_has "No space left on device"
		[ -z "$(ls -A "$STATE/small/labs")" ]
		umount "$STATE/small"
	done
	up "$LABS/switch.yaml"
	run strake lab capture switch -o /dev/full --command "$PROGRAMS/strake --run-root $RUN lab ping switch h1 h2"
	assert_status 1
	assert_has "write /dev/full: No space left on device"
	run sh -c '"$0" --run-root "$1" lab capture switch --command "$0 --run-root $1 lab ping switch h1 h2" >/dev/full' "$PROGRAMS/strake" "$RUN"
	assert_status 1
	assert_has "write output: No space left on device"
}

@test "raised and taken down by several at once: one does it, and the others say so" {
	local pid
	for _ in 1 2 3 4 5 6; do
		background sh -c '"$0" --run-root "$1" lab up -q "$2" 2>>"$3" && echo up >>"$3"' "$PROGRAMS/strake" "$RUN" "$LABS/switch.yaml" "$STATE/said"
	done
	for pid in "${BACKGROUND[@]}"; do wait "$pid" || true; done
	BACKGROUND=()
	[ "$(grep -c '^up$' "$STATE/said")" = 1 ]
	[ "$(grep -cE 'is being raised or taken down by another command|is up already' "$STATE/said")" = 5 ]
	strake lab check switch
	for _ in 1 2 3 4; do
		background sh -c '"$0" --run-root "$1" lab down switch 2>/dev/null && echo down >>"$2"' "$PROGRAMS/strake" "$RUN" "$STATE/said"
	done
	for pid in "${BACKGROUND[@]}"; do wait "$pid" || true; done
	BACKGROUND=()
	[ "$(grep -c '^down$' "$STATE/said")" = 1 ]
	[ -z "$(ls -A "$RUN/labs")" ]
}

@test "a command of the file that fails ends the lab" {
	lab <<-END
		nodes:
		  h1: {run: [true, "echo no >&2; exit 3"]}
	END
	refused "node h1: 'echo no >&2; exit 3' ended with status 3"
	assert_has no
	run ! pgrep -f -- "$RUN"
}

@test "a file that means harm is refused at its first bad place" {
	local text said
	while IFS='|' read -r text said; do
		printf '%b\n' "$text" >"$STATE/lab.yaml"
		refused "$said"
		assert_lacks $'\033'
	done <<-'END'
		hosts: h[1-4000000000]|lab.yaml:1:8: 'h[1-4000000000]' is neither a name nor a range
		name: ../../etc\nhosts: h1|lab.yaml:1:7: '../../etc' is no name for a lab
		name: "a b"\nhosts: h1|lab.yaml:1:8: 'a b' is no name for a lab
		name: "a\\u001b[31m"\nhosts: h1|is no name for a lab
		hosts: &x [*x]|anchors are not read
		hosts: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[|more than 16 deep
	END
	printf 'hosts: h1\n' >"$STATE/my lab.yaml"
	run strake lab up "$STATE/my lab.yaml"
	assert_status 1
	assert_has "give it one with 'name:'"
}

@test "what the file says wrong is told with its place and the nearest word" {
	lab <<-END
		nodes:
		  h1: {adresses: [10.0.0.1/24]}
	END
	refused "lab.yaml:2:8: node h1 has no key 'adresses'; did you mean 'addresses'?"
	lab <<-END
		nodes: {h1: , s1: {kind: switch}}
		links: [h1 - s2]
	END
	refused "lab.yaml:2:9: lab lab has no node 's2'; did you mean 's1'?"
	lab <<-END
		nodes: {h1: {addresses: [10.0.0.1]}}
	END
	refused "lab.yaml:1:26: an address has its subnet's length"
	printf 'nodes:\n  h1: [\n' >"$STATE/lab.yaml"
	refused "lab.yaml:"
}

@test "the JSON Schema has every key that is read, and no other" {
	need_command python3
	"$TOOLS/lab-schema.py" "$HERE/../../src/lab" "$HERE/../../docs/lab.schema.json"
}

@test "the script of a dry run raises the same lab" {
	need_command jq
	LAB=container-nat
	sed 's/172.18.0.20.16.,/& interfaces: {eth0: {mtu: 1400, rp_filter: 2}},/; s/nat: eth0/&\n    publish: [{port: 80, to: "172.18.0.10:80"}]/' "$LABS/container-nat.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	ours() { in_node "$@"; }
	theirs() { ip netns exec "container-nat-$1" "${@:2}"; }
	dump() {
		for node in c1 c2 host outside; do
			echo "== $node"
			"$1" $node ip -j address show | jq -S '[.[] | {ifname, address, mtu, flags, addr_info: [.addr_info[]? | {local, prefixlen}]}] | sort_by(.ifname)'
			"$1" $node ip route
			"$1" $node bridge link | sed 's/^[0-9]*: //; s/@.*mtu/ mtu/'
			"$1" $node cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/default/accept_ra
			"$1" $node nft list ruleset | sed 's/ comment ".*"//; s/priority -100/priority dstnat/; s/counter packets [0-9]* bytes [0-9]*/counter/'
		done
	}
	dump ours >"$STATE/ours"
	down container-nat
	mount -t tmpfs netns /run
	strake --dry-run lab up "$STATE/lab.yaml" >"$STATE/script"
	[ -z "$(strake lab list -q)" ]
	sh "$STATE/script"
	dump theirs >"$STATE/theirs"
	ip -all netns delete
	umount -R /run
	diff "$STATE/ours" "$STATE/theirs"
}

@test "--explain says each step, and a node knows the others' names" {
	run strake --explain lab up -q "$LABS/one-subnet.yaml"
	assert_status 0
	assert_has 'ip -n one-subnet-s1 link add br0'
	LAB=one-subnet
	reach h1 h3
	run in_node h1 hostname
	[ "$output" = h1 ]
	run in_node h1 sh -c 'exit 7'
	assert_status 7
	run in_node h4 true
	assert_status 125
	assert_has "no node 'h4'; did you mean 'h1'?"
}

@test "a cable is pulled and plugged in again" {
	LAB=hierarchy
	sed 's/^hosts:/hosts:\n  h1: {addresses: [10.0.0.1\/24]}\n  h2: {addresses: [10.0.0.2\/24], routes: [10.1.0.0\/16 via 10.0.0.1]}/; s/^links:/links:\n  - h1 - br1\n  - h2 - br2/' "$LABS/hierarchy.yaml" >"$STATE/lab.yaml"
	up "$STATE/lab.yaml"
	reach h1 10.0.0.2
	strake lab link hierarchy br2 br3 down
	no_reach h1 10.0.0.2
	strake lab link hierarchy br3 br2 up
	reach h1 10.0.0.2
	strake lab link hierarchy h2 br2 down
	run strake lab show hierarchy h2
	assert_has 'no carrier'
	strake lab link hierarchy h2 br2 up
	reach h2 10.0.0.1
	run in_node h2 ip route
	assert_has '10.1.0.0/16 via 10.0.0.1'
	run strake lab link hierarchy h1 h2 up
	assert_status 1
	assert_has 'no link joins h1 and h2'
}

@test "a cable that delays and one that loses, by the kernel or by a process of the lab" {
	LAB=wan
	lab <<-END
		name: wan
		nodes:
		  h1: {addresses: [10.0.0.1/24], interfaces: {eth0.7: {addresses: [10.7.0.1/24]}}}
		  h2: {addresses: [10.0.0.2/24], interfaces: {eth0.7: {addresses: [10.7.0.2/24]}}}
		  h3: {addresses: [10.0.0.3/24], run: busybox httpd -p 80 -h /usr/share/common-licenses}
		  s1: {kind: switch}
		links:
		  - {between: [h1, s1], trunk: [7], native: 1}
		  - {between: [h2, s1], delay: 30ms, trunk: [7], native: 1}
		  - {between: [h3, s1], delay: 1ms, jitter: 1ms, rate: 100mbit}
		  - {between: [h2:eth1, h3:eth1], loss: 100%}
	END
	run strake lab up "$STATE/lab.yaml"
	assert_status 0
	assert_has 'delay, loss and rate are'
	run reach h1 10.0.0.2
	[[ $output =~ time=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 60 ]
	# A tag goes along, and so do frames that the kernel has not cut to size yet.
	run reach h1 10.7.0.2
	[[ $output =~ time=([0-9]+) ]]
	[ "${BASH_REMATCH[1]}" -ge 60 ]
	in_node h1 curl -fsS -m 10 http://10.0.0.3/GPL-3 >"$STATE/page"
	cmp "$STATE/page" /usr/share/common-licenses/GPL-3
	in_node h2 ip address add 10.1.0.2/24 dev eth1
	in_node h3 ip address add 10.1.0.3/24 dev eth1
	no_reach h2 10.1.0.3
	strake lab link wan h2 s1 down
	no_reach h1 10.0.0.2
	strake lab link wan s1 h2 up
	reach h1 10.0.0.2
}

@test "a node is a container, of a file or a directory, and ends with its lab" {
	rootfs_new "$STATE/tree"
	LAB=boxes
	lab <<-END
		name: boxes
		nodes:
		  s1: {kind: switch}
		  h1: {addresses: [10.0.0.1/24]}
		  web: {kind: container, addresses: [10.0.0.2/24], bare: /bin/busybox, command: [nc, -ll, -p, "80", -e, /busybox, echo, hello]}
		  box: {kind: container, addresses: [10.0.0.3/24], directory: tree, command: [sleep, "1000"]}
		links: [h1 - s1, web - s1, box - s1]
	END
	up "$STATE/lab.yaml"
	run in_node box busybox nc 10.0.0.2 80
	[ "$output" = hello ]
	run in_node box cat /etc/hosts
	assert_has '10.0.0.2 web'
	reach h1 web
	run strake ps --format '{{.Names}}'
	assert_has boxes-web
	down boxes
	run strake ps -aq
	[ -z "$output" ]
	up "$STATE/lab.yaml"
	kill -KILL "$(strake lab list --format json | jq '.[0].keeper')"
	none() { [ -z "$(strake ps -aq)" ]; }
	soon none
	sed -i 's/command: .sleep.*1000"./command: [no-such-command]/' "$STATE/lab.yaml"
	refused 'node box: its container did not start'
	soon none
}

@test "labs beside each other, with the same addresses" {
	for i in 1 2 3 4; do
		sed "s/name: one-subnet/name: lab$i/" "$LABS/one-subnet.yaml" >"$STATE/$i.yaml"
		background strake lab up -q "$STATE/$i.yaml"
	done
	for pid in "${BACKGROUND[@]}"; do wait "$pid"; done
	BACKGROUND=()
	[ "$(strake lab list -q | wc -l)" = 4 ]
	for LAB in lab1 lab2 lab3 lab4; do reach h1 192.168.0.2; done
	strake lab down lab1 lab2 lab3 lab4
	[ -z "$(strake lab list -q)" ]
}
