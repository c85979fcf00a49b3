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
	[ ! -e /sys/class/net/strake0 ]
}

# bats test_tags=vm
@test "the script of --bare makes the same container with stock tools, and clears up like --rm" {
	same_view -m 64m --pids-limit 30 --cpus 0.5 -e A=b --bare /bin/busybox --
	[ -z "$(ls -A "$ROOT/containers")" ]
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
	soon curl --silent --fail --max-time 1 -o /dev/null http://127.0.0.1:8080/
	assert_equal "$(curl --silent http://127.0.0.1:8080/)" page
	ip -o -4 addr show dev strake0 | grep -q 10.120.0.1/20
	pid=$(pgrep -x busybox)
	kill -KILL "$pid"
	soon eval '! kill -0 '"$pid"' 2>/dev/null'
	id=$(sed -n 's/^export id=//p' "$STATE/script")
	GROUPS_MADE+=("$id")
	remove_cgroups
	umount -l "$RUN/containers/$id/netns"
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
	# Every command of one line has a plus before it, every reason a hash.
	[ "$(grep -c '^ *+ ' <<<"$stderr")" -gt 40 ]
	[ "$(grep -c '^ *# ' <<<"$stderr")" -gt 12 ]
}
