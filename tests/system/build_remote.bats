#!/usr/bin/env bats
# Builds whose files come from elsewhere: ADD of URLs and git repositories, contexts that are neither a directory
# nor an archive of this machine.  All servers are on the loopback of the test's own network.
# shellcheck disable=SC2153
bats_require_minimum_version 1.5.0
load lib

web_new() { # the URL is in $WEB
	mkdir -p "$STATE/www" "$STATE/ctx"
	echo hello >"$STATE/www/file.txt"
	head -c 300000 /dev/urandom >"$STATE/www/big"
	mkdir -p "$STATE/pack/p"
	echo packed >"$STATE/pack/p/file"
	tar --owner=7 --group=8 --mtime=@0 -C "$STATE/pack" -czf "$STATE/www/p.tar.gz" p
	background "$TOOLS/fileserver.py" "$STATE/www" "$STATE/port" "$STATE/log"
	soon test -e "$STATE/port"
	WEB=http://127.0.0.1:$(cat "$STATE/port")
	cd "$STATE/ctx" || return
}

repo_new() { # served as $GIT, its files are in $REPO
	REPO=$STATE/repo
	mkdir -p "$STATE/git" "$REPO/sub"
	git -C "$REPO" init -q -b main
	git -C "$REPO" config user.email a@example.org
	git -C "$REPO" config user.name a
	echo one >"$REPO/one"
	echo two >"$REPO/sub/two"
	ln -s /etc/passwd "$REPO/link"
	chmod 755 "$REPO/one"
	printf 'FROM scratch\nCOPY . /\n' >"$REPO/Containerfile"
	cp "$REPO/Containerfile" "$REPO/sub"
	repo_commit first
	git -C "$REPO" tag -a -m v1 v1
	echo three >"$REPO/three"
	repo_commit second
	git clone -q --bare "$REPO" "$STATE/git/r.git"
	background git daemon --listen=127.0.0.1 --port=9418 --export-all --base-path="$STATE/git" 2>/dev/null
	soon git ls-remote -q git://127.0.0.1/r.git >/dev/null 2>&1
	GIT=git://127.0.0.1/r.git
}
repo_commit() { git -C "$REPO" add -A && git -C "$REPO" commit -q -m "$1"; }
repo_push() { git -C "$REPO" push -q "$STATE/git/r.git" main; }

files_of() { # IMAGE: as describe-image tells them
	local root
	root=$(strake image mount "$1")
	"$TOOLS/describe-image" "$root" "$ROOT/blobs/sha256/$(strake images -q --no-trunc "$1" | head -n 1 | cut -d: -f2)" | grep '^[-dl]'
	strake image unmount "$1" >/dev/null
}
time_of() { # IMAGE PATH
	local root
	root=$(strake image mount "$1")
	stat -c %Y "$root$2"
	strake image unmount "$1" >/dev/null
}

@test "ADD of a URL: name, mode, time, archives, redirects, names that a server gives" {
	web_new
	cat >Containerfile <<-END
		FROM scratch
		ADD $WEB/file.txt /dir/
		ADD --chmod=644 --chown=5:6 $WEB/to/to/file.txt /other
		ADD $WEB/p.tar.gz /raw/
		ADD --unpack $WEB/p.tar.gz /un/
		ADD $WEB/file.txt?x=1#y "$WEB/a%20b" /two/
		ADD $WEB/busy/file.txt /busy
	END
	echo ab >"$STATE/www/a%20b"
	strake build -q -t x . >/dev/null
	files_of x | grep -v "^d" >"$STATE/got"
	diff -u - "$STATE/got" <<-'END'
		-rw------- 0:0 /busy "hello\n"
		-rw------- 0:0 /dir/file.txt "hello\n"
		-rw-r--r-- 5:6 /other "hello\n"
		-rw------- 0:0 /raw/p.tar.gz (binary)
		-rw------- 0:0 /two/a b "ab\n"
		-rw------- 0:0 /two/file.txt "hello\n"
		-rw-r--r-- 7:8 /un/p/file "packed\n"
	END
	[ "$(time_of x /dir/file.txt)" = 981173106 ]
	printf 'FROM scratch\nADD %s/none/file.txt /f\nADD %s/named/file.txt?a /n/\nADD %s /d/\n' "$WEB" "$WEB" "$WEB/named/file.txt/" >Containerfile
	strake build -q -t y . >/dev/null
	[ "$(time_of y /f)" = 0 ]
	files_of y | grep -q '/n/file.txt '
	files_of y | grep -q '/d/its-name '
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

@test "ADD of a URL: a checksum, a server's tag or the bytes decide whether it is done again" {
	web_new
	sum=$(sha256sum "$STATE/www/file.txt" | cut -d' ' -f1)
	printf 'FROM scratch\nADD --checksum=sha256:%s %s/file.txt /a\nADD %s/file.txt /b\nADD %s/weak/file.txt /c\n' "$sum" "$WEB" "$WEB" "$WEB" >Containerfile
	strake build -q . >"$STATE/one"
	: >"$STATE/log"
	strake build --explain-cache . >"$STATE/two" 2>"$STATE/said"
	cmp "$STATE/one" "$STATE/two"
	[ "$(grep -c '^#[0-9]*   cached' "$STATE/said")" = 3 ]
	# With a checksum nobody is asked; a tag needs no body, which the server's log does not show.
	[ "$(grep -c . "$STATE/log")" = 2 ]
	echo changed >"$STATE/www/file.txt"
	printf 'FROM scratch\nADD %s/file.txt /b\n' "$WEB" >Containerfile
	strake build -q . >/dev/null
	echo again >"$STATE/www/file.txt"
	strake build --explain-cache . 2>&1 | grep -q "files that it reads have changed"
	printf 'FROM scratch\nADD --checksum=sha256:%s %s/file.txt /z\n' "$sum" "$WEB" >Containerfile
	run ! strake build -q .
	[[ $output == *"Containerfile:2: $WEB/file.txt has the checksum sha256:"*", not sha256:$sum" ]]
	for bad in "--checksum=sha256:12 $WEB/file.txt" "--checksum=md5:$sum $WEB/file.txt" "--checksum=sha256:$sum Containerfile" "--checksum=sha256:$sum $WEB/file.txt $WEB/big"; do
		printf 'FROM scratch\nADD %s /z/\n' "$bad" >Containerfile
		run ! strake build -q .
		[[ $output == *"--checksum"* ]]
	done
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

@test "ADD of a URL: broken connections are taken up, a changed file is not put together, refusals are said" {
	web_new
	printf 'FROM scratch\nADD %s/break/big /big\n' "$WEB" >Containerfile
	strake build -q -t x . >/dev/null
	root=$(strake image mount x)
	cmp "$root/big" "$STATE/www/big"
	strake image unmount x
	grep -q '/break/big bytes=150000-' "$STATE/log"
	while read -r url text; do
		printf 'FROM scratch\nADD %s /f\n' "$url" >Containerfile
		run ! strake build -q .
		[[ $output == *"Containerfile:2: fetch $url: $text"* ]]
	done <<-END
		$WEB/changed/big it has changed on the server meanwhile
		$WEB/nothing the server answers 404
		$WEB/private/file.txt the server answers 401
		$WEB/loop/file.txt more than 10 redirects
		http://127.0.0.1:1/x Failed to connect
	END
	printf open-sesame >"$STATE/token"
	printf 'FROM scratch\nADD %s/to/private/file.txt /f\n' "$WEB" >Containerfile
	strake build -q -t y --secret "id=HTTP_AUTH_TOKEN_${WEB#http://},src=$STATE/token" . >/dev/null
	run grep -rl open-sesame "$ROOT"
	[ -z "$output" ]
	# Nobody who is asked for a file may read one of ours: the program is nobody, and knows two protocols.
	printf 'FROM scratch\nADD file:///etc/passwd /f\n' >Containerfile
	run ! strake build -q .
	[[ $output == *"does not reach repositories of this machine"* ]]
}

@test "ADD of a git repository: branch, tag, commit, directory; with and without .git; a checksum" {
	repo_new
	mkdir "$STATE/ctx" && cd "$STATE/ctx"
	first=$(git -C "$REPO" rev-parse "v1^{commit}") second=$(git -C "$REPO" rev-parse main)
	cat >Containerfile <<-END
		FROM scratch
		ADD $GIT /head
		ADD $GIT#v1 /tag
		ADD $GIT#main:sub /dir
		ADD $GIT?ref=$first&subdir=/sub/ /commit
		ADD $GIT#${first:0:9} /short
		ADD --checksum=${second:0:10} --chown=3:4 --exclude=sub --exclude=link $GIT#refs/heads/main /own
		ADD --keep-git-dir $GIT /kept
	END
	strake build -q -t x . >/dev/null
	files_of x | grep -v ' /kept/.git/' | grep -v '^d' >"$STATE/got"
	diff -u - "$STATE/got" <<-'END'
		-rw-r--r-- 0:0 /commit/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /commit/two "two\n"
		-rw-r--r-- 0:0 /dir/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /dir/two "two\n"
		-rw-r--r-- 0:0 /head/Containerfile "FROM scratch\nCOPY . /\n"
		lrwxrwxrwx 0:0 /head/link -> /etc/passwd
		-rwxr-xr-x 0:0 /head/one "one\n"
		-rw-r--r-- 0:0 /head/sub/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /head/sub/two "two\n"
		-rw-r--r-- 0:0 /head/three "three\n"
		-rw-r--r-- 0:0 /kept/Containerfile "FROM scratch\nCOPY . /\n"
		lrwxrwxrwx 0:0 /kept/link -> /etc/passwd
		-rwxr-xr-x 0:0 /kept/one "one\n"
		-rw-r--r-- 0:0 /kept/sub/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /kept/sub/two "two\n"
		-rw-r--r-- 0:0 /kept/three "three\n"
		-rw-r--r-- 3:4 /own/Containerfile "FROM scratch\nCOPY . /\n"
		-rwxr-xr-x 3:4 /own/one "one\n"
		-rw-r--r-- 3:4 /own/three "three\n"
		-rw-r--r-- 0:0 /short/Containerfile "FROM scratch\nCOPY . /\n"
		lrwxrwxrwx 0:0 /short/link -> /etc/passwd
		-rwxr-xr-x 0:0 /short/one "one\n"
		-rw-r--r-- 0:0 /short/sub/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /short/sub/two "two\n"
		-rw-r--r-- 0:0 /tag/Containerfile "FROM scratch\nCOPY . /\n"
		lrwxrwxrwx 0:0 /tag/link -> /etc/passwd
		-rwxr-xr-x 0:0 /tag/one "one\n"
		-rw-r--r-- 0:0 /tag/sub/Containerfile "FROM scratch\nCOPY . /\n"
		-rw-r--r-- 0:0 /tag/sub/two "two\n"
	END
	files_of x | grep -q ' /kept/.git/HEAD '
	strake build . 2>&1 | grep -c '^#[0-9]*   cached' | grep -qx 7
	echo four >"$REPO/four"
	repo_commit third
	repo_push
	strake build --explain-cache . 2>&1 >/dev/null | grep -c 'reads have changed' | grep -qx 1 # the next two stand on it
	while IFS='|' read -r source text; do
		printf 'FROM scratch\nADD %s /x\n' "$source" >Containerfile
		run ! strake build -q .
		[[ $output == *"$text"* ]] || { echo "$source: $output" && false; }
	done <<-END
		$GIT#nope|there is no branch, tag or commit nope
		$GIT#main:nope|there is no directory nope
		$GIT#--upload-pack=x|'--upload-pack=x' is no branch, tag or commit
		--checksum=$first $GIT#main|commit $first was wanted
		--checksum=sha256:00 $GIT|of a git repository it is a commit
		git://127.0.0.1/no.git|git git://127.0.0.1/no.git: git: fatal:
		git@127.0.0.1:r.git|no key was given for it; --ssh default does
		file://$REPO|does not reach repositories of this machine
		ssh://-oProxyCommand=x/y.git|it names no host
	END
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

@test "git repositories: submodules, those that lead to this machine, hooks, links out of it" {
	repo_new
	mkdir "$STATE/ctx" && cd "$STATE/ctx"
	git clone -q --bare "$REPO" "$STATE/git/other.git"
	git -C "$REPO" -c protocol.allow=always submodule -q add git://127.0.0.1/other.git mod
	git -C "$REPO" config -f .gitmodules submodule.mod.url ../other.git
	mkdir "$REPO/out" && ln -s / "$REPO/out/away"
	repo_commit sub
	repo_push
	printf 'FROM scratch\nADD %s /x\nADD %s?submodules=false /y\n' "$GIT" "$GIT" >Containerfile
	strake build -q -t x . >/dev/null
	files_of x >"$STATE/got"
	grep -q ' /x/mod/three ' "$STATE/got"
	run ! grep -E '/\.git( |$)|/y/mod/three' "$STATE/got"
	# A directory that is a link stays inside the repository.
	printf 'FROM scratch\nADD %s#main:out/away/etc /x\n' "$GIT" >Containerfile
	run ! strake build -q .
	[[ $output == *"there is no directory out/away/etc in it"* ]]
	git -C "$REPO" config -f .gitmodules submodule.mod.url "file://$STATE/git/other.git"
	repo_commit local
	repo_push
	printf 'FROM scratch\nADD %s /x\n' "$GIT" >Containerfile
	run ! strake build -q .
	[[ $output == *"transport 'file' not allowed"* ]]
	# A configuration of the caller's is not read, a template with a hook not used.
	mkdir -p "$STATE/home/t/hooks"
	printf '#!/bin/sh\ntouch %s/ran\n' "$STATE" >"$STATE/home/t/hooks/post-checkout"
	chmod +x "$STATE/home/t/hooks/post-checkout"
	printf '[init]\n\ttemplateDir = %s\n[core]\n\thooksPath = %s\n' "$STATE/home/t" "$STATE/home/t/hooks" >"$STATE/home/.gitconfig"
	printf 'FROM scratch\nADD %s#v1 /x\n' "$GIT" >Containerfile
	HOME=$STATE/home GIT_TEMPLATE_DIR=$STATE/home/t strake build -q --no-cache . >/dev/null
	[ ! -e "$STATE/ran" ]
}

@test "git runs as nobody, and writes in a directory of its own alone" {
	repo_new
	short_folder # where nobody may go
	mkdir "$STATE/ctx" "$SHORT/bin" && cd "$STATE/ctx"
	cat >"$SHORT/bin/git" <<-END
		#!/bin/sh
		id -u
		grep CapEff /proc/self/status
		grep NoNewPrivs /proc/self/status
		for f in /var/tmp/x /dev/shm/x $SHORT/x; do (: >\$f) 2>/dev/null && echo wrote \$f; done
		pwd
		exec /usr/bin/git "\$@"
	END
	chmod -R a+rwx "$SHORT"
	printf 'FROM scratch\nADD %s /x\n' "$GIT" >Containerfile
	PATH=$SHORT/bin:$PATH strace -f -qq -e trace=write -e signal=none -s 200 -o "$STATE/trace" "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build -q . || true
	grep -q 'write(1, "65534\\n"' "$STATE/trace"
	grep -q 'CapEff:\\t0000000000000000' "$STATE/trace"
	grep -q 'NoNewPrivs:\\t1' "$STATE/trace"
	grep -q 'write(1, "/tmp\\n"' "$STATE/trace"
	run ! grep '"wrote ' "$STATE/trace"
}

@test "contexts: git by several transports, the URL of an archive and of a Containerfile" {
	web_new
	repo_new
	printf 'FROM scratch\nCOPY p /here/\n' >"$STATE/pack/Containerfile"
	tar -C "$STATE/pack" -czf "$STATE/www/ctx.tar.gz" .
	printf 'FROM scratch\nADD %s/file.txt /f\n' "$WEB" >"$STATE/www/Alone"
	strake build -q -t a "$WEB/ctx.tar.gz" >/dev/null
	files_of a | grep -q '/here/file "packed'
	strake build -q -t b "$WEB/to/Alone" >/dev/null
	files_of b | grep -q '/f "hello'
	run ! strake build -q "$WEB/nothing"
	[[ $output == "strake build: fetch $WEB/nothing: the server answers 404" ]]
	strake build -q -t c "$GIT" >/dev/null
	files_of c | grep -q ' /three "three'
	run ! grep -q '/.git/' <(files_of c)
	strake build -q -t d "$GIT#v1:sub" >/dev/null
	[ "$(files_of d | grep -c '^-')" = 2 ]
	strake build -q -t e --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR=1 "$GIT" >/dev/null
	files_of e | grep -q '/.git/HEAD '
	strake build -q -t f "file://$REPO#v1" >/dev/null
	files_of f | grep -q '/one "one'
	# ssh: what git starts in its place has the command as its last word.
	mkdir "$STATE/bin"
	printf '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n' >"$STATE/bin/ssh"
	chmod +x "$STATE/bin/ssh"
	PATH=$STATE/bin:$PATH strake build -q -t g "git@example.org:$STATE/git/r.git#main:sub" >/dev/null
	files_of g | grep -q '/two "two'
	PATH=$STATE/bin:$PATH strake build -q -t h "ssh://git@example.org$STATE/git/r.git" >/dev/null
	files_of h | grep -q '/three "three'
	[ -z "$(ls -A "$ROOT/tmp")" ]
}

# RUN waits until the server has been asked for what comes later, and a later layer lies there.
opened() { # STEP-FILE: when all of it is seen, the pipe of the RUN is opened
	soon compgen -G "$ROOT/volumes/build-cache-*/_data/go" &&
		DEADLINE=60 soon seen && echo go >"$(compgen -G "$ROOT/volumes/build-cache-*/_data/go")"
}
seen() {
	grep -q '/file.txt' "$STATE/log" && grep -q '/p.tar.gz' "$STATE/log" &&
		compgen -G "$ROOT/tmp/*/draft/diff/all/deep/one" >/dev/null &&
		compgen -G "$ROOT/tmp/*/draft/diff/un/p/file" >/dev/null &&
		compgen -G "$ROOT/tmp/*/remote-*/*/three" >/dev/null
}

@test "what ADD fetches and --link copies begins while a RUN before it goes on; results are in order and the same" {
	need_command git
	web_new
	repo_new
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
	mkdir -p "$STATE/ctx/all/deep"
	echo 1 >"$STATE/ctx/all/deep/one"
	cat >"$STATE/ctx/Containerfile" <<-END
		FROM base:1
		ARG WHERE=$WEB
		RUN --mount=type=cache,target=/c mkfifo /c/go; cat /c/go; mkdir /usr/here; ln -s /usr/here /late
		ENV FILE=file.txt TO=/late
		ADD --chmod=644 \$WHERE/\$FILE \$TO/
		WORKDIR /git
		ADD $GIT .
		COPY --link all /all
		ADD --link --unpack $WEB/p.tar.gz /un/
		RUN test -f /usr/here/file.txt && test -f /git/three && test -f /all/deep/one && test -f /un/p/file
	END
	background opened
	export SOURCE_DATE_EPOCH=1000000000
	run -0 timeout 100 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" build --network none -t one .
	assert_equal "$(grep -o '^#[0-9]* \[[^]]*\] [A-Z]*' <<<"$output" | cut -d' ' -f4)" "$(grep -o '^[A-Z]*' Containerfile)"
	assert_equal "$(find "$ROOT/tmp" -mindepth 1)" ""
	# All of it at once, or each in its turn: the same image.
	sed -i 's,mkfifo /c/go; cat /c/go; ,,' Containerfile
	strake build -q --network none --no-cache -t two . >/dev/null
	strake build -q --network none --no-cache --jobs 1 -t three . >/dev/null
	assert_equal "$(strake images -q --no-trunc two)" "$(strake images -q --no-trunc three)"
	run -0 strake build --network none .
	assert_equal "$(grep -c 'cached$' <<<"$output")" 7
	# What fails there fails in its turn, with the words that it has then; what nobody takes is ended.
	cat >Containerfile <<-END
		FROM base:1
		RUN echo first
		ADD $WEB/missing /
		ADD $WEB/slow/file.txt /
	END
	run strake build --no-cache --network none .
	assert_status 1
	assert_has 'Containerfile:3'
	assert_has 'first'
	assert_has '404'
	assert_equal "$(find "$ROOT/tmp" -mindepth 1)" ""
	assert_equal "$(strake system check)" "nothing is wrong"
}
