#!/usr/bin/env bats
# Registries: Debian's docker-registry on loopback with skopeo and podman as counterparts, and a small
# registry of our own that misbehaves on demand (tools/registry.py).
# shellcheck disable=SC2016,SC2034,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	need_program strake-registry
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	REG=127.0.0.1:5000
}

# Debian's docker-registry at $REG
real_registry() {
	need_command docker-registry
	cat >"$STATE/registry.yml" <<-YML
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $STATE/registry}, delete: {enabled: true}}
		http: {addr: $REG, secret: test}
	YML
	background docker-registry serve "$STATE/registry.yml" 2>"$STATE/registry.log"
	soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
}

# Ours, with what is given; its address is in $BAD, its log in $STATE/bad.log.
bad_registry() {
	rm -f "$STATE/bad.port"
	background python3 "$TOOLS/registry.py" "$STATE/bad.port" --log "$STATE/bad.log" "$@"
	soon test -s "$STATE/bad.port"
	BAD=$(cat "$STATE/bad.port")
}

# A small image of three layers as OCI layout $STATE/tmp/layout:1
layout_new() { # KIND
	need_command skopeo
	python3 "$TOOLS/images.py" "${1:-layers}" "$STATE/tmp/image.tar"
	skopeo --insecure-policy copy -q "docker-archive:$STATE/tmp/image.tar" "oci:$STATE/tmp/layout:1"
}
big_layout() {
	[ -d "$STATE/tmp/layout" ] || layout_new big
}
skopeo() { command skopeo --insecure-policy "$@"; }
fresh_root() { ROOT=$STATE/root-$1; mkdir "$ROOT"; }
requests() { grep -c -- "$1" "$STATE/bad.log" || true; }

@test "pull: what skopeo pushed, the same manifest and blobs, and it runs" {
	real_registry
	layout_new
	skopeo copy -q --dest-tls-verify=false "oci:$STATE/tmp/layout:1" "docker://$REG/team/web:1"
	run --separate-stderr strake pull "$REG/team/web:1"
	assert_status 0
	assert_equal "$output" "$(strake images -q --no-trunc)"
	[[ $stderr == *"3 layers"* ]]
	local digest
	digest=$(skopeo inspect --tls-verify=false "docker://$REG/team/web:1" --format '{{.Digest}}')
	[ -s "$ROOT/blobs/sha256/${digest#sha256:}" ]
	run strake run --rm --network none "$REG/team/web:1" cat /etc/kept
	assert_equal "$output" second
	# Once more: nothing is fetched.
	run --separate-stderr strake pull "$REG/team/web@$digest"
	assert_status 0
	[[ $stderr == *"0B fetched"* ]]
	assert_equal "$(ls -A "$ROOT/partial" "$ROOT/tmp" | grep -v : | tr -d '\n')" ""
	run strake tags "$REG/team/web"
	assert_equal "$output" 1
	run strake search "$REG/eam"
	assert_has "$REG/team/web"
}
