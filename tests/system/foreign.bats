#!/usr/bin/env bats
# Beside other firewalls: theirs as they are afterwards, our networks work meanwhile.
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	rootfs_new "$STATE/fs"
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add 192.0.2.1/24 dev out0
	ip -6 address add 2001:db8::1/64 dev out0 nodad
	ip link set out0 up
	outside ip link set lo up
	outside ip address add 192.0.2.2/24 dev eth0
	outside ip -6 address add 2001:db8::2/64 dev eth0 nodad
	outside ip link set eth0 up
	mkdir "$STATE/www"
	echo outside >"$STATE/www/index.html"
	background nsenter "--net=$STATE/outside" busybox httpd -f -p 80 -h "$STATE/www"
	soon curl -s -o /dev/null http://192.0.2.2/
	mounts_are_ours
}
teardown() {
	umount "$STATE/outside" 2>/dev/null || true
	state_done
}
outside() { nsenter --net="$STATE/outside" "$@"; }

web() { # NAME OPTION...
	local name=$1
	shift
	mkdir -p "$STATE/tmp/$name"
	echo "page of $name" >"$STATE/tmp/$name/index.html"
	strake run -d --name "$name" "$@" -v "$STATE/tmp/$name:/www:ro" --rootfs "$STATE/fs" httpd -f -p 80 -h /www >/dev/null
}

# From outside to its port 8080, from it to outside, and by name to itself.
works() { # NAME
	assert_equal "$(outside curl -s --max-time 2 http://192.0.2.1:8080/)" "page of $1"
	assert_equal "$(strake exec "$1" timeout 5 wget -q -O - http://192.0.2.2/)" outside
	run strake exec "$1" timeout 5 nslookup "$1.strake.internal"
	assert_status 0
}
reaches_nothing() { # NAME
	run outside curl -s --max-time 0.5 http://192.0.2.1:8080/
	[ "$status" != 0 ]
	run strake exec "$1" timeout 1 wget -q -O - http://192.0.2.2/
	[ "$status" != 0 ]
}
# Rules without what they count.
rules() { { iptables-save; ip6tables-save; nft list ruleset; } 2>/dev/null | grep -v '^#' | sed 's/counter packets [0-9]* bytes [0-9]*/counter/; s/ \[[0-9:]*\]$//'; }

@test "A5.13 Docker's FORWARD policy DROP: rules in its user chain, while there is a network, and gone afterwards" {
	need_command iptables
	iptables -P FORWARD DROP
	iptables -N DOCKER-USER
	iptables -A DOCKER-USER -j RETURN
	iptables -A FORWARD -j DOCKER-USER
	ip6tables -P FORWARD DROP
	rules >"$STATE/before"
	web a -p 8080:80
	works a
	run iptables -S DOCKER-USER
	assert_has '-A DOCKER-USER -i strake0 -m comment --comment "strake: strake0 in" -j ACCEPT'
	assert_has '-A DOCKER-USER -o strake0 -m comment --comment "strake: strake0 out" -j ACCEPT'
	assert_equal "$(tail -n 1 <<<"$output")" "-A DOCKER-USER -j RETURN"
	run strake network check
	assert_status 0
	# A port that is not published stays closed: our own table decides what may come in.
	outside ip route add 10.120.0.0/20 via 192.0.2.1
	run outside curl -s --max-time 0.5 "http://10.120.0.2/"
	[ "$status" != 0 ]
	strake rm -f a >/dev/null
	rules | diff "$STATE/before" -
}

@test "A5.13 a policy without a chain for others, and IPv6" {
	need_command iptables
	iptables -P FORWARD DROP
	ip6tables -P FORWARD DROP
	iptables -A FORWARD -s 203.0.113.0/24 -j ACCEPT
	rules >"$STATE/before"
	strake network create --ipv6 six >/dev/null
	web a -p 8080:80 --network six
	works a
	assert_equal "$(outside curl -s --max-time 2 'http://[2001:db8::1]:8080/')" "page of a"
	run ip6tables -S FORWARD
	assert_has ACCEPT
	strake rm -f a >/dev/null
	rules | diff "$STATE/before" -
}

@test "A5.13 Docker comes, or its administrator deletes our rules, while a container runs: check says so, and repairs" {
	need_command iptables
	web a -p 8080:80
	works a
	iptables -P FORWARD DROP
	reaches_nothing a
	run strake network check
	[ "$status" != 0 ]
	assert_has "chain FORWARD of table ip filter drops the traffic of network bridge"
	strake network check --repair
	works a
	run strake network check
	assert_status 0
	iptables -D FORWARD 1
	run strake network check
	[ "$status" != 0 ]
	strake network check --repair
	works a
	strake rm -f a >/dev/null
	assert_equal "$(iptables -S)" "$(printf -- '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT')"
}

@test "A5.13 an administrator's nftables that drop in forward and input: names work as well" {
	nft -f - <<-'END'
		table inet admin {
			chain input {
				type filter hook input priority filter; policy drop;
				ct state established,related accept
				iifname "out0" tcp dport 22 accept
				iifname "lo" accept
				icmp type echo-request accept
				meta l4proto ipv6-icmp accept
			}
			chain forward {
				type filter hook forward priority 10; policy accept;
				ct state established,related accept
				counter reject with icmpx admin-prohibited
			}
		}
	END
	rules >"$STATE/before"
	web a -p 8080:80
	works a
	run nft list table inet admin
	assert_has 'comment "strake: strake0 names udp'
	pkill -KILL -f "^strake-dns.*--network=bridge"
	web b
	works a
	assert_equal "$(nft list table inet admin | grep -c 'strake: strake0 names')" 2
	strake rm -f a b >/dev/null
	rules | diff "$STATE/before" -
}

@test "A5.18 killed at each step beside a policy of DROP: what comes next works, and nothing is left" {
	need_command iptables
	grep -q STRAKE_FAULT "$PROGRAMS/strake" || skip "a build without tests has no fault points"
	iptables -P FORWARD DROP
	ip6tables -P FORWARD DROP
	iptables -P INPUT DROP
	iptables -A INPUT -i lo -j ACCEPT
	iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
	strake network create --ipv6 six >/dev/null
	rules >"$STATE/before"
	points=$(grep -rhoE 'fault_point\("(attach|bridge|plug|names)[a-z-]*' "${HERE%/tests/system}/src" | sed 's/.*"//' | sort -u)
	[ "$(grep -c bridge- <<<"$points")" -ge 4 ]
	for point in $points; do
		STRAKE_FAULT=$point run strake run -d --name x --network six -p 8080:80 --rootfs "$STATE/fs" tail -f /dev/null
		assert_equal "$point: $status" "$point: 137"
		web a -p 8080:80 --network six
		works a
		strake rm -f a >/dev/null
		rules | diff "$STATE/before" -
	done
}

@test "A5.13 ufw as Debian has it" {
	need_command ufw
	# Its rules are files; what it writes is for this test alone.
	mkdir "$STATE/upper" "$STATE/work" "$STATE/upper2" "$STATE/work2"
	mount -t overlay -o "lowerdir=/etc/ufw,upperdir=$STATE/upper,workdir=$STATE/work" ufw /etc/ufw
	mount -t tmpfs ufw /run
	mounts_are_ours
	ufw --force enable
	run iptables -S
	assert_has "-P FORWARD DROP"
	assert_has "-P INPUT DROP"
	rules >"$STATE/before"
	web a -p 8080:80
	works a
	run strake network check
	assert_status 0
	strake rm -f a >/dev/null
	rules | diff "$STATE/before" -
}

# With a bus of its own; its configuration is the host's, and what it writes is for this test alone.
firewalld_start() {
	mkdir -p "$STATE/upper" "$STATE/work"
	mount -t overlay -o "lowerdir=/etc/firewalld,upperdir=$STATE/upper,workdir=$STATE/work" firewalld /etc/firewalld
	mount -t tmpfs bus /run
	mounts_are_ours
	mkdir /run/dbus
	cat >"$STATE/bus.conf" <<-'END'
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
		<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
	END
	background dbus-daemon "--config-file=$STATE/bus.conf" --nofork
	soon test -S /run/dbus/system_bus_socket
	background firewalld --nofork --nopid >"$STATE/firewalld.log" 2>&1
	DEADLINE=30 soon eval 'firewall-cmd --state >/dev/null 2>&1'
}

@test "A5.13 firewalld as Debian has it: it is asked, and its reload keeps us" {
	need_command firewalld dbus-daemon
	need_program strake-firewalld
	firewalld_start
	rules >"$STATE/before"
	web a -p 8080:80
	works a
	assert_equal "$(firewall-cmd --get-zone-of-interface=strake0)" trusted
	run strake network check
	assert_status 0
	firewall-cmd --reload
	works a
	firewall-cmd --zone=trusted --remove-interface=strake0
	run strake network check
	assert_has "firewalld does not know the bridge of network bridge"
	strake network check --repair
	works a
	strake rm -f a >/dev/null
	firewall-cmd --reload # the chains of a zone that it has used stay until then
	rules | diff "$STATE/before" -
	run firewall-cmd --zone=trusted --list-interfaces --permanent
	assert_lacks strake
}

@test "flush ruleset: check tells what is missing, reload makes all of it again" {
	web a -p 8080:80
	strake network create --ipv6 six >/dev/null
	web b -p 8081:80 --network six
	rules >"$STATE/before"
	nft flush ruleset
	run outside curl -s --max-time 0.5 http://192.0.2.1:8080/
	[ "$status" != 0 ]
	run strake network check
	[ "$status" != 0 ]
	strake network reload
	rules | diff "$STATE/before" -
	works a
	assert_equal "$(outside curl -s --max-time 2 http://192.0.2.1:8081/)" "page of b"
	run strake network check
	assert_status 0
	strake network reload # again, with nothing to do
	rules | diff "$STATE/before" -
}

@test "A5.13 iptables-legacy: its rules are not edited, and check says what to type" {
	need_command iptables-legacy
	iptables-legacy -P FORWARD DROP 2>/dev/null || skip "this kernel has no ip_tables"
	iptables-legacy-save | grep -v '^#' >"$STATE/before"
	web a -p 8080:80
	run strake network check
	[ "$status" != 0 ]
	assert_has "'iptables-legacy -I FORWARD -i strake0 -j ACCEPT'"
	assert_lacks ip6tables-legacy # the network has no IPv6
	assert_has "1 found; see above what to do"
	run strake network check --repair
	assert_status 1
	assert_has "1 found; see above what to do"
	iptables-legacy-save | grep -v '^#' | sed 's/\[[0-9:]*\]//' | diff <(sed 's/\[[0-9:]*\]//' "$STATE/before") -
	iptables-legacy -I FORWARD -i strake0 -j ACCEPT
	iptables-legacy -I FORWARD -o strake0 -j ACCEPT
	works a
	run strake network check
	assert_status 0
}

@test "A5.13 ip6tables-legacy: the same for IPv6" {
	need_command ip6tables-legacy
	ip6tables-legacy -P FORWARD DROP 2>/dev/null || skip "this kernel has no ip6_tables"
	strake network create --ipv6 six >/dev/null
	web a -p 8080:80 --network six
	run strake network check
	[ "$status" != 0 ]
	assert_has "'ip6tables-legacy -I FORWARD -i strake0 -j ACCEPT'"
	assert_lacks "'iptables-legacy"
	run outside curl -s --max-time 0.5 'http://[2001:db8::1]:8080/'
	[ "$status" != 0 ]
	ip6tables-legacy -I FORWARD -i strake0 -j ACCEPT
	ip6tables-legacy -I FORWARD -o strake0 -j ACCEPT
	assert_equal "$(outside curl -s --max-time 2 'http://[2001:db8::1]:8080/')" "page of a"
	run strake network check
	assert_status 0
}
