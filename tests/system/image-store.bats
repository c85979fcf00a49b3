#!/usr/bin/env bats
# Images for people: lists, names, history, layers, space; and what is refused.
# shellcheck disable=SC2016 # what containers expand
bats_require_minimum_version 1.5.0
load lib

# base:12, one layer with a distribution; app:1, two more layers that replace and remove a big file.
stack_load() {
	python3 "$TOOLS/images.py" stack "$STATE/tmp" "$@"
	strake load -q -i "$STATE/tmp/base.tar"
	strake load -q -i "$STATE/tmp/app.tar"
}

@test "images: columns as Docker's, names, filters, templates" {
	stack_load
	strake tag app:1 quay.io/team/app:2 other
	run strake images
	assert_equal "$(head -1 <<<"$output" | tr -s ' ')" "REPOSITORY TAG IMAGE ID CREATED SIZE"
	assert_equal "$(strake images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" "app:1 base:12 other:latest quay.io/team/app:2 "
	assert_equal "$(strake images -q | wc -l)" 2
	[[ $(strake images -q --no-trunc | head -1) == sha256:???????????????????????????????????????????????????????????????? ]]
	assert_equal "$(strake images app --format '{{.Tag}}')" 1
	assert_equal "$(strake images 'quay.io/*/*' --format '{{.Tag}}')" 2
	assert_equal "$(strake images -f reference='*:latest' --format '{{.Repository}}')" other
	assert_equal "$(strake images -f label=a=b -q | wc -l)" 1
	assert_equal "$(strake images -f label=a=c -q | wc -l)" 0
	assert_equal "$(strake images -f before=app:1 --format '{{.Repository}}')" base
	assert_equal "$(strake images -f since=base:12 -q | wc -l)" 1
	assert_equal "$(strake images -f until=2020-01-01T00:00:01Z -q | wc -l)" 2
	assert_equal "$(strake images -f until=2020-01-01T00:00:00Z -q | wc -l)" 0
	assert_equal "$(strake images --format 'table {{.Repository}}\t{{.Tag}}' base | tr -s ' ' | tr '\n' '|')" "REPOSITORY TAG|base 12|"
	run strake images --digests base
	assert_has DIGEST
	run strake images --format nothing
	assert_status 1
	assert_has "--format is table, json or a template"
	run strake images -f color=red
	assert_status 1
	assert_has "expected dangling, until, label, before, since or reference"
	assert_equal "$(strake image ls -q)" "$(strake images -q)"
	assert_equal "$(strake images --format json | jq -r '.Names | length' | paste -sd+ | bc)" 4
}

@test "tag and untag: a name moves, the image stays, the same image under different names is stored once" {
	local before id
	stack_load
	before=$(cd "$ROOT" && find layers blobs | sort)
	strake tag app:1 base:12 two three:3
	assert_equal "$(cd "$ROOT" && find layers blobs | sort)" "$before"
	assert_equal "$(strake images -f dangling=true -q | wc -l)" 1
	assert_equal "$(strake run --rm --network none base:12 -c 'cat /etc/new')" 1
	run strake untag app:1 two
	assert_equal "$output" "Untagged: two:latest"
	run strake untag app:1 two
	assert_status 1
	assert_has "has no name"
	id=$(strake images -q app)
	run strake untag "$id"
	assert_status 0
	assert_equal "$(strake images --format '{{.Repository}}' | sort -u)" "<none>"
	strake image exists "$id"
	run strake image exists app:1
	assert_status 1
	assert_equal "$output" ""
	run strake tag "$id" 'Bad Name'
	assert_status 1
	run strake tag nothing new
	assert_status 1
	assert_has "no image 'nothing'"
	# The names are in the files, too: a lost database does not bring old ones back.
	strake tag "$id" again
	rm "$ROOT"/state.db*
	assert_equal "$(strake images --format '{{.Repository}}' | sort | tr '\n' ' ')" "<none> again "
}

@test "history: the steps of the config, with the layer that each brought" {
	stack_load
	run strake history app:1
	assert_status 0
	assert_equal "$(tr -s ' ' <<<"$output" | sed 's/^[0-9a-f]\{12\} /ID /; s/[0-9]* years ago/Y/; s/ $//')" "$(printf '%s\n' \
		'IMAGE CREATED CREATED BY SIZE COMMENT' 'ID N/A RUN rm big 1B smaller?' '<missing> N/A RUN make big 48.8KiB' \
		'<missing> N/A ENV A=b 0B' '<missing> Y ADD root / 1.9MiB')"
	assert_equal "$(strake history --format '{{.CreatedBy}}' app:1 | head -1)" "RUN rm big"
	assert_equal "$(strake history -q --no-trunc app:1 | head -1 | wc -c)" 65
	assert_equal "$(strake history --bytes --format '{{.Size}}' app:1 | sed -n 2p)" 50001
}

@test "A8.5 image tree: layers and who shares them, wasted bytes, which layer brought a file, bases, distribution" {
	stack_load
	run strake image tree app:1
	assert_status 0
	assert_has "in 3 layers, 146KiB of it wasted"
	assert_has "distribution  debian 12"
	assert_has "built on      base:12"
	[[ $output =~ 1\ +1\.9MiB\ +\(97\.6KiB\ of\ it\ hidden\)\ +ADD\ root\ /\ +=\ base:12 ]]
	assert_equal "$(sed -n '/^wasted/,$p' <<<"$output" | tr -s ' ' | sed 1d)" "$(printf ' %s\n' '97.6KiB 1 /big' '48.8KiB 2 /big')"
	run strake image tree base:12
	assert_has "nothing wasted"
	assert_has "also in app:1"
	run strake image tree app:1 /big data/old /bin/sh
	assert_equal "$(tr -s ' ' <<<"$output")" "$(printf '%s\n' /big ' 1 brought it ADD root / = base:12' ' 2 replaced it RUN make big' \
		' 3 removed it RUN rm big' /data/old ' 1 brought it ADD root / = base:12' ' 3 removed it RUN rm big' /bin/sh ' 1 brought it ADD root / = base:12')"
	run strake image tree app:1 /nothing
	assert_status 1
	assert_has "no layer has '/nothing'"
	run strake image tree --files app:1
	assert_has "removed            /big"
	# Of a lone file nothing is a distribution.
	python3 "$TOOLS/images.py" layers "$STATE/tmp/i.tar"
	strake load -q -i "$STATE/tmp/i.tar"
	run strake image tree test:1
	assert_has "distribution  none"
}

@test "image inspect: Docker's keys, and in words" {
	stack_load
	assert_equal "$(strake image inspect app:1 | jq -r '.[0] | [.RepoTags[0], .Os, .Architecture, .Config.Entrypoint[0], (.RootFS.Layers | length), .Size] | join(" ")')" \
		"app:1 linux amd64 /bin/sh 3 2132352"
	assert_equal "$(strake image inspect -f '{{.Config.Labels.a}}' app:1)" b
	run strake image inspect --words app:1
	assert_has "runs          /bin/sh -c echo hi   as 33 in /"
	assert_has "listens on    80/tcp"
	assert_has "built on      base:12"
	assert_has "distribution  debian 12"
	run strake image inspect app:1 nothing
	assert_status 1
}

@test "image mount: read-only, listed, not removed under it, gone after unmount; a kill leaves nothing" {
	local place
	stack_load
	place=$(strake image mount app:1)
	assert_equal "$(cat "$place/data/only")" 2
	[ ! -e "$place/big" ]
	run touch "$place/x"
	assert_status 1
	assert_equal "$(strake image mount app:1)" "$place"
	assert_equal "$(grep -c " $place " /proc/self/mountinfo)" 1
	run strake image mount
	assert_has "app:1"
	run strake rmi app:1
	assert_status 1
	assert_has "is mounted"
	strake image unmount app:1
	[ ! -e "$place" ]
	# What a kill between directory and mount leaves.
	mkdir "$place"
	assert_equal "$(strake image mount | wc -l)" 1
	[ ! -e "$place" ]
	strake image mount base:12 app:1 >/dev/null
	strake image unmount --all
	no_new_mounts
	strake --dry-run image mount app:1 >"$STATE/tmp/script"
	sh "$STATE/tmp/script"
	assert_equal "$(cat "$place/data/only")" 2
	strake image unmount app:1
}

@test "rmi: by name, by ID, in use, forced; prune takes what nobody needs and says how much" {
	local id
	stack_load
	strake tag app:1 app:2
	id=$(strake images -q app | head -1)
	run strake rmi "$id"
	assert_status 1
	assert_has "has 2 names"
	run strake rmi app:2
	assert_equal "$output" "Untagged: app:2"
	strake run -d --name c --network none --entrypoint /bin/tail app:1 -f /dev/null
	run strake rmi app:1
	assert_status 1
	assert_has "used by container c"
	run strake rmi -f "$id"
	assert_status 1
	run strake rmi -f app:1
	assert_status 0
	assert_equal "$output" "Untagged: app:1"
	run strake image prune </dev/null
	assert_status 1
	assert_has "--force"
	run strake image prune -f
	assert_equal "$output" "Total reclaimed space: 0B"
	strake rm -f c
	run strake image prune -f
	assert_has "Deleted: sha256:$id"
	assert_has "Total reclaimed space: "
	[[ $output != *": 0B"* ]]
	assert_equal "$(strake images --format '{{.Repository}}')" base
	strake image prune -f -a --filter label=none=none
	assert_equal "$(strake images -q | wc -l)" 1
	strake image prune -fa
	assert_equal "$(strake images -q | wc -l)" 0
	assert_equal "$(find "$ROOT/layers" "$ROOT/blobs" "$ROOT/images" -type f)" ""
}

@test "system df is what du counts, before and after; garbage collection is exact" {
	df_is_du() {
		assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	}
	local empty
	strake images
	stack_load
	df_is_du
	strake run -d --name c --network none -v data:/data --entrypoint /bin/sh base:12 -c 'echo hello > /data/x; echo more > /y; exec tail -f /dev/null'
	soon test -s "$ROOT/volumes/data/_data/x"
	strake stop -t 0 c
	df_is_du
	run strake system df
	assert_has "Volumes      1      1"
	assert_has "Images       2      1"
	assert_has "Containers   1      0"
	run strake system df -v
	assert_has "SHARED"
	empty=$(strake system df --bytes --format '{{.Type}} {{.Reclaimable}}' | sed -n 's/^Images //p')
	run strake image prune -fa
	assert_status 0
	# What was called reclaimable is what went.
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Reclaimable}}' | sed -n 's/^Images //p')" 0
	[ "$empty" -gt 0 ]
	df_is_du
	strake rm c
	strake image prune -fa
	df_is_du
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Images //p')" 0
}

@test "A8.8 report: files, set-ID files, packages, capabilities, what listens" {
	stack_load
	run strake report app:1
	assert_status 0
	assert_has "distribution    debian 12"
	assert_has "packages        1 of dpkg"
	assert_has "set-ID files    4755 0:0 /bin/su"
	assert_has "runs as         33:0"
	assert_has "CAP_NET_BIND_SERVICE"
	assert_equal "$(strake report --format json app:1 | jq -r '[.Packages[0], (.SetId | length), .Seccomp] | join(" ")')" "base-files 12.4 1 true"
	mkdir -p "$STATE/tmp/tree/bin"
	cp /bin/busybox "$STATE/tmp/tree/bin/httpd"
	strake run -d --name web --network none --cap-drop ALL "$STATE/tmp/tree" /bin/httpd -f -p 8080
	soon eval '[[ $(strake report web) == *"tcp "*":8080"* ]]'
	run strake report web
	assert_has "capabilities    none"
	assert_has "distribution    none"
	run strake report nobody
	assert_status 1
	assert_has "no container and no image 'nobody'"
}

@test "500 images are listed from the database alone" {
	local half
	for half in "1 250" "251 500"; do
		# shellcheck disable=SC2086
		python3 "$TOOLS/images.py" many "$STATE/tmp/many.tar" $half
		strake load -q -i "$STATE/tmp/many.tar" >/dev/null
	done
	assert_equal "$(strake images -q | sort -u | wc -l)" 500
	# No config and no entry of the catalogue is opened: one that is gone is not missed here.
	mv "$ROOT/blobs" "$ROOT/images" "$STATE/tmp/"
	assert_equal "$(strake images | wc -l)" 501
	mv "$STATE/tmp/blobs" "$STATE/tmp/images" "$ROOT/"
	run strake image prune --all --force
	assert_status 0
	assert_equal "$(find "$ROOT/layers" "$ROOT/blobs" "$ROOT/images" -mindepth 1 ! -name sha256 | wc -l)" 0
}

@test "image check: damage is found in blobs, documents and unpacked trees; --repair unpacks again" {
	local chain tree blob
	stack_load gzip
	run strake image check
	assert_status 0
	assert_equal "$output" "nothing is wrong"
	chain=$(strake image inspect -f '{{json .Layers}}' base:12 | jq -r '.[0].Chain')
	tree=$ROOT/layers/$chain/diff
	echo evil >>"$tree/etc/os-release"
	chmod 755 "$tree/bin/su"
	rm "$tree/data/old"
	touch "$tree/extra"
	setfattr -n user.x -v y "$tree/bin" 2>/dev/null || python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.x", b"y")' "$tree/bin"
	run strake image check app:1
	assert_status 1
	for text in "/etc/os-release: has another size" "/bin/su: has another mode" "/data/old: is gone" "/bin: has other attributes" "6 differences together"; do
		assert_has "layer 1: $text"
	done
	strake run -d --name c --network none --entrypoint /bin/tail base:12 -f /dev/null
	run strake image check --repair base:12
	assert_status 1
	assert_has "runs on it; stop it first"
	strake stop -t 0 c
	run strake image check --repair
	assert_status 0
	run strake image check
	assert_equal "$output" "nothing is wrong"
	assert_equal "$(stat -c %a "$tree/bin/su")" 4755
	assert_equal "$(ls "$ROOT/tmp")" ""
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	# A blob that is damaged cannot be had again without a registry: said, and nothing is lost by trying.
	blob=$(strake image inspect -f '{{json .Layers}}' app:1 | jq -r '.[1].Blob')
	printf x | dd of="$ROOT/blobs/sha256/${blob#sha256:}" bs=1 seek=600 conv=notrunc status=none
	run strake image check --repair app:1
	assert_status 1
	assert_has "layer 2: its blob sha256:"
	assert_has "it came without a manifest, so no registry has it"
	assert_equal "$(strake run --rm --network none --entrypoint /bin/cat app:1 /data/only)" 2
	rm "$ROOT/blobs/sha256/$(strake images -q --no-trunc base | cut -d: -f2)"
	run strake image check base:12
	assert_status 1
	assert_has "its config sha256:"
	run strake system check
	assert_status 1
}

@test "a plain layer of an archive is kept once, as its files and a frame; its bytes, its check and its repair are as with a blob" {
	local chain tree
	stack_load
	assert_equal "$(find "$ROOT/layers" -name frame | wc -l)" 3
	assert_equal "$(find "$ROOT/blobs/sha256" -type f | wc -l)" 2 # configs
	strake save -o "$STATE/tmp/saved.tar" base:12
	mkdir "$STATE/tmp/in" "$STATE/tmp/out"
	tar -C "$STATE/tmp/in" -xf "$STATE/tmp/base.tar"
	tar -C "$STATE/tmp/out" -xf "$STATE/tmp/saved.tar"
	cmp "$STATE/tmp/in/0.tar" "$STATE/tmp/out/$(jq -r '.[0].Layers[0]' "$STATE/tmp/out/manifest.json")"
	run strake image check
	assert_equal "$output" "nothing is wrong"
	chain=$(strake image inspect -f '{{json .Layers}}' base:12 | jq -r '.[0].Chain')
	tree=$ROOT/layers/$chain/diff
	# What is not in the files is in the frame.
	chmod 755 "$tree/bin/su"
	touch "$tree/extra"
	run strake image check base:12
	assert_status 1
	assert_has "layer 1: /bin/su: has another mode"
	run strake image check --repair base:12
	assert_status 0
	assert_equal "$(stat -c %a "$tree/bin/su") $(ls "$tree" | grep -c extra)" "4755 0"
	run strake image check
	assert_equal "$output" "nothing is wrong"
	assert_equal "$(strake system df --bytes --format '{{.Type}} {{.Size}}' | sed -n 's/^Total //p')" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	# What is in a file is nowhere else.
	chain=$(strake image inspect -f '{{json .Layers}}' app:1 | jq -r '.[1].Chain')
	tree=$ROOT/layers/$chain/diff
	printf z | dd of="$tree/big" conv=notrunc status=none
	echo more >>"$tree/etc/new"
	run strake image check --repair app:1
	assert_status 1
	assert_has "layer 2: /etc/new: has another size"
	assert_has "layer 2: its files have the digest sha256:"
	assert_has "it came without a manifest, so no registry has it"
	assert_equal "$(cat "$tree/etc/new")" $'1more'
	# An archive with one file twice has more than the tree, and one that came before must not stay in the way.
	strake image prune -fa
	mkdir -p "$ROOT/layers/$chain/diff"
	strake load -q -i "$STATE/tmp/app.tar"
	assert_equal "$(strake run --rm --network none --entrypoint /bin/cat app:1 /etc/new)" 1
	python3 "$TOOLS/images.py" twice "$STATE/tmp/twice.tar"
	strake load -q -i "$STATE/tmp/twice.tar"
	strake save -o "$STATE/tmp/saved.tar" twice:1
	run strake image check
	assert_equal "$output" "nothing is wrong"
}

@test "A7.5 bundle: an image as a directory that runc, crun and strake run unchanged; its files are the image's" {
	local place runtime
	need_command runc crun
	stack_load
	cd "$STATE/tmp"
	strake bundle app:1 bundle -c 'echo "$A $(cat /data/only)"'
	place=$(strake image mount app:1)
	list() { (cd "$1" && find . -printf '%p %y %m %U:%G %s %T@ %l\n' | sort | sed 's/^\(. d [^ ]* [^ ]*\).*/\1/; s/^\(\.[^ ]* d [^ ]* [^ ]*\) [0-9]*/\1/'); }
	diff <(list "$place") <(list bundle/rootfs)
	strake image unmount app:1
	assert_equal "$(jq -r '[.hostname, .process.user.uid, .root.path, .annotations["org.opencontainers.image.exposedPorts"]] | join(" ")' bundle/config.json)" \
		"app 33 rootfs 80/tcp"
	assert_lacks_ours() { ! grep -q "$ROOT" bundle/config.json; }
	assert_lacks_ours
	run strake run --rm --network none ./bundle
	assert_equal "$output" "b 2"
	assert_equal "$(runtime run --bundle bundle one)" "b 2"
	group_new
	for runtime in runc crun; do
		# runc is used where the machine's control groups let it.
		if "$runtime" --root "$STATE/$runtime" run --bundle bundle "$GROUP" >"$STATE/tmp/out" 2>"$STATE/tmp/err"; then
			assert_equal "$(tail -1 "$STATE/tmp/out")" "b 2"
		else
			grep -qi cgroup "$STATE/tmp/err" || { cat "$STATE/tmp/err" && false; }
		fi
	done
	# And back: the same configuration, the same files.
	strake image pack bundle back:1 >/dev/null
	assert_equal "$(strake image inspect back:1 | jq -S '.[0].Config | .Cmd')" "$(jq -c '.process.args' bundle/config.json | jq .)"
	strake bundle app:1 whole
	strake image pack whole back:2 >/dev/null
	diff <(strake image inspect app:1 | jq -S '.[0].Config') <(strake image inspect back:2 | jq -S '.[0].Config')
	place=$(strake image mount back:2)
	diff <(list "$place") <(list whole/rootfs)
	strake image unmount back:2
	run strake bundle app:1 bundle
	assert_status 1
	assert_has "has a root already"
	run strake bundle nothing other
	assert_status 1
	[ ! -e other ]
}
