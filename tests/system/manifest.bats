#!/usr/bin/env bats
# Indexes made here: one image for several machines.
bats_require_minimum_version 1.5.0
load lib

# Two images of other files for two machines, and one without a manifest of its own (docker-archive).
images_new() {
	mkdir -p "$STATE/tmp/tree/bin"
	cp /bin/busybox "$STATE/tmp/tree/bin/sh"
	strake import --platform linux/amd64 "$STATE/tmp/tree" box:amd
	echo arm >"$STATE/tmp/tree/what"
	ARM=$(strake import --platform linux/arm64/v8 "$STATE/tmp/tree" box:arm)
}
listed() { strake manifest inspect "$1" | jq -c "[.manifests[] | $2]"; }
# All that the store has is what the database says, and du agrees with df.
store_is_exact() {
	run strake system check
	assert_equal "$status$output" "0nothing is wrong"
	run strake image check
	assert_status 0
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | awk '$1 == "Total" { print $2 }')" "$(du -s -B1 "$ROOT" | cut -f1)"
}

@test "manifest create, add, annotate, inspect, ls, remove, rm: the index is what was asked for" {
	images_new
	run strake manifest create multi box:amd
	assert_status 0
	assert_equal "${output%%:*}" sha256
	assert_equal "$(listed multi .platform)" '[{"architecture":"amd64","os":"linux"}]'
	strake manifest add multi box:arm --annotation a=b --os-features one --os-features two
	assert_equal "$(listed multi '.platform.architecture')" '["amd64","arm64"]'
	assert_equal "$(listed multi '.platform.variant')" '[null,"v8"]'
	assert_equal "$(listed multi '.annotations.a')" '[null,"b"]'
	assert_equal "$(listed multi '.platform."os.features"')" '[null,["one","two"]]'
	# What an entry says of its manifest is true.
	strake manifest inspect multi | jq -r '.manifests[] | .digest + " " + (.size | tostring)' | while read -r digest size; do
		assert_equal "sha256:$(sha256sum "$ROOT/blobs/sha256/${digest#sha256:}" | cut -d' ' -f1)" "$digest"
		assert_equal "$(stat -c %s "$ROOT/blobs/sha256/${digest#sha256:}")" "$size"
	done
	# Twice is once.
	strake manifest add multi box:arm
	assert_equal "$(listed multi 1)" '[1,1]'
	# By image, by the start of a digest; of the index itself.
	strake manifest annotate multi box:arm --variant v9 --annotation a= --os-version 10.0
	assert_equal "$(listed multi '[.platform.variant, .platform."os.version", .annotations]')" '[[null,null,null],["v9","10.0",null]]'
	strake manifest annotate multi "$(strake manifest inspect multi | jq -r '.manifests[0].digest' | cut -c1-20)" --arch riscv64 --os plan9
	assert_equal "$(listed multi '.platform.os + .platform.architecture')" '["plan9riscv64","linuxarm64"]'
	strake manifest annotate --index multi --annotation org.opencontainers.image.url=x=y
	assert_equal "$(strake manifest inspect multi | jq -c .annotations)" '{"org.opencontainers.image.url":"x=y"}'
	run strake manifest ls
	assert_has "multi:latest"
	assert_has "plan9/riscv64, linux/arm64/v9"
	strake manifest exists multi
	run strake manifest exists nothing
	assert_status 1
	store_is_exact
	strake manifest remove multi box:amd
	assert_equal "$(listed multi '.platform.architecture')" '["arm64"]'
	run strake manifest remove multi box:amd
	assert_status 1
	assert_has "the index does not list box:amd"
	# An image's own manifest.
	assert_equal "$(strake manifest inspect box:arm | jq -r .config.digest)" "sha256:$ARM"
	run strake manifest rm multi
	assert_has "Untagged: multi:latest"
	assert_has "Deleted: sha256:"
	store_is_exact
	assert_equal "$(strake images -q | wc -l)" 2
}

@test "manifest create: of several images, of another index, with --amend; what is refused changes nothing" {
	images_new
	strake manifest create one:1 box:amd box:arm
	strake manifest create two one:1 --all --annotation k=v
	assert_equal "$(listed two .platform.architecture)" '["amd64","arm64"]'
	assert_equal "$(strake manifest inspect two | jq -c .annotations)" '{"k":"v"}'
	strake manifest create own one:1
	assert_equal "$(listed own 1)" '[1]'
	strake manifest create empty
	assert_equal "$(strake manifest inspect empty | jq -c .manifests)" '[]'
	run strake manifest create one:1 box:amd
	assert_status 1
	assert_has "index one:1 is there; --amend adds to it"
	strake manifest create --amend own box:arm
	assert_equal "$(listed own 1)" '[1,1]'
	local before
	before=$(cd "$ROOT" && find . -type f ! -name 'state.db*' | sort)
	run strake manifest create box:amd box:arm
	assert_status 1
	assert_has "is an image"
	run strake manifest add one:1 nothing
	assert_status 1
	assert_has "add nothing: no image 'nothing'"
	run strake manifest add nothing box:amd
	assert_status 1
	assert_has "no index 'nothing'"
	run strake manifest annotate one:1 box:amd --arch 'a b'
	assert_status 1
	assert_has "--arch 'a b': expected a word"
	run strake manifest annotate one:1 box:amd --annotation nothing
	assert_status 1
	assert_has "expected NAME=VALUE"
	run strake manifest annotate one:1
	assert_status 1
	assert_has "name an IMAGE of the index, or say --index"
	run strake manifest annotate --index one:1 --arch arm
	assert_status 1
	assert_has "an index has no platform"
	run strake manifest create 'a@sha256:0000000000000000000000000000000000000000000000000000000000000000'
	assert_status 1
	assert_equal "$(cd "$ROOT" && find . -type f ! -name 'state.db*' | sort)" "$before"
	store_is_exact
}

@test "an index among images: listed, tagged, run, inspected; what it lists stays; rmi, prune" {
	images_new
	strake manifest create multi box:amd box:arm
	run strake images --format '{{.Repository}}:{{.Tag}}'
	assert_equal "$output" $'multi:latest\nbox:arm\nbox:amd'
	assert_equal "$(strake images --format json | jq -c '.IsManifestList' | tr '\n' ' ')" 'true false false '
	# This machine's image runs.
	[ "$(uname -m)" = x86_64 ] || skip "the images are for x86_64"
	assert_equal "$(strake run --rm --network none multi sh -c 'echo run')" run
	assert_equal "$(strake inspect -f '{{.Id}}' multi)" "$(strake inspect -f '{{.Id}}' box:amd)"
	strake tag multi other:2
	run strake rmi multi
	assert_equal "$output" "Untagged: multi:latest"
	# An image that is listed is in use: its last name only goes when forced, and it stays.
	run strake rmi box:arm
	assert_status 1
	assert_has "is listed by index docker.io/library/other:2; 'strake manifest rm docker.io/library/other:2' first"
	strake rmi -f box:arm
	run strake image prune --force
	assert_status 0
	assert_lacks Deleted
	assert_equal "$(listed other:2 1)" '[1,1]'
	# A name goes to who asks for it last, and the file knows it.
	strake tag box:amd other:2
	assert_equal "$(strake manifest ls | wc -l)" 1
	[ ! -e "$ROOT/indexes.json" ]
	strake manifest create third box:amd "$ARM"
	store_is_exact
	run strake image prune --all --force
	assert_status 0
	assert_equal "$(strake images -q | wc -l)" 0
	assert_equal "$(find "$ROOT/blobs" "$ROOT/layers" -mindepth 2 | wc -l)" 0
	store_is_exact
	# In the order that they are listed, all can be removed.
	images_new
	strake manifest create multi box:amd box:arm
	strake images -q | xargs -n 1 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" rmi
	assert_equal "$(find "$ROOT/blobs" -type f | wc -l)" 0
}

@test "an index survives a lost database, and a document that is gone is said" {
	images_new
	strake manifest create reg.example/team/multi:1 box:amd box:arm
	strake tag reg.example/team/multi:1 short
	strake manifest create gone box:amd
	strake manifest rm gone
	rm "$ROOT"/state.db*
	run strake manifest ls
	assert_has reg.example/team/multi:1
	assert_has short:latest
	assert_lacks gone
	assert_equal "$(listed short .platform.architecture)" '["amd64","arm64"]'
	run strake rmi box:amd
	assert_status 1
	store_is_exact
	mv "$ROOT/blobs/sha256/$(strake images -q --no-trunc short | sed 's/sha256://')" "$STATE/tmp/"
	run strake system check --repair
	assert_has "is gone"
	run strake manifest exists short
	assert_status 1
	store_is_exact
}

@test "kill -9 at random moments of create, add, rm, rmi, prune: the store is whole and exact afterwards" {
	local i pid words
	images_new
	strake save -o "$STATE/tmp/all.tar" box:amd box:arm
	for i in {1..25}; do
		case $((i % 5)) in
		0) words="manifest create --amend multi box:amd box:arm" ;;
		1) words="manifest annotate multi box:amd --annotation n=$i" ;;
		2) words="rmi box:arm" ;;
		3) words="image prune --all --force" ;;
		4) words="load -q -i $STATE/tmp/all.tar" ;;
		esac
		# shellcheck disable=SC2086
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" $words >/dev/null 2>&1 &
		pid=$!
		# A moment without a clock: so many turns of this loop.
		for ((j = RANDOM % 3000 * (i % 3); j > 0; j--)); do :; done
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		strake system df >/dev/null
		strake system check --repair >/dev/null || true
		store_is_exact
	done
	strake load -q -i "$STATE/tmp/all.tar"
	strake manifest create --amend multi box:amd box:arm
	assert_equal "$(listed multi 1 | tail -c 7)" '[1,1]'
}

@test "manifest push: docker-registry has the index and all of its images, as skopeo and strake pull them" {
	need_program strake-registry
	need_command docker-registry
	need_command skopeo
	local REG=127.0.0.1:5000 digest
	cat >"$STATE/registry.yml" <<-YML
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $STATE/registry}, delete: {enabled: true}}
		http: {addr: $REG, secret: test}
	YML
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
	images_new
	# An image that was loaded without a manifest is one of them.
	strake save -o "$STATE/tmp/arm.tar" box:arm
	strake rmi box:arm
	strake load -q -i "$STATE/tmp/arm.tar"
	strake manifest create multi box:amd box:arm --annotation a=b
	run strake manifest push --all --digestfile "$STATE/tmp/digest" multi "$REG/team/multi:1"
	assert_status 0
	digest=$(cat "$STATE/tmp/digest")
	assert_equal "$(skopeo inspect --raw --tls-verify=false "docker://$REG/team/multi:1" | sha256sum | cut -d' ' -f1)" "${digest#sha256:}"
	assert_equal "$(skopeo inspect --raw --tls-verify=false "docker://$REG/team/multi:1" | jq -c '[.annotations.a, .manifests[].platform.architecture]')" '["b","amd64","arm64"]'
	skopeo --insecure-policy copy -q --all --src-tls-verify=false "docker://$REG/team/multi:1" "oci:$STATE/tmp/layout:1"
	# What was pulled for one machine after the other can be listed again.
	ROOT=$STATE/root-2
	mkdir "$ROOT"
	strake pull -q --platform linux/arm64 "$REG/team/multi:1"
	local arm
	arm=$(strake images -q --no-trunc)
	assert_equal "$arm" "sha256:$ARM"
	strake pull -q --platform linux/amd64 "$REG/team/multi:1"
	strake manifest create again "$REG/team/multi:1" "${arm#sha256:}"
	assert_equal "$(listed again .digest | jq -c sort)" "$(skopeo inspect --raw --tls-verify=false "docker://$REG/team/multi:1" | jq -c '[.manifests[].digest] | sort')"
	strake image push -q again "$REG/team/multi:2"
	assert_equal "$(strake image tags "$REG/team/multi" | sort | tr '\n' ' ')" "1 2 "
	store_is_exact
	# A blob that is damaged is fetched again from the registry that the name tells.
	local victim
	victim=$(jq -r '.layers[0].digest' "$ROOT/blobs/sha256/$(listed again .digest | jq -r '.[0][7:]')")
	printf x | dd of="$ROOT/blobs/sha256/${victim#sha256:}" bs=1 seek=100 conv=notrunc status=none
	run strake image check
	assert_status 1
	run strake image check --repair
	assert_status 0
	store_is_exact
}
