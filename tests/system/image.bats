#!/usr/bin/env bats
# Images: archives of every kind in, whiteouts, config, removal; and what a hostile archive tries.
# shellcheck disable=SC2002,SC2010,SC2012,SC2016,SC2119,SC2120 # cat makes a pipe of a file; what containers expand; names are IDs; "none" is the default
bats_require_minimum_version 1.5.0
load lib

# One image of three layers: base, a change, and a removal; as docker-archive $STATE/tmp/image.tar.
image_new() { # COMPRESSION
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar" "${1:-none}"
}
fresh_root() { ROOT=$STATE/root-$1; mkdir "$ROOT"; }

# bats test_tags=vm
@test "docker-archive: three layers, whiteouts and an opaque directory, as podman and skopeo understand them" {
	image_new
	run strake load -i "$STATE/tmp/image.tar"
	assert_status 0
	assert_equal "$output" "Loaded image: test:1"
	run strake run --rm --network none test:1 sh -c 'cat /etc/kept; ls /gone /opaque /dir 2>&1; stat -c "%a %u:%g" /bin/suid /dir; readlink /link; cat /hard'
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' 'second' 'ls: /gone: No such file or directory' '/dir:' 'new' '' '/opaque:' 'only' \
		'4755 0:0' '750 7:8' '../etc/kept' 'hard')"
}

@test "gzip, zstd, standard input, OCI archive and layout (by skopeo): the same image each time" {
	local id
	image_new
	id=$(strake load -q -i "$STATE/tmp/image.tar")
	[ ${#id} = 64 ]
	fresh_root gz
	gzip -k "$STATE/tmp/image.tar"
	assert_equal "$(strake load -q -i "$STATE/tmp/image.tar.gz")" "$id"
	fresh_root zst
	zstd -q -k "$STATE/tmp/image.tar"
	assert_equal "$(strake load -q <"$STATE/tmp/image.tar.zst")" "$id"
	need_command skopeo
	skopeo --insecure-policy copy -q "docker-archive:$STATE/tmp/image.tar" "oci:$STATE/tmp/layout:docker.io/library/test:2"
	fresh_root layout
	id=$(strake load -q -i "$STATE/tmp/layout")
	run strake run --rm --network none test:2 cat /etc/kept
	assert_equal "$output" second
	tar -C "$STATE/tmp/layout" -cf "$STATE/tmp/oci.tar" .
	fresh_root oci
	assert_equal "$(strake load -q -i "$STATE/tmp/oci.tar")" "$id"
	skopeo --insecure-policy copy -q --dest-compress-format zstd "docker-archive:$STATE/tmp/image.tar" "oci:$STATE/tmp/zlayout:docker.io/library/test:3"
	fresh_root zlayout
	strake load -q -i "$STATE/tmp/zlayout"
	run strake run --rm --network none test:3 cat /etc/kept
	assert_equal "$output" second
}

@test "the unpacked root is what podman unpacks" {
	need_command podman
	short_folder
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	podman load -q -i "$STATE/tmp/image.tar"
	local theirs ours=$STATE/ours
	theirs=$(podman image mount docker.io/library/test:1 2>/dev/null || podman image mount localhost/test:1)
	mkdir "$ours"
	lower=$(strake image inspect -f '{{.GraphDriver.Data.LowerDir}}' test:1)
	mount -t overlay overlay -o "lowerdir=$lower" "$ours"
	# Not compared: times of directories and the mode of the root, where podman does not say what the layers say.
	list() {
		(cd "$1" && find . -mindepth 1 ! -path './etc/hosts' \( -type d -printf '%p d %m %U:%G\n' \
			-o -printf '%p %y %m %U:%G %l %T@\n' \) | sort | sed 's/0*$//')
	}
	diff <(list "$theirs") <(list "$ours")
	umount "$ours"
	podman image umount -a >/dev/null
}

@test "the config is honoured: entrypoint, command, environment, user, directory, stop signal; volumes are noted" {
	python3 "$TOOLS/images.py" config "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar"
	run strake run --rm --network none cfg
	assert_equal "$output" "entry cmd1 cmd2 from-image 33 /var/www"
	run strake run --rm --network none cfg other
	assert_equal "$output" "entry other from-image 33 /var/www"
	run strake run --rm --network none --entrypoint /bin/echo cfg hi
	assert_equal "$output" hi
	run strake run --rm --network none -e FROM=me -u 0 -w / cfg x
	assert_equal "$output" "entry x me 0 /"
	run strake image inspect cfg
	assert_has '"/data"'
	strake run -d --network none --name s --entrypoint sh cfg -c 'trap "exit 9" USR2; while :; do read -t 1 x < /dev/zero; done'
	assert_equal "$(strake inspect -f '{{.StopSignal}}' s)" SIGUSR2
}

@test "images and rmi: names, IDs, in use, shared layers" {
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	python3 "$TOOLS/images.py" layers "$STATE/tmp/b.tar" none other:latest
	strake load -q -i "$STATE/tmp/b.tar"
	run strake images
	assert_has test
	assert_has other
	assert_equal "$(ls "$ROOT/layers" | wc -l)" 3
	strake run -d --network none --name user test:1 tail -f /dev/null
	run strake rmi other
	assert_status 0
	assert_has "Untagged: other:latest"
	run strake rmi test:1
	assert_status 1
	assert_has "used by container user"
	strake rm -f user
	run strake rmi test:1
	assert_status 0
	assert_has "Deleted: sha256:"
	assert_equal "$(ls -A "$ROOT/layers" "$ROOT/blobs/sha256" "$ROOT/tmp" | grep -v : | tr -d '\n')" ""
	run strake run --rm --pull never test:1
	assert_status 125
	assert_has "no image 'test:1'"
	run strake rmi Nope
	assert_status 1
}

@test "zstd:chunked and eStargz: read as the zstd and gzip that they are, and sent on byte by byte" {
	local kind want
	need_command skopeo zstd
	for kind in zstd-chunked estargz; do
		fresh_root "$kind"
		rm -rf "$STATE/tmp/out"
		python3 "$TOOLS/images.py" chunked "$STATE/tmp/$kind" "$kind"
		want=$(skopeo inspect --raw "oci:$STATE/tmp/$kind:1" | sha256sum)
		strake copy -q "oci:$STATE/tmp/$kind:1" store:c:1
		run strake run --rm --network none c:1 cat /etc/kept
		assert_equal "$output" chunked
		run strake image check c:1
		assert_status 0
		strake copy -q store:c:1 "oci:$STATE/tmp/out:1"
		assert_equal "$(skopeo inspect --raw "oci:$STATE/tmp/out:1" | sha256sum)" "$want"
		# What others make of it.
		skopeo --insecure-policy copy -q "oci:$STATE/tmp/out:1" "dir:$STATE/tmp/dir-$kind"
		fresh_root "$kind-loaded"
		strake load -q -i "$STATE/tmp/$kind"
	done
}

@test "a full disk: the file system and what helps are named, nothing is left" {
	python3 "$TOOLS/images.py" big "$STATE/tmp/big.tar"
	mkdir "$STATE/small"
	mount -t tmpfs -o size=40m small "$STATE/small"
	ROOT=$STATE/small/root
	strake images
	run strake load -i "$STATE/tmp/big.tar"
	assert_status 1
	assert_equal "${#lines[@]}" 1
	assert_has "No space left on device; the file system of $ROOT (tmpfs at $STATE/small) has"
	assert_has "'strake image prune --all' or 'strake rm' makes room, --root DIR names another place"
	[[ $output != *"layer 1 of 1: layer 1"* ]]
	assert_equal "$(find "$ROOT/layers" "$ROOT/tmp" "$ROOT/blobs" -mindepth 1 ! -path "$ROOT/blobs/sha256")" ""
	run strake system check
	assert_status 0
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1
	strake run --name c --network none base:1 sh -c 'dd if=/dev/urandom of=/half bs=1M count=20' || true
	run strake commit c new:1
	[ "$status" = 0 ] || assert_has "'strake image prune --all'"
	strake rm -f c
	umount -l "$STATE/small"
	ROOT=$STATE/root
}

@test "memory does not grow with layers: 600 MB in, out, pushed and pulled in 64 MB" {
	need_command docker-registry
	peak() { # COMMAND...: its largest process, in KiB, and its children's; exec has forgotten what was before
		python3 -c 'import os, resource, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss if status == 0 else 1 << 30)' "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@"
	}
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	printf '%s\n' 'version: 0.1' 'log: {level: error, accesslog: {disabled: true}}' "storage: {filesystem: {rootdirectory: $STATE/registry}}" \
		'http: {addr: 127.0.0.1:5000, secret: test}' >"$STATE/registry.yml"
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
	python3 "$TOOLS/images.py" zeros "$STATE/tmp/zeros.tar" 600
	local step kib sanitized=$((${#ASAN_OPTIONS} > 0))
	for step in "load -q -i $STATE/tmp/zeros.tar" "push -q zeros:1 127.0.0.1:5000/zeros:1" "save --format oci-archive --compression zstd -o $STATE/tmp/out.tar zeros:1" \
		"rmi zeros:1" "pull -q 127.0.0.1:5000/zeros:1"; do
		# shellcheck disable=SC2086 # words
		kib=$(peak $step)
		# A sanitizer's own memory is many times that.
		[ "$kib" -lt $((sanitized ? 1 << 29 : 65536)) ] || { echo "$step: $kib KiB"; false; }
	done
}

@test "what can stream is kept once: in a store with room for one and a half layers" {
	local id way layer digest
	python3 "$TOOLS/images.py" zeros "$STATE/tmp/zeros.tar" 60
	id=$(strake load -q -i "$STATE/tmp/zeros.tar")
	strake save -o "$STATE/tmp/plain.tar" zeros:1
	strake save --format oci-dir --compression none -o "$STATE/tmp/layout" zeros:1
	digest=$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")
	mkdir "$STATE/small" "$STATE/tmp/out"
	mount -t tmpfs -o size=90m small "$STATE/small"
	ROOT=$STATE/small/root
	kept_once() {
		assert_equal "$(find "$ROOT/layers" -name frame | wc -l)" 1
		[ "$(find "$ROOT/blobs" -type f -size +100k | wc -l)" = 0 ]
		mount -o remount,size=200m "$STATE/small" # it unpacks again and compares
		run strake image check
		assert_equal "$output" "nothing is wrong"
		mount -o remount,size=90m "$STATE/small"
		assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	}
	# Whatever comes through a pipe cannot be read twice; what it is comes last.
	for way in cat "gzip -1c" "zstd -qc"; do
		assert_equal "$($way "$STATE/tmp/plain.tar" | strake load -q)" "$id"
		kept_once
		strake image prune -fa
	done
	# A plain layer of a layout is one, too, and goes out with the manifest that it came with.
	assert_equal "$(strake load -q -i "$STATE/tmp/layout")" "$id"
	kept_once
	assert_equal "$(strake load -q -i "$STATE/tmp/layout")" "$id" # it is there
	kept_once
	strake save --format oci-dir --compression none -o "$STATE/tmp/out/a" zeros:1
	[ -f "$STATE/tmp/out/a/blobs/sha256/$digest" ]
	diff -r "$STATE/tmp/layout/blobs" "$STATE/tmp/out/a/blobs"
	rm -f "$ROOT"/state.db*
	strake system check --repair >/dev/null || true
	strake copy -q "store:$id" "oci:$STATE/tmp/out/b:1"
	diff -r "$STATE/tmp/layout/blobs" "$STATE/tmp/out/b/blobs"
	strake image prune -fa
	tar -C "$STATE/tmp/layout" -cf "$STATE/tmp/layout.tar" .
	assert_equal "$(gzip -1c "$STATE/tmp/layout.tar" | strake load -q)" "$id"
	kept_once
	strake image prune -fa
	# An import has no manifest.
	layer=$(tar -xOf "$STATE/tmp/plain.tar" manifest.json | jq -r '.[0].Layers[0]')
	tar -xOf "$STATE/tmp/plain.tar" "$layer" | strake import - mine:1
	kept_once
	strake save -o "$STATE/tmp/out/mine.tar" mine:1
	cmp <(tar -xOf "$STATE/tmp/plain.tar" "$layer") <(tar -xOf "$STATE/tmp/out/mine.tar" "$layer")
	umount -l "$STATE/small"
	ROOT=$STATE/root
}

@test "a layer that cannot stream comes through a pipe all the same" {
	local id name
	trees() { (cd "$1" && find layers -path '*/diff/*' \( -type c -printf '%p %M\n' -o -printf '%p %M %n %U:%G %s %T@ %l\n' \) | sort); }
	# Hard links and directories of layers below, one name twice, a layer that two images have in another order.
	python3 "$TOOLS/images.py" twice "$STATE/tmp/twice.tar"
	python3 "$TOOLS/images.py" stack "$STATE/tmp"
	python3 "$TOOLS/images.py" layers "$STATE/tmp/layers.tar"
	python3 "$TOOLS/images.py" links "$STATE/tmp/links.tar"
	for name in twice layers links base app; do
		fresh_root "file-$name"
		id=$(strake load -q -i "$STATE/tmp/$name.tar")
		strake save -o "$STATE/tmp/file.tar" "$(head -n 1 <<<"$id")"
		fresh_root "pipe-$name"
		assert_equal "$(cat "$STATE/tmp/$name.tar" | strake load -q)" "$id"
		run strake image check
		assert_equal "$output" "nothing is wrong"
		strake save -o "$STATE/tmp/pipe.tar" "$(head -n 1 <<<"$id")"
		cmp "$STATE/tmp/file.tar" "$STATE/tmp/pipe.tar"
		assert_equal "$(trees "$ROOT")" "$(trees "$STATE/root-file-$name")"
		run strake system check
		assert_status 0
	done
}

@test "hostile archives: one line each, nothing outside, nothing left" {
	local case cases before
	cases=$(python3 "$TOOLS/images.py" list)
	[ "$(wc -w <<<"$cases")" -gt 70 ]
	echo untouched >"$STATE/victim"
	strake images
	before=$(cd "$ROOT" && find . ! -name 'state.db*' | sort)
	mkdir "$STATE/tmp/evil"
	python3 "$TOOLS/images.py" hostile "$STATE/tmp/evil" "$STATE/victim"
	# As a file, and through a pipe, where layers are unpacked before it is known what they are.
	load_from() { if [ "$1" = file ]; then timeout 60 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" load -i "$2"; else cat "$2" | timeout 60 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" load; fi; }
	for case in $cases; do
	for from in file pipe; do
		run load_from $from "$STATE/tmp/evil/$case.tar"
		case $case in
		ok-*) [ "$status" = 0 ] || { echo "$case: $output"; false; } ;;
		*)
			[ "$status" = 1 ] || { echo "$case: status $status: $output"; false; }
			[ "${#lines[@]}" = 1 ] || { echo "$case: $output"; false; }
			[[ $output == "strake load: "* ]] || { echo "$case: $output"; false; }
			;;
		esac
		assert_equal "$(cat "$STATE/victim")" untouched
		[ ! -e "$STATE/escaped" ]
		[ "$status" != 0 ] || strake images -q | xargs -r "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rmi -f >/dev/null
		assert_equal "$(cd "$ROOT" && find . ! -name 'state.db*' ! -name events ! -path ./layers ! -path ./images ! -path ./tmp ! -path './blobs*' | sort)" \
			"$(grep -v -e '^./layers$' -e '^./tmp$' -e '^./blobs' <<<"$before")"
	done
	done
	run strake system check
	assert_status 0
}

@test "a killed load leaves nothing visible, and check finds the rest" {
	image_new
	python3 "$TOOLS/images.py" big "$STATE/tmp/big.tar"
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" load -i "$STATE/tmp/big.tar"
	local pid=$!
	soon eval 'ls "$ROOT"/tmp/*/* >/dev/null 2>&1'
	kill -KILL "$pid"
	wait "$pid" || true
	assert_equal "$(strake images -q)" ""
	strake system check --repair
	run strake system check
	assert_status 0
	assert_equal "$(ls -A "$ROOT/tmp")" ""
}
