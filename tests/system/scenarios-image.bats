#!/usr/bin/env bats
# What runs without an image, what a root without a distribution lacks, and how that is said.
# shellcheck disable=SC2016 # what containers expand
bats_require_minimum_version 1.5.0
load lib

# A program that prints its host name; with a file's name it writes there and says what went wrong.
printme_new() { # FILE [GCC-OPTION...]
	need_command gcc
	cat >"$STATE/tmp/printme.c" <<-'C'
		#include <stdio.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			char name[256];
			gethostname(name, sizeof(name));
			puts(name);
			if (argc > 1 && !fopen(argv[1], "w")) {
				perror(argv[1]);
				return 3;
			}
			return 0;
		}
	C
	gcc -O1 "${@:2}" -o "$1" "$STATE/tmp/printme.c"
}
bundle_new() { # DIR ROOTFS HOSTNAME
	mkdir -p "$1"
	cp -a "$2" "$1/rootfs"
	(cd "$1" && rm -f config.json && "$PROGRAMS/strake-runtime" spec &&
		jq --arg h "$3" '.process.args = ["/printme"] | .process.terminal = false | .hostname = $h | .process.env += ["FROM=bundle"]' config.json >new)
	mv "$1/new" "$1/config.json"
}

@test "A7.3 a file, a directory, a bundle: the same verb, told apart by what lies there, never guessed" {
	cd "$STATE/tmp"
	printme_new printme -static
	mkdir tree
	cp printme tree/
	bundle_new bundle tree BUNDLE
	run strake run --rm --network none ./printme --hostname HAL-9000
	assert_equal "$output" HAL-9000
	run strake run --rm --network none ./tree --hostname HAL-9000 /printme
	assert_equal "$output" HAL-9000
	run strake run --rm --network none "$PWD/bundle" --hostname HAL-9000
	assert_equal "$output" HAL-9000
	run strake run --rm --network none ./bundle
	assert_equal "$output" BUNDLE
	# A tarball, and an image of the same files; the archive is brought in once.
	tar -C tree -czf tree.tar.gz .
	run strake run --rm --network none ./tree.tar.gz --hostname HAL-9000 /printme
	assert_equal "$output" HAL-9000
	run strake run --rm --network none ./tree.tar.gz --hostname HAL-9000 /printme
	assert_equal "$(strake images -q | wc -l)" 1
	strake tag "$(strake images -q)" named
	run strake run --rm --network none --hostname HAL-9000 named /printme
	assert_equal "$output" HAL-9000
	python3 "$TOOLS/images.py" layers image.tar
	run strake run --rm --network none ./image.tar cat /etc/kept
	assert_equal "$output" second
	# A word is the name of an image, even where a file has that name.
	run --separate-stderr strake run --rm printme
	assert_status 125
	assert_equal "${stderr##*$'\n'}" "strake run: no image 'printme'; to run what lies here say ./printme"
	run strake run --rm --pull never printme
	assert_equal "$output" "strake run: no image 'printme'; to run what lies here say ./printme"
	# What is meant for the program comes behind --, or behind its first word.
	run strake run --rm --network none ./printme --nope
	assert_status 125
	assert_has "what is meant for ./printme stands behind --"
	run strake run --rm --network none -- ./printme --host/name
	assert_status 3
	assert_has "--host/name: No such file or directory"
	run strake run --rm --network none ./printme --hostname A -- --host/name
	assert_status 3
	assert_has "--host/name: No such file or directory"
	echo text >text
	run strake run --rm ./text
	assert_status 125
	assert_has "no directory, bundle, executable or tar archive"
	run strake run --rm ./nothing
	assert_has "./nothing: No such file or directory"
	assert_equal "$(ls -A tree)" printme
}

@test "A7.4 the configuration by option; --print-config shows the JSON and makes nothing" {
	cd "$STATE/tmp"
	printme_new printme -static
	mkdir tree
	cp printme tree/
	run strake run --print-config --hostname h -e A=b -w /tmp --read-only -v ./made:/made:ro --network none ./tree /printme x
	assert_status 0
	assert_equal "$(jq -r '[.hostname, .process.args[1], .process.cwd, .root.readonly, (.process.env | index("A=b") != null),
		(.mounts[] | select(.destination == "/made").options | index("ro") != null)] | join(" ")' <<<"$output")" "h x /tmp true true true"
	[ ! -e made ]
	assert_equal "$(strake ps -aq)" ""
	assert_equal "$(ls -A "$ROOT/containers" 2>/dev/null)" ""
	# What it shows is what is used.
	strake run -d --name real --hostname h -e A=b -w /tmp --network none ./tree /printme x || true
	strake inspect -f '{{json .Spec}}' real | jq -S '.process | del(.terminal)' >real.json
	strake run --print-config --name other --hostname h -e A=b -w /tmp --network none ./tree /printme x | jq -S '.process | del(.terminal)' | diff - real.json
	bundle_new bundle tree BUNDLE
	run strake run --print-config ./bundle -e MORE=1
	assert_equal "$(jq -r '[.hostname, (.process.env | index("FROM=bundle", "MORE=1") != null), .root.readonly] | join(" ")' <<<"$output" | head -1)" "BUNDLE true true true"
}

@test "A8.2 one static file: run as it is, and an image of one layer with one file" {
	local id size
	cd "$STATE/tmp"
	printme_new hello -static
	run strake run --rm --network none ./hello --hostname ONE
	assert_equal "$output" ONE
	id=$(strake image pack ./hello hello:1)
	run strake run --rm --network none --hostname TWO hello:1
	assert_equal "$output" TWO
	assert_equal "$(strake image inspect hello:1 | jq -r '.[0] | [(.Layers | length), .Size, .Config.Entrypoint[0]] | join(" ")')" "1 $(stat -c %s hello) /hello"
	assert_equal "$(strake report --format json hello:1 | jq -r '[.Files, .Directories] | join(" ")')" "1 1"
	# Saved, with its documents, it is the file and less than 4 KiB a document.
	strake save --format oci-dir --compression none -o layout hello:1
	size=$(find layout/blobs -type f -size +4k -printf '%s\n')
	[ $((size - $(stat -c %s hello))) -lt 4096 ]
	# The same file is the same image.
	mkdir other
	cp -p hello other/
	assert_equal "$(strake image pack other/hello)" "$id"
	printme_new dynamic
	strake image pack --with-libs --with tmp,passwd --change 'USER 65534' ./dynamic dyn:1 >/dev/null
	run strake run --rm --network none --hostname DYN dyn:1 /tmp/file
	assert_equal "$output" DYN
	run strake report dyn:1
	assert_has "runs as         65534:"
	run strake image pack ./dynamic
	assert_status 126
	assert_has "add --with-libs"
}

@test "A8.3 one dynamic file: what is missing is named, --with-libs brings exactly that" {
	cd "$STATE/tmp"
	printme_new dynamic
	run strake run --rm --network none ./dynamic
	assert_status 126
	assert_has "lacks its loader /lib64/ld-linux"
	assert_has "libraries libc.so.6; add --with-libs"
	run strake run --rm --network none ./dynamic --with-libs --hostname LIBS
	assert_equal "$output" LIBS
	assert_equal "$(strake run --print-config ./dynamic --with-libs |
		jq -r '[.mounts[] | select(.type == "bind" and (.destination | startswith("/lib"))).destination] | sort | join(" ")')" \
		"/lib/libc.so.6 $(readelf -l dynamic | sed -n 's/.*interpreter: \(.*\)\]/\1/p')"
	# On a host of another distribution, one without this machine's C library: the image brings all that it needs.
	strake image pack --with-libs dynamic packed:1
	strake run --name packed --network none packed:1 >/dev/null
	mkdir -p other/{bin,etc,srv/packed}
	cp /bin/busybox other/bin/
	printf 'ID=alpine\nVERSION_ID=3.20\n' >other/etc/os-release
	strake export packed | tar -C other/srv/packed -xf -
	run chroot other /bin/busybox chroot /srv/packed /dynamic
	assert_status 0
	assert_equal "$output" "$(hostname)"
	# In a directory or image the kernel says "no such file" of a file that is there.
	mkdir tree
	cp dynamic tree/
	run -127 strake run --rm --network none ./tree /dynamic
	assert_has "/dynamic is dynamic: its loader /lib64/ld-linux"
	assert_has "and libraries libc.so.6 are not inside"
	printf '#!/bin/lua -x\n' >tree/script
	chmod +x tree/script
	run -127 strake run --rm --network none ./tree /script
	assert_has "/script is a script for /bin/lua, which is not inside"
}

@test "A8.4 what an empty root lacks: said when the program fails for it, brought by name" {
	cd "$STATE/tmp"
	printme_new printme -static
	run strake run --rm --network none ./printme -- /tmp/file
	assert_status 3
	assert_has "note: it spoke of '/tmp', and its root lacks /tmp; --with tmp brings that"
	run strake run --rm --network none ./printme --with tmp -- /tmp/file
	assert_status 0
	run strake run --rm --network none --bare /bin/busybox -- sh -c '/busybox cat /etc/passwd'
	assert_status 1
	assert_has "--with passwd brings that"
	run strake run --rm --network none --with passwd,tmp,resolver,ca-certificates,tzdata --bare /bin/busybox -- \
		sh -c '/busybox head -1 /etc/passwd; /busybox stat -c %a /tmp; /busybox test -s /etc/ssl/certs/ca-certificates.crt &&
			/busybox test -e /usr/share/zoneinfo/UTC && /busybox test -e /etc/resolv.conf && echo all; echo x > /etc/ssl/cert.pem'
	[ -e /etc/ssl/certs/ca-certificates.crt ] && [ -e /usr/share/zoneinfo ] || skip "this host lacks them, too"
	assert_status 1
	assert_equal "$(head -3 <<<"$output")" "$(printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' 1777 all)"
	assert_has "Read-only file system"
	# Words about what is there, or success, are no reason for a note.
	run strake run --rm --network none --with tmp --bare /bin/busybox -- sh -c 'echo /tmp; exit 1'
	assert_equal "$output" /tmp
	run strake run --rm --network none --bare /bin/busybox -- sh -c 'echo /tmp'
	assert_equal "$output" /tmp
	run strake run --rm --with gold --bare /bin/busybox -- true
	assert_status 125
	assert_has "--with knows ca-certificates, tzdata, passwd, tmp, resolver; not 'gold'"
}

@test "A8.6 A8.7 a missing shell is named, and a debug shell looks in from outside without a trace" {
	cd "$STATE/tmp"
	mkdir -p tree/bin
	cp /bin/busybox tree/bin/tail
	cp /bin/busybox tree/bin/ls
	strake run -d --name c --network none --hostname inside ./tree /bin/tail -f /dev/null
	run -127 strake exec c bash
	assert_equal "$output" "strake exec: no bash, sh or busybox inside; 'strake debug c' brings one from outside"
	run -127 strake exec c /bin/none
	before=$(cd "$ROOT" && find containers/*/upper | sort)
	run strake debug c sh -c 'cat /proc/1/comm; hostname; ls $TARGET/bin; echo $$; touch /new 2>/dev/null || echo closed; touch /tmp/open && exit 7'
	assert_status 7
	assert_equal "$(head -3 <<<"$output")" "$(printf '%s\n' tail inside ls)"
	assert_has closed
	python3 "$TOOLS/images.py" layers "$STATE/tmp/tools.tar" none tools:1
	strake load -q -i tools.tar
	run strake debug --image tools:1 c sh -c 'cat /etc/kept; ls $TARGET/bin'
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' second ls tail)"
	run -127 strake debug c no-such-tool
	assert_equal "$(cd "$ROOT" && find containers/*/upper | sort)" "$before"
	assert_equal "$(strake exec c /bin/ls /)" "$(printf '%s\n' bin dev etc proc sys)"
	cp -a tree tree2
	cp /bin/busybox tree2/bin/busybox
	strake run -d --name d --network none ./tree2 /bin/tail -f /dev/null
	run -127 strake exec d bash
	assert_equal "$output" "strake exec: bash is not inside; /bin/busybox is"
}

@test "A8.10 a program for another machine is named as such" {
	cd "$STATE/tmp"
	[ "$(uname -m)" = x86_64 ] || skip "the mark is written for amd64"
	printme_new printme -static
	printf '\xb7\x00' | dd of=printme bs=1 seek=18 conv=notrunc status=none # EM_AARCH64
	mkdir tree
	cp printme tree/armed
	run strake run --rm --network none ./printme
	assert_status 126
	assert_equal "$output" "strake run: ./printme is built for arm64, this host runs amd64"
	run -127 strake run --rm --network none ./tree armed
	run strake run --rm --network none -e PATH=/ ./tree armed
	assert_status 126
	assert_equal "$output" "strake run: /armed is built for arm64, this host runs amd64"
	cp /bin/busybox tree/
	strake run -d --name c --network none ./tree /busybox tail -f /dev/null
	run strake exec c /armed
	assert_status 126
	assert_equal "$output" "strake exec: /armed is built for arm64, this host runs amd64"
}

@test "A7.8 many instances of one root: one copy on disk and in memory, plus what each changed" {
	local i before tree pids=() rss=0 pss=0 number=200 field value
	cd "$STATE/tmp"
	mkdir -p tree/bin
	cp /bin/busybox tree/bin/sh
	dd if=/dev/zero of=tree/big bs=1M count=8 status=none
	tree=$(cd tree && find . -printf '%p %i %s %T@ %C@\n' | sort)
	before=$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')
	for ((i = 0; i < number; i++)); do
		strake run -d --name "c$i" --network none ./tree sh -c 'echo mine > /change; echo 1 >> /big.mine; exec tail -f /dev/null' >/dev/null
	done
	for ((i = 0; i < number; i++)); do pids+=("$(strake inspect -f '{{.State.Pid}}' "c$i")"); done
	# Memory: the program's pages are one copy, which all share.
	for i in "${pids[@]}"; do
		while read -r field value _; do
			case $field in
			Rss:) rss=$((rss + value)) ;;
			Pss_File:) pss=$((pss + value)) ;;
			esac
		done <"/proc/$i/smaps_rollup"
	done
	[ "$pss" -lt $((rss / 4)) ] || { echo "of $rss KiB resident $pss are not shared" && false; }
	# Disk: less than a hundredth of the 10 MB root for each instance.
	value=$((($(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p') - before) / number))
	[ "$value" -lt 102400 ] || { echo "$value bytes an instance" && false; }
	# The base is what it was, to the change time of its inodes.
	assert_equal "$(cd tree && find . -printf '%p %i %s %T@ %C@\n' | sort)" "$tree"
}

@test "A7.9 what an overlay costs is measured: starts and first reads, on a plain directory, one layer and twenty" {
	local build=$STATE/bench program row
	mkdir -p "$build/bench"
	ln -s "$STRAKE_BUILD/src" "$build/src"
	for program in clock floor nothing; do
		cc -O2 -static -D_GNU_SOURCE -o "$build/bench/$program" "$HERE/../../bench/$program.c"
	done
	export STRAKE_BENCH_PRIVATE
	STRAKE_BENCH_PRIVATE=$(mktemp -d /tmp/sb.XXXX)
	run "$HERE/../../bench/run" --smoke "$build" layers
	rmdir "$STRAKE_BENCH_PRIVATE"
	assert_status 0
	# Each with a number, hot and idle.
	for row in strake-runtime "1 layer" "20 layers" reads "reads, 1 layer" "reads, 20 layers"; do
		assert_equal "$(grep -cE "^\|? *$row *\|? +[0-9]+\.[0-9]" <<<"$output") times $row" "2 times $row"
	done
}
