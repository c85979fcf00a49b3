#!/usr/bin/env bats
# Builds beside other commands, killed, and with hostile input.
# shellcheck disable=SC2016,SC2046,SC2086,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx"
}
build() {
	cat >"$STATE/ctx/Containerfile"
	strake build "$@" "$STATE/ctx"
}
run_in() { strake run --rm --network none "$@"; }
# A step that waits until its cache's pipe is written to; $pipe is that pipe.
waiting_build() { # OPTIONS...
	build_it() { exec "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build "$@" "$STATE/ctx" >"$STATE/tmp/out" 2>&1; }
	background build_it "$@"
	BUILD=$!
	soon compgen -G "$ROOT/volumes/build-cache-*/_data/go"
	pipe=$(compgen -G "$ROOT/volumes/build-cache-*/_data/go")
}

@test "images and the cache are removed while a long RUN goes on, and what it stands on stays" {
	base_new
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN echo below >/below
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go; cat /below >/above
	D
	strake tag base:1 other:1
	waiting_build -t w:1
	# Neither waits for the step.
	run -0 strake rmi base:1
	run -0 strake image rm -f other:1
	run -0 strake builder prune --force
	assert_has 'Steps forgotten: 1'
	run -0 strake image prune --all --force
	assert_equal "$(strake images -q | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
	echo go >"$pipe"
	wait "$BUILD"
	assert_equal "$(run_in w:1 cat /above)" below
	# The base's own image is gone; with this one the last of it goes.
	strake rmi w:1
	strake builder prune --force
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "layers that only a failed or killed build still needed go with it" {
	base_new
	printf 'FROM base:1\nRUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go; exit 3\n' >"$STATE/ctx/Containerfile"
	waiting_build
	strake rmi base:1
	echo go >"$pipe"
	wait "$BUILD" || true
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	strake import "$STATE/tree" base:1
	rm "$pipe"
	waiting_build
	strake rmi base:1
	kill -KILL "$BUILD"
	wait "$BUILD" || true
	soon no_processes
	strake images
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
}

# One process of a build that goes on, by its kind; nothing if there is none just now.
victim() { # KIND FRONT
	local dir line comm parent
	[ "$1" != front ] || echo "$2"
	for dir in /proc/[0-9]*; do
		{ read -r line <"$dir/stat"; } 2>/dev/null || continue
		comm=${line#*(} comm=${comm%)*}
		read -r _ parent _ <<<"${line##*) }"
		case $1 in
		worker) [ "$parent" != "$2" ] || { echo "${dir#/proc/}" && return; } ;;
		monitor) [ "$comm" != strake-monitor ] || { echo "${dir#/proc/}" && return; } ;;
		init) [ "$(cat "/proc/$parent/comm" 2>/dev/null)" != strake-monitor ] || { echo "${dir#/proc/}" && return; } ;;
		esac
	done
}

@test "a RUN ends with its build, its worker or builder run, whatever is killed with it" {
	base_new
	# With two stages there are workers.
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1 AS one
		RUN echo one >/one
		FROM base:1
		COPY --from=one /one /
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go
	D
	mounts_are_ours
	local kinds kind c pid
	# Alone, or with others at once; by the front itself with --jobs 1.
	for kinds in front worker "front worker" "front worker monitor" "worker monitor" jobs1 "jobs1 monitor"; do
		rm -rf "$ROOT"/volumes/build-cache-*
		case $kinds in
		jobs1*) waiting_build --jobs 1 ;;
		*) waiting_build ;;
		esac
		soon test -n "$(victim init "$BUILD")"
		assert_equal "$(strake ps -q | wc -l)" 1
		for kind in ${kinds/jobs1/front}; do victim "$kind" "$BUILD"; done >"$STATE/tmp/victims"
		[ "$(wc -l <"$STATE/tmp/victims")" = "$(wc -w <<<"$kinds")" ]
		# All of them at one moment, before one hears of another.
		xargs kill -STOP <"$STATE/tmp/victims"
		xargs kill -KILL <"$STATE/tmp/victims"
		wait "$BUILD" || true
		# Without a monitor it is the next command that ends it.
		case $kinds in *monitor*) strake images >/dev/null ;; esac
		soon no_processes
		assert_equal "$(strake ps -aq)" ""
		assert_equal "$(strake image check)" "nothing is wrong"
		no_new_mounts
	done
	# By hand it is the same.
	c=$(strake builder from base:1)
	by_hand() { exec "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" builder run "$c" sh -c 'echo here; read x' < <(exec tail -f /dev/null) >"$STATE/tmp/out" 2>&1; }
	background by_hand
	pid=${BACKGROUND[-1]}
	soon grep -q here "$STATE/tmp/out"
	kill -KILL "$pid"
	wait "$pid" || true
	soon no_processes
	assert_equal "$(strake ps -aq)" ""
	run -0 strake builder run "$c" echo again
	assert_has again
	assert_equal "$(strake system check)" "nothing is wrong"
	no_new_mounts
}

@test "builds whose front, worker, monitor or first process is killed at a random moment leave all whole" {
	base_new
	mkdir "$STATE/ctx/many"
	for i in $(seq 200); do echo "$i" >"$STATE/ctx/many/$i"; done
	echo s3cret >"$STATE/tmp/token"
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1 AS one
		COPY many /many
		RUN --mount=type=secret,id=t --mount=type=cache,target=/c cp -r /many /more; date >>/c/log
		FROM base:1 AS two
		RUN for i in 1 2 3 4 5 6; do cp -r /bin /bin$i; done
		COPY many /again
		FROM one
		COPY --from=two /again /again
		RUN rm -r /many
	D
	local seed=${STRAKE_TEST_SEED:-$RANDOM} kinds=(front worker monitor init) never pid kind
	RANDOM=$seed
	echo "STRAKE_TEST_SEED=$seed"
	exec {never}<> <(:)
	for i in $(seq 9); do
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --no-cache --secret "id=t,src=$STATE/tmp/token" -t k:1 "$STATE/ctx" >/dev/null 2>&1 3>&- &
		pid=$!
		# Some time that differs; nobody writes to this pipe.
		read -r -t "0.$(printf %03d $((RANDOM % 300)))" -u "$never" || true
		kind=${kinds[RANDOM % 4]}
		kill -KILL $(victim "$kind" "$pid") 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		[ $((i % 4)) != 0 ] || strake builder prune --all --force >/dev/null
	done
	exec {never}>&-
	soon all_gone
	strake system check --repair || true
	assert_equal "$(strake system check)" "nothing is wrong"
	assert_equal "$(find "$ROOT/tmp" -mindepth 1 2>/dev/null | wc -l)" 0
	run grep -rl s3cret "$ROOT" "$RUN"
	assert_equal "$output" ""
	run -0 strake build --secret "id=t,src=$STATE/tmp/token" -t k:1 "$STATE/ctx"
	assert_equal "$(run_in k:1 sh -c 'ls /more | wc -l; ls /again | wc -l; ls -d /many 2>&1')" $'200\n200\nls: /many: No such file or directory'
	# Held are the layers of what lives, and nothing lives.
	assert_equal "$(sqlite3 "$ROOT/state.db" 'SELECT count(*) FROM layer_holds' 2>/dev/null || echo 0)" 0
}

@test "a cache that is shared, private or locked, under steps at the same time" {
	base_new
	# Two at once: each waits in the shared cache for the other.
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		ARG ME
		ARG OTHER
		RUN --mount=type=cache,target=/c touch /c/$ME; while [ ! -e /c/$OTHER ]; do :; done
	D
	(strake build -q --build-arg ME=a --build-arg OTHER=b "$STATE/ctx" >/dev/null) 3>&- &
	local one=$!
	run -0 timeout 60 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --build-arg ME=b --build-arg OTHER=a "$STATE/ctx"
	wait $one
	# Locked: counting is not disturbed.
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		ARG ME
		RUN --mount=type=cache,id=count,target=/c,sharing=locked for i in 1 2 3 4 5; do read -r n </c/n || n=0; : >/c/n; echo $((n + 1)) >/c/n; done; cp /c/n /n
	D
	local pids=() pid
	for i in 1 2 3; do
		(strake build -q -t "n:$i" --build-arg "ME=$i" "$STATE/ctx" >/dev/null) 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	assert_equal "$(for i in 1 2 3; do run_in "n:$i" cat /n; done | sort -n | tail -n 1)" 15
	# Private: the second has one of its own, and the first one's is found again later.
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN --mount=type=cache,id=p,target=/c,sharing=private mkfifo /c/go; echo one >/c/who; cat /c/go
	D
	rm -rf "$ROOT"/volumes/build-cache-*
	waiting_build
	printf 'FROM base:1\nRUN --mount=type=cache,id=p,target=/c,sharing=private ls /c >/seen; echo two >/c/who\n' | strake build -q -t p:1 - >/dev/null
	assert_equal "$(run_in p:1 cat /seen)" ""
	# One in use stays.
	run -0 strake builder prune --all --force
	assert_has 'Caches removed: 1'
	echo go >"$pipe"
	wait "$BUILD"
	printf 'FROM base:1\nRUN --mount=type=cache,id=p,target=/c,sharing=private cp /c/who /seen\n' | strake build -q -t p:2 - >/dev/null
	assert_equal "$(run_in p:2 cat /seen)" one
	run -0 strake builder prune --all --force --filter until=1h
	assert_has 'Caches removed: 0'
	run -0 strake builder prune --all --force
	assert_has 'Caches removed: 1'
	assert_equal "$(strake volume ls -q)" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "builder prune by age and size, beside a build that needs what it would take" {
	base_new
	for i in 1 2 3; do
		printf 'FROM base:1\nRUN head -c %s000000 /dev/zero >/f\n' "$i" | strake build -q - >/dev/null
	done
	run -0 strake builder prune --force --filter until=1h
	assert_has 'Steps forgotten: 0'
	# What was used last stays: the third, 3 MB, and not the second with it.
	run -0 strake builder prune --force --keep-storage 4m
	assert_has 'Steps forgotten: 2'
	hit() { printf 'FROM base:1\nRUN head -c %s000000 /dev/zero >/f\n' "$1" | strake build - 2>&1 | grep -c '  cached$'; }
	assert_equal "$(hit 3)" 1
	assert_equal "$(hit 2 || true)" 0
	sqlite=$(command -v sqlite3 || true)
	if [ "$sqlite" ]; then
		"$sqlite" "$ROOT/state.db" "UPDATE build_steps SET used = used - 7200000000000 WHERE chain IN (SELECT chain FROM layers WHERE size > 2500000)"
		run -0 strake builder prune --force --filter until=1h
		assert_has 'Steps forgotten: 1'
	fi
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN echo below >/below
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go
		RUN cat /below >/above
	D
	waiting_build -t w:1
	strake builder prune --all --force
	echo go >"$pipe"
	wait "$BUILD"
	assert_equal "$(run_in w:1 cat /above)" below
	strake rmi $(strake images -q) >/dev/null
	strake builder prune --all --force
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "a full disk ends a build with a word about it, and the next one is right" {
	mkdir "$STATE/small"
	mount -t tmpfs -o size=14m strake-small "$STATE/small"
	mounts_are_ours
	ROOT=$STATE/small/root
	mkdir "$ROOT"
	base_new
	run build -t f:1 <<-'D'
		FROM base:1
		RUN echo fine >/fine
		RUN head -c 30000000 /dev/zero >/large
	D
	assert_status 1
	assert_has 'the command ended with status 1'
	head -c 30000000 /dev/zero >"$STATE/ctx/large"
	run build -t f:1 <<-'D'
		FROM base:1
		COPY large /
	D
	assert_status 1
	assert_has 'space'
	c=$(strake builder from base:1)
	run strake builder copy "$c" "$STATE/ctx/large" /
	assert_status 1
	assert_has 'space'
	strake builder run "$c" touch /x
	strake builder rm "$c"
	assert_equal "$(find "$ROOT/tmp" -mindepth 1 | wc -l)" 0
	assert_equal "$(strake system check)" "nothing is wrong"
	run -0 build -t f:1 <<-'D'
		FROM base:1
		RUN echo fine >/fine
	D
	assert_equal "$(run_in f:1 cat /fine)" fine
}

@test "hostile contexts: odd names, devices, pipes, sockets; a file that is swapped for a link while it is copied" {
	need_command python3
	base_new
	cd "$STATE/ctx"
	printf x >$'with\nnewline'
	printf x >$'\033[31mred'
	printf x >$'\xff\xfe'
	printf x >'*'
	printf x >-rf
	mkfifo pipe
	mknod null c 1 3
	mknod zero c 0 0
	mknod loop b 7 0
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
	# Never read, never waited for; what is no file of content is made as what it is, but for sockets.
	run build -t odd:1 <<<$'FROM base:1\nCOPY . /all/'
	if [ "$status" != 0 ]; then
		assert_has 'zero'
		rm zero
		run -0 build -t odd:1 <<<$'FROM base:1\nCOPY . /all/'
	fi
	assert_lacks $'\033[31m'
	# In a layer this name means that etc is gone: the image would be another one elsewhere.
	echo x >.wh.etc
	run build <<<$'FROM base:1\nCOPY .wh.etc /'
	assert_status 1
	assert_has '/.wh.etc: no layer can hold a name that begins with .wh.'
	run build <<<$'FROM base:1\nRUN >/tmp/.wh..wh..opq'
	assert_status 1
	rm .wh.etc
	assert_equal "$(run_in odd:1 sh -c 'cd /all; cat with*line "*" ./-rf; ls | wc -l; [ -p pipe ] && echo pipe; [ -e socket ] || echo none')" $'xxx9\npipe\nnone' ||
		assert_equal "$(run_in odd:1 sh -c 'cd /all; cat with*line "*" ./-rf; [ -p pipe ] && echo pipe; [ -e socket ] || echo none')" $'xxxpipe\nnone'
	rm -rf ./* $'\xff\xfe' $'\033[31mred' ./-rf
	# A race that an attacker has many tries at.
	echo very-s3cret >"$STATE/tmp/secret"
	mkdir dir
	for i in $(seq 30); do echo "$i" >"dir/f$i"; done
	swap() {
		while :; do
			ln -sfn "$STATE/tmp/secret" dir/f9
			ln -sfn "$STATE/tmp" sub
			rm -f dir/f9 sub
			echo own >dir/f9
			mkdir -p sub 2>/dev/null
			echo own >sub/secret
			rm -rf sub
		done 2>/dev/null
	}
	background swap
	for i in $(seq 10); do
		build -q --no-cache <<<$'FROM scratch\nCOPY dir /dir/\nCOPY dir/f9 /f9' >/dev/null 2>&1 || true
		build -q --no-cache <<<$'FROM scratch\nCOPY sub/secret /f' >/dev/null 2>&1 || true
	done
	kill "${BACKGROUND[0]}"
	wait "${BACKGROUND[0]}" || true
	BACKGROUND=()
	run grep -rl very-s3cret "$ROOT" "$RUN"
	assert_equal "$output" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "a file that changes while it is read is used and said, and no later build gets it for what it was" {
	need_command strace
	base_new
	cd "$STATE/ctx"
	mkdir src
	echo old >src/a
	ln -s a src/z
	# Links are read in the order of names, once for the key and once for the copy: a is hashed then, and not yet copied.
	printf 'FROM base:1\nCOPY src /src/\n' >Containerfile
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 background strace -f -qq -o "$STATE/tmp/trace" -P z -e trace=readlinkat -e inject=readlinkat:signal=SIGSTOP:when=1 \
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build -t c:1 . 2>"$STATE/tmp/said"
	soon grep -q 'stopped by SIGSTOP' "$STATE/tmp/trace"
	echo new >src/a
	kill -CONT "$(sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p' "$STATE/tmp/trace")"
	wait "${BACKGROUND[0]}"
	BACKGROUND=()
	assert_equal "$(run_in c:1 cat /src/a)" new
	run cat "$STATE/tmp/said"
	assert_has 'warning: src/a changed while it was read; what came of it is not kept for later builds: COPY src /src/'
	echo old >src/a
	run -0 strake build -t c:2 .
	assert_lacks changed
	assert_equal "$(run_in c:2 cat /src/a)" old
	# What a RUN sees of a context it sees as it is.
	printf 'FROM base:1\nRUN --mount=type=bind,source=src,target=/m --mount=type=cache,target=/c [ -p /c/go ] || mkfifo /c/go; cat /c/go /m/b >/got || true\n' >Containerfile
	waiting_build -t r:1
	echo b >src/b
	echo go >"$pipe"
	wait "$BUILD"
	assert_equal "$(run_in r:1 cat /got)" $'go\nb'
	run cat "$STATE/tmp/out"
	assert_has 'warning: src changed while it was read'
	rm src/b
	rm "$pipe"
	waiting_build -t r:2
	echo go >"$pipe"
	wait "$BUILD"
	run cat "$STATE/tmp/out"
	assert_lacks changed
	assert_equal "$(run_in r:2 cat /got)" go
	run -0 strake build .
	assert_equal "$(grep -c '  cached$' <<<"$output")" 1
	assert_equal "$(strake system check)" "nothing is wrong"
}

@test "a secret is nowhere below the roots, whatever the step does with it but write it down itself" {
	base_new
	printf 's3cret-%s' one >"$STATE/tmp/one"
	export TWO=s3cret-two
	run build --secret "id=one,src=$STATE/tmp/one" --secret id=two,env=TWO <<-'D'
		FROM base:1
		RUN --mount=type=secret,id=one --mount=type=secret,id=two,target=/two,mode=0444 cp /run/secrets/one /dev/shm/x; grep -c . /two; test -s /run/secrets/one
		RUN --mount=type=secret,id=one sha256sum /run/secrets/one; exit 3
	D
	assert_status 1
	run -0 build -t sec:1 --secret "id=one,src=$STATE/tmp/one" --secret id=two,env=TWO <<-'D'
		FROM base:1
		RUN --mount=type=secret,id=one --mount=type=secret,id=two,target=/two,mode=0444 cp /run/secrets/one /dev/shm/x; grep -c . /two; test -s /run/secrets/one
	D
	strake save -o "$STATE/tmp/sec.tar" sec:1
	strake events --since 0 --until 0s >"$STATE/tmp/events"
	strake --explain build --no-cache --secret "id=one,src=$STATE/tmp/one" --secret id=two,env=TWO "$STATE/ctx" >"$STATE/tmp/explained" 2>&1
	run grep -rlaE 's3cret-(one|two)' "$ROOT" "$RUN" "$STATE/tmp/sec.tar" "$STATE/tmp/events" "$STATE/tmp/explained"
	assert_equal "$output" ""
	run_in sec:1 sh -c '! test -e /two'
	# A key that a step may use and not have.
	if command -v ssh-keygen ssh-agent >/dev/null; then
		ssh-keygen -q -t ed25519 -N '' -C nobody -f "$STATE/tmp/key"
		run -0 build --ssh "default=$STATE/tmp/key" <<-'D'
			FROM base:1
			RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo "socket $SSH_AUTH_SOCK"
		D
		run grep -rlaF "$(sed -n 2p "$STATE/tmp/key")" "$ROOT" "$RUN"
		assert_equal "$output" ""
		soon no_processes
	fi
	assert_equal "$(find "$RUN/build" -mindepth 1 2>/dev/null | wc -l)" 0
}

@test "Containerfiles that would take all memory, time or depth are refused in words" {
	base_new
	refused() { # WORDS
		run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build -f "$STATE/tmp/bomb" "$STATE/ctx"
		assert_status 1
		assert_has "$1"
	}
	# Each variable is twice the one before.
	{
		echo 'FROM base:1'
		echo 'ARG A0=xxxxxxxxxxxxxxxx'
		for i in $(seq 40); do echo "ARG A$i=\$A$((i - 1))\$A$((i - 1))"; done
	} >"$STATE/tmp/bomb"
	refused 'bomb:'
	{ echo 'FROM base:1' && yes 'ENV A=b' | head -n 20001; } >"$STATE/tmp/bomb"
	refused 'bomb'
	{ echo 'FROM base:1' && printf 'ENV A=' && head -c 5000000 /dev/zero | tr '\0' x; } >"$STATE/tmp/bomb"
	refused 'bomb'
	{ echo 'FROM base:1' && printf 'ENV A=' && for _ in $(seq 3000); do printf '${A:-'; done && echo; } >"$STATE/tmp/bomb"
	refused 'bomb:2'
	{ for i in $(seq 2000); do echo "FROM base:1 AS s$i"; done && echo 'COPY --from=nowhere:1 / /'; } >"$STATE/tmp/bomb"
	printf 'FROM base:1\nRUN <<X\n' >"$STATE/tmp/bomb"
	refused 'bomb:2'
	printf 'FROM a AS b\nFROM b AS a\nFROM a\n' >"$STATE/tmp/bomb"
	run timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --pull=never -f "$STATE/tmp/bomb" "$STATE/ctx"
	assert_status 1
	# Ignore patterns that would go back and forth for ever.
	printf '%s\n' "$(printf '**/a%.0s' $(seq 60))b" >"$STATE/ctx/.dockerignore"
	mkdir -p "$STATE/ctx/$(printf 'a/%.0s' $(seq 60))"
	printf 'FROM scratch\nCOPY . /\n' >"$STATE/tmp/bomb"
	run -0 timeout 20 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build -f "$STATE/tmp/bomb" "$STATE/ctx"
}
