#!/usr/bin/env bats
# What a container changed: diff, commit, and that the result says the same everywhere.
# shellcheck disable=SC2016,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

base_new() {
	rootfs_new "$STATE/tree"
	mkdir -p "$STATE/tree"/{old,moved/sub,keep}
	echo 1 >"$STATE/tree/gone"
	echo 1 >"$STATE/tree/old/file"
	echo 1 >"$STATE/tree/keep/a"
	ln "$STATE/tree/keep/a" "$STATE/tree/keep/b"
	strake import "$STATE/tree" base:1
}
change='rm /gone; rm -r /old; mkdir /old; echo 2 >/old/new; echo 2 >>/keep/a; ln /keep/a /keep/c; ln -s a /keep/l; mkfifo /keep/p; chmod 700 /moved; echo new >/etc/new; chown 5:6 /etc/new'

@test "A6.8 commit: deleted files become whiteouts, changes of config by option, the base is the same layer" {
	base_new
	strake run --name c --network none base:1 sh -c "$change"
	run strake diff c
	assert_status 0
	assert_equal "$output" "$(printf '%s\n' 'D /gone' 'C /etc' 'A /etc/new' 'C /keep' 'C /keep/a' 'A /keep/c' 'A /keep/l' 'A /keep/p' \
		'C /moved' 'C /old' 'A /old/new')"
	strake commit -a me -m 'a message' -c 'CMD ["cat", "/etc/new"]' -c 'LABEL who=me' c new:1
	run strake run --rm --network none new:1
	assert_equal "$output" new
	run strake run --rm --network none new:1 sh -c 'ls / /old; cat /keep/a /keep/c; readlink /keep/l; stat -c "%a %F" /moved /keep/p; stat -c %u:%g /etc/new'
	assert_lacks gone
	assert_has "$(printf '/old:\nnew\n1\n2\n1\n2\na\n700 directory\n644 fifo\n5:6')"
	# The layer as others read it.
	strake save --format oci-dir --compression none -o "$STATE/tmp/layout" new:1
	local blob config
	blob=$(jq -r .manifests[0].digest "$STATE/tmp/layout/index.json" | cut -d: -f2)
	config=$(jq -r .config.digest "$STATE/tmp/layout/blobs/sha256/$blob" | cut -d: -f2)
	blob=$(jq -r .layers[-1].digest "$STATE/tmp/layout/blobs/sha256/$blob" | cut -d: -f2)
	run tar -tf "$STATE/tmp/layout/blobs/sha256/$blob"
	assert_equal "$output" "$(printf '%s\n' .wh.gone etc/ etc/new keep/ keep/a keep/c keep/l keep/p moved/ old/ old/.wh..wh..opq old/new)"
	run jq -r '.author, .config.Labels.who, .history[-1].comment, (.rootfs.diff_ids | length)' "$STATE/tmp/layout/blobs/sha256/$config"
	assert_equal "$output" "$(printf 'me\nme\na message\n2')"
	# A name that readers of the layer would take for a removal.
	strake run --name w --network none base:1 sh -c 'echo x >/etc/.wh.passwd'
	run strake commit w bad:1
	assert_status 1
	assert_has '/etc/.wh.passwd: no layer can hold a name that begins with .wh.'
	# A second one is the same layer; one of nothing has none.
	run strake commit c new:2
	assert_equal "$(find "$ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" 2
	strake run --name d --network none base:1 true
	run strake diff d
	assert_equal "$output" ""
	strake commit d same:1
	assert_equal "$(strake image inspect same:1 | jq '.[0].Layers | length')" 1
}

@test "commit keeps what the container was told: variables, command, directory; --change comes last" {
	base_new
	strake run --name c --network none -e 'A=1 "2" \3' -e EMPTY= -w /keep base:1 sh -c 'echo "$A$EMPTY" $PWD $0 $1' zero 'o n e' >/dev/null
	strake commit c new:1
	run strake run --rm --network none new:1
	assert_equal "$output" '1 "2" \3 /keep zero o n e'
	run jq -c '[.Env, .WorkingDir]' "$ROOT/blobs/sha256/$(strake images -q --no-trunc new:1)"
	assert_lacks HOSTNAME
	assert_lacks HOME
	strake commit -c 'ENV A=x' -c 'CMD ["sh", "-c", "echo $A"]' c new:2
	run strake run --rm --network none new:2
	assert_equal "$output" x
	# With an entrypoint the command stays what follows it.
	strake commit -c 'ENTRYPOINT ["sh", "-c"]' -c 'CMD ["echo first"]' c entry:1
	strake run --name d --network none entry:1 'echo second' >/dev/null
	strake commit d entry:2
	run strake run --rm --network none entry:2
	assert_equal "$output" second
	run strake run --rm --network none entry:2 'echo third'
	assert_equal "$output" third
}

@test "commit keeps labels, published ports, user and signal of the container, as docker commit does" {
	base_new
	strake run --name c -l who=me -l 'said=a "b" \c' -u 33:44 --stop-signal USR1 -p 127.0.0.1::80 -p 127.0.0.1::81/udp base:1 true
	strake commit -c 'LABEL who=you' c new:1
	run jq -c '.config | [.Labels, (.ExposedPorts | keys), .User, .StopSignal]' "$ROOT/blobs/sha256/$(strake images -q --no-trunc new:1 | cut -d: -f2)"
	assert_equal "$output" '[{"who":"you","said":"a \"b\" \\c"},["80/tcp","81/udp"],"33:44","USR1"]'
	run strake run --rm --network none new:1 id -u
	assert_equal "$output" 33
	# Nothing that was not said.
	strake run --name d --network none base:1 true
	strake commit d plain:1
	run jq -c '.config | [.Labels, .ExposedPorts, .User, .StopSignal]' "$ROOT/blobs/sha256/$(strake images -q --no-trunc plain:1 | cut -d: -f2)"
	assert_equal "$output" '[null,null,null,null]'
}

@test "commit, save and load elsewhere: the same tree, and podman and umoci see it so" {
	need_command podman umoci
	short_folder
	base_new
	strake run --name c --network none base:1 sh -c "$change"
	strake commit c new:1
	strake save -o "$STATE/tmp/new.tar" new:1
	strake save --format oci-dir --compression gzip -o "$STATE/tmp/layout" new:1
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	podman load -q -i "$STATE/tmp/new.tar"
	umoci unpack --image "$STATE/tmp/layout:docker.io/library/new:1" "$STATE/tmp/bundle"
	strake run --name e --network none new:1 true
	mkdir "$STATE/tmp/ours"
	strake export e | tar -C "$STATE/tmp/ours" -xf -
	local theirs
	theirs=$(podman image mount localhost/new:1 || podman image mount docker.io/library/new:1)
	list() {
		(cd "$1" && find . -mindepth 1 ! -path './dev*' ! -path './proc*' ! -path './sys*' ! -path './etc/host*' ! -path './etc/resolv.conf' \
			\( -type d -printf '%p d %m %U:%G\n' -o -printf '%p %y %m %U:%G %l %n %Ts\n' \) | sort)
	}
	diff <(list "$theirs") <(list "$STATE/tmp/ours")
	diff <(list "$STATE/tmp/bundle/rootfs") <(list "$STATE/tmp/ours")
	podman image umount -a >/dev/null
}

@test "a running container is held while it is read, and goes on; killed commits let it go" {
	base_new
	strake run -d --name c --network none base:1 sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/x; mv /tmp/x /tmp/a; echo $i >/tmp/y; mv /tmp/y /tmp/b; done'
	soon strake exec c test -e /tmp/b
	strake commit c held:1
	run strake run --rm --network none held:1 sh -c 'a=$(cat /tmp/a) b=$(cat /tmp/b); [ $((a - b)) = 0 ] || [ $((a - b)) = 1 ] && echo sound'
	assert_equal "$output" sound
	strake exec c true
	strake commit --pause false c loose:1
	local i
	for i in 1 2 3 4 5; do
		strake commit c "killed:$i" >/dev/null 2>&1 &
		read -r -t "0.0$i" <> <(:) || true
		kill -KILL $! 2>/dev/null || true
		wait $! || true
	done
	DEADLINE=10 soon timeout 2 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" exec c true
	strake system check --repair || true
	run strake system check
	assert_status 0
	strake rm -f c
}

@test "a container of a directory is committed as one layer, with a bare file there is none" {
	rootfs_new "$STATE/tree"
	strake run --name c --network none --rootfs "$STATE/tree" sh -c 'echo x >/new; rm /etc/passwd'
	strake commit -c 'CMD ["cat", "/new"]' c dir:1
	run strake run --rm --network none dir:1
	assert_equal "$output" x
	[ ! -e "$STATE/tree/new" ]
	run strake run --rm --network none dir:1 test -e /etc/passwd
	assert_status 1
	strake run --name b --network none --bare /bin/busybox true
	run strake commit b bare:1
	assert_status 1
	assert_has "has no layers"
	run strake diff nope
	assert_status 1
	assert_has "no container and no image 'nope'"
}

@test "commit of a container that is not there says so" {
	run strake commit nosuch c:2
	assert_status 1
	assert_has "no container 'nosuch'"
}
