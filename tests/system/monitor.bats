#!/usr/bin/env bats
# The process beside each container: what it keeps of its maker, and that its end comes.
bats_require_minimum_version 1.5.0
load lib

monitor_of() { # ID
	jq -r .monitorPid "$RUN/containers/$1/live.json"
}

@test "a monitor keeps nothing that its maker had open" {
	exec 8>"$STATE/lock" 7<"$STATE/lock"
	flock 8
	id=$(strake run -d --network none --bare /bin/busybox -- sleep 1000)
	exec 8>&- 7<&-
	flock --nonblock "$STATE/lock" true
	run descriptors "$(monitor_of "$id")"
	assert_lacks "$STATE/lock"
}

@test "--explain run -d ends, and so does who reads what it said" {
	run timeout 20 bash -c "'$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' --explain run -d --network none --bare /bin/busybox -- sleep 1000 2>&1 | cat"
	assert_status 0
	assert_has "unshare"
}
