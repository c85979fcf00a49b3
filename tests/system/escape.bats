# What a hostile image, bundle or container tries.  Each test is an attack that once worked, on us or on others.
bats_require_minimum_version 1.5.0
load lib

# A container "evil" with a shell, whose own tree is hostile from the inside.
evil_new() { # OPTION...
	rootfs_new "$STATE/fs"
	strake run -d --name evil --network none "$@" --rootfs "$STATE/fs" sleep 1000
}

# /dev of the test's own, or a successful attack would change the machine's.
private_dev() {
	mount -t tmpfs -o mode=755 strake-test-dev /dev
	mknod -m 666 /dev/null c 1 3
	mknod -m 666 /dev/zero c 1 5
	mknod -m 666 /dev/full c 1 7
	mknod -m 666 /dev/random c 1 8
	mknod -m 666 /dev/urandom c 1 9
	ln -s /proc/self/fd /dev/fd
	mkdir /dev/pts /dev/shm
	export MOUNTS_BEFORE
	MOUNTS_BEFORE=$(mount_points)
}

@test "a working directory that leads to a descriptor of ours is refused (CVE-2024-21626)" {
	need_program strake
	evil_new -w /work
	echo secret >"$STATE/secret"
	for fd in 3 4 5 6 7 8 9 10; do
		strake exec -w / evil sh -c "rm -rf /work && ln -s /proc/self/fd/$fd /work"
		run strake exec -w /work evil cat ../secret ../../secret
		assert_lacks secret$'\n'
		assert_status 125
		assert_has "working directory /work"
	done
	mkdir "$STATE/fs/work"
	run strake run --rm --network none -w /proc/self/fd/4 --rootfs "$STATE/fs" ls
	assert_status 125
}

@test "our own programs are never executed in a container, nor to be had there (CVE-2019-5736)" {
	need_program strake strake-runtime
	need_command gcc
	cat >"$STATE/hold.c" <<-'C'
		/* Looks for a program of strake's among the processes; says so when it got hold of one for writing. */
		#include <fcntl.h>
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		int main(void)
		{
			char path[64], link[256];
			puts("looking"), fflush(stdout);
			for (;;)
				for (int pid = 2; pid < 80; pid++) {
					if (pid == getpid())
						continue;
					snprintf(path, sizeof(path), "/proc/%d/exe", pid);
					int fd = open(path, O_RDONLY);
					if (fd < 0)
						continue;
					snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
					ssize_t n = readlink(path, link, sizeof(link) - 1);
					link[n > 0 ? n : 0] = 0;
					if (strstr(link, "/strake") && !strstr(link, "memfd:"))
						printf("got %s\n", link), fflush(stdout);
					int out = strstr(link, "strake-launcher") ? open(path, O_WRONLY) : -1;
					/* It may be opened while nobody executes it; the seals forbid all else. */
					if (out >= 0 && (write(out, "x", 1) >= 0 || ftruncate(out, 0) == 0 || ftruncate(out, 1 << 20) == 0))
						puts("changed a launcher"), fflush(stdout);
					if (out >= 0)
						close(out);
					close(fd);
				}
		}
	C
	rootfs_new "$STATE/fs"
	gcc -O1 -static -o "$STATE/fs/bin/hold" "$STATE/hold.c"
	strake run -d --name evil --network none --rootfs "$STATE/fs" hold
	strake exec evil sh -c 'ln -s /proc/self/exe /bin/app; printf "#!/proc/self/exe\n" >/bin/script; chmod 755 /bin/script'
	for program in app /bin/app script /proc/self/exe /proc/self/fd/3; do
		run ! strake exec evil "$program"
		[ "$status" = 126 ] || assert_status 127
	done
	for _ in {1..40}; do strake exec evil true; done
	run strake logs evil
	assert_equal "$output" looking
	# The same through the runtime alone.
	mkdir "$STATE/bundle"
	cp -a "$STATE/fs" "$STATE/bundle/rootfs"
	ln -s /proc/self/exe "$STATE/bundle/rootfs/bin/app"
	(cd "$STATE/bundle" && runtime spec && jq '.process.terminal = false | .process.args = ["app"] | .root.readonly = false' config.json >c &&
		mv c config.json)
	run ! runtime run --bundle "$STATE/bundle" c1 </dev/null
	[ "$status" = 126 ] || assert_status 127
}

@test "the host's /dev/null cannot be changed through masked paths or standard input" {
	need_program strake
	private_dev
	rootfs_new "$STATE/fs"
	run strake run --rm --network none --rootfs "$STATE/fs" sh -c 'chmod 600 /proc/keys; chown 5 /proc/keys; echo x >/proc/keys && wc -c </proc/keys'
	assert_has "0"
	strake run -d --name a --network none --rootfs "$STATE/fs" sh -c 'chmod 600 /proc/self/fd/0; chown 5 /proc/self/fd/0; echo x >/dev/null; sleep 1000'
	strake exec -d a sh -c 'chmod 600 /proc/self/fd/1; chown 5 /proc/self/fd/2'
	strake exec a sh -c 'chmod 600 /proc/self/fd/0' </dev/null 2>/dev/null || true
	strake exec a true
	assert_equal "$(stat -c '%a %u' /dev/null)" "666 0"
	strake rm -f a
	soon umount /dev # its monitor may have a moment to go, with a file of it open
}

@test "exec hands over no file of the caller's" {
	need_program strake
	evil_new
	echo original >"$STATE/report"
	echo first >"$STATE/log"
	run strake exec -i evil sh -c 'cat; echo changed >/proc/self/fd/0' <"$STATE/report"
	assert_has original
	assert_equal "$(<"$STATE/report")" original
	strake exec evil sh -c 'cat /proc/self/fd/1 >/stolen & sleep 0.2; : >/proc/self/fd/1; echo second' >>"$STATE/log" 2>&1
	assert_equal "$(<"$STATE/log")" first$'\n'second
	# Much in both directions, and an early end of the reader.
	head -c 3000000 /dev/urandom >"$STATE/data"
	strake exec -i evil cat <"$STATE/data" >"$STATE/copy"
	cmp "$STATE/data" "$STATE/copy"
	strake exec evil sh -c 'yes' | head -n 1
	run strake exec evil ps
	assert_lacks yes
}

@test "SYS_PTRACE gives nothing of the host by way of exec" {
	need_program strake
	need_command gcc
	echo "the host's" >"$STATE/secret"
	cat >"$STATE/look.c" <<-'C'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char path[512];
			puts("looking"), fflush(stdout);
			for (;;)
				for (int pid = 2; pid < 80 && argc > 1; pid++) {
					if (pid == getpid())
						continue;
					snprintf(path, sizeof(path), "/proc/%d/root%s", pid, argv[1]);
					if (open(path, O_RDONLY) >= 0)
						printf("root of %d\n", pid), fflush(stdout);
					for (int fd = 3; fd < 20; fd++) {
						snprintf(path, sizeof(path), "/proc/%d/fd/%d/..", pid, fd);
						if (open(path, O_PATH | O_DIRECTORY) >= 0)
							printf("directory %d of %d\n", fd, pid), fflush(stdout);
					}
				}
		}
	C
	rootfs_new "$STATE/fs"
	gcc -O1 -static -o "$STATE/fs/bin/look" "$STATE/look.c"
	strake run -d --name evil --cap-add SYS_PTRACE --network none --rootfs "$STATE/fs" look "$STATE/secret"
	for _ in {1..40}; do strake exec evil true; done
	run strake logs evil
	assert_equal "$output" looking
}

@test "SYS_PTRACE and exec: what comes in is no program of ours, and has no more rights than those in there" {
	need_program strake strake-runtime
	need_command gcc
	cat >"$STATE/seize.c" <<-'C'
		/* Stops each process that it meets, and says what it is and may do. */
		#include <fcntl.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/ptrace.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void tell(int pid)
		{
			char path[64], link[256], line[256];
			snprintf(path, sizeof(path), "/proc/%d/exe", pid);
			ssize_t n = readlink(path, link, sizeof(link) - 1);
			link[n > 0 ? n : 0] = 0;
			if (strstr(link, "/strake"))
				printf("got %s\n", link);
			snprintf(path, sizeof(path), "/proc/%d/status", pid);
			FILE *f = fopen(path, "r");
			while (f && fgets(line, sizeof(line), f))
				if (!strncmp(line, "CapEff", 6) || !strncmp(line, "CapBnd", 6) || !strncmp(line, "Seccomp:", 8))
					printf("%s", line);
			if (f)
				fclose(f);
		}
		int main(void)
		{
			setvbuf(stdout, 0, _IOLBF, 0);
			puts("looking");
			tell(getpid());
			for (;;)
				for (int pid = 2, status; pid < 120; pid++) {
					if (pid == getpid() || ptrace(PTRACE_SEIZE, pid, 0, 0) != 0)
						continue;
					ptrace(PTRACE_INTERRUPT, pid, 0, 0);
					waitpid(pid, &status, __WALL);
					tell(pid);
					ptrace(PTRACE_DETACH, pid, 0, 0);
				}
		}
	C
	rootfs_new "$STATE/fs"
	gcc -O1 -static -o "$STATE/fs/bin/seize" "$STATE/seize.c"
	strake run -d --name evil --cap-add SYS_PTRACE --network none --rootfs "$STATE/fs" seize
	for _ in {1..20}; do strake exec evil true; done
	run -125 strake debug evil true
	assert_has "container evil has CAP_SYS_PTRACE"
	seized="$(strake logs evil)"
	run sort -u <<<"$seized"
	assert_equal "${#lines[@]}" 4
	assert_has looking
	[ "$(grep -c CapEff <<<"$seized")" -gt 1 ]
	# The runtime alone, and a filter that lets nothing of ours make a process: no, rather than that.
	mkdir "$STATE/bundle"
	cp -a "$STATE/fs" "$STATE/bundle/rootfs"
	(cd "$STATE/bundle" && runtime spec && jq '.process.terminal = false | .process.args = ["sleep", "1000"] |
		(.process.capabilities[] |= . + ["CAP_SYS_PTRACE"]) |
		.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["clone"], action: "SCMP_ACT_ERRNO"}]}' config.json >c && mv c config.json)
	runtime run -d --bundle "$STATE/bundle" c1 </dev/null
	run runtime exec c1 true
	assert_has "CAP_SYS_PTRACE"
	[ "$status" != 0 ]
	runtime delete --force c1
	(cd "$STATE/bundle" && jq '(.process.capabilities[] |= . - ["CAP_SYS_PTRACE"])' config.json >c && mv c config.json)
	runtime run -d --bundle "$STATE/bundle" c1 </dev/null
	run -0 runtime exec c1 true
	runtime delete --force c1
}

@test "a bundle that joins a hostile pid namespace shows it no program of ours" {
	need_program strake-runtime
	need_command gcc
	cat >"$STATE/hold.c" <<-'C'
		#include <stdio.h>
		#include <string.h>
		#include <unistd.h>
		int main(void)
		{
			char path[64], link[256];
			int sealed = 0;
			setvbuf(stdout, 0, _IOLBF, 0);
			for (puts("looking");;)
				for (int pid = 2; pid < 80; pid++) {
					snprintf(path, sizeof(path), "/proc/%d/exe", pid);
					ssize_t n = readlink(path, link, sizeof(link) - 1);
					link[n > 0 ? n : 0] = 0;
					if (strstr(link, "/strake"))
						printf("got %s\n", link);
					if (strstr(link, "strake-sealed") && !sealed++)
						puts("saw it");
				}
		}
	C
	for name in evil guest; do
		mkdir "$STATE/$name"
		rootfs_new "$STATE/$name/rootfs"
	done
	gcc -O1 -static -o "$STATE/evil/rootfs/bin/hold" "$STATE/hold.c"
	(cd "$STATE/evil" && runtime spec && jq '.process.terminal = false | .process.args = ["hold"] |
		(.process.capabilities[] |= . + ["CAP_SYS_PTRACE"])' config.json >c && mv c config.json)
	runtime run -d --bundle "$STATE/evil" evil </dev/null >"$STATE/out"
	pid=$(runtime state evil | jq .pid)
	(cd "$STATE/guest" && runtime spec && jq --arg ns "/proc/$pid/ns/pid" '.process.terminal = false | .process.args = ["echo", "a word", "with \"marks\""] |
		(.linux.namespaces[] | select(.type == "pid")).path = $ns' config.json >c && mv c config.json)
	for n in {1..20}; do
		run -0 runtime run --bundle "$STATE/guest" "guest$n" </dev/null
		assert_equal "$output" 'a word with "marks"'
	done
	run sort -u "$STATE/out"
	assert_equal "$output" $'looking\nsaw it'
	runtime delete --force evil
}

@test "cgroupsPath of a bundle takes nobody else's group" {
	need_program strake-runtime
	group_new
	local dir bystander
	for dir in /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs; do
		[ -e "$dir" ] && mkdir -p "${dir%/*}/$GROUP"
	done
	background tail -f /dev/null
	bystander=$!
	for dir in /sys/fs/cgroup/*/"$GROUP" /sys/fs/cgroup/"$GROUP"; do
		[ ! -d "$dir" ] || echo "$bystander" >"$dir/cgroup.procs" || true # a cpuset without processors takes none
	done
	rootfs_new "$STATE/bundle/rootfs"
	(cd "$STATE/bundle" && runtime spec)
	for path in "/$GROUP" / //; do
		jq --arg path "$path" '.process.terminal = false | .process.args = ["true"] | .linux.cgroupsPath = $path' \
			"$STATE/bundle/config.json" >"$STATE/c" && mv "$STATE/c" "$STATE/bundle/config.json"
		run runtime run --bundle "$STATE/bundle" c1 </dev/null
		[ "$status" != 0 ]
		assert_has cgroup
		run runtime delete --force c1
		kill -0 "$bystander"
	done
	kill "$bystander"
	wait "$bystander" || true
	for dir in /sys/fs/cgroup/*/"$GROUP" /sys/fs/cgroup/"$GROUP"; do
		[ ! -d "$dir" ] || rmdir "$dir"
	done
}

@test "a bundle without a list of devices gets no device but the usual ones" {
	need_program strake-runtime
	rootfs_new "$STATE/bundle/rootfs"
	(cd "$STATE/bundle" && runtime spec)
	jq '.process.terminal = false | .process.args = ["sh", "-c", "mknod /dev/x c 10 200; cat /dev/x; echo fine >/dev/null; cat /dev/own; echo end"]
		| .root.readonly = false | .linux.resources = {} | .linux.devices = [{path: "/dev/own", type: "c", major: 1, minor: 3}]
		| (.process.capabilities[] |= . + ["CAP_MKNOD"])' "$STATE/bundle/config.json" >"$STATE/c"
	mv "$STATE/c" "$STATE/bundle/config.json"
	run runtime run --bundle "$STATE/bundle" c1 </dev/null
	assert_has "'/dev/x': Operation not permitted"
	assert_lacks "/dev/own"
	assert_has end
}

@test "exec -it: a program that does not read its terminal holds up neither output nor signals" {
	need_program strake
	evil_new
	run python3 - "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec -it evil sh -c 'trap "echo GOT; exit 7" TERM; echo READY; while :; do read -t 1 _ </dev/null; busybox usleep 10000; done' <<-'PYTHON'
		import os, pty, select, signal, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], sys.argv[1:])
		end, seen = time.monotonic() + 30, b""
		os.set_blocking(fd, False)
		def until(text):
		    global seen
		    while text not in seen and time.monotonic() < end:
		        if select.select([fd], [], [], 0.2)[0]:
		            try:
		                seen += os.read(fd, 65536)
		            except (OSError, BlockingIOError):
		                return
		until(b"READY")
		sent, idle = 0, 0
		while idle < 5 and sent < 100000 and time.monotonic() < end:
		    if select.select([], [fd], [], 0.1)[1]:
		        try:
		            sent += os.write(fd, b"x" * 1000)
		        except BlockingIOError:
		            idle += 1
		    else:
		        idle += 1
		os.kill(pid, signal.SIGTERM)
		until(b"GOT")
		gone, status = 0, 0
		while not gone and time.monotonic() < end:
		    until(b"the end of the output")
		    gone, status = os.waitpid(pid, os.WNOHANG)
		if not gone:
		    os.kill(pid, signal.SIGKILL)
		print("sent", sent > 4096, "said", b"GOT" in seen, "status", os.waitstatus_to_exitcode(status) if gone else "hangs")
	PYTHON
	assert_has "sent True said True status 7"
}

@test "a missing program is said at create, so that podman knows it as 127" {
	need_program strake-runtime
	need_command podman
	short_folder
	rootfs_new "$STATE/fs"
	podman() {
		command podman --root "$SHORT/p" --runroot "$SHORT/r" --tmpdir "$SHORT/t" --storage-driver vfs --cgroup-manager cgroupfs \
			--runtime "$PROGRAMS/strake-runtime" "$@"
	}
	run -127 podman run --rm --network none --rootfs "$STATE/fs" /nosuch
	run -127 podman run --rm --network none --rootfs "$STATE/fs" nosuch
	run podman run --rm --network none --rootfs "$STATE/fs" /etc/passwd
	assert_status 126
}
