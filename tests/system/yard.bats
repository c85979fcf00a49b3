#!/usr/bin/env bats
# The ground that the other tests stand on.
load lib

@test "a test is alone: network, processes, mounts" {
	assert_equal "$(ip -o link | wc -l)" 1
	assert_equal "$$" 1
	[ "$(stat -f -c %T "$STATE")" = tmpfs ]
	ip link add yard0 type bridge
	mkdir "$STATE/m"
	mount -t tmpfs none "$STATE/m"
	umount "$STATE/m"
}

@test "a test does not see what another made" {
	run ip link show yard0
	assert_status 1
}

some_processes() { [ -n "$(foreign_processes)" ]; }

@test "an orphan is noticed and named" {
	rootfs_new "$STATE/root1"
	mkfifo "$STATE/never"
	("$STATE/root1/bin/busybox" cat "$STATE/never" 3>&- &)
	soon some_processes
	run foreign_processes
	assert_has busybox
	echo >"$STATE/never"
	soon no_processes
}

@test "a mount that is left is noticed" {
	mkdir "$STATE/m"
	mount -t tmpfs none "$STATE/m"
	run no_new_mounts
	assert_status 1
	umount "$STATE/m"
	no_new_mounts
}

@test "a background process ends with the test" {
	background cat <(exec cat /dev/zero)
	kill -0 $!
}
