#!/usr/bin/env bats
# strake run and what goes with a running container.
# shellcheck disable=SC2010,SC2016,SC2154 # what containers expand; names are IDs; bats sets stderr
bats_require_minimum_version 1.5.0
load lib

bare() { strake run --rm --network none --bare /bin/busybox "$@"; }

# bats test_tags=vm
@test "one executable with no image: output, arguments and exit status are its own" {
	need_program strake
	run bare -- echo "hello  there"
	assert_status 0
	assert_equal "$output" "hello  there"
	run bare -- sh -c 'exit 42'
	assert_status 42
}

@test "a bare root holds the file, and what the kernel's interfaces need" {
	run bare -- ls /
	assert_status 0
	assert_equal "$(tr '\n' ' ' <<<"$output")" "busybox dev proc sys "
}

@test "A8.3 a dynamic executable names its loader and libraries; --with-libs brings them" {
	run strake run --rm --network none --bare /bin/ls -- /
	assert_status 126
	assert_has "libc.so.6"
	assert_has "--with-libs"
	run strake run --rm --network none --with-libs --bare /bin/ls -- /
	assert_status 0
	assert_has "lib64"
}

# bats test_tags=vm
@test "a directory: it is never written to" {
	rootfs_new "$STATE/fs"
	run strake run --rm --network none --rootfs "$STATE/fs" sh -c 'echo new > /made && cat /made && rm /etc/passwd'
	assert_status 0
	assert_equal "$output" new
	[ ! -e "$STATE/fs/made" ]
	[ -e "$STATE/fs/etc/passwd" ]
}

@test "six namespaces of its own" {
	local kind
	for kind in mnt pid uts ipc net cgroup; do
		run bare -- readlink /proc/self/ns/$kind
		assert_status 0
		[ "$output" != "$(readlink /proc/self/ns/$kind)" ]
	done
	run bare -- sh -c 'echo $$'
	assert_equal "$output" 1
}

@test "stdout and stderr stay apart, 50 MB pass unchanged both ways" {
	run --separate-stderr bare -- sh -c 'echo out; echo err >&2'
	assert_equal "$output" out
	assert_equal "$stderr" err
	head -c 50000000 /dev/urandom >"$STATE/tmp/data"
	run bash -c "'$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' run --rm -i --network none \
		--bare /bin/busybox -- cat <'$STATE/tmp/data' | cmp - '$STATE/tmp/data'"
	assert_status 0
}

@test "exit statuses: 125 strake failed, 126 cannot be executed, 127 is not there, 128 + signal" {
	run strake run --rm --network none --no-such-option --bare /bin/busybox true
	assert_status 125
	rootfs_new "$STATE/fs"
	run -127 strake run --rm --network none --rootfs "$STATE/fs" /no/such/program
	run -127 strake run --rm --network none --rootfs "$STATE/fs" no-such-program
	run strake run --rm --network none --rootfs "$STATE/fs" /etc/passwd
	assert_status 126
	run strake run --rm --init --network none --rootfs "$STATE/fs" sh -c 'kill -TERM $$'
	assert_status 143
}

@test "environment, working directory, host name, user" {
	rootfs_new "$STATE/fs"
	run strake run --rm --network none -e A=1 -e HOME=/x -w /var/www --hostname box -u www --rootfs "$STATE/fs" \
		sh -c 'echo $A $HOME $PWD $(hostname) $(id -u):$(id -g)'
	assert_status 0
	assert_equal "$output" "1 /x /var/www box 33:33"
	run strake run --rm --network none -u 12:34 -w /not/there/yet --rootfs "$STATE/fs" sh -c 'id -u; id -g; pwd'
	assert_equal "$(tr '\n' ' ' <<<"$output")" "12 34 /not/there/yet "
	run strake run --rm --network none -u nobody-here --rootfs "$STATE/fs" true
	assert_status 125
	assert_has "nobody-here"
}

# bats test_tags=vm
@test "/dev, /proc and /sys as the specification has them" {
	run bare -- sh -c 'for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo no $d; done
		for l in fd stdin stdout stderr ptmx; do [ -L /dev/$l ] || echo no $l; done
		[ -d /dev/shm ] && [ -d /dev/mqueue ] && [ -d /dev/pts ] && echo fine'
	assert_status 0
	assert_equal "$output" fine
	run bare -- sh -c 'echo x > /sys/kernel/mm/test; echo x > /proc/sys/kernel/domainname'
	[ "$status" != 0 ]
	assert_has "Read-only file system"
	run bare -- sh -c 'wc -c < /proc/timer_list; ls /sys/firmware | wc -l'
	assert_equal "$(tr -d ' ' <<<"$output" | tr '\n' ' ')" "0 0 "
}

@test "capabilities: Docker's default, added, dropped, all" {
	run bare -- sh -c 'grep CapEff /proc/self/status'
	assert_has 00000000a80425fb
	run strake run --rm --network none --cap-drop ALL --cap-add CHOWN --bare /bin/busybox -- grep CapEff /proc/self/status
	assert_has 0000000000000001
	run strake run --rm --network none --cap-add cap_net_admin --bare /bin/busybox -- grep CapEff /proc/self/status
	assert_has 00000000a80435fb
	run strake run --rm --network none --privileged --bare /bin/busybox -- grep CapBnd /proc/self/status
	[ "$output" != "$(printf 'CapBnd:\t00000000a80425fb')" ]
	run strake run --rm --network none --cap-add NOPE --bare /bin/busybox true
	assert_status 125
	assert_has "unknown capability 'NOPE'"
}

@test "seccomp: the default filter refuses what it should, and can be lifted" {
	run bare -- grep Seccomp: /proc/self/status
	assert_has 2
	run bare -- unshare -U true
	[ "$status" != 0 ]
	run strake run --rm --network none --security-opt seccomp=unconfined --bare /bin/busybox -- grep Seccomp: /proc/self/status
	assert_has 0
	run strake run --rm --network none --security-opt no-new-privileges --bare /bin/busybox -- grep NoNewPrivs /proc/self/status
	assert_has 1
}

# bats test_tags=vm
@test "memory, cpu and pids limits are what the kernel then enforces" {
	run strake run --rm --network none -m 32m --bare /bin/busybox -- sh -c \
		'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null'
	assert_has 33554432
	run strake run --rm --network none --pids-limit 10 --bare /bin/busybox -- sh -c \
		'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do cat /dev/zero >/dev/null & done; wait' 
	assert_has "fork"
	run strake run --rm --network none --cpus 0.5 --bare /bin/busybox -- sh -c \
		'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null'
	assert_has 50000
	run strake run --rm --network none -m 16m --bare /bin/busybox -- sh -c 'x=$(head -c 60000000 /dev/zero | tr "\0" x); echo survived'
	assert_lacks survived
}

@test "A7.7 volumes, tmpfs, read-only root" {
	mkdir "$STATE/tmp/data"
	echo there >"$STATE/tmp/data/file"
	rootfs_new "$STATE/fs"
	run strake run --rm --network none -v "$STATE/tmp/data:/data" -v named:/keep --rootfs "$STATE/fs" sh -c \
		'cat /data/file; echo back > /data/out; echo kept > /keep/file'
	assert_equal "$output" there
	assert_equal "$(cat "$STATE/tmp/data/out")" back
	run strake run --rm --network none -v named:/keep:ro --rootfs "$STATE/fs" sh -c 'cat /keep/file; echo x > /keep/file'
	assert_has kept
	assert_has "Read-only"
	run strake run --rm --network none --read-only --tmpfs /scratch --rootfs "$STATE/fs" sh -c \
		'echo x > /scratch/a && echo scratch; echo x > /b || echo sealed'
	assert_has scratch
	assert_has sealed
}

@test "--init reaps orphans and forwards signals" {
	rootfs_new "$STATE/fs"
	run strake run --rm --init --network none --rootfs "$STATE/fs" sh -c \
		'(true & exec true) & wait; grep -c Z /proc/[0-9]*/stat | grep -vc ":0" || true; cat /proc/1/comm'
	assert_has init
}

@test "a terminal: a real pty, its size, control keys, exit status" {
	need_command script
	run script -qec "stty rows 33 cols 77; '$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' run --rm -it --network none \
		--bare /bin/busybox -- sh -c 'tty; stty size; exit 5'" /dev/null
	assert_status 5
	assert_has /dev/pts/0
}

@test "--format of ps and inspect: fields, text, several of them, json" {
	strake run -d --name a -p 8080:80 --bare /bin/busybox -- tail -f /dev/null
	assert_equal "$(strake inspect --format 'x{{.Name}} {{ .State.Status }}\t{{json .NetworkSettings.Ports}}' a)" \
		"xa running"$'\t''{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}'
	assert_equal "$(strake ps --format '{{.Names}}={{.Ports}}={{.State}}')" "a=0.0.0.0:8080->80/tcp=running"
	run strake inspect --format '{{.Nope}}' a
	assert_status 1
	assert_has "no 'Nope'"
	run strake ps --format nonsense
	assert_status 1
}

@test "--env-file: lines, comments, a name that takes our value" {
	printf 'A=1\n# no\n\nOURS\nNOT_SET\nB=x y\n' >"$STATE/env"
	run env OURS=mine "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --rm --network none --env-file "$STATE/env" \
		--bare /bin/busybox -- env
	assert_has A=1
	assert_has OURS=mine
	assert_has "B=x y"
	assert_lacks NOT_SET
}

@test "exec -it: the terminal has the size of ours, and follows it" {
	strake run -d --name a --network none --bare /bin/busybox -- tail -f /dev/null
	run "$TOOLS/terminal.py" --size 100x40 expect='# ' send='stty size\n' expect='40 100' resize=120x50 send='stty size\n' \
		expect='50 120' send='exit 3\n' -- "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec -it a /busybox sh
	assert_status 3
}

@test "signals to the front command reach the container" {
	mkfifo "$STATE/tmp/ready"
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --rm --network none -v "$STATE/tmp:/t" --bare /bin/busybox -- \
		sh -c 'trap "echo got > /t/got; exit 7" TERM; echo > /t/ready; while :; do read -t 1 x < /dev/zero; done'
	local pid=$!
	read -r _ <"$STATE/tmp/ready"
	kill -TERM "$pid"
	run wait "$pid"
	soon test -e "$STATE/tmp/got"
}

@test "run | head ends when nobody reads any more" {
	run bash -c "'$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' run --rm --network none --bare /bin/busybox -- yes | head -n 1"
	assert_status 0
	assert_equal "$output" y
	run strake ps -aq
	assert_equal "$output" ""
}

# bats test_tags=vm
@test "detached: ps, inspect, logs, exec, stop, wait, rm" {
	rootfs_new "$STATE/fs"
	run strake run -d --network none --name web --label a=b --rootfs "$STATE/fs" sh -c 'echo one; echo two >&2; exec tail -f /dev/null'
	assert_status 0
	[ ${#output} = 64 ]
	run strake ps
	assert_has web
	assert_has Up
	soon eval '[ "$(strake logs web 2>&1 | wc -l)" = 2 ]'
	run --separate-stderr strake logs web
	assert_equal "$output" one
	assert_equal "$stderr" two
	run strake exec web sh -c 'echo inside; exit 6'
	assert_status 6
	assert_has inside
	run strake exec -e X=1 -u www -w /tmp web sh -c 'echo $X $(id -u) $PWD'
	assert_equal "$output" "1 33 /tmp"
	run -127 strake exec web /no/such
	run strake inspect web
	assert_status 0
	jq -e '.[0].State.Running and (.[0].State.Pid > 0)' <<<"$output"
	run strake rm web
	assert_status 1
	assert_has "runs"
	run strake stop -t 1 web
	assert_status 0
	run strake ps
	assert_lacks web
	run strake ps -a
	assert_has "Exited (137)"
	run strake wait web
	assert_equal "$output" 137
	run strake rm web
	assert_status 0
	run strake inspect web
	assert_status 1
	assert_has "no container 'web'"
}

@test "logs -f ends with the container and misses nothing; --tail, --timestamps" {
	rootfs_new "$STATE/fs"
	mkfifo "$STATE/tmp/go"
	strake run -d --network none --name a -v "$STATE/tmp:/t" --rootfs "$STATE/fs" sh -c \
		'echo first; read x < /t/go; seq 1 20000; echo last'
	background strake logs -f a >"$STATE/tmp/out"
	local pid=$!
	echo >"$STATE/tmp/go"
	wait "$pid"
	assert_equal "$(wc -l <"$STATE/tmp/out")" 20002
	assert_equal "$(tail -n 1 "$STATE/tmp/out")" last
	run strake logs --tail 2 a
	assert_equal "$output" "$(printf '20000\nlast')"
	run strake logs -t -n 1 a
	[[ $output == 20*T*Z\ last ]]
	# The last line counts, with or without an end.
	strake run --network none --name b --rootfs "$STATE/fs" printf 'one\ntwo\nlast'
	assert_equal "$(strake logs --tail 1 b)" last
	assert_equal "$(strake logs --tail 2 b)" "$(printf 'two\nlast')"
	assert_equal "$(strake logs --tail 0 b)" ""
}

@test "exec -d -t: its terminal stays, and what it says is taken off" {
	rootfs_new "$STATE/fs"
	strake run -d --network none --name a -v "$STATE/tmp:/t" --rootfs "$STATE/fs" tail -f /dev/null
	strake exec -dt a sh -c 'test -t 1 && seq 1 20000 && echo all of it >/t/said'
	soon test -s "$STATE/tmp/said"
}

@test "exec -it: ^P ^Q leaves the program running, with its terminal" {
	rootfs_new "$STATE/fs"
	strake run -d --network none --name a -v "$STATE/tmp:/t" --rootfs "$STATE/fs" tail -f /dev/null
	mkfifo "$STATE/tmp/go"
	run "$TOOLS/terminal.py" expect='# ' send='echo $((6*7)); read x </t/go; seq 1 20000; test -t 1 && echo still >/t/said\n' \
		expect=42 send='\x10\x11' -- "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec -it a sh
	assert_status 0
	echo >"$STATE/tmp/go"
	soon test -s "$STATE/tmp/said"
	# One ^P alone is the program's.
	run "$TOOLS/terminal.py" expect='# ' send='echo $((6*7)); cat -v; exit 3\n' expect=42 send='\x10x\n' expect='^Px' send='\x04' \
		-- "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec -it a sh
	assert_status 3
}

@test "what the container sees does not depend on the caller's umask" {
	rootfs_new "$STATE/fs"
	chmod 755 "$STATE/fs"
	umask 077
	run strake run --network none -u 1000 -w /new/dir -v "$STATE/tmp:/m/n" --rootfs "$STATE/fs" \
		sh -c 'cat /etc/hosts >/dev/null && stat -c %a / /new /new/dir /m /etc/hosts /etc/resolv.conf'
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' 755 755 755 755 644 644)"
	strake import "$STATE/fs" i:1 >/dev/null
	run strake run --network none -u 1000 i:1 stat -c %a /
	assert_equal "$output" 755
	strake --dry-run run --network none -u 1000 -w /new/dir --rootfs "$STATE/fs" stat -c %a / /new/dir >"$STATE/script"
	run sh "$STATE/script"
	assert_has "$(printf '755\n755')"
}

@test "a limit that cannot be given is refused, not lowered" {
	mkdir "$ROOT" 2>/dev/null || true
	run setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" \
		run --network none --ulimit "nofile=$(($(ulimit -Hn) + 1))" --bare /bin/busybox -- true
	assert_status 125
	assert_has "at most $(ulimit -Hn)"
}

@test "a name is given once; the error says who has it" {
	strake run -d --network none --name one --bare /bin/busybox -- tail -f /dev/null
	run strake run -d --network none --name one --bare /bin/busybox -- true
	assert_status 125
	assert_has "the name 'one' is taken"
	assert_equal "$(strake ps -aq | wc -l)" 1
	run strake rm -f one
	assert_status 0
}

# bats test_tags=vm
@test "--rm leaves nothing: no directory, no row, no cgroup, no mount" {
	bare -- true
	assert_equal "$(ls "$ROOT/containers" "$RUN/containers" | grep -v : | tr -d '\n')" ""
	assert_equal "$(strake ps -aq)" ""
	run strake system check
	assert_status 0
}

@test "no descriptor of ours is open in the container" {
	run bare -- sh -c 'ls /proc/self/fd | tr "\n" " "'
	assert_equal "$output" "0 1 2 3 "
	strake run -d --network none --name fds --bare /bin/busybox -- tail -f /dev/null
	run strake exec fds /busybox ls /proc/self/fd
	assert_equal "$(tr '\n' ' ' <<<"$output")" "0 1 2 3 "
	strake rm -f fds
}

# bats test_tags=vm
@test "kill sends any signal; a stop signal of one's own is used" {
	rootfs_new "$STATE/fs"
	strake run -d --network none --name s --stop-signal USR1 --rootfs "$STATE/fs" sh -c \
		'trap "exit 3" USR1; while :; do read -t 1 x < /dev/zero; done'
	run strake stop -t 5 s
	assert_status 0
	run strake wait s
	assert_equal "$output" 3
	run strake kill s
	assert_status 1
	assert_has "does not run"
}

@test "a name is found when all names of the list are taken" {
	bare true
	python3 - "$ROOT/state.db" "$HERE/../../src/base/id.c" <<-'PYTHON'
		import re, sqlite3, sys
		lists = re.findall(r"const (?:how|what)\[\] = \{(.*?)\}", open(sys.argv[2]).read(), re.S)
		how, what = (re.findall(r'"(\w+)"', one) for one in lists)
		assert len(how) * len(what) == 1024
		db = sqlite3.connect(sys.argv[1])
		db.executemany("INSERT INTO containers (id, name, created) VALUES (?, ?, 1)",
		               [(f"{i:03x}" + 61 * "0", f"{h}_{w}") for i, (h, w) in enumerate((h, w) for h in how for w in what)])
		db.commit()
	PYTHON
	run --separate-stderr bare echo fine
	assert_status 0
	assert_equal "$output" fine
	# They have no directories; a thousand of them would be looked for by each command of the teardown.
	python3 -c 'import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM containers WHERE created = 1"); db.commit()' "$ROOT/state.db"
}

@test "an image's labels are its containers', what is given wins; ps finds them, and names by expression" {
	rootfs_new "$STATE/fs"
	strake import -c 'LABEL a=image b=image' "$STATE/fs" labelled:1 >/dev/null
	strake run --network none --name lab -l b=given labelled:1 true
	assert_equal "$(strake inspect lab | jq -c '.[0].Config.Labels')" '{"a":"image","b":"given"}'
	assert_equal "$(strake ps -aq --filter label=a=image | wc -l)" 1
	assert_equal "$(strake ps -aq --filter label=b=image | wc -l)" 0
	assert_equal "$(strake ps -a --filter 'name=^la' --format '{{.Name}}')" lab
	assert_equal "$(strake ps -aq --filter 'name=^ab' | wc -l)" 0
	assert_equal "$(strake ps -aq --filter name=ab | wc -l)" 1
}

@test "logs --since: a day, a minute of this place, seconds since 1970" {
	bare true
	strake run --network none --name a --bare /bin/busybox -- echo here
	for since in 2020-01-01 "$(date -d '10 minutes ago' +%s)" "$(date -d '10 minutes ago' +%Y-%m-%dT%H:%M)" 1h; do
		assert_equal "$(strake logs --since "$since" a)" here
	done
	for since in "$(date -d '10 minutes' +%s)" "$(date -d '10 minutes' +%Y-%m-%dT%H:%M:%S)"; do
		assert_equal "$(strake logs --since "$since" a)" ""
	done
	run strake logs --since yesterday a
	assert_status 1
	assert_has "seconds since 1970"
}

@test "two mounts at one place are refused" {
	rootfs_new "$STATE/fs"
	run strake run --network none -v "$STATE/tmp:/v" --tmpfs /v --rootfs "$STATE/fs" true
	assert_status 125
	assert_has "two mounts at /v"
}

