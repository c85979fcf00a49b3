#!/usr/bin/env bats
# The state directories: who may look in, and what still works when nothing can be written.
bats_require_minimum_version 1.5.0
load lib

# setpriv itself looks its command up with root's capabilities; a shell does not.
# shellcheck disable=SC2016
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups sh -c '"$@"' sh "$@"; }

@test "no other user comes near the files of images and containers, or the database" {
	chmod 755 "$ROOT" "$RUN"
	rootfs_new "$STATE/rootfs"
	id=$(strake run -d --network none --rootfs "$STATE/rootfs" sh -c 'cp /bin/busybox /evil; chmod 4755 /evil; exec sleep 1000')
	made() { [ -u "$ROOT/containers/$id/upper/evil" ]; }
	soon made
	run ! as_nobody "$ROOT/containers/$id/upper/evil"
	assert_has "Permission denied"
	assert_equal "$(stat -c %a "$ROOT" "$RUN" "$ROOT/containers" "$ROOT/state.db" | tr '\n' ' ')" "700 700 700 600 "
	# One that an older version made is closed, too.
	chmod 711 "$ROOT" "$RUN"
	chmod 644 "$ROOT/state.db"
	strake ps >/dev/null
	assert_equal "$(stat -c %a "$ROOT" "$RUN" "$ROOT/state.db" | tr '\n' ' ')" "700 700 600 "
	# A directory that holds other things stays open to those who use them.
	mkdir "$STATE/shared"
	touch "$STATE/shared/theirs"
	"$PROGRAMS/strake" --root "$STATE/shared" --run-root "$RUN" ps >/dev/null
	assert_equal "$(stat -c %a "$STATE/shared" "$STATE/shared/state.db" | tr '\n' ' ')" "755 600 "
	run strake --root '' ps
	assert_status 1
	assert_has "--root"
}

@test "a database that another put there is not used, nor is a link followed" {
	mkdir "$STATE/theirs" "$STATE/linked"
	touch "$STATE/target"
	chmod 644 "$STATE/target"
	ln -s "$STATE/target" "$STATE/linked/state.db"
	run "$PROGRAMS/strake" --root "$STATE/linked" --run-root "$RUN" ps
	assert_status 1
	assert_has "is a link"
	assert_equal "$(stat -c '%a %s' "$STATE/target")" "644 0"
	"$PROGRAMS/strake" --root "$STATE/theirs" --run-root "$RUN" ps >/dev/null
	chown 65534 "$STATE/theirs/state.db"
	run "$PROGRAMS/strake" --root "$STATE/theirs" --run-root "$RUN" ps
	assert_status 1
	assert_has "belongs to user 65534"
	chown 65534 "$STATE/linked"
	run "$PROGRAMS/strake" --root "$STATE/linked" --run-root "$RUN" ps
	assert_status 1
	assert_has "belongs to user 65534, who could"
}

@test "a copied root lays its reserve by again" {
	strake ps >/dev/null
	cp -r "$ROOT" "$STATE/copy"
	truncate -s 0 "$STATE/copy/state.db-reserve"
	assert_equal "$(stat -c %b "$STATE/copy/state.db-reserve")" 0
	"$PROGRAMS/strake" --root "$STATE/copy" --run-root "$RUN" ps >/dev/null
	[ "$(stat -c %b "$STATE/copy/state.db-reserve")" -ge 512 ]
}

is_full() { df --output=avail "$ROOT" | grep -qx ' *0'; }
# shellcheck disable=SC2034 # read by the teardown
small_root() { # SIZE
	mount -t tmpfs -o "size=$1,mode=755" small "$ROOT"
	MOUNTS_BEFORE=$(mount_points)
	rootfs_new "$STATE/rootfs"
}

@test "a full disk: all can be looked at, ended and removed" {
	small_root 4m
	strake run -d --name good --network none --rootfs "$STATE/rootfs" sleep 1000
	strake run -d --name evil --network none --rootfs "$STATE/rootfs" sh -c 'while :; do dd if=/dev/zero bs=4k; done >>/fill 2>/dev/null'
	soon is_full
	run strake ps --format '{{.Name}}'
	assert_has good
	strake exec good true
	strake logs good
	strake inspect good >/dev/null
	strake images
	run strake run --network none --rootfs "$STATE/rootfs" true
	assert_status 125
	[[ $output == *"o space "*left* ]]
	strake stop -t 0 evil
	run strake ps -a --format '{{.Name}} {{.State}} {{.ExitCode}}'
	assert_has "evil exited 137"
	strake kill good
	strake rm -f evil good
	run strake run --rm --network none --rootfs "$STATE/rootfs" echo again
	assert_status 0
}

@test "a full disk: rm -f at once, and the next run is as any" {
	small_root 4m
	strake run -d --name evil --network none --rootfs "$STATE/rootfs" sh -c 'while :; do dd if=/dev/zero bs=4k; done >>/fill 2>/dev/null'
	soon is_full
	strake rm -f evil
	assert_equal "$(strake ps -aq)" ""
	strake run --rm --network none --rootfs "$STATE/rootfs" true
	[ -e "$ROOT/state.db-reserve" ]
	run strake system check
	assert_status 0
}

# What was written by a process that is gone, and what one reads that is not, both keep the log.
log_held_by() { # reader|killed
	python3 - "$ROOT/state.db" "$1" 3>&- <<-'EOF' &
		import os, sqlite3, sys
		db = sqlite3.connect(sys.argv[1], isolation_level=None)
		db.execute("CREATE TABLE IF NOT EXISTS left_over (x)")
		db.execute("INSERT INTO left_over VALUES (zeroblob(20000))")
		if sys.argv[2] == "killed":
		    os._exit(0)
		db.execute("BEGIN")
		db.execute("SELECT count(*) FROM left_over").fetchall()
		open(os.path.dirname(sys.argv[1]) + "/reading", "w").close()
		sys.stdin.close()
		os.read(os.open(os.path.dirname(sys.argv[1]) + "/until", os.O_RDONLY), 1)
	EOF
	HOLDER=$!
	[ "$1" = reader ] || wait "$HOLDER"
}

@test "a full disk: a log that another holds, or left, is in nobody's way" {
	small_root 4m
	mkdir "$STATE/signal"
	for log in killed reader; do
		rm -f "$STATE/signal/go"
		mkfifo "$STATE/signal/go"
		strake run -d --name evil --network none -v "$STATE/signal:/signal" --rootfs "$STATE/rootfs" sh -c 'read -r _ </signal/go; while :; do dd if=/dev/zero bs=4k; done >>/fill 2>/dev/null'
		mkfifo "$ROOT/until"
		log_held_by "$log"
		if [ "$log" = reader ]; then soon test -e "$ROOT/reading"; fi
		[ -s "$ROOT/state.db-wal" ]
		echo >"$STATE/signal/go"
		soon is_full
		strake rm -f evil
		assert_equal "$(strake ps -aq)" ""
		if [ "$log" = reader ]; then
			: >"$ROOT/until"
			wait "$HOLDER"
		fi
		rm -f "$ROOT/until" "$ROOT/reading"
		strake run --rm --network none --rootfs "$STATE/rootfs" true
		[ -e "$ROOT/state.db-reserve" ]
	done
}

@test "a read-only root: all can be looked at, and ended" {
	strake run -d --name a --network none --bare /bin/busybox -- sleep 1000
	mount --bind "$ROOT" "$ROOT"
	mount -o remount,bind,ro "$ROOT"
	run strake ps --format '{{.Name}}'
	assert_equal "$output" a
	strake inspect a >/dev/null
	strake images >/dev/null
	strake exec a /busybox true
	run strake run --network none --bare /bin/busybox -- true
	assert_status 125
	assert_has "read-only"
	assert_has "remount,rw"
	strake stop -t 0 a
	assert_equal "$(strake ps -q)" ""
	umount "$ROOT"
	strake rm a
}

@test "a first use on a full disk says that, whatever it is; with room again all is well" {
	for size in 16k 64k 96k 128k 192k 256k; do
		mkdir "$STATE/small"
		mount -t tmpfs -o "size=$size" small "$STATE/small"
		for command in "run --rm --network none --bare /bin/busybox -- true" "ps -a" images; do
			# shellcheck disable=SC2086
			run "$PROGRAMS/strake" --root "$STATE/small/root" --run-root "$RUN" $command
			assert_equal "${#lines[@]}" 1
			[ "$status" = 0 ] || assert_has "o space left on"
			assert_lacks "no such table"
		done
		mount -o remount,size=50m "$STATE/small"
		"$PROGRAMS/strake" --root "$STATE/small/root" --run-root "$RUN" run --rm --network none --bare /bin/busybox -- true
		run "$PROGRAMS/strake" --root "$STATE/small/root" --run-root "$RUN" system check
		assert_equal "$status $output" "0 nothing is wrong"
		soon umount "$STATE/small" # a monitor looks at its way out
		rmdir "$STATE/small"
	done
}

@test "--root and --run-root may not be one directory, by whatever name" {
	mkdir "$STATE/tmp/one"
	ln -s one "$STATE/tmp/other"
	run "$PROGRAMS/strake" --root "$STATE/tmp/one" --run-root "$STATE/tmp/other" ps
	assert_status 1
	assert_has "--root and --run-root are the same directory"
}
