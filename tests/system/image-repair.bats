#!/usr/bin/env bats
# image check --repair: what is damaged is made again beside what there is, and a kill at any step loses nothing.
bats_require_minimum_version 1.5.0
load lib

stack_load() {
	python3 "$TOOLS/images.py" stack "$STATE/tmp" "$@"
	strake load -q -i "$STATE/tmp/base.tar"
	strake load -q -i "$STATE/tmp/app.tar"
}
tree_of() { # IMAGE LAYER
	echo "$ROOT/layers/$(strake image inspect -f '{{json .Layers}}' "$1" | jq -r ".[$2].Chain")/diff"
}
killed_repair() { # POINT IMAGE
	STRAKE_FAULT=$1 run strake image check --repair "$2"
	[ "$status" -gt 128 ] || { echo "$1: $status $output"; return 1; }
	strake images -q >"$STATE/tmp/list" # the next command clears up
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

@test "repair: a kill at each step leaves the old layer or the new one, and the next repair ends it" {
	local packing point tree
	for packing in none gzip; do
		stack_load "$packing"
		tree=$(tree_of base:12 0)
		for point in repair-unpack repair-place repair-placed; do
			chmod 755 "$tree/bin/su"
			killed_repair "$point" base:12
			[ "$point" = repair-placed ] || [ "$(stat -c %a "$tree/bin/su")" = 755 ]
			assert_equal "$(strake run --rm --network none --entrypoint /bin/cat app:1 /data/only)" 2
			strake image check --repair base:12
			assert_equal "$(stat -c %a "$tree/bin/su")" 4755
			run strake image check
			assert_equal "$output" "nothing is wrong"
		done
		assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
		strake image prune -fa >/dev/null
	done
}

@test "repair: a layer that was made here has no other source; it is refused before anything is touched" {
	local tree
	stack_load
	strake run --name a --network none --entrypoint /bin/sh base:12 -c 'echo precious >/data/mine'
	strake commit a mine:1
	strake rm a
	tree=$(tree_of mine:1 1)
	chmod 600 "$tree/data/mine"
	chmod 755 "$(tree_of mine:1 0)/bin/su"
	run strake image check --repair mine:1
	assert_status 1
	assert_has "layer 2 was made here and is kept nowhere else"
	assert_equal "$(strake run --rm --network none mine:1 /bin/cat /data/mine)" precious
}

@test "repair: a layer under a container of any image, or under one that starts, stays where it is" {
	local id place
	stack_load
	chmod 755 "$(tree_of base:12 0)/bin/su"
	strake run -d --name c --network none --entrypoint /bin/tail app:1 -f /dev/null
	run strake image check --repair base:12
	assert_status 1
	assert_has "runs on it; stop it first"
	strake stop -t 0 c
	# Whoever starts it has its lock.
	id=$(strake inspect -f '{{.Id}}' c)
	exec 7<"$ROOT/containers/$id"
	flock -n 7
	run strake image check --repair base:12
	assert_status 1
	assert_has "is starting on it"
	exec 7<&-
	place=$(strake image mount app:1)
	run strake image check --repair base:12
	assert_status 1
	assert_has "it is mounted; 'strake image unmount"
	[ -e "$place/bin/su" ]
	strake image unmount app:1
	run strake image check --repair base:12
	assert_status 0
	strake rm -f c
}

@test "repair: what is fetched again comes beside, too" {
	local point blob name
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	stack_load
	strake save --format oci-dir -o "$STATE/tmp/layout" base:12
	strake image prune -fa >/dev/null
	sed -i 's|"org.opencontainers.image.ref.name": *"[^"]*"|"org.opencontainers.image.ref.name": "latest"|' "$STATE/tmp/layout/index.json"
	background python3 "$TOOLS/registry.py" "$STATE/tmp/place" --seed "web=$STATE/tmp/layout" 2>"$STATE/registry.log"
	soon test -s "$STATE/tmp/place"
	name=$(cat "$STATE/tmp/place")/web
	strake pull -q "$name"
	name=$(strake images -q)
	blob=$(strake image inspect -f '{{json .Layers}}' "$name" | jq -r '.[0].Blob')
	for point in repair-fetch repair-place repair-placed; do
		printf x >>"$ROOT/blobs/sha256/${blob#sha256:}"
		killed_repair "$point" "$name"
		assert_equal "$(strake run --rm --network none --entrypoint /bin/cat "$name" /data/old)" old
		strake image check --repair "$name" || true
		run strake image check
		assert_equal "$output" "nothing is wrong"
	done
	rm -r "$(tree_of "$name" 0)"
	run strake image check --repair "$name"
	assert_status 0
	rm "$ROOT/blobs/sha256/$(strake images -q --no-trunc | cut -d: -f2)"
	run strake image check --repair "$name"
	assert_status 0
	run strake image check
	assert_equal "$output" "nothing is wrong"
	[ -z "$(ls -A "$ROOT/tmp")" ]
}
