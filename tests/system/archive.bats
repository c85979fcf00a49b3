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
