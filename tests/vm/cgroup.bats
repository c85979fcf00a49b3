#!/usr/bin/env bats
# Containers beside systemd on cgroup v2.
# bats file_tags=vm
load ../system/lib

limits() { cat "/sys/fs/cgroup/strake/$1/"{memory,pids,cpu}.max | tr '\n' ' '; }

@test "limits are v2's own, and stay when systemd looks through its tree again" {
	local id
	id=$(strake run -d --network none -m 32m --pids-limit 20 --cpus 0.5 --bare /bin/busybox -- tail -f /dev/null)
	assert_equal "$(limits "$id")" "33554432 20 50000 100000 "
	# systemd is not seen from the test's own namespaces: the script that runs the tests tells it.
	echo >/run/reload
	read -r _ </run/reloaded
	assert_equal "$(limits "$id")" "33554432 20 50000 100000 "
	run strake exec "$id" /busybox cat /proc/self/cgroup
	assert_equal "$output" 0::/
	strake rm -f "$id"
	[ ! -e "/sys/fs/cgroup/strake/$id" ]
}

@test "a device that was not given cannot be opened, one that everybody has can" {
	run strake run --rm --network none --bare /bin/busybox -- sh -c \
		'mknod /dev/disk b 254 0; head -c 1 /dev/disk >/dev/null || echo refused; head -c 4 /dev/zero | wc -c'
	assert_has "Operation not permitted"
	assert_has refused
	assert_has 4
}
