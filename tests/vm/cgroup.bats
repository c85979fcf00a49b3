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

@test "device rules add up, one kind of access each; the last rule that names a kind decides" {
	rootfs_new "$STATE/fs"
	mkdir "$STATE/bundle"
	mv "$STATE/fs" "$STATE/bundle/rootfs"
	cd "$STATE/bundle"
	runtime spec
	jq '.process.terminal = false | .root.readonly = false | .process.capabilities.bounding += ["CAP_MKNOD"] |
		.process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"] |
		.process.args = ["sh", "-c", "mknod /a b 254 0; mknod /b b 254 16
			: <>/a && echo a-both; : </b && echo b-read; : >>/b && echo b-written; true"] |
		.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, access: "m"},
			{allow: true, type: "b", major: 254, minor: 0, access: "r"}, {allow: true, type: "b", major: 254, minor: 0, access: "w"},
			{allow: true, type: "b", major: 254, minor: 16, access: "rw"}, {allow: false, type: "b", major: 254, minor: 16, access: "w"}]' \
		config.json >c && mv c config.json
	run runtime run rules </dev/null
	assert_has a-both
	assert_has b-read
	assert_lacks b-written
}
