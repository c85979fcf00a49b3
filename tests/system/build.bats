#!/usr/bin/env bats
# Containerfiles become images: build, its cache, its steps as containers.
# shellcheck disable=SC1003,SC2016,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx"
}
# The Containerfile on standard input, options behind; the context is $STATE/ctx.
build() {
	cat >"$STATE/ctx/Containerfile"
	strake build "$@" "$STATE/ctx"
}
config_of() { # IMAGE: the config document
	echo "$ROOT/blobs/sha256/$(strake images -q --no-trunc "$1" | head -n 1 | cut -d: -f2)"
}
layers_of() { strake image inspect "$1" | jq '.[0].Layers | length'; }
run_in() { strake run --rm --network none "$@"; }

@test "A6.1 a Containerfile becomes an image without a daemon: base and four layers, each instruction in the history" {
	base_new
	echo 'hello from the context' >"$STATE/ctx/page"
	run build -t app:1 -t app:latest <<-'D'
		FROM base:1
		RUN mkdir -p /srv/www && echo first >/srv/www/one
		COPY page /srv/www/index.html
		RUN chmod 600 /srv/www/one
		WORKDIR /srv/app
		EXPOSE 80
		ENV MODE=test
		CMD ["cat", "/srv/www/index.html"]
	D
	assert_status 0
	assert_equal "$(layers_of app:1)" 5
	run strake history --no-trunc --format '{{.CreatedBy}}' app:1
	assert_equal "$output" "$(printf '%s\n' 'CMD ["cat", "/srv/www/index.html"]' 'ENV MODE=test' 'EXPOSE 80' 'WORKDIR /srv/app' \
		'RUN /bin/sh -c chmod 600 /srv/www/one' 'COPY page /srv/www/index.html' \
		'RUN /bin/sh -c mkdir -p /srv/www && echo first >/srv/www/one' "strake import $STATE/tree")"
	assert_equal "$(run_in app:latest)" 'hello from the context'
	assert_equal "$(run_in app:1 sh -c 'stat -c %a /srv/www/one; pwd; echo $MODE')" $'600\n/srv/app\ntest'
	soon no_processes
	assert_equal "$(strake ps -aq)" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "A6.2 a step is a container that ps shows by stage and number while it runs" {
	base_new
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1 AS tools
		RUN true
		RUN echo 3 >/three
		COPY Containerfile /
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go
	D
	background strake build "$STATE/ctx"
	step_runs() { [[ $(strake ps --format '{{.Names}}') == build-*-tools-5 ]]; }
	soon step_runs
	pipe=$(echo "$ROOT"/volumes/build-cache-*/_data/go)
	soon test -p "$pipe"
	assert_equal "$(strake ps -q | wc -l)" 1
	# Named by build and step, for filters and a look inside.
	name=$(strake ps --format '{{.Names}}')
	id=$(strake inspect "$name" | jq -r '.[0].Config.Labels["strake.build"]')
	assert_equal "$(strake ps -q --filter "label=strake.build=$id" | wc -l)" 1
	assert_equal "$name" "build-${id:0:6}-tools-5"
	assert_equal "$(strake exec "$name" sh -c 'ls /c; cat /proc/1/comm')" $'go\ncat'
	echo go >"$pipe"
	wait "${BACKGROUND[0]}"
	assert_equal "$(strake ps -aq)" ""
	run -0 strake events --since 0 --until 0s -f "build=$id" --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'
	# Three RUNs are three containers; the COPY is none.
	assert_equal "$(sed "s/$id/ID/; s/${id:0:6}/ID/" <<<"$output")" "$(printf '%s\n' \
		'build start ID' 'build step ID' 'container create build-ID-tools-2' 'container start build-ID-tools-2' 'container die build-ID-tools-2' \
		'container destroy build-ID-tools-2' 'build step ID' 'container create build-ID-tools-3' 'container start build-ID-tools-3' \
		'container die build-ID-tools-3' 'container destroy build-ID-tools-3' 'build step ID' \
		'build step ID' 'container create build-ID-tools-5' 'container start build-ID-tools-5' \
		'container exec_start build-ID-tools-5' 'container exec_die build-ID-tools-5' 'container die build-ID-tools-5' \
		'container destroy build-ID-tools-5' 'build end ID')"
	assert_equal "$(strake events --since 0 --until 0s -f type=build -f event=step --format '{{.Actor.Attributes.step}} {{.Actor.Attributes.instruction}}')" \
		$'2/5 RUN true\n3/5 RUN echo 3 >/three\n4/5 COPY Containerfile /\n5/5 RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go'
	# --explain says of each container what is done for it, and of each step which layer it gave.
	run -0 --separate-stderr strake --explain build --network none --no-cache -t e:1 - <<<$'FROM base:1\nRUN echo 1 >/1\nRUN true\nRUN echo 2 >/2'
	assert_equal "$(grep -o -e 'exec env .* -- .*' -e '^#[0-9] *layer [0-9a-f]*' -e '^#.*no layer' <<<"$stderr" | sed 's/.* -- //' | sed 's/layer [0-9a-f]\{12\}$/layer/')" \
		"$(printf '%s\n' "/bin/sh -c 'echo 1 >/1'" '#2   layer' "/bin/sh -c true" '#3   nothing changed: no layer' "/bin/sh -c 'echo 2 >/2'" '#4   layer')"
	layer=$(sed -n 's/^#4 *layer \([0-9a-f]*\).*/\1/p' <<<"$stderr")
	assert_equal "$(cat "$ROOT/layers/$layer"*/diff/2)" 2
}

@test "A6.3 --show-changes lists what each step added, changed and removed, with sizes" {
	base_new
	run --separate-stderr build --show-changes <<-'D'
		FROM base:1
		RUN echo 12345 >/new && rm /etc/group && chmod 700 /tmp
		RUN rm /new
	D
	assert_status 0
	assert_equal "$(grep -E '^#[0-9]+   ([ACD] |layer)' <<<"$stderr" | sed 's/layer [0-9a-f]*/layer/')" \
		"$(printf '%s\n' '#2   layer, 6B' '#2   C /etc/' '#2   D /etc/group' '#2   A /new (6B)' '#2   C /tmp/' '#3   layer, 0B' '#3   D /new')"
}

@test "A6.4 ADD of an archive on scratch; with a timestamp a second build elsewhere has the same digest" {
	base_new
	tar -C "$STATE/tree" -czf "$STATE/ctx/root.tar.gz" .
	printf 'FROM scratch\nADD root.tar.gz /\nRUN echo more >/more\nCOPY --chmod=600 root.tar.gz /sub/\n' >"$STATE/ctx/Containerfile"
	run -0 --separate-stderr strake build -t one:1 --timestamp 1000000000 "$STATE/ctx"
	local first=$output
	assert_equal "$(run_in one:1 sh -c 'cat /more; busybox stat -c "%Y %a" /sub /sub/root.tar.gz')" $'more\n1000000000 755\n1000000000 600'
	ROOT=$STATE/other RUN=$STATE/otherrun
	mkdir "$ROOT" "$RUN"
	SOURCE_DATE_EPOCH=1000000000 run -0 --separate-stderr strake build "$STATE/ctx"
	assert_equal "$output" "$first"
	assert_equal "$(strake image check)" "nothing is wrong"
	# A directory, or an archive, without any file that says how; twice the same, too.
	import() { SOURCE_DATE_EPOCH=1000000000 strake import "$1" "$2" && strake images -q --no-trunc "$2"; }
	for from in tree ctx/root.tar.gz; do
		assert_equal "$(import "$STATE/$from" in:1)" "$(import "$STATE/$from" in:2)"
		assert_equal "$(run_in in:1 cat /etc/group)" "$(cat "$STATE/tree/etc/group")"
	done
}

@test "A6.5 without RUN no container and no process is started" {
	need_command strace
	base_new
	echo x >"$STATE/ctx/x"
	printf 'FROM base:1\nCOPY x /a/b/x\nWORKDIR /w\nENV a=b\nCMD ["x"]\n' >"$STATE/ctx/Containerfile"
	# Leaks are not looked for under a tracer.
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o "$STATE/tmp/trace" -e trace=execve,fork,vfork,clone,clone3,mount,fsopen,unshare \
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build -t plain:1 "$STATE/ctx"
	# strake, and strake-build in its place; threads are no processes.
	assert_equal "$(grep -c 'execve(.* = 0' "$STATE/tmp/trace")" 2
	run grep -E 'v?fork\(|mount\(|fsopen\(|unshare\(' "$STATE/tmp/trace"
	assert_equal "$output" ""
	run grep -E 'clone3?\(' "$STATE/tmp/trace"
	assert_lacks 'exit_signal=SIGCHLD'
	assert_equal "$(run_in --entrypoint cat plain:1 /a/b/x)" x
}

@test "A6.5 a Containerfile that only copies builds without privileges" {
	need_command setpriv
	# An ordinary user, root only in a user namespace of his own, in a place that he can reach.
	short_folder
	nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --map-root-user "$@"; }
	run nobody true
	[ "$status" = 0 ] || skip "no user namespaces for ordinary users here"
	mkdir -p "$SHORT/"{bin,ctx,run,libexec/strake}
	cp "$PROGRAMS/strake" "$SHORT/bin/"
	cp "$PROGRAMS/strake-build" "$SHORT/libexec/strake/"
	echo x >"$SHORT/ctx/x"
	printf 'FROM scratch\nCOPY --chmod=755 x /a/x\nWORKDIR /w\nCMD ["/a/x"]\n' >"$SHORT/ctx/Containerfile"
	chown -R 65534:65534 "$SHORT"
	run nobody "$SHORT/bin/strake" --root "$SHORT/root" --run-root "$SHORT/run" build -t mine:1 "$SHORT/ctx"
	assert_status 0
	run nobody "$SHORT/bin/strake" --root "$SHORT/root" --run-root "$SHORT/run" history --format '{{.CreatedBy}}' mine:1
	assert_equal "$output" $'CMD ["/a/x"]\nWORKDIR /w\nCOPY --chmod=755 x /a/x'
}

@test "A6.6 a second build starts no container and gives the same image; a changed file redoes what comes after it" {
	base_new
	echo 1 >"$STATE/ctx/early"
	echo 1 >"$STATE/ctx/late"
	cat >"$STATE/tmp/file" <<-'D'
		FROM base:1
		COPY early /
		RUN cat /early >/copy
		LABEL some=label
		COPY late /
		RUN cat /late >/copy2
	D
	run -0 --separate-stderr build -t c:1 --explain-cache <"$STATE/tmp/file"
	local first=$output
	assert_equal "$(grep -c 'not cached: no such instruction was built before' <<<"$stderr")" 4
	run -0 --separate-stderr build -t c:1 --explain-cache <"$STATE/tmp/file"
	assert_equal "$output" "$first"
	assert_equal "$(grep -c '^#[0-9]*   cached' <<<"$stderr")" 4
	# Two containers, both of the first build.
	assert_equal "$(strake events --since 0 --until 0s -f type=container -f event=create | wc -l)" 2
	# The same content under another time is the same content.
	touch -d @5 "$STATE/ctx/early"
	run -0 --separate-stderr build -t c:1 <"$STATE/tmp/file"
	assert_equal "$output" "$first"
	echo 2 >"$STATE/ctx/late"
	run -0 --separate-stderr build -t c:2 --explain-cache <"$STATE/tmp/file"
	assert_equal "$(grep -c '^#[0-9]*   cached' <<<"$stderr")" 2
	output=$stderr
	assert_has 'not cached: the files that it reads have changed'
	assert_has 'not cached: what it stands on has changed'
	assert_equal "$(run_in c:2 cat /copy /copy2)" $'1\n2'
	run -0 --separate-stderr build --no-cache --explain-cache <"$STATE/tmp/file"
	assert_equal "$(grep -c 'not cached: --no-cache' <<<"$stderr")" 4
}

@test "A6.6 what is kept lasts after the image is gone, and builder prune takes it away" {
	base_new
	printf 'FROM base:1\nRUN echo 1 >/one\n' | build -t p:1
	strake rmi p:1
	run -0 --separate-stderr build <<<$'FROM base:1\nRUN echo 1 >/one'
	output=$stderr
	assert_has '  cached'
	strake rmi "$(strake images -q | head -n 1)"
	run strake builder prune
	assert_status 1
	assert_has "nobody to ask"
	run -0 strake builder prune --force --filter until=1h
	assert_has 'Steps forgotten: 0'
	run -0 strake builder prune --force
	assert_has 'Steps forgotten: 1'
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 1
	run -0 --separate-stderr build <<<$'FROM base:1\nRUN echo 1 >/one'
	output=$stderr
	assert_lacks '  cached'
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "A6.9 stages, build arguments, secrets, bind and cache mounts, here-documents; the secret is nowhere" {
	base_new
	echo 'src of the context' >"$STATE/ctx/src"
	echo 'very-s3cret' >"$STATE/tmp/token"
	cat >"$STATE/tmp/file" <<-'D'
		ARG VERSION=1
		FROM base:1 AS build
		ARG VERSION
		ARG EXTRA=none
		RUN --mount=type=secret,id=token,required \
		    --mount=type=bind,source=src,target=/mnt/src \
		    --mount=type=cache,target=/cache \
		    --mount=type=tmpfs,target=/scratch \
		    wc -c </run/secrets/token >/size && cat /mnt/src >/src && echo hit >>/cache/hits && cp /cache/hits /hits && touch /scratch/x && echo "$VERSION $EXTRA" >/args
		RUN <<END
		echo several lines
		echo "of a script" >/script
		END
		RUN <<-'ONE' cat >/shell && cat <<TWO >>/shell
		$not expanded
		ONE
		$((1 + 1)) expanded
		TWO
		FROM build AS unused
		RUN false
		FROM scratch
		COPY --from=build /size /src /hits /args /script /shell /out/
		COPY --from=base:1 /bin/busybox /bin/
		COPY <<'RAW' <<DONE /out/docs/
		$VERSION
		RAW
		${NO:-default}
		DONE
		CMD ["/bin/busybox", "cat", "/out/size", "/out/src", "/out/hits", "/out/args", "/out/script", "/out/shell", "/out/docs/RAW", "/out/docs/DONE"]
	D
	run -0 build -t s:1 --build-arg VERSION=2 --secret id=token,src="$STATE/tmp/token" <"$STATE/tmp/file"
	assert_equal "$(run_in s:1)" "$(printf '%s\n' 12 'src of the context' hit '2 none' 'of a script' '$not expanded' '2 expanded' '$VERSION' default)"
	run grep -rlE 'very-s3cret' "$ROOT" "$RUN"
	assert_equal "$output" ""
	assert_equal "$(find "$RUN/build" -mindepth 1 2>/dev/null)" ""
	# Mount points are no part of the layer.
	assert_equal "$(strake image tree s:1 2>&1 | grep -c cache)" 0
	run build --secret id=other,src="$STATE/tmp/token" --no-cache <"$STATE/tmp/file"
	assert_status 1
	assert_has 'the secret token is needed; --secret id=token,src=FILE gives it'
	# A file that is missing is missed before the first step, a variable only by a step that needs it.
	run build --secret id=token,src="$STATE/tmp/nowhere" --no-cache <"$STATE/tmp/file"
	assert_equal "$output" "strake build: --secret id=token: open $STATE/tmp/nowhere: No such file or directory"
	run -0 build --secret id=maybe,env=STRAKE_NOT_THERE <<<$'FROM base:1\nRUN --mount=type=secret,id=maybe test ! -e /run/secrets/maybe'
	run build <<<$'FROM base:1\nRUN --device=vendor.com/class=x true'
	assert_has 'a build gets no devices of this machine'
	assert_has 'RUN --device=vendor.com'
	# The cache is there for the next build.
	run -0 build -t s:2 --no-cache --build-arg VERSION=3 --secret id=token,src="$STATE/tmp/token" <"$STATE/tmp/file"
	assert_equal "$(run_in s:2 /bin/busybox cat /out/hits)" $'hit\nhit'
}

@test "A6.10 a failing step says where and why; --debug opens a shell in the state where it failed" {
	base_new
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN echo fine >/fine
		RUN echo half >/half; \
		    exit 7
	D
	run strake build "$STATE/ctx"
	assert_status 1
	assert_has '    3 | RUN echo half >/half; \'
	assert_has 'strake build: Containerfile:3: the command ended with status 7; build --debug opens a shell where it did'
	assert_equal "$(strake ps -aq)" ""
	run strake build --debug "$STATE/ctx" <<<'cat /fine /half'
	assert_status 1
	assert_has $'fine\nhalf'
	assert_equal "$(strake ps -aq)" ""
	# What went well is kept.
	run strake build "$STATE/ctx"
	assert_has '  cached'
	# The command that is printed opens a shell with all that the step has.
	echo s3cret >"$STATE/tmp/secret"
	run build --build-arg 'ARG=a  b' --secret "id=s,src=$STATE/tmp/secret" --add-host there:192.0.2.7 <<-'D'
		FROM base:1
		ARG ARG
		ENV E=nv
		WORKDIR /var/www
		USER www
		RUN --mount=type=secret,id=s,uid=33 --mount=type=cache,target=/c,mode=0777 pwd >/c/half; false
	D
	assert_status 1
	command=$(sed -n 's/^a shell in this state: //p' <<<"$output")
	# shellcheck disable=SC2317 # the command that is evaluated calls it
	strake() { "$PROGRAMS/strake" "$@"; }
	run eval "$command" <<<'echo "$ARG $E $PWD $(id -u)"; cat /run/secrets/s /c/half; grep -c there /etc/hosts'
	unset -f strake
	strake() { "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" "$@"; }
	assert_status 1
	assert_has $'a  b nv /var/www 33\ns3cret\n/var/www\n1'
	assert_equal "$(strake ps -aq)" ""
	# It goes into logs, so that no password is in it.
	run strake build --network none --creds 'me:pa55word' --build-arg http_proxy=http://me:pa55word@127.0.0.1:1 --build-arg ARG=x "$STATE/ctx" <<<''
	assert_has '--build-arg=http_proxy --build-arg=ARG=x'
	assert_lacks pa55word
	# While somebody looks, the container that failed is listed, and the shell.
	mkfifo "$STATE/tmp/in"
	exec 9<>"$STATE/tmp/in"
	# With its own input, which background takes away.
	strake build --debug "$STATE/ctx" <"$STATE/tmp/in" >/dev/null 2>&1 3>&- 9>&- &
	BACKGROUND+=($!)
	shell_runs() { [[ $(strake ps --format '{{.Names}}') == build-*-stage-0-6-shell ]]; }
	soon shell_runs
	assert_equal "$(strake ps -a --format '{{.Names}}' | sed 's/-[0-9a-f]*-/-ID-/' | sort)" $'build-ID-stage-0-6\nbuild-ID-stage-0-6-shell'
	echo exit >&9
	exec 9>&-
	wait "${BACKGROUND[0]}" || true
	BACKGROUND=()
	assert_equal "$(strake ps -aq)" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "A6.13 --network none, and a RUN of its own; proxies reach the command and are stored nowhere" {
	base_new
	run -0 build -t n:1 --network none --build-arg HTTP_PROXY=http://user:pr0xy@127.0.0.1:1 <<-'D'
		FROM base:1
		RUN ls /sys/class/net >/net; echo "$HTTP_PROXY" | wc -c >/proxy
		RUN --network=host true
	D
	assert_equal "$(run_in n:1 cat /net /proxy)" $'lo\n30'
	run grep -rl pr0xy "$ROOT"
	assert_equal "$output" ""
	# Another proxy is no reason to do it again.
	run -0 strake build --network none --build-arg HTTP_PROXY=other "$STATE/ctx"
	assert_equal "$(grep -c '^#[0-9]*   cached' <<<"$output")" 2
	run build <<<$'FROM base:1\nRUN --network=web true'
	assert_has "Containerfile:2: --network=web: a RUN takes default, none or host"
}

@test "RUN --security=insecure has all rights, if the user allows it" {
	base_new
	cd "$STATE/ctx"
	printf 'FROM base:1\nRUN --security=insecure grep CapEff /proc/self/status >/caps\n' >Containerfile
	run ! strake build -q .
	assert_has "$output" "build --allow security.insecure gives them"
	run ! strake build -q --allow all .
	assert_has "$output" "--allow is security.insecure or network.host"
	strake build -q -t x --allow security.insecure . >/dev/null
	caps=$(strake run --rm --network none x cat /caps | cut -f2)
	[ "$((16#$caps & 1 << 21))" != 0 ] # CAP_SYS_ADMIN
	sed -i 's/insecure/sandbox/' Containerfile
	strake build -q -t x . >/dev/null
	caps=$(strake run --rm --network none x cat /caps | cut -f2)
	[ "$((16#$caps & 1 << 21))" = 0 ]
	sed -i 's/sandbox/none/' Containerfile
	run ! strake build -q .
	assert_has "$output" "Containerfile:2: --security=none: it is sandbox or insecure"
}

@test "A6.13 a RUN has the limits that build was given" {
	base_new
	run -0 build -t l:1 --network none --memory 64m --ulimit nofile=77 --shm-size 2m --add-host there:192.0.2.9 <<-'D'
		FROM base:1
		RUN ulimit -n >/files; df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2 >/shm; grep there /etc/hosts | tr -s '\t ' ' ' >/host
		RUN cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes >/memory 2>/dev/null; true
	D
	assert_equal "$(run_in l:1 cat /files /shm /host /memory)" $'77\n2048\n192.0.2.9 there\n67108864'
	run build --network none --ulimit nope=1 <<<$'FROM base:1\nRUN true'
	assert_status 1
	assert_has nope
}

@test "what a RUN's key depends on beside its words: network, names of hosts, ulimits; not memory, not addresses" {
	base_new
	hits() { build "$@" 2>&1 <<<$'FROM base:1\nRUN true >/x' | grep -c '  cached$'; }
	assert_equal "$(hits)" 0
	assert_equal "$(hits --memory 64m --shm-size 1m)" 1
	assert_equal "$(hits --add-host a:192.0.2.1)" 0
	assert_equal "$(hits --add-host a:192.0.2.2)" 1
	assert_equal "$(hits --add-host b:192.0.2.2)" 0
	assert_equal "$(hits --ulimit nofile=100)" 0
	assert_equal "$(hits --ulimit nofile=100)" 1
	assert_equal "$(hits --ulimit nofile=200)" 0
	assert_equal "$(hits --network none)" 0
	assert_equal "$(hits --network none --memory 32m)" 1
}

@test "A6.14 others read the result, and it comes back with the same ID" {
	need_command podman skopeo
	base_new
	printf 'FROM base:1\nRUN echo new >/new && rm /etc/group\nCMD ["cat", "/new"]\n' | build -t x:1
	local id
	id=$(strake images -q --no-trunc x:1)
	short_folder
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	strake save -o "$STATE/tmp/x.tar" x:1
	podman load -q -i "$STATE/tmp/x.tar"
	assert_equal "sha256:$(podman images --no-trunc --format '{{.Id}}' | cut -d: -f2)" "sha256:${id#sha256:}"
	strake save --format oci-dir -o "$STATE/tmp/oci" x:1
	assert_equal "$(skopeo inspect --config "oci:$STATE/tmp/oci" | jq -c '.config.Cmd')" '["cat","/new"]'
	strake rmi -f x:1
	strake builder prune --force
	strake load -i "$STATE/tmp/x.tar"
	assert_equal "$(strake images -q --no-trunc x:1)" "$id"
	assert_equal "$(run_in x:1)" new
}

@test "COPY: where files go, what they look like, what is refused" {
	base_new
	mkdir -p "$STATE/ctx/dir/deep"
	echo a >"$STATE/ctx/a"
	echo b >"$STATE/ctx/b.txt"
	echo deep >"$STATE/ctx/dir/deep/file"
	ln -s a "$STATE/ctx/link"
	ln -s /etc/passwd "$STATE/ctx/dir/out"
	chmod 751 "$STATE/ctx/dir"
	chown 5:6 "$STATE/ctx/a"
	run -0 build -t c:1 <<-'D'
		FROM base:1
		RUN mkdir -p /real /there && ln -s real /linked && echo old >/there/a
		COPY a /plain
		COPY a /slash/
		COPY a b.txt /both/
		COPY dir /tree
		COPY dir /there
		COPY a /there
		COPY a /linked/through
		COPY link /followed
		COPY --chown=www a /www
		COPY --chown=7 --chmod=4711 a /numbers
		COPY --chmod=u=rwX,go=rX dir /modes
		COPY --exclude=dir/deep dir /without
		COPY ["b.txt", "/blank dir/"]
		COPY *.txt ?  /glob/
		WORKDIR /srv/dir
		COPY a relative
		COPY . all/
	D
	run run_in c:1 sh -c 'cat /plain /slash/a /both/b.txt /tree/deep/file /there/a /real/through /followed "/blank dir/b.txt"
		ls /glob /without; readlink /tree/out
		stat -c "%n %a %u:%g" /plain /tree /www /numbers /modes /modes/deep /modes/deep/file /there /srv/dir/relative; ls /srv/dir/all'
	assert_equal "$output" "$(printf '%s\n' a a b deep a a a b '/glob:' a b.txt '' '/without:' out /etc/passwd \
		'/plain 644 0:0' '/tree 751 0:0' '/www 644 33:33' '/numbers 4711 7:7' '/modes 755 0:0' '/modes/deep 755 0:0' '/modes/deep/file 644 0:0' \
		'/there 755 0:0' '/srv/dir/relative 644 0:0' Containerfile a b.txt dir link)"
	refused() { # INSTRUCTION TEXT
		run build <<<"FROM base:1"$'\n'"$1"
		assert_status 1
		assert_has "$2"
	}
	refused 'COPY no /x' 'Containerfile:2: no: not found in the context'
	refused 'COPY a b.txt /x' 'with several sources the destination is a directory and ends with /: /x/'
	refused 'COPY dir /etc/passwd' '/etc/passwd: Not a directory'
	refused 'COPY dir/deep/file /etc/passwd/x' '/etc/passwd: Not a directory'
	refused 'COPY --chown=nobody-here a /x' '--chown=nobody-here'
	refused 'COPY --chmod=9 a /x' "mode '9' is neither a number"
	refused 'COPY dir/out /x' 'dir/out: not found in the context'
	refused 'COPY --from=0 a /x' "0"
	refused 'COPY https://127.0.0.1/x /x' 'https://127.0.0.1/x: not found in the context'
}

@test "COPY leads nowhere outside: links of the context, of the image, .. in paths" {
	base_new
	echo outside >"$STATE/outside"
	ln -s "$STATE/outside" "$STATE/ctx/absolute"
	ln -s ../outside "$STATE/ctx/up"
	ln -s / "$STATE/ctx/slash"
	run build <<<$'FROM base:1\nCOPY absolute /x'
	assert_has 'absolute: not found in the context'
	run build <<<$'FROM base:1\nCOPY up /x'
	assert_has 'up: not found in the context'
	run build <<<$'FROM base:1\nCOPY ../outside /x'
	assert_has '../outside: not found in the context'
	# The link is the context's root, not ours.
	run -0 build -t c:1 <<<$'FROM base:1\nCOPY slash/Containerfile /x'
	# A link in the image is one in the image.
	run -0 build -t c:2 <<-D
		FROM base:1
		RUN ln -s ../../../..$STATE /escape && ln -s $STATE/tmp /absolute
		COPY Containerfile /escape/
		COPY Containerfile /absolute/new
	D
	assert_equal "$(find "$STATE" -maxdepth 2 -name Containerfile -not -path "$STATE/ctx/*"; ls "$STATE/tmp")" ""
	run -0 run_in c:2 ls "$STATE/tmp/new" "$STATE/Containerfile"
}

@test "ADD unpacks archives as safely as layers are, and nothing else" {
	base_new
	mkdir -p "$STATE/tmp/a/d"
	echo in >"$STATE/tmp/a/d/file"
	ln "$STATE/tmp/a/d/file" "$STATE/tmp/a/d/hard"
	ln -s d "$STATE/tmp/a/l"
	chown 8:9 "$STATE/tmp/a/d/file"
	tar -C "$STATE/tmp/a" -cf "$STATE/ctx/a.tar" .
	tar -C "$STATE/tmp/a" -c . | zstd -q >"$STATE/ctx/a.tar.zst"
	tar -C "$STATE/tmp/a" -cJf "$STATE/ctx/a.tar.xz" .
	: >"$STATE/ctx/empty.tar.gz"
	gzip -c "$STATE/tmp/a/d/file" >"$STATE/ctx/plain.gz"
	printf 'x\0' >"$STATE/ctx/data"
	tar -C / -cPf "$STATE/ctx/evil.tar" --transform 's,.*,../../../../../../../evil,' /bin/busybox 2>/dev/null
	run -0 build -t a:1 <<-'D'
		FROM base:1
		ADD a.tar /tar
		ADD a.tar.zst data /both/
		ADD --unpack=false a.tar /kept/
		ADD --chown=1:2 a.tar /owned/
		ADD empty.tar.gz plain.gz /files/
		ADD evil.tar /deep/dir/
	D
	run run_in a:1 sh -c 'cat /tar/d/file /tar/l/hard; stat -c "%u:%g %h" /tar/d/file; stat -c %u:%g /owned/d/file; ls /both /kept /files; test -e /evil && echo clamped'
	assert_equal "$output" "$(printf '%s\n' in in '8:9 2' 1:2 '/both:' d data l '' '/files:' empty.tar.gz plain.gz '' '/kept:' a.tar clamped)"
	[ ! -e /evil ]
	run build -t xz:1 <<<$'FROM base:1\nADD a.tar.xz /x/'
	assert_status 0
	assert_equal "$(run_in xz:1 cat /x/d/file)" in
}

@test "ignore files: the general one, one of the Containerfile's own, exceptions" {
	base_new
	mkdir -p "$STATE/ctx/"{src/deep,doc}
	touch "$STATE/ctx/"{src/a.c,src/a.o,src/deep/b.o,doc/x.md,README.md}
	printf '**/*.o\n*.md\ndoc\n!doc/x.md\n' >"$STATE/ctx/.dockerignore"
	list() { run_in "$1" sh -c 'cd /all && find . -type f | sort'; }
	build -t i:1 <<<$'FROM base:1\nCOPY . /all'
	assert_equal "$(list i:1)" $'./.dockerignore\n./Containerfile\n./doc/x.md\n./src/a.c'
	printf 'src\n' >"$STATE/ctx/.containerignore"
	build -t i:2 <<<$'FROM base:1\nCOPY . /all'
	assert_equal "$(list i:2)" $'./.containerignore\n./.dockerignore\n./Containerfile\n./README.md\n./doc/x.md'
	printf '*\n!src/deep\n' >"$STATE/ctx/Containerfile.dockerignore"
	build -t i:3 <<<$'FROM base:1\nCOPY . /all'
	assert_equal "$(list i:3)" ./src/deep/b.o
	run build <<<$'FROM base:1\nCOPY README.md /x'
	assert_has 'README.md: the context has it, but an ignore file leaves it out'
}

@test "the config: variables, SHELL, ENTRYPOINT and CMD, USER, VOLUME, ONBUILD, HEALTHCHECK" {
	base_new
	build -t parent:1 <<-'D'
		FROM base:1
		ENV HOME=/h GREETING="hello  there"
		SHELL ["/bin/sh", "-xc"]
		RUN echo $GREETING >/said 2>/dev/null
		CMD ["old"]
		ONBUILD COPY mark /mark
		ONBUILD RUN echo triggered >/trigger
	D
	touch "$STATE/ctx/mark"
	build -t child:1 --label cli=1 --label empty <<-'D'
		FROM parent:1
		ENTRYPOINT echo "$GREETING"
		USER www:root
		VOLUME /data
		EXPOSE 8080-8081/tcp
		STOPSIGNAL SIGUSR1
		LABEL l="a b" n=1
		HEALTHCHECK --interval=1m CMD ["true"]
		MAINTAINER somebody
	D
	run jq -c '.author, (.config | .Entrypoint, .Cmd, .User, .Volumes, (.ExposedPorts | keys), .StopSignal, .Labels, .Healthcheck, .Env, .OnBuild)' "$(config_of child:1)"
	assert_equal "$output" "$(printf '%s\n' '"somebody"' '["/bin/sh","-xc","echo \"$GREETING\""]' null '"www:root"' '{"/data":{}}' \
		'["8080/tcp","8081/tcp"]' '"SIGUSR1"' '{"l":"a b","n":"1","cli":"1","empty":""}' '{"Test":["CMD","true"],"Interval":60000000000}' \
		'["HOME=/h","GREETING=hello  there"]' null)"
	run -0 run_in --entrypoint cat child:1 /said /trigger
	assert_equal "$output" $'hello there\ntriggered'
}

@test "mistakes name file and line, show the line and point at the place" {
	base_new
	run build -f - <<<$'FROM base:1\nRUN true\nCOPPY a b'
	printf 'FROM base:1\n\nRUN --mount=type=cache,tarket=/x \\\n   true\n' >"$STATE/ctx/Containerfile"
	run strake build "$STATE/ctx"
	assert_status 1
	assert_has '    3 | RUN --mount=type=cache,tarket=/x \'
	assert_has "strake build: Containerfile:3: --mount=type=cache,tarket=/x: a mount of type cache has no 'tarket'"
	run strake build -f - "$STATE/ctx" <<<$'FROM base:1\n   COPPY a b'
	assert_has $'    2 |    COPPY a b\n      |    ^\nstrake build: stdin:2: unknown instruction COPPY; did you mean COPY?'
	# Of a variable it is where that stands.
	run strake build -f - "$STATE/ctx" <<<$'FROM base:1\nENV A=1 \\\n  B="x ${NO:?give it}"'
	assert_has $'    3 |   B="x ${NO:?give it}"\n      |        ^\nstrake build: stdin:3: NO: give it'
	run strake build -f - "$STATE/ctx" <<<'FROM x:${NO:?}'
	assert_has $'      |        ^\nstrake build: stdin:1: NO: not allowed to be unset'
	run strake build --target no "$STATE/ctx"
	assert_has '--target no: Containerfile has no such stage'
	run strake build "$STATE/tmp"
	assert_has "$STATE/tmp has neither a Containerfile nor a Dockerfile; --file names another"
	run strake build "$STATE/none"
	assert_has "open $STATE/none: No such file or directory"
	run strake build --pull=never - <<<'FROM not-here:1'
	assert_has "stdin:1: "
	assert_has "not-here"
	run strake --dry-run build "$STATE/ctx"
	assert_has '--dry-run'
}

@test "contexts: standard input, an archive, a Containerfile elsewhere; --iidfile, --quiet" {
	base_new
	printf 'FROM base:1\nCOPY f /f\nCMD ["cat", "/f"]\n' >"$STATE/ctx/Dockerfile"
	echo archived >"$STATE/ctx/f"
	tar -C "$STATE/ctx" -czf "$STATE/tmp/ctx.tgz" .
	run -0 --separate-stderr strake build -q -t t:1 --iidfile "$STATE/tmp/iid" - <"$STATE/tmp/ctx.tgz"
	assert_equal "$stderr" ""
	assert_equal "$(cat "$STATE/tmp/iid")" "sha256:$output"
	assert_equal "$(run_in t:1)" archived
	run -0 strake build -t t:2 "$STATE/tmp/ctx.tgz"
	assert_equal "$(run_in t:2)" archived
	run -0 strake build -t t:3 - <<<$'FROM base:1\nRUN echo alone >/alone'
	assert_equal "$(run_in t:3 cat /alone)" alone
	run strake build - <<<$'FROM base:1\nCOPY f /f'
	assert_has 'there is no context to copy from'
	printf 'FROM base:1\nCOPY f /g\n' >"$STATE/tmp/Elsewhere"
	run -0 strake build -t t:4 -f "$STATE/tmp/Elsewhere" "$STATE/ctx"
	assert_equal "$(run_in t:4 cat /g)" archived
	assert_equal "$(find "$ROOT/tmp" -mindepth 1 | wc -l)" 0
}

@test "a build that is killed at any moment leaves the store whole" {
	base_new
	mkdir "$STATE/ctx/many"
	for i in $(seq 300); do echo "$i" >"$STATE/ctx/many/$i"; done
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		COPY many /many
		RUN cp -r /many /more
		COPY many /again
		RUN rm -r /many
	D
	local pid never
	exec {never}<> <(:)
	for i in $(seq 12); do
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --no-cache -t k:1 "$STATE/ctx" >/dev/null 2>&1 3>&- &
		pid=$!
		# Some time that differs; nobody writes to this pipe.
		read -r -t "0.$(printf %03d $((i * 27)))" -u "$never" || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	exec {never}>&-
	soon all_gone
	run strake image check
	assert_equal "$output" "nothing is wrong"
	run -0 strake build -t k:1 "$STATE/ctx"
	assert_equal "$(run_in k:1 sh -c 'ls /more | wc -l; ls -d /many 2>&1')" $'300\nls: /many: No such file or directory'
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "builds at the same time share what they keep" {
	base_new
	seq 500 >"$STATE/ctx/file"
	printf 'FROM base:1\nCOPY file /file\nRUN sort -r /file >/sorted\nRUN rm /file\n' >"$STATE/ctx/Containerfile"
	local pids=() pid
	for i in 1 2 3; do
		strake build -t "same:$i" "$STATE/ctx" >/dev/null 2>&1 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	for i in 1 2 3; do
		assert_equal "$(run_in "same:$i" head -n 1 /sorted)" 99
	done
	run -0 --separate-stderr strake build "$STATE/ctx"
	assert_equal "$(grep -c '^#[0-9]*   cached' <<<"$stderr")" 3
	assert_equal "$(strake system check)" "nothing is wrong"
}
