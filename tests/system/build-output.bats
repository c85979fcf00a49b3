#!/usr/bin/env bats
# Where a build goes: directories, archives, registries; several platforms; what is written beside it.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME http_proxy https_proxy
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$STATE/ctx"
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	REG=127.0.0.1:5000
}
registry_new() {
	need_command docker-registry skopeo
	printf '%s\n' 'version: 0.1' 'log: {level: error, accesslog: {disabled: true}}' "storage: {filesystem: {rootdirectory: $STATE/registry}}" \
		"http: {addr: $REG, secret: test}" >"$STATE/registry.yml"
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
}
skopeo() { command skopeo --insecure-policy "$@"; }
build() { # the Containerfile on standard input
	cat >"$STATE/ctx/Containerfile"
	strake build --network none "$@" "$STATE/ctx"
}
run_in() { strake run --rm --network none "$@"; }
images() { strake images -aq | wc -l; }
fresh_root() {
	ROOT=$STATE/root-$1 RUN=$STATE/run-$1
	mkdir "$ROOT" "$RUN"
	SOURCE_DATE_EPOCH=900000000 strake import "$STATE/tree" base:1 >/dev/null
}
sum() { sha256sum "$1" | cut -d' ' -f1; }

@test "--output: a directory and a tar archive get the files, and the store no image" {
	cat >"$STATE/tmp/file" <<-'D'
		FROM base:1 AS made
		RUN mkdir -p /d/e && echo one >/d/one && ln -s one /d/link && ln /d/one /d/hard && chown 5:6 /d/one && chmod 4755 /d/one
		FROM scratch
		COPY --from=made /d /
		COPY --chmod=600 file /sub/
	D
	echo two >"$STATE/ctx/file"
	mkdir "$STATE/out"
	echo stays >"$STATE/out/stays"
	ln -s /etc "$STATE/out/sub"
	run -0 build -o "$STATE/out" <"$STATE/tmp/file"
	assert_has "=> $STATE/out"
	assert_equal "$(cat "$STATE/out/"{one,hard,stays} "$STATE/out/sub/file")" $'one\none\nstays\ntwo'
	[ ! -e /etc/file ]
	assert_equal "$(stat -c '%u:%g %a %h' "$STATE/out/one")" '0:0 4755 2'
	assert_equal "$(readlink "$STATE/out/link")" one
	assert_equal "$(images)" 1
	# The archive keeps owners; on standard output it is alone there.
	build -o - <"$STATE/tmp/file" >"$STATE/tmp/out.tar" 2>"$STATE/tmp/err"
	assert_equal "$(tar -tf "$STATE/tmp/out.tar" | sort | tr '\n' ' ')" 'e/ hard link one sub/ sub/file '
	assert_equal "$(tar --numeric-owner -tvf "$STATE/tmp/out.tar" hard | awk '{print $1, $2}')" '-rwsr-xr-x 5/6'
	run -0 build -o "type=tar,dest=$STATE/tmp/again.tar" <"$STATE/tmp/file"
	cmp "$STATE/tmp/out.tar" "$STATE/tmp/again.tar"
	assert_equal "$(images)" 1
	run build -o type=local <"$STATE/tmp/file"
	assert_status 1
	assert_equal "$output" "strake build: --output 'type=local': type=local wants dest=DIRECTORY"
	run build -o - --debug <"$STATE/tmp/file"
	assert_has '--debug opens a shell on standard output, which --output wants'
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "--output: OCI and Docker archives that skopeo reads, by all their names; the store gets it only on request" {
	need_command skopeo
	printf 'FROM base:1\nRUN echo new >/new\nCMD ["cat", "/new"]\n' >"$STATE/tmp/file"
	run -0 --separate-stderr build -t a:1 -t b:1 -o "type=oci,dest=$STATE/tmp/oci.tar" -o "type=docker,dest=$STATE/tmp/docker.tar" \
		-o "type=oci,tar=false,dest=$STATE/tmp/layout,compression=zstd" --iidfile "$STATE/tmp/iid" <"$STATE/tmp/file"
	local id=$output
	assert_equal "$(cat "$STATE/tmp/iid")" "sha256:$id"
	assert_equal "$(images)" 1
	assert_equal "$(skopeo inspect --config "oci-archive:$STATE/tmp/oci.tar:docker.io/library/a:1" --raw | sha256sum | cut -d' ' -f1)" "$id"
	assert_equal "$(skopeo inspect --config "oci-archive:$STATE/tmp/oci.tar:docker.io/library/b:1" --raw | sha256sum | cut -d' ' -f1)" "$id"
	assert_equal "$(tar -xOf "$STATE/tmp/docker.tar" manifest.json | jq -c '.[0].RepoTags')" '["a:1","b:1"]'
	assert_equal "$(skopeo inspect "docker-archive:$STATE/tmp/docker.tar" | jq -c '.Layers | length')" 2
	assert_equal "$(skopeo inspect --raw "oci:$STATE/tmp/layout:docker.io/library/a:1" | jq -r '.layers[1].mediaType')" application/vnd.oci.image.layer.v1.tar+zstd
	# To standard output, and into the store as well.
	build -t c:1 --load -o type=docker,dest=- <"$STATE/tmp/file" 2>/dev/null >"$STATE/tmp/piped.tar"
	assert_equal "$(strake images -q --no-trunc c:1)" "sha256:$id"
	strake rmi c:1
	assert_equal "$(strake load -q -i "$STATE/tmp/piped.tar")" "$id"
	assert_equal "$(run_in c:1)" new
	# With no place said it is the store, as with buildx.
	run -0 --separate-stderr build -t d:1 -o type=docker <"$STATE/tmp/file"
	assert_equal "$output" "$id"
	assert_equal "$(run_in d:1)" new
	run build --platform linux/amd64,linux/arm64 -o type=docker,dest=x <<<$'FROM scratch\nCOPY Containerfile /'
	assert_has 'a docker archive holds images of one platform; type=oci holds several'
	[ ! -e x ]
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "the same files and --timestamp give the same bytes in every output, in another store, too" {
	printf 'FROM scratch AS files\nCOPY dir /dir\nFROM base:1\nCOPY --from=files /dir /dir\nRUN rm /etc/group && echo x >/x\nWORKDIR /w\n' >"$STATE/ctx/Containerfile"
	mkdir "$STATE/ctx/dir"
	touch "$STATE/ctx/dir/"{a,b}
	local root
	for root in one two; do
		fresh_root $root
		run -0 --separate-stderr strake build --network none --timestamp 1000000000 -t r:1 -o "type=oci,dest=$STATE/tmp/$root.oci" -o "type=docker,dest=$STATE/tmp/$root.docker" \
			-o "type=tar,dest=$STATE/tmp/$root.tar" --metadata-file "$STATE/tmp/$root.json" "$STATE/ctx"
		touch "$STATE/ctx/dir/a"
	done
	cmp "$STATE/tmp/one.oci" "$STATE/tmp/two.oci"
	cmp "$STATE/tmp/one.docker" "$STATE/tmp/two.docker"
	cmp "$STATE/tmp/one.tar" "$STATE/tmp/two.tar"
	cmp "$STATE/tmp/one.json" "$STATE/tmp/two.json"
}

@test "A6.14 --push: a registry has it under its name, with annotations and the format asked for; --metadata-file says its digest" {
	registry_new
	printf 'FROM base:1\nRUN echo new >/new\nCMD ["cat", "/new"]\n' >"$STATE/tmp/file"
	run -0 build -t "$REG/app:1" --push --tls-verify=false --metadata-file "$STATE/tmp/meta" --annotation org.x=1 --annotation manifest:y=2 <"$STATE/tmp/file"
	assert_equal "$(images)" 1
	skopeo inspect --tls-verify=false --raw "docker://$REG/app:1" >"$STATE/tmp/manifest"
	assert_equal "$(jq -c '.annotations' "$STATE/tmp/manifest")" '{"org.x":"1","y":"2"}'
	assert_equal "$(jq -r '."containerimage.digest"' "$STATE/tmp/meta")" "sha256:$(sum "$STATE/tmp/manifest")"
	assert_equal "$(jq -r '."containerimage.config.digest"' "$STATE/tmp/meta")" "$(jq -r .config.digest "$STATE/tmp/manifest")"
	assert_equal "$(jq -r '."containerimage.descriptor".size' "$STATE/tmp/meta")" "$(stat -c %s "$STATE/tmp/manifest")"
	assert_equal "$(jq -r '."image.name"' "$STATE/tmp/meta")" "$REG/app:1"
	# Docker's kind, other names, and into the store, too.
	run -0 build -t local:1 -o "type=image,\"name=$REG/app:2,$REG/app:3\",push=true" --format docker --tls-verify=false <"$STATE/tmp/file"
	assert_equal "$(skopeo inspect --tls-verify=false --raw "docker://$REG/app:3" | jq -r .mediaType)" application/vnd.docker.distribution.manifest.v2+json
	assert_equal "$(strake images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" "$REG/app:2 $REG/app:3 base:1 "
	run build --push <"$STATE/tmp/file"
	assert_has 'to push, a name is needed: -t REGISTRY/NAME'
	# The reason of a failure is the registry's.
	run build -q --push -t 127.0.0.1:1/x:1 --tls-verify=false <"$STATE/tmp/file"
	assert_status 1
	assert_has "Failed to connect to 127.0.0.1 port 1"
	# A device or a pipe is written into: as root a file in its place would be the machine's loss.
	mknod "$STATE/tmp/device" c 1 3
	run -0 build -q --iidfile "$STATE/tmp/device" --metadata-file "$STATE/tmp/device" <"$STATE/tmp/file"
	[ -c "$STATE/tmp/device" ]
	run build --annotation index:a=b <"$STATE/tmp/file"
	assert_has 'there is no index, with one platform'
	run build --annotation manifest-descriptor:a=b <"$STATE/tmp/file"
	assert_has 'only a layout has a place for it'
	assert_lacks '[stage'
	assert_equal "$(strake system check)" "nothing is wrong"
	# Another store that fetches it has the same, and what it sends back is the same again; so it is by a layout.
	ROOT=$STATE/elsewhere RUN=$STATE/elsewhere-run
	mkdir "$ROOT" "$RUN"
	strake pull -q --tls-verify=false "$REG/app:1"
	assert_equal "$(strake images -q --no-trunc "$REG/app:1")" "$(jq -r .config.digest "$STATE/tmp/manifest")"
	assert_equal "$(run_in "$REG/app:1")" new
	strake push -q --tls-verify=false "$REG/app:1" "$REG/app:back"
	assert_equal "$(skopeo inspect --tls-verify=false --raw "docker://$REG/app:back" | sha256sum)" "$(sha256sum <"$STATE/tmp/manifest")"
	strake save --format oci-dir -o "$STATE/tmp/back" "$REG/app:1"
	assert_equal "$(jq -r '.manifests[0].digest' "$STATE/tmp/back/index.json")" "sha256:$(sum "$STATE/tmp/manifest")"
	strake rmi "$REG/app:1"
	strake load -q -i "$STATE/tmp/back"
	assert_equal "$(strake images -q --no-trunc "$REG/app:1")" "$(jq -r .config.digest "$STATE/tmp/manifest")"
}

@test "A6.11 --platform for two: one index in the store, in an archive and in a registry; COPY needs no emulator, RUN says which is missing" {
	registry_new
	# The same tree as a base for each of the two.
	strake import --platform linux/arm64 "$STATE/tree" arm:1 >/dev/null
	strake manifest create multi:1 base:1 arm:1 >/dev/null
	cat >"$STATE/tmp/file" <<-'D'
		FROM multi:1
		ARG TARGETARCH
		COPY file /$TARGETARCH
		LABEL arch=$TARGETARCH
	D
	echo x >"$STATE/ctx/file"
	run -0 --separate-stderr build --platform linux/amd64,linux/arm64 --pull=never -t two:1 --annotation index:top=1 --annotation 'manifest[linux/arm64]:only=arm' \
		--annotation manifest-descriptor:d=1 --annotation index-descriptor:i=1 -o type=image -o "type=oci,dest=$STATE/tmp/oci.tar" -o "type=registry,name=$REG/two:1" --tls-verify=false \
		--metadata-file "$STATE/tmp/meta" --iidfile "$STATE/tmp/iid" <"$STATE/tmp/file"
	local index=$output
	[[ $stderr == *'[linux/arm64 stage-0 3/4] COPY file /$TARGETARCH'* ]]
	assert_equal "$(cat "$STATE/tmp/iid")" "sha256:$index"
	strake manifest inspect two:1 >"$STATE/tmp/index"
	assert_equal "$(jq -c '[.manifests[].platform.architecture], .annotations, .manifests[0].annotations' "$STATE/tmp/index")" $'["amd64","arm64"]\n{"top":"1"}\n{"d":"1"}'
	assert_equal "$(run_in two:1 cat /amd64)" x
	assert_equal "$(skopeo inspect --tls-verify=false --raw "docker://$REG/two:1" | sha256sum | cut -d' ' -f1)" "$index"
	assert_equal "$(skopeo inspect --tls-verify=false --override-arch arm64 --raw --config "docker://$REG/two:1" | jq -r '.config.Labels.arch, .architecture')" $'arm64\narm64'
	assert_equal "$(skopeo inspect --tls-verify=false --raw "docker://$REG/two@$(jq -r '.manifests[1].digest' "$STATE/tmp/index")" | jq -c .annotations)" '{"only":"arm"}'
	assert_equal "$(skopeo inspect --raw "oci-archive:$STATE/tmp/oci.tar:docker.io/library/two:1" | sha256sum | cut -d' ' -f1)" "$index"
	assert_equal "$(jq -r '."containerimage.digest", ."strake.platforms"."linux/arm64"."containerimage.digest"' "$STATE/tmp/meta")" "sha256:$index"$'\n'"$(jq -r '.manifests[1].digest' "$STATE/tmp/index")"
	assert_equal "$(tar -xOf "$STATE/tmp/oci.tar" index.json | jq -c '[.manifests[0].annotations.i, (.manifests | length)]')" '["1",1]'
	run -0 build --annotation manifest-descriptor:d=2 -o "type=oci,dest=$STATE/tmp/one.tar" <<<$'FROM scratch\nCOPY file /'
	assert_equal "$(tar -xOf "$STATE/tmp/one.tar" index.json | jq -c '.manifests[0].annotations')" '{"d":"2"}'
	# A name moves to another index, or to an image.
	run -0 build --platform amd64 --platform arm64 --pull=never -t two:1 <<<$'FROM multi:1\nCOPY file /other'
	run -0 build -t two:1 <<<$'FROM base:1\nCOPY file /alone'
	assert_equal "$(run_in two:1 ls /alone)" /alone
	run build --platform amd64,arm64 <<<$'FROM scratch\nCOPY file /'
	assert_has 'several platforms make an index, which needs a name: -t NAME'
	# Files of each in a directory of its own.
	run -0 build --platform amd64,arm64 -o "$STATE/out" <<<$'FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH'
	assert_equal "$(cd "$STATE/out" && find . -type f | sort | tr '\n' ' ')" './linux_amd64/amd64 ./linux_arm64/arm64 '
	build --platform amd64,arm64 -o - <<<$'FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH' 2>/dev/null | tar -t | sort | tr '\n' ' ' >"$STATE/tmp/list"
	assert_equal "$(cat "$STATE/tmp/list")" 'linux_amd64/ linux_amd64/amd64 linux_arm64/ linux_arm64/arm64 '
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "A6.11 a RUN for a machine that this one is not says what is missing" {
	! grep -qs enabled /proc/sys/fs/binfmt_misc/qemu-aarch64 || skip "there is an emulator for arm64"
	# The head of a program for arm64.
	printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0' >"$STATE/tree/bin/sh.new"
	truncate -s 200 "$STATE/tree/bin/sh.new"
	chmod 755 "$STATE/tree/bin/sh.new"
	rm "$STATE/tree/bin/sh"
	mv "$STATE/tree/bin/sh.new" "$STATE/tree/bin/sh"
	strake import --platform linux/arm64 "$STATE/tree" arm:1 >/dev/null
	run build --platform linux/arm64 --pull=never <<<$'FROM arm:1\nRUN true'
	assert_status 1
	assert_has 'Containerfile:2: '
	assert_has 'no emulator for linux/arm64 is registered (binfmt_misc); Debian'"'"'s qemu-user-static brings one'
	assert_equal "$(strake ps -aq)" ""
}

@test "--squash: the layers of this build as one, --squash-all: those of the base in it; what was removed is gone" {
	cat >"$STATE/tmp/file" <<-'D'
		FROM base:1
		RUN mkdir -p /d/old && echo 1 >/d/old/f && echo big >/gone && rm /etc/group && echo a >/same
		RUN rm -r /d/old /gone && mkdir /d/new && ln /same /same2 && rm -r /tmp && mkdir /tmp && touch /tmp/t
		RUN rm -r /var && echo file >/var && rm -r /d/new && echo now-a-file >/d/new
		CMD ["cat", "/same2"]
	D
	run -0 build -t plain:1 <"$STATE/tmp/file"
	run -0 --separate-stderr build -t squashed:1 --squash <"$STATE/tmp/file"
	local id=$output
	assert_equal "$(strake image inspect squashed:1 | jq '.[0].Layers | length')" 2
	run -0 build -t all:1 --squash-all <"$STATE/tmp/file"
	assert_equal "$(strake image inspect all:1 | jq '.[0].Layers | length')" 1
	look() {
		run_in "$1" busybox find / -xdev -not -path '/proc*' -not -path '/sys*' -not -path '/dev*' -exec busybox stat -c '%n %F %a %u %g' {} + | sort
		run_in "$1" busybox find / -xdev -type f -not -path '/proc*' -not -path '/sys*' -not -path '/dev*' -not -path '/etc/*' -exec busybox stat -c '%n %h %s' {} + | sort
	}
	look plain:1 >"$STATE/tmp/plain"
	look squashed:1 >"$STATE/tmp/squashed"
	look all:1 >"$STATE/tmp/all"
	diff "$STATE/tmp/plain" "$STATE/tmp/squashed"
	diff "$STATE/tmp/plain" "$STATE/tmp/all"
	assert_equal "$(run_in squashed:1)" a
	strake save --format oci-dir --compression none -o "$STATE/tmp/layout" squashed:1
	local layer
	layer=$(jq -r '.layers[1].digest[7:]' "$STATE/tmp/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")")
	assert_equal "$(tar -tf "$STATE/tmp/layout/blobs/sha256/$layer" | grep -c -e gone -e old)" 0
	# Out of the cache it is the same image.
	run -0 --separate-stderr build --squash <"$STATE/tmp/file"
	assert_equal "$output" "$id"
	assert_equal "$(strake history --format '{{.CreatedBy}}' squashed:1 | head -n 1)" "all layers but the base's as one"
	assert_equal "$(strake image check)" "nothing is wrong"
}
