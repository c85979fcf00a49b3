#!/usr/bin/env bats
# Names inside networks: strake-dns asked with real packets, and the files in /etc.
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	need_program strake-dns
	need_command dig
	rootfs_new "$STATE/fs"
	# The host's own, which a test may write to.
	printf 'nameserver 127.0.0.53\n' >"$STATE/resolv.conf"
	mount --bind "$STATE/resolv.conf" "$(realpath /etc/resolv.conf)"
	mounts_are_ours
}
teardown() {
	umount "$STATE/outside" 2>/dev/null || true
	state_done
}

box() { # NAME OPTION...: a container that does nothing
	local name=$1
	shift
	strake run -d --name "$name" "$@" --rootfs "$STATE/fs" tail -f /dev/null >/dev/null
}
pid() { strake inspect --format '{{.State.Pid}}' "$1"; }
inside() { # CONTAINER COMMAND...: with this machine's programs, in the container's network
	nsenter --net="/proc/$(pid "$1")/ns/net" "${@:2}"
}
address() { strake inspect --format '{{.NetworkSettings.IPAddress}}' "$1"; }
gateway() { sed -n 's/^nameserver //p' "/proc/$(pid "$1")/cwd/etc/resolv.conf"; }
ask() { # CONTAINER ARGUMENT-OF-DIG...: only what is answered
	inside "$1" dig "@$(gateway "$1")" +short +tries=1 +time=4 "${@:2}"
}
status() { # CONTAINER ARGUMENT-OF-DIG...: how it is answered
	inside "$1" dig "@$(gateway "$1")" +tries=1 +time=4 "${@:2}" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p'
}
took() { # CONTAINER NAME: milliseconds
	inside "$1" dig "@$(gateway "$1")" +tries=1 +time=4 "$2" | sed -n 's/.*Query time: \([0-9]*\) msec/\1/p'
}
resolvers() { pgrep -f "^strake-dns.*--network=${1-}" || true; }

# A name server of the world: it knows the names of outside.example. world ADDRESS [OPTION...]
world() {
	need_command dnsmasq
	background dnsmasq --no-daemon --conf-file=/dev/null --user=root --no-hosts --no-resolv --bind-interfaces --port=53 --pid-file= \
		"--listen-address=$1" --address=/outside.example/192.0.2.80 "${@:2}" >"$STATE/tmp/world$1" 2>&1
	soon dig "@$1" +short +tries=1 +time=1 www.outside.example
}

@test "A5.5 containers find each other by name, short ID and what Docker's users write; with the last one the resolver ends" {
	box a
	box b --hostname box
	run strake exec a ping -c 1 -W 3 b
	assert_status 0
	run strake exec b nslookup a
	assert_has "$(address a)"
	assert_equal "$(ask a b)" "$(address b)"
	assert_equal "$(ask a "$(strake inspect --format '{{.Id}}' b | cut -c -12)")" "$(address b)"
	assert_equal "$(ask a B.Strake.Internal)" "$(address b)"
	assert_equal "$(ask a b.bridge)" "$(address b)"
	assert_equal "$(ask a host.strake.internal)" "$(gateway a)"
	assert_equal "$(ask a host.docker.internal)" "$(gateway a)"
	run strake exec a ping -c 1 -W 3 host.strake.internal
	assert_status 0
	assert_equal "$(resolvers | wc -l)" 1
	strake rm -f b >/dev/null
	assert_equal "$(status a b)" NXDOMAIN
	strake rm -f a >/dev/null
	soon eval '[ -z "$(resolvers)" ]'
	assert_equal "$(find "$RUN/networks" -mindepth 1)" ""
	assert_equal "$(nft list ruleset)" ""
}

@test "A, AAAA, no data, no such name, reverse, EDNS, TCP" {
	strake network create --ipv6 six >/dev/null
	box a --network six
	box b --network six
	box four
	assert_equal "$(ask a b)" "$(strake inspect b | jq -r '.[0].NetworkSettings.Networks.six.IPAddress')"
	six=$(strake inspect b | jq -r '.[0].NetworkSettings.Networks.six.GlobalIPv6Address')
	assert_equal "$(ask a AAAA b)" "$six"
	assert_equal "$(ask a -x "$six")" b.strake.internal.
	assert_equal "$(ask four -x "$(address four)")" four.strake.internal.
	assert_equal "$(ask four -x "$(gateway four)")" host.strake.internal.
	assert_equal "$(status four four AAAA)" NOERROR
	assert_equal "$(ask four four AAAA)" ""
	assert_equal "$(ask four four MX)" ""
	assert_equal "$(status four four MX)" NOERROR
	assert_equal "$(status four nobody)" NXDOMAIN
	assert_equal "$(status four nobody.strake.internal)" NXDOMAIN
	assert_equal "$(status four four +edns=7 +noednsnegotiation)" BADVERS
	assert_equal "$(ask four four +tcp)" "$(address four)"
	assert_equal "$(ask four four +noedns)" "$(address four)"
	run strake exec a ping -6 -c 1 -W 3 b
	assert_status 0
}

@test "an alias of several containers: all addresses, each of them first at times; too many for a datagram come over TCP" {
	strake network create red >/dev/null
	for i in 1 2 3; do
		box "w$i" --network red --network-alias web
	done
	run ask w1 web
	assert_equal "$(sort <<<"$output")" "$(for i in 1 2 3; do ask w1 "w$i"; done | sort)"
	server=$(gateway w1)
	for _ in {1..25}; do
		echo "@$server +short web"
	done >"$STATE/tmp/questions"
	inside w1 dig -f "$STATE/tmp/questions" | awk 'NR % 3 == 1' | sort -u >"$STATE/tmp/first"
	assert_equal "$(wc -l <"$STATE/tmp/first")" 3
	for i in {4..40}; do
		echo "add red $(printf '%064d' "$i") 10.99.0.$i many -"
	done >"$STATE/tmp/change"
	echo end >>"$STATE/tmp/change"
	socat -t 5 - "UNIX-CONNECT:$RUN/networks/red/names" <"$STATE/tmp/change" >/dev/null
	run inside w1 dig "@$(gateway w1)" +noedns +ignore many
	assert_has " tc "
	assert_equal "$(ask w1 many +noedns | wc -l)" 37
}

@test "a client sees the names of its networks, and no others" {
	strake network create red >/dev/null
	strake network create blue >/dev/null
	box r --network red
	box b --network blue
	box both --network red --network blue
	assert_equal "$(status r b)" NXDOMAIN
	assert_equal "$(status b r)" NXDOMAIN
	assert_equal "$(ask r both | wc -l)" 1
	assert_equal "$(ask both r)" "$(ask r r)"
	assert_equal "$(ask both b)" "$(ask b b)"
	assert_equal "$(ask both both | wc -l)" 2
	run strake exec both ping -c 1 -W 3 b
	assert_status 0
	strake network disconnect blue both
	assert_equal "$(status both b)" NXDOMAIN
	strake network connect --alias late blue both
	assert_equal "$(ask b late)" "$(ask b both)"
	assert_equal "$(ask both b)" "$(ask b b)"
}

@test "A5.16 a name server on the host's loopback answers containers, too" {
	world 127.0.0.53
	box a
	run strake exec a nslookup www.outside.example
	assert_has 192.0.2.80
	run strake exec a cat /etc/resolv.conf
	assert_lacks 127.0.0.53
	# The host moves to another network.
	world 127.0.0.54 --address=/moved.example/192.0.2.81
	printf 'nameserver 127.0.0.54\n' >"$STATE/resolv.conf"
	soon eval '[ "$(ask a moved.example)" = 192.0.2.81 ]'
}

@test "a silent server does not hold up the next one, and a refusing one even less" {
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev out0
	ip link set out0 up
	nsenter --net="$STATE/outside" ip link set eth0 up
	world 127.0.0.54
	printf 'nameserver 192.0.2.2\nnameserver 127.0.0.54\n' >"$STATE/resolv.conf"
	box a
	first=$(took a www.outside.example)
	then=$(took a again.outside.example)
	echo "first $first ms, then $then ms"
	[ "$first" -lt 2000 ]
	[ "$then" -lt 250 ] # who answered is asked first
	printf 'nameserver 127.0.0.99\nnameserver 127.0.0.54\n' >"$STATE/resolv.conf"
	soon eval '[ "$(ask a www.outside.example)" = 192.0.2.80 ]'
	# Nobody answers: a failure that is said, before the client gives up by itself.
	printf 'nameserver 127.0.0.99\n' >"$STATE/resolv.conf"
	soon eval '[ "$(status a www.outside.example)" = SERVFAIL ]'
}

@test "an answer that is too long for a datagram comes over TCP from outside, too" {
	long=$(printf 'x%.0s' {1..200})
	world 127.0.0.53 "--txt-record=long.outside.example,$long,$long,$long,$long,$long,$long,$long,$long"
	box a
	assert_equal "$(ask a TXT long.outside.example | tr -d '" \n' | wc -c)" 1600
	run inside a dig "@$(gateway a)" +noedns +ignore TXT long.outside.example
	assert_has " tc "
}

@test "resolv.conf, hosts and hostname are what Docker's users expect" {
	printf 'nameserver 127.0.0.53\nsearch corp.example\noptions edns0\n' >"$STATE/resolv.conf"
	run strake run --rm --hostname web.example.org --name n --add-host db:192.0.2.7 --add-host "six=[2001:db8::7]" --add-host up:host-gateway --rootfs "$STATE/fs" \
		cat /etc/hosts /etc/resolv.conf /etc/hostname
	assert_status 0
	assert_has "127.0.0.1	localhost"
	assert_has "10.120.0.2	web.example.org web n"
	assert_has "192.0.2.7	db"
	assert_has "2001:db8::7	six"
	assert_has "10.120.0.1	up"
	assert_has "nameserver 10.120.0.1"
	assert_has "search corp.example"
	assert_has "options edns0 ndots:0"
	run strake run --rm --dns-search a.example --dns-search b.example --dns-option timeout:1 --rootfs "$STATE/fs" cat /etc/resolv.conf
	assert_has "search a.example b.example"
	assert_has "options timeout:1 ndots:0"
	run strake run --rm --dns-search . --rootfs "$STATE/fs" cat /etc/resolv.conf
	assert_lacks search
	run strake run --rm --network none --hostname h --rootfs "$STATE/fs" cat /etc/hostname /etc/hosts
	assert_has h
	assert_lacks 10.120
	run strake run --rm --network host --rootfs "$STATE/fs" cat /etc/resolv.conf
	assert_has "nameserver 127.0.0.53"
	run strake run --rm --dns nonsense --rootfs "$STATE/fs" true
	assert_status 125
	assert_has "--dns 'nonsense' is not an address"
}

@test "hosts and resolv.conf follow connect and disconnect, in place; what somebody wrote there stays" {
	strake network create --subnet 10.1.0.0/24 one >/dev/null
	strake network create --subnet 10.2.0.0/24 --ipv6 --subnet fd02::/64 two >/dev/null
	box a --network one --hostname shop.example --dns 192.0.2.77 --dns-search example
	box b --network two
	strake exec a sh -c 'echo "192.0.2.9 mine" >>/etc/hosts; echo "# mine" >>/etc/resolv.conf'
	strake network connect two a
	run strake exec a cat /etc/hosts
	assert_has $'10.1.0.2\tshop.example shop a'
	assert_has $'10.2.0.3\tshop.example shop a'
	assert_has $'fd02::3\tshop.example shop a'
	assert_has "192.0.2.9 mine"
	assert_has $'127.0.0.1\tlocalhost'
	run strake exec a cat /etc/resolv.conf
	assert_has "nameserver 10.1.0.1"
	assert_lacks "nameserver 10.2.0.1"
	strake network disconnect one a
	run strake exec a cat /etc/hosts
	assert_lacks 10.1.0.2
	assert_equal "$(grep -c 10.2.0.3 <<<"$output")" 1
	run strake exec a cat /etc/resolv.conf
	assert_equal "$(grep -c nameserver <<<"$output")" 1
	assert_has "nameserver 10.2.0.1"
	assert_has "search example"
	assert_has "# mine"
	assert_equal "$(ask a -q b -t A)" 10.2.0.2
	# In no network there is no resolver; its own servers are what is left.
	strake network disconnect two a
	run strake exec a cat /etc/resolv.conf
	assert_equal "$(grep nameserver <<<"$output")" "nameserver 192.0.2.77"
	run strake exec a cat /etc/hosts
	assert_lacks shop
	strake network connect one a
	assert_equal "$(strake exec a grep nameserver /etc/resolv.conf)" "nameserver 10.1.0.1"
	assert_equal "$(strake exec a grep -c shop /etc/hosts)" 1
}

@test "a container's own --dns outlives a lost database" {
	world 127.0.0.53
	world 127.0.0.54 --address=/special.example/192.0.2.99
	box a --dns 127.0.0.54
	rm -f "$ROOT"/state.db*
	strake ps >/dev/null
	kill -KILL "$(resolvers)" # so that what it knows comes from the database
	strake ps >/dev/null
	assert_equal "$(ask a special.example)" 192.0.2.99
}

@test "--dns: a container's own servers, and names of containers all the same" {
	world 127.0.0.53
	world 127.0.0.54 --address=/special.example/192.0.2.99
	box a --dns 127.0.0.54
	box b
	assert_equal "$(ask a special.example)" 192.0.2.99
	assert_equal "$(status b special.example)" REFUSED
	assert_equal "$(ask a b)" "$(address b)"
	assert_equal "$(ask b www.outside.example)" 192.0.2.80
	strake network create --dns 127.0.0.54 other >/dev/null
	box c --network other
	assert_equal "$(ask c special.example)" 192.0.2.99
}

@test "--dns of a container without a network counts when it is connected to one" {
	world 127.0.0.53
	world 127.0.0.54 --address=/special.example/192.0.2.99
	box a --network none --dns 127.0.0.54
	strake network create later >/dev/null
	strake network connect later a
	assert_equal "$(inside a dig "@$(inside a ip route show default | cut -d ' ' -f 3)" +short +tries=1 +time=4 special.example)" 192.0.2.99
}

@test "one that joins two networks is told what was in both before, and who comes later is known in both" {
	strake network create one >/dev/null
	strake network create two >/dev/null
	box north --network one
	box south --network two
	assert_equal "$(ask north south)" ""
	box both --network one --network two
	assert_equal "$(ask both north)" "$(address north)"
	assert_equal "$(ask both south)" "$(address south)"
	box late --network two
	assert_equal "$(ask both late)" "$(address late)"
	assert_equal "$(ask north late)" ""
	strake network connect two north
	assert_equal "$(ask north late)" "$(address late)"
	strake rm -f late >/dev/null
	assert_equal "$(ask both late)" ""
	assert_equal "$(ask north late)" ""
}

@test "an internal network knows its own names only; one without names has no resolver" {
	world 127.0.0.53 --log-queries --log-facility=-
	strake network create --internal in >/dev/null
	box a --network in
	box b --network in
	assert_equal "$(ask a b)" "$(ask b b)"
	assert_equal "$(status a secret.outside.example)" NXDOMAIN
	run cat "$STATE/tmp/world127.0.0.53"
	assert_lacks secret
	strake rm -f a b >/dev/null
	strake network create --disable-dns plain >/dev/null
	box c --network plain --dns 192.0.2.53
	assert_equal "$(resolvers)" ""
	assert_equal "$(gateway c)" 192.0.2.53
}

@test "port 53 of the host stays everybody's: a server that has all of it, and a container that publishes it" {
	background socat UDP4-RECVFROM:53,bind=0.0.0.0,fork SYSTEM:'cat >/dev/null'
	hog=$!
	soon eval 'ss -lun | grep -q "0.0.0.0:53"'
	box a
	box b
	assert_equal "$(ask a b)" "$(address b)"
	kill "$hog"
	soon eval '! ss -lun | grep -q "0.0.0.0:53"'
	strake run -d --name dns -p 53:5300/udp --with-libs --bare "$(command -v socat)" -- UDP-LISTEN:5300,fork PIPE >/dev/null
	assert_equal "$(ask a b)" "$(address b)"
	soon eval '[ "$(echo mine | socat -t 1 - UDP:127.0.0.1:53)" = mine ]'
}

@test "no question is lost while containers come and go" {
	box a
	box b
	inside a python3 "$TOOLS/asker.py" "$(gateway a)" b "$(address b)" "$STATE/tmp/stop" >"$STATE/tmp/asked" &
	asker=$!
	DEADLINE=40 soon test -s "$STATE/tmp/asked"
	for i in {1..12}; do
		box "x$i"
		((i < 4)) || strake rm -f "x$((i - 3))" >/dev/null
	done
	strake rm -f x10 x11 x12 >/dev/null
	touch "$STATE/tmp/stop"
	wait "$asker" || { cat "$STATE/tmp/asked"; return 1; }
	cat "$STATE/tmp/asked"
	[ "$(sed -n 's/^asked \([0-9]*\).*/\1/p' "$STATE/tmp/asked")" -gt 200 ]
}

@test "kill -9 of the resolver: check says so, the next command starts it again, from the database" {
	box a
	box b
	kill -KILL "$(resolvers)"
	soon eval '[ -z "$(resolvers)" ]'
	run strake network check
	assert_has "strake-dns"
	run strake network check
	assert_equal "$(resolvers | wc -l)" 1
	assert_equal "$(ask a b)" "$(address b)"
	kill -KILL "$(resolvers)"
	soon eval '[ -z "$(resolvers)" ]'
	box c
	assert_equal "$(ask c -q a)" "$(address a)"
	kill -KILL "$(resolvers)"
	strake rm -f a b c >/dev/null
	assert_equal "$(resolvers)" ""
}

@test "it has no privileges, answers no stranger, and outlives hostile packets" {
	box a
	run cat "/proc/$(resolvers)/status"
	assert_has "Uid:	65534	65534	65534	65534"
	assert_has "CapEff:	0000000000000000"
	assert_has "NoNewPrivs:	1"
	[ -n "${ASAN_OPTIONS-}" ] || assert_has "Seccomp:	2"
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev out0
	ip link set out0 up
	nsenter --net="$STATE/outside" ip address add 192.0.2.2/24 dev eth0
	nsenter --net="$STATE/outside" ip link set eth0 up
	nsenter --net="$STATE/outside" ip route add 10.120.0.0/20 via 192.0.2.1
	run nsenter --net="$STATE/outside" dig @10.120.0.1 +short +tries=1 +time=1 -q a
	assert_lacks "$(address a)"
	assert_equal "$(dig @10.120.0.1 +short -q a)" "$(address a)" # this host may
	inside a python3 "$TOOLS/asker.py" --hostile "$(gateway a)" "${BATS_TEST_DIRNAME%/system}/fuzz/corpus/dns_message"
	assert_equal "$(ask a -q a)" "$(address a)"
}
