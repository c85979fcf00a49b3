#!/usr/bin/env bats
# Working containers: an image in the making, by hand.
# shellcheck disable=SC2016,SC2086,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx"
}
builder() { strake builder "$@"; }
config_of() { # IMAGE: the config document
	echo "$ROOT/blobs/sha256/$(strake images -q --no-trunc "$1" | head -n 1 | cut -d: -f2)"
}
run_in() { strake run --rm --network none "$@"; }
layers() { find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l; }
whole() { [ "$(strake system check)" = "nothing is wrong" ]; }

@test "A6.7 step by step from a shell script: the same image as of the file, to the byte" {
	base_new
	cd "$STATE/ctx"
	echo page >page
	mkdir dir
	echo 1 >dir/one
	tar -cf more.tar dir
	export SOURCE_DATE_EPOCH=1000000000
	cat >Containerfile <<-'D'
		FROM base:1
		MAINTAINER Somebody
		ENV A="b c" PATH=/opt:/bin
		LABEL what="it's \"quoted\" $A"
		RUN echo "$A" >/made && rm /etc/group
		COPY --chown=33:33 --chmod=600 page /srv/
		COPY dir page /all/
		ADD more.tar /unpacked/
		WORKDIR /place/here
		RUN ["touch", "a file"]
		USER www
		EXPOSE 80/tcp 53/udp
		VOLUME /data
		SHELL ["/bin/sh", "-ec"]
		ENTRYPOINT ["/bin/cat", "/made"]
		CMD ["a", "b c"]
		STOPSIGNAL INT
		HEALTHCHECK --interval=5s --retries=2 CMD true || exit 1
		ONBUILD RUN touch /child
	D
	file=$(strake build -q -t file:1 .)
	c=$(builder from base:1)
	assert_equal "$c" base-working-container
	builder config --author Somebody --env 'A=b c' --env PATH=/opt:/bin $c
	builder config --label "what=it's \"quoted\" \$A" $c
	builder run $c -- /bin/sh -c 'echo "$A" >/made && rm /etc/group'
	builder copy --chown 33:33 --chmod 600 $c page /srv/
	builder copy $c dir page /all/
	builder add $c more.tar /unpacked/
	builder config --workingdir /place/here $c
	builder run $c touch 'a file'
	builder config --user www --port 80/tcp --port 53/udp --volume /data --shell '["/bin/sh", "-ec"]' \
		--entrypoint '["/bin/cat", "/made"]' --cmd 'a "b c"' --stop-signal INT \
		--healthcheck 'CMD true || exit 1' --healthcheck-interval 5s --healthcheck-retries 2 --onbuild 'RUN touch /child' $c
	run -0 builder commit --iidfile "$STATE/tmp/iid" --rm $c hand:1
	hand=$output
	# What differs is named before the digests are.
	assert_equal "$(jq -S 'del(.history)' "$(config_of hand:1)")" "$(jq -S 'del(.history)' "$(config_of file:1)")"
	assert_equal "$(jq -c '.history[]' "$(config_of hand:1)")" "$(jq -c '.history[]' "$(config_of file:1)")"
	assert_equal "$hand" "$file"
	assert_equal "$(cat "$STATE/tmp/iid")" "sha256:$file"
	assert_equal "$(builder ps -q)" ""
	whole
}

@test "builder run: input, output, exit status, options; what a failing command did stays" {
	base_new
	c=$(builder from --name mine base:1)
	assert_equal "$c" mine
	assert_equal "$(echo words | builder run mine cat)" words
	run -7 builder run mine -- sh -c 'echo half >/half; exit 7'
	run -0 builder run mine cat /half
	assert_equal "$output" half
	run -0 builder run --user www --workingdir /var/www --env X=1 mine sh -c 'id -u; pwd; echo $X'
	assert_equal "$output" $'33\n/var/www\n1'
	mkdir "$STATE/tmp/host"
	builder run -v "$STATE/tmp/host:/host" --network none mine sh -c 'echo >/host/there; test ! -e /sys/class/net/eth0'
	[ -e "$STATE/tmp/host/there" ]
	echo s3cret >"$STATE/tmp/secret"
	run -0 builder run --secret id=s,src="$STATE/tmp/secret" --mount type=secret,id=s mine cat /run/secrets/s
	assert_equal "$output" s3cret
	run grep -rl s3cret "$ROOT" "$RUN"
	assert_equal "$output" ""
	run -127 builder run mine no-such-program
	run builder run other true
	assert_status 125
	assert_has "no working container other; 'strake builder ps' lists them"
	# Only what changed something is a layer.
	builder commit mine done:1
	assert_equal "$(strake image inspect done:1 | jq '.[0].Layers | length')" 2
	assert_equal "$(jq -r '.config | .User, .WorkingDir, .Env' "$(config_of done:1)")" $'null\nnull\nnull'
	# It may go on after a commit.
	builder run mine touch /later
	builder commit -q mine done:2
	assert_equal "$(run_in done:2 ls /half /later)" $'/half\n/later'
	builder rm mine
	strake rmi done:1 done:2 >/dev/null
	assert_equal "$(layers)" 1
	whole
}

@test "builder mount: what is written there is a layer, seen by the steps, and as they change it" {
	base_new
	c=$(builder from base:1)
	m=$(builder mount $c)
	assert_equal "$(cat "$m/etc/passwd")" "$(cat "$STATE/tree/etc/passwd")"
	echo from outside >"$m/outside"
	rm "$m/etc/group"
	run -0 builder run $c sh -c 'cat /outside; ls /etc; echo inside >/inside'
	assert_equal "$output" $'from outside\nhostname\nhosts\npasswd\nresolv.conf'
	# The same place, one layer more.
	assert_equal "$(cat "$m/inside")" inside
	assert_equal "$(builder mount $c)" "$m"
	assert_has2() { [[ $(builder mount) == *"$c"*"$m"* ]]; }
	assert_has2
	echo more >>"$m/inside"
	# Somebody in there would go on writing to what is a layer by then.
	background sh -c "cd $m && echo >$STATE/tmp/in && exec tail -f /dev/null"
	inside=$!
	soon test -e "$STATE/tmp/in"
	run builder commit $c no:1
	assert_status 1
	assert_has "$c is mounted at $m, and somebody is in there; leave it first"
	kill $inside
	wait $inside || true
	builder commit $c yes:1
	assert_equal "$(run_in yes:1 cat /outside /inside)" $'from outside\ninside\nmore'
	builder umount $c
	assert_equal "$(mountpoint -q "$m" && echo mounted)" ""
	builder umount --all
	builder rm --all
	whole
}

@test "builder from scratch, a squash, other times, names" {
	base_new
	echo static >"$STATE/ctx/file"
	c=$(builder from scratch)
	run builder run $c true
	assert_has 'there is nothing in scratch that could run'
	m=$(builder mount $c)
	cp "$STATE/tree/bin/busybox" "$m/sh"
	builder copy $c "$STATE/ctx/file" /file
	builder run $c /sh -c 'echo 1 >/one'
	builder run $c /sh -c 'echo 2 >/one; rm /file' || true
	builder commit --timestamp 1000000000 $c plain:1
	builder commit --squash --timestamp 1000000000 $c one:1
	assert_equal "$(strake image inspect plain:1 | jq '.[0].Layers | length')" 4
	assert_equal "$(strake image inspect one:1 | jq '.[0].Layers | length')" 1
	assert_equal "$(run_in plain:1 /sh -c 'echo *; read x </one; echo $x')" "$(run_in one:1 /sh -c 'echo *; read x </one; echo $x')"
	assert_equal "$(jq -r '.created, (.history[].created)' "$(config_of plain:1)" | sort -u)" 2001-09-09T01:46:40.000000000Z
	assert_equal "$(jq -r '.created' "$(config_of one:1)")" 2001-09-09T01:46:40.000000000Z
	# A second commit of the same is the same.
	assert_equal "$(builder commit --timestamp 1000000000 $c)" "$(strake images -q --no-trunc plain:1 | cut -d: -f2)"
	builder config --created-by 'by me' --annotation org.example.a=b --annotation 'c=d e' $c
	builder commit $c named:1
	mkdir "$STATE/tmp/layout"
	strake save --format oci-dir -o "$STATE/tmp/layout" named:1
	manifest=$(jq -r '.manifests[0].digest' "$STATE/tmp/layout/index.json")
	assert_equal "$(jq -c .annotations "$STATE/tmp/layout/blobs/sha256/${manifest#sha256:}")" '{"org.example.a":"b","c":"d e"}'
	assert_equal "$(strake history --format '{{.CreatedBy}}' named:1 | head -n 1)" 'by me'
	d=$(builder from base:1)
	e=$(builder from base:1)
	assert_equal "$d $e" 'base-working-container base-working-container-1'
	run builder from --name "$d" base:1
	assert_has "the name '$d' is taken; 'strake builder rm $d' frees it"
	assert_equal "$(builder ps --format '{{.Name}} {{.Image}}' | sort)" "$(printf '%s\n' 'base-working-container base:1' 'base-working-container-1 base:1' 'scratch-working-container scratch')"
	run builder from nothing:1 --pull=never
	assert_status 1
	assert_equal "$(builder ps -q | wc -l)" 3
	# The image is not needed any more.
	strake rmi -f base:1
	builder run $d touch /x
	builder commit $d kept:1
	builder rm -a
	whole
}

@test "a killed builder command leaves nothing half, and what is left is found" {
	base_new
	run builder from base:1 --dry-run
	assert_has 'stock tools cannot fill the image store; nothing was done'
	c=$(builder from base:1)
	# What it takes is counted, and told apart from what can go.
	df() { strake system df --bytes --format "{{.Type}} $1" | sed -n "s/^$2 //p"; }
	assert_equal "$(df '{{.TotalCount}}' Containers)" 1
	assert_equal "$(df '{{.Size}}' Total)" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	printf 'FROM base:1\nRUN head -c 100000 /dev/zero >/f\n' | strake build -q - >/dev/null
	strake rmi "$(strake images -q | head -n 1)" >/dev/null
	[ "$(df '{{.Reclaimable}}' 'Build cache')" -gt 100000 ]
	assert_equal "$(df '{{.Size}}' Total)" "$(du -s --block-size=1 "$ROOT" | cut -f1)"
	strake builder prune --force >/dev/null
	assert_equal "$(df '{{.Size}}' 'Build cache')" 0
	run strake --explain builder run $c touch /before
	assert_has '+ mkdir -p'
	mkfifo "$STATE/tmp/go"
	step() { exec "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" builder run -v "$STATE/tmp:/host" $c sh -c 'echo half >/half; echo >/host/there; cat /host/go'; }
	background step
	pid=$!
	soon test -e "$STATE/tmp/there"
	# Somebody works on it.
	run builder rm $c
	assert_status 1
	assert_has "another command works on $c"
	kill -KILL $pid
	wait $pid || true
	soon eval '[ -z "$(strake ps -aq)" ]'
	run builder run $c ls /before /half
	assert_has '/before'
	assert_has '/half: No such file'
	builder run $c touch /after
	whole
	# A lost database, and files that belong to nothing.
	mkdir "$ROOT/working/$(printf '%064d' 0)"
	strake ps >/dev/null
	assert_equal "$(find "$ROOT/working" -mindepth 1 -maxdepth 1 | wc -l)" 1
	rm "$ROOT"/state.db*
	whole
	assert_equal "$(builder run $c ls /after)" /after
	builder rm $c
	assert_equal "$(layers)" 1
	whole
}

@test "A6.12 a build inside a container: the same image as outside, and the container's own root stays untouched" {
	mkdir -p "$STATE/tree/usr/libexec/strake" "$STATE/inner/ctx"
	rootfs_new "$STATE/tree"
	mkdir -p "$STATE/tree/usr/bin"
	cp "$PROGRAMS/strake" "$STATE/tree/usr/bin/"
	cp "$PROGRAMS"/strake-{build,monitor,image} "$STATE/tree/usr/libexec/strake/"
	ldd "$PROGRAMS"/strake{,-build,-monitor,-image} | grep -o '/[^ :]* (' | sort -u | while read -r lib _; do
		mkdir -p "$STATE/tree${lib%/*}"
		cp -L "$lib" "$STATE/tree$lib"
	done
	strake import "$STATE/tree" tools:1 >/dev/null
	mkdir -p "$STATE/small/bin"
	cp /bin/busybox "$STATE/small/bin/sh"
	tar -C "$STATE/small" -cf "$STATE/inner/base.tar" .
	echo f >"$STATE/inner/ctx/f"
	printf 'FROM base:1\nRUN echo made >/made; rm -f /bin/nothing\nCOPY f /f\nRUN --network=none : >/etc-is-mine\n' >"$STATE/inner/ctx/Containerfile"
	export SOURCE_DATE_EPOCH=1000000000
	strake import "$STATE/inner/base.tar" base:1 >/dev/null
	outside=$(strake build -q --network none "$STATE/inner/ctx")
	run -0 --separate-stderr strake run --name outer --privileged --network none -v "$STATE/inner:/inner" -e SOURCE_DATE_EPOCH=1000000000 tools:1 sh -ec '
		strake() { /usr/bin/strake --root /inner/store --run-root /inner/run "$@"; }
		strake import /inner/base.tar base:1 >/dev/null
		strake build -q --network none -t in:1 /inner/ctx
		strake run --rm --network none in:1 /bin/sh -c "read x </made; echo \$x"'
	# The base's time is that of its import, and all else is the same.
	inside=$(head -n 1 <<<"$output")
	assert_equal "$(jq -c 'del(.history[0])' "$STATE/inner/store/blobs/sha256/$inside")" "$(jq -c 'del(.history[0])' "$ROOT/blobs/sha256/$outside")"
	assert_equal "$(tail -n 1 <<<"$output")" made
	# Nothing of it lies in the root of who builds.
	assert_equal "$(strake diff outer)" ""
}

@test "A8.9 a compiler in a container with a volume: the program appears in the directory, owned by who asked" {
	[ -x /usr/bin/gcc ] || skip "gcc is not installed"
	mkdir -p "$STATE/tree/usr" "$STATE/tree/tmp" "$STATE/tree/etc" "$STATE/src"
	chmod 1777 "$STATE/tree/tmp"
	for dir in bin lib lib64 sbin; do ln -s "usr/$dir" "$STATE/tree/$dir"; done
	echo 'root:x:0:0::/:/bin/sh' >"$STATE/tree/etc/passwd"
	strake import "$STATE/tree" gcc:1 >/dev/null
	printf '#include <stdio.h>\nint main(void) { return puts("hello out of a builder") < 0; }\n' >"$STATE/src/hello.c"
	chown -R 1234:1234 "$STATE/src"
	run -0 strake run --rm --network none -v /usr:/usr:ro -v "$STATE/src:/src" -w /src --user 1234:1234 gcc:1 /usr/bin/gcc -o hello hello.c
	assert_equal "$(stat -c '%u:%g %a' "$STATE/src/hello")" '1234:1234 755'
	assert_equal "$("$STATE/src/hello")" 'hello out of a builder'
	rm "$STATE/src/hello"
	# By hand, into the image as well.
	c=$(builder from gcc:1)
	builder run --network none -v /usr:/usr:ro -v "$STATE/src:/src" -w /src --user 1234:1234 $c /usr/bin/gcc -o hello hello.c
	assert_equal "$(stat -c '%u:%g' "$STATE/src/hello")" 1234:1234
	builder copy $c "$STATE/src/hello" /hello
	builder config --cmd /hello $c
	builder commit -q --rm $c hello:1
	assert_equal "$(run_in -v /usr:/usr:ro hello:1)" 'hello out of a builder'
	# What it was shown is no part of it.
	assert_equal "$(find "$ROOT"/layers/*/diff -maxdepth 1 -name src)" ""
}

@test "buildah's options: what config takes away, what no instruction says, commit's manifest and index, files of another" {
	base_new
	cd "$STATE/ctx"
	echo one >one
	c=$(builder from -q --pull-never --os linux --arch amd64 --cidfile "$STATE/tmp/cid" base:1)
	assert_equal "$(cat "$STATE/tmp/cid")" "$(builder ps -q --no-trunc)"
	builder config --env A=1 --env B=2 --env A- --label x=y --label z=w --port 80 --port 81/udp --port 80- --volume /v --volume /w --volume /v- \
		--annotation k=v --annotation gone=1 --annotation gone- --arch arm64 --os linux --variant v8 --os-version 1 --os-feature f --comment 'on it' \
		--hostname hh --domainname dd --unsetlabel z --healthcheck 'CMD true' --healthcheck-start-interval 2s --add-history "$c"
	builder copy -q --add-history --chown www:www $c one /
	builder config --history-comment 'beside it' $c
	run -0 builder commit -q --format docker --manifest list:1 --unsetenv B $c app:1
	assert_equal "$output" ''
	assert_equal "$(jq -c '[.architecture, .variant, ."os.version", ."os.features", .comment, .config.Hostname, .config.Domainname]' "$(config_of app:1)")" \
		'["arm64","v8","1",["f"],"on it","hh","dd"]'
	assert_equal "$(jq -c '[.config.Env, .config.Labels, .config.ExposedPorts, .config.Volumes, .config.Healthcheck.StartInterval]' "$(config_of app:1)")" \
		'[[],{"x":"y"},{"81/udp":{}},{"/w":{}},2000000000]'
	assert_equal "$(jq -c '.history[-1].comment' "$(config_of app:1)")" '"beside it"'
	assert_equal "$(strake manifest inspect list:1 | jq -c '.manifests | length')" 1
	assert_equal "$(strake manifest inspect app:1 | jq -r .mediaType)" application/vnd.docker.distribution.manifest.v2+json
	builder config --env - --label - --annotation - $c
	builder commit -q --omit-history $c app:2
	assert_equal "$(jq -c '[.config.Env, .config.Labels, .history]' "$(config_of app:2)")" '[null,null,null]'
	# Files of another working container.
	two=$(builder from scratch)
	builder copy --from $c $two /one /from-it
	builder copy --link --parents $two one /p/
	builder commit -q $two two:1
	shown=$(strake image mount two:1)
	assert_equal "$(cat "$shown/from-it" "$shown/p/one")" $'one\none'
	assert_equal "$(stat -c %u:%g "$shown/from-it")" 33:33
	strake image unmount two:1 >/dev/null
	run builder copy --checksum sha256:x $c one /
	assert_status 1
	assert_has 'are for builder add'
	run builder run --isolation chroot $c true
	assert_status 125
	assert_has '--isolation can only be'
	run builder from --memory 1g base:1
	assert_equal "$output" 'strake builder from: --memory: that is for each command: builder run --memory'
	# Why an image cannot be had is said.
	run builder from --tls-verify=false --pull=always 127.0.0.1:1/none:1
	assert_status 1
	assert_has '127.0.0.1'
	assert_has 'onnect'
	assert_equal "$(builder containers --json | jq -rs 'map(.Name) | sort | join(" ")')" 'base-working-container scratch-working-container'
	builder unmount --all
	builder delete $c $two >/dev/null
	assert_equal "$(builder ps -q)" ''
	whole
}
