#!/usr/bin/env bats
# strake-runtime: what callers of an OCI runtime do with it.
bats_require_minimum_version 1.5.0
load lib

# A bundle with busybox in $BUNDLE; then change it: config JQ-FILTER [JQ-OPTION...]
bundle_new() {
	BUNDLE=$STATE/bundle
	rootfs_new "$BUNDLE/rootfs"
	(cd "$BUNDLE" && runtime spec)
	group_new
	config '.process.terminal = false | .linux.cgroupsPath = $group' --arg group "/strake/$GROUP"
}
config() { # FILTER [JQ-OPTION...]
	local filter=$1
	shift
	jq "$@" "$filter" "$BUNDLE/config.json" >"$BUNDLE/config.new" && mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}
args() { config '.process.args = $args' --argjson args "$(printf '%s\036' "$@" | jq -Rs 'split("\u001e")[:-1]')"; }
state_of() { runtime state "$1" | jq -r "${2:-.status}"; }
is_state() { [ "$(state_of "$1")" = "$2" ]; }
run_it() { run runtime run --bundle "$BUNDLE" "${1:-c1}"; }

# bats test_tags=vm
@test "A7.1 A7.6 create, start, state, list, exec, kill, delete: each does its own part and no more" {
	bundle_new
	args sh -c 'echo started >>/tmp/log; trap "echo term >>/tmp/log; exit 5" TERM; tail -f /dev/null & wait'
	config '.root.readonly = false'
	runtime create --bundle "$BUNDLE" --pid-file "$STATE/pid" c1
	assert_equal "$(state_of c1)" created
	assert_equal "$(state_of c1 .pid)" "$(cat "$STATE/pid")"
	assert_equal "$(state_of c1 .bundle)" "$BUNDLE"
	assert_equal "$(state_of c1 .ociVersion | cut -d. -f1)" 1
	[ ! -e "$BUNDLE/rootfs/tmp/log" ]
	run runtime create --bundle "$BUNDLE" c1
	assert_status 1
	assert_has c1
	runtime start c1
	soon test -s "$BUNDLE/rootfs/tmp/log"
	assert_equal "$(state_of c1)" running
	run runtime start c1
	[ "$status" != 0 ]
	run runtime list
	assert_has "$BUNDLE"
	assert_equal "$(runtime list -q)" c1
	run runtime exec c1 sh -c 'hostname; exit 7'
	assert_status 7
	run runtime exec --user 33:33 --env A=b --cwd /tmp c1 sh -c 'id -u; echo $A; pwd'
	assert_equal "$output" "$(printf '33\nb\n/tmp')"
	runtime kill c1 TERM
	soon is_state c1 stopped
	assert_equal "$(tail -n 1 "$BUNDLE/rootfs/tmp/log")" term
	run runtime kill c1 TERM
	[ "$status" != 0 ]
	runtime delete c1
	run runtime state c1
	assert_status 1
	assert_equal "$(runtime list -q)" ""
}

@test "delete --force kills; of one that is gone it is content" {
	bundle_new
	args sleep 1000
	runtime create --bundle "$BUNDLE" c1
	runtime start c1
	run runtime delete c1
	[ "$status" != 0 ]
	runtime delete --force c1
	runtime delete --force c1
	run runtime delete c1
	[ "$status" != 0 ]
	runtime create --bundle "$BUNDLE" c1
	runtime delete c1
}

@test "the exit status of run is the program's" {
	bundle_new
	args sh -c 'exit 42'
	run_it
	assert_status 42
	args sleep 1000
	"$PROGRAMS/strake-runtime" --root "$RUN/runtime" run --bundle "$BUNDLE" c1 3>&- &
	pid=$!
	soon is_state c1 running
	runtime kill c1 KILL
	output='' status=0
	wait "$pid" || status=$?
	assert_status 137
	args nothing-of-that-name
	run -127 runtime run --bundle "$BUNDLE" c1
	assert_has nothing-of-that-name
	assert_equal "$(runtime list -q)" ""
}

@test "what config.json asks for is what the process sees" {
	bundle_new
	config '.hostname = "box" | .domainname = "example" | .process.cwd = "/var/www" |
		.process.user = {uid: 33, gid: 33, additionalGids: [7, 8], umask: 63} |
		.process.env = ["PATH=/bin", "A=b c"] | .process.oomScoreAdj = 100 |
		.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 64, hard: 128}] | .process.noNewPrivileges = true |
		.linux.sysctl = {"kernel.msgmax": "4096"}'
	args sh -c 'hostname; pwd; id -u; id -G; umask; echo "$A"; cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn
		grep NoNewPrivs /proc/self/status | tr -d "\t"; cat /proc/sys/kernel/msgmax /proc/sys/kernel/domainname'
	run_it
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' box /var/www 33 '33 7 8' 0077 'b c' 100 64 128 NoNewPrivs:1 4096 example)"
}

@test "masked and read-only paths, read-only root, mount options" {
	bundle_new
	mkdir "$STATE/data" "$BUNDLE/rootfs/masked" "$BUNDLE/rootfs/fixed"
	echo secret | tee "$BUNDLE/rootfs/masked/file" >"$BUNDLE/rootfs/etc/secret"
	config '.linux.maskedPaths = ["/masked", "/etc/secret", "/no/such/path"] | .linux.readonlyPaths = ["/fixed"] |
		.mounts += [{destination: "/data/deep", type: "bind", source: $data, options: ["rbind", "ro", "noexec", "nosuid"]},
			{destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=700"]}]' \
		--arg data "$STATE/data"
	args sh -c 'ls -A /masked | wc -l; wc -c </etc/secret; echo x >/fixed/a || echo fixed; echo x >/data/deep/a || echo data
		dd if=/dev/zero of=/scratch/big bs=1k count=100 2>/dev/null || echo full; stat -c %a /scratch
		echo x >/new || echo root; grep " /data/deep " /proc/self/mounts | grep -c "ro,nosuid,noexec"'
	run --separate-stderr runtime run --bundle "$BUNDLE" c1
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' 0 0 fixed data full 700 root 1)"
}

@test "tmpcopyup: what a tmpfs hides is in it, and what it hides stays as it is" {
	bundle_new
	mkdir -p "$BUNDLE/rootfs/data/deep/er"
	echo text >"$BUNDLE/rootfs/data/deep/file"
	head -c 3000000 /dev/urandom >"$BUNDLE/rootfs/data/big"
	ln -s deep/file "$BUNDLE/rootfs/data/link"
	mkfifo "$BUNDLE/rootfs/data/fifo"
	chown 33:7 "$BUNDLE/rootfs/data/deep/file"
	chmod 4711 "$BUNDLE/rootfs/data/deep/file"
	chmod 1750 "$BUNDLE/rootfs/data"
	touch -d @1000000000 "$BUNDLE/rootfs/data/deep/er"
	config '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["nosuid", "tmpcopyup"]}]'
	args sh -c 'cd /data; find . | sort | xargs stat -c "%n %F %a %u %g"; stat -c %Y deep/er; readlink link; md5sum <big; echo new >new; grep -c " /data tmpfs" /proc/mounts'
	run_it
	assert_status 0
	assert_equal "$output" "$(cd "$BUNDLE/rootfs/data" && find . | sort | xargs stat -c '%n %F %a %u %g'; printf '1000000000\ndeep/file\n'
		md5sum <"$BUNDLE/rootfs/data/big"; echo 1)"
	[ ! -e "$BUNDLE/rootfs/data/new" ]
	ours=$output
	runtime --dry-run run --bundle "$BUNDLE" c2 >"$STATE/script"
	run --separate-stderr sh "$STATE/script"
	assert_equal "$output" "$ours"
	config '.mounts[-1].options += ["size=64k"]'
	run_it
	assert_status 1
	assert_has "No space left"
}

@test "symlinks in the root that lead out of it lead nowhere" {
	bundle_new
	mkdir -p "$STATE/victim"
	ln -s "$STATE/victim" "$BUNDLE/rootfs/out"
	ln -s "../../../../../../..$STATE/victim" "$BUNDLE/rootfs/up"
	config '.root.readonly = false | .mounts += [{destination: "/out/a", type: "tmpfs", source: "tmpfs"},
		{destination: "/up/b", type: "tmpfs", source: "tmpfs"}] | .linux.maskedPaths += ["/out/c"]'
	args true
	run_it
	assert_equal "$(ls -A "$STATE/victim")" ""
}

# bats test_tags=vm
@test "limits become what the kernel enforces" {
	bundle_new
	config '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}, cpu: {shares: 512, quota: 50000, period: 100000}}'
	args sleep 1000
	runtime create --bundle "$BUNDLE" c1
	runtime start c1
	pid=$(state_of c1 .pid)
	folder() { # CONTROLLER: of the process, on v1 and v2
		awk -F: -v c="$1" '$2 ~ "(^|,)" c "(,|$)" { print "/sys/fs/cgroup/" $2 $3 } $1 == 0 { v2 = $3 } END { print "/sys/fs/cgroup" v2 }' \
			"/proc/$pid/cgroup" | head -n 1
	}
	memory=$(folder memory) pids=$(folder pids) cpu=$(folder cpu)
	if [ -e "$memory/memory.max" ]; then
		assert_equal "$(cat "$memory/memory.max") $(cat "$pids/pids.max") $(cat "$cpu/cpu.max")" "33554432 20 50000 100000"
	else
		assert_equal "$(cat "$memory/memory.limit_in_bytes") $(cat "$pids/pids.max")" "33554432 20"
		assert_equal "$(cat "$cpu"/cpu.{shares,cfs_quota_us,cfs_period_us} | xargs)" "512 50000 100000"
	fi
	runtime delete --force c1
	[ ! -e "$pids" ]
}

@test "hooks get the state document at their time; one that fails takes the container with it" {
	bundle_new
	cat >"$STATE/hook" <<-'HOOK'
		#!/bin/sh
		read -r state
		echo "$1 $(echo "$state" | sed 's/.*"status": *"\([a-z]*\)".*/\1/') $FROM" >>"$2"
	HOOK
	chmod +x "$STATE/hook"
	config '.annotations = {"a": "b"} | .hooks = ([
			"prestart", "createRuntime", "poststart", "poststop"] | map({key: ., value: [
			{path: $hook, args: ["hook", ., $log], env: ["FROM=env", "PATH=/bin:/usr/bin"]}]}) | from_entries)' \
		--arg hook "$STATE/hook" --arg log "$STATE/log"
	args true
	run_it
	assert_status 0
	assert_equal "$(cut -d' ' -f1 "$STATE/log" | xargs)" "prestart createRuntime poststart poststop"
	assert_equal "$(sed -n 1p "$STATE/log")" "prestart creating env"
	assert_equal "$(sed -n 2p "$STATE/log")" "createRuntime creating env"
	assert_equal "$(sed -n 4p "$STATE/log")" "poststop stopped env"
	config '.hooks = {createRuntime: [{path: "/bin/false"}]}'
	run_it
	[ "$status" != 0 ]
	assert_has /bin/false
	assert_equal "$(runtime list -q)" ""
}

@test "a terminal's master goes to the console socket" {
	bundle_new
	config '.process.terminal = true | .process.consoleSize = {height: 33, width: 77}'
	args sh -c 'tty; stty size; test -t 0 && echo terminal'
	background "$TOOLS/console.py" "$STATE/console" "$STATE/seen"
	soon test -S "$STATE/console"
	runtime create --bundle "$BUNDLE" --console-socket "$STATE/console" c1
	runtime start c1
	soon grep -q '^terminal' "$STATE/seen"
	assert_equal "$(tr -d '\r' <"$STATE/seen" | xargs)" "/dev/pts/0 33 77 terminal"
	soon is_state c1 stopped
	runtime delete c1
}

@test "namespaces: joined by path, absent when not asked for" {
	bundle_new
	args sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/uts'
	touch "$STATE/net"
	unshare --net="$STATE/net" true
	config '.linux.namespaces |= map(select(.type != "uts") | if .type == "network" then .path = $net else . end) |
		del(.hostname)' --arg net "$STATE/net"
	run_it
	assert_equal "${lines[0]}" "$(nsenter --net="$STATE/net" readlink /proc/self/ns/net)"
	assert_equal "${lines[1]}" "$(readlink /proc/self/ns/uts)"
	umount "$STATE/net"
}

# bats test_tags=vm
@test "pause and resume; ps" {
	bundle_new
	args sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/n; done'
	config '.root.readonly = false'
	runtime create --bundle "$BUNDLE" c1
	runtime start c1
	soon test -s "$BUNDLE/rootfs/tmp/n"
	runtime pause c1
	assert_equal "$(state_of c1)" paused
	run runtime exec c1 true
	[ "$status" != 0 ]
	runtime resume c1
	assert_equal "$(state_of c1)" running
	run runtime ps c1
	assert_has "$(state_of c1 .pid)"
	runtime delete --force c1
}

@test "a config.json that is wrong: one line that names what is, and nothing is left" {
	bundle_new
	cp "$BUNDLE/config.json" "$STATE/good.json"
	while IFS='|' read -r text filter; do
		cp "$STATE/good.json" "$BUNDLE/config.json"
		config "$filter"
		run --separate-stderr runtime run --bundle "$BUNDLE" c1
		assert_equal "$filter: $status" "$filter: 1"
		[[ $stderr == *$text* ]] || { echo "$filter: no '$text' in: $stderr"; return 1; }
		assert_equal "$filter: ${#stderr_lines[@]} line" "$filter: 1 line"
		assert_equal "$(runtime list -q)" ""
	done <<-'CASES'
		process|del(.process)
		args|.process.args = []
		args|.process.args = "sh"
		cwd|.process.cwd = "relative"
		ociVersion|.ociVersion = "9.0.0"
		ociVersion|del(.ociVersion)
		nosuchdir|.root.path = "nosuchdir"
		destination|.mounts += [{type: "tmpfs", source: "x"}]
		nosuchfs|.mounts += [{destination: "/x", type: "nosuchfs", source: "x"}]
		/no/such|.mounts += [{destination: "/x", type: "bind", source: "/no/such", options: ["bind"]}]
		nosuchns|.linux.namespaces += [{type: "nosuchns"}]
		RLIMIT_X|.process.rlimits = [{type: "RLIMIT_X", soft: 1, hard: 1}]
		no.such|.linux.sysctl = {"kernel.no.such": "1"}
	CASES
	echo '{ "ociVersion": ' >"$BUNDLE/config.json"
	run runtime run --bundle "$BUNDLE" c1
	assert_status 1
	assert_has config.json
	run runtime run --bundle "$STATE/nowhere" c1
	assert_status 1
	assert_has nowhere
	run runtime create --bundle "$BUNDLE" ../c1
	assert_status 1
}

@test "podman runs containers with it" {
	need_command podman
	short_folder
	rootfs_new "$STATE/fs"
	podman() {
		command podman --root "$SHORT/p" --runroot "$SHORT/r" --tmpdir "$SHORT/t" --storage-driver vfs --cgroup-manager cgroupfs \
			--events-backend file --runtime "$PROGRAMS/strake-runtime" "$@"
	}
	run podman run --rm --network none --rootfs "$STATE/fs" sh -c 'echo from podman; hostname; exit 6'
	assert_status 6
	assert_has "from podman"
	podman run -d --name w --network none --memory 64m --pids-limit 50 --rootfs "$STATE/fs" \
		sh -c 'trap "exit 3" TERM; echo up; tail -f /dev/null & wait'
	soon eval 'podman logs w | grep -q up'
	assert_equal "$(podman exec w sh -c 'echo inside')" inside
	run podman exec w sh -c 'exit 9'
	assert_status 9
	podman stop -t 5 w
	assert_equal "$(podman inspect --format '{{.State.ExitCode}}' w)" 3
	podman rm w
	run python3 "$TOOLS/terminal.py" expect='# ' send='stty size; exit 4\n' -- podman --root "$SHORT/p" --runroot "$SHORT/r" \
		--tmpdir "$SHORT/t" --storage-driver vfs --cgroup-manager cgroupfs --events-backend file \
		--runtime "$PROGRAMS/strake-runtime" run --rm -it --network none --rootfs "$STATE/fs" sh
	assert_status 4
	assert_has "24 80"
}

@test "--dry-run prints a script that makes the same container with stock tools, and changes nothing" {
	bundle_new
	config '.hostname = "box" | .process.user = {uid: 33, gid: 33} | .process.env = ["PATH=/bin", "A=b"]'
	args sh -c 'hostname; id; env | grep -v SHLVL | sort; mount | sed "s/(.*//" | grep -v sysfs; ls /dev | grep -v core; ls / ; grep Cap /proc/self/status
		for i in mnt uts ipc net pid; do readlink /proc/self/ns/$i >/dev/null && echo $i; done; echo $$'
	run --separate-stderr runtime run --bundle "$BUNDLE" c1
	assert_status 0
	ours=$output
	runtime --dry-run run --bundle "$BUNDLE" c2 >"$STATE/script"
	assert_equal "$(runtime list -q)" ""
	sh -n "$STATE/script"
	run --separate-stderr sh "$STATE/script"
	diff <(echo "$ours") <(echo "$output")
}

@test "a script that is stopped while it starts takes away what it has made" {
	bundle_new
	args sh -c 'exit 5'
	groups() { find /sys/fs/cgroup -type d -path "*/strake/$GROUP*"; }
	for command in run "run --detach" create; do
		# shellcheck disable=SC2086
		runtime --dry-run $command --bundle "$BUNDLE" c1 >"$STATE/script"
		grep -q '^mkdir -p \$groups' "$STATE/script"
		for signal in HUP INT TERM; do
			# In the middle of making groups, and just before the container's own part.
			for step in 'no device may be used' 'a process in its cgroups'; do
				sed "0,/^# $step/s//kill -$signal \$\$\n&/; s/^trap : HUP INT TERM//" "$STATE/script" >"$STATE/stopped"
				grep -q "^kill -$signal" "$STATE/stopped"
				run sh "$STATE/stopped"
				assert_equal "$command $signal $status" "$command $signal $((128 + $(kill -l $signal)))"
				assert_equal "$(groups)" ""
			done
		done
	done
	runtime --dry-run run --bundle "$BUNDLE" c1 >"$STATE/script"
	run sh "$STATE/script"
	assert_status 5
	assert_equal "$(groups)" ""
	# One that fails on its way does, too.
	sed '0,/^# a process in its cgroups/s//false\n&/' "$STATE/script" >"$STATE/stopped"
	run sh "$STATE/stopped"
	assert_status 1
	assert_equal "$(groups)" ""
	# What was started lives on.
	args sleep 1000
	runtime --dry-run run --detach --bundle "$BUNDLE" c1 >"$STATE/script"
	sh "$STATE/script" 3>&-
	place=$(groups | head -n 1)
	soon grep -q . "$place/cgroup.procs"
	gone() { # one takes the other along
		xargs -r kill -KILL <"$place/cgroup.procs" || true
		! grep -q . "$place/cgroup.procs"
	}
	soon gone
	groups | xargs rmdir
}

@test "--explain says each step in order, and what it would be in a shell" {
	bundle_new
	args true
	run --separate-stderr runtime --explain run --bundle "$BUNDLE" c1
	assert_status 0
	[[ $stderr == *unshare*proc*pivot_root* ]]
	[[ $stderr == *seccomp* || $stderr == *setpriv* ]]
}

@test "what the document asks for and is not supported is refused by its name, not left out" {
	bundle_new
	args true
	cp "$BUNDLE/config.json" "$STATE/plain"
	for set in '.process.apparmorProfile = "a"' '.process.selinuxLabel = "a"' '.linux.mountLabel = "a"' '.linux.intelRdt = {closID: "a"}' \
		'.linux.netDevices = {eth0: {}}' '.linux.memoryPolicy = {mode: "MPOL_BIND"}'; do
		jq "$set" "$STATE/plain" >"$BUNDLE/config.json"
		run runtime run --bundle "$BUNDLE" c1
		[ "$status" != 0 ]
		name=${set%% =*}
		assert_has "${name##*.}"
		assert_has "not supported"
	done
	jq '.process.apparmorProfile = "" | .linux.netDevices = {}' "$STATE/plain" >"$BUNDLE/config.json"
	runtime run --bundle "$BUNDLE" c1
}

@test "seccomp rules are bounded by what a filter can hold" {
	bundle_new
	args true
	jq '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(5000) | {names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: ., op: "SCMP_CMP_EQ"}]}]}' \
		"$BUNDLE/config.json" >"$STATE/c"
	cp "$STATE/c" "$BUNDLE/config.json"
	run runtime run --bundle "$BUNDLE" c1
	[ "$status" != 0 ]
	assert_has "more than 4096 rules"
}

@test "a parent group whose maker left its cpuset empty takes containers all the same" {
	[ -e /sys/fs/cgroup/cpuset/cgroup.procs ] || skip "no cpuset hierarchy of cgroup v1"
	group_new
	mkdir "/sys/fs/cgroup/cpuset/$GROUP" "$STATE/bundle"
	rootfs_new "$STATE/bundle/rootfs"
	cd "$STATE/bundle"
	runtime spec
	jq --arg path "/$GROUP/c1" '.process.terminal = false | .process.args = ["true"] | .linux.cgroupsPath = $path' config.json >c && mv c config.json
	run -0 runtime run c1 </dev/null
	rmdir /sys/fs/cgroup/*/"$GROUP" 2>/dev/null || true
}

@test "what is set in a namespace is not set in this host's, by whatever path it is named" {
	bundle_new
	args true
	for kind in network ipc uts; do
		cp "$BUNDLE/config.json" "$BUNDLE/before"
		file=${kind/network/net}
		config '(.linux.namespaces[] | select(.type == $kind)).path = "/proc/self/ns/" + $file |
			if $kind == "uts" then .hostname = "evil" else
			.linux.sysctl = {network: {"net.ipv4.ip_forward": "1"}, ipc: {"kernel.msgmax": "4096"}}[$kind] | del(.hostname) end' \
			--arg kind "$kind" --arg file "$file"
		run_it
		assert_status 1
		[[ $output == *"this host"* || $output == *"would change the host"* ]]
		mv "$BUNDLE/before" "$BUNDLE/config.json"
	done
}
