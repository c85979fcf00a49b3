#!/usr/bin/env bats
# The default network: address, route, published ports, isolation, removal; real traffic throughout.
bats_require_minimum_version 1.5.0
load lib

web() { # NAME PORT-OPTION...: busybox's web server with a page that says NAME
	local name=$1
	shift
	mkdir -p "$STATE/tmp/$name"
	echo "page of $name" >"$STATE/tmp/$name/index.html"
	strake run -d --name "$name" "$@" -v "$STATE/tmp/$name:/www:ro" --bare /bin/busybox -- httpd -f -p 80 -h /www
}
address() { strake inspect --format '{{.NetworkSettings.IPAddress}}' "$1"; }
fetch() { curl --silent --max-time 5 "$@"; }

# A machine next door: namespace "outside" with a cable to here, 192.0.2.2 there, 192.0.2.1 here.
outside_new() {
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev out0
	ip link set out0 up
	outside ip link set lo up
	outside ip address add 192.0.2.2/24 dev eth0
	outside ip link set eth0 up
}
outside() { nsenter --net="$STATE/outside" "$@"; }

teardown() {
	umount "$STATE/outside" 2>/dev/null || true
	state_done
}

@test "a container gets an address, a default route, and the bridge answers" {
	run strake run --rm --bare /bin/busybox -- sh -c 'ip -4 addr show eth0; ip route; ping -c 1 -W 3 10.120.0.1'
	assert_status 0
	assert_has "inet 10.120.0.2/20"
	assert_has "default via 10.120.0.1 dev eth0"
	assert_has "0% packet loss"
}

# bats test_tags=vm
@test "A5.8 A5.11 a published port answers from this host, from 127.0.0.1 and from next door, with the client's address" {
	outside_new
	rootfs_new "$STATE/fs"
	web a -p 8080:80
	assert_equal "$(fetch http://127.0.0.1:8080/)" "page of a"
	assert_equal "$(fetch http://192.0.2.1:8080/)" "page of a"
	assert_equal "$(outside curl --silent --max-time 5 http://192.0.2.1:8080/)" "page of a"
	mkdir "$STATE/tmp/a/cgi-bin"
	printf '#!/bin/sh\necho\necho "$REMOTE_ADDR"\n' >"$STATE/tmp/a/cgi-bin/who"
	chmod +x "$STATE/tmp/a/cgi-bin/who"
	strake run -d --name peer -p 7000:80 -v "$STATE/tmp/a:/www:ro" --rootfs "$STATE/fs" httpd -f -p 80 -h /www
	assert_equal "$(outside curl --silent --max-time 5 http://192.0.2.1:7000/cgi-bin/who)" '[::ffff:192.0.2.2]'
}

@test "A5.12 a port that is not published is closed to next door, as is the container's address" {
	outside_new
	web a -p 8080:80
	outside ip route add 10.120.0.0/20 via 192.0.2.1
	run outside curl --silent --max-time 1 "http://$(address a)/"
	[ "$status" != 0 ]
	run outside curl --silent --max-time 1 http://192.0.2.1:80/
	[ "$status" != 0 ]
}

# bats test_tags=vm
@test "A5.8 containers reach each other, and a published port through the host's address (hairpin)" {
	rootfs_new "$STATE/fs"
	web a -p 8080:80
	strake run -d --name b --rootfs "$STATE/fs" tail -f /dev/null
	run strake exec b ping -c 1 -W 3 "$(address a)"
	assert_status 0
	run strake exec b sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 10.120.0.1 8080"
	assert_has "page of a"
	strake run -d --name c -p 8081:80 -v "$STATE/tmp/a:/www:ro" --rootfs "$STATE/fs" httpd -f -p 80 -h /www
	run strake exec c sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 3 10.120.0.1 8081"
	assert_has "page of a"
}

@test "A5.6 outbound: masqueraded as this host" {
	outside_new
	outside socat -u TCP-LISTEN:9000,fork SYSTEM:'echo $SOCAT_PEERADDR > '"$STATE/tmp/seen" 3>&- &
	BACKGROUND+=($!)
	soon outside bash -c 'ss -ltn | grep -q :9000'
	run strake run --rm --bare /bin/busybox -- sh -c 'echo hello | nc -w 2 192.0.2.2 9000'
	soon test -s "$STATE/tmp/seen"
	assert_equal "$(cat "$STATE/tmp/seen")" 192.0.2.1
}

@test "127.0.0.1: a port published there is not reached from next door; a free port is chosen if asked" {
	outside_new
	web a -p 127.0.0.1:8080:80
	assert_equal "$(fetch http://127.0.0.1:8080/)" "page of a"
	run outside curl --silent --max-time 1 http://192.0.2.1:8080/
	[ "$status" != 0 ]
	web b -p 80
	port=$(strake ps --format json | jq -r 'select(.Name == "b").Ports[0]' | sed 's/.*:\([0-9]*\)->.*/\1/')
	assert_equal "$(fetch "http://127.0.0.1:$port/")" "page of b"
}

@test "udp and ranges" {
	rootfs_new "$STATE/fs"
	strake run -d --name u -p 5300:5300/udp --with-libs --bare "$(command -v socat)" -- UDP-LISTEN:5300,fork PIPE
	soon eval '[ "$(echo ping | socat -t 1 - UDP:127.0.0.1:5300)" = ping ]'
	strake run -d --name r -p 9000-9009:8000-8009 -v "$STATE/fs/etc:/www:ro" --rootfs "$STATE/fs" httpd -f -p 8007 -h /www
	run fetch http://127.0.0.1:9007/group
	assert_has "www:x:33"
}

@test "a taken port is refused by name, and nothing is left" {
	web a -p 8080:80
	run strake run -d --name b -p 8080:80 --bare /bin/busybox true
	assert_status 125
	assert_has "published by container a"
	background socat TCP-LISTEN:8090 -
	soon bash -c 'ss -ltn | grep -q :8090'
	run strake run -d --name b -p 8090:80 --bare /bin/busybox true
	assert_status 125
	assert_has "taken by socat (process"
	run strake ps -aq
	assert_equal "${#lines[@]}" 1
	run strake run -d -p nonsense --bare /bin/busybox true
	assert_status 125
	run strake run -d -p 70000:80 --bare /bin/busybox true
	assert_status 125
}

@test "A5.1 none has loopback alone, host is this host" {
	run strake run --rm --network none --bare /bin/busybox -- ip -o link
	assert_has "lo:"
	assert_lacks eth0
	run strake run --rm --network none --bare /bin/busybox -- ping -c 1 127.0.0.1
	assert_status 0
	run strake run --rm --network host --bare /bin/busybox -- readlink /proc/self/ns/net
	assert_equal "$output" "$(readlink /proc/self/ns/net)"
	run strake run --rm --network nowhere --bare /bin/busybox true
	assert_status 125
	assert_has "no network 'nowhere'"
}

@test "names: hosts, resolv.conf, hostname" {
	rootfs_new "$STATE/fs"
	run strake run --rm --name n --hostname box --dns 192.0.2.53 --add-host db:192.0.2.7 --rootfs "$STATE/fs" \
		cat /etc/hosts /etc/resolv.conf /etc/hostname
	assert_has "10.120.0.2	box n"
	assert_has "192.0.2.7	db"
	assert_has "nameserver 10.120.0.1"
	assert_has "127.0.0.1	localhost"
	assert_has "box"
}

# bats test_tags=vm
@test "with the last container bridge, table and links go" {
	web a -p 8080:80
	web b
	strake rm -f a
	ip link show strake0
	strake rm -f b
	run ip -o link
	assert_lacks strake
	assert_lacks sk-
	assert_equal "$(nft list ruleset)" ""
}

@test "network ls and inspect tell who is connected to what" {
	web a -p 8080:80
	run strake network ls
	assert_has strake0
	run strake network inspect bridge
	assert_equal "$(jq -r '.[0].Containers[].Ports[0]' <<<"$output")" "0.0.0.0:8080->80/tcp"
}

@test "two instances with other roots live side by side" {
	web a -p 8080:80
	mkdir -p "$STATE/two/www"
	echo two >"$STATE/two/www/index.html"
	two() { "$PROGRAMS/strake" --root "$STATE/two/root" --run-root "$STATE/two/run" "$@"; }
	two run -d --name a -p 8081:80 -v "$STATE/two/www:/www" --bare /bin/busybox -- httpd -f -p 80 -h /www
	assert_equal "$(fetch http://127.0.0.1:8080/)" "page of a"
	assert_equal "$(fetch http://127.0.0.1:8081/)" two
	two system check
	strake system check
	two rm -f a
	assert_equal "$(fetch http://127.0.0.1:8080/)" "page of a"
}

# bats test_tags=vm
@test "the table over netlink is the table as nft would load it" {
	web a -p 8080:80 -p 127.0.0.1:9090:90
	# What answers names is started by no script.
	nft delete element inet strake pub4ip '{ 10.120.0.1 . tcp . 53, 10.120.0.1 . udp . 53 }'
	nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/; s/comment "[0-9a-f]*"/comment/' >"$STATE/tmp/ours"
	nft delete table inet strake
	"$PROGRAMS/strake" --root "$STATE/x" --run-root "$STATE/y" --dry-run run --name a -p 8080:80 -p 127.0.0.1:9090:90 \
		--bare /bin/busybox true >"$STATE/tmp/script"
	sed -i '/^export root/,$d; /^end() {/,/^trap /d' "$STATE/tmp/script"
	sed -n "/^nft list table/,/^TABLE/p; /^nft .*ELEMENTS/,/^ELEMENTS/p; /^nft 'add element/p; /^export [a-z]*=/p" "$STATE/tmp/script" | sed "s/strake-1/strake/g; s/strake1/strake0/g; s/10\.120\.16\./10.120.0./g" >"$STATE/tmp/nft"
	[ -s "$STATE/tmp/nft" ]
	sh -eu "$STATE/tmp/nft"
	nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/; s/comment "[0-9a-f]*"/comment/' >"$STATE/tmp/theirs"
	diff "$STATE/tmp/ours" "$STATE/tmp/theirs"
}
