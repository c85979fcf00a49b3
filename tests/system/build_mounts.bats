#!/usr/bin/env bats
# RUN --mount: keys through an agent, secrets as variables, binds that are mounts.
# shellcheck disable=SC2016,SC2153
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	mkdir -p "$STATE/ctx"
	cd "$STATE/ctx" || return
}
base_import() { strake import "$STATE/tree" base:1 >/dev/null; }
# A program with what it is linked to.
base_add() { # PROGRAM
	local file
	for file in "$1" $(ldd "$1" | grep -o '/[^ ]*'); do
		mkdir -p "$STATE/tree${file%/*}"
		cp -L "$file" "$STATE/tree$file"
	done
}

@test "A6.9 RUN --mount=type=ssh: keys are used through a socket, and are nowhere" {
	need_command ssh-agent ssh-add ssh-keygen
	base_new
	base_add /usr/bin/ssh-add
	base_import
	ssh-keygen -q -t ed25519 -N '' -C the-key -f "$STATE/key"
	ssh-keygen -q -t ed25519 -N '' -C other-key -f "$STATE/key2"
	cat >Containerfile <<-'END'
		FROM base:1
		RUN --mount=type=ssh ssh-add -l >/one; echo $SSH_AUTH_SOCK >>/one; ssh-add -D 2>>/one || echo refused >>/one; ssh-add -l >>/one
		RUN --mount=type=ssh,id=two,target=/tmp/sock,mode=0666,uid=5 stat -c '%a %u' /tmp/sock >/two; ssh-add -l | wc -l >>/two
		RUN --mount=type=ssh,id=none [ -z "$SSH_AUTH_SOCK" ]
		RUN [ ! -e /run/buildkit ] && [ ! -e /tmp/sock ]
	END
	strake build -q -t x --ssh "default=$STATE/key" --ssh "two=$STATE/key,$STATE/key2" . >/dev/null
	strake run --rm --network none x cat /one >"$STATE/one"
	[ "$(grep -c '(ED25519)' "$STATE/one")" = 2 ]
	grep -q '^256 .* the-key (ED25519)$' "$STATE/one"
	grep -qx /run/buildkit/ssh_agent.0 "$STATE/one"
	grep -qx refused "$STATE/one"
	[ "$(strake run --rm --network none x cat /two)" = "$(printf '666 5\n2')" ]
	run grep -rl "$(sed -n 2p "$STATE/key")" "$ROOT" "$RUN"
	[ -z "$output" ]
	[ -z "$(ls -A "$RUN/build")" ]
	soon no_processes
	# The caller's own agent; what is needed and not given; what is no key.
	short_folder
	background ssh-agent -D -a "$SHORT/agent" >/dev/null
	soon test -S "$SHORT/agent"
	SSH_AUTH_SOCK=$SHORT/agent ssh-add -q "$STATE/key2"
	printf 'FROM base:1\nRUN --mount=type=ssh,required ssh-add -l >/k\n' >Containerfile
	SSH_AUTH_SOCK=$SHORT/agent strake build -q -t y --ssh default . >/dev/null
	strake run --rm --network none y cat /k | grep -q other-key
	run ! strake build -q --no-cache .
	[[ $output == *"Containerfile:2: an ssh key default is needed; --ssh default or --ssh default=FILE gives it" ]]
	SSH_AUTH_SOCK='' run ! strake build -q --no-cache --ssh default .
	[[ $output == *"--ssh: there is no agent"* ]]
	echo nonsense >"$STATE/bad" && chmod 600 "$STATE/bad"
	run ! strake build -q --no-cache --ssh "default=$STATE/bad" .
	[[ $output == *"--ssh $STATE/bad: ssh-add: "* ]]
	soon no_processes_but_agent
}
no_processes_but_agent() { [ -z "$(ls -A "$RUN/build")" ]; }

@test "A6.9 a secret as a variable is in no file of the store, no history, no container's record" {
	base_new
	base_import
	printf 'open-sesame' >"$STATE/secret"
	cat >Containerfile <<-'END'
		FROM base:1
		RUN --mount=type=secret,id=s,env=TOKEN [ ! -e /run/secrets/s ] && echo ${#TOKEN} >/len
		RUN --mount=type=secret,id=s,env=A,target=/tmp/s --mount=type=secret,id=t,env=B [ "$A$B" = "$(cat /tmp/s)two" ]
		USER 33
		RUN --mount=type=secret,id=s,env=TOKEN ["sh", "-c", "[ ${#TOKEN} = 11 ]"]
		RUN --mount=type=secret,id=absent,env=TOKEN [ -z "$TOKEN" ]
		RUN [ -z "$TOKEN" ] && [ ! -e /dev/strake-env ]
	END
	two=two strake build -q -t x --secret "id=s,src=$STATE/secret" --secret id=t,env=two . >/dev/null
	[ "$(strake run --rm --network none x cat /len)" = 11 ]
	run grep -rl open-sesame "$ROOT" "$RUN"
	[ -z "$output" ]
	# While it runs, too.
	mkfifo "$STATE/fifo"
	printf 'FROM base:1\nRUN --mount=type=secret,id=s,env=TOKEN --network=none echo up; exec tail -f /dev/null\n' >Containerfile
	background strake build --progress plain --secret "id=s,src=$STATE/secret" . 2>"$STATE/said"
	soon grep -q ' up$' "$STATE/said"
	run grep -rl open-sesame "$ROOT"
	[ -z "$output" ]
	strake ps -q | xargs "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" inspect >"$STATE/inspect"
	run ! grep open-sesame "$STATE/inspect"
	kill -TERM $! && wait $! || true
	printf 'a\0b' >"$STATE/zero"
	printf 'FROM base:1\nRUN --mount=type=secret,id=s,env=TOKEN true\n' >Containerfile
	run ! strake build -q --secret "id=s,src=$STATE/zero" .
	[[ $output == *"the secret s has a zero byte and cannot be a variable" ]]
}

@test "RUN --mount=type=bind mounts the files themselves: ignored ones hidden, writes lost, layers as they are together" {
	base_new
	base_import
	mkdir -p src/deep src/out src/keep
	echo one >src/one
	echo two >src/deep/two
	touch src/x.o src/deep/y.o src/out/z src/keep/a src/keep/b
	chmod 750 src
	printf '**/*.o\nsrc/out\nsrc/keep\n!src/keep/a\n' >.dockerignore
	cat >Containerfile <<-'END'
		FROM base:1 AS layers
		RUN mkdir -p /t/sub /t/gone && echo low >/t/low && echo low >/t/both && echo x >/t/gone/x && ln -s t /link
		RUN echo high >/t/both && rm -r /t/gone && echo new >/t/sub/new
		RUN rm -r /t/sub && mkdir /t/sub && echo fresh >/t/sub/fresh
		FROM base:1
		RUN --mount=target=/c,source=src find /c | sort >/all && stat -c %a /c >/mode && grep ' /c ' /proc/mounts >/how && ! touch /c/no
		RUN --mount=target=/c,source=src,rw rm -r /c/deep && echo more >>/c/one && touch /c/new && cat /c/one >/written
		RUN --mount=target=/c,source=src cat /c/one /c/deep/two >/again && [ ! -e /c/new ]
		RUN --mount=target=/one,source=src/one cat /one >/file && ! echo x >/one
		RUN --mount=target=/one,source=src/one,rw echo x >>/one && cat /one >/file2
		RUN --mount=target=/l,from=layers,source=/link find /l | sort >/layers && cat /l/low /l/both >>/layers
		RUN --mount=target=/l,from=layers,source=/t/sub,rw touch /l/w && ls /l >/sub
		RUN --mount=target=/l,from=layers,source=/t/both cat /l >/both
		RUN [ ! -e /c ] && [ ! -e /l ] && [ ! -e /one ]
	END
	strake build -q -t x . >/dev/null
	strake run --rm --network none x sh -c 'cat /all /mode /written /again /file /file2 /layers /sub /both' >"$STATE/got"
	diff -u - "$STATE/got" <<-'END'
		/c
		/c/deep
		/c/deep/two
		/c/keep
		/c/keep/a
		/c/one
		750
		one
		more
		one
		two
		one
		one
		x
		/l
		/l/both
		/l/low
		/l/sub
		/l/sub/fresh
		low
		high
		fresh
		w
		high
	END
	[ "$(cat src/one)" = one ] && [ ! -e src/new ] && [ -e src/deep/two ]
	strake run --rm --network none x cat /how | grep -q ' overlay ro,'
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

@test "ADD unpacks archives that are packed with bzip2 and xz, and what is damaged is said" {
	need_command bzip2 xz
	base_new
	mkdir -p "$STATE/pack/p"
	echo packed >"$STATE/pack/p/file"
	tar --owner=7 --group=8 --mtime=@0 -C "$STATE/pack" -cf "$STATE/p.tar" p
	bzip2 -k -c "$STATE/p.tar" >p.tar.bz2
	xz -k -c "$STATE/p.tar" >p.txz
	xz -k -c "$STATE/ctx/p.tar.bz2" >noarchive.xz
	printf 'FROM scratch\nADD p.tar.bz2 /b/\nADD p.txz /x/\nADD noarchive.xz /n/\nADD --unpack=false p.txz /u/\n' >Containerfile
	strake build -q -t x . >/dev/null
	root=$(strake image mount x)
	[ "$(cat "$root/b/p/file" "$root/x/p/file")" = "$(printf 'packed\npacked')" ]
	[ "$(stat -c %u:%g "$root/x/p/file")" = 7:8 ]
	cmp "$root/n/noarchive.xz" noarchive.xz
	cmp "$root/u/p.txz" p.txz
	strake image unmount x
	head -c 500000 /dev/urandom >"$STATE/pack/p/big"
	tar -C "$STATE/pack" -cf - p | xz -c | head -c 400000 >cut.tar.xz
	printf 'FROM scratch\nADD cut.tar.xz /x/\n' >Containerfile
	run ! strake build -q .
	[[ $output == *"Containerfile:2: unpack cut.tar.xz: "* ]]
	printf 'FROM scratch\nCOPY p.txz /\n' >Containerfile
	tar -cf - p.txz Containerfile | bzip2 | strake build -q - >/dev/null
}

@test "RUN --mount=type=cache,from=: a cache begins as files of a stage, and goes on from there" {
	base_new
	base_import
	cat >Containerfile <<-'END'
		FROM base:1 AS seed
		RUN mkdir -p /s/deep && echo first >/s/deep/file && chown -R 5:6 /s && chmod 2750 /s/deep
		FROM base:1
		ARG n
		RUN --mount=type=cache,target=/c,from=seed,source=/s,uid=7 cat /c/deep/file; stat -c '%u:%g %a' /c /c/deep >>/looks; echo "$n" >>/c/deep/file; cat /c/deep/file >/said
	END
	strake build -q -t x:1 --build-arg n=1 . >/dev/null
	strake build -q -t x:2 --build-arg n=2 . >/dev/null
	assert_equal "$(strake run --rm --network none x:2 cat /said)" $'first\n1\n2'
	assert_equal "$(strake run --rm --network none x:1 cat /looks)" $'7:6 755\n5:6 2750'
	# Other files are another cache.
	sed -i 's/echo first/echo other/' Containerfile
	strake build -q -t x:3 --build-arg n=3 . >/dev/null
	assert_equal "$(strake run --rm --network none x:3 cat /said)" $'other\n3'
	sed -i 's,source=/s,source=/s/deep/file,' Containerfile
	run strake build .
	assert_status 1
	assert_has "Containerfile:5: --mount: a cache begins as a directory, which '/s/deep/file' of seed is not"
}

@test "capabilities and other attributes of files in an image: they come along, and files with others are others" {
	need_command setcap getcap setfattr getfattr
	base_new
	base_import
	echo prog >"$STATE/tree/prog"
	chmod 755 "$STATE/tree/prog"
	printf 'FROM base:1\nCOPY --from=has:1 /prog /a\nCOPY --from=has:1 --chown=33 /prog /b\nCOPY --from=has:1 /etc /c\n%s' \
		$'FROM base:1\nRUN --mount=type=bind,from=has:1,target=/m true\n' >Containerfile
	strake import "$STATE/tree" has:1 >/dev/null
	strake build -q --skip-unused-stages=false . >/dev/null
	setcap cap_net_raw+ep "$STATE/tree/prog" || skip "no capabilities of files here"
	setfattr -n user.note -v yes "$STATE/tree/etc"
	strake import "$STATE/tree" has:1 >/dev/null
	run -0 --separate-stderr strake build --skip-unused-stages=false --explain-cache .
	[ "$(grep -c 'the files that it reads have changed' <<<"$stderr")" = 2 ]
	[ "$(grep -c '  cached$' <<<"$stderr")" = 0 ]
	strake build -q --target 0 -t x . >/dev/null
	shown=$(strake image mount x)
	[ "$(getcap "$shown/a" "$shown/b" | grep -c cap_net_raw)" = 2 ]
	[ "$(getfattr --absolute-names --only-values -n user.note "$shown/c")" = yes ]
	strake image unmount x >/dev/null
}
