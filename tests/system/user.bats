#!/usr/bin/env bats
# What somebody who knows Docker types in the first hour, and what it says when that is wrong.
bats_require_minimum_version 1.5.0
load lib

image_new() {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar" >/dev/null
}

# refuses WORDS COMMAND...: it fails, with one line that has them.
refuses() {
	run --separate-stderr strake "${@:2}"
	[ "$status" != 0 ]
	[[ $stderr == *"$1"* ]] || { printf 'no "%s" in: %s\n' "$1" "$stderr"; return 1; }
	assert_equal "$(wc -l <<<"$stderr")" 1
}

@test "an image for another platform is not run in silence" {
	image_new
	refuses 'image test:1 is linux/amd64, not linux/arm64' run --rm --network none --platform linux/arm64 test:1 true
	refuses '--platform only makes sense with an image' run --rm --platform linux/arm64 --bare /bin/busybox -- true
	strake run --rm --network none --platform linux/amd64 test:1 true
}

@test "an ordinary user is told what a check wants" {
	short_folder
	mkdir -m 777 "$SHORT/user"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$PROGRAMS/strake" --root "$SHORT/user/a" --run-root "$SHORT/user/b" system check
	assert_status 1
	assert_equal "${#lines[@]}" 1
	assert_has "strake system check: needs root, to see links, rules and namespaces"
}

@test "slips of the keyboard are answered with what was meant" {
	refuses "did you mean 'run'?" rn
	refuses "'strake --help' lists them" rn
	refuses "did you mean --help?); 'strake run --help' lists them" run --hepl
	refuses "did you mean 'inspect'?" network inspct bridge
	refuses "'strake ps --help' lists them" ps -Z
}

@test "options that cannot be meant are refused by name" {
	rootfs_new "$STATE/fs"
	r() { run strake run --rm --network none "$@"; }
	refuses "user '999999999999': a number is 0 to 42949672" run --rm -u 999999999999 --rootfs "$STATE/fs" true
	refuses "user '-1': a number is 0 to 42949672" run --rm -u -1 --rootfs "$STATE/fs" true
	refuses "group '-1': a number" run --rm -u 1:-1 --rootfs "$STATE/fs" true
	refuses "user 'nobody4' is not in the container's /etc/passwd" run --rm -u nobody4 --rootfs "$STATE/fs" true
	refuses "--cpus 1000: this machine has $(nproc --all)" run --rm --cpus 1000 --rootfs "$STATE/fs" true
	refuses "--stop-timeout wants seconds, or -1 for ever, not '-5'" run --rm --stop-timeout -5 --rootfs "$STATE/fs" true
	refuses "--label '': expected NAME=VALUE" run --rm -l '' --rootfs "$STATE/fs" true
	refuses "/etc is a directory" run --rm --network none --entrypoint /etc --rootfs "$STATE/fs"
	refuses "the input device is not a TTY" run --rm -it --network none --rootfs "$STATE/fs" true </dev/null
	[ -z "$(strake ps -aq)" ]
}

@test "load names the file once, and what it is not" {
	refuses "strake load: /nosuch: No such file or directory" load -i /nosuch
	refuses "strake load: /etc/passwd: not a tar archive" load -i /etc/passwd
	run --separate-stderr strake load </etc/passwd
	[[ $stderr == "strake load: standard input: not a tar archive"* ]]
}

@test "a layout whose blob is something else: what, and which" {
	local digest make expect
	digest=$(printf 'a%.0s' {1..64})
	mkdir -p "$STATE/layout/blobs/sha256"
	echo '{"imageLayoutVersion": "1.0.0"}' >"$STATE/layout/oci-layout"
	printf '{"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:%s", "size": 3}]}' \
		"$digest" >"$STATE/layout/index.json"
	while IFS='|' read -r make expect; do
		$make "$STATE/layout/blobs/sha256/$digest"
		refuses "blobs/sha256/$digest $expect" load -i "$STATE/layout"
		rm -r "$STATE/layout/blobs/sha256/$digest"
	done <<-'CASES'
		ln -s /etc/passwd|is a link that leads out of the directory
		mkfifo|is no regular file
		mkdir|is no regular file
	CASES
	refuses "blobs/sha256/$digest in the directory: No such file or directory" load -i "$STATE/layout"
}

@test "--privileged takes --cap-drop ALL at its word" {
	run strake run --rm --network none --privileged --cap-drop ALL --bare /bin/busybox -- grep -E 'Cap(Eff|Bnd)' /proc/self/status
	assert_equal "$(tr -d '\n\t ' <<<"$output")" CapEff:0000000000000000CapBnd:0000000000000000
	run strake run --rm --network none --privileged --cap-drop ALL --cap-add CHOWN --bare /bin/busybox -- grep CapEff /proc/self/status
	assert_has 0000000000000001
}

@test "logs keep the order of both streams in one file" {
	strake run --name a --network none --bare /bin/busybox -- sh -c 'for i in 1 2 3 4 5 6; do echo out $i; echo err $i >&2; done' >/dev/null 2>&1
	strake logs a >"$STATE/both" 2>&1
	assert_equal "$(tr '\n' ' ' <"$STATE/both")" "$(strake logs -t a 2>&1 | sort | cut -d' ' -f2- | tr '\n' ' ')"
	[ "$(grep -c . "$STATE/both")" = 12 ]
	strake logs -f -t a >"$STATE/both" 2>&1
	sort -c "$STATE/both"
}

@test "flags take values behind a letter; version is a word and two options" {
	run strake run -d=true --rm=false --name=a --network none --bare /bin/busybox -- true
	assert_status 0
	strake wait a
	strake ps -aq --filter name=a | grep -q .
	for words in version --version -v; do
		run strake $words
		assert_status 0
		assert_has "strake version"
	done
	run strake ps --help
	assert_has $'Usage: strake ps [OPTIONS]\n'
	run strake stop --help
	assert_has $'Usage: strake stop [OPTIONS] CONTAINER...\n'
}

@test "ps shows those that filters, -n and -l choose, with the command in quotes" {
	image_new
	strake run -d --name one --network none -l tier=web -l plain test:1 tail -f /dev/null
	strake run --name two --network none --bare /bin/busybox -- sh -c 'exit 3' || true
	names() { strake ps --format '{{.Name}}' "$@" | sort | tr '\n' ' '; }
	assert_equal "$(names)" "one "
	assert_equal "$(names -a)" "one two "
	assert_equal "$(names -l)" "two "
	assert_equal "$(names -n 1)" "two "
	assert_equal "$(names -n 5)" "one two "
	assert_equal "$(names --filter status=exited)" "two "
	assert_equal "$(names -a -f exited=3 -f name=two)" "two "
	assert_equal "$(names -f label=tier=web)" "one "
	assert_equal "$(names -a -f ancestor=test:1)" "one "
	assert_equal "$(names -a -f network=none -f name=o)" "one two "
	assert_equal "$(strake ps -q --filter name=one)" "$(strake ps -q)"
	refuses "--filter 'colour=red': expected name=" ps --filter colour=red
	run strake ps
	assert_has '"tail -f /dev/null"'
}

@test "stop --time 0 kills at once" {
	strake run -d --name deaf --network none --stop-timeout 300 --bare /bin/busybox -- sleep 1000
	strake stop --time 0 deaf
	assert_equal "$(strake inspect -f '{{.State.ExitCode}}' deaf)" 137
}

@test "inspect has labels as a map, mounts as Docker lists them, and fits a few screens" {
	mkdir "$STATE/data"
	cd "$STATE"
	strake run -d --name a --network none -l tier=web -l plain -v ./data:/data:ro -v named:/named -e A=b --bare /bin/busybox -- sleep 1000
	assert_equal "$(strake inspect a | jq -c '.[0].Labels, .[0].Config.Labels')" $'{"tier":"web","plain":""}\n{"tier":"web","plain":""}'
	assert_equal "$(strake inspect a | jq -c '.[0].Mounts[] | [.Type, .Name, .Source, .Destination, .RW]')" \
		"[\"bind\",null,\"$STATE/data\",\"/data\",false]
[\"volume\",\"named\",\"$ROOT/volumes/named/_data\",\"/named\",true]"
	strake inspect -f '{{json .Config.Env}}' a | grep -q '"A=b"'
	[ "$(strake inspect a | wc -l)" -lt 500 ]
	jq -e '.linux.seccomp.syscalls | length > 0' "$(strake inspect -f '{{.BundlePath}}' a)/config.json"
}

@test "a number as the user works whatever the container made of its accounts" {
	rootfs_new "$STATE/fs"
	strake run -d --name a --network none --rootfs "$STATE/fs" sleep 1000
	strake exec a truncate -s 5M /etc/passwd
	assert_equal "$(strake exec -u 0 a id -u) $(strake exec -u 5:6 a id -u)" "0 5"
	run strake exec -u www a id -u
	assert_status 125
	truncate -s 5M "$STATE/fs/etc/passwd"
	assert_equal "$(strake run --rm --network none -u 7 --rootfs "$STATE/fs" id -u)" 7
}

@test "errors are told by the words that were typed, once" {
	for words in "image rm" "rmi" "image check" "manifest add x" "network rm"; do
		# shellcheck disable=SC2086
		run --separate-stderr strake $words nope
		assert_status 1
		assert_equal "${stderr%%:*}" "strake ${words% x}"
		[[ $stderr != *$'\n'* ]]
	done
}

@test "a template is refused for its form, with no rows too; lists and names are as people expect" {
	for template in '{{range .Ports}}x' '{{.Names'; do
		run strake ps --format "$template"
		assert_status 1
		run strake images --format "$template"
		assert_status 1
	done
	rootfs_new "$STATE/fs"
	strake run --name a --network none -l "x=$(printf 'a\033[31mb')" --rootfs "$STATE/fs" sh -c 'echo >"/tmp/$(printf "a\033\nb")"'
	run strake inspect -f '{{.State' a
	assert_status 1
	assert_has 'not closed'
	assert_equal "$(strake inspect -f '{{.Config.Cmd}}' a | cut -c 1-7)" "[sh -c "
	strake diff a | grep -F 'A /tmp/a??b'
	run strake ps -a --format '{{.Labels}}'
	[[ $output != *$'\033'* ]]
}

@test "--entrypoint takes a JSON list" {
	rootfs_new "$STATE/fs"
	assert_equal "$(strake run --rm --network none --entrypoint '["/bin/busybox", "echo"]' --rootfs "$STATE/fs" a b)" "a b"
	run strake run --rm --network none --entrypoint '["/bin/busybox"' --rootfs "$STATE/fs" a
	assert_status 125
	assert_has "--entrypoint '[\"/bin/busybox\"'"
}

@test "a file for the ID that cannot be made, and a name that is taken, name what was given" {
	run strake run --rm --network none --cidfile /no/such/x --bare /bin/busybox -- true
	assert_status 125
	assert_has /no/such/x:
	assert_equal "$(strake ps -aq)" ""
	strake run -d --name a --network none --bare /bin/busybox -- sleep 1000
	run strake run --rm --name a --network none --bare /bin/busybox -- true
	assert_has "'strake rm -f a'"
}

@test "ps -a shows ports of what runs, not of what has ended" {
	strake run -d --name a -p 8080:80 --bare /bin/busybox -- httpd -f
	assert_equal "$(strake ps -a --format '{{.Ports}}')" "0.0.0.0:8080->80/tcp"
	strake stop -t 0 a
	run strake ps -a
	assert_lacks 8080
	assert_equal "$(strake ps -a --format json | jq -c .Ports)" "[]"
	strake rm a
}

@test "a mistyped root is said, and not made, by what only looks" {
	for command in "ps -a" images "inspect x" "network ls" "system check" "system df" "logs x" "rm x" "image check" "save x"; do
		# shellcheck disable=SC2086
		run "$PROGRAMS/strake" --root "$STATE/no/such/r" --run-root "$RUN" $command
		assert_status 1
		assert_equal "${#lines[@]}" 1
		assert_has "no state at --root $STATE/no/such/r: there is no $STATE/no/such"
		[ ! -e "$STATE/no" ]
	done
	# The last part alone may be new, also of a relative one, and what makes something makes all.
	assert_equal "$("$PROGRAMS/strake" --root "$STATE/new" --run-root "$RUN" ps -q)" ""
	(cd "$STATE" && "$PROGRAMS/strake" --root new2/ --run-root "$RUN" ps -q && "$PROGRAMS/strake" --root new3 --run-root "$RUN" ps -q)
	"$PROGRAMS/strake" --root "$STATE/a/b/c" --run-root "$RUN" run --rm --network none --bare /bin/busybox -- true
}

@test "a FIFO in the place of a container's files hangs nothing" {
	quick() { timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@"; }
	for file in container.json config.json; do
		id=$(strake run -d --name a --network none --bare /bin/busybox -- sleep 1000)
		rm "$ROOT/containers/$id/$file"
		mkfifo "$ROOT/containers/$id/$file"
		run quick exec a /busybox true
		assert_status 125
		assert_has "$file is not a regular file"
		run quick inspect a
		[ "$status" != 124 ]
		run --separate-stderr quick ps --format '{{.Name}}'
		assert_equal "$status $output" "0 a"
		quick stop -t 0 a
		quick rm a
		assert_equal "$(strake ps -aq)" ""
	done
	# What the user names may be one.
	run strake run --rm --network none --security-opt seccomp=<(echo '{"defaultAction": "SCMP_ACT_ALLOW"}') --bare /bin/busybox -- echo ok
	assert_equal "$output" ok
}

@test "an ordinary user who loads an image is told that it takes root" {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	place=$(mktemp -d "${TMPDIR:-/tmp}/strake-user.XXXXXX") # where any user gets to
	chmod 777 "$place"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$PROGRAMS/strake" --root "$place/root" --run-root "$place/run" \
		load -i - <"$STATE/tmp/image.tar"
	rm -rf "$place"
	assert_status 1
	assert_has "only root may keep owners"
}
