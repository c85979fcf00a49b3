#!/usr/bin/env bats
# The emulated machine is what the tests that run in it expect.
# bats file_tags=vm
load ../system/lib

@test "systemd is process 1 and all controllers are cgroup v2" {
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
	for controller in cpu io memory pids; do
		grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers
	done
	[ -d /sys/fs/cgroup/system.slice ]
}

@test "the kernel brings bridges, VLANs, veth, netem and nf_tables" {
	ip link add br0 type bridge vlan_filtering 1
	ip link add a0 type veth peer name b0
	ip link add link a0 name a0.7 type vlan id 7
	tc qdisc add dev b0 root netem delay 1ms
	nft add table inet strake_bed
	ip -d link show a0.7 | grep -q 'vlan protocol 802.1Q id 7'
}

@test "the programs start" {
	for program in strake strake-runtime; do
		[ ! -x "$PROGRAMS/$program" ] || "$PROGRAMS/$program" --version
	done
}
