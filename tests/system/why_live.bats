# shellcheck shell=bash disable=SC2154 # lib.bash and bats set what is used here
# strake why A B: real packets, followed and judged.
#
#	guest 172.16.0.2 ---- vHOST in br0 172.16.0.1, here 192.0.2.1 ---- outside 192.0.2.2
load lib
load network_lib
bats_require_minimum_version 1.5.0

why() { "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" why "$@"; }

setup() {
	state_new
	need_program strake strake-why
	need_command nft iptables-nft iptables-nft-save
	outside_new
	touch "$STATE/guest"
	unshare --net="$STATE/guest" true
	mount -t tmpfs strake-test-run /run
	mkdir /run/netns
	for name in guest outside; do
		touch "/run/netns/$name"
		mount --bind "$STATE/$name" "/run/netns/$name"
	done
	mounts_are_ours
	ip link add br0 type bridge
	ip address add 172.16.0.1/16 dev br0
	ip link add vHOST type veth peer name vGUEST netns "$STATE/guest"
	ip link set vHOST master br0 up
	ip link set br0 up
	in_guest ip link set lo up
	in_guest ip address add 172.16.0.2/16 dev vGUEST
	in_guest ip link set vGUEST up
	in_guest ip route add default via 172.16.0.1
	echo 1 >/proc/sys/net/ipv4/ip_forward
	bridge_netfilter 0
}
teardown() {
	umount -R -l /run 2>/dev/null || true
	umount "$STATE/guest" "$STATE/outside" "$STATE/other" 2>/dev/null || true
	network_done
}
in_guest() { nsenter --net="$STATE/guest" "$@"; }
masquerade() { iptables-nft -t nat -A POSTROUTING -s 172.16.0.0/16 -o out0 -j MASQUERADE; }
# says STATUS TEXT... COMMAND: what is asked has that status and says all that.
verdict() { # STATUS VERDICT
	assert_status "$1"
	assert_has "verdict: $2"
}
advice() { assert_has "to look at or change it (not run):  $1"; }

@test "A9.13 --draw: a picture for each network that the packet came through, its stations and chains marked, and where it ended" {
	masquerade
	iptables-nft -N USER
	iptables-nft -A FORWARD -p tcp --dport 9 -j USER
	iptables-nft -A USER -j DROP
	run why --draw "$STATE/way.svg" --from guest 192.0.2.2:9
	verdict 3 "dropped, "
	"$PYTHON" -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$STATE/way.svg"
	grep -q 'class="title" xml:space="preserve">1. request in netns guest</text>' "$STATE/way.svg"
	grep -q 'class="title" xml:space="preserve">2. request in this host</text>' "$STATE/way.svg"
	grep -q 'class="hot" xml:space="preserve">    0 ip filter FORWARD: 1 rule, accept</text>' "$STATE/way.svg"
	grep -q 'class="hot" xml:space="preserve">      &#62; USER (1) &#60;== here</text>' "$STATE/way.svg"
	# sent there; prerouting and forward here, and it never leaves
	grep -c 'class="station hot"' "$STATE/way.svg" | grep -qx 4
	[ -z "${KEEP_PICTURE-}" ] || cp "$STATE/way.svg" "$KEEP_PICTURE"
	# text, with the answer
	run why --draw - --icmp --from guest 192.0.2.2
	verdict 0 "delivered"
	assert_has "3. request in netns outside"
	assert_has "6. answer in netns guest"
	assert_has "*  100 ip nat POSTROUTING: 1 rule, accept"
	assert_lacks "<== here"
	run why --draw "$STATE/way.png" --icmp --from guest 192.0.2.2
	assert_status 1
	assert_equal "$output" "strake why: --draw $STATE/way.png: only .svg and .txt can be drawn, or -"
}

@test "A9.1 A9.9 one ping without a rule or a log: every chain in order, nat for the first packet alone" {
	for table in raw mangle nat filter; do
		for chain in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do
			for where in "" in_guest; do
				$where iptables-nft -t $table -A $chain 2>/dev/null || true
			done
		done
	done
	masquerade
	run why --icmp --count 2 --from guest 192.0.2.2
	verdict 0 "delivered, and answered"
	why --icmp --count 2 --from guest --json 192.0.2.2 >"$STATE/two"
	for packet in 1 2; do
		seen=$(jq -r ".steps[] | select(.packet == $packet and .kind == \"policy\") | select(.table != \"nat\") | \"\\(.direction) \\(.table)/\\(.chain)\"" "$STATE/two")
		assert_equal "$seen" "$(printf 'request %s\n' raw/OUTPUT mangle/OUTPUT filter/OUTPUT mangle/POSTROUTING \
			raw/PREROUTING mangle/PREROUTING mangle/FORWARD filter/FORWARD mangle/POSTROUTING
			printf 'answer %s\n' raw/PREROUTING mangle/PREROUTING mangle/FORWARD filter/FORWARD mangle/POSTROUTING \
				raw/PREROUTING mangle/PREROUTING mangle/INPUT filter/INPUT)"
	done
	for packet in 1 2; do
		seen=$(jq -r ".steps[] | select(.packet == $packet and .direction == \"request\" and .place == \"this host\" and .table) | \"\(.table)/\(.chain)\"" "$STATE/two" | uniq | tr '\n' ' ')
		case $packet in
		1) assert_equal "$seen" "raw/PREROUTING mangle/PREROUTING nat/PREROUTING mangle/FORWARD filter/FORWARD mangle/POSTROUTING nat/POSTROUTING " ;;
		2) assert_equal "$seen" "raw/PREROUTING mangle/PREROUTING mangle/FORWARD filter/FORWARD mangle/POSTROUTING " ;;
		esac
	done
	assert_equal "$(jq '[.steps[] | select(.table == "nat" and .packet == 2)] | length' "$STATE/two")" 0
	assert_has "leaves by out0; its source is now 192.0.2.1 (was 172.16.0.2)"
	assert_has "its destination is now 172.16.0.2 (was 192.0.2.1)"
	assert_has "nat chains are not asked: only a connection's first packet is"
}

@test "A9.2 foreign rules are byte-equal before, during and after, and a killed tracer leaves nothing" {
	masquerade
	nft add table inet foreign
	nft add chain inet foreign in '{ type filter hook input priority 0; }'
	nft -a list ruleset >"$STATE/before"
	foreign() { nft -a list table ip nat && nft -a list table inet foreign; }
	foreign >"$STATE/foreign"
	run why --icmp 192.0.2.2
	verdict 0 "delivered"
	nft -a list ruleset | diff "$STATE/before" -
	run "$PROGRAMS/strake" --dry-run why --icmp 192.0.2.2
	assert_status 0
	assert_has "# a packet is sent"
	assert_lacks "verdict"
	"$PROGRAMS/strake" why --watch --timeout 30 192.0.2.1:999 >/dev/null 2>&1 3>&- &
	watcher=$!
	traced() { nft list tables | grep -q "strake-why"; }
	soon traced
	# while it traces, its own tables have an owner, and all others are what they were
	for table in $(nft list tables | awk '/strake-why/ { print $2 ":" $3 }'); do
		nft list table "${table%:*}" "${table#*:}" | grep -q "flags owner"
	done
	foreign | diff "$STATE/foreign" -
	kill -KILL "$watcher"
	wait "$watcher" || true
	untraced() { ! traced; }
	soon untraced
	nft -a list ruleset | diff "$STATE/before" -
}

@test "A9.4 A9.5 A9.6 policies, chains that fall through, RETURN, and which table wins" {
	listen outside stub tcp:80
	masquerade
	iptables-nft -N USER
	iptables-nft -A USER -p udp -j DROP
	iptables-nft -A USER -p tcp --dport 22 -j DROP
	iptables-nft -A FORWARD -j USER
	iptables-nft -A FORWARD -p tcp --dport 80 -j RETURN
	iptables-nft -P FORWARD DROP
	run why 172.16.0.2 192.0.2.2:80
	verdict 3 "dropped, in this host, by the policy of table ip filter, chain FORWARD (iptables, an administrator)"
	assert_has "chain USER: none of its 2 rules decides, back to FORWARD after rule 1"
	assert_has "rule 2: packets to tcp 80 are left to the policy"
	assert_has "end of FORWARD, policy drop   <== here"
	advice "iptables -t filter -I FORWARD -s 172.16.0.2 -d 192.0.2.2 -p tcp --dport 80 -j ACCEPT"
	# the command does change it
	iptables -t filter -I FORWARD -s 172.16.0.2 -d 192.0.2.2 -p tcp --dport 80 -j ACCEPT
	iptables-nft -I FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
	run why 172.16.0.2 192.0.2.2:80
	verdict 0 "delivered"
	assert_has "established connections are let through"
	# INPUT: accepted in mangle, dropped in filter, and the other way
	iptables-nft -t mangle -A INPUT -p tcp --dport 80 -j ACCEPT
	iptables-nft -A INPUT -p tcp --dport 80 -j DROP
	run why outside 192.0.2.1:80
	verdict 3 "dropped, in this host, by rule 1 of table ip filter, chain INPUT"
	assert_has "table ip mangle, chain INPUT: rule 1: packets to tcp 80 are let in"
	iptables-nft -t mangle -R INPUT 1 -p tcp --dport 80 -j DROP
	iptables-nft -R INPUT 1 -p tcp --dport 80 -j ACCEPT
	run why outside 192.0.2.1:80
	verdict 3 "dropped, in this host, by rule 1 of table ip mangle, chain INPUT"
	assert_lacks "table ip filter, chain INPUT"
}

@test "A9.8 the layman's set: INPUT DROP with a port open, ESTABLISHED, REJECT against DROP, nobody listens" {
	listen host web tcp:80
	iptables-nft -P INPUT DROP
	iptables-nft -A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT
	run why outside 192.0.2.1:80
	verdict 0 "delivered"
	assert_has "rule 1: new or established connections to tcp 80 or 443 are let in"
	assert_has "is delivered here (of a new connection)"
	assert_has "leaves by out0 (of an established connection)"
	run why outside 192.0.2.1:443
	verdict 4 "refused, nobody listens on tcp port 443 in this host"
	advice "ss -lnt"
	run why outside 192.0.2.1:22
	verdict 3 "dropped, in this host, by the policy of table ip filter, chain INPUT"
	iptables-nft -A INPUT -p tcp --dport 22 -j REJECT
	run why outside 192.0.2.1:22
	verdict 4 "refused, in this host, by rule 2 of table ip filter, chain INPUT"
	assert_equal "$(why outside 192.0.2.1:22 --json | jq -r '"\(.schema) \(.verdict) \(.at.place) \(.at.chain) \(.at.rule)"')" \
		"1 refused this host INPUT 2"
	# the answer is what is stopped
	iptables-nft -A OUTPUT -p tcp --sport 80 -j DROP
	run why outside 192.0.2.1:80
	verdict 3 "dropped, the answer, in this host, by rule 1 of table ip filter, chain OUTPUT"
	run why outside 192.0.2.1:53/udp
	verdict 3 "dropped, in this host, by the policy of table ip filter, chain INPUT"
}

@test "A5.6 A5.7 masquerading, the way back that lacks, and a host that does not forward" {
	listen outside stub tcp:80
	masquerade
	run why 172.16.0.2 192.0.2.2:80
	verdict 0 "delivered"
	assert_has "leave as if they came from this host's own address"
	iptables-nft -t nat -F POSTROUTING
	run why 172.16.0.2 192.0.2.2:80
	verdict 3 "lost, the request arrived, the answer cannot leave: netns outside has no route back to 172.16.0.2"
	advice "nsenter --net=/run/netns/outside ip route add 172.16.0.2 via GATEWAY"
	echo 0 >/proc/sys/net/ipv4/ip_forward
	run why 172.16.0.2 192.0.2.2:80
	verdict 3 "lost, this host does not forward"
	advice "sysctl -w net.ipv4.ip_forward=1"
}

@test "A5.9 DNAT in PREROUTING is not for local packets; route_localnet; a foreign table blocks a published port" {
	# shellcheck disable=SC2034 # network_lib.bash finds the namespace by it
	NETNS[guest]=$STATE/guest
	listen guest web tcp:80
	iptables-nft -t nat -A PREROUTING -d 192.0.2.1 -p tcp --dport 8080 -j DNAT --to-destination 172.16.0.2:80
	run why outside 192.0.2.1:8080
	verdict 0 "delivered"
	assert_has "packets to tcp 8080 to 192.0.2.1 are sent on to 172.16.0.2 port 80"
	assert_has "its destination is now 172.16.0.2:80 (was 192.0.2.1:8080)"
	run why host 192.0.2.1:8080
	verdict 4 "refused, nobody listens on tcp port 8080 in this host; what is sent here itself does not pass PREROUTING"
	advice "iptables -t nat -A OUTPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.16.0.2:80"
	# a rule for another address or protocol is not what was missed; one in a chain that is called is
	iptables-nft -t nat -A PREROUTING -d 10.99.99.99 -p tcp --dport 7001 -j DNAT --to-destination 172.16.0.2:80
	iptables-nft -t nat -A PREROUTING -p udp --dport 7001 -j DNAT --to-destination 172.16.0.2:80
	run why host 192.0.2.1:7001
	verdict 4 "refused, nobody listens on tcp port 7001 in this host"
	assert_lacks "does not pass PREROUTING"
	iptables-nft -t nat -N DOCKER
	iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
	iptables-nft -t nat -A DOCKER ! -i br0 -p tcp --dport 7002 -j DNAT --to-destination 172.16.0.2:80
	run why host 192.0.2.1:7002
	verdict 4 "refused, nobody listens on tcp port 7002 in this host; what is sent here itself does not pass PREROUTING"
	assert_lacks "not run" # no rule of OUTPUT can ask for a link to come by
	iptables -t nat -A OUTPUT -d 192.0.2.1 -p tcp --dport 8080 -j DNAT --to-destination 172.16.0.2:80
	run why host 192.0.2.1:8080
	verdict 0 "delivered"
	nft add table inet block
	nft add chain inet block f '{ type filter hook forward priority 10; }'
	nft add rule inet block f ip daddr 172.16.0.2 tcp dport 80 drop
	run why outside 192.0.2.1:8080
	verdict 3 "dropped, in this host, by rule 1 of table inet block, chain f (nftables, an administrator): ip daddr 172.16.0.2 tcp dport 80 drop"
	assert_has "to look at or change it (not run):  nft insert rule inet block f position "
	iptables-nft -t nat -A PREROUTING -p tcp --dport 7000 -j DNAT --to-destination 127.0.0.1:80
	run why outside 192.0.2.1:7000
	verdict 3 "lost, this host does not take 127.0.0.0/8 from a link (route_localnet of out0 is 0)"
	advice "sysctl -w net.ipv4.conf.out0.route_localnet=1"
}

@test "A9.15 drops outside of rules: rp_filter, no route, neighbour, TTL, MTU, an isolated port" {
	run why --from outside 10.77.0.1:80
	verdict 3 "lost, it was not sent: netns outside has no route to 10.77.0.1"
	ip route add prohibit 10.77.0.0/16
	ip route add blackhole 10.78.0.0/16
	run why --icmp 10.77.0.1
	verdict 3 "lost, it was not sent: the route of this host to 10.77.0.1 says 'prohibit'"
	run why --from guest 10.78.0.1:80
	verdict 3 "lost, it cannot go on: the route of this host to 10.78.0.1 says 'blackhole'"
	run why --from guest 172.16.0.99:80
	verdict 3 "lost, nobody answers for 172.16.0.99 on vGUEST of netns guest: there is no such neighbour"
	in_network outside ip address add 10.66.0.1/32 dev lo
	echo 1 >/proc/sys/net/ipv4/conf/out0/rp_filter
	ip route add 10.66.0.0/24 dev br0
	in_network outside ip route add 172.16.0.0/16 via 192.0.2.1
	in_network outside ping -c 1 -W 2 192.0.2.1 >/dev/null
	run why 10.66.0.1 172.16.0.2:80
	verdict 3 "lost, the reverse path filter of this host: an answer would leave by br0, not by out0"
	advice "sysctl -w net.ipv4.conf.out0.rp_filter=2"
	echo 2 >/proc/sys/net/ipv4/conf/out0/rp_filter
	ip route del 10.66.0.0/24
	ip route del default
	run why 10.66.0.1 172.16.0.2:80
	verdict 3 "lost, the reverse path filter: this host has no route to 10.66.0.1"
	run why --icmp --ttl 1 --from guest 192.0.2.2
	verdict 3 "lost, its time to live ended in this host"
	masquerade
	ip link set out0 mtu 1000
	run why --icmp --size 1400 --from guest 192.0.2.2
	verdict 3 "lost, it is larger than the MTU of the next link, says 172.16.0.1"
	run why --icmp --size 1400 192.0.2.2
	verdict 3 "lost, it is larger than the MTU of out0 in this host (1000 bytes)"
	touch "$STATE/other"
	unshare --net="$STATE/other" true
	mount --bind "$STATE/other" "$(touch /run/netns/other && echo /run/netns/other)"
	ip link add vOTHER type veth peer name eth0 netns "$STATE/other"
	ip link set vOTHER master br0 up
	nsenter --net="$STATE/other" sh -c 'ip address add 172.16.0.3/16 dev eth0; ip link set eth0 up'
	in_guest ping -c 1 -W 2 172.16.0.3 >/dev/null
	bridge link set dev vOTHER isolated on
	bridge link set dev vHOST isolated on
	run why --icmp --from guest 172.16.0.3
	umount "$STATE/other"
	verdict 3 "lost, port vHOST of the bridge in this host is isolated"
	advice "bridge link set dev vHOST isolated off"
}

@test "why: containers by name, a hairpin with bridge netfilter off and on, and an internal network" {
	umount -R -l /run
	strake network create inside --internal >/dev/null
	serve web -p 8080:80
	client tester
	client locked --network inside
	for netfilter in 0 1; do
		bridge_netfilter $netfilter
		run why --from tester 192.0.2.1:8080
		verdict 0 "delivered"
		assert_has "request in "
		assert_has "(strake)"
	done
	run why tester web:80
	verdict 0 "delivered"
	run why --from locked 192.0.2.2:80
	assert_status 3
	assert_has "has no route to 192.0.2.2"
	run why show --container web
	assert_status 0
	run why --watch --timeout 1 192.0.2.1:7777
	assert_status 1
	assert_has "no packet to port 7777 came within 1 s"
}

@test "why A B: a packet is followed on a host with many network namespaces" {
	for i in $(seq 70); do
		touch "/run/netns/many$i"
		unshare --net="/run/netns/many$i" true
	done
	run why --icmp 172.16.0.2
	verdict 0 "delivered, and answered"
	assert_has "request in netns guest"
	why --icmp --json 172.16.0.2 | jq -e '.places_cut == false'
}

@test "why --watch follows the user's own packet" {
	listen outside stub tcp:80
	masquerade
	"$PROGRAMS/strake" why --watch --timeout 30 192.0.2.2:80 >"$STATE/said" 2>&1 3>&- &
	watcher=$!
	# shellcheck disable=SC2317 # soon calls it
	watches() { nft list tables | grep -q strake-why && nsenter --net="$STATE/outside" nft list tables | grep -q strake-why; }
	soon watches
	in_guest "$PYTHON" -ISE "$TOOLS/probe.py" tcp 192.0.2.2 80
	wait "$watcher"
	output=$(cat "$STATE/said")
	assert_has "verdict: delivered"
	assert_has "its source is now 192.0.2.1"
}

@test "why --watch follows a packet that is sent on to another port, and its answer, among others" {
	# shellcheck disable=SC2034 # listen reads it
	NETNS[guest]=$STATE/guest
	listen guest stub tcp:8080
	iptables-nft -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 172.16.0.2:8080
	iptables-nft -t nat -A PREROUTING -p tcp --dport 82 -j DNAT --to-destination 172.16.0.2:8082
	iptables-nft -t nat -A POSTROUTING -o br0 -j MASQUERADE --random
	watch_for() { # TARGET COMMAND...
		"$PROGRAMS/strake" why --watch --timeout 30 "$1" >"$STATE/said" 2>&1 3>&- &
		watcher=$!
		soon watches
		shift
		"$@" || true
		status=0
		wait "$watcher" || status=$?
		output=$(cat "$STATE/said")
	}
	watches() { nft list tables | grep -q strake-why && nsenter --net="$STATE/outside" nft list tables | grep -q strake-why; }
	from_outside() { nsenter --net="$STATE/outside" "$PYTHON" -ISE "$TOOLS/probe.py" tcp "$@"; }
	both() { from_outside 192.0.2.1 9999 || true; from_outside 192.0.2.1 80; }
	watch_for 192.0.2.1:80 both
	verdict 0 "delivered, and answered"
	assert_has "request in netns guest"
	assert_has "answer in netns guest"
	assert_has "its source is now 192.0.2.1:80 (was 172.16.0.2:8080)"
	assert_lacks ":9999"
	watch_for 192.0.2.1:82 from_outside 192.0.2.1 82
	verdict 4 "refused, nobody listens on tcp port 8082 in netns guest"
	iptables-nft -t nat -A PREROUTING -p udp --dport 53 -j DNAT --to-destination 172.16.0.2:5353
	watch_for 192.0.2.1:53/udp nsenter --net="$STATE/outside" "$PYTHON" -ISE "$TOOLS/probe.py" udp 192.0.2.1 53 1
	verdict 4 "refused, nobody listens on udp port 5353 in netns guest"
	# the answer, which has the other port, is what is dropped
	iptables-nft -A FORWARD -p tcp --sport 8080 -j DROP
	watch_for 192.0.2.1:80 from_outside 192.0.2.1 80
	verdict 3 "dropped, the answer, in this host, by rule 1 of table ip filter, chain FORWARD"
	run why --watch --icmp 192.0.2.1:80
	assert_status 1
	assert_has "--watch is for tcp and udp"
}

@test "why A B: rules of iptables-legacy, of which no trace tells, are worked out" {
	need_command iptables-legacy ip6tables-legacy
	iptables-legacy -L -n >/dev/null 2>&1 || skip "the kernel has no iptables-legacy"
	listen outside stub tcp:80
	iptables-nft -t nat -A PREROUTING -p tcp --dport 81 -j DNAT --to-destination 192.0.2.2:80
	masquerade
	iptables-legacy -A FORWARD -p tcp --dport 80 -j DROP
	run why guest 192.0.2.1:81
	verdict 3 "dropped, in this host, by rule 1 of table ip filter, chain FORWARD (iptables-legacy, an administrator)"
	advice "iptables-legacy -t filter -I FORWARD 1 -s 172.16.0.2 -d 192.0.2.2 -p tcp --dport 80 -j ACCEPT"
	assert_has "they were worked out"
	assert_has "not told above: rules of iptables-legacy in this host, of which no trace tells"
	iptables-legacy -F
	iptables-legacy -A FORWARD -p tcp --sport 80 -j DROP
	run why guest 192.0.2.1:81
	verdict 3 "dropped, the answer, in this host, by rule 1 of table ip filter, chain FORWARD (iptables-legacy"
	iptables-legacy -F
	iptables-legacy -A INPUT -p tcp --dport 99 -j REJECT
	run why outside 192.0.2.1:99
	verdict 4 "refused, in this host, by rule 1 of table ip filter, chain INPUT (iptables-legacy"
	iptables-legacy -R INPUT 1 -p tcp --dport 99 -m statistic --mode random --probability 1 -j DROP
	run why outside 192.0.2.1:99
	verdict 5 "unknown, it ends in this host, and no rule says so; there are rules of iptables-legacy"
	run why guest 192.0.2.1:81
	verdict 0 "delivered"
	assert_has "not told above: rules of iptables-legacy in this host"
	assert_equal "$(why guest 192.0.2.1:81 --json | jq -c .legacy_untold)" '["this host"]'
}

@test "why A B: packets of others that are traced at the same time are not the probe" {
	masquerade
	nft -f - <<-'END'
		table inet admin {
			chain trace { type filter hook prerouting priority -500; meta nftrace set 1; }
			chain drops { type filter hook forward priority 0; icmp type echo-request counter drop; }
		}
	END
	in_guest ping -q -i 0.01 192.0.2.2 >/dev/null 3>&- &
	sender=$!
	"$PROGRAMS/strake" why --watch --timeout 30 192.0.2.1:7 >/dev/null 2>&1 3>&- &
	watcher=$!
	# shellcheck disable=SC2317 # soon calls it
	others_are_traced() { nft list tables | grep -q strake-why && run ! grep -q "packets 0 " <(nft list chain inet admin drops); }
	soon others_are_traced
	run why guest 192.0.2.2:81
	kill "$sender" "$watcher"
	verdict 4 "refused, nobody listens on tcp port 81 in netns outside"
	assert_has "meta nftrace set 1"
	assert_lacks "strake-why"
	assert_lacks "echo-request"
}

@test "why: names are names: no command of nft or of a shell is made of them" {
	nft add table ip keep
	nft -j -f - <<-'END'
		{"nftables": [
		{"add": {"table": {"family": "ip", "name": "keep; add table ip injected"}}},
		{"add": {"chain": {"family": "ip", "table": "keep; add table ip injected", "name": "c", "type": "filter",
		"hook": "output", "prio": 0, "policy": "drop"}}}]}
	END
	nft -a list ruleset >"$STATE/before"
	run why show
	assert_status 0
	assert_has "table ip keep; add table ip injected, chain c, policy drop"
	run why --icmp 192.0.2.2
	verdict 3 "dropped, in this host, by the policy of table ip keep; add table ip injected, chain c"
	assert_lacks "not run"
	nft -a list ruleset | diff "$STATE/before" -
}

@test "A9.7 A9.10 IPv6 and bridges: what the kernel's trace says is what the evaluator works out" {
	touch "$STATE/other"
	unshare --net="$STATE/other" true
	mount --bind "$STATE/other" "$(touch /run/netns/other && echo /run/netns/other)"
	ip link add vOTHER type veth peer name eth0 netns "$STATE/other"
	ip link set vOTHER master br0 up
	nsenter --net="$STATE/other" sh -c 'ip address add 172.16.0.3/16 dev eth0; ip address add fd16::3/64 dev eth0 nodad; ip link set eth0 up'
	in_guest ip address add fd16::2/64 dev vGUEST nodad
	in_guest ip route add default via fd16::1
	ip address add fd16::1/64 dev br0 nodad
	ip address add fd02::1/64 dev out0 nodad
	nsenter --net="$STATE/outside" ip address add fd02::2/64 dev eth0 nodad
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	nft -f - <<-'END'
		table inet f {
			set hosts { type ipv6_addr; flags interval; elements = { fd16::/64, fd02::2 }; }
			chain low { icmpv6 type echo-request counter accept; ct state established accept; }
			chain user { meta l4proto udp drop; ip6 saddr @hosts tcp dport { 80, 443 } return; tcp dport 81 drop; ip6 hoplimit 63 goto low; }
			chain fw { type filter hook forward priority 0; policy drop; ct state established,related accept; meta nfproto ipv6 jump user; iifname "br0" oifname "out0" tcp dport 80 ip6 daddr fd02::/64 accept; }
			chain in { type filter hook input priority 0; policy accept; tcp dport 22 reject; meta mark 5 drop; }
			chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat ip6 to [fd02::2]:80; }
		}
		table bridge b {
			chain fw { type filter hook forward priority 0; ether type ip tcp dport 80 drop; ether type ip6 tcp dport 81 drop; meta l4proto tcp counter accept; }
		}
	END
	ip6tables-nft -t mangle -A PREROUTING -p tcp --dport 23 -j MARK --set-mark 5
	ip6tables-nft -A FORWARD -m conntrack --ctstate NEW -m hl --hl-eq 63 -j LOG
	nft -j list ruleset >"$STATE/rules"
	ip6tables-nft-save >"$STATE/saved" 2>/dev/null
	rules='(.steps[] | select(.kind == "rule") | "\(.family) \(.table) \(.chain) \(.rule)"), "\(.at.table) \(.at.chain) \(.at.rule)"'
	agree() { # TARGET PACKET
		why --from guest --json --timeout 1 "$1" | jq -r ".steps |= map(select(.place == \"this host\" and .direction == \"request\")) | $rules" >"$STATE/live"
		why check --json --local fd02::1=out0 --local fd16::1=br0 --route fd02::/64=out0 "$STATE/rules" "$STATE/saved" -- "$2" |
			jq -r "$rules" >"$STATE/worked-out"
		[ "$(wc -l <"$STATE/live")" -gt 1 ]
		diff "$STATE/live" "$STATE/worked-out"
	}
	agree '[fd02::2]:80' 'in br0 out out0 tcp [fd16::2]:1000 -> [fd02::2]:80 ttl 64'
	agree '[fd02::2]:81' 'in br0 out out0 tcp [fd16::2]:1000 -> [fd02::2]:81 ttl 64'
	agree '[fd02::1]:8080' 'in br0 tcp [fd16::2]:1000 -> [fd02::1]:8080 ttl 64'
	agree '[fd16::1]:22' 'in br0 tcp [fd16::2]:1000 -> [fd16::1]:22'
	agree '[fd16::1]:23' 'in br0 tcp [fd16::2]:1000 -> [fd16::1]:23'
	agree 'fd02::2/icmp' 'in br0 out out0 icmpv6 from fd16::2 to fd02::2 ttl 64'
	agree '[fd02::2]:53/udp' 'in br0 out out0 udp [fd16::2]:1000 -> [fd02::2]:53 ttl 64'
	bridge_netfilter 0
	agree 172.16.0.3:80 'bridged in vHOST out vOTHER tcp 172.16.0.2:1000 -> 172.16.0.3:80'
	agree '[fd16::3]:81' 'bridged in vHOST out vOTHER tcp [fd16::2]:1000 -> [fd16::3]:81'
	agree '[fd16::3]:82' 'bridged in vHOST out vOTHER tcp [fd16::2]:1000 -> [fd16::3]:82'
}
