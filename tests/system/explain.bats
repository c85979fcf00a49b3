#!/usr/bin/env bats
# --explain and --dry-run: what is told is what is done.
bats_require_minimum_version 1.5.0
load lib

# What a process can see of its container, without what is chance (IDs, names made of them).  Not CapInh:
# the script's last step needs capabilities of its own, see identity_narrate().
VIEW='echo "pid $$"; cat /proc/1/cmdline | tr "\0" " " | cut -c1-20; set -- /proc/[0-9]*; echo "$# processes"
	sed "s/ - / /" /proc/self/mountinfo | while read -r a b c d at options rest; do echo "$at $options"; done | sort
	ls -l /dev | while read -r mode n u g major minor rest; do case $mode in c*|l*) echo "$mode $u $g $major $minor";; esac; done | sort
	ip -o -4 addr show | sed "s/ *valid_lft.*//"; ip route; ip -o link show eth0 2>/dev/null | sed "s/@.*\(mtu [0-9]*\).*/ \1/"
	cat /etc/resolv.conf 2>/dev/null
	grep -E "Cap(Prm|Eff|Bnd|Amb)|Groups|Uid" /proc/self/status
	for f in memory/memory.limit_in_bytes memory.max pids/pids.max pids.max cpu/cpu.cfs_quota_us cpu.max; do
		[ ! -e /sys/fs/cgroup/$f ] || { echo "$f"; cat /sys/fs/cgroup/$f; }; done
	for n in mnt pid net uts ipc cgroup; do readlink /proc/self/ns/$n; done | sort | uniq -d; env | grep -v -e HOSTNAME -e SHLVL | sort; pwd; exit 3'

no_link() { # NAME; /sys may be that of another namespace
	run ip link show "$1"
	assert_status 1
}

links() { ip -o link | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort; }

# The same options by strake and by the script; the view must be the same.
same_view() { # RUN-OPTION...
	local ours
	run --separate-stderr strake run --rm "$@" sh -c "$VIEW"
	assert_status 3
	ours=$output
	strake --dry-run run --rm "$@" sh -c "$VIEW" >"$STATE/script"
	run --separate-stderr sh "$STATE/script"
	assert_status 3
	diff <(echo "$ours") <(echo "$output")
	[ -z "$(strake ps -aq)" ]
	no_link strake0
}

# shellcheck disable=SC2153 # lib.bash sets both
no_containers() { [ -z "$(find "$ROOT/containers" "$RUN/containers" -mindepth 1)" ]; }

# bats test_tags=vm
@test "the script of --bare makes the same container with stock tools, and clears up like --rm" {
	same_view -m 64m --pids-limit 30 --cpus 0.5 -e A=b --bare /bin/busybox --
	no_containers
}

@test "the script of --rootfs does, with volumes, a user, capabilities, a read-only root" {
	rootfs_new "$STATE/fs"
	mkdir "$STATE/data"
	same_view -u 33:33 -w /tmp -v "$STATE/data:/data:ro" --tmpfs /scratch --cap-drop ALL --cap-add NET_RAW --read-only --rootfs "$STATE/fs"
	same_view --network none --hostname box --rootfs "$STATE/fs"
	same_view --privileged --network none --rootfs "$STATE/fs"
}

@test "the script of an image does" {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar"
	same_view test:1
}

@test "A5.17 the script's published port answers, from the same address" {
	mkdir "$STATE/www"
	echo page >"$STATE/www/index.html"
	strake --dry-run run -d -p 8080:80 -v "$STATE/www:/www:ro" --bare /bin/busybox -- httpd -f -p 80 -h /www >"$STATE/script"
	background sh "$STATE/script"
	DEADLINE=60 soon curl --silent --fail --max-time 1 -o /dev/null http://127.0.0.1:8080/
	assert_equal "$(curl --silent http://127.0.0.1:8080/)" page
	ip -o -4 addr show dev strake0 | grep -q 10.120.0.1/20
	# It has no monitor; the script itself says how to end what it started.
	id=$(sed -n 's/^export id=//p' "$STATE/script")
	GROUPS_MADE+=("$id")
	ip link show strake0
	sed -n 's/^#: //p' "$STATE/script" >"$STATE/end"
	sh "$STATE/end"
	run pgrep -x busybox
	assert_status 1
	no_link strake0
	[ ! -e "$ROOT/containers/$id" ]
	[ ! -e "$RUN/containers/$id" ]
	no_cgroups
}

@test "a script that starts something in the background prints its ID, as the command does" {
	strake --dry-run run -d --network none --bare /bin/busybox -- sleep 1000 >"$STATE/script"
	id=$(sed -n 's/^export id=//p' "$STATE/script")
	GROUPS_MADE+=("$id")
	run sh "$STATE/script" 3>&-
	assert_equal "$output" "$id"
	sed -n 's/^#: //p' "$STATE/script" | sh
}

@test "whatever a dry run prints is a script: results are comments, an error is no output" {
	strake run -d --name web --network none --bare /bin/busybox -- sh -c 'echo rm -rf /nothing; sleep 1000'
	for command in ps "ps -q" "ps --format json" images "network ls" "network inspect bridge" "inspect web" "logs -f web" "stop web" "rm -f web" \
		"kill web" "wait web" "attach web" "system check" "system check --repair" "exec web /busybox true"; do
		# shellcheck disable=SC2086
		run --separate-stderr strake --dry-run $command
		assert_equal "$command $status $stderr" "$command 0 "
		sh -n <<<"$output"
		# Nothing but steps is left when the comments are gone.
		grep -v -e '^#' -e '^set -eu$' -e '^umask 022$' <<<"$output" >"$STATE/steps" || true
		case $command in
		stop* | rm* | kill* | wait* | exec*) [ -s "$STATE/steps" ] ;;
		*) [ ! -s "$STATE/steps" ] ;;
		esac
	done
	for command in "stop x" "rm x" "wait x" "logs x" "kill x" "inspect x" "exec x true" "rmi x"; do
		# shellcheck disable=SC2086
		run --separate-stderr strake --dry-run $command
		[ "$status" != 0 ]
		assert_equal "$output" ""
		[ -n "$stderr" ]
	done
	assert_equal "$(strake ps --format '{{.Name}} {{.State}}')" "web running"
}

@test "a script that is stopped while it starts takes away what it has made" {
	for options in --rm "" -d; do
		# shellcheck disable=SC2086
		strake --dry-run run $options -p 8080:80 --bare /bin/busybox -- true >"$STATE/script"
		for step in 'touch ' 'ip link add strake0' 'ip link add sk-' 'mkdir -p \$groups' 'the user, what it may do'; do
			# Before the step, and before the container's own part.
			[ "$step" != 'the user, what it may do' ] || step='^(for d in'
			sed "0,\|$step|s||kill -$((${#options} % 2 ? 2 : 15)) \$\$; &|" "$STATE/script" >"$STATE/stopped"
			[[ $step == *groups || $step == '^(for'* ]] && sed -i 's/^trap : HUP INT TERM//' "$STATE/stopped"
			run sh "$STATE/stopped"
			[[ $status == 130 || $status == 143 ]] || { echo "$status $output $step"; return 1; }
			no_link strake0
			run nft list table inet strake
			assert_status 1
			no_containers
			no_cgroups
		done
	done
}

@test "a script's traps leave the exit status of the container, whose ^C is its own" {
	strake --dry-run run --rm --network none --bare /bin/busybox -- sh -c 'trap "exit 9" INT; kill -INT 1; sleep 1000 & wait' >"$STATE/script"
	run sh "$STATE/script"
	assert_status 9
	no_containers
}

@test "whatever a directory is called, the script mounts it, and so does run" {
	for name in 'a,b' "a'b" 'a"b' 'a\b' 'a:b' 'a b' 'a,metacopy=on,x=b' '$(a)'; do
		mkdir "$STATE/$name"
		rootfs_new "$STATE/$name/fs"
		echo "$name" >"$STATE/$name/fs/name"
		for root in "$ROOT" "$STATE/$name/root"; do
			dir() { "$STRAKE_BUILD/src/programs/strake" --root "$root" --run-root "$RUN" "$@"; }
			run dir run --rm --network none --rootfs "$STATE/$name/fs" sh -c 'cat /name; echo >/written'
			assert_equal "$name: $output" "$name: $name"
			dir --dry-run run --rm --network none --rootfs "$STATE/$name/fs" sh -c 'cat /name; echo >/written' >"$STATE/script"
			run sh "$STATE/script"
			assert_equal "$name: $output" "$name: $name"
		done
		[ ! -e "$STATE/$name/fs/written" ]
	done
}

@test "an ordinary user gets the whole script, or no line of it" {
	mkdir -m 777 "$STATE/user"
	user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$STRAKE_BUILD/src/programs/strake" --root "$STATE/user/root" --run-root "$STATE/user/run" "$@"; }
	for command in "run --rm --bare /bin/busybox -- true" "run -d -p 8080:80 --bare /bin/busybox -- true" "run --rm --rootfs /usr bin/true" \
		"network create n" "run --network none --bare /bin/busybox true"; do
		# shellcheck disable=SC2086
		run --separate-stderr user --dry-run $command
		assert_equal "$command $status $stderr" "$command 0 "
		sh -n <<<"$output"
	done
	user --dry-run run --rm --bare /bin/busybox -- true >"$STATE/script"
	grep -q '^# could not look for other firewalls' "$STATE/script"
	run sh "$STATE/script"
	assert_status 0
	for command in "run --network nope --bare /bin/busybox" "exec nope true" "stop nope" "rm nope" "run --rm nope/nope@sha256:1"; do
		# shellcheck disable=SC2086
		run --separate-stderr user --dry-run $command
		[ "$status" != 0 ]
		assert_equal "$output" ""
	done
}

@test "load and rmi tell their steps; a dry rmi removes nothing" {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	run --separate-stderr strake --explain load -i "$STATE/tmp/image.tar"
	assert_status 0
	assert_equal "$output" "Loaded image: test:1"
	for step in 'tar -tf' 'layer 1 of' 'sha256sum' "mv $ROOT/tmp/layer $ROOT/layers/" 'state.db'; do
		[[ $stderr == *"$step"* ]] || { echo "no '$step' in: $stderr"; return 1; }
	done
	# The directories that it tells of are there.
	grep -o "$ROOT/layers/[0-9a-f]*" <<<"$stderr" | xargs ls -d
	before=$(find "$ROOT" ! -name 'state.db*' | sort)
	strake --dry-run rmi test:1 >"$STATE/script"
	grep -q "^rm -rf $ROOT/layers/" "$STATE/script"
	grep -q '^# Untagged: test:1' "$STATE/script"
	assert_equal "$(find "$ROOT" ! -name 'state.db*' | sort)" "$before"
	strake run --rm --network none test:1 true
	run --separate-stderr strake --explain rmi test:1
	[[ $stderr == *"+ rm -rf $ROOT/layers/"* ]]
	[ -z "$(ls -A "$ROOT/layers")" ]
}

@test "the script of stop stops, and clears up in the place of a monitor that was killed" {
	strake run -d --name listens --init -p 8080:80 --bare /bin/busybox -- httpd -f -p 80
	strake run -d --name deaf --network none --stop-timeout 1 --bare /bin/busybox -- sleep 1000
	for name in listens deaf; do
		strake --dry-run stop $name >"$STATE/script"
		sh "$STATE/script"
		assert_equal "$(strake ps -a --format '{{.Name}} {{.State}}' | grep $name)" "$name exited"
	done
	assert_equal "$(strake inspect -f '{{.State.ExitCode}}' listens) $(strake inspect -f '{{.State.ExitCode}}' deaf)" "143 137"
	before=$(links)
	run strake run -d --name alone -p 8080:80 --bare /bin/busybox -- httpd -f -p 80
	id=$output
	strake --dry-run rm -f alone >"$STATE/script"
	kill -KILL "$(strake inspect -f '{{.State.MonitorPid}}' alone)"
	[ "$(links)" != "$before" ]
	sh "$STATE/script"
	assert_equal "$(links)" "$before"
	[ ! -e "$ROOT/containers/$id" ]
	[ ! -e "$RUN/containers/$id" ]
	no_cgroups
	strake system check --repair
	run strake ps -a --format '{{.Name}}'
	assert_lacks alone
}

@test "the script of exec runs the same program in the same place" {
	strake run -d --name a -e A=b --network none --bare /bin/busybox -- tail -f /dev/null
	view='id; pwd; env | sort; cat /proc/self/cgroup; for n in mnt pid net uts ipc cgroup; do readlink /proc/self/ns/$n; done; exit 4'
	run strake exec -e 'X=y z' -w /dev -u 5:6 a /busybox sh -c "$view"
	assert_status 4
	ours=$output
	strake --dry-run exec -e 'X=y z' -w /dev -u 5:6 a /busybox sh -c "$view" >"$STATE/script"
	run sh "$STATE/script"
	assert_status 4
	assert_equal "$output" "$ours"
}

@test "a dry run does nothing: no file, link, rule, row or control group" {
	all() {
		find "$ROOT" "$RUN" ! -name 'state.db*' | sort
		ip -o link
		nft list ruleset
		strake ps -a --format json
	}
	strake ps >/dev/null
	before=$(all)
	for command in "run -d --name a -p 8080:80 -m 64m --bare /bin/busybox -- httpd -f" "run --rm --network none --bare /bin/busybox -- true"; do
		# shellcheck disable=SC2086
		run strake --dry-run $command
		assert_status 0
		sh -n <<<"$output"
	done
	assert_equal "$(all)" "$before"
	run strake run -d --name kept --network none --bare /bin/busybox -- sleep 1000
	for command in "stop kept" "kill kept" "rm -f kept" "exec kept true"; do
		# shellcheck disable=SC2086
		run strake --dry-run $command
		assert_equal "$(strake ps --format json | jq -r .State)" running
	done
}

@test "--explain tells the steps in the order of their doing, with a reason and a command" {
	run --separate-stderr strake --explain run --rm -p 8080:80 -m 64m --bare /bin/busybox -- true
	assert_status 0
	assert_equal "$output" ""
	order=(containers/ 'unshare --net' 'type bridge' ip_forward 'table inet strake' 'type veth' 'address add' 'route add default'
		'pub4 {' /cgroup memory 'unshare --mount' tmpfs '-t proc' '-t devpts' mknod pivot_root setpriv 'delete element' 'rm -rf')
	rest=$stderr
	for step in "${order[@]}"; do
		[[ $rest == *"$step"* ]] || { echo "no '$step' in: $rest"; return 1; }
		rest=${rest#*"$step"}
	done
	# Each has its half sentence.
	awk '/^ *\+ / && last !~ /^ *# / { print "no reason: " $0; bad = 1 } { last = $0 } END { exit bad }' <<<"$stderr"
	# Every command of one line has a plus before it, every reason a hash.
	[ "$(grep -c '^ *+ ' <<<"$stderr")" -gt 40 ]
	[ "$(grep -c '^ *# ' <<<"$stderr")" -gt 12 ]
}

@test "exec's script: -d is not waited for, a user keeps all groups" {
	mkdir -p "$STATE/fs/etc" "$STATE/fs/bin"
	cp /bin/busybox "$STATE/fs/bin/"
	echo joe:x:1000:1000::/: >"$STATE/fs/etc/passwd"
	printf 'joe:x:1000:\nwheel:x:77:joe\n' >"$STATE/fs/etc/group"
	strake run -d --name e --network none --rootfs "$STATE/fs" /bin/busybox tail -f /dev/null >/dev/null
	strake --dry-run exec -u joe e /bin/busybox id -G >"$STATE/script"
	run sh "$STATE/script"
	assert_equal "$output" "$(strake exec -u joe e /bin/busybox id -G)"
	[[ " $output " == *" 77 "* ]]
	strake --dry-run exec -d e /bin/busybox tail -f /etc/group >"$STATE/script"
	run timeout 20 sh "$STATE/script"
	assert_status 0
	soon eval 'strake exec e /bin/busybox ps -o args 2>/dev/null | grep -q "tail -f /etc/group"'
	strake rm -f e >/dev/null
}
