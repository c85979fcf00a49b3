#!/usr/bin/env bats
# Networks as things that are made, looked at, joined, left, mended and removed.
bats_require_minimum_version 1.5.0
load lib
load network_lib

teardown() { network_done; }

of_network() { strake network inspect "$1" | jq -r ".[0]$2"; }

@test "A5.5 create, ls, inspect, rm: what was asked is what is told" {
	run strake network create --subnet 10.1.0.0/24 --subnet 10.2.0.0/24 --subnet fd01::/64 --gateway 10.1.0.254 --ip-range 10.1.0.128/25 \
		--mtu 1400 --label team=a --route 10.9.0.0/16,10.1.0.7,50 --interface-name lan --dns 192.0.2.53 one
	assert_status 0
	assert_equal "$output" one
	assert_equal "$(of_network one '.IPAM.Config[] | .Subnet + " " + .Gateway' | xargs)" \
		"10.1.0.0/24 10.1.0.254 10.2.0.0/24 10.2.0.1 fd01::/64 fd01::1"
	assert_equal "$(of_network one .Labels.team)" a
	assert_equal "$(of_network one .EnableIPv6)" true
	assert_equal "$(of_network one .MTU)" 1400
	client a --network one
	run in_network a ip -o addr show lan0
	assert_has "inet 10.1.0.128/24"
	assert_has "inet6 fd01::2/64"
	run in_network a ip route
	assert_has "default via 10.1.0.254 dev lan0"
	assert_has "10.9.0.0/16 via 10.1.0.7 dev lan0 metric 50"
	run in_network a ip -o link show lan0
	assert_has "mtu 1400"
	run strake network ls
	assert_has one
	run strake network rm one
	assert_status 1
	assert_has "used by a"
	strake rm -f a >/dev/null
	strake network rm one
	run strake network inspect one
	assert_status 1
	assert_has "no network 'one'"
}

@test "subnets: chosen free of the host's routes; an overlap is refused by name" {
	ip link add d0 type veth peer name d1
	ip link set d0 up
	ip address add 10.120.0.7/20 dev d0
	ip address add 10.50.0.1/16 dev d0
	strake network create one >/dev/null
	assert_equal "$(of_network one .Subnet)" 10.120.16.0/20
	run strake network create --subnet 10.50.3.0/24 two
	assert_status 1
	assert_has "overlaps this host's route 10.50.0.0/16 dev d0"
	run strake network create --subnet 10.120.17.0/24 two
	assert_status 1
	assert_has "overlaps that of network one (10.120.16.0/20)"
	run strake network create --subnet 10.60.0.0/24 --subnet 10.60.0.0/16 two
	assert_status 1
	run strake network create one
	assert_status 1
	assert_has "already"
}

@test "what is wrong is said in one line, and nothing is made" {
	while IFS='|' read -r options text; do
		# shellcheck disable=SC2086
		run strake network create $options x
		assert_equal "$options: $status, ${#lines[@]} line" "$options: 1, 1 line"
		assert_has "$text"
	done <<-'CASES'
		--driver nope|bridge, macvlan or ipvlan
		--subnet 10.0.0.0|is not ADDRESS/LENGTH
		--subnet 10.0.0.0/31|too small
		--subnet ::ffff:10.1.0.0/120|reserved for loopback and IPv4
		--subnet 127.9.0.0/16|reserved for loopback
		--subnet 224.0.0.0/8|reserved for multicast
		--subnet fe80::/64|reserved for links alone
		--subnet ff02::/64|reserved for multicast
		--subnet 0.0.0.0/8|reserved for this network
		--subnet 0.0.0.0/0|too large
		--subnet 10.1.0.0/24 --gateway 10.1.0.255|first or last
		--subnet 10.1.0.0/24 --gateway 10.1.0.0|first or last
		--subnet 10.1.0.0/24 --gateway 10.2.0.1|is in none of the subnets
		--subnet 10.1.0.0/24 --ip-range 10.1.0.0/32|has no address for a container
		--subnet 10.1.0.0/24 --ip-range 10.2.0.0/28|not inside one of the subnets
		--mtu 9|from 68 to 65535
		--isolate maybe|true, strict or false
		--icc maybe|true or false
		--route 10.0.0.0/8|SUBNET,GATEWAY
		--dns name|an address
		--opt nonsense=1|unknown
		--opt parent=eth0|has no meaning
		--opt bridge=lo|the name of a link
		--internal --opt mode=routed|internal or routed
		--interface-name very-long-name-1|letters and digits
		--driver macvlan --parent nolink0|nolink0
	CASES
	run strake network create bridge
	assert_status 1
	run strake network create a/b
	assert_status 1
	assert_equal "$(strake network ls -q | xargs)" "bridge host none"
	for options in nowhere x:y bridge:ip=10.0.0.1 bridge:mac=01:00:00:00:00:01 bridge:color=red bridge:interface=lo; do
		run strake run --rm --network "$options" --bare /bin/busybox true
		assert_equal "$options: $status" "$options: 125"
	done
	assert_equal "$(strake ps -aq)" ""
}

@test "a container's place: static addresses, hardware address, aliases, interface; taken ones are refused" {
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 one >/dev/null
	strake network create --subnet 10.2.0.0/24 two >/dev/null
	client a --network one:ip=10.1.0.77,ip6=fd01::77,mac=02:00:00:00:00:77,alias=db,alias=store,interface=front \
		--network two:ip=10.2.0.5
	run in_network a ip -o addr
	assert_has "front    inet 10.1.0.77/24"
	assert_has "inet6 fd01::77/64"
	assert_has "eth0    inet 10.2.0.5/24"
	assert_lacks tentative
	run in_network a ip -o link show front
	assert_has 02:00:00:00:00:77
	run in_network a ip route
	assert_has "default via 10.1.0.1 dev front"
	assert_equal "$(settings a '.Networks.one.Aliases | join(" ")')" "db store"
	assert_equal "$(settings a '.Networks.two.IPAddress')" 10.2.0.5
	client b --network one --ip 10.1.0.78 --ip6 fd01::78 --mac-address 02:00:00:00:00:78 --network-alias db
	assert_equal "$(address b one) $(address6 b one)" "10.1.0.78 fd01::78"
	run strake run -d --network one --ip 10.1.0.77 --bare /bin/busybox true
	assert_status 125
	assert_has "that of container a"
	run strake run -d --network one --ip 10.1.0.1 --bare /bin/busybox true
	assert_has "the gateway"
	for edge in "--ip 10.1.0.0" "--ip 10.1.0.255" "--ip6 fd01::"; do
		# shellcheck disable=SC2086 # two words
		run strake run -d --network one $edge --bare /bin/busybox true
		assert_status 125
		assert_has "first or last"
	done
	run strake run -d --network one --ip 10.3.0.1 --bare /bin/busybox true
	assert_has "in no subnet"
	run strake run -d --network one --network one --bare /bin/busybox true
	assert_has "in network one already"
	reach_ping a 10.1.0.78
}
reach_ping() { in_network "$1" busybox ping -c 1 -W 3 "$2" >/dev/null; }

@test "connect and disconnect while it runs: addresses, routes, published ports follow" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	strake network create --subnet 10.2.0.0/24 two >/dev/null
	serve a --network one -p 8080:80
	serve b --network two
	no_reach b tcp 10.1.0.2 80
	strake network connect --alias front two a
	assert_equal "$(address a two)" 10.2.0.3
	reach b tcp 10.2.0.3 80 "a 10.2.0.2"
	run strake network connect two a
	assert_status 1
	assert_has already
	reach host tcp 127.0.0.1 8080 a
	strake network disconnect one a
	run in_network a ip route
	assert_has "default via 10.2.0.1"
	run in_network a ip -o addr
	assert_lacks 10.1.0.
	reach host tcp 127.0.0.1 8080 a
	reach b tcp 10.2.0.3 80 "a 10.2.0.2"
	assert_equal "$(settings a '.Networks | keys | join(" ")')" two
	run strake network disconnect one a
	assert_status 1
	strake network disconnect -f one a
	strake network connect one:ip=10.1.0.9 a
	assert_equal "$(address a one)" 10.1.0.9
	run strake network check
	assert_status 0
	# A lost database is made again with all of it.
	rm -f "$ROOT"/state.db*
	assert_equal "$(settings a '.Networks | keys | join(" ")')" "one two"
	assert_equal "$(of_network one .Subnet)" 10.1.0.0/24
	run strake network check
	assert_status 0
	strake network rm -f two >/dev/null
	assert_equal "$(settings a '.Networks | keys | join(" ")')" one
	reach host tcp 127.0.0.1 8080 a
}

@test "prune removes what nobody uses" {
	strake network create used >/dev/null
	strake network create idle >/dev/null
	client a --network used
	run strake network prune
	assert_equal "$output" idle
	assert_equal "$(strake network ls -q | xargs)" "used bridge host none"
	strake network create idle >/dev/null
	run strake network prune -f
	assert_equal "$output" idle
}

@test "A5.14 modes: another container's network, a namespace's path, none, host" {
	serve a
	fs=$(settings a .SandboxKey)
	client b --network container:a
	assert_equal "$(strake exec b /busybox readlink /proc/self/ns/net)" "$(strake exec a /busybox readlink /proc/self/ns/net)"
	run strake exec b /busybox ip -o addr
	assert_has "$(address a)"
	strake rm -f b >/dev/null
	reach host tcp "$(address a)" 80 a
	touch "$STATE/mine"
	unshare --net="$STATE/mine" ip link set lo up
	run strake run --rm --network "$STATE/mine" --bare /bin/busybox -- readlink /proc/self/ns/net
	assert_equal "$output" "$(nsenter --net="$STATE/mine" readlink /proc/self/ns/net)"
	nsenter --net="$STATE/mine" true
	umount "$STATE/mine"
	run strake run --rm --network /etc/passwd --bare /bin/busybox true
	assert_status 125
	assert_has "no namespace"
	run strake run --rm --network container:none --bare /bin/busybox true
	assert_status 125
	run strake run --rm --network none -p 80 --bare /bin/busybox true
	assert_status 125
	[ -e "$fs" ]
}

@test "A5.14 macvlan: a station of its own on the parent's wire" {
	outside_new
	ip link set out0 up
	listen outside internet tcp:9000
	run strake network create -d macvlan --parent out0 --subnet 192.0.2.0/24 --gateway "$OUT4" --ip-range 192.0.2.64/28 wire
	assert_status 0
	serve a --network wire
	assert_equal "$(address a wire)" 192.0.2.64
	reach a tcp "$OUT4" 9000 "internet 192.0.2.64"
	reach outside tcp 192.0.2.64 80 "a $OUT4"
	run in_network a ip -d link show eth0
	assert_has "macvlan mode bridge"
	run strake run --rm --network wire -p 80 --bare /bin/busybox true
	assert_status 125
	run strake network create -d ipvlan --parent out0 --subnet 198.51.100.0/24 iwire
	if [ "$status" = 0 ]; then
		serve i --network iwire
		reach a tcp 198.51.100.2 80 i || true
	else
		assert_has "this kernel has no ipvlan links"
	fi
}

@test "A5.14 macvlan: neither the gateway's nor this host's own address is given away; a second network on the wire is refused" {
	outside_new
	strake network create -d macvlan --parent out0 --subnet 192.0.2.0/24 --subnet 2001:db8::/64 wire >/dev/null
	# The router that this host asks, and this host itself.
	assert_equal "$(of_network wire '.IPAM.Config[].Gateway' | xargs)" "$OUT4 $OUT6"
	client a --network wire
	client b --network wire
	assert_equal "$(address a wire) $(address b wire)" "192.0.2.3 192.0.2.4"
	assert_equal "$(address6 a wire) $(address6 b wire)" "2001:db8::3 2001:db8::4"
	listen outside internet tcp:9000
	reach a tcp "$OUT4" 9000 "internet 192.0.2.3"
	run in_network a ip route
	assert_has "default via $OUT4 dev eth0"
	run in_network a ip -6 route
	assert_has "default via $OUT6 dev eth0"
	run strake run --rm --network wire --ip "$HERE4" --bare /bin/busybox true
	assert_status 125
	assert_has "address $HERE4 is this host's own"
	run strake network create -d macvlan --parent out0 --subnet 192.0.2.128/25 again
	assert_status 1
	assert_has "subnet 192.0.2.128/25 overlaps that of network wire (192.0.2.0/24)"
	# Another wire is another thing; a bridge of ours is routed by this host, which has but one table.
	ip link add other0 type veth peer name other1
	strake network create -d macvlan --parent other0 --subnet 192.0.2.0/24 elsewhere
	assert_equal "$(of_network elsewhere .Gateway)" 192.0.2.1
	strake network create -d macvlan --parent other0 --subnet 10.60.0.0/24 far
	run strake network create --subnet 10.60.0.0/16 near
	assert_status 1
	assert_has "overlaps that of network far (10.60.0.0/24)"
}

@test "a bridge that is there has its own way out: its address, or the router that this host asks" {
	ip link add br7 type bridge
	ip address add 10.7.0.1/24 dev br7
	ip address add 10.8.0.9/24 dev br7
	ip link set br7 up
	ip route add default via 10.8.0.3
	strake network create --opt bridge=br7 --subnet 10.8.0.0/24 lan >/dev/null
	assert_equal "$(of_network lan .Gateway)" 10.8.0.9
	strake network rm lan
	ip address delete 10.8.0.9/24 dev br7
	ip route add 10.8.0.0/24 dev br7
	ip route replace default via 10.8.0.3
	strake network create --opt bridge=br7 --subnet 10.8.0.0/24 lan >/dev/null
	assert_equal "$(of_network lan .Gateway)" 10.8.0.3
	ip address add 10.8.0.2/32 dev br7
	client a --network lan
	assert_equal "$(address a lan)" 10.8.0.1
	client b --network lan
	assert_equal "$(address b lan)" 10.8.0.4
}

@test "a bridge that is there is joined: its other members are left alone, it stays" {
	outside_new
	ip link add br7 type bridge
	ip address add 10.7.0.1/24 dev br7
	ip link set br7 up
	touch "$STATE/vm"
	unshare --net="$STATE/vm" true
	ip link add vm0 up master br7 type veth peer name eth0 netns "$STATE/vm"
	nsenter --net="$STATE/vm" ip address add 10.7.0.200/24 dev eth0
	nsenter --net="$STATE/vm" ip link set eth0 up
	nsenter --net="$STATE/vm" ip route add default via 10.7.0.1
	echo 1 >/proc/sys/net/ipv4/ip_forward
	strake network create --opt bridge=br7 --ip-range 10.7.0.16/28 lan >/dev/null
	assert_equal "$(of_network lan .Gateway)" 10.7.0.1
	serve a --network lan -p 8080:80
	assert_equal "$(address a lan)" 10.7.0.16
	reach outside tcp "$HERE4" 8080 "a $OUT4"
	reach host tcp 127.0.0.1 8080 a
	nsenter --net="$STATE/vm" busybox ping -c 1 -W 3 10.7.0.16
	in_network outside ip route add 10.7.0.0/24 via "$HERE4"
	in_network outside busybox ping -c 1 -W 3 10.7.0.200
	strake rm -f a >/dev/null
	ip link show br7
	ip link show vm0
	assert_equal "$(nft list tables)" ""
	umount "$STATE/vm"
}

@test "network check and reload: flushed rules, a deleted bridge, a pulled cable, bridge netfilter turned on" {
	bridge_netfilter 0
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 one >/dev/null
	serve a --network one -p 8080:80
	serve b --network one
	run strake network check
	assert_status 0
	break_and() { # COMMAND-THAT-MENDS TEXT...
		local mend=$1 text
		shift
		run strake network check
		assert_status 1
		for text; do assert_has "$text"; done
		# shellcheck disable=SC2086
		strake network $mend
		run strake network check
		assert_status 0
		reach host tcp 127.0.0.1 8080 a
		reach b tcp 10.1.0.2 80 a
		reach b tcp fd01::2 80 a
	}
	for mend in "check --repair" reload; do
		nft flush ruleset
		break_and "$mend" "is missing: pub4 { tcp . 8080 : 10.1.0.2 . 80 }"
		ip link delete strake0
		break_and "$mend" "its bridge strake0 is not there"
		ip link set "$(settings a .Networks.one.Link)" nomaster
		break_and "$mend" "is not plugged into bridge strake0"
		ip address flush dev strake0
		break_and "$mend" "has lost its address"
		nft add element inet strake pub4 '{ tcp . 4444 : 10.1.0.77 . 80 }'
		break_and "$mend" "belongs to no container: pub4 { tcp . 4444 : 10.1.0.77 . 80 }"
	done
	bridge_netfilter 1
	no_reach a tcp 10.1.0.1 8080
	break_and reload "hairpin"
	reach a tcp 10.1.0.1 8080 a
	bridge_netfilter 0
	break_and "check --repair" "hairpin"
}

@test "a taken port: by a container, by a program, whoever it is; -P and --expose" {
	client a -p 8080:80 -p 9000-9100:9000-9100/udp
	background socat TCP6-LISTEN:8090,ipv6only=1 -
	background socat UDP-LISTEN:8091 -
	soon bash -c 'ss -lun | grep -q :8091 && ss -ltn | grep -q :8090'
	while IFS='|' read -r port text; do
		run strake run -d -p "$port" --bare /bin/busybox true
		assert_equal "$port: $status" "$port: 125"
		assert_has "$text"
	done <<-'CASES'
		8080:1|published by container a
		127.0.0.1:8080:1|published by container a
		9050:1/udp|published by container a
		8000-8100:8000-8100|published by container a
		8090:1|taken by socat (process
		8091:1/udp|taken by socat (process
		198.51.100.9:80:80|no such address
		[::1]:80:80|has no IPv6
		[::ffff:127.0.0.1]:80:80|write it as IPv4
	CASES
	client b -P --expose 80 --expose 53/udp -p 8081:80
	assert_equal "$(settings b '.Ports["80/tcp"][0].HostPort')" 8081
	[ "$(settings b '.Ports["53/udp"][0].HostPort')" -ge 32768 ]
}

@test "A5.19 join by hand: pid and namespace are told, nsenter and ip work" {
	serve a
	pid=$(strake inspect --format '{{.State.Pid}}' a)
	assert_equal "$(nsenter -t "$pid" -n ip -o -4 addr show eth0 | awk '{ print $4 }')" "$(address a)/20"
	assert_equal "$(readlink "/proc/$pid/ns/net")" "$(nsenter --net="$(settings a .SandboxKey)" readlink /proc/self/ns/net)"
}

@test "A5.17 the script of two networks, IPv6 and ports gives the same network" {
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 --mtu 1400 one >/dev/null
	strake network create --internal --subnet 10.2.0.0/24 two >/dev/null
	view='ip -o addr | sed "s/ *valid_lft.*//" | grep -v fe80; ip route; ip -6 route | grep -v fe80; ip -o link show eth0 | grep -o "mtu [0-9]*"'
	# shellcheck disable=SC2054 # the commas are those of --network
	options=(--rm --network one:ip=10.1.0.5,ip6=fd01::5,interface=front --network two:ip=10.2.0.5 -p 8080:80 -p 7000-7009:7000-7009/udp --bare /bin/busybox --)
	run strake run "${options[@]}" sh -c "$view"
	assert_status 0
	ours=$output
	strake --dry-run run "${options[@]}" sh -c "$view" >"$STATE/script"
	run --separate-stderr sh "$STATE/script"
	assert_equal "$output" "$ours"
	run -1 ip link show strake0
}

@test "what a container gave back goes round: addresses are not reused at once" {
	client keep
	client a
	first=$(address a)
	strake rm -f a >/dev/null
	client b
	[ "$(address b)" != "$first" ]
	strake network create --subnet 10.1.0.0/29 small >/dev/null
	for n in 1 2 3 4 5; do client "s$n" --network small; done
	run strake run -d --network small --bare /bin/busybox true
	assert_status 125
	assert_has "no free address"
	old=$(address s2 small)
	strake rm -f s2 >/dev/null
	client s6 --network small
	assert_equal "$(address s6 small)" "$old"
	reach_ping s6 "$(address s1 small)"
}

# A burst of datagrams, 2 MB as fast as they can be sent.  What a bucket does not hold is dropped where it is
# limited, so that the kernel's counters tell how much passed, whatever this machine's speed is.
burst() { # FROM ADDRESS
	in_network "$1" "$PYTHON" -ISE -c 'import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
for i in range(1430): s.sendto(bytes(1400), (sys.argv[1], 9))' "$2"
}
# What a queue has dropped: dropped WHERE LINK; what a container has received.
dropped() { in_network "$1" tc -s -j qdisc show dev "$2" | jq '.[0].drops'; }
received() { in_network "$1" ip -s -j link show eth0 | jq '.[0].stats64.rx.packets'; }

@test "an address that comes round does not cut a cable that its former owner has again" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	client keep --network one
	client a --network one
	first=$(address a one)
	strake network disconnect one a
	strake network connect one a
	second=$(address a one)
	[ "$second" != "$first" ]
	client b --network "one:ip=$first"
	in_network keep busybox ping -c 1 -W 3 "$second"
	in_network keep busybox ping -c 1 -W 3 "$first"
}

@test "network ls: templates, filters, driver and every subnet; inspect -f; what is no format is refused" {
	strake network create --subnet 10.1.0.0/24 --subnet fd01::/64 --label team=a one >/dev/null
	strake network create --subnet 10.2.0.0/24 two >/dev/null
	run strake network ls
	assert_has "DRIVER"
	assert_has "10.1.0.0/24, fd01::/64"
	assert_equal "$(strake network ls --format '{{.Name}} {{.Driver}}' | xargs)" "one bridge two bridge bridge bridge host host none null"
	assert_equal "$(strake network ls -q --filter name=o | xargs)" "one two host none"
	assert_equal "$(strake network ls -q --filter name=o --filter driver=bridge | xargs)" "one two"
	assert_equal "$(strake network ls -q --filter label=team | xargs)" one
	assert_equal "$(strake network ls -q --filter label=team=b | xargs)" ""
	assert_equal "$(strake network ls --filter label=team=a --format json | jq -r '.[].Name')" one
	assert_equal "$(strake network inspect -f '{{.Gateway}}' one two | xargs)" "10.1.0.1 10.2.0.1"
	for wrong in "ls --format nonsense" "ls --format {{.Name" "ls --filter color=red" "inspect -f {{.Name one"; do
		# shellcheck disable=SC2086 # words
		run strake network $wrong
		assert_equal "$wrong: $status, ${#lines[@]} line" "$wrong: 1, 1 line"
	done
	client a
	[[ $(of_network bridge .Created) == 20*T* ]]
}

@test "a port of an IPv6 network is told as the one it is" {
	strake network create --subnet fd01::/64 six >/dev/null
	serve a --network six -p 8081:80
	assert_equal "$(strake ps --format '{{.Ports}}')" "[::]:8081->80/tcp"
	assert_equal "$(settings a '.Ports["80/tcp"]' | jq -c .)" '[{"HostIp":"::","HostPort":"8081"}]'
	assert_equal "$(of_network six '.Containers[].Ports[]')" "[::]:8081->80/tcp"
	reach host tcp ::1 8081 a
}

@test "what cannot be is refused with what it is about: shared names, peers, modes, members, ports, hardware addresses" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	client e
	refused() { # TEXT COMMAND...
		local text=$1
		shift
		run strake "$@"
		[ "$status" -ne 0 ]
		assert_equal "$* : ${#lines[@]} line" "$* : 1 line"
		assert_has "$text"
	}
	for option in "--dns 192.0.2.9" "--dns-search x.test" "--dns-option ndots:1" "--add-host a:10.0.0.1"; do
		# shellcheck disable=SC2086 # words
		refused "it shares that one's /etc/hosts" run --rm --network container:e $option --bare /bin/busybox true
	done
	refused "no network 'nosuch'" network create --peer nosuch x
	strake network create --peer one --peer bridge peering >/dev/null
	refused "'host' is no network that container e could enter" network connect host e
	refused "'none' is no network that container e could enter" network disconnect none e
	refused "container e is in network bridge already" network connect bridge e
	refused "container e is not in network one" network disconnect one e
	refused "is given twice" run --rm -p 80:80 -p 80:81 --bare /bin/busybox true
	refused "all zeros" run --rm --mac-address 00:00:00:00:00:00 --bare /bin/busybox true
	refused "multicast" run --rm --mac-address 01:00:5e:00:00:01 --bare /bin/busybox true
	assert_equal "$(strake network ls -q | xargs)" "bridge one peering host none"
}

@test "scripts of what is mended or taken away can be run: reload, check --repair, disconnect" {
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 one >/dev/null
	strake network create --subnet 10.2.0.0/24 two >/dev/null
	serve a --network one --network two -p 8080:80
	client b --network one
	run_script() { # STRAKE-ARGUMENT...
		strake --dry-run "$@" >"$STATE/script" || true
		run sh "$STATE/script"
		assert_equal "$*: $status: $output" "$*: 0: "
	}
	whole() {
		reach host tcp 127.0.0.1 8080 a
		reach b tcp 10.1.0.2 80 a
		reach b tcp fd01::2 80 a
	}
	run_script network reload
	whole
	nft flush ruleset
	run_script network reload
	whole
	nft flush ruleset
	run_script network check --repair
	whole
	for script in reload "check --repair"; do
		ip link delete strake0
		# shellcheck disable=SC2086 # words
		run_script network $script
		whole
		# Bridge and cable: the bridge is made once.
		ip link delete strake0
		ip link delete "$(settings b .Networks.one.Link)"
		# shellcheck disable=SC2086 # words
		run_script network $script
		assert_equal "$(grep -c 'ip link add strake0' "$STATE/script")" 1
		whole
	done
	run strake network check
	assert_lacks "strake0"
	strake network check --repair >/dev/null
	run_script network disconnect two a
	run in_network a ip -o link
	assert_lacks eth1
	run in_network a ip route
	assert_has "default via 10.1.0.1"
	strake network check --repair >/dev/null
	run_script network disconnect one a
	run in_network a ip route
	assert_has "default via 10.2.0.1"
}

@test "bandwidth: what it sends and what it receives is cut to what was asked, IPv4 and IPv6; others are not" {
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	client up --network dual --bandwidth-up 1mbit
	client down --network dual --bandwidth-down 2mbit
	client free --network dual
	client other --network dual
	cable=$(settings down .Networks.dual.Link)
	run in_network up tc qdisc show dev eth0
	assert_has "tbf"
	assert_has "rate 1Mbit"
	run tc qdisc show dev "$cable"
	assert_has "rate 2Mbit"
	for at in address address6; do
		before=$(received other)
		burst free "$($at other dual)"
		[ $(($(received other) - before)) -ge 1430 ]
		# 1 Mbit/s lets a half of it through in 8 s, 2 Mbit/s in 4 s.
		before=$(received free)
		lost=$(dropped up eth0)
		burst up "$($at free dual)"
		[ $(($(received free) - before)) -lt 715 ]
		[ $(($(dropped up eth0) - lost)) -gt 715 ]
		before=$(received down)
		lost=$(dropped host "$cable")
		burst free "$($at down dual)"
		[ $(($(received down) - before)) -lt 715 ]
		[ $(($(dropped host "$cable") - lost)) -gt 715 ]
	done
	# Slow is not closed.
	listen free free tcp:80
	reach up tcp "$(address free dual)" 80 free
	reach down tcp "$(address6 free dual)" 80 free
	for rate in 5 1kbit 10xbit -1mbit; do
		run strake run --bandwidth-up "$rate" --bare /bin/busybox true
		assert_equal "$rate: $status" "$rate: 125"
	done
}
