# shellcheck shell=bash disable=SC2034,SC2154 # tests use what is set here; bats sets status, output
# What every system test stands on.  First line of a test file:  load lib
#
# Each test runs alone in new mount, network and process namespaces: nothing that it does reaches the
# host, tests run beside each other, and when a test ends or is killed the kernel takes its processes,
# links and mounts along.  Its state is in memory, below $STATE.

HERE=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
# Debian's tools before others: a python3 that is a shell script around one costs 50 ms at each start.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
STRAKE_BUILD=${STRAKE_BUILD:-${HERE%/tests/system}/build}
PROGRAMS=$STRAKE_BUILD/src/programs
TOOLS=$HERE/tools

# The process that runs one test starts itself again inside the namespaces (its pid changes, and so do
# the names of the files that bats derives from it, hence the folder of its own).  bats reads each file
# once more outside, to list its tests: that process stays where it is.
if [ -z "${STRAKE_TEST_PRIVATE-}" ] && [ -n "${BATS_TEST_TMPDIR-}" ]; then
	mapfile -d '' -t arguments <"/proc/$$/cmdline"
	export STRAKE_TEST_PRIVATE=1 BATS_RUN_TMPDIR=$BATS_TEST_TMPDIR/private
	mkdir -p "$BATS_RUN_TMPDIR"
	# The end of a test that hangs: with unshare goes its process namespace and all that is in it.
	timeout --foreground -s KILL "${STRAKE_TEST_DEADLINE:-300}" unshare -mnp --fork --kill-child --mount-proc --propagation private "${arguments[@]}"
	status=$?
	# A killed test cannot say so itself, and bats would only miss it in its count.
	[ $status != 137 ] || printf 'not ok %s %s: killed after %s s\n' "$BATS_SUITE_TEST_NUMBER" "$BATS_TEST_NAME" "${STRAKE_TEST_DEADLINE:-300}"
	trap - EXIT
	exit $status
fi

setup() {
	state_new
}

teardown() {
	state_done
}

# A file with a setup() of its own calls these two.
state_new() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	STATE=$BATS_TEST_TMPDIR/state
	ROOT=$STATE/root
	RUN=$STATE/run
	BACKGROUND=() GROUPS_MADE=()
	mkdir -p "$STATE"
	mount -t tmpfs -o mode=755 strake-test "$STATE"
	mkdir "$ROOT" "$RUN" "$STATE/tmp"
	ip link set lo up
	MOUNTS_BEFORE=$(mount_points)
}

# Removes what the test made and fails it when something is left that strake should have removed.
state_done() {
	local pid left=()
	[ -n "${STATE-}" ] && mountpoint -q "$STATE" || return 0
	for pid in "${BACKGROUND[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	if [ -x "$PROGRAMS/strake" ] && [ -e "$ROOT/state.db" ]; then
		mapfile -t -O "${#GROUPS_MADE[@]}" GROUPS_MADE < <(strake ps -aq --no-trunc 2>/dev/null)
		strake ps -aq 2>/dev/null | xargs -r -n 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rm -f >/dev/null
	fi
	if [ -n "${BATS_TEST_COMPLETED-}" ]; then
		soon no_processes || left+=("processes: $(foreign_processes | tr '\0' ' ')")
		soon no_new_mounts || left+=("mounts: $(comm -13 <(echo "$MOUNTS_BEFORE") <(mount_points) | tr '\n' ' ')")
		no_cgroups || left+=("cgroups: $(cgroups_left)")
	fi
	remove_cgroups
	umount -R -l "$STATE" || true
	if [ ${#left[@]} -gt 0 ]; then
		printf 'left behind by the test: %s\n' "${left[@]}"
		return 1
	fi
}

strake() { "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@"; }
runtime() { "$PROGRAMS/strake-runtime" --root "$RUN/runtime" "$@"; }

# Skip the test unless the build has the program.
need_program() { # NAME...
	local name
	for name; do
		[ -x "$PROGRAMS/$name" ] || skip "$name is not built"
	done
}
need_command() { # NAME...
	local name
	for name; do
		command -v "$name" >/dev/null || skip "$name is not installed"
	done
}

# Start something that teardown ends: background COMMAND...; its pid is in $!.
background() {
	"$@" 3>&- &
	BACKGROUND+=($!)
}

# True as soon as the command is; false if it is not within DEADLINE seconds (10).  For what gives no
# event to wait for; between two tries it waits on a pipe that nobody writes to.
soon() {
	local end=$((SECONDS + ${DEADLINE:-10})) never
	exec {never}<> <(:)
	until "$@"; do
		if ((SECONDS >= end)); then
			exec {never}>&-
			return 1
		fi
		read -r -t 0.02 -u "$never" || true
	done
	exec {never}>&-
}

# $SHORT: a folder with a short name, which podman asks for its --runroot (50 characters at most).
short_folder() {
	SHORT=/mnt
	mount -t tmpfs strake-short "$SHORT"
	MOUNTS_BEFORE=$(mount_points)
}

# A root directory with busybox and its links: rootfs_new DIR
rootfs_new() {
	local busybox=/bin/busybox
	[ -x "$busybox" ] || busybox=$(command -v busybox)
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,root,var/www}
	chmod 1777 "$1/tmp"
	cp "$busybox" "$1/bin/busybox"
	# One process for the 270 links: as many as there are links take 15 s in the emulated machine.
	"$busybox" --list | (cd "$1/bin" && perl -ne 'chomp; symlink "busybox", $_')
	printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nwww:x:33:\n' >"$1/etc/group"
}

# assert_output_has TEXT; assert_status N: about the last "run".
assert_status() {
	[ "$status" = "$1" ] && return
	printf 'exit status %s, not %s; it said:\n%s\n%s\n' "$status" "$1" "$output" "${stderr-}"
	return 1
}
assert_has() {
	[[ $output == *"$1"* ]] && return
	printf 'no "%s" in:\n%s\n' "$1" "$output"
	return 1
}
assert_lacks() {
	[[ $output != *"$1"* ]] && return
	printf '"%s" in:\n%s\n' "$1" "$output"
	return 1
}
assert_equal() { # HAVE WANT
	[ "$1" = "$2" ] && return
	printf 'have: %s\nwant: %s\n' "$1" "$2"
	return 1
}

# The descriptors of a process, to compare before and after.
descriptors() { # PID
	local fd
	for fd in "/proc/$1/fd/"*; do
		readlink "$fd" || true
	done | sed 's/:\[.*//' | sort
}

mount_points() { awk '{ print $5 }' /proc/self/mountinfo | sort; }
# What a test has mounted so far, it unmounts itself.
mounts_are_ours() { MOUNTS_BEFORE=$(mount_points); }
no_new_mounts() { [ -z "$(comm -13 <(echo "$MOUNTS_BEFORE") <(mount_points))" ]; }

# Processes of this namespace that descend from no part of the test itself: what was orphaned.
foreign_processes() {
	local stat pid rest
	for stat in /proc/[0-9]*/stat; do
		# shellcheck disable=SC2015
		{ read -r pid rest <"$stat"; } 2>/dev/null || continue
		rest=${rest##*) }
		read -r state parent _ <<<"$rest"
		[ "$pid" = 1 ] || [ "$state" = Z ] && continue
		is_ours "$pid" && continue
		printf '%s %s\n' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
	done
}
# A child of the test's shell that runs the shell itself, or a pipe's neighbour of it.
is_ours() {
	local pid=$1 exe
	exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 0
	case $exe in
	"$STRAKE_BUILD"/* | */busybox* | "$STATE"/*) return 1 ;;
	esac
	[[ $exe == *"(deleted)" || $exe != /usr/* ]] && return 1
	return 0
}
no_processes() { [ -z "$(foreign_processes)" ]; }
# Of what was killed: monitors end their containers; what was set up before there was one is the next command's to clear.
all_gone() { [ -z "$(strake ps -aq)" ] && no_processes; }

# Control groups of the containers of this test's root.
container_ids() {
	echo "${GROUPS_MADE[@]}" | xargs -n 1
	find "$ROOT/containers" "$RUN/containers" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null
}
# A name for a control group, which the teardown then looks for; it is in $GROUP.
group_new() {
	GROUP=strake-test-$(od -An -N6 -tx1 /dev/urandom | tr -d ' ')
	GROUPS_MADE+=("$GROUP")
}
cgroups_left() {
	local id
	for id in $(container_ids); do
		find /sys/fs/cgroup -mindepth 2 -maxdepth 4 -type d -name "$id" 2>/dev/null
	done
}
no_cgroups() { [ -z "$(cgroups_left)" ]; }
remove_cgroups() {
	local group
	for group in $(cgroups_left); do
		rmdir "$group" 2>/dev/null || true
	done
}
