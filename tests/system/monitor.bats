#!/usr/bin/env bats
# The process beside each container: what it keeps of its maker, and that its end comes.
bats_require_minimum_version 1.5.0
load lib

monitor_of() { # ID
	jq -r .monitorPid "$RUN/containers/$1/live.json"
}

@test "a monitor keeps nothing that its maker had open" {
	exec 8>"$STATE/lock" 7</etc/passwd
	flock 8
	id=$(strake run -d --network none --bare /bin/busybox -- sleep 1000)
	exec 8>&- 7<&-
	flock --nonblock "$STATE/lock" true
	run descriptors "$(monitor_of "$id")"
	assert_lacks "$STATE/lock"
	assert_lacks /etc/passwd
}

@test "a resolver keeps nothing that its maker had open" {
	exec 8>"$STATE/lock" 7</etc/passwd
	flock 8
	strake run -d --bare /bin/busybox -- sleep 1000
	exec 8>&- 7<&-
	flock --nonblock "$STATE/lock" true
	run descriptors "$(pgrep -f '^strake-dns --')"
	assert_has socket
	assert_lacks "$STATE/lock"
	assert_lacks /etc/passwd
}

@test "--explain run -d ends, and so does who reads what it said" {
	run timeout 20 bash -c "'$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' --explain run -d --network none --bare /bin/busybox -- sleep 1000 2>&1 | cat"
	assert_status 0
	assert_has "unshare"
}

# Its standard output goes to another container through a socket, and that one never stops writing.
# shellcheck disable=SC2016
hand_over='import array, os, socket, sys, time
s = socket.socket(socket.AF_UNIX)
if sys.argv[1] == "send":
    s.connect("/vol/s")
    s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1]))])
    s.recv(1)
    sys.exit(7)
s.bind("/vol/s")
s.listen(1)
print("listening", flush=True)
c = s.accept()[0]
fd = array.array("i", c.recvmsg(1, socket.CMSG_SPACE(4))[1][0][2])[0]
text = b"x\n" * 32768
for i in range(4):
    os.write(fd, text)
c.send(b"y")
for i in range(3):
    os.fork()
while True:
    os.write(fd, text)
'

@test "a container whose output another one goes on writing ends all the same" {
	need_command python3
	mkdir -p "$STATE/vol" "$STATE/python/usr"
	ln -s usr/lib usr/lib64 "$STATE/python"
	options=(-v "$STATE/vol:/vol" -v /usr:/usr:ro --network none --rootfs "$STATE/python")
	strake run -d --name writer "${options[@]}" python3 -c "$hand_over" take
	writes() { strake logs writer | grep -q listening; }
	soon writes
	strake run -d --name ends "${options[@]}" python3 -c "$hand_over" send
	run timeout 30 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" wait ends
	assert_equal "$output" 7
	run strake ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_has "ends exited 7"
	for command in "stop -t 1" rm; do
		# shellcheck disable=SC2086
		timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" $command ends
	done
}

@test "rm -f does not wait for a foreground reader that reads no more" {
	mkfifo "$STATE/fifo"
	exec 9<>"$STATE/fifo"
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --name slow --network none --bare /bin/busybox -- yes >&9
	reader=$!
	is_full() { [ "$(strake ps -q)" ] && [ "$(python3 -c "import array,fcntl,termios
b=array.array('i',[0]); fcntl.ioctl(9,termios.FIONREAD,b); print(b[0])")" -ge 4096 ]; }
	soon is_full
	timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rm -f slow
	assert_equal "$(strake ps -aq)" ""
	kill -KILL "$reader"
	exec 9>&-
}

@test "output that cannot be written: one line, a status of its own, and the run is cleared up" {
	run bash -c "'$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' run --name a --network none --bare /bin/busybox -- echo hi >/dev/full"
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has "No space left"
	assert_equal "$(strake ps -a --format '{{.State}}')" exited
	assert_equal "$(strake logs a)" hi
}

@test "^C three times, and it goes on: the front command leaves and says how to end it" {
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" run --name deaf --network none --bare /bin/busybox -- \
		sh -c 'trap "" INT; echo ready; while :; do tail -f /dev/null; done' >"$STATE/out" 2>"$STATE/err"
	client=$!
	soon grep -q ready "$STATE/out"
	for _ in 1 2 3; do
		kill -INT "$client"
		taken() { ! grep -q '^ShdPnd:.*[2367abef]$' "/proc/$client/status"; }
		soon taken
	done
	status=0
	wait "$client" || status=$?
	assert_equal "$status" 125
	run cat "$STATE/err"
	assert_has "strake stop deaf"
	assert_equal "$(strake ps -q | wc -l)" 1
	strake stop -t 0 deaf
}

@test "one more than can be attached is told so" {
	strake run -d --name a --network none --bare /bin/busybox -- sleep 1000
	for ((i = 0; i < 32; i++)); do
		background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" attach --no-stdin a >/dev/null
	done
	id=$(strake inspect --format '{{.Id}}' a)
	monitor=$(jq .monitorPid "$RUN/containers/$id/live.json")
	all_attached() { [ "$(find "/proc/$monitor/fd" -lname 'socket:*' | wc -l)" -ge 33 ]; }
	soon all_attached
	run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" attach --no-stdin a
	assert_status 1
	assert_equal "${#lines[@]}" 1
	assert_has "container a: 32 are attached to it or wait for it, and no more can be"
	# Waiting needs no place there.
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" wait a >"$STATE/waited"
	waiter=$!
	strake stop -t 0 a
	wait $waiter
	assert_equal "$(cat "$STATE/waited")" 137
	strake rm a
}

@test "attach --no-stdin and --sig-proxy=false keep signals to themselves" {
	strake run -d --name a --network none --bare /bin/busybox -- sh -c 'trap "exit 3" TERM INT; sleep 1000 & wait'
	for how in --no-stdin --sig-proxy=false; do
		background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" attach $how a >"$STATE/out"
		attached=$!
		catches() { grep -q 'SigBlk:.*[^0]$\|SigBlk:.*[1-9a-f]' "/proc/$attached/status"; }
		soon catches
		kill -TERM $attached
		wait $attached && false || assert_equal $? 143
		assert_equal "$(strake ps --format '{{.State}}')" running
	done
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" attach a >"$STATE/out"
	attached=$!
	soon catches
	kill -TERM $attached
	wait $attached && false || assert_equal $? 3
	strake rm a
}
