# Labs: name servers, who asks them, and what is said when a name is not found.
bats_require_minimum_version 1.5.0
load lib

LABS=$HERE/../../examples/labs

setup() {
	state_new
	need_program strake-lab
	LAB=names
}

teardown() {
	strake lab list -q 2>/dev/null | xargs -r "$PROGRAMS/strake" --run-root "$RUN" lab down
	state_done
}

up() { strake lab up -q "$1"; }
in_node() { strake lab exec "$LAB" "$@"; }
refused() { # TEXT: what is said about $STATE/lab.yaml
	run strake lab up "$STATE/lab.yaml"
	assert_status 1
	assert_has "$1"
}

@test "a name server answers libc, forwards and backwards, and knows what it does not know" {
	need_command dig
	up "$LABS/names.yaml"
	# The name is found by asking: the host's own file has itself alone.
	run in_node h1 cat /etc/hosts
	assert_has h1
	assert_lacks h2
	run in_node h1 getent hosts www.example.net
	assert_has 10.9.1.80
	in_node h1 ping -c 1 -W 2 h2
	[ "$(in_node web dig +short H2)" = 10.9.0.2 ]
	[ "$(in_node web dig +short -x 10.9.0.2)" = h2. ]
	run in_node h1 dig h2 AAAA
	assert_has "status: NOERROR"
	assert_has "ANSWER: 0"
	run in_node h1 dig nobody
	assert_has "status: NXDOMAIN"
	# What is written into its hosts file is answered at once.
	in_node ns sh -c 'echo 10.9.0.77 printer >>/etc/hosts'
	[ "$(in_node h1 dig +short printer)" = 10.9.0.77 ]
	# A packet that is no question is not answered, and the server lives on.
	in_node h1 sh -c 'head -c 300 /dev/urandom | busybox nc -u -w 1 10.9.0.53 53 || true' >/dev/null
	[ "$(in_node h1 dig +short printer)" = 10.9.0.77 ]
	# It has no rights, and ends with the lab.
	pid=$(in_node ns ss -Hlunp 'sport = :53' | sed 's/.*pid=\([0-9]*\).*/\1/')
	run in_node ns grep -E '^(Uid|CapEff|Seccomp):' "/proc/$pid/status"
	assert_has $'Uid:\t65534\t65534'
	assert_has $'CapEff:\t0000000000000000'
}

@test "the matrix says who finds no name, and why; a server is started again" {
	up "$LABS/names.yaml"
	run strake lab matrix names
	assert_status 0
	assert_has "3 of 3 nodes resolve names"
	run strake lab dns names ns
	assert_status 1
	assert_has "name server of ns: listen on port 53: Address already in use"
	run strake lab dns names h1
	assert_has "h1 is no name server"
	in_node ns sh -c 'kill -9 $(ss -Hlunp "sport = :53" | sed "s/.*pid=\([0-9]*\).*/\1/")'
	run strake lab matrix names --json
	assert_status 1
	jq -e '.failed == 0 and ([.names[] | select(.cause == "name-server-down" and .at == "ns")] | length) == 3' <<<"$output"
	strake lab dns names ns
	strake lab check names
	# A router on the way drops the question, not the ping.
	in_node r1 nft 'add table inet t; add chain inet t c { type filter hook forward priority 0; }; add rule inet t c udp dport 53 drop'
	run strake lab matrix names --json
	jq -e '[.names[] | select(.resolved | not)] | length == 1 and .[0].cause == "firewall" and .[0].at == "r1" and .[0].from == "web"' <<<"$output"
	in_node r1 nft delete table inet t
	# No way to the server is what it is without names.
	in_node web ip route del default
	run strake lab check names
	assert_has "web resolves h1: name server 10.9.0.53: no route at web to 10.9.0.53"
	assert_has "[no-route]"
}

@test "a lab over IPv6 alone has names, too; two servers, the first of which is none" {
	cat >"$STATE/lab.yaml" <<-END
		name: names
		nodes:
		  s1: {kind: switch}
		  ns: {addresses: [fd00::53/64], dns: {a.b: [fd00::1, fd00::2]}}
		  h1: {addresses: [fd00::1/64], resolver: [fd00::99, fd00::53]}
		links: [ns - s1, h1 - s1]
		checks:
		  - resolve: [h1, a.b]
		    is: [fd00::1, fd00::2]
		  - resolve: [h1, ns]
	END
	up "$STATE/lab.yaml"
	strake lab check names
}

@test "what a file says wrong about names has its place" {
	local text what
	while IFS='|' read -r text what; do
		printf '%b' "$text" >"$STATE/lab.yaml"
		refused "$what"
	done <<-'END'
		nodes: {n: {dns: {"a b": 10.0.0.1}}}|lab.yaml:1:20: 'a b' is no name for a host
		nodes: {n: {dns: {a: b}}}|lab.yaml:1:22: dns is an address, not 'b'
		nodes: {n: {dns: 5}}|lab.yaml:1:18: dns
		nodes: {n: {resolver: x}}|lab.yaml:1:23: resolver is an address, not 'x'
		nodes: {n: {resolver: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}}|more than 3 name servers
		nodes: {n: {kind: hub, dns: true}}|hub n is a piece of wire
		nodes: {n: {kind: container, bare: /bin/true, dns: true}}|container n runs what is in it
	END
	printf 'nodes: {n: {addresses: [10.0.0.1/24]}}\nchecks: [{resolve: [n, n]}]\n' >"$STATE/lab.yaml"
	strake lab up -q "$STATE/lab.yaml"
	run strake lab check lab
	assert_status 1
	assert_has "n asks no name server; 'resolver: ADDRESS' gives it one"
	strake lab down lab
	# What a name holds is no command for a terminal, and no line of its own.
	printf 'nodes: {n: {addresses: [10.0.0.1/24], dns: true, resolver: 10.0.0.1}}\nchecks: [{resolve: [n, "a\\e[31m\\nok 2 - b"]}]\n' >"$STATE/lab.yaml"
	strake lab up -q "$STATE/lab.yaml"
	run strake lab check lab
	assert_status 1
	assert_lacks $'\033'
	[ "${lines[1]}" = 'not ok 1 - resolve n, a?[31m?ok 2 - b' ]
}

@test "the script of a dry run has a name server that answers the same" {
	need_command dnsmasq
	mount -t tmpfs netns /run
	mkdir /run/etc
	cp -a /etc/. /run/etc/
	mount --bind /run/etc /etc
	strake --dry-run lab up "$LABS/names.yaml" >"$STATE/script"
	sh "$STATE/script"
	run ip netns exec names-h1 getent hosts www.example.net
	assert_has 10.9.1.80
	run ip netns exec names-web getent hosts h2
	assert_has 10.9.0.2
	ip netns pids names-ns | xargs -r kill
	ip -all netns delete
	umount -l /etc
	umount -l /run
}
