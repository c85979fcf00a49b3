#!/usr/bin/env bats
# Volumes: directories that outlive containers.
bats_require_minimum_version 1.5.0
load lib

in_volume() { strake run --rm --network none -v "$1:/data" --bare /bin/busybox -- "${@:2}"; }

@test "volume create, ls, inspect, rm: as Docker's users expect" {
	assert_equal "$(strake volume create --label a=b --label c one)" one
	assert_equal "$(strake volume create one)" one
	made_up=$(strake volume create)
	[[ $made_up =~ ^[0-9a-f]{64}$ ]]
	in_volume two sh -c 'echo kept >/data/file'
	assert_equal "$(in_volume two cat /data/file)" kept
	run strake volume ls
	assert_equal "$(sed 's/ *$//; s/  */ /g' <<<"$output")" "$(printf 'DRIVER VOLUME NAME\n'; printf 'local %s\n' "$made_up" one two | LC_ALL=C sort)"
	assert_equal "$(strake volume ls -q --filter name=o | LC_ALL=C sort | xargs)" "one two"
	assert_equal "$(strake volume ls -q --filter label=a=b) $(strake volume ls -q --filter label=c)" "one one"
	assert_equal "$(strake volume ls -q --filter label=a=c)" ""
	assert_equal "$(strake volume inspect -f '{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Scope}} {{json .Labels}}' one)" \
		"one local $ROOT/volumes/one/_data local {\"a\":\"b\",\"c\":\"\"}"
	assert_equal "$(strake volume inspect two | jq -r '.[0].Mountpoint')" "$ROOT/volumes/two/_data"
	assert_equal "$(cat "$ROOT/volumes/two/_data/file")" kept
	run strake volume rm two one
	assert_equal "$status $(xargs <<<"$output")" "0 two one"
	[ ! -e "$ROOT/volumes/two" ]
	assert_equal "$(ls -A "$ROOT/tmp" 2>/dev/null)" ""
	for command in "volume rm two" "volume inspect two" "volume create a/b" "volume create -d nfs x" "volume ls --filter size=1" "volume prune"; do
		# shellcheck disable=SC2086
		run strake $command </dev/null
		[ "$status" != 0 ]
		assert_equal "$command: ${#lines[@]}" "$command: 1"
	done
	run strake volume rm -f two
	assert_equal "$status $output" "0 two"
}

@test "a volume that a container has stays, and prune takes what nobody has" {
	strake run --name c --network none -v used:/data:ro --bare /bin/busybox -- true
	strake volume create named
	made_up=$(strake volume create)
	run strake volume rm used
	assert_status 1
	assert_has "volume used is in use by container c"
	assert_equal "$(strake volume inspect -f '{{.Containers}}' used)" "[c]"
	assert_equal "$(strake volume ls -q --filter dangling=false)" used
	run strake volume prune -f
	assert_equal "$status ${lines[0]}" "0 $made_up"
	assert_has "Total reclaimed space:"
	assert_equal "$(strake volume ls -q | xargs)" "named used"
	run strake volume prune -f -a
	assert_equal "$status ${lines[0]}" "0 named"
	# What cannot be read may be a use.
	id=$(strake inspect -f '{{.Id}}' c)
	: >"$ROOT/containers/$id/config.json"
	run strake volume rm used
	assert_status 1
	assert_has "may be in use"
	strake rm -f c
	strake volume rm used
	assert_equal "$(strake volume ls -q)" ""
}

@test "inspect and df know which volumes are used, also where the root is reached by a link" {
	ln -s root "$STATE/link"
	through() { "$PROGRAMS/strake" --root "$STATE/link" --run-root "$RUN" "$@"; }
	through run --name c --network none -v used:/data --bare /bin/busybox -- dd if=/dev/zero of=/data/f bs=1k count=64 2>/dev/null
	through run --rm --network none -v free:/data --bare /bin/busybox -- dd if=/dev/zero of=/data/f bs=1k count=128 2>/dev/null
	for of in strake through; do
		assert_equal "$($of inspect -f '{{json .Mounts}}' c | jq -r '.[] | "\(.Type) \(.Name) \(.Destination) \(.RW)"')" "volume used /data true"
		run $of system df --bytes --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Reclaimable}}'
		free=$(($(du -s --block-size=1 "$ROOT/volumes/free" | cut -f1)))
		assert_has "Volumes 2 1 $free"
	done
	through rm c
	run strake system df --bytes --format '{{.Type}} {{.TotalCount}} {{.Active}}'
	assert_has "Volumes 2 0"
}

@test "a name with a slash is no volume, and the error says what would be a path" {
	run strake run --rm --network none -v rel/path:/x --bare /bin/busybox -- true
	assert_status 125
	assert_equal "${#lines[@]}" 1
	assert_has "volume 'rel/path': a volume's name has no '/' in it; for the directory say ./rel/path"
	[ ! -e "$ROOT/volumes/rel" ]
}

@test "the volumes that an image names are shown where Docker shows them" {
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar"
	strake run --name base --network none test:1 true
	strake commit -c 'VOLUME /srv/data' base test:2
	strake rm base
	strake run --name v --network none test:2 true
	assert_equal "$(strake inspect -f '{{json .Config.Volumes}}' v)" '{"/srv/data":{}}'
	assert_equal "$(strake inspect -f '{{json .Mounts}}' v)" '[]'
}

@test "dry runs of volume commands are scripts, and change nothing" {
	strake volume create a
	strake --dry-run volume rm a >"$STATE/script"
	[ -d "$ROOT/volumes/a/_data" ]
	strake --dry-run volume create b >"$STATE/make"
	[ ! -e "$ROOT/volumes/b" ]
	sh "$STATE/script"
	sh "$STATE/make"
	assert_equal "$(strake volume ls -q)" b
}
