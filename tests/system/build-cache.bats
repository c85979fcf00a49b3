#!/usr/bin/env bats
# What a build takes from elsewhere: caches of other stores, named contexts; what it leaves out; how it is shown.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME http_proxy https_proxy
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR" "$STATE/ctx"
	rootfs_new "$STATE/tree"
	base_new
	REG=127.0.0.1:5000
}
base_new() { SOURCE_DATE_EPOCH=900000000 strake import "$STATE/tree" base:1 >/dev/null; }
registry_new() {
	need_command docker-registry skopeo
	printf '%s\n' 'version: 0.1' 'log: {level: error, accesslog: {disabled: true}}' "storage: {filesystem: {rootdirectory: $STATE/registry}}" \
		"http: {addr: $REG, secret: test}" >"$STATE/registry.yml"
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
}
build() { # the Containerfile on standard input
	cat >"$STATE/ctx/Containerfile"
	strake build --network none "$@" "$STATE/ctx"
}
run_in() { strake run --rm --network none "$@"; }
fresh_root() {
	ROOT=$STATE/root-$1 RUN=$STATE/run-$1
	mkdir "$ROOT" "$RUN"
	base_new
}
stages() {
	cat <<-'D'
		FROM base:1 AS tools
		RUN mkdir /t && echo tool >/t/tool
		COPY file /t/file
		FROM base:1
		RUN rm /etc/group && echo own >/own
		COPY file /
		COPY --from=tools /t /t
		WORKDIR /w
	D
}

@test "--cache-to and --cache-from a directory: another store has hits, says from where, and gives the same image" {
	echo content >"$STATE/ctx/file"
	local id
	run -0 --separate-stderr build -t c:1 --cache-to "type=local,dest=$STATE/min" --cache-to "type=local,dest=$STATE/max,mode=max" < <(stages)
	id=$output
	assert_equal "$(jq -r '.manifests | length' "$STATE/max/index.json")" 1
	# min: what the image is made of.
	fresh_root min
	run -0 --separate-stderr build -t c:1 --explain-cache --cache-from "type=local,src=$STATE/min" < <(stages)
	assert_equal "$(grep -c "  cached, from $STATE/min" <<<"$stderr")" 4
	assert_equal "$(grep -c '  not cached: no such' <<<"$stderr")" 2
	assert_equal "$output" "$id"
	assert_equal "$(run_in c:1 cat /own /file /t/tool /t/file)" $'own\ncontent\ntool\ncontent'
	run -1 run_in c:1 cat /etc/group
	assert_equal "$(strake image check)" "nothing is wrong"
	# max: nothing runs.  A file of the context with another time is the same file.
	fresh_root max
	touch -d @1 "$STATE/ctx/file"
	run -0 --separate-stderr build -t c:1 --cache-from "type=local,src=$STATE/nowhere" --cache-from "type=local,src=$STATE/max" < <(stages)
	assert_equal "$(grep -c "  cached, from $STATE/max" <<<"$stderr")" 6
	[[ $stderr == *"warning: --cache-from $STATE/nowhere: "*"No such file"* ]]
	assert_equal "$output" "$id"
	# From now on it is in this store, and can be handed on.
	run -0 --separate-stderr build --cache-to "type=local,dest=$STATE/max,mode=max" < <(stages)
	assert_equal "$(grep -c '  cached$' <<<"$stderr")" 6
	# A layer that is another one is not taken.
	fresh_root bad
	local blob
	for blob in "$STATE"/max/blobs/sha256/*; do [ "$(head -c 2 "$blob")" != $'\x1f\x8b' ] || gzip -c /dev/null >"$blob"; done
	run -0 --separate-stderr build -t c:1 --cache-from "type=local,src=$STATE/max" < <(stages)
	[[ $stderr == *"warning: --cache-from $STATE/max: "* ]]
	assert_equal "$(run_in c:1 cat /own)" own
	assert_equal "$(strake system check)" "nothing is wrong"
	run build --cache-to "type=local,dest=$STATE/tree" <<<'FROM base:1'
	assert_status 1
	assert_has "--cache-to $STATE/tree: $STATE/tree holds other things than a build cache"
	run build --cache-to type=s3,bucket=x <<<'FROM base:1'
	assert_has "--cache-to 'type=s3,bucket=x': type=s3: local and registry are known"
	run build --cache-from type=local <<<'FROM base:1'
	assert_has "--cache-from 'type=local': src= is missing"
}

@test "--cache-to and --cache-from a registry" {
	registry_new
	echo content >"$STATE/ctx/file"
	run -0 --separate-stderr build --tls-verify=false --cache-to "type=registry,ref=$REG/cache:1,mode=max" < <(stages)
	local id=$output
	fresh_root other
	run -0 --separate-stderr build --tls-verify=false --cache-from "$REG/none:1" --cache-from "$REG/cache:1" < <(stages)
	assert_equal "$(grep -c "  cached, from $REG/cache:1" <<<"$stderr")" 6
	[[ $stderr == *"warning: --cache-from $REG/none:1: "* ]]
	assert_equal "$output" "$id"
	assert_equal "$(find "$ROOT/tmp" -mindepth 1)" ""
}

@test "--no-cache-filter does the steps of one stage; --pull bare, with a word, and newer" {
	echo content >"$STATE/ctx/file"
	run -0 build < <(stages)
	run -0 build --explain-cache --no-cache-filter tools < <(stages)
	assert_equal "$(grep -c 'not cached: --no-cache-filter' <<<"$output")" 2
	assert_equal "$(grep -c '  cached' <<<"$output")" 4
	run build --no-cache-filter tools,none < <(stages)
	assert_has '--no-cache-filter none: Containerfile has no such stage'
	run build --pull=often < <(stages)
	assert_has "--pull is always, missing, never or newer, not 'often'"
	run -0 build --pull=false < <(stages)
	# What scripts of others ask for and have anyway; the opposite is not silently left out.
	run -0 build --rm --force-rm=true --provenance=false --sbom=false < <(stages)
	run build --provenance=mode=max < <(stages)
	assert_has "--provenance can only be false, not 'mode=max'"
	run build --rm=false < <(stages)
	assert_has "--rm can only be true, not 'false'"
	# Two words mean neither a directory nor a fetch.
	run build --pull never < <(stages)
	assert_status 2
	assert_has "--pull takes its value behind a '=': --pull=never"
	registry_new
	strake push -q --tls-verify=false base:1 "$REG/base:1"
	run build --pull=never --tls-verify=false <<<"FROM $REG/base:1"
	assert_status 1
	run -0 build --tls-verify=false <<<"FROM $REG/base:1"
	assert_has "pulling $REG/base:1"
	run -0 build --tls-verify=false <<<"FROM $REG/base:1"
	assert_lacks pulling
	run -0 build --pull --tls-verify=false <<<"FROM $REG/base:1"
	assert_has "pulling $REG/base:1"
	# The registry is gone: newer takes what there is, always does not.
	kill "${BACKGROUND[-1]}"
	wait "${BACKGROUND[-1]}" || true
	run -0 build --pull=newer --tls-verify=false <<<"FROM $REG/base:1"
	run build --pull --tls-verify=false <<<"FROM $REG/base:1"
	assert_status 1
	# What neither of them has is asked for once.
	run build --pull=newer --tls-verify=false <<<"FROM $REG/none:1"
	assert_status 1
	assert_equal "$(grep -c "pulling $REG/none:1" <<<"$output")" 1
}

@test "--build-context: directories, archives, images and layouts by a name, before stages and images" {
	mkdir -p "$STATE/more/deep"
	echo more >"$STATE/more/f"
	echo hidden >"$STATE/more/h.log"
	echo '*.log' >"$STATE/more/.dockerignore"
	chown 7:8 "$STATE/more/f"
	tar -C "$STATE/more" -cf "$STATE/more.tar" f
	printf 'FROM base:1\nRUN echo other >/other\n' | build -t other:1 >/dev/null
	strake save --format oci-dir -o "$STATE/layout" other:1
	run -0 build -t n:1 --build-context more="$STATE/more" --build-context tar="$STATE/more.tar" --build-context img=docker-image://other:1 \
		--build-context lay=oci-layout://"$STATE/layout" --build-context tag=oci-layout://"$STATE/layout":docker.io/library/other:1 --build-context stage="$STATE/more" <<-'D'
		FROM nowhere:1 AS stage
		RUN false
		FROM img
		COPY --from=more . /more
		COPY --from=tar f /tar/
		COPY --from=lay /other /lay
		COPY --from=tag /other /tag
		COPY --from=stage f /stage
		RUN --mount=type=bind,from=more,target=/m ls /m >/mounted
	D
	assert_equal "$(run_in n:1 cat /other /tar/f /lay /tag /stage /mounted)" $'other\nmore\nother\nother\nmore\ndeep\nf'
	assert_equal "$(run_in n:1 busybox stat -c %u:%g /more/f)" 0:0
	# A change of such a file is seen.
	echo changed >"$STATE/more/f"
	run -0 strake build --network none -t n:2 --explain-cache --build-context more="$STATE/more" - <<<$'FROM more\nCOPY --from=more f /g'
	assert_equal "$(strake run --rm --network none -v "$STATE/tree/bin:/bin" n:2 /bin/busybox cat /g /f)" $'changed\nchanged'
	run build --build-context more <<<'FROM scratch'
	assert_has "--build-context 'more': expected NAME=VALUE"
	run build --build-context "more=$STATE/none" <<<'FROM scratch'
	assert_has "--build-context more: open $STATE/none: No such file or directory"
}

@test "--progress=json: an object for each line, with names that stay" {
	run -0 --separate-stderr build --progress=json -o "type=tar,dest=$STATE/tmp/x.tar" <<-'D'
		FROM base:1 AS a
		RUN printf 'caf\351\n'; echo error >&2
		FROM scratch
		COPY --from=a /etc/passwd /
	D
	printf '%s\n' "$stderr" >"$STATE/tmp/lines"
	assert_equal "$(jq -s -r '[.[].event] | unique | join(" ")' "$STATE/tmp/lines")" 'done export layer not-cached output start'
	assert_equal "$(jq -c 'select(.event == "start") | [.id, .stage, .number, .total, .text]' "$STATE/tmp/lines" | sort | tail -n 1)" '[4,"stage-1",2,2,"COPY --from=a /etc/passwd /"]'
	assert_equal "$(jq -r 'select(.event == "output" and .stream == "stdout").text' "$STATE/tmp/lines")" 'caf?'
	assert_equal "$(jq -r 'select(.event == "output" and .stream == "stderr") | .id, .text' "$STATE/tmp/lines")" $'2\nerror'
	assert_equal "$(jq -r 'select(.event == "layer" and .id == 4) | .chain | length' "$STATE/tmp/lines")" 64
	run --separate-stderr build --progress=json <<<$'FROM base:1\nRUN exit 3'
	assert_status 1
	assert_equal "$(grep '^{' <<<"$stderr" | jq -r 'select(.event == "failed") | .id')" 2
	run build --progress=loud <<<'FROM base:1'
	assert_has "--progress is auto, plain, tty, json or quiet, not 'loud'"
}

@test "--progress=tty: on a terminal steps are drawn live and taken back, what is done stays; a failure shows what was said" {
	need_command script
	printf 'FROM base:1\nRUN for i in 1 2 3 4 5 6 7 8; do echo line-$i; busybox usleep 60000; done\nRUN echo the reason; exit 4\n' >"$STATE/ctx/Containerfile"
	run env TERM=xterm script -qec "stty cols 60 rows 20; '$PROGRAMS/strake' --root '$ROOT' --run-root '$RUN' build --network none '$STATE/ctx'" "$STATE/tmp/typescript"
	assert_status 1
	# It went up again and erased, more than once; no line is longer than the screen.
	[ "$(grep -c $'\e\[[0-9]*A\e\[J' "$STATE/tmp/typescript")" -ge 3 ]
	assert_equal "$(tr -d '\r' <"$STATE/tmp/typescript" | sed 's/\x1b\[[0-9]*[AJK]//g' | awk '!/^Script/ && !/^strake build: / && !/^    3 / && length > 60' | grep -v '^\[stage-0 3/3\]' | grep -vc 'a shell in this state')" 0
	# What stays, in order.
	tr -d '\r' <"$STATE/tmp/typescript" | sed -n 's/\x1b\[[0-9]*[AJ]//g; s/\x1b\[K$//p' >"$STATE/tmp/drawn"
	grep -q '^#1 \[stage-0 1/3\] FROM base:1  ' "$STATE/tmp/drawn"
	grep -q '   | line-8' "$STATE/tmp/drawn"
	grep -q '^#3 \[stage-0 3/3\] RUN echo the reason; exit 4  FAILED' "$STATE/tmp/drawn"
	grep -q '^  | the reason' "$STATE/tmp/typescript"
	grep -q 'Containerfile:3: the command ended with status 4' "$STATE/tmp/typescript"
}

@test "--cache-to type=inline: an image that was pushed is its own cache; images of it do not have it" {
	registry_new
	echo content >"$STATE/ctx/file"
	run -0 --separate-stderr build --tls-verify=false --push -t "$REG/in:1" --cache-to type=inline < <(stages)
	local id=$output
	run -0 --separate-stderr build --tls-verify=false -t plain:1 < <(stages)
	[ "$output" != "$id" ]
	# The older way to say it.
	run -0 --separate-stderr build -t arg:1 --build-arg BUILDKIT_INLINE_CACHE=1 < <(stages)
	assert_equal "$output" "$id"
	[[ $stderr != *warning* ]]
	strake push -q --tls-verify=false plain:1 "$REG/plain:1"
	fresh_root inline
	run -0 --separate-stderr build --tls-verify=false -t in:2 --cache-to type=inline --cache-from "$REG/plain:1" --cache-from "type=registry,ref=$REG/in:1" < <(stages)
	# The tools' own stage has two steps that are no part of the image.
	assert_equal "$(grep -c "  cached, from $REG/in:1" <<<"$stderr")" 4
	[[ $stderr == *"warning: --cache-from $REG/plain:1: the image has no cache in it"* ]]
	assert_equal "$output" "$id"
	assert_equal "$(run_in in:2 cat /own /file /t/tool /t/file)" $'own\ncontent\ntool\ncontent'
	run -0 --separate-stderr build <<<$'FROM in:2\nLABEL a=b'
	run grep -c strake.buildcache "$ROOT/blobs/sha256/$output"
	assert_equal "$output" 0
	run build --cache-to type=inline,mode=max < <(stages)
	assert_has "type=inline is all there is to say"
	run build --cache-from type=inline < <(stages)
	assert_status 1
}
