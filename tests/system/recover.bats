#!/usr/bin/env bats
# A crash at any moment: the next command clears up, and loses nothing.
bats_require_minimum_version 1.5.0
load lib

# All that a container has made outside of its own directory.
traces() {
	ip -o link | grep -oE '(strake|sk-)[^:@ ]*' || true
	nft list tables 2>/dev/null | grep strake || true
	awk -v run="$RUN/" -v root="$ROOT/" 'index($5, run) == 1 || index($5, root) == 1 { print $5 }' /proc/self/mountinfo
	ls -A "$ROOT/containers" "$RUN/containers" 2>/dev/null | grep -vE '^$|:$' || true
	# shellcheck disable=SC2009
	pgrep -f "^strake-monitor.*$RUN" || true
}
assert_no_traces() {
	soon no_traces && return
	traces
	return 1
}
no_traces() { [ -z "$(traces)" ]; }

# strace(1) and the leak check of a sanitized build do not go together.
traced() { ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace "$@"; }

# Kill the front command when it makes its Nth system call of a kind that changes something.
CHANGING=mkdirat,openat,sendto,sendmsg,mount,fsmount,move_mount,unshare,setns,clone,clone3,execve,rename,renameat,renameat2,pwrite64,fdatasync,unlink,unlinkat,socketpair,bind,connect,vfork

run_traced() { # OPTIONS-OF-STRACE... : a run under strace; what is not said here is in $MORE
	# shellcheck disable=SC2086
	traced "$@" "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" \
		run --rm --name t -p 8000:80 -m 64m ${MORE--d --bare /bin/busybox -- httpd -f} >/dev/null 2>&1
}
# It either runs, whole, or there is nothing of it.
whole_or_nothing() {
	if [ "$(strake ps -q | wc -l)" = 1 ]; then
		soon curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8000/ || { echo "half a container"; return 1; }
		strake rm -f t >/dev/null
	fi
	strake ps -a >/dev/null
	assert_equal "$(strake ps -aq)" ""
	assert_no_traces
	run strake system check
	assert_status 0
}

@test "A5.18 kill -9 of run at many points: the next command clears up" {
	need_command strace
	run_traced -o "$STATE/trace" -e "trace=$CHANGING"
	count=$(grep -c '(' "$STATE/trace")
	strake rm -f t >/dev/null
	[ "$count" -gt 40 ]
	step=$((count / 24))
	for ((n = 1; n <= count; n += step)); do
		run_traced -o /dev/null -e "trace=$CHANGING" -e "inject=$CHANGING:signal=KILL:when=$n" || true
		whole_or_nothing || { echo "after a kill at call $n of $count"; return 1; }
	done
}

@test "A5.18 kill -9 of whatever run has started, at many points" {
	need_command strace
	MORE='--bare /bin/busybox -- true'
	for n in 3 9 17 26 34 45 58 70 85 100 120 150; do
		# Each process on its own way is killed at its Nth call: the monitor, and process 1 before it is the program.
		# -D: strace(1) is not what is waited for; it follows a resolver that outlives the command.
		run_traced -D -f -o /dev/null -e "trace=$CHANGING" -e "inject=$CHANGING:signal=KILL:when=$n" || true
		soon eval '! pgrep -f "^strake-monitor.*$RUN"'
		whole_or_nothing || { echo "after a kill at call $n"; return 1; }
	done
}

# First processes of containers, as this namespace numbers them.
init_of() { strake inspect --format '{{.State.Pid}}' "$1"; }

@test "kill -9 of a monitor: its container lives on; when it has ended, too, the next command sees it" {
	strake run -d --name a -p 8000:80 --bare /bin/busybox -- httpd -f
	strake run -d --name b --rm -p 8001:80 --bare /bin/busybox -- httpd -f
	for name in a b; do
		pkill -KILL -f "^strake-monitor.*$(strake inspect --format '{{.Id}}' $name)"
	done
	soon eval '! pgrep -f "^strake-monitor.*$RUN"'
	assert_equal "$(strake inspect --format '{{.State.Status}}' a)" running
	run strake exec a /busybox true
	assert_status 0
	run strake system check
	assert_has "without its monitor"
	kill -KILL "$(init_of a)" "$(init_of b)"
	soon eval '[ -z "$(strake ps -q)" ]'
	run strake ps -a --format json
	assert_has '"a"'
	assert_lacks '"b"'
	assert_equal "$(strake inspect --format '{{.State.Status}}' a)" exited
	run curl --silent --max-time 1 http://127.0.0.1:8000/
	[ "$status" != 0 ]
	strake rm a
	assert_no_traces
}

@test "kill -9 of the front command: a detached container lives, a foreground one goes with its terminal or lives on" {
	strake run -d --name a --bare /bin/busybox -- sleep 1000
	"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --name f --bare /bin/busybox -- sleep 1000 3>&- &
	pid=$!
	soon eval '[ "$(strake ps -q | wc -l)" = 2 ]'
	kill -KILL "$pid"
	wait "$pid" || true
	assert_equal "$(strake inspect --format '{{.State.Status}}' a)" running
	strake rm -f a f
	assert_no_traces
}

@test "after a reboot nothing runs, what was kept is there, and starts of new ones work" {
	strake run -d --name kept -p 8000:80 --bare /bin/busybox -- httpd -f
	strake run -d --rm --name gone --bare /bin/busybox -- sleep 1000
	# What a reboot does: no process, no link, no rule, another boot ID, an empty run directory.
	inits=("$(init_of kept)" "$(init_of gone)")
	for name in kept gone; do
		id=$(strake inspect --format '{{.Id}}' $name)
		GROUPS_MADE+=("$id")
		pkill -KILL -f "^strake-monitor.*$id"
	done
	kill -KILL "${inits[@]}" "$(pgrep -f '^strake-dns .*--network=bridge')"
	soon no_processes
	awk -v run="$RUN/" 'index($5, run) == 1 { print $5 }' /proc/self/mountinfo | xargs -r umount -l
	rm -rf "${RUN:?}"/*
	ip link delete strake0
	nft delete table inet strake
	cat /proc/sys/kernel/random/uuid >"$STATE/boot_id"
	mount --bind "$STATE/boot_id" /proc/sys/kernel/random/boot_id
	run strake ps -a --format json
	assert_has '"kept"'
	assert_lacks '"gone"'
	assert_equal "$(strake inspect --format '{{.State.Status}}' kept)" exited
	strake run -d --name new -p 8000:80 --bare /bin/busybox -- httpd -f
	soon curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8000/
	run strake system check
	assert_status 0
	strake rm -f new kept
	assert_no_traces
	umount /proc/sys/kernel/random/boot_id
}

@test "system check names what is wrong, --repair puts it right" {
	run strake system check
	assert_status 0
	strake run -d --name a --bare /bin/busybox -- sleep 1000
	id=$(strake inspect --format '{{.Id}}' a)
	run strake system check
	assert_status 0
	mkdir -p "$ROOT/containers/0000000000000000000000000000000000000000000000000000000000000bad/upper"
	ip link add sk-badbadbadbad type veth peer name x0
	ip link set sk-badbadbadbad master strake0
	nft add element inet strake pub4 '{ tcp . 4444 : 10.120.0.77 . 80 }'
	run strake system check
	[ "$status" != 0 ]
	assert_has 000000000000
	assert_has sk-badbadbadbad
	assert_has 4444
	run strake system check --repair
	run strake system check
	assert_status 0
	run ip -o link
	assert_lacks sk-badbadbadbad
	run nft list map inet strake pub4
	assert_lacks 4444
	[ ! -e "$ROOT/containers/0000000000000000000000000000000000000000000000000000000000000bad" ]
	assert_equal "$(strake inspect --format '{{.State.Status}}' a)" running
	run strake exec a /busybox true
	assert_status 0
}

@test "system check --repair publishes again what somebody flushed" {
	strake run -d --name a -p 8000:80 --bare /bin/busybox -- httpd -f
	nft delete table inet strake
	run curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8000/
	[ "$status" != 0 ]
	run strake system check
	[ "$status" != 0 ]
	assert_has "is missing: pub4 { tcp . 8000 : 10.120.0.2 . 80 }"
	run strake system check --repair
	run curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8000/
	assert_status 0
	run strake system check
	assert_status 0
}

@test "a lost database is made again from the directories" {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar"
	strake run -d --name a -p 8000:80 --bare /bin/busybox -- httpd -f
	strake run --name "done" --network none --bare /bin/busybox -- sh -c 'exit 4' || true
	rm -f "$ROOT"/state.db*
	run strake ps -a --format json
	assert_has '"a"'
	assert_has '"done"'
	run strake images
	assert_has test
	run strake exec a /busybox true
	assert_status 0
	run curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8000/
	assert_status 0
	run strake run -d --name b -p 8000:80 --bare /bin/busybox -- httpd -f
	assert_status 125
	run strake system check
	assert_status 0
	strake rm -f a "done"
	assert_no_traces
	# One that cannot be read is named, with what to do about it.
	echo garbage >"$ROOT/state.db"
	run strake ps
	[ "$status" != 0 ]
	assert_has "state.db"
	assert_has "'strake system check --repair' moves it aside"
	run strake system check
	assert_status 1
	assert_has "'strake system check --repair' moves it aside"
	strake system check --repair
	assert_equal "$(cat "$ROOT/state.db.damaged-1")" garbage
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
	run strake run --rm --network none test:1 cat /etc/kept
	assert_equal "$output" second
}

@test "no space: one line, and nothing is left" {
	mkdir "$STATE/small"
	mount -t tmpfs -o size=600k strake-small "$STATE/small"
	ROOT=$STATE/small/root
	run strake images
	assert_status 0
	head -c 550k /dev/zero >"$STATE/small/fill" || true
	run strake run -d --network none --bare /bin/busybox -- true
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has "; the file system of $ROOT (tmpfs at $STATE/small) has "
	assert_has "strake image prune"
	rm "$STATE/small/fill"
	assert_equal "$(strake ps -aq)" ""
	python3 "$TOOLS/images.py" big "$STATE/tmp/big.tar"
	run strake load -i "$STATE/tmp/big.tar"
	[ "$status" != 0 ]
	assert_equal "${#lines[@]}" 1
	assert_has "pace"
	assert_equal "$(strake images -q)" ""
	run strake system check
	assert_status 0
	umount "$STATE/small"
	ROOT=$STATE/root
}

@test "without root: one line that says what is missing" {
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --bare /bin/busybox -- true
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has root
}

@test "a kernel feature that is missing is named, and what would bring it" {
	need_command strace
	rootfs_new "$STATE/fs"
	while IFS='|' read -r inject text; do
		run traced -f -o /dev/null -e "trace=${inject%%:*}" -e "inject=$inject" "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" \
			run --rm --network none --rootfs "$STATE/fs" true
		assert_equal "$inject: $status, ${#lines[@]} line" "$inject: 125, 1 line"
		assert_has "$text"
		assert_equal "$(strake ps -aq)" ""
	done <<-'CASES'
		mount_setattr:error=ENOSYS|Linux 5.12
		openat2:error=ENOSYS|Linux 5.12
		fsopen:error=ENODEV|no file system overlay
		clone3:error=ENOSPC|max_*_namespaces
		seccomp:error=ENOSYS|seccomp
	CASES
	run strake system check
	assert_status 0
}

monitor_of() { jq -r .monitorPid "$RUN/containers/$1/live.json"; }
ended() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"; }
groups_of() { find /sys/fs/cgroup -type d -path "*/strake/$1*"; }

@test "a container whose monitor was killed: stop, rm and rm -f leave no control group, ps knows that it ended" {
	for how in stop "rm -f"; do
		id=$(strake run -d --name a --network none --bare /bin/busybox -- sleep 1000)
		monitor=$(monitor_of "$id")
		kill -KILL "$monitor"
		soon ended "$monitor"
		# shellcheck disable=SC2086
		strake $how a
		assert_equal "$(groups_of "$id")" ""
		[ "$how" = stop ] || continue
		run strake ps -a --format '{{.State}} {{.Status}}'
		assert_has "exited Exited (?)"
		strake rm a
	done
	assert_equal "$(strake ps -aq)" ""
}

@test "groups that a privileged container made below its own go with it" {
	rootfs_new "$STATE/rootfs"
	id=$(strake run -d --name p --privileged --network none --rootfs "$STATE/rootfs" sh -c \
		'for g in /sys/fs/cgroup /sys/fs/cgroup/*; do [ -e $g/cgroup.procs ] && mkdir -p $g/sub/deeper; done; exec sleep 1000')
	made() { [ "$(find /sys/fs/cgroup -type d -path "*/strake/$id/sub/deeper" | wc -l)" -gt 1 ]; }
	soon made
	strake rm -f p
	assert_equal "$(groups_of "$id")" ""
}

@test "system check finds control groups of nobody, and leaves another root's alone" {
	id=$(strake run -d --network none --bare /bin/busybox -- sleep 1000)
	place=$(find /sys/fs/cgroup -type d -path "*/strake/$id" | head -n 1)
	lost=$(printf %064x $$)
	GROUPS_MADE+=("$lost")
	mkdir -p "${place%/*}/$lost/below"
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.strake", sys.argv[2].encode())' "${place%/*}/$lost" "$ROOT/containers/$lost"
	mkdir "$STATE/other" "$STATE/otherrun"
	run "$PROGRAMS/strake" --root "$STATE/other" --run-root "$STATE/otherrun" system check --repair
	assert_has "nothing is wrong"
	run strake system check
	assert_status 1
	assert_has "control group /strake/$(printf %.12s "$lost")... belongs to no container"
	assert_has "1 found"
	strake system check --repair
	[ ! -e "${place%/*}/$lost" ] && [ -e "$place" ]
	strake exec "$id" /busybox true
	run strake system check
	assert_has "nothing is wrong"
}

# The script of a dry run, run in the background; its container is nobody's.
script_run() { # ROOT RUN PORT
	"$PROGRAMS/strake" --root "$1" --run-root "$2" --dry-run run -d -p "$3:80" --name dw --bare /bin/busybox -- httpd -f >"$STATE/script"
	background sh "$STATE/script"
	DEADLINE=40 soon curl --silent --max-time 1 -o /dev/null "http://127.0.0.1:$3/"
	GROUPS_MADE+=("$(sed -n 's/^export id=//p' "$STATE/script")")
}

@test "system check finds all that the script of a dry run left, and ends it, but not another root's" {
	mkdir "$STATE/other" "$STATE/otherrun"
	other() { "$PROGRAMS/strake" --root "$STATE/other" --run-root "$STATE/otherrun" "$@"; }
	other run -d --name theirs -p 8001:80 --bare /bin/busybox -- httpd -f
	script_run "$ROOT" "$RUN" 8098
	id=${GROUPS_MADE[-1]}
	run other system check --repair
	assert_has "nothing is wrong"
	run strake system check
	assert_status 1
	for text in "container ${id:0:12} runs without an owner" "directory containers/${id:0:12}... belongs to no container" \
		"bridge strake1 belongs to no network" "link sk-${id:0:8}-0 belongs to no container" "table inet strake-1 belongs to no network"; do
		assert_has "$text"
	done
	assert_lacks strake0
	curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8098/ # a check changes nothing
	strake system check --repair
	run strake system check
	assert_has "nothing is wrong"
	run ! curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8098/
	assert_equal "$(groups_of "$id")" ""
	assert_equal "$(ls -A "$ROOT/containers" "$RUN/containers" | grep -c "$id")" 0
	run ip -o link show type bridge
	assert_has strake0
	assert_lacks strake1
	assert_equal "$(nft list tables)" "table inet strake"
	curl --silent --max-time 1 -o /dev/null http://127.0.0.1:8001/
	other rm -f theirs
	assert_no_traces
}

@test "a monitor that is stopped: stop and rm -f end, name it, and say what to do" {
	id=$(strake run -d --name a --network none --bare /bin/busybox -- sleep 1000)
	monitor=$(monitor_of "$id")
	kill -STOP "$monitor"
	for how in "stop -t 0" "rm -f"; do
		# shellcheck disable=SC2086
		run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" $how a
		assert_status 1
		assert_equal "${#lines[@]}" 1
		assert_has "its monitor, process $monitor, is stopped"
		assert_has "kill -CONT $monitor"
	done
	kill -KILL "$monitor"
	strake rm -f a
	assert_equal "$(groups_of "$id")" ""
	id=$(strake run -d --name b --network none --bare /bin/busybox -- sleep 1000)
	monitor=$(monitor_of "$id")
	kill -STOP "$monitor"
	background strake stop -t 0 b
	kill -CONT "$monitor"
	wait $!
	strake rm b
}

@test "an ordinary user removes what a refused run left: nothing of it was ever made" {
	short_folder # others may look into that one
	ROOT=$SHORT/root RUN=$SHORT/run
	strake run -d --name a -p 8000:80 --bare /bin/busybox -- httpd -f
	strake run -d --name b -p 8001:80 --bare /bin/busybox -- httpd -f
	for name in a b; do
		id=$(strake inspect --format '{{.Id}}' $name)
		GROUPS_MADE+=("$id")
		kill -KILL "$(monitor_of "$id")" "$(init_of $name)"
	done
	kill -KILL "$(pgrep -f '^strake-dns .*--network=bridge')"
	soon no_processes
	# The rows and directories alone, of another user.
	remove_cgroups
	awk -v run="$RUN/" 'index($5, run) == 1 { print $5 }' /proc/self/mountinfo | xargs -r umount -l
	ip link delete strake0
	nft delete table inet strake
	soon eval '! ip -o link | grep -q sk-'
	chown -R 65534:65534 "$ROOT" "$RUN"
	as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$@"' sh "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@"; }
	run as_nobody ps -aq
	assert_status 0
	run as_nobody rm a
	assert_equal "$status $output" "0 a"
	run as_nobody rm -f b
	assert_equal "$status $output" "0 b"
	run as_nobody ps -aq
	assert_equal "$output" ""
	chown -R 0:0 "$ROOT" "$RUN"
	assert_no_traces
}

@test "a damaged or missing definition: the container is listed, stopped, killed and removed all the same" {
	for how in "stop -t 0" kill "rm -f"; do
		for damage in empty gone; do
			id=$(strake run -d --name d --network none --bare /bin/busybox -- sleep 1000)
			strake run -d --name good --network none --bare /bin/busybox -- sleep 1000
			[ $damage = gone ] || : >"$ROOT/containers/$id/container.json"
			[ $damage = empty ] || rm "$ROOT/containers/$id/container.json"
			run --separate-stderr strake ps -a --format '{{.Name}} {{.State}}'
			assert_equal "$status $(sort <<<"$output" | xargs)" "0 d running good running"
			output=$stderr
			assert_has "container d is damaged"
			assert_has "'strake rm -f d' removes it"
			run strake inspect d
			assert_status 1
			assert_has "container d is damaged"
			assert_has "'strake rm -f d' removes it"
			for repair in "" --repair; do
				# shellcheck disable=SC2086
				run strake system check $repair
				assert_status 1
				assert_has "container d runs, but: "
				assert_has "'strake rm -f d' ends and removes it"
				assert_lacks puts
				assert_lacks "nothing is wrong"
			done
			# shellcheck disable=SC2086
			run strake $how d
			assert_equal "$status $output" "0 d"
			[ "$how" = "rm -f" ] || run strake wait d
			[ "$how" = "rm -f" ] || strake rm d
			assert_equal "$(groups_of "$id")" ""
			strake rm -f good
			assert_equal "$(strake ps -aq)" ""
		done
	done
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

@test "system check counts what --repair puts right, and what it cannot keeps the exit status 1" {
	strake run -d --name a --network none --bare /bin/busybox -- sleep 1000
	kill -KILL "$(monitor_of "$(strake inspect --format '{{.Id}}' a)")"
	mkdir -p "$ROOT/containers/0000000000000000000000000000000000000000000000000000000000000bad/upper"
	run strake system check
	assert_status 1
	assert_has "container a runs without its monitor; 'strake stop a' ends it"
	assert_has "2 found; 'strake system check --repair' puts 1 right; for the rest see above"
	run strake system check --repair
	assert_status 1
	assert_has "2 found, 1 repaired; for the rest see above"
	for repair in "" --repair; do
		# shellcheck disable=SC2086
		run strake system check $repair
		assert_status 1
		assert_lacks "nothing is wrong"
		assert_lacks "puts it right"
	done
	strake stop -t 0 a
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

@test "layers that somebody removed: run names the image and what helps, and system check does not claim a repair" {
	need_command skopeo
	python3 "$TOOLS/images.py" layers "$STATE/tmp/plain.tar"
	# Compressed: of a plain layer nothing but its files is kept.
	skopeo --insecure-policy copy -q "docker-archive:$STATE/tmp/plain.tar" "oci-archive:$STATE/tmp/image.tar:test:1"
	strake load -q -i "$STATE/tmp/image.tar"
	rm -r "$ROOT"/layers/*/
	run strake run --rm --network none test:1 true
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has "image test:1 has lost files"
	assert_has "'strake image check --repair test:1'"
	assert_lacks lowerdir
	for command in "image mount" "image tree" report; do
		# shellcheck disable=SC2086
		run strake $command test:1
		assert_equal "$command $status ${#lines[@]}" "$command 1 1"
		assert_has "image test:1 has lost files"
		assert_lacks lowerdir
	done
	run strake system check --repair
	assert_status 1
	assert_has "'strake image check --repair "
	assert_lacks ", repaired"
	strake image check --repair
	strake run --rm --network none test:1 true
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

# A strake whose monitors stop themselves before they do anything.
stopping_new() {
	mkdir "$STATE/bin"
	ln -s "$PROGRAMS"/* "$STATE/bin/"
	rm "$STATE/bin/strake" "$STATE/bin/strake-monitor"
	cp "$PROGRAMS/strake" "$STATE/bin/strake"
	# shellcheck disable=SC2016
	printf '#!/bin/bash\nexec -a strake-monitor bash -c %s %s "$@"\n' "'kill -STOP \$\$; exec -a strake-monitor \"\$0\" \"\$@\"'" "$PROGRAMS/strake-monitor" >"$STATE/bin/strake-monitor"
	chmod +x "$STATE/bin/strake-monitor"
}
stopping() { timeout 20 "$STATE/bin/strake" --root "$ROOT" --run-root "$RUN" "$@"; }

@test "a monitor that is stopped while it starts: all that would wait for it name it, and it goes on when it may" {
	stopping_new
	run stopping run -d --name n --network none --bare /bin/busybox -- sleep 1000
	assert_status 125
	assert_equal "${#lines[@]}" 1
	monitor=$(pgrep -f '^strake-monitor .*--id=')
	assert_has "strake-monitor, process $monitor, is stopped; 'kill -CONT $monitor'"
	for how in "stop -t 1" rm "rm -f" wait; do
		# shellcheck disable=SC2086
		run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" $how n
		assert_status 1
		assert_equal "${#lines[@]}" 1
		assert_has "its monitor, process $monitor, is stopped; 'kill -CONT $monitor'"
	done
	kill -CONT "$monitor"
	soon eval '[ "$(strake ps --format "{{.Name}}")" = n ]'
	strake rm -f n
	# One that is killed instead leaves nothing.
	run stopping run -d --name n --network none --bare /bin/busybox -- sleep 1000
	kill -KILL "$(pgrep -f '^strake-monitor .*--id=')"
	soon eval '! pgrep -f "^strake-monitor"'
	assert_equal "$(strake ps -aq)" ""
	run strake system check
	assert_equal "$status $output" "0 nothing is wrong"
}

@test "a monitor that is stopped: wait for one that is dead, and attach, say so" {
	id=$(strake run -d --name a --network none --bare /bin/busybox -- sleep 1000)
	monitor=$(monitor_of "$id")
	kill -STOP "$monitor"
	run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" attach a
	assert_status 1
	assert_equal "${#lines[@]}" 1
	assert_has "its monitor, process $monitor, is stopped; 'kill -CONT $monitor'"
	background timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" wait a >"$STATE/waited" 2>&1
	waiter=$!
	strake kill a
	soon ended "$(jq -r .pid "$RUN/containers/$id/live.json")"
	wait $waiter && false || assert_equal $? 1
	output=$(cat "$STATE/waited")
	assert_has "its monitor, process $monitor, is stopped; 'kill -CONT $monitor'"
	kill -CONT "$monitor"
	assert_equal "$(strake wait a)" 137
	strake rm a
}
