#!/usr/bin/env bats
# Build checks: warnings of a build, --check, --call.
# shellcheck disable=SC2016,SC2153
bats_require_minimum_version 1.5.0
load lib

file_new() {
	mkdir -p "$STATE/ctx"
	cd "$STATE/ctx" || return
	cat >Containerfile
}

@test "build checks: warnings while building, --check in their place, error=true ends the build" {
	file_new <<-'END'
		FROM scratch AS Name
		ARG API_KEY
		COPY a /
		CMD run it
	END
	echo a >a
	run --separate-stderr strake build -t x .
	[ "$status" = 0 ]
	grep -qx 'strake build: warning: Containerfile:4: JSONArgsRecommended: CMD runs a shell.*' <<<"$stderr"
	[ "$(grep -c 'strake build: warning: Containerfile:' <<<"$stderr")" = 3 ]
	run --separate-stderr strake build -q .
	[ -z "$stderr" ]
	run --separate-stderr strake build --check .
	[ "$status" = 1 ]
	diff -u - <(cat <<<"$output") <<-'END'
		Containerfile:1: StageNameCasing: the stage's name 'Name' is not in lower case
		    1 | FROM scratch AS Name
		      | ^
		Containerfile:2: SecretsUsedInArgOrEnv: ARG API_KEY: a secret here is in the image or its history; RUN --mount=type=secret is not
		    2 | ARG API_KEY
		      | ^
		Containerfile:4: JSONArgsRecommended: CMD runs a shell, which keeps signals from the program; a list does not: ["PROGRAM", "ARGUMENT"]
		    4 | CMD run it
		      | ^
	END
	[ "$stderr" = "strake build: Containerfile: 3 warnings" ]
	[ -z "$(strake images -q y)" ]
	sed -i '1i # check=skip=StageNameCasing,SecretsUsedInArgOrEnv;error=true' Containerfile
	run ! strake build .
	[[ $output == *"warning: Containerfile:5: JSONArgsRecommended"*$'    5 | CMD run it\n      | ^\nstrake build: Containerfile:5: JSONArgsRecommended: CMD runs a shell'*'; error=true lets no warning pass' ]]
	strake build -q --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all . >/dev/null
	sed -i 's/skip=/skip=JSONArgsRecommended,/' Containerfile
	[ "$(strake build --check .)" = "no warnings" ]
	strake build -q . >/dev/null
	sed -i 's/error=true/oops=1/' Containerfile
	run ! strake build --check .
	[[ $output == *"check=: there is no 'oops', only skip, error, experimental" ]]
}

@test "--call: findings, stages and arguments as JSON and as tables" {
	file_new <<-'END'
		# version is what to take
		ARG version=1
		# base has the tools
		FROM scratch AS base
		ARG version other
		RUN --mount=type=secret,id=token,required --mount=type=ssh --mount=type=cache,target=/c true
		FROM scratch AS unused
		ARG nobody
		FROM base AS app
		EXPOSE 80/TCP
	END
	run strake build --call=check,format=json .
	[ "$status" = 1 ]
	jq -e '.warnings | length == 1' <<<"${output%strake build*}"
	jq -e '.warnings[0] | .ruleName == "ExposeProtoCasing" and .location.ranges[0].start.line == 10 and (.detail | length > 0)' <<<"${output%strake build*}"
	strake build --call=targets,format=json . >"$STATE/targets"
	[ "$(jq -c '[.targets[] | [.name, .base, .description, .default]]' "$STATE/targets")" = \
		'[["base","scratch","has the tools",null],["unused","scratch",null,null],["app","base",null,true]]' ]
	strake build --call=outline,format=json --build-arg other=given . >"$STATE/outline"
	[ "$(jq -c '[.name, [.args[] | [.name, .value, .description]], .secrets, .ssh, .cache]' "$STATE/outline")" = \
		'["app",[["version","1","is what to take"],["other","given",null]],[{"name":"token","required":true}],[{"name":"default"}],[{"ID":"/c"}]]' ]
	strake build --call=targets . | grep -q '^app (default)  *base'
	strake build --call=outline --target unused . | grep -q '^nobody'
	run ! strake build --call=nothing .
	[[ $output == *"--call is build, check, outline or targets, not 'nothing'" ]]
	run ! strake build --call=check,format=xml .
	[[ $output == *"'format=xml' is not format=json or format=text" ]]
	[ -z "$(strake images -q)" ]
}

@test "build checks know what an image below says, if it is here" {
	rootfs_new "$STATE/tree"
	strake import -c 'ENV OF_BASE=1' "$STATE/tree" base:1 >/dev/null
	file_new <<-'END'
		FROM base:1
		ENV a=$OF_BASE b=$OF_BAS
		FROM --platform=linux/s390x base:1 AS of_s390x
		FROM nowhere/to/be:found
		ENV c=$whatever
	END
	run ! strake build --check .
	grep -qx 'Containerfile:2: UndefinedVar: $OF_BAS is not defined; did you mean $OF_BASE?' <<<"$output"
	grep -q 'Containerfile:3: InvalidBaseImagePlatform: image base:1 is for linux/amd64, and linux/s390x is wanted' <<<"$output"
	[ "$(grep -c '^Containerfile:' <<<"$output")" = 2 ]
}
