#!/usr/bin/env bats
# strake-cni as a container runtime calls it: real namespaces, real traffic, other plugins before and behind it.
bats_require_minimum_version 1.5.0
load lib

PLUGINS=/usr/lib/cni

# A namespace as a runtime makes it: ns NAME
ns_new() {
	touch "$STATE/$1"
	unshare --net="$STATE/$1" true
	nsenter --net="$STATE/$1" ip link set lo up
	NAMESPACES+=("$1")
}
within() { nsenter --net="$STATE/$1" "${@:2}"; }

# cni COMMAND CONTAINER [NAME=VALUE...]: the plugin alone, its configuration on standard input.
cni() {
	local command=$1 container=$2
	shift 2
	env CNI_COMMAND="$command" CNI_CONTAINERID="$container" CNI_NETNS="$STATE/$container" CNI_IFNAME=eth0 \
		CNI_PATH="$PROGRAMS" "$@" "$PROGRAMS/strake-cni"
}
# A configuration: config NAME [JSON to merge]
config() {
	jq -c -n --arg name "$1" --arg root "$ROOT" --arg run "$RUN" --argjson more "${2:-null}" \
		'{cniVersion: "1.1.0", name: $name, type: "strake-cni", root: $root, runRoot: $run} * ($more // {})'
}
# A list of plugins in $STATE/tmp/NAME: list NAME VERSION PLUGIN...
list() {
	local name=$1 version=$2
	shift 2
	printf '%s\n' "$@" | jq -s --arg name "$name" --arg version "$version" '{cniVersion: $version, name: $name, plugins: .}' \
		>"$STATE/tmp/$name"
}
chain() { CNI_PATH="$PROGRAMS:$PLUGINS" "$TOOLS/cni.py" "$@"; }

address() { jq -r '.ips[0].address | split("/")[0]' <<<"$1"; }
web() { # NAMESPACE TEXT
	mkdir -p "$STATE/tmp/www-$1"
	echo "$2" >"$STATE/tmp/www-$1/index.html"
	background nsenter --net="$STATE/$1" busybox httpd -f -p 80 -h "$STATE/tmp/www-$1"
	soon within "$1" bash -c 'ss -Htln | grep -q ":80 "'
}
fetch() { curl --silent --max-time 5 "$@"; }
code() { jq -r .code <<<"$output"; }

outside_new() {
	ns_new outside
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev out0
	ip -6 address add 2001:db8::1/64 dev out0 nodad
	ip link set out0 up
	within outside ip address add 192.0.2.2/24 dev eth0
	within outside ip -6 address add 2001:db8::2/64 dev eth0 nodad
	within outside ip link set eth0 up
}

setup() {
	NAMESPACES=()
	exec {NEVER}<> <(:) # a pipe that nobody writes to: reading it waits
	state_new
	need_program strake-cni
}
teardown() {
	local name
	for name in "${NAMESPACES[@]}"; do
		umount "$STATE/$name" 2>/dev/null || true
	done
	state_done
}
nothing_left() {
	local links
	links=$(ip -o link)
	! grep -E 'strake|sk-' <<<"$links" && [ "$(nft list ruleset)" = "" ] && [ "$(strake network ls -q | sort | xargs)" = "bridge host none" ]
}

@test "VERSION says what it speaks; each mistake has its code" {
	run -0 cni VERSION x <<<'{"cniVersion": "0.4.0"}'
	assert_equal "$(jq -c '[.cniVersion, .supportedVersions]' <<<"$output")" '["0.4.0",["0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]]'
	ns_new a
	run -1 cni ADD a <<<'{"cniVersion": "0.1.0", "name": "n"}'
	assert_equal "$(code)" 1
	run -1 cni ADD a <<<"$(config n '{"vlan": 12}')"
	assert_equal "$(code)" 2
	assert_has "vlan: 12"
	run -1 cni ADD a <<<"$(config n '{"isGateway": false}')"
	assert_equal "$(code)" 2
	assert_has "isGateway: false"
	run -1 cni ADD nowhere <<<"$(config n)"
	assert_equal "$(code)" 3
	run -1 cni ADD a CNI_NETNS=/etc/passwd <<<"$(config n)"
	assert_equal "$(code)" 3
	run -1 cni ADD a CNI_IFNAME=a/b <<<"$(config n)"
	assert_equal "$(code)" 4
	run -1 cni ADD a CNI_NETNS=/proc/self/ns/net <<<"$(config n)"
	assert_equal "$(code)" 4
	run -1 cni JUMP a <<<"$(config n)"
	assert_equal "$(code)" 4
	run -1 cni ADD a <<<'{"cniVersion": '
	assert_equal "$(code)" 6
	run -1 cni ADD a <<<"$(config n '{"ipam": {"subnet": "nonsense"}}')"
	assert_equal "$(code)" 7
	assert_has "ipam.subnet"
	run -1 cni ADD a <<<"$(config n '{"network": "not-there"}')"
	assert_equal "$(code)" 7
	run -1 cni GC a <<<"$(config n '{"cniVersion": "1.0.0"}')"
	assert_equal "$(code)" 1
	run -1 cni ADD a <"$STATE" # a directory cannot be read
	assert_equal "$(code)" 5
	run -1 "$PROGRAMS/strake-cni"
	assert_has "CNI plugin"
	nothing_left
}

@test "a state that another holds is tried for a while, then code 11 says so; afterwards all is well" {
	need_command python3
	ns_new a
	cni STATUS a <<<"$(config n)"
	mkfifo "$STATE/tmp/held" "$STATE/tmp/go"
	background python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "w").close()
open(sys.argv[3]).read()' "$ROOT/state.db" "$STATE/tmp/held" "$STATE/tmp/go"
	: <"$STATE/tmp/held"
	run -1 cni ADD a <<<"$(config n)"
	assert_equal "$(code)" 11
	: >"$STATE/tmp/go"
	wait "${BACKGROUND[-1]}"
	run -0 cni ADD a <<<"$(config n)"
	cni DEL a <<<"$(config n)"
	nothing_left
}

@test "isDefaultGateway false with a default route of its own is what it says" {
	ns_new a
	own='{"isDefaultGateway": false, "ipam": {"subnet": "10.88.7.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}'
	run -0 cni ADD a <<<"$(config n "$own")"
	assert_equal "$(within a ip route show default | wc -l)" 1
	cni DEL a <<<"$(config n "$own")"
	nothing_left
}

@test "isDefaultGateway false: the bridge's addresses and own routes, and no default route, also when another network comes" {
	ns_new a
	ns_new b
	own='{"isDefaultGateway": false, "ipam": {"subnet": "10.88.7.0/24", "routes": [{"dst": "192.0.2.0/24"}]}}'
	run -0 cni ADD a <<<"$(config n "$own")"
	result=$output
	assert_equal "$(jq -c '[.routes[].dst]' <<<"$result")" '["192.0.2.0/24"]'
	assert_equal "$(within a ip route show default)" ""
	[[ $(within a ip route show 192.0.2.0/24) == *"via 10.88.7.1"* ]]
	within a ping -c 1 -W 2 10.88.7.1
	# A network that says so is not one that does not.
	run -1 cni ADD b <<<"$(config n '{"ipam": {"subnet": "10.88.7.0/24", "routes": [{"dst": "192.0.2.0/24"}]}}')"
	assert_has isDefaultGateway
	# The default route is for the next network that has one.
	run -0 cni ADD a CNI_IFNAME=eth1 <<<"$(config m '{"ipam": {"subnet": "10.88.8.0/24"}}')"
	[[ $(within a ip route show default) == *"via 10.88.8.1 dev eth1"* ]]
	run -0 cni CHECK a <<<"$(config n "$own" | jq --argjson r "$result" '. + {prevResult: $r}')"
	cni DEL a CNI_IFNAME=eth1 <<<"$(config m '{"ipam": {"subnet": "10.88.8.0/24"}}')"
	cni DEL a <<<"$(config n "$own")"
	nothing_left
}

@test "bandwidth: a runtime's capability limits both directions, and DEL takes it along" {
	ns_new a
	ns_new b
	limit='{"runtimeConfig": {"bandwidth": {"ingressRate": 2000000, "ingressBurst": 1000000, "egressRate": 1000000, "egressBurst": 1000000}}}'
	a=$(cni ADD a <<<"$(config n "$limit")")
	b=$(cni ADD b <<<"$(config n)")
	cable=$(jq -r '.interfaces[1].name' <<<"$a")
	within a tc qdisc show dev eth0 | grep -F 'rate 1Mbit'
	tc qdisc show dev "$cable" | grep -F 'rate 2Mbit'
	burst() { # FROM TO: 2 MB of datagrams at once
		within "$1" python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(1430): s.sendto(bytes(1400), (sys.argv[1], 9))' "$(address "$2")"
	}
	burst a "$b"
	[ "$(within a tc -s -j qdisc show dev eth0 | jq '.[0].drops')" -gt 715 ]
	burst b "$a"
	[ "$(tc -s -j qdisc show dev "$cable" | jq '.[0].drops')" -gt 715 ]
	within a ping -c 1 -W 3 "$(address "$b")"
	for x in a b; do cni DEL $x <<<"$(config n)"; done
	nothing_left
}

@test "hostile input is bounded: too much, too deep, no end" {
	ns_new a
	run -1 cni ADD a < <(yes '{"a":' | head -c 3000000)
	assert_equal "$(code)" 6
	run -1 cni ADD a < <(printf '[%.0s' {1..100000})
	assert_equal "$(code)" 6
	run -1 cni ADD a < <(yes ' ')
	assert_equal "$(code)" 6
	run -1 cni ADD a CNI_ARGS="$(head -c 100000 /dev/zero | tr '\0' ';')x" <<<"$(config n)"
	assert_equal "$(code)" 4
	nothing_left
}

@test "ADD gives an address that works, in the result's form of each version; DEL takes all of it back" {
	local version
	for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
		ns_new "v$version"
		run -0 cni ADD "v$version" <<<"$(config n "{\"cniVersion\": \"$version\"}")"
		assert_equal "$(jq -r .cniVersion <<<"$output")" "$version"
		assert_equal "$(jq -r '.interfaces[.ips[0].interface] | .name + " " + .sandbox' <<<"$output")" "eth0 $STATE/v$version"
		case $version in
		0.*) assert_equal "$(jq -r '.ips[0].version' <<<"$output")" 4 ;;
		*) assert_equal "$(jq -r '.ips[0].version' <<<"$output")" null ;;
		esac
		within "v$version" ip -brief address show eth0 | grep -F "$(address "$output")/"
		assert_equal "$(jq -r '.interfaces[2].mac' <<<"$output")" "$(within "v$version" ip -j link show eth0 | jq -r '.[0].address')"
		within "v$version" ping -c 1 -W 3 "$(jq -r '.ips[0].gateway' <<<"$output")"
	done
	for version in 0.3.1 0.4.0 1.0.0 1.1.0; do
		run -0 cni DEL "v$version" <<<"$(config n "{\"cniVersion\": \"$version\"}")"
		assert_equal "$output" ""
		run ! within "v$version" ip link show eth0
	done
	nothing_left
}

# Bridge netfilter off or on, whatever this machine begins with.
bridge_netfilter() { # 0|1
	[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || skip "this kernel has no bridge netfilter"
	echo "$1" >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo "$1" >/proc/sys/net/bridge/bridge-nf-call-ip6tables
}
@test "published ports: from outside with the client's address, from here, from loopback, from itself; v4 and v6 (bridge netfilter off)" {
	bridge_netfilter 0
	ports
}
@test "published ports: from outside with the client's address, from here, from loopback, from itself; v4 and v6 (bridge netfilter on)" {
	bridge_netfilter 1
	ports
}
ports() {
	outside_new
	ns_new a
	runtime='{"ipv6": true, "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
		{"hostPort": 8081, "containerPort": 80, "hostIP": "127.0.0.1"}]}}'
	run -0 cni ADD a <<<"$(config n "$runtime")"
	assert_equal "$(jq '.ips | length' <<<"$output")" 2
	web a "page of a"
	mkdir "$STATE/tmp/www-a/cgi-bin"
	printf '#!/bin/sh\necho\necho "$REMOTE_ADDR"\n' >"$STATE/tmp/www-a/cgi-bin/who"
	chmod +x "$STATE/tmp/www-a/cgi-bin/who"
	assert_equal "$(within outside curl --silent --max-time 5 http://192.0.2.1:8080/)" "page of a"
	assert_equal "$(within outside curl --silent --max-time 5 'http://[2001:db8::1]:8080/')" "page of a"
	assert_has_client "$(within outside curl --silent --max-time 5 http://192.0.2.1:8080/cgi-bin/who)" 192.0.2.2
	assert_equal "$(fetch http://127.0.0.1:8080/)" "page of a"
	assert_equal "$(fetch http://192.0.2.1:8080/)" "page of a"
	assert_equal "$(fetch http://127.0.0.1:8081/)" "page of a"
	assert_equal "$(within a curl --silent --max-time 5 http://192.0.2.1:8080/)" "page of a"
	assert_equal "$(within a curl --silent --max-time 5 'http://[2001:db8::1]:8080/')" "page of a"
	assert_equal "$(fetch 'http://[::1]:8080/')" "page of a"
	run within outside curl --silent --max-time 1 http://192.0.2.1:8081/
	[ "$status" != 0 ]
	run -0 cni DEL a <<<"$(config n "$runtime")"
	run fetch http://127.0.0.1:8080/
	[ "$status" != 0 ]
	nothing_left
}
assert_has_client() {
	case $1 in
	*"$2"*) ;;
	*) echo "the client's address was $1" && return 1 ;;
	esac
}

@test "two networks are apart, containers of one are not; portIsolation keeps those apart, too" {
	ns_new a
	ns_new b
	ns_new c
	ns_new d
	ns_new e
	cni ADD a <<<"$(config one)"
	b=$(cni ADD b <<<"$(config one)")
	c=$(cni ADD c <<<"$(config two)")
	within a ping -c 1 -W 3 "$(address "$b")"
	run ! within a ping -c 1 -W 1 "$(address "$c")"
	cni ADD d <<<"$(config three '{"portIsolation": true}')"
	e=$(cni ADD e <<<"$(config three '{"portIsolation": true}')")
	run ! within d ping -c 1 -W 1 "$(address "$e")"
	run strake network ls
	assert_has one
	assert_has two
	for x in a b; do cni DEL $x <<<"$(config one)"; done
	cni DEL c <<<"$(config two)"
	for x in d e; do cni DEL $x <<<"$(config three '{"portIsolation": true}')"; done
	nothing_left
}

@test "ipam: ranges, gateway, routes, static addresses, the ips and mac capabilities, CNI_ARGS" {
	ns_new a
	ns_new b
	ns_new c
	ipam='{"ipam": {"type": "host-local", "ranges": [[{"subnet": "10.88.7.0/24", "rangeStart": "10.88.7.50", "rangeEnd": "10.88.7.60",
		"gateway": "10.88.7.254"}]], "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.250.0.0/16", "gw": "10.88.7.9"}]}}'
	run -0 cni ADD a <<<"$(config n "$ipam")"
	assert_equal "$(address "$output")" 10.88.7.50
	assert_equal "$(jq -r '.ips[0].gateway' <<<"$output")" 10.88.7.254
	assert_equal "$(jq -c '[.routes[].dst]' <<<"$output")" '["0.0.0.0/0","10.250.0.0/16"]'
	within a ip route | grep -F '10.250.0.0/16 via 10.88.7.9'
	within a ip route | grep -F 'default via 10.88.7.254'
	run -0 cni ADD b <<<"$(config n "$(jq '. + {runtimeConfig: {ips: ["10.88.7.77/24"], mac: "02:11:22:33:44:55"}}' <<<"$ipam")")"
	assert_equal "$(address "$output")" 10.88.7.77
	within b ip link show eth0 | grep -F 02:11:22:33:44:55
	run -1 cni ADD c CNI_ARGS='IgnoreUnknown=1;IP=10.88.7.77' <<<"$(config n "$ipam")"
	assert_equal "$(code)" 102
	assert_has 10.88.7.77
	run -0 cni ADD c CNI_ARGS='IgnoreUnknown=1;IP=10.88.7.78' <<<"$(config n "$ipam")"
	assert_equal "$(address "$output")" 10.88.7.78
	run -1 cni ADD c CNI_IFNAME=eth1 <<<"$(config n '{"ipam": {"subnet": "10.88.8.0/24"}}')"
	assert_equal "$(code)" 7
	assert_has "another ipam"
	run -0 cni ADD c CNI_IFNAME=eth1 <<<"$(config s '{"ipam": {"type": "static", "addresses": [{"address": "10.88.9.7/24"}]}}')"
	assert_equal "$(address "$output")" 10.88.9.7
}

@test "a container in two networks has one default route; each DEL takes its own interface" {
	ns_new a
	cni ADD a <<<"$(config one)"
	run -0 cni ADD a CNI_IFNAME=net1 <<<"$(config two)"
	assert_equal "$(within a ip route show default | wc -l)" 1
	cni DEL a CNI_IFNAME=net1 <<<"$(config two)"
	run ! within a ip link show net1
	within a ping -c 1 -W 3 "$(within a ip route show default | awk '{ print $3 }')"
	run -1 cni ADD a <<<"$(config one)"
	assert_has "DEL first"
	cni DEL a <<<"$(config one)"
	nothing_left
}

@test "DEL again and again, without a namespace, of what never was" {
	ns_new a
	cni ADD a <<<"$(config n)"
	umount "$STATE/a"
	run -0 cni DEL a CNI_NETNS= <<<"$(config n)"
	run -0 cni DEL a CNI_NETNS= <<<"$(config n)"
	run -0 cni DEL never CNI_NETNS=/nowhere <<<"$(config n)"
	nothing_left
}

@test "after a reboot the addresses are free, and DEL of an earlier life is fine" {
	need_command python3
	ns_new a
	ns_new b
	one='{"ipam": {"subnet": "10.88.7.0/30"}}'
	cni ADD a <<<"$(config n "$one")"
	run -1 cni ADD b <<<"$(config n "$one")"
	assert_equal "$(code)" 101
	# What a reboot does: nothing in the kernel is left, the database is of another boot.
	# Names alone: the bridge's alias has the word, too.
	for link in $(ip -o link | awk -F '[:@ ]+' '$2 ~ /^(strake|sk-)/ { print $2 }'); do
		ip link delete "$link"
	done
	nft flush ruleset
	python3 - "$ROOT/state.db" <<-'END'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1])
		db.execute("UPDATE cni SET boot = 'another'")
		db.commit()
	END
	strake system check
	assert_equal "$(strake network ls -q | sort | xargs)" "bridge host none"
	run -0 cni ADD b <<<"$(config n "$one")"
	run -0 cni DEL a CNI_NETNS= <<<"$(config n "$one")"
	within b ping -c 1 -W 3 10.88.7.1
	cni DEL b <<<"$(config n "$one")"
	nothing_left
}

@test "CHECK finds what somebody changed" {
	ns_new a
	port='{"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}}'
	result=$(cni ADD a <<<"$(config n "$port")")
	check() { cni CHECK a <<<"$(config n "$(jq --argjson r "$result" '. + {prevResult: $r}' <<<"$port")")"; }
	run -0 check
	run -1 cni CHECK a <<<"$(config n)"
	assert_equal "$(code)" 7
	ip=$(jq -r '.ips[0].address' <<<"$result")
	within a ip address del "$ip" dev eth0
	run -1 check
	assert_equal "$(code)" 103
	assert_has "address $ip"
	within a ip address add "$ip" dev eth0
	within a ip link set eth0 down
	run -1 check
	assert_has "is down"
	within a ip link set eth0 up
	run -0 check
	cable=$(jq -r '.interfaces[1].name' <<<"$result")
	ip link set "$cable" nomaster
	run -1 check
	assert_has "not plugged into"
	ip link set "$cable" master "$(jq -r '.interfaces[0].name' <<<"$result")"
	nft flush ruleset
	run -1 check
	assert_has "not published"
	cni DEL a <<<"$(config n "$port")"
	run -1 check
	assert_equal "$(code)" 3
}

@test "GC removes what its list does not name; a network of another name stays" {
	for x in a b c; do
		ns_new $x
	done
	cni ADD a <<<"$(config n)"
	cni ADD b <<<"$(config n)"
	cni ADD c <<<"$(config other)"
	umount "$STATE/b"
	run -1 cni GC x <<<"$(config n)"
	run -0 cni GC x <<<"$(config n '{"cni.dev/valid-attachments": [{"containerID": "a", "ifname": "eth0"}]}')"
	assert_equal "$(strake network inspect n | jq '.[0].Containers | length')" 1
	within a ping -c 1 -W 3 "$(within a ip route show default | awk '{ print $3 }')"
	within c ip link show eth0
	run -0 cni GC x <<<"$(config n '{"cni.dev/valid-attachments": []}')"
	run -0 cni GC x <<<"$(config other '{"cni.dev/attachments": []}')"
	nothing_left
}

@test "STATUS: ready, or no address left" {
	ns_new a
	one='{"ipam": {"subnet": "10.88.7.0/30"}}'
	run -0 cni STATUS x <<<"$(config n "$one")"
	cni ADD a <<<"$(config n "$one")"
	run -1 cni STATUS x <<<"$(config n "$one")"
	assert_equal "$(code)" 50
	cni DEL a <<<"$(config n "$one")"
	run -0 cni STATUS x <<<"$(config n "$one")"
	run -1 cni STATUS x <<<"$(config n '{"root": "/proc/none"}')"
	assert_equal "$(code)" 50
}

@test "STATUS: a network whose containers lack something is told with code 51, and mended as it says" {
	ns_new a
	bridge=$(cni ADD a <<<"$(config n)" | jq -r '.interfaces[0].name')
	run -0 cni STATUS x <<<"$(config n)"
	for harm in "ip link set $bridge down" "nft flush ruleset" "ip link delete $bridge"; do
		$harm
		run -1 cni STATUS x <<<"$(config n)"
		assert_equal "$harm: $(code)" "$harm: 51"
		assert_has "strake network check --repair"
		strake network check --repair
		run -0 cni STATUS x <<<"$(config n)"
		within a ping -c 1 -W 3 "$(within a ip route show default | awk '{ print $3 }')"
	done
	cni DEL a <<<"$(config n)"
	nothing_left
}

@test "an ADD that fails leaves nothing: a taken port, a taken interface, an answer that nobody reads" {
	ns_new a
	ns_new b
	port='{"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}}'
	background socat TCP-LISTEN:8080 -
	soon bash -c 'ss -Htln | grep -q :8080'
	run -1 cni ADD a <<<"$(config n "$port")"
	assert_equal "$(code)" 102
	assert_has 8080
	nothing_left
	within b ip link add eth0 type veth peer name other
	run -1 cni ADD b <<<"$(config n)"
	assert_has eth0
	nothing_left
	run cni ADD a <<<"$(config n)" >/dev/full
	run bash -c 'exec 1>/dev/full; exec "$@"' - env CNI_COMMAND=ADD CNI_CONTAINERID=a CNI_NETNS="$STATE/a" CNI_IFNAME=eth0 \
		"$PROGRAMS/strake-cni" <<<"$(config m)"
	[ "$status" != 0 ]
	run ! strake network inspect m
}

@test "A5.18 an ADD that is killed at any moment: DEL, or GC, and nothing is left" {
	port='{"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}}'
	for i in 001 002 003 004 006 008 010 015 020 030 050 080; do
		ns_new "k$i"
		# From before it has read anything to behind its last step, wherever that is on this machine.
		cni ADD "k$i" <<<"$(config n "$port")" >/dev/null 2>&1 &
		read -r -t "0.$i" -u "$NEVER" || true
		kill -KILL $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		if [[ $i == *[05] || $i == *3 ]]; then
			run -0 cni DEL "k$i" <<<"$(config n "$port")"
		else
			umount "$STATE/k$i"
			run -0 cni GC x <<<"$(config n '{"cni.dev/valid-attachments": []}')"
		fi
		nothing_left
	done
}

@test "ls, inspect, check and draw know the containers of a CNI runtime" {
	ns_new a
	cni ADD a <<<"$(config kube '{"runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]}}')"
	run -0 strake network ls
	assert_has kube
	run -0 strake network inspect kube
	assert_equal "$(jq -r '.[0].Containers[] | .Name' <<<"$output")" a
	assert_equal "$(jq -r '.[0].Containers[] | .Ports[0]' <<<"$output")" "0.0.0.0:8080->80/tcp"
	strake system check
	run -0 env LC_ALL=C "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" network draw
	assert_has "network kube"
	assert_has 8080/tcp
	cni DEL a <<<"$(config kube)"
	nothing_left
}

@test "a network that strake made is joined by its name" {
	strake network create --subnet 10.77.0.0/24 front
	ns_new a
	run -0 cni ADD a <<<"$(config k8s '{"network": "front"}')"
	assert_equal "$(jq -r '.ips[0].gateway' <<<"$output")" 10.77.0.1
	strake run -d --name b --network front --bare /bin/busybox -- tail -f /dev/null
	run -0 strake exec b /busybox ping -c 1 -W 3 "$(address "$output")"
	cni DEL a <<<"$(config k8s '{"network": "front"}')"
	strake rm -f b
	strake network ls | grep front
	strake network rm front
}

@test "in a chain with Debian's plugins: tuning behind it, portmap with its result, and CHECK through both" {
	need_command /usr/lib/cni/tuning /usr/lib/cni/portmap iptables
	outside_new
	ns_new a
	ours=$(config mix | jq 'del(.cniVersion, .name)')
	tuning='{"type": "tuning", "mtu": 1400, "sysctl": {"net.ipv4.conf.eth0.rp_filter": "2"}}'
	list mix 1.0.0 "$ours" "$tuning"
	run -0 chain add "$STATE/tmp/mix" a "$STATE/a" eth0
	assert_equal "$(jq '.interfaces | length' <<<"$output")" 3
	within a ip link show eth0 | grep -F 'mtu 1400'
	assert_equal "$(within a cat /proc/sys/net/ipv4/conf/eth0/rp_filter)" 2
	run -0 chain check "$STATE/tmp/mix" a "$STATE/a" eth0
	within a ip link set eth0 mtu 1300
	run -1 chain check "$STATE/tmp/mix" a "$STATE/a" eth0
	run -0 chain del "$STATE/tmp/mix" a "$STATE/a" eth0
	nothing_left
	# The ports by iptables in place of our table.
	list ports 0.4.0 "$(jq '.name = "ports"' <<<"$ours")" '{"type": "portmap", "capabilities": {"portMappings": true}}'
	ports='{"portMappings": [{"hostPort": 8088, "containerPort": 80, "protocol": "tcp"}]}'
	run -0 chain add "$STATE/tmp/ports" a "$STATE/a" eth0 "$ports"
	web a "page of the chain"
	assert_equal "$(within outside curl --silent --max-time 5 http://192.0.2.1:8088/)" "page of the chain"
	run -0 chain del "$STATE/tmp/ports" a "$STATE/a" eth0 "$ports"
	run within outside curl --silent --max-time 1 http://192.0.2.1:8088/
	[ "$status" != 0 ]
}

@test "behind another plugin its result is added to what is there" {
	need_command /usr/lib/cni/bridge
	ns_new a
	list two 1.0.0 '{"type": "bridge", "bridge": "cni7", "isGateway": true, "ipam": {"type": "host-local", "dataDir": "'"$STATE"'/tmp/ipam",
		"subnet": "10.99.0.0/24"}}' "$(config two | jq 'del(.cniVersion, .name)')"
	# Both would make eth0: ours is refused, and what the other made is left to it.
	run -1 chain add "$STATE/tmp/two" a "$STATE/a" eth0
	assert_has eth0
	prev=$(CNI_COMMAND=VERSION /usr/lib/cni/bridge <<<'{"cniVersion": "1.0.0"}')
	assert_equal "$(jq -r '.supportedVersions | index("1.0.0") != null' <<<"$prev")" true
	run -0 cni ADD a CNI_IFNAME=net1 <<<"$(config three '{"prevResult": {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "x"}],
		"ips": [{"address": "10.99.0.2/24", "interface": 0}]}}')"
	assert_equal "$(jq -c '[.interfaces[0].name, .interfaces[3].name, .ips[0].address, .ips[1].interface]' <<<"$output")" '["eth0","net1","10.99.0.2/24",3]'
	ip link delete cni7
}

@test "podman with network_backend cni: its containers reach out, are reached, and leave nothing" {
	need_command podman
	short_folder
	mkdir -p "$SHORT/net.d" "$SHORT/bin"
	cp "$PROGRAMS/strake-cni" "$SHORT/bin/"
	config podman "$(jq -n '{capabilities: {portMappings: true, ips: true, mac: true}}')" | jq '{cniVersion: "0.4.0", name: "podman", plugins: [. | del(.name, .cniVersion)]}' \
		>"$SHORT/net.d/87-podman.conflist"
	printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[network]\nnetwork_backend = "cni"\ncni_plugin_dirs = ["%s", "%s"]\nnetwork_config_dir = "%s"\n' \
		"$SHORT/bin" "$PLUGINS" "$SHORT/net.d" >"$STATE/tmp/containers.conf"
	export CONTAINERS_CONF=$STATE/tmp/containers.conf
	rootfs_new "$STATE/fs"
	pod() { podman --root "$SHORT/root" --runroot "$SHORT/run" --tmpdir "$SHORT/tmp" --storage-driver vfs --cgroup-manager cgroupfs \
		--runtime "$PROGRAMS/strake-runtime" --network-config-dir "$SHORT/net.d" "$@"; }
	run -0 pod run -d --name web -p 8080:80 --rootfs "$STATE/fs" httpd -f -p 80 -h /etc
	soon eval 'fetch http://127.0.0.1:8080/group | grep -q www'
	run -0 pod run --rm --ip "$(strake network inspect podman | jq -r '.[0].IPAM.Config[0].Subnet' | sed 's/0\/.*/77/')" --rootfs "$STATE/fs" ip address show eth0
	assert_has ".77/"
	pod rm -f -t 0 web
	nothing_left
	umount -R /run/netns # podman's
}

@test "containerd runs containers with strake-cni and strake-runtime; what ctr forgets GC finds" {
	need_command containerd ctr
	short_folder
	# ctr has these two folders built in.
	mount -t tmpfs strake-opt /opt
	mkdir -p /opt/cni/bin "$SHORT/etc/cni/net.d" "$SHORT/upper" "$SHORT/work"
	mount -t overlay -o "lowerdir=$SHORT/etc:/etc" strake-etc /etc
	cp "$PROGRAMS/strake-cni" "$PLUGINS/loopback" /opt/cni/bin/
	config ctr | jq '{cniVersion: "1.0.0", name: "ctr", plugins: [. | del(.name, .cniVersion)]}' >"$SHORT/etc/cni/net.d/10-strake.conflist"
	printf 'version = 2\nroot = "%s/root"\nstate = "%s/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s/c.sock"\n' \
		"$SHORT" "$SHORT" "$SHORT" >"$SHORT/config.toml"
	background containerd --config "$SHORT/config.toml" 2>/dev/null
	soon test -S "$SHORT/c.sock"
	rootfs_new "$STATE/fs"
	ctl() { ctr --address "$SHORT/c.sock" "$@"; }
	run -0 ctl run --rm --cni --rootfs --runc-binary "$PROGRAMS/strake-runtime" "$STATE/fs" once ip address show eth0
	assert_has "inet 10.120.0.2/20"
	nothing_left
	ctl run -d --cni --rootfs --runc-binary "$PROGRAMS/strake-runtime" "$STATE/fs" web httpd -f -p 80 -h /etc
	run -0 strake network inspect ctr
	assert_equal "$(jq -r '.[0].Containers[].Name' <<<"$output")" default-web
	soon eval 'fetch "http://$(jq -r ".[0].Containers[].IPv4Address" <<<"$output")/group" | grep -q www'
	ctl tasks kill -s KILL web
	soon eval 'ctl tasks ls | grep -q STOPPED'
	ctl tasks rm web || true
	ctl containers rm web
	cni GC x <<<"$(config ctr '{"cni.dev/valid-attachments": []}')"
	nothing_left
	kill "${BACKGROUND[-1]}"
	wait "${BACKGROUND[-1]}" || true
	umount /etc
	umount /opt
}
