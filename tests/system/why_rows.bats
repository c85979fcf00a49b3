# shellcheck shell=bash disable=SC2154 # lib.bash and bats set what is used here
# strake why on rules in files: whole rows of scenarios, each looked at from one end to the other.
load lib
bats_require_minimum_version 1.5.0

why() { "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" why "$@"; }

setup() {
	state_new
	need_program strake strake-why
}

# Docker's rules of one container with a published port, as iptables-save prints them.
docker_rules() {
	cat <<-'END'
		*nat
		:PREROUTING ACCEPT [0:0]
		:INPUT ACCEPT [0:0]
		:OUTPUT ACCEPT [0:0]
		:POSTROUTING ACCEPT [0:0]
		:DOCKER - [0:0]
		-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
		-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
		-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 5000 -j MASQUERADE
		-A DOCKER -i docker0 -j RETURN
		-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5005 -j DNAT --to-destination 172.17.0.2:5000
		COMMIT
		*filter
		:INPUT ACCEPT [0:0]
		:FORWARD DROP [0:0]
		:OUTPUT ACCEPT [0:0]
		:DOCKER - [0:0]
		:DOCKER-ISOLATION-STAGE-1 - [0:0]
		:DOCKER-ISOLATION-STAGE-2 - [0:0]
		:DOCKER-USER - [0:0]
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION-STAGE-1
		-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o docker0 -j DOCKER
		-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		-A FORWARD -i docker0 -o docker0 -j ACCEPT
		-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 5000 -j ACCEPT
		-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
		-A DOCKER-ISOLATION-STAGE-1 -j RETURN
		-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
		-A DOCKER-ISOLATION-STAGE-2 -j RETURN
		-A DOCKER-USER -j RETURN
		COMMIT
	END
}

@test "A9.12 A9.7 Docker's rules are told line by line, each with whose it is" {
	docker_rules >"$STATE/rules"
	why show "$STATE/rules" | sed -nE 's/^ +(-?[0-9]+  )?table ip ([a-z]+), chain ([^ ,]+).*\[iptables, (.*)\]$/== \2 \3: \4/p; s/^ +[0-9]+  ([a-su-z].*|t[b-z].*)/\1/p' >"$STATE/told"
	diff - "$STATE/told" <<-'END'
		== nat PREROUTING: an administrator
		packets whose destination is local go through chain DOCKER  (Docker)
		== filter INPUT: an administrator
		== nat INPUT: an administrator
		== filter FORWARD: an administrator
		all packets go through chain DOCKER-USER
		all packets go through chain DOCKER-ISOLATION-STAGE-1  (Docker)
		established or related connections leaving by docker0 are let through
		packets leaving by docker0 go through chain DOCKER  (Docker)
		packets arriving on docker0 but not leaving by docker0 are let through
		packets arriving on docker0 and leaving by docker0 are let through
		== nat OUTPUT: an administrator
		packets not to 127.0.0.0/8 but whose destination is local go through chain DOCKER  (Docker)
		== filter OUTPUT: an administrator
		== nat POSTROUTING: an administrator
		packets from 172.17.0.0/16 but not leaving by docker0 leave as if they came from this host's own address
		packets to tcp 5000 from 172.17.0.2 to 172.17.0.2 leave as if they came from this host's own address
		== nat DOCKER: Docker
		packets arriving on docker0 go back to the calling chain
		packets to tcp 5005 not arriving on docker0 are sent on to 172.17.0.2 port 5000
		== filter DOCKER: Docker
		packets to tcp 5000 to 172.17.0.2 but not arriving on docker0 and leaving by docker0 may go on
		== filter DOCKER-ISOLATION-STAGE-1: Docker
		packets arriving on docker0 but not leaving by docker0 go through chain DOCKER-ISOLATION-STAGE-2
		all packets go back to the calling chain
		== filter DOCKER-ISOLATION-STAGE-2: Docker
		packets leaving by docker0 are dropped
		all packets go back to the calling chain
		== filter DOCKER-USER: an administrator
		all packets go back to the calling chain
	END
	# a client of the published port, all the way
	run why check --local 192.0.2.1=eth0 --route 172.17.0.0/16=docker0 "$STATE/rules" -- in eth0 tcp from 192.0.2.9:5 to 192.0.2.1:5005
	assert_status 0
	assert_has "-> destination is now 172.17.0.2 (was 192.0.2.1)"
	assert_has "routed: forwarded by docker0"
	assert_has "rule 1: all packets go back to the calling chain (back to FORWARD after rule 1)"
	assert_has "verdict: forwarded"
	# what is not published is not
	run why check --route 172.17.0.0/16=docker0 "$STATE/rules" -- in eth0 out docker0 tcp from 192.0.2.9:5 to 172.17.0.2:22
	assert_status 3
	assert_has "end of chain DOCKER: no verdict, back to FORWARD after rule 4"
	assert_has "end of FORWARD, policy drop   <== here"
}

@test "A9.8 first packet, answer, one that belongs to nothing, and one that is not tracked" {
	printf '*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:OUTPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate INVALID -j DROP\n-A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\n-A INPUT -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\n-A OUTPUT -p tcp -m multiport --sports 80,443 -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n' >"$STATE/rules"
	run why check "$STATE/rules" -- in eth0 tcp from 192.0.2.9:5 to 192.0.2.1:80
	assert_status 0
	assert_has "connection tracking: new"
	run why check "$STATE/rules" -- out eth0 tcp from 192.0.2.1:80 to 192.0.2.9:5 state established
	assert_status 0
	assert_has "connection tracking: established"
	run why check "$STATE/rules" -- out eth0 tcp from 192.0.2.1:80 to 192.0.2.9:5
	assert_status 3
	# an ACK that nobody asked for: new where the kernel picks connections up, else invalid
	run why check "$STATE/rules" -- in eth0 tcp flags ack from 192.0.2.9:5 to 192.0.2.1:80
	assert_status 0
	assert_has "connection tracking: new"
	run why check "$STATE/rules" -- in eth0 tcp flags ack state invalid from 192.0.2.9:5 to 192.0.2.1:80
	assert_status 3
	assert_has "connection tracking: invalid"
	assert_has "verdict: dropped at rule 1 of table ip filter, chain INPUT"
	run why check "$STATE/rules" -- in eth0 udp from 192.0.2.9:5 to 192.0.2.1:53
	assert_status 3
	assert_has '-> not tracked: rules that ask for a state see "untracked"'
	assert_lacks "connection tracking"
	assert_has "by the policy of table ip filter, chain INPUT"
}

@test "A9.4 A9.5 A9.11 depth of calls, where they come back to, circles, and rules that cannot work" {
	need_command iptables-nft
	printf '*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n-A INPUT -p udp -j A\n-A INPUT -p tcp -j A\n-A A -p udp -j RETURN\n-A A -j B\n-A B -s 10.0.0.0/8 -j RETURN\n-A B -j DROP\n[0:0] -A C -p tcp -j DROP\n-A INPUT -s 10.0.0.1/32 -j RETURN\n-A INPUT -j ACCEPT\n-A INPUT -j LOG\nCOMMIT\n' >"$STATE/rules"
	run why check "$STATE/rules" -- in eth0 tcp from 10.0.0.1:5 to 192.0.2.1:80
	assert_status 3
	assert_has "rule 2: tcp packets go through chain A"
	assert_has "      rule 2: all packets go through chain B"
	assert_has "        rule 1: packets from 10.0.0.0/8 go back to the calling chain (back to A after rule 2)"
	assert_has "end of chain A: no verdict, back to INPUT after rule 2"
	assert_has "rule 3: packets from 10.0.0.1 are left to the policy"
	assert_has "end of INPUT, policy drop   <== here"
	assert_equal "$(why check --json "$STATE/rules" -- in eth0 tcp from 10.0.0.1:5 to 192.0.2.1:80 |
		jq -r '[.steps[] | select(.kind == "rule") | .depth] | join(" ")')" "0 1 2 0"
	run why show "$STATE/rules"
	assert_has "! no chain and no hook leads here"
	assert_has "packets are dropped  [never hit]"
	assert_has "! logs nothing: rule 4 has taken these packets before"
	# The kernel refuses a circle; of a file that has one nothing is said that is not so.
	iptables-nft -N A
	iptables-nft -N B
	iptables-nft -A INPUT -j A
	iptables-nft -A A -j B
	run ! iptables-nft -A B -j A
	printf '*filter\n:INPUT DROP [0:0]\n:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -j A\nCOMMIT\n' >"$STATE/circle"
	run why check "$STATE/circle" -- in eth0 tcp to 192.0.2.1:80
	assert_status 5
	assert_has "verdict: unknown (there are too many ways through these rules to follow every one"
}

@test "why show: what is read out of the kernel is what nft says, and nft is not run for it" {
	need_command nft
	nft -f - <<-'END'
		table inet t {
			chain u { return; }
			chain c { type filter hook input priority 0; policy drop;
				ip saddr 10.0.0.0/24 tcp dport 22 ct state new counter accept comment "a b"
				ip saddr 10.0.0.0/23 udp dport 20-30 ct state established,related drop
				ip saddr != 10.0.0.1 iifname "eth*" oifname != "lo" jump u
				ip6 daddr fd00::/64 tcp sport 5 ct state != new goto u
				ip6 daddr fd00::/63 meta l4proto udp counter
				ip6 saddr fd00::1 ct state new meta mark 5 accept
				meta l4proto tcp ct state invalid,new,untracked return
				tcp dport != 22 ct mark 0x10 drop
				ct state new tcp dport 5 ip saddr 10.0.0.0/8 accept
			}
		}
		table ip6 q { chain c { type nat hook prerouting priority -100; ip6 saddr fd00::/8 udp dport 22 accept; ct state established accept; }; }
	END
	nft -j list ruleset >"$STATE/rules"
	rules() { jq 'del(.. | .findings?)'; }
	why show --json "$STATE/rules" | rules >"$STATE/file"
	mount --bind /bin/false "$(realpath "$(command -v nft)")"
	why show --json | rules | diff "$STATE/file" -
	umount "$(realpath "$(command -v nft)")"
	# what is not understood as a whole is nft's to say
	for rule in 'tcp dport { 22, 80 } accept' 'meta l4proto tcp reject' 'ip protocol tcp tcp dport 5 drop' 'meta mark set 5' 'limit rate 5/second accept' \
		'meta nfproto ipv6 drop' 'tcp dport != 20-30 drop' 'iif lo accept' 'meta mark and 3 == 1 drop' 'ct state ! new drop' 'log prefix "a" drop' \
		'th dport 22 drop' 'ip ttl 5 drop' 'meta l4proto tcp ct state new tcp dport 5 drop' 'tcp dport > 5 accept' 'ct direction reply drop'; do
		nft add rule inet t u "$rule"
		nft -j list ruleset >"$STATE/rules"
		why show --json "$STATE/rules" | rules >"$STATE/file"
		why show --json | rules | diff "$STATE/file" -
		nft flush chain inet t u
	done
}

@test "why show: tables with long names, and with chains made after many rules" {
	need_command nft
	name=$(printf 'n%.0s' {1..255})
	nft add table inet "$name"
	nft add chain inet "$name" "$name" '{ type filter hook input priority 5; policy drop; }'
	{
		printf 'add table ip old\nadd chain ip old gone\n'
		for ((i = 0; i < 66000; i++)); do echo "add rule ip old gone drop"; done
	} >"$STATE/many"
	nft -f "$STATE/many"
	nft flush chain ip old gone
	nft add chain ip old late '{ type filter hook input priority 0; }'
	run why show
	assert_status 0
	assert_has "table inet $name, chain $name, policy drop"
	assert_has "table ip old, chain late, policy accept"
}
