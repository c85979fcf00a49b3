#!/usr/bin/env bats
# strake-machine, the first process of a machine without an operating system, here of a process namespace: what it does
# with links, servers, signals and children.  As a machine's first process it is in tests/boot.
# shellcheck disable=SC2034 # MOUNTS_BEFORE is what teardown compares with
load lib

# A root whose console is the file $STATE/console, and orders: machine_new RECORD...
machine_new() {
	rootfs_new "$STATE/machine"
	mkdir -p "$STATE/machine/.strake"
	mount -t tmpfs machine "$STATE/machine/dev"
	: >"$STATE/machine/dev/console"
	mknod -m 666 "$STATE/machine/dev/null" c 1 3
	# What the kernel of this host was told is not for the machine.
	mount -t tmpfs machine "$STATE/machine/proc"
	echo quiet >"$STATE/machine/proc/cmdline"
	MOUNTS_BEFORE=$(mount_points)
	cp "$PROGRAMS/strake-machine" "$STATE/machine/.strake/init"
	orders "$@"
}

orders() {
	printf '%s\0' "$@" >"$STATE/machine/.strake/orders"
}

# Runs it in the network namespace "machine": machine_boot; its pid here is $MACHINE_PID.
machine_boot() {
	background ip netns exec machine unshare -mp --fork --kill-child chroot "$STATE/machine" /.strake/init
	local outer=$!
	soon eval "MACHINE_PID=\$(pgrep -P $outer) || grep -q 'ended with' '$STATE/machine/dev/console'"
	MACHINE_OUTER=$outer
}

console_has() { # TEXT
	DEADLINE=20 soon grep -q -- "$1" "$STATE/machine/dev/console" || {
		cat "$STATE/machine/dev/console"
		return 1
	}
}

# Two cards in the machine, the first without a cable; behind the second one a DHCP server and a router.
network_new() {
	need_command dnsmasq
	mount -t tmpfs netns /run
	MOUNTS_BEFORE=$(mount_points)
	ip netns add machine
	MOUNTS_BEFORE=$(mount_points)
	ip link add out0 type veth peer name card0 netns machine
	ip link add out1 type veth peer name card1 netns machine
	ip addr add 192.0.2.1/24 dev out1
	ip addr add 2001:db8::1/64 dev out1 nodad
	ip link set out1 up
	background dnsmasq --keep-in-foreground --no-resolv --no-hosts --port=0 --interface=out1 --bind-dynamic --user=root --pid-file= \
		--dhcp-range=2001:db8::,ra-only --enable-ra "--dhcp-option=option6:dns-server,[2001:db8::53]" --log-facility=/dev/null
	background "$TOOLS/short_lease.py" out1 2
}

@test "A10.6: the first card with a cable has an address by DHCP, which is renewed; IPv6 and its servers come from the router" {
	need_program strake-machine
	network_new
	[ "$(stat -c %s "$PROGRAMS/strake-machine")" -lt 90000 ] # and nothing of it in a library
	machine_new ndhcp hbox "ePATH=/bin" d/ u0 g0 s15 Esh E-c 'Eecho started; tail -f /dev/null & wait'
	machine_boot
	console_has 'network: card1 has 192.0.2.50'
	console_has started
	grep -q 'search lab.example' "$STATE/machine/etc/resolv.conf"
	grep -q 'nameserver 192.0.2.53' "$STATE/machine/etc/resolv.conf"
	ip netns exec machine ip route | grep -q 'default via 192.0.2.1 dev card1'
	[ "$(ip netns exec machine cat /sys/class/net/card0/flags)" = 0x1002 ]
	console_has 'network: card1 keeps 192.0.2.50'
	console_has 'network: the address of card1 has run out'
	[ -z "$(ip netns exec machine ip -4 addr show dev card1)" ]
	DEADLINE=20 soon grep -q 'nameserver 2001:db8::53' "$STATE/machine/etc/resolv.conf"
	DEADLINE=20 soon eval "ip netns exec machine ip -6 addr show dev card1 | grep -q '2001:db8::.*/64'"
	ip netns exec machine ip -6 route | grep -q 'default via fe80::.* dev card1'
	kill -TERM "$MACHINE_PID"
	console_has 'sh ended with exit status 143'
	wait "$MACHINE_OUTER" || true
}

@test "A10.6: addresses of the orders, a signal of the image's, orphans that are reaped, a program that has to be killed" {
	need_program strake-machine
	network_new
	machine_new lcard1 A192.0.2.9/24 A192.0.2.10/24 A2001:db8::9/64 R192.0.2.1 D192.0.2.53 hbox "ePATH=/bin" d/ u0 g0 s10 Esh E-c \
		"Etrap 'echo asked; exit 5' USR1; for i in 1 2 3; do (sh -c 'echo \$\$ >>/orphans' &); done; echo started; tail -f /dev/null & wait"
	machine_boot
	console_has started
	ip netns exec machine ip -br addr show dev card1 >"$STATE/addresses"
	grep -q '192.0.2.9/24.*192.0.2.10/24.*2001:db8::9/64' "$STATE/addresses"
	[ "$(cat "$STATE/machine/etc/resolv.conf")" = 'nameserver 192.0.2.53' ]
	soon eval "[ \"\$(wc -l <'$STATE/machine/orphans')\" = 3 ]"
	soon eval "! ps --no-headers -o stat --ppid $MACHINE_PID | grep -q Z"
	kill -INT "$MACHINE_PID"
	console_has 'sh ended with exit status 5'
	grep -q asked "$STATE/machine/dev/console"
	wait "$MACHINE_OUTER" || true
}

@test "a program that is not there, a directory that is not there, and no orders: each is said, with a status of its own" {
	need_program strake-machine
	ip netns add machine 2>/dev/null || {
		mount -t tmpfs netns /run
		ip netns add machine
	}
	machine_new "ePATH=/bin" d/ u0 g0 Enowhere
	machine_boot
	console_has 'nowhere ended with exit status 127'
	wait "$MACHINE_OUTER" || true
	: >"$STATE/machine/file"
	orders "ePATH=/bin" d/file/nowhere u0 g0 Esh
	machine_boot
	console_has 'sh ended with exit status 126'
	orders "ePATH=/bin" d/made/here u0 g0 Epwd
	machine_boot
	console_has '^/made/here'
	console_has 'pwd ended with exit status 0'
	wait "$MACHINE_OUTER" || true
	rm "$STATE/machine/.strake/orders"
	machine_boot
	console_has '/.strake/orders cannot be read'
	wait "$MACHINE_OUTER" || true
}
