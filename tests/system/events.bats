#!/usr/bin/env bats
# The event stream.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load lib

# What happened until now; nothing is waited for.
past() { strake events --since 0 --until 0s --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' "$@"; }

@test "events: what happened to containers, images, networks and volumes, in its order" {
	rootfs_new "$STATE/tree"
	id=sha256:$(strake import "$STATE/tree" base:1)
	strake network create net >/dev/null
	strake volume create vol >/dev/null
	run -3 strake run --name one --label tier=web --network net base:1 sh -c 'exit 3'
	strake tag base:1 base:2
	strake rm one
	strake run -d --name two --network none base:1 sh -c 'trap "exit 0" TERM; echo ready; while :; do read -r x </dev/zero; done' >/dev/null
	strake exec two true
	strake stop -t 0 two >/dev/null
	strake rm two
	strake rmi base:2 base:1 >/dev/null
	strake volume rm vol
	strake network rm net
	run -0 past
	assert_equal "$output" "$(printf '%s\n' 'image import base:1' 'network create net' 'volume create vol' 'container create one' 'network connect net' \
		'container start one' 'container die one' 'network disconnect net' 'image tag base:2' 'container destroy one' \
		'container create two' 'container start two' 'container exec_start two' 'container exec_die two' 'container kill two' \
		'container die two' 'container destroy two' 'image untag base:2' 'image untag base:1' "image delete $id" 'volume destroy vol' 'network destroy net')"
	# Filters of one key: any; of several: each.
	assert_equal "$(past -f container=one -f event=die -f event=start)" $'container start one\ncontainer die one'
	assert_equal "$(past -f label=tier=web | wc -l)" 4
	assert_equal "$(past -f type=volume)" $'volume create vol\nvolume destroy vol'
	assert_equal "$(past -f image=base:1 -f type=container -f event=create)" $'container create one\ncontainer create two'
	run strake events -f nothing=x
	assert_status 1
	assert_has "--filter 'nothing=x': expected type="
	run strake events --since yesterday
	assert_has "--since 'yesterday': expected"
	# Docker's documents.
	run -0 strake events --since 0 --until 0s --format json -f container=one -f event=die
	assert_equal "$(jq -r '[.Type, .Action, .status, .from, .Actor.Attributes.exitCode, .Actor.Attributes.tier, .scope, (.time * 1000000000 <= .timeNano)] | join(" ")' <<<"$output")" \
		'container die die base:1 3 web local true'
	run -0 strake events --since 0 --until 0s -f event=import
	[[ $output =~ ^20[0-9-]+T[0-9:.]+Z\ image\ import\ sha256:[0-9a-f]{64}\ \(name=base:1\)$ ]]
}

@test "events: a reader sees things as they happen, without a process that would do it for him" {
	rootfs_new "$STATE/tree"
	mkfifo "$STATE/tmp/pipe"
	look() { exec "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" events -f event=tag --format '{{.Actor.Attributes.name}}' >"$STATE/tmp/pipe"; }
	strake import "$STATE/tree" base:1 >/dev/null
	background look
	exec {seen}<"$STATE/tmp/pipe"
	# It watches once its first line could be lost no more.
	watches() { grep -qs inotify "/proc/${BACKGROUND[0]}/fdinfo/"*; }
	soon watches
	strake tag base:1 base:2
	read -r -t 10 -u "$seen" line
	assert_equal "$line" base:2
	strake tag base:1 base:3
	read -r -t 10 -u "$seen" line
	assert_equal "$line" base:3
	exec {seen}<&-
}
