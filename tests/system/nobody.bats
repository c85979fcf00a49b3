#!/usr/bin/env bats
# What an ordinary user gets: what needs no right works, and for the rest one line says which right is missing and what to do.
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	short_folder # others may look into that one
	ROOT=$SHORT/root RUN=$SHORT/run
	mkdir -m 777 "$SHORT/own"
	rootfs_new "$SHORT/fs"
}

# Without the capabilities that setpriv(1) would look the program up with, and a home that is root's.
as_nobody() { # ROOT RUN COMMAND...
	HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$@"' sh "$PROGRAMS/strake" --root "$1" --run-root "$2" "${@:3}"
}
own() { as_nobody "$SHORT/own/root" "$SHORT/own/run" "$@"; }
roots() { as_nobody "$ROOT" "$RUN" "$@"; }

image_new() {
	python3 "$TOOLS/images.py" layers "$SHORT/image.tar"
	chmod 644 "$SHORT/image.tar"
	strake load -q -i "$SHORT/image.tar"
}

# One line, no output, and the words.
assert_refused() { # WHAT WORDS
	[ "$status" != 0 ] || { echo "$1: works"; return 1; }
	assert_equal "$1: $output" "$1: "
	[ "$(wc -l <<<"$stderr")" = 1 ] && [[ $stderr == *"$2"* ]] && return
	printf '%s: not one line with "%s": %s\n' "$1" "$2" "$stderr"
	return 1
}
assert_script() { # WHAT
	assert_equal "$1: $status $stderr" "$1: 0 "
	sh -n <<<"$output"
}

@test "with a state of their own: what looks works, what needs root says so, and nothing is left" {
	python3 "$TOOLS/images.py" layers "$SHORT/image.tar"
	chmod 644 "$SHORT/image.tar"
	for how in "" --explain; do
		for command in "ps -a" images "network ls" "network inspect bridge" "system df" "volume ls" "volume create v" "volume inspect v" \
			"volume rm v" "network create n" "network inspect n" "network rm n"; do
			# shellcheck disable=SC2086
			run --separate-stderr own $how $command
			assert_equal "$command: $status" "$command: 0"
			[ "$how" = --explain ] || assert_equal "$command: $stderr" "$command: "
		done
	done
	for command in "run --rm --network none nowhere.invalid/test:1 true" "run --rm --rootfs $SHORT/fs true" "run -d -p 8080:80 --bare /bin/busybox -- true" \
		"load -i $SHORT/image.tar" "network check" "network show host" "system check"; do
		for how in "" --explain; do
			# shellcheck disable=SC2086
			run --separate-stderr own $how $command
			[ "$how" = --explain ] && stderr=$(tail -n 1 <<<"$stderr")
			assert_refused "$command" root
		done
	done
	for command in "logs x" "exec x true" "stop x" "kill x" "rm x"; do
		for how in "" --explain --dry-run; do
			# shellcheck disable=SC2086
			run --separate-stderr own $how $command
			assert_refused "$how $command" "no container 'x'"
		done
	done
	assert_equal "$(own ps -aq)$(own images -q)" ""
}

@test "a dry run in a state of their own is a script, and writes nothing" {
	for command in "run --rm --rootfs $SHORT/fs true" "run -d -p 8080:80 --bare /bin/busybox -- true" "ps -a" images "network ls" "network inspect bridge" \
		"network create n" "volume create v"; do
		# shellcheck disable=SC2086
		run --separate-stderr own --dry-run $command
		assert_script "$command"
	done
	assert_equal "$(ls -A "$SHORT/own")" ""
	run --separate-stderr own --dry-run run --rm nowhere.invalid/test:1 true
	assert_refused "run of an image that is not here" "is not here, and a dry run fetches nothing"
	assert_equal "$(ls -A "$SHORT/own")" ""
}

@test "root's state: each command says that it is root's, a dry run too, and none says that a container is not there" {
	image_new
	strake run -d --name c --network none --bare /bin/busybox -- sleep 1000
	strake run --name e --network none test:1 true
	before=$(find "$ROOT" "$RUN" ! -name 'state.db*' | sort)
	for command in "ps -a" images "network ls" "network inspect bridge" "logs c" "inspect c" "exec c /busybox true" "stop c" "kill c" "rm e" "rm -f c" \
		"attach c" "wait c" "volume ls" "system df"; do
		for how in "" --explain; do
			# shellcheck disable=SC2086
			run --separate-stderr roots $how $command
			assert_refused "$how $command" "state needs root, or another --root and --run-root"
		done
		# shellcheck disable=SC2086
		run --separate-stderr roots --dry-run $command
		assert_refused "--dry-run $command" "read the state in $ROOT: Permission denied; a dry run looks at it, too: run it as root"
	done
	run --separate-stderr roots --dry-run run --rm --network none test:1 true
	assert_refused "run of an image" "whether image test:1 is here only root can see, who reads $ROOT: run this as root"
	run --separate-stderr roots --dry-run run --network mine --rootfs "$SHORT/fs" true
	assert_refused "run in a network" "only root can read $ROOT, where it may be: run this as root"
	for command in "run --rm --rootfs $SHORT/fs true" "run --rm --network none --bare /bin/busybox -- true"; do
		# shellcheck disable=SC2086
		run --separate-stderr roots $command
		assert_refused "$command" "state needs root, or another --root and --run-root"
		# shellcheck disable=SC2086
		run --separate-stderr roots --dry-run $command
		assert_script "$command"
	done
	assert_equal "$(find "$ROOT" "$RUN" ! -name 'state.db*' | sort)" "$before"
	assert_equal "$(strake ps --format '{{.Name}} {{.State}}')" "c running"
}

@test "a state that others may read, with containers of root's: scripts work, signals and removal say what is missing" {
	image_new
	strake run -d --name c --network none --bare /bin/busybox -- sleep 1000
	strake run --name e --network none test:1 true
	find "$ROOT" "$RUN" -path '*/layers/*' -prune -o -path '*/netns' -o -path '*/upper/*' -prune -o -path '*/work' -prune -o -exec chown -h 65534:65534 {} + 2>/dev/null || true
	for command in "ps -a" "logs c" "inspect c" "stop -t 1 c" "kill c" "rm e" "rm -f c" "run --rm --network none test:1 true" "wait c"; do
		# shellcheck disable=SC2086
		run --separate-stderr roots --dry-run $command
		assert_script "$command"
	done
	for how in "" --dry-run; do
		# shellcheck disable=SC2086
		run --separate-stderr roots $how exec c /busybox true
		assert_refused "$how exec" "needs root: the container's namespaces and control groups"
	done
	for command in "stop -t 1 c" "kill c" "rm -f c"; do
		# shellcheck disable=SC2086
		run --separate-stderr roots $command
		assert_refused "$command" "another user's"
	done
	run --separate-stderr roots run --rm --network none test:1 true
	assert_refused run "needs root"
	run --separate-stderr roots image mount test:1
	assert_refused "image mount" "needs root: it mounts"
	run --separate-stderr roots rm e
	assert_refused "rm e" "which needs root"
	chown -R 0:0 "$ROOT" "$RUN" 2>/dev/null || true
	strake rm -f c
	assert_equal "$(strake ps -aq)" "" # what was begun is ended by the next who can
}
