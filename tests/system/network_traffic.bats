#!/usr/bin/env bats
# Who reaches whom, with real TCP and UDP, IPv4 and IPv6, with bridge netfilter off and on.
bats_require_minimum_version 1.5.0
load lib
load network_lib

teardown() { network_done; }

# Every check is one function, run in both worlds.

published() { # A5.8, A5.10, A5.11
	outside_new
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	serve web --network dual -p 8080:80 -p 8081:81/udp
	serve other --network dual
	serve far -p 7070:80
	reach outside tcp "$HERE4" 8080 "web $OUT4"
	reach outside udp "$HERE4" 8081 "web $OUT4"
	reach outside tcp "$HERE6" 8080 "web $OUT6"
	reach outside udp "$HERE6" 8081 "web $OUT6"
	reach host tcp "$HERE4" 8080 "web $HERE4"
	reach host udp "$HERE4" 8081 "web $HERE4"
	reach host tcp "$HERE6" 8080 "web $HERE6"
	reach host tcp 10.1.0.1 8080 "web 10.1.0.1"
	reach host tcp 127.0.0.1 8080 web
	reach host udp 127.0.0.1 8081 web
	reach host tcp 127.0.0.2 8080 web
	reach host tcp ::1 8080 web
	reach host udp ::1 8081 web
	reach other tcp 10.1.0.1 8080 web
	reach other tcp "$HERE4" 8080 web
	reach other udp "$HERE4" 8081 web
	reach other tcp fd01::1 8080 web
	reach other tcp "$HERE6" 8080 web
	reach web tcp "$HERE4" 8080 web
	reach web udp "$HERE4" 8081 web
	reach web tcp "$HERE6" 8080 web
	reach web tcp 10.1.0.1 8080 web
	reach far tcp "$HERE4" 8080 "web $(address far)"
	reach far tcp 10.1.0.1 8080 "web $(address far)"
	reach web tcp "$HERE4" 7070 "far $(address web dual)"
	reach outside tcp "$HERE4" 7070 "far $OUT4"
	no_reach outside tcp "$HERE4" 80
	no_reach outside tcp "$HERE4" 8081
	no_reach outside udp "$HERE4" 8080
}
@test "A5.8 A5.10 A5.11 published ports answer from everywhere, and see who asks (bridge netfilter off)" {
	bridge_netfilter 0
	published 0
}
@test "A5.8 A5.10 A5.11 published ports answer from everywhere, and see who asks (bridge netfilter on)" {
	bridge_netfilter 1
	published 1
}

isolated() { # A5.12
	outside_new
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 one >/dev/null
	strake network create --ipv6 --subnet 10.2.0.0/24 --subnet fd02::/64 two >/dev/null
	serve a --network one -p 8080:80
	serve b --network one
	serve c --network two
	in_network outside ip route add 10.1.0.0/24 via "$HERE4"
	in_network outside ip -6 route add fd01::/64 via "$HERE6"
	reach a tcp "$(address b one)" 80 "b $(address a one)"
	reach a udp "$(address b one)" 81 "b $(address a one)"
	reach a tcp "$(address6 b one)" 80 "b $(address6 a one)"
	reach host tcp "$(address b one)" 80 "b 10.1.0.1"
	reach host tcp "$(address6 b one)" 80 "b fd01::1"
	no_reach a tcp "$(address c two)" 80
	no_reach c udp "$(address a one)" 81
	no_reach a tcp "$(address6 c two)" 80
	no_reach outside tcp "$(address b one)" 80
	no_reach outside tcp "$(address a one)" 80
	no_reach outside tcp "$(address6 b one)" 80
	no_reach outside udp "$(address6 a one)" 81
}
@test "A5.12 not published is not reached: other networks, the machine next door (bridge netfilter off)" {
	bridge_netfilter 0
	isolated 0
}
@test "A5.12 not published is not reached: other networks, the machine next door (bridge netfilter on)" {
	bridge_netfilter 1
	isolated 1
}

outbound() { # A5.6
	outside_new
	listen outside internet tcp:9000 udp:9001
	strake network create --ipv6 dual >/dev/null
	strake network create --internal --ipv6 --subnet 10.3.0.0/24 --subnet fd03::/64 inner >/dev/null
	client a --network dual
	serve i --network inner
	serve k --network inner
	client both --network inner --network dual
	reach a tcp "$OUT4" 9000 "internet $HERE4"
	reach a udp "$OUT4" 9001 "internet $HERE4"
	reach a tcp "$OUT6" 9000 "internet $HERE6"
	reach a udp "$OUT6" 9001 "internet $HERE6"
	reach both tcp "$OUT4" 9000 "internet $HERE4"
	reach both tcp 10.3.0.2 80 "i $(address both inner)"
	no_reach i tcp "$OUT4" 9000
	in_network i ip route add default via 10.3.0.1
	in_network i ip -6 route add default via fd03::1
	no_reach i tcp "$OUT4" 9000
	no_reach i tcp "$OUT6" 9000
	no_reach i tcp "$(address a dual)" 80
	reach i tcp "$(address k inner)" 80 k
	reach host tcp "$(address i inner)" 80 i
	run strake run --rm --network inner -p 80:80 --bare /bin/busybox true
	assert_status 125
	assert_has internal
}
@test "A5.6 A5.14 outbound as this host; an internal network has no way out (bridge netfilter off)" {
	bridge_netfilter 0
	outbound 0
}
@test "A5.6 A5.14 outbound as this host; an internal network has no way out (bridge netfilter on)" {
	bridge_netfilter 1
	outbound 1
}

icc_off() {
	outside_new
	strake network create --icc false --ipv6 --subnet 10.4.0.0/24 --subnet fd04::/64 apart >/dev/null
	serve a --network apart -p 8080:80
	serve b --network apart
	no_reach a tcp "$(address b apart)" 80
	no_reach b udp "$(address a apart)" 81
	no_reach a tcp "$(address6 b apart)" 80
	reach b tcp 10.4.0.1 8080 a
	reach b tcp fd04::1 8080 a
	reach a tcp 10.4.0.1 8080 a
	reach outside tcp "$HERE4" 8080 "a $OUT4"
	reach host tcp "$(address b apart)" 80 b
}
@test "containers kept apart inside a network, their published ports not (bridge netfilter off)" {
	bridge_netfilter 0
	icc_off 0
}
@test "containers kept apart inside a network, their published ports not (bridge netfilter on)" {
	bridge_netfilter 1
	icc_off 1
}

between() {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	strake network create --subnet 10.2.0.0/24 --peer one two >/dev/null
	strake network create --subnet 10.3.0.0/24 --isolate strict three >/dev/null
	strake network create --subnet 10.4.0.0/24 --isolate false four >/dev/null
	strake network create --subnet 10.5.0.0/24 --isolate false five >/dev/null
	serve a --network one
	serve b --network two
	serve c --network three -p 7003:80
	serve d --network four -p 7004:80
	serve e --network five
	reach a tcp 10.2.0.2 80 "b 10.1.0.2"
	reach b tcp 10.1.0.2 80 "a 10.2.0.2"
	no_reach a tcp 10.4.0.2 80
	reach d tcp 10.5.0.2 80 "e 10.4.0.2"
	reach e tcp 10.4.0.2 80 "d 10.5.0.2"
	no_reach d tcp 10.1.0.2 80
	reach a tcp 10.1.0.1 7004 "d 10.1.0.2"
	no_reach a tcp 10.1.0.1 7003
	no_reach c tcp 10.3.0.1 7004
	reach host tcp 127.0.0.1 7003 c
}
@test "networks: peers, strict, open (bridge netfilter off)" {
	bridge_netfilter 0
	between 0
}
@test "networks: peers, strict, open (bridge netfilter on)" {
	bridge_netfilter 1
	between 1
}

narrow() { # one address of the host, ranges, port 0
	outside_new
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	client w --network dual -p 127.0.0.1:8001:80 -p "$HERE4:8002:80" -p "[::1]:8003:80" -p "[$HERE6]:8004:80" \
		-p 0.0.0.0:8005:80 -p "[::]:8006:80" -p 9000-9009:9000-9009 -p 9100-9109:9000-9009/udp \
		-p "127.0.0.1:9200-9209:9200-9209" -p 81/udp
	listen w w tcp:80 udp:81 tcp:9000-9009 udp:9000-9009 tcp:9200-9209
	reach host tcp 127.0.0.1 8001 w
	no_reach outside tcp "$HERE4" 8001
	no_reach host tcp "$HERE4" 8001
	reach outside tcp "$HERE4" 8002 "w $OUT4"
	no_reach host tcp 127.0.0.1 8002
	reach host tcp ::1 8003 w
	no_reach outside tcp "$HERE6" 8003
	reach outside tcp "$HERE6" 8004 "w $OUT6"
	reach outside tcp "$HERE4" 8005 "w $OUT4"
	no_reach outside tcp "$HERE6" 8005
	reach outside tcp "$HERE6" 8006 "w $OUT6"
	no_reach outside tcp "$HERE4" 8006
	reach outside tcp "$HERE4" 9000 "w $OUT4"
	reach outside tcp "$HERE4" 9009 "w $OUT4"
	reach outside tcp "$HERE6" 9005 "w $OUT6"
	reach host tcp ::1 9005 w
	reach host udp ::1 9107 w
	no_reach host tcp ::1 8001
	reach outside udp "$HERE4" 9107 "w $OUT4"
	reach outside udp "$HERE6" 9100 "w $OUT6"
	reach host tcp 127.0.0.1 9203 w
	no_reach outside tcp "$HERE4" 9203
	port=$(settings w '.Ports["81/udp"][0].HostPort')
	[ "$port" -ge 32768 ]
	reach outside udp "$HERE4" "$port" "w $OUT4"
	# A range whose sides are the same is one element.
	assert_equal "$(nft -j list map inet strake pub4range | jq '.nftables[1].map.elem | length')" 1
}
@test "A5.10 one address of the host, ranges, a free port (bridge netfilter off)" {
	bridge_netfilter 0
	narrow 0
}
@test "A5.10 one address of the host, ranges, a free port (bridge netfilter on)" {
	bridge_netfilter 1
	narrow 1
}

sctp() {
	outside_new
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	client a --network dual -p 3868:38/sctp
	for family in 4 6; do
		enter_network a
		to=HERE$family from=OUT$family
		"${ENTER[@]}" "$PYTHON" -ISE "$TOOLS/sctp.py" receive $family >"$STATE/tmp/sctp$family" 3>&- &
		BACKGROUND+=($!)
		soon grep -q ready "$STATE/tmp/sctp$family"
		in_network outside "$PYTHON" -ISE "$TOOLS/sctp.py" send "${!to}" 3868
		wait "${BACKGROUND[-1]}"
		assert_equal "$(tail -n 1 "$STATE/tmp/sctp$family")" "${!from} 38"
	done
}
@test "A5.10 SCTP is published, and sees who asks (bridge netfilter off)" {
	bridge_netfilter 0
	sctp
}
@test "A5.10 SCTP is published, and sees who asks (bridge netfilter on)" {
	bridge_netfilter 1
	sctp
}

@test "bridge netfilter is really off and on: frames between two containers pass the host's forward hook or do not" {
	client a
	serve b
	nft -f - <<-'END'
		table ip watch {
			chain forward { type filter hook forward priority -10; ip daddr 10.120.0.3 tcp dport 80 counter; }
		}
	END
	for world in 0 1; do
		bridge_netfilter $world
		assert_equal "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/bridge/bridge-nf-call-ip6tables | xargs)" "$world $world"
		nft reset counters table ip watch >/dev/null
		nft flush chain ip watch forward
		nft add rule ip watch forward ip daddr 10.120.0.3 tcp dport 80 counter
		reach a tcp 10.120.0.3 80 "b 10.120.0.2"
		seen=$(nft -j list chain ip watch forward | jq '[.. | .counter? // empty | .packets] | add')
		[ "$world" = 1 ] && [ "$seen" -gt 0 ] || [ "$world: $seen" = "0: 0" ]
	done
}

@test "the checks are as many as the tests' README says: at least 60, with both families, in either world" {
	checks=$(sed -n '/^published()/,/what a neighbour makes up/p' "$BATS_TEST_FILENAME" | grep -cE '^[[:space:]]+(no_)?reach ')
	six=$(sed -n '/^published()/,/what a neighbour makes up/p' "$BATS_TEST_FILENAME" | grep -E '^[[:space:]]+(no_)?reach ' | grep -cE 'HERE6|OUT6|::|address6')
	[ "$checks" -ge 60 ]
	grep -F "**$checks checks with traffic, $six of them IPv6, each with bridge netfilter off and on**" "${BATS_TEST_DIRNAME}/README.md"
}

@test "A5.12 what a neighbour makes up does not get in: 127.0.0.1, our addresses" {
	outside_new
	bridge_netfilter 0
	serve a -p 127.0.0.1:8080:80
	client b
	in_network outside ip route del local 127.0.0.0/8 dev lo table local
	in_network outside ip route add 127.0.0.1/32 via "$HERE4" dev eth0
	echo 1 | in_network outside tee /proc/sys/net/ipv4/conf/all/route_localnet >/dev/null
	no_reach outside tcp 127.0.0.1 8080 "$OUT4"
	# Nor does a container reach what listens on the host's loopback.
	listen host loop tcp:9999
	in_network b ip route del local 127.0.0.0/8 dev lo table local
	in_network b ip route add 127.0.0.1/32 via 10.120.0.1
	in_network b sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet'
	no_reach b tcp 127.0.0.1 9999 "$(address b)"
	reach host tcp 127.0.0.1 8080 a
}

@test "a routed network: its addresses are reached, and seen outside" {
	outside_new
	listen outside internet tcp:9000
	strake network create --subnet 10.6.0.0/24 --opt mode=routed open >/dev/null
	strake network create --subnet 10.7.0.0/24 --opt masquerade=false bare >/dev/null
	serve a --network open
	serve b --network bare
	in_network outside ip route add 10.6.0.0/15 via "$HERE4"
	reach outside tcp 10.6.0.2 80 "a $OUT4"
	reach a tcp "$OUT4" 9000 "internet 10.6.0.2"
	reach b tcp "$OUT4" 9000 "internet 10.7.0.2"
	no_reach outside tcp 10.7.0.2 80
}

@test "a port that is taken back is closed at once, for old datagrams, too; another gets it" {
	outside_new
	serve a -p 8080:80 -p 8081:81/udp
	reach outside udp "$HERE4" 8081 a
	unlisten
	strake rm -f a >/dev/null
	no_reach outside tcp "$HERE4" 8080
	serve b -p 8080:80 -p 8081:81/udp
	reach outside tcp "$HERE4" 8080 b
	reach outside udp "$HERE4" 8081 b
	assert_equal "$(nft -j list map inet strake pub4 | jq -c '.nftables[1].map.elem | length')" 2
}

# One client port that sends all the time, and writes down who answers.
one_flow() { # ADDRESS
	enter_network outside
	"${ENTER[@]}" "$PYTHON" -ISE - "$1" 8081 <<-'EOF' >"$STATE/tmp/answers" 3>&- &
		import select, socket, sys
		flow = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
		flow.bind(("", 4000))
		for _ in range(1200):
		    flow.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
		    answered = select.select([flow], [], [], 0.1)[0]
		    print(flow.recv(100).decode().split()[0] if answered else "nobody", flush=True)
		    select.select([], [], [], 0.05)
	EOF
	BACKGROUND+=($!)
}
answered_by() { tail -n 1 "$STATE/tmp/answers" | grep -qx "$1"; }

@test "a client that never falls silent reaches whoever has the port, and long connections stay" {
	outside_new
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	client other --network dual -p 8082:82
	enter_network other
	"${ENTER[@]}" socat TCP6-LISTEN:82,ipv6only=0 PIPE 3>&- &
	BACKGROUND+=($!)
	enter_network outside
	coproc LONG { "${ENTER[@]}" socat -t 5 - "TCP:$HERE4:8082,retry=100,interval=0.05" 3>&-; }
	said() { echo "$1" >&"${LONG[1]}" && read -r -t 5 -u "${LONG[0]}" line && [ "$line" = "$1" ]; }
	said before
	# Nor is a flow to another machine's port of the same number anybody's business.
	listen outside theirs udp:8081
	$PYTHON -ISE - "$OUT4" <<-'EOF'
		import socket, sys
		flow = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		flow.bind(("", 40000))
		flow.sendto(b"hello", (sys.argv[1], 8081))
		flow.recv(100)
	EOF
	grep -q "sport=40000 dport=8081" /proc/net/nf_conntrack
	for here in "$HERE4" "$HERE6"; do
		one_flow "$here"
		soon answered_by nobody
		serve a --network dual -p 8081:81/udp
		soon answered_by a
		unlisten
		strake rm -f a >/dev/null
		soon answered_by nobody
		serve b --network dual --ip 10.1.0.77 --ip6 fd01::77 -p 8081:81/udp
		soon answered_by b
		unlisten
		unlisten
		strake rm -f b >/dev/null
	done
	said after
	grep -q "sport=40000 dport=8081" /proc/net/nf_conntrack
}
