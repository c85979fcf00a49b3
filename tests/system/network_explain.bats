#!/usr/bin/env bats
# What does not work and why, told by "network show" and "network check", and proven by packets.
bats_require_minimum_version 1.5.0
load lib
load network_lib

teardown() {
	local name
	for name in node east west; do
		umount "$STATE/$name" 2>/dev/null || true
	done
	network_done
}

# A namespace of this test.
place() {
	touch "$STATE/$1"
	unshare --net="$STATE/$1" ip link set lo up
}
at() { nsenter --net="$STATE/$1" "${@:2}"; }
ping_at() { at "$1" busybox ping -c 1 -W 1 "$2" >/dev/null; }

# node has two cables, one to east and one to west, and all are of one subnet.
two_cables() {
	place node
	place east
	place west
	at node ip link add v0 type veth peer name eth0 netns "$STATE/east"
	at node ip link add v1 type veth peer name eth0 netns "$STATE/west"
	at node ip address add 10.5.0.1/24 dev v0
	at node ip link set v0 up
	at node ip address add 10.5.0.2/24 dev v1
	at node ip link set v1 up
	at east ip address add 10.5.0.10/24 dev eth0
	at east ip link set eth0 up
	at west ip address add 10.5.0.20/24 dev eth0
	at west ip link set eth0 up
}
rp_filter() { # OF-NODE: 0 or 1
	at node sh -c "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter; echo $1 >/proc/sys/net/ipv4/conf/v0/rp_filter; echo $1 >/proc/sys/net/ipv4/conf/v1/rp_filter"
}
came_in() { # echo requests that node has received
	at node awk '/^Icmp:/ && n++ { print $10 }' /proc/net/snmp
}

@test "A5.3 two cables of one subnet: four pings, and show says that the first route wins, and what rp_filter does" {
	two_cables
	for filter in 0 1; do
		rp_filter $filter
		ping_at node 10.5.0.10
		run ! ping_at node 10.5.0.20
		ping_at east 10.5.0.1
		before=$(came_in)
		run ! ping_at west 10.5.0.2
		# With 0 the question arrives and the answer goes the wrong way, with 1 it is dropped at the door.
		assert_equal "$filter: $(($(came_in) - before))" "$filter: $((1 - filter))"
		run -0 strake network show "$STATE/node"
		assert_has "10.5.0.0/24 dev v0"
		assert_has "10.5.0.0/24 dev v1"
		assert_has "two equal routes, the first wins; rp_filter $filter"
		assert_equal "$(strake network show --format json "$STATE/node" | jq '[.[0].Routes[] | select(.Shadowed) | .Link]' -c)" '["v1"]'
	done
}

@test "A5.4 a bridge in its place: all pairs pass, one route is left" {
	two_cables
	strake network show "$STATE/node" >"$STATE/before"
	at node ip link add b0 type bridge
	at node ip address flush dev v0
	at node ip address flush dev v1
	at node ip link set v0 master b0
	at node ip link set v1 master b0
	at node ip address add 10.5.0.1/24 dev b0
	at node ip link set b0 up
	for pair in "node 10.5.0.10" "node 10.5.0.20" "east 10.5.0.1" "west 10.5.0.1" "east 10.5.0.20" "west 10.5.0.10"; do
		# shellcheck disable=SC2086 # two words
		ping_at $pair
	done
	strake network show "$STATE/node" >"$STATE/after"
	run diff "$STATE/before" "$STATE/after"
	assert_has "<   10.5.0.0/24 dev v0"
	assert_has "<   10.5.0.0/24 dev v1"
	assert_has ">   10.5.0.0/24 dev b0"
	assert_has "<     two equal routes"
	assert_lacks ">     two equal routes"
}

@test "A5.7 a host that does not forward: check names it with the command that lets it, and the command does" {
	outside_new
	listen outside internet tcp:9000
	strake network create --ipv6 --subnet 10.1.0.0/24 --subnet fd01::/64 dual >/dev/null
	client a --network dual
	for family in 4 6; do
		to=OUT$family from=HERE$family
		reach a tcp "${!to}" 9000 "internet ${!from}"
		case $family in
		4) key=net.ipv4.ip_forward ;;
		6) key=net.ipv6.conf.all.forwarding ;;
		esac
		sysctl -q -w "$key=0"
		no_reach a tcp "${!to}" 9000
		run strake network check
		assert_status 1
		assert_has "network dual: this host does not forward its packets; 'sysctl -w $key=1' lets it"
		eval "$(sed -n "s/.*'\(sysctl -w [^']*\)'.*/\1/p" <<<"$output")" >/dev/null
		run strake network check
		assert_status 0
		reach a tcp "${!to}" 9000 "internet ${!from}"
	done
	sysctl -q -w net.ipv4.ip_forward=0
	strake network check --repair
	assert_equal "$(sysctl -n net.ipv4.ip_forward)" 1
	# An internal network needs none.
	strake rm -f a >/dev/null
	sysctl -q -w net.ipv4.ip_forward=0
	strake network create --internal inner >/dev/null
	client b --network inner
	run strake network check
	assert_status 0
}

@test "A5.9 prerouting alone is not enough: outside is answered, this host is refused, check names the hook" {
	outside_new
	serve a -p 8080:80
	reach outside tcp "$HERE4" 8080 "a $OUT4"
	reach host tcp "$HERE4" 8080 a
	nft flush chain inet strake nat_out
	reach outside tcp "$HERE4" 8080 "a $OUT4"
	no_reach host tcp "$HERE4" 8080
	run strake network check
	assert_status 1
	assert_has "chain nat_out has 0 rules, not 1"
	assert_has "whose own packets pass the hook output and never prerouting"
	strake network check --repair
	run strake network check
	assert_status 0
	reach host tcp "$HERE4" 8080 a
	reach outside tcp "$HERE4" 8080 "a $OUT4"
	# Each chain is looked at.
	for chain in $(nft -j list table inet strake | jq -r '.nftables[].chain.name // empty'); do
		nft flush chain inet strake "$chain"
		run strake network check --repair
		assert_has "chain $chain has 0 rules"
		run strake network check
		assert_status 0
	done
	reach outside tcp "$HERE4" 8080 "a $OUT4"
}
