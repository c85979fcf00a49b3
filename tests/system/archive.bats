#!/usr/bin/env bats
# Images out and in again: save, load, import, export; by us, skopeo, podman and umoci, with the same digests.
# shellcheck disable=SC2016,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

fresh_root() { ROOT=$STATE/root-$1; mkdir -p "$ROOT"; }
copy() { skopeo --insecure-policy copy -q "$@"; }
digest() { skopeo inspect --raw "$1" | sha256sum | cut -d' ' -f1; }
image_new() { python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar" "${1:-none}"; }

@test "save and load in each form: the same image" {
	local id format
	image_new
	id=$(strake load -q -i "$STATE/tmp/image.tar")
	for format in docker-archive oci-archive oci-dir docker-dir; do
		for compression in "" gzip zstd none; do
			[ "$format$compression" != docker-archivegzip ] || continue
			rm -rf "$STATE/tmp/out"
			ROOT=$STATE/root strake save --format "$format" ${compression:+--compression=$compression} -o "$STATE/tmp/out" test:1
			fresh_root "$format-$compression"
			assert_equal "$(strake load -q -i "$STATE/tmp/out")" "$id"
			run strake system check
			assert_status 0
		done
	done
	ROOT=$STATE/root
	assert_equal "$(strake save test:1 | tee "$STATE/tmp/piped.tar" | tar -tf - | grep -c .)" 5
	fresh_root piped
	assert_equal "$(strake load -q <"$STATE/tmp/piped.tar")" "$id"
	run strake run --rm --network none test:1 cat /etc/kept
	assert_equal "$output" second
}

@test "what came in goes out byte by byte: the manifest's digest, through skopeo and back" {
	need_command skopeo
	image_new
	local want compression
	for compression in gzip zstd; do
		fresh_root "$compression"
		rm -rf "$STATE/tmp/layout" "$STATE/tmp/again" "$STATE/tmp/theirs"
		copy --dest-compress-format "$compression" "docker-archive:$STATE/tmp/image.tar" "oci:$STATE/tmp/layout:docker.io/library/test:1"
		want=$(digest "oci:$STATE/tmp/layout:docker.io/library/test:1")
		strake load -q -i "$STATE/tmp/layout"
		strake save --format oci-dir -o "$STATE/tmp/again" test:1
		assert_equal "$(digest "oci:$STATE/tmp/again:docker.io/library/test:1")" "$want"
		strake save --format oci-archive -o "$STATE/tmp/again.tar" test:1
		assert_equal "$(digest "oci-archive:$STATE/tmp/again.tar")" "$want"
		copy "oci:$STATE/tmp/again:docker.io/library/test:1" "oci:$STATE/tmp/theirs:docker.io/library/test:1"
		assert_equal "$(digest "oci:$STATE/tmp/theirs:docker.io/library/test:1")" "$want"
		strake save --format docker-dir -o "$STATE/tmp/dir-$compression" test:1
		assert_equal "$(sha256sum <"$STATE/tmp/dir-$compression/manifest.json" | cut -d' ' -f1)" "$want"
	done
}

@test "podman loads what save writes, and umoci unpacks it; the image has the same ID" {
	need_command podman umoci
	short_folder
	image_new
	local id format
	id=$(strake load -q -i "$STATE/tmp/image.tar")
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	for format in docker-archive oci-archive; do
		strake save --format "$format" -o "$STATE/tmp/$format.tar" test:1
		podman load -q -i "$STATE/tmp/$format.tar"
		assert_equal "$(podman images --no-trunc --format '{{.Id}}')" "$id"
		podman rmi -f "$id" >/dev/null
	done
	strake save --format oci-dir --compression gzip -o "$STATE/tmp/layout" test:1
	umoci unpack --image "$STATE/tmp/layout:docker.io/library/test:1" "$STATE/tmp/bundle"
	assert_equal "$(cat "$STATE/tmp/bundle/rootfs/etc/kept")" second
	[ ! -e "$STATE/tmp/bundle/rootfs/gone" ]
	# And the other way round.
	podman load -q -i "$STATE/tmp/docker-archive.tar"
	podman save -q --format docker-archive -o "$STATE/tmp/theirs.tar" "$id"
	fresh_root theirs
	assert_equal "$(strake load -q -i "$STATE/tmp/theirs.tar")" "$id"
}

@test "several images in one archive, shared layers once" {
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	python3 "$TOOLS/images.py" config "$STATE/tmp/b.tar"
	strake load -q -i "$STATE/tmp/b.tar"
	local format
	for format in docker-archive oci-archive; do
		ROOT=$STATE/root strake save --format "$format" -o "$STATE/tmp/both.tar" test:1 cfg
		assert_equal "$(tar -tf "$STATE/tmp/both.tar" | sort | uniq -d)" ""
		fresh_root "$format"
		run strake load -i "$STATE/tmp/both.tar"
		assert_has "Loaded image: test:1"
		assert_has "Loaded image: cfg:latest"
	done
}

@test "save leaves nothing half done, and says what it will not do" {
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	run strake save -o "$STATE/tmp/none.tar" nope
	assert_status 1
	assert_has "no image 'nope'"
	[ ! -e "$STATE/tmp/none.tar" ]
	mkdir "$STATE/tmp/full"
	touch "$STATE/tmp/full/x"
	run strake save --format oci-dir -o "$STATE/tmp/full" test:1
	assert_status 1
	assert_has "is not empty"
	run strake save --format tar -o "$STATE/tmp/x" test:1
	assert_has "--format is docker-archive"
	[ -z "$(find "$STATE/tmp" -name '*.tmp')" ]
	run strake save -o /nosuch/x.tar test:1
	assert_status 1
	[[ $output == *"create /nosuch/x.tar: No such file or directory" ]]
	run strake save -o '' test:1
	assert_has "--output wants the name of a file, not ''"
	run strake load -i ''
	assert_has "--input wants the name of a file or directory, not ''"
	# A damaged file is not passed on.
	printf X | dd of="$(find "$ROOT/layers" -path '*/diff/*' -type f -size +100k | head -n 1)" bs=1 seek=70000 conv=notrunc status=none
	run strake save -o "$STATE/tmp/bad.tar" test:1
	assert_status 1
	assert_has "is damaged"
	[ ! -e "$STATE/tmp/bad.tar" ]
}

@test "import: an archive, a compressed one, a directory, with changes of the config; and export gives it back" {
	rootfs_new "$STATE/tree"
	tar -C "$STATE/tree" -cf "$STATE/tmp/tree.tar" .
	strake import -c 'ENTRYPOINT ["/bin/sh", "-c"]' -c 'CMD ["echo hello $A"]' -c 'ENV A="b c"' -c 'WORKDIR /tmp' -m 'from a tree' "$STATE/tmp/tree.tar" mine:1
	run strake run --rm --network none mine:1
	assert_equal "$output" "hello b c"
	gzip -k "$STATE/tmp/tree.tar"
	strake import - mine:2 <"$STATE/tmp/tree.tar.gz"
	strake import "$STATE/tree" mine:3
	local i
	for i in 1 2 3; do
		strake run --name "c$i" --network none --entrypoint /bin/true "mine:$i" || true
		strake export "c$i" >"$STATE/tmp/export$i.tar"
		mkdir "$STATE/tmp/e$i"
		tar -C "$STATE/tmp/e$i" -xf "$STATE/tmp/export$i.tar"
		diff -r --no-dereference "$STATE/tree" "$STATE/tmp/e$i" -x dev -x proc -x sys -x hosts -x hostname -x resolv.conf
	done
	run strake import "$STATE/tmp/tree.tar" -c 'FROM x' bad
	assert_status 1
	assert_has "is none of CMD"
	run strake import "$STATE/tmp/none" bad
	assert_status 1
	assert_equal "${#lines[@]}" 1
}

@test "SOURCE_DATE_EPOCH: the same tree is the same image, whenever" {
	rootfs_new "$STATE/tree"
	export SOURCE_DATE_EPOCH=1500000000
	local a b
	a=$(strake import "$STATE/tree" mine:1)
	fresh_root other
	touch "$STATE/tree/etc/passwd"
	b=$(strake import "$STATE/tree" mine:1)
	assert_equal "$a" "$b"
	strake save -o "$STATE/tmp/a.tar" mine:1
	strake save --format oci-archive --compression gzip -o "$STATE/tmp/g1.tar" mine:1
	fresh_root third
	strake load -q -i "$STATE/tmp/a.tar"
	taskset -c 0 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" save --format oci-archive --compression gzip -o "$STATE/tmp/g2.tar" mine:1
	cmp "$STATE/tmp/g1.tar" "$STATE/tmp/g2.tar"
}

@test "a packed archive that was cut says so, wherever" {
	image_new
	for size in 40 300 2000; do
		gzip -c "$STATE/tmp/image.tar" | head -c "$size" >"$STATE/tmp/cut.tar.gz"
		run strake load -i "$STATE/tmp/cut.tar.gz"
		assert_status 1
		[[ $output != *"not a tar archive"* && $output == *"too early"* ]] || { echo "$size: $output"; false; }
		zstd -qc "$STATE/tmp/image.tar" | head -c "$size" >"$STATE/tmp/cut.tar.zst"
		run strake load -i "$STATE/tmp/cut.tar.zst"
		assert_status 1
		[[ $output != *"not a tar archive"* && $output == *"too early"* ]] || { echo "$size: $output"; false; }
	done
	head -c 5000 /dev/urandom >"$STATE/tmp/noise"
	run strake load -i "$STATE/tmp/noise"
	assert_has "not a tar archive"
}

@test "tag, commit, save and export tell their steps; a dry tag is a script that tags nothing" {
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	strake run --name c --network none test:1 sh -c 'echo >/new'
	told() { # COMMAND WORD...
		run --separate-stderr eval "strake --explain $1 >/dev/null"
		assert_status 0
		shift
		for word; do
			[[ $stderr == *"$word"* ]] || { echo "no '$word' in: $stderr"; return 1; }
		done
	}
	told "tag test:1 two:1" "one transaction in $ROOT/state.db" two:1
	told "commit c three:1" "tar -cC" .wh.NAME "$ROOT/layers/" three:1
	told "save -o $STATE/tmp/s.tar test:1" "$STATE/tmp/s.tar.tmp $STATE/tmp/s.tar" state.db
	told "export -o $STATE/tmp/e.tar c" "mount -t overlay -o ro,lowerdir=$ROOT/containers/" "tar -cf $STATE/tmp/e.tar.tmp -C /mnt ."
	run --separate-stderr strake --dry-run tag test:1 four:1
	assert_status 0
	sh -n <<<"$output"
	assert_has four:1
	run strake images -q four:1
	assert_equal "$output" ""
	run strake --dry-run tag nope four:1
	assert_has "no image 'nope'"
}

@test "ps and inspect: a table of some columns, labels, ages, json, an unknown field once" {
	image_new
	strake load -q -i "$STATE/tmp/image.tar"
	strake run --name one --label a=b --label c=d --network none test:1 true
	strake run --name two --network none test:1 true
	run strake ps -a --format 'table {{.Names}}\t{{.Labels}}\t{{.RunningFor}}\t{{.ID}}'
	assert_status 0
	[[ ${lines[0]} =~ ^NAMES\ +LABELS\ +CREATED\ +CONTAINER\ ID$ ]]
	assert_equal "${#lines[@]}" 3
	grep -Eq '^one +a=b,c=d +.* ago +[0-9a-f]+$' <<<"$output"
	run strake ps -a --format '{{.Nope}}'
	assert_status 1
	assert_equal "${#lines[@]}" 1
	assert_has "there is no 'Nope'"
	run strake ps -a --format 'table {{.Nope}}'
	assert_equal "${#lines[@]}" 1
	run strake inspect -f json one two
	assert_equal "$(jq -r '.[].Name' <<<"$output" | tr '\n' ' ')" "one two "
}
