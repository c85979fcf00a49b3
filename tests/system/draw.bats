#!/usr/bin/env bats
# What "network draw" and "network show" tell is what the kernel has, not what we meant to make.
bats_require_minimum_version 1.5.0
load lib

busy() { # NAME OPTION...: a container with a web server on port 80
	local name=$1
	shift
	strake run -d --name "$name" "$@" --bare /bin/busybox -- httpd -f -p 80
}
pid() { strake inspect --format '{{.State.Pid}}' "$1"; }
within() { nsenter --net="/proc/$(pid "$1")/ns/net" "${@:2}"; }
draw() { LC_ALL=C.UTF-8 strake network draw "$@"; }
line_with() { grep -F -- "$1" <<<"$output"; }

outside_new() {
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add wan0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev wan0
	ip link set wan0 up
	ip route add default via 192.0.2.2
}
teardown() {
	umount "$STATE/outside" 2>/dev/null || true
	[ ! -e /run/netns/drawn ] || ip netns delete drawn
	state_done
}
# The files of ip netns lie in a folder of the test.
netns_folder() {
	mkdir -p /run/netns
	mount -t tmpfs strake-netns /run/netns
}

@test "a packet's way from outside to the container is in the picture: uplink, route, port, bridge, cable, address" {
	outside_new
	busy web -p 8080:80
	soon within web bash -c 'ss -Htln | grep -q :80'
	run draw
	assert_status 0
	run -0 line_with wan0
	assert_has "192.0.2.1/24"
	run draw
	run -0 line_with "default via 192.0.2.2"
	run draw
	run -0 line_with "─ 10.120.0.0/20 ─"
	run draw
	run -0 line_with "8080/tcp"
	assert_has "─ 8080/tcp ▶ 10.120.0.2:80 ─"
	assert_has "sk-"
	assert_has "┤ eth0  10.120.0.2/20"
	run draw
	assert_has "listens 80/tcp busybox"
	assert_has "strake0"
	# The resolver is part of the bridge, not a port of anybody.
	assert_has "names: strake-dns"
	assert_lacks /udp
	assert_lacks ✗
}

@test "a port behind which nobody listens is marked, as is one whose address nobody has" {
	busy web -p 8080:80 -p 8443:443
	soon within web bash -c 'ss -Htln | grep -q :80'
	run draw
	run -0 line_with 8443/tcp
	assert_has "10.120.0.2:443 ✗"
	within web ip address del 10.120.0.2/20 dev eth0
	run draw
	run -0 line_with 8080/tcp
	assert_has ✗
	assert_lacks eth0
}

@test "it is read from the kernel: what somebody changed by hand shows" {
	busy web
	ip link set strake0 down
	within web ip address add 10.77.0.9/24 dev eth0
	within web ip link add more type veth peer name other
	ip link add br-mine type bridge
	ip address add 10.99.0.1/24 dev br-mine
	ip link set br-mine up
	run draw
	assert_has 10.77.0.9/24
	assert_has "more"
	assert_has br-mine
	run -0 line_with "10.99.0.0/24"
	run strake network ls
	assert_lacks br-mine # state knows nothing of it
}

@test "A5.14 none has no cable, host is in the host's frame, a foreign namespace on our bridge has its name" {
	netns_folder
	busy web
	busy lonely --network none
	busy inside --network host
	ip netns add drawn
	ip link add foreign0 type veth peer name far0 netns drawn
	ip link set foreign0 master strake0 up
	ip -n drawn address add 10.120.0.77/20 dev far0
	run draw
	assert_has "loopback only: no way in or out"
	assert_has "inside  in this namespace (network host)"
	assert_has "netns drawn"
	run -0 line_with 10.120.0.77/20
	assert_has foreign0
	assert_has far0
	ip netns delete drawn
	umount /run/netns
}

@test "A5.14 a macvlan hangs on its parent" {
	netns_folder
	outside_new
	ip netns add drawn
	busy web --network none
	ip link add mv0 link wan0 netns "$(pid web)" type macvlan mode bridge
	within web ip address add 192.0.2.50/24 dev mv0
	run draw
	run -0 line_with 192.0.2.50/24
	assert_has "mv0"
	assert_has "macvlan"
	[ "$(draw | grep -c '━ wan0 ━')" = 1 ]
	umount -R /run/netns
}

@test "a name draws only that network, bridge or container; a wrong one is refused" {
	busy web -p 8080:80
	busy other -p 8081:80
	busy lonely --network none
	run draw web
	assert_has 8080/tcp
	assert_lacks 8081/tcp
	assert_lacks lonely
	run draw bridge
	assert_has 8081/tcp
	assert_lacks lonely
	run draw strake0
	assert_has 8081/tcp
	run draw nonsense
	assert_status 1
	assert_has "no network, bridge or running container 'nonsense'"
}

@test "text fits the width, and is ASCII without a UTF-8 locale" {
	outside_new
	busy web -p 8080:80
	run draw --width 80
	assert_status 0
	for line in "${lines[@]}"; do
		[ "${#line}" -le 80 ]
	done
	assert_has 8080/tcp
	run env LC_ALL=C "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" network draw
	[[ $output != *[^[:print:][:space:]]* ]]
	[ "$(LC_ALL=C grep -c '[^ -~]' <<<"$output")" = 0 ]
	assert_has "8080/tcp > 10.120.0.2:80"
	run -0 strake network draw --ascii --color always
	assert_has $'\033['
	# Nothing that a finger follows is cut, at any width for which there is a way.
	for width in 60 70 80 90; do
		run draw --width $width
		for line in "${lines[@]}"; do
			[ "${#line}" -le $width ] || { echo "$width: ${#line}: $output"; return 1; }
		done
		assert_has "eth0  10.120.0.2/20 "
		assert_has "default via 10.120.0.1 "
		assert_has "10.120.0.0/20 "
		assert_has "default via 192.0.2.2 "
		[ $width -lt 80 ] || assert_has "8080/tcp ▶ 10.120.0.2:80"
	done
	for wrong in none 0 -1 ''; do
		run draw --width "$wrong"
		assert_status 1
		assert_has "expected a number of columns"
	done
}

@test "what a file is follows from its name: .txt, .svg, in capitals, too; another is refused" {
	outside_new
	busy web -p 8080:80
	draw -o "$STATE/a.txt"
	grep -q 8080/tcp "$STATE/a.txt"
	draw -o "$STATE/plain"
	cmp "$STATE/a.txt" "$STATE/plain"
	draw -o "$STATE/A.SVG"
	grep -q '<svg' "$STATE/A.SVG"
	draw --svg -o "$STATE/other.xml"
	grep -q '<svg' "$STATE/other.xml"
	run draw -o "$STATE/a.png"
	assert_status 1
	assert_has "only .txt (text) and .svg can be drawn"
	[ ! -e "$STATE/a.png" ]
	run draw --svg -o "$STATE/a.txt"
	assert_status 1
}

@test "the SVG is well-formed and has every name once" {
	need_command xmllint
	outside_new
	for i in $(seq 12); do
		busy "box$i" -p "$((8000 + i)):80"
	done
	strake network draw -o "$STATE/tmp/all.svg"
	xmllint --noout --nonet "$STATE/tmp/all.svg"
	for i in $(seq 12); do
		[ "$(grep -c ">box$i<" "$STATE/tmp/all.svg")" = 1 ]
		[ "$(grep -c ">$((8000 + i))/tcp" "$STATE/tmp/all.svg")" = 1 ]
	done
	# Self-contained: nothing is fetched from anywhere.
	run ! grep -E '(href|src|url)=|url\(["'"'"']?[^#)]' "$STATE/tmp/all.svg"
	[ "$(strake network draw --svg | head -c 4)" = "<svg" ]
	run strake network draw -o /nonexistent/x.svg
	assert_status 1
	assert_has /nonexistent/x.svg
}

@test "A5.2 show tells links, addresses, routes, rules, neighbours, sockets; two stand side by side" {
	busy web
	busy db
	soon within web bash -c 'ss -Htln | grep -q :80'
	within web ip neigh add 10.120.0.200 lladdr 02:00:00:00:00:07 dev eth0
	within web ip rule add from 10.9.0.0/16 table 77 priority 700
	within web ip route add 10.200.0.0/16 via 10.120.0.1 metric 5
	run strake network show web
	assert_status 0
	assert_has "10.120.0.2/20"
	assert_has "default via 10.120.0.1 dev eth0"
	assert_has "10.200.0.0/16 via 10.120.0.1 dev eth0 metric 5"
	assert_has "700: from 10.9.0.0/16 to all table 77"
	assert_has "10.120.0.200 dev eth0 02:00:00:00:00:07 permanent"
	assert_has ":80  busybox"
	run strake network show web db
	run -0 line_with "10.120.0.2/20"
	assert_has "10.120.0.3/20"
	run -0 strake network show --format json web
	assert_equal "$(jq -r '.[0].Links[] | select(.Name == "eth0").Addresses[0]' <<<"$output")" 10.120.0.2/20
	assert_equal "$(jq -r '.[0].Pid' <<<"$output")" "$(pid web)"
	run -0 strake network show host
	assert_has strake0
	run strake network show nobody
	assert_status 1
}

@test "A5.19 pid and namespace path are printed, and nsenter and ip -n work with them" {
	netns_folder
	busy web
	run -0 strake network show web
	[[ ${lines[0]} =~ ^"web: process "([0-9]+)", namespace "(/.*)$ ]]
	process=${BASH_REMATCH[1]} path=${BASH_REMATCH[2]}
	assert_equal "$process" "$(pid web)"
	run -0 nsenter --net="$path" ip -brief address show eth0
	assert_has 10.120.0.2/20
	ip netns attach drawn "$process"
	run -0 ip -n drawn -brief address show eth0
	assert_has 10.120.0.2/20
	ip netns delete drawn
	# The name was ip's, the namespace stays the container's.
	run -0 strake network show web
	assert_has 10.120.0.2/20
	umount /run/netns
}
