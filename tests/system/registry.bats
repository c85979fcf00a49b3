#!/usr/bin/env bats
# Registries: Debian's docker-registry on loopback with skopeo and podman as counterparts, and a small
# registry of our own that misbehaves on demand (tools/registry.py).
# shellcheck disable=SC2013,SC2016,SC2034,SC2119,SC2120
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	need_program strake-registry
	export HOME=$STATE/home XDG_RUNTIME_DIR=$STATE/run-user
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy
	mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
	REG=127.0.0.1:5000 LAYER=none
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
	DEADLINE=60 soon eval "(: </dev/tcp/127.0.0.1/5000) 2>/dev/null"
}

# Ours, with what is given; its address is in $BAD, its log in $STATE/bad.log.
bad_registry() {
	rm -f "$STATE/bad.port"
	: >"$STATE/bad.log"
	background python3 "$TOOLS/registry.py" "$STATE/bad.port" --log "$STATE/bad.log" "$@"
	DEADLINE=60 soon test -s "$STATE/bad.port"
	BAD=$(cat "$STATE/bad.port")
}
# Another fault for the one that runs with --fault-file "$STATE/faults"; the log starts again.
fault() {
	echo "${1/LAYER/$LAYER}" >"$STATE/faults.new"
	mv "$STATE/faults.new" "$STATE/faults"
	: >"$STATE/bad.log"
}

# A small image of three layers as OCI layout $STATE/tmp/layout:1
layout_new() { # KIND
	need_command skopeo
	python3 "$TOOLS/images.py" "${1:-layers}" "$STATE/tmp/image.tar"
	skopeo --insecure-policy copy -q "docker-archive:$STATE/tmp/image.tar" "oci:$STATE/tmp/layout:1"
	LAYER=blobs/$(jq -r '.layers[0].digest' "$STATE/tmp/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")")
}
big_layout() {
	[ -d "$STATE/tmp/layout" ] || layout_new big
}
skopeo() { command skopeo --insecure-policy "$@"; }
fresh_root() { ROOT=$STATE/root-$1; mkdir "$ROOT"; }
no_strake() { ! grep -lqs '^Name:.strake' /proc/[0-9]*/status; }
requests() { grep -c -- "$1" "$STATE/bad.log" || true; }

@test "pull: what skopeo pushed, the same manifest and blobs, and it runs" {
	real_registry
	layout_new
	skopeo copy -q --dest-tls-verify=false "oci:$STATE/tmp/layout:1" "docker://$REG/team/web:1"
	run --separate-stderr strake pull "$REG/team/web:1"
	assert_status 0
	assert_equal "sha256:$output" "$(strake images -q --no-trunc)"
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

@test "run: an image that is not here is pulled, as --pull says; progress and reasons on standard error" {
	local old
	real_registry
	layout_new
	skopeo copy -q --dest-tls-verify=false "oci:$STATE/tmp/layout:1" "docker://$REG/team/web:1"
	run strake run --rm --pull never "$REG/team/web:1" cat /etc/kept
	assert_status 125
	assert_has "no image '$REG/team/web:1'"
	run strake --dry-run run --rm --network none "$REG/team/web:1" cat /etc/kept
	assert_status 125
	assert_has "a dry run fetches nothing; 'strake pull $REG/team/web:1' first"
	run --separate-stderr strake run --rm --network none "$REG/team/web:1" cat /etc/kept
	assert_status 0
	assert_equal "$output" second
	[[ $stderr == *"3 layers"*"fetched"* ]]
	# What is here is not asked for again, and wins over a search.
	mkdir -p "$HOME/.config/containers"
	printf 'unqualified-search-registries = ["%s"]\nshort-name-mode = "permissive"\n' "$REG" >"$HOME/.config/containers/registries.conf"
	kill "${BACKGROUND[@]}"; wait "${BACKGROUND[@]}" || true
	BACKGROUND=()
	run --separate-stderr strake run --rm --network none team/web:1 cat /etc/kept
	assert_equal "$output$stderr" second
	run --separate-stderr strake run --rm --network none --pull always "$REG/team/web:1" cat /etc/kept
	assert_status 125
	[[ ${stderr##*$'\n'} == "strake run: image $REG/team/web:1 could not be fetched" ]]
	real_registry
	# The tag moves on: missing keeps what is here, always has the other.
	python3 "$TOOLS/images.py" big "$STATE/tmp/other.tar"
	skopeo copy -q --dest-tls-verify=false "docker-archive:$STATE/tmp/other.tar" "docker://$REG/team/web:1"
	old=$(strake images -q --no-trunc)
	strake run --rm --network none --pull missing "$REG/team/web:1" true
	assert_equal "$(strake images -q --no-trunc)" "$old"
	run --separate-stderr strake run --rm --network none --pull=always "$REG/team/web:1" true
	[ "$(strake images -q --no-trunc "$REG/team/web:1")" != "$old" ]
	run strake run --pull often "$REG/team/web:1"
	assert_has "--pull wants missing, always or never, not 'often'"
	run strake run --rm ffffffffffff
	assert_status 125
}

@test "push: skopeo finds the same; what was pulled goes out with its digest; what is there is not sent again" {
	real_registry
	layout_new
	strake load -q -i "$STATE/tmp/image.tar"
	run --separate-stderr strake push --digestfile "$STATE/digest" test:1 "$REG/a/web:1"
	assert_status 0
	[[ $stderr == *"4 blobs sent, 0 there already"* ]]
	assert_equal "$(skopeo inspect --tls-verify=false "docker://$REG/a/web:1" --format '{{.Digest}}')" "$(cat "$STATE/digest")"
	skopeo copy -q --src-tls-verify=false "docker://$REG/a/web:1" "dir:$STATE/tmp/back"
	run --separate-stderr strake push test:1 "$REG/a/web:2"
	[[ $stderr == *"0 blobs sent, 4 there already"* ]]
	# From another repository of the same registry the blobs are mounted.
	skopeo copy -q --dest-tls-verify=false "oci:$STATE/tmp/layout:1" "docker://$REG/b/orig:1"
	fresh_root two
	strake pull -q "$REG/b/orig:1"
	strake push -q --digestfile "$STATE/digest" "$REG/b/orig:1" "$REG/c/copy:1"
	assert_equal "$(cat "$STATE/digest")" "$(skopeo inspect --tls-verify=false "docker://$REG/b/orig:1" --format '{{.Digest}}')"
	run strake push -q test:9 "$REG/a/web:9"
	assert_status 1
	assert_has "no image 'test:9'"
}

@test "copy: registry, store, layout, archives, directory; digests stay, skopeo reads each" {
	local want place
	real_registry
	layout_new
	want=$(skopeo inspect "oci:$STATE/tmp/layout:1" --format '{{.Digest}}')
	cd "$STATE/tmp"
	strake copy -q "oci:layout:1" "docker://$REG/one:1"
	strake copy -q "docker://$REG/one:1" dir:d
	strake copy -q dir:d oci-archive:a.tar:x
	strake copy -q oci-archive:a.tar:x oci:l:y
	strake copy -q oci:l:y store:kept:1
	strake copy -q store:kept:1 "docker://$REG/two:1"
	for place in "docker://$REG/one:1" dir:d oci-archive:a.tar:x oci:l:y "docker://$REG/two:1"; do
		[ "$(skopeo inspect --tls-verify=false "$place" --format '{{.Digest}}')" = "$want" ] || { echo "$place"; false; }
	done
	run strake run --rm --network none kept:1 cat /etc/kept
	assert_equal "$output" second
	strake copy -q "docker://$REG/two:1" docker-archive:da.tar:back:1
	skopeo inspect docker-archive:da.tar:back:1 >/dev/null
	fresh_root again
	assert_equal "$(strake load -i da.tar)" "Loaded image: back:1"
	strake copy -q docker-archive:da.tar:back:1 "docker://$REG/three:1"
	skopeo copy -q --src-tls-verify=false "docker://$REG/three:1" dir:d3
	# skopeo's own directory, and two at once in a layout
	skopeo copy -q "oci:layout:1" dir:sk
	strake copy -q dir:sk oci:l:second
	assert_equal "$(jq '.manifests | length' l/index.json)" 2
	run strake copy oci:l dir:nowhere
	assert_status 1
	assert_has "say which, :TAG"
	run strake copy oci:l:1 nowhere
	assert_has "says no place"
	for place in oci dir oci-archive docker-archive; do
		run strake copy "$place:/nowhere/at/all" dir:x
		assert_status 1
		assert_has "$place:/nowhere/at/all: "
		assert_has "No such file or directory"
	done
}

# An index of amd64, arm/v6, an attestation and an inner index with arm64, as $STATE/tmp/multi:all.
multi_new() {
	layout_new
	python3 - "$STATE/tmp/layout" "$STATE/tmp/multi" <<-'PY'
		import hashlib, json, os, shutil, sys
		src, dst = sys.argv[1:]
		shutil.copytree(src, dst)
		blob = lambda d: json.load(open(f"{dst}/blobs/sha256/{d['digest'][7:]}"))
		def put(doc, kind, **more):
		    data = json.dumps(doc).encode()
		    name = hashlib.sha256(data).hexdigest()
		    open(f"{dst}/blobs/sha256/{name}", "wb").write(data)
		    return {"mediaType": kind, "digest": "sha256:" + name, "size": len(data), **more}
		man = "application/vnd.oci.image.manifest.v1+json"
		ind = "application/vnd.oci.image.index.v1+json"
		base = blob(json.load(open(f"{dst}/index.json"))["manifests"][0])
		def one(arch, variant=None):
		    conf = blob(base["config"])
		    conf["architecture"] = arch
		    m = dict(base, config=put(conf, base["config"]["mediaType"]))
		    p = {"os": "linux", "architecture": arch, **({"variant": variant} if variant else {})}
		    return put(m, man, platform=p)
		note = put(dict(base, layers=[]), man, platform={"os": "unknown", "architecture": "unknown"})
		inner = put({"schemaVersion": 2, "mediaType": ind, "manifests": [one("arm64", "v8")]}, ind,
		            platform={"os": "linux", "architecture": "arm64"})
		top = put({"schemaVersion": 2, "mediaType": ind, "manifests": [note, one("arm", "v6"), inner, one("amd64")]}, ind,
		          annotations={"org.opencontainers.image.ref.name": "all"})
		json.dump({"schemaVersion": 2, "manifests": [top]}, open(f"{dst}/index.json", "w"))
	PY
}

@test "several platforms: the right one is chosen, all are copied, what is missing is said" {
	local top
	multi_new
	bad_registry --seed "multi=$STATE/tmp/multi"
	top=$(jq -r '.manifests[0].digest' "$STATE/tmp/multi/index.json")
	run --separate-stderr strake pull "$BAD/multi:all"
	assert_status 0
	[[ $stderr == *"$top, linux/amd64"* ]]
	strake pull -q --platform arm64 "$BAD/multi:all"
	assert_equal "$(jq -r .architecture "$ROOT/blobs/sha256/$(strake images -q --no-trunc | head -1 | cut -d: -f2)")" arm64
	strake pull -q --platform linux/arm/v7 "$BAD/multi:all"
	run strake pull --platform s390x "$BAD/multi:all"
	assert_status 1
	assert_has "no variant for linux/s390x"
	strake copy -q --all "docker://$BAD/multi:all" "oci:$STATE/tmp/whole:all"
	assert_equal "$(jq -r '.manifests[0].digest' "$STATE/tmp/whole/index.json")" "$top"
	strake copy -q --all "oci:$STATE/tmp/whole:all" "docker://$BAD/other:all"
	assert_equal "$("$PROGRAMS/strake-image" remote-inspect --raw "$BAD/other:all" | sha256sum | cut -d' ' -f1)" "${top#sha256:}"
	# All of them into the store; the name is the index's then. Attestations stay behind.
	fresh_root whole
	jq '.manifests[0].annotations["io.containerd.image.name"] = "docker.io/library/multi:all"' "$STATE/tmp/multi/index.json" >"$STATE/tmp/index"
	cp "$STATE/tmp/index" "$STATE/tmp/multi/index.json"
	strake load -q --all-platforms -i "$STATE/tmp/multi"
	assert_equal "$(strake manifest inspect multi:all | jq -r '[.manifests[].platform | .architecture] | sort | join(" ")')" "amd64 arm arm64"
	run strake run --rm --network none --pull never multi:all cat /etc/kept
	assert_equal "$output" second
	strake push -q multi:all "$BAD/again:all"
	assert_equal "$(skopeo inspect --raw --tls-verify=false "docker://$BAD/again:all" | jq '.manifests | length')" 3
	run strake system check
	assert_status 0
	fresh_root copied
	strake copy -q --all "docker://$BAD/again:all" store:copied:1
	strake copy -q --all "docker://$BAD/multi:all" store:copied:2
	assert_equal "$(strake manifest inspect copied:2 | jq '.manifests | length')" 3
	run strake run --rm --network none --pull never copied:2 cat /etc/kept
	assert_equal "$output" second
	strake copy -q --all store:copied:1 "docker://$BAD/thrice:all"
	assert_equal "$("$PROGRAMS/strake-image" remote-inspect --raw "$BAD/thrice:all" | sha256sum)" "$("$PROGRAMS/strake-image" remote-inspect --raw "$BAD/again:all" | sha256sum)"
	run strake system check
	assert_status 0
	run "$PROGRAMS/strake-image" remote-inspect "$BAD/multi:all"
	assert_equal "$(jq -c .Platforms <<<"$output")" '["linux/arm/v6","linux/arm64","linux/amd64"]'
}

@test "faults that pass: tried again, and a broken download goes on where it was" {
	local fault expect
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --fault-file "$STATE/faults"
	while IFS='|' read -r fault expect; do
		fault "$fault"
		fresh_root "$RANDOM$RANDOM"
		run timeout 30 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" pull --stall 1 "$BAD/web:1"
		[ "$status" = 0 ] || { echo "$fault: $output"; false; }
		[[ $output == *"$expect"* ]] || { echo "$fault: $output"; false; }
		run strake run --rm --network none "$BAD/web:1" cat /etc/kept
		assert_equal "$output" second
		case $fault in
		*reset*) [ "$(requests 'bytes=')" -gt 0 ] || { cat "$STATE/bad.log"; false; } ;;
		esac
	done <<-'FAULTS'
		GET manifests status=503 2|HTTP 503; trying again
		GET blobs status=429+header=Retry-After:0 3|HTTP 429; trying again in 0.0
		GET blobs status=500 1|trying again
		GET LAYER reset=300000 2|trying again
		GET LAYER reset=300000+norange 1|trying again
		GET LAYER stall=300000 1|no byte came for 1 seconds; trying again
		GET LAYER drop 2|trying again
		GET LAYER slow=100000 3|3 layers
			FAULTS
}

@test "faults that stay: one line that says what, nothing visible, nothing left" {
	local fault expect
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --fault-file "$STATE/faults"
	while IFS='|' read -r fault expect; do
		fault "$fault"
		fresh_root "$RANDOM$RANDOM"
		run timeout 60 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" pull -q --retry 1 --stall 1 "$BAD/web:1"
		[ "$status" = 1 ] || { echo "$fault: status $status: $output"; false; }
		[ "${#lines[@]}" = 1 ] || { echo "$fault: $output"; false; }
		[[ $output == "strake pull: $BAD/web:1: "*"$expect"* ]] || { echo "$fault: $output"; false; }
		assert_equal "$(strake images -q)" ""
	done <<-'FAULTS'
		GET manifests status=404|HTTP 404
		GET manifests status=403|HTTP 403: FAULT: on demand; asked without credentials
		GET manifests status=503|HTTP 503
		GET manifests status=429+header=Retry-After:90000|asks to come back in 1440 minutes
		GET manifests header=Location:ftp://x/+status=302|sends us to ftp://x/: refused
		GET manifests redirect=@/v2/web/manifests/1|sends us in a circle
		GET manifests body={"schemaVersion":1,"fsLayers":[]}|Docker's old schema 1
		GET manifests body={"schemaVersion":2,"config":{},"layers":[],"manifests":[]}|a manifest and an index at once
		GET manifests body=[]|expected an object
		GET manifests body={"a":1,"a":2}|not valid JSON
		GET LAYER flip|layer 1 of 3: gzip: the checksum differs
		GET blobs flip|its digest is
		GET LAYER short=1|promises
		GET LAYER long=1|more than
		GET LAYER stall=10|no byte came for 1 seconds
		GET LAYER reset=10+otherrange|another part
		GET blobs status=401|HTTP 401
		GET manifests endless=trailers|the server sends more than 256 KiB of headers
		GET manifests endless=body|the manifest is larger than 4 MiB
		GET manifests status=403+endless=body|HTTP 403
		GET manifests endless=headers|
		GET manifests endless=drips|the answer comes too slowly
		GET manifests endless=interim|the answer comes too slowly
		GET blobs endless=trailers|the server sends more than 256 KiB of headers
	FAULTS
	run strake system check
	assert_status 0
	# One that is not there is not asked for again.
	fault "GET nothing drop"
	run strake pull -q "$BAD/web:nope"
	assert_equal "$(requests 'GET /v2/web/manifests/nope')" 1
}

@test "a redirect takes no password along; a server elsewhere may hold the blobs" {
	local blobs
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout"
	blobs=$BAD
	rm "$STATE/bad.port"
	background python3 "$TOOLS/registry.py" "$STATE/bad.port" --log "$STATE/front.log" --seed "web=$STATE/tmp/layout" \
		--basic me:secret --fault "GET $LAYER redirect=http://$blobs/raw/${LAYER#blobs/}"
	DEADLINE=60 soon test -s "$STATE/bad.port"
	BAD=$(cat "$STATE/bad.port")
	run strake pull -q --creds me:secret "$BAD/web:1"
	assert_status 0
	[ "$(requests 'GET /raw/.* - ')" = 1 ]
	[ "$(requests 'Basic')" = 0 ]
	grep -q 'GET /v2/web/manifests/1 Basic' "$STATE/front.log"
}

@test "tokens: anonymous, with a login, for pushing, ended half-way; identity tokens; who is refused is told why" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --token me:secret
	run strake pull "$BAD/web:1"
	assert_status 1
	assert_has "refuses to answer without credentials"
	run strake login -u me --password-stdin "$BAD" <<<wrong
	assert_status 1
	assert_has "refuses the credentials of this login"
	run strake login -u me --password-stdin "$BAD" <<<secret
	assert_status 0
	assert_equal "$output" "Login Succeeded; kept in $XDG_RUNTIME_DIR/containers/auth.json"
	assert_equal "$(stat -c %a "$XDG_RUNTIME_DIR/containers/auth.json")" 600
	assert_equal "$(strake login --get-login "$BAD")" me
	strake pull -q "$BAD/web:1"
	strake push -q "$BAD/web:1" "$BAD/new/one:1"
	[ "$(requests 'POST /v2/new/one/blobs/uploads')" -gt 0 ]
	run strake logout "$BAD"
	assert_status 0
	run strake logout "$BAD"
	assert_status 1
	assert_has "not logged in"
	# A token that has ended is fetched again in the middle: each is good for two requests.
	fresh_root short
	bad_registry --seed "web=$STATE/tmp/layout" --token me:secret --token-uses 2
	run strake pull -q --creds me:secret "$BAD/web:1"
	assert_status 0
	[ "$(requests 'GET /token')" -gt 1 ]
	fresh_root identity
	bad_registry --seed "web=$STATE/tmp/layout" --token me:secret --identity id-token
	echo "{\"auths\":{\"$BAD\":{\"identitytoken\":\"id-token\"}}}" >"$STATE/auth"
	strake pull -q --authfile "$STATE/auth" "$BAD/web:1"
	[ "$(requests 'POST /token')" -gt 0 ]
	fresh_root anonymous
	bad_registry --seed "web=$STATE/tmp/layout" --token me:secret --anonymous
	strake pull -q "$BAD/web:1"
	run strake push -q "$BAD/web:1"
	assert_status 1
	assert_has "asked without credentials"
}

@test "credentials: the longest key, a helper, the files of Docker; the message names file and key" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --seed "team/web=$STATE/tmp/layout" --basic me:secret
	pair() { printf '%s' "$1" | base64 -w0; }
	mkdir -p "$HOME/.docker" "$STATE/bin"
	echo "{\"auths\":{\"$BAD\":{\"auth\":\"$(pair me:wrong)\"},\"$BAD/team\":{\"auth\":\"$(pair me:secret)\"}}}" >"$HOME/.docker/config.json"
	strake pull -q "$BAD/team/web:1"
	run strake pull -q "$BAD/web:1"
	assert_status 1
	assert_has "asked with the credentials of $HOME/.docker/config.json, key $BAD)" || assert_has "asked with the credentials of $HOME/.docker/config.json, key $BAD"
	printf '#!/bin/sh\nread -r key\necho "$1 $key" >>%s/asked\necho "{\\"Username\\":\\"me\\",\\"Secret\\":\\"secret\\"}"\n' "$STATE" >"$STATE/bin/docker-credential-test"
	chmod 755 "$STATE/bin/docker-credential-test"
	echo "{\"credHelpers\":{\"$BAD\":\"test\"}}" >"$HOME/.docker/config.json"
	PATH=$STATE/bin:$PATH strake pull -q "$BAD/web:1"
	assert_equal "$(sort -u "$STATE/asked")" "get $BAD"
	echo "{\"credHelpers\":{\"$BAD\":\"missing\"}}" >"$HOME/.docker/config.json"
	run strake pull -q "$BAD/web:1"
	assert_has "docker-credential-missing is not installed"
	echo '{"auths":' >"$HOME/.docker/config.json"
	run strake pull -q "$BAD/web:1"
	assert_has "$HOME/.docker/config.json is not valid JSON"
}

@test "TLS: own CA, own certificate, none that is believed, none at all" {
	need_command openssl
	layout_new
	cd "$STATE/tmp"
	key() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" -addext "subjectAltName=IP:127.0.0.1" 2>/dev/null; }
	key server
	key client
	bad_registry --seed "web=$STATE/tmp/layout" --tls "$STATE/tmp/server.crt" "$STATE/tmp/server.key" --client-ca "$STATE/tmp/client.crt"
	run strake pull -q --tls-verify true "$BAD/web:1"
	assert_status 1
	assert_has "certificate"
	mkdir -p "$HOME/.config/containers/certs.d/$BAD"
	cp server.crt "$HOME/.config/containers/certs.d/$BAD/ca.crt"
	run strake pull -q --tls-verify true --retry 1 "$BAD/web:1"
	assert_status 1
	cp client.crt "$HOME/.config/containers/certs.d/$BAD/client.cert"
	run strake pull -q --tls-verify true "$BAD/web:1"
	assert_has "client.cert has no client.key beside it"
	cp client.key "$HOME/.config/containers/certs.d/$BAD/client.key"
	strake pull -q --tls-verify true "$BAD/web:1"
	# On loopback plain HTTP is tried, unless it is forbidden.
	fresh_root plain
	bad_registry --seed "web=$STATE/tmp/layout"
	strake pull -q "$BAD/web:1"
	run strake pull -q --tls-verify true "$BAD/web:1"
	assert_status 1
}

@test "registries.conf: mirrors, other places, blocked, short names; what is not known is said" {
	local real
	layout_new
	bad_registry --seed "team/web=$STATE/tmp/layout" --seed "library/web=$STATE/tmp/layout"
	real=$BAD
	bad_registry --fault 'GET .* status=404'
	mkdir -p "$HOME/.config/containers"
	cat >"$HOME/.config/containers/registries.conf" <<-CONF
		unqualified-search-registries = ["docker.io", "quay.test"]
		colour = "red"
		[[registry]]
		prefix = "quay.test"
		location = "$real/team"
		[[registry.mirror]]
		location = "$BAD/cache"
		insecure = true
		[[registry]]
		prefix = "bad.test"
		blocked = true
		[aliases]
		site = "quay.test/web"
	CONF
	run strake pull quay.test/web:1
	assert_status 0
	assert_has "colour is not known and ignored"
	assert_has "mirror $BAD does not help: $BAD: HTTP 404"
	run strake pull -q bad.test/web:1
	assert_status 1
	assert_has "blocked by registries.conf (prefix bad.test)"
	run strake pull web:1
	assert_status 1
	assert_has "'web:1' may mean docker.io/library/web:1, quay.test/web:1"
	run strake pull site:1
	assert_status 0
	assert_has "site:1 is short for quay.test/web:1"
	printf '[[registry]\n' >"$HOME/.config/containers/registries.conf"
	run strake pull -q site:1
	assert_status 1
	assert_has "registries.conf, line 1: ']' is expected"
}

@test "uploads: broken ones go on, parts, a registry that mounts nothing, one that forgets" {
	local fault i=0
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	strake load -q -i "$STATE/tmp/image.tar"
	bad_registry --no-mount --chunk-min 400000 --fault-file "$STATE/faults"
	while read -r fault; do
		fault "$fault"
		run timeout 30 "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" push --chunk-size 300k test:1 "$BAD/up$((i += 1)):1"
		[ "$status" = 0 ] || { echo "$fault: $output"; cat "$STATE/bad.log"; false; }
		[ "$(requests '0-399999')" -gt 0 ]
	done <<-'FAULTS'
		PATCH . reset=100000 2
		PATCH . status=503 1
		PATCH . status=404 1
		POST . status=500 1
		PUT blobs drop 1
	FAULTS
	skopeo copy -q --src-tls-verify=false "docker://$BAD/up1:1" "dir:$STATE/tmp/check"
	fault 'PUT blobs status=400'
	run strake push -q test:1 "$BAD/bad:1"
	assert_status 1
	assert_has "HTTP 400: FAULT: on demand"
	[ "$(requests 'DELETE /v2/bad/blobs/uploads')" -gt 0 ]
}

@test "tags over several pages, a list that leads elsewhere; search in a catalogue" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --page 2
	for tag in a b c d e; do strake copy -q "oci:$STATE/tmp/layout:1" "docker://$BAD/web:$tag"; done
	assert_equal "$(strake tags "$BAD/web" | tr '\n' ' ')" "1 a b c d e "
	run strake search "$BAD/we"
	assert_has "$BAD/web"
	bad_registry --seed "web=$STATE/tmp/layout" --fault 'GET tags header=Link:<http://127.0.0.1:1/x>;~rel="next"'
	assert_equal "$(strake tags "$BAD/web")" 1
	run strake tags "$BAD/nope"
	assert_status 1
	assert_has "HTTP 404"
}

@test "podman: it runs what we push, we run what it pushes; the same image, the same digests" {
	local id digest kind
	need_command podman
	short_folder
	real_registry
	python3 "$TOOLS/images.py" layers "$STATE/tmp/image.tar"
	podman() { command podman --root "$SHORT/p" --runroot "$SHORT/r" --storage-driver vfs "$@"; }
	id=$(strake load -q -i "$STATE/tmp/image.tar")
	for kind in gzip zstd; do
		strake push -q --compression "$kind" --digestfile "$STATE/digest" test:1 "$REG/ours:$kind"
		podman pull -q --tls-verify=false "$REG/ours:$kind"
		assert_equal "$(podman images --no-trunc --format "{{.Id}}" "$REG/ours:$kind" | sort -u)" "$id"
		assert_equal "$(podman image inspect --format '{{.Digest}}' "$REG/ours:$kind")" "$(cat "$STATE/digest")"
	done
	podman push -q --tls-verify=false "$REG/ours:gzip" "$REG/theirs:1"
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REG/theirs:1")
	fresh_root theirs
	assert_equal "$(strake pull -q "$REG/theirs:1")" "$id"
	[ -s "$ROOT/blobs/sha256/${digest#sha256:}" ]
	run strake run --rm --network none "$REG/theirs:1" cat /etc/kept
	assert_equal "$output" second
	# And on: what podman packed goes out as podman packed it.
	strake push -q "$REG/theirs:1" "$REG/again:1"
	assert_equal "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REG/again:1")" "$digest"
}

@test "sha512: a name may hold one, and it is what the manifest has to have" {
	local digest manifest
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout"
	manifest=$STATE/tmp/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")
	digest=sha512:$(sha512sum <"$manifest" | cut -d' ' -f1)
	strake pull -q "$BAD/web@$digest"
	run strake run --rm --network none --pull never "$BAD/web@$digest" cat /etc/kept
	assert_equal "$output" second
	strake rmi "$BAD/web@$digest"
	run strake pull -q "$BAD/web@sha512:$(printf 0%.0s {1..128})"
	assert_status 1
}

# The image of layout_new with SHA-512 digests, as LAYOUT:1, and as LAYOUT:many behind an index of one platform.
layout_sha512() { # LAYOUT
	layout_new
	python3 - "$STATE/tmp/layout" "$1" "$(jq -r .architecture "$STATE/tmp/layout/blobs/sha256/$(
		jq -r '.config.digest[7:]' "$STATE/tmp/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")"
	)")" <<-'PY'
		import hashlib, json, os, sys
		old, new, arch = sys.argv[1:]
		os.makedirs(f"{new}/blobs/sha512")
		get = lambda d: open(f"{old}/blobs/{d.replace(':', '/')}", "rb").read()
		def put(data, like):
		    name = hashlib.sha512(data).hexdigest()
		    open(f"{new}/blobs/sha512/{name}", "wb").write(data)
		    return {**like, "digest": "sha512:" + name, "size": len(data)}
		top = json.load(open(f"{old}/index.json"))["manifests"][0]
		m = json.loads(get(top["digest"]))
		m["config"] = put(get(m["config"]["digest"]), m["config"])
		m["layers"] = [put(get(l["digest"]), l) for l in m["layers"]]
		one = put(json.dumps(m).encode(), {"mediaType": top["mediaType"]})
		kind = "application/vnd.oci.image.index.v1+json"
		inner = {"schemaVersion": 2, "mediaType": kind, "manifests": [{**one, "platform": {"os": "linux", "architecture": arch}}]}
		many = put(json.dumps(inner).encode(), {"mediaType": kind})
		note = lambda d, n: {**d, "annotations": {"org.opencontainers.image.ref.name": n}}
		json.dump({"schemaVersion": 2, "manifests": [note(one, "1"), note(many, "many")]}, open(f"{new}/index.json", "w"))
		open(f"{new}/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
	PY
}
# MANIFEST of LAYOUT by SHA-512 as it has to come out again, whatever way it went.
manifest_sha512() { jq -r --arg tag "$2" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $tag).digest[7:]' "$1/index.json"; }

@test "sha512: descriptors that name by it come in, run, are checked and go out as they were" {
	local layout=$STATE/tmp/layout512 plain id hex many blob
	layout_sha512 "$layout"
	hex=$(manifest_sha512 "$layout" 1) many=$(manifest_sha512 "$layout" many)
	blob=$(jq -r '.layers[0].digest[7:]' "$layout/blobs/sha512/$hex")
	bad_registry --seed "web=$layout"
	plain=$(strake load -q -i "$STATE/tmp/layout")
	plain=${plain##* }
	fresh_root pulled
	for tag in 1 many; do
		id=$(strake pull -q "$BAD/web:$tag")
		assert_equal "$id" "$plain"
	done
	run strake run --rm --network none --pull never "$BAD/web:many" cat /etc/kept
	assert_equal "$output" second
	run strake image check "$BAD/web:1"
	assert_status 0
	run strake system check
	assert_status 0
	[ -z "$(ls "$ROOT/partial")" ]

	# Out again: the manifest has the same bytes, so its digest is the same.
	strake push -q "$BAD/web:1" "$BAD/again:1"
	cmp <(python3 -c 'import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1]).read())' "http://$BAD/v2/again/manifests/1") \
		"$layout/blobs/sha512/$hex"
	strake copy -q "store:$BAD/web:1" "oci:$STATE/tmp/copied:1"
	cmp "$STATE/tmp/copied/blobs/sha512/$blob" "$layout/blobs/sha512/$blob"
	strake save --format oci-dir -o "$STATE/tmp/saved" "$BAD/web:1"
	cmp "$STATE/tmp/saved/blobs/sha512/$blob" "$layout/blobs/sha512/$blob"
	strake save --format docker-dir -o "$STATE/tmp/dir" "$BAD/web:1"
	[ -f "$STATE/tmp/dir/$blob" ]
	strake save -o "$STATE/tmp/saved.tar" "$BAD/web:1"
	for from in "$STATE/tmp/saved" "$STATE/tmp/dir" "$STATE/tmp/saved.tar"; do
		fresh_root "from-${from##*/}"
		run strake load -q -i "$from"
		assert_status 0
		assert_has "${plain#sha256:}"
	done
	fresh_root copied
	strake copy -q "docker://$BAD/web:many" store:copied:1
	assert_equal "$(strake image inspect --format '{{.Id}}' copied:1)" "sha256:$plain"
	strake push -q copied:1 "$BAD/third:1"
	strake tags "$BAD/third"

	# A second name is damaged, or its blob is.
	ROOT=$STATE/root-pulled
	rm "$ROOT/blobs/sha512/$blob"
	ln -s ../sha256/"$(printf 0%.0s {1..64})" "$ROOT/blobs/sha512/$blob"
	run strake image check "$BAD/web:1"
	assert_status 1
	assert_has "sha512:${blob:0:12} does not lead to sha256:"
	strake image check --repair "$BAD/web:1"
	cmp "$ROOT/blobs/sha512/$blob" "$layout/blobs/sha512/$blob"
	printf x >>"$ROOT/blobs/sha512/$blob"
	run strake image check --repair "$BAD/web:1"
	assert_status 0
	cmp "$ROOT/blobs/sha512/$blob" "$layout/blobs/sha512/$blob"

	# A database that is lost is made again with the same names, and nothing stays of what goes.
	rm -f "$ROOT"/state.db*
	strake system check --repair >/dev/null || true
	run strake image check "$BAD/web:1"
	assert_status 0
	strake push -q "$BAD/web:1" "$BAD/fourth:1"
	strake rmi -f "$plain"
	[ -z "$(find "$ROOT/blobs" ! -type d)" ]
	[ -n "$many" ]
}

@test "sha512: what is not what it says is refused, and nothing of it stays" {
	local layout=$STATE/tmp/layout512 hex
	layout_sha512 "$layout"
	hex=$(manifest_sha512 "$layout" 1)
	spoil() { # JQ-PATH: the blob that it names gets another tenth byte, of which gzip takes no notice
		local name
		name=$(jq -r "$1.digest[7:]" "$layout/blobs/sha512/$hex")
		python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(9); b = f.read(1); f.seek(9); f.write(bytes([b[0] ^ 1]))' "$layout/blobs/sha512/$name"
	}
	for part in '.config' '.layers[1]'; do
		spoil "$part"
		bad_registry --seed "web=$layout"
		run strake pull -q "$BAD/web:1"
		assert_status 1
		assert_has "sha512:"
		run strake load -q -i "$layout"
		assert_status 1
		run strake copy -q "docker://$BAD/web:1" store:copied:1
		assert_status 1
		assert_equal "$(strake images -q)" ""
		[ -z "$(find "$ROOT/blobs" "$ROOT/layers" -mindepth 1 ! -path "*/sha*" 2>/dev/null)" ]
		spoil "$part"
	done
	strake load -q -i "$layout"
}

@test "artifacts: what refers to an image is listed and copied, with and without the referrers API" {
	local digest old
	layout_new
	digest=$(skopeo inspect "oci:$STATE/tmp/layout:1" --format '{{.Digest}}')
	mkdir "$STATE/tmp/sbom"
	python3 - "$STATE/tmp/sbom" "$digest" <<-'PY'
		import hashlib, json, sys
		out, subject = sys.argv[1:]
		def put(data):
		    name = hashlib.sha256(data).hexdigest()
		    open(f"{out}/{name}", "wb").write(data)
		    return {"digest": "sha256:" + name, "size": len(data)}
		json.dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "text/sbom",
		           "config": {"mediaType": "application/vnd.oci.empty.v1+json", **put(b"{}")},
		           "layers": [{"mediaType": "text/plain", **put(b"parts")}],
		           "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": subject, "size": 1}},
		          open(f"{out}/manifest.json", "w"))
	PY
	for old in --page=9 --old; do
		bad_registry "$old"
		strake copy -q "oci:$STATE/tmp/layout:1" "docker://$BAD/web:1"
		strake copy -q "dir:$STATE/tmp/sbom" "docker://$BAD/web:sbom"
		run strake referrers "$BAD/web:1"
		assert_has text/sbom
		assert_equal "$(strake referrers --format json --type text/other "$BAD/web:1")" '[]'
		strake copy -q --referrers "docker://$BAD/web:1" "docker://$BAD/copy:1"
		run strake referrers "$BAD/copy:1"
		assert_has text/sbom
		run strake pull -q "$BAD/web:sbom"
		assert_status 1
		assert_has "no image but an artifact"
	done
}

@test "policy: reject, a sigstore key, a GPG key; what was expected is said" {
	local digest hex payload
	need_command openssl gpg gpgv
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout"
	cd "$STATE/tmp"
	digest=$(skopeo inspect "oci:layout:1" --format '{{.Digest}}')
	hex=${digest#sha256:}
	policy() { echo "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"$BAD/web\":[$1]}}}" >policy.json; }
	pull() { run strake pull -q --signature-policy policy.json "$BAD/$1"; }
	policy '{"type":"insecureAcceptAnything"}'
	pull web:1
	assert_status 0
	pull other:1
	assert_status 1
	policy '{"type":"reject"}'
	pull web:1
	assert_has "policy.json (docker, scope '$BAD/web') lets nothing in"
	openssl ecparam -name prime256v1 -genkey -noout -out cosign.key
	openssl ec -in cosign.key -pubout -out cosign.pub 2>/dev/null
	policy "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$PWD/cosign.pub\",\"signedIdentity\":{\"type\":\"matchRepository\"}}"
	pull web:1
	assert_status 1
	assert_has "wants a sigstore signature: there is none"
	sign() { # DIGEST KEY: as cosign does
		mkdir -p sig
		printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}' \
			"$BAD/web" "$1" >payload
		python3 - "$(openssl dgst -sha256 -sign "$2" payload | base64 -w0)" <<-'PY'
			import hashlib, json, sys
			def put(data):
			    name = hashlib.sha256(data).hexdigest()
			    open(f"sig/{name}", "wb").write(data)
			    return {"digest": "sha256:" + name, "size": len(data)}
			json.dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **put(b"{}")},
			           "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", **put(open("payload", "rb").read()),
			                       "annotations": {"dev.cosignproject.cosign/signature": sys.argv[1]}}]}, open("sig/manifest.json", "w"))
		PY
		strake copy -q dir:sig "docker://$BAD/web:sha256-$hex.sig"
	}
	openssl ecparam -name prime256v1 -genkey -noout -out other.key
	sign "$digest" other.key
	pull web:1
	assert_has "the signature is by none of the keys"
	sign "sha256:$(printf 0%.0s {1..64})" cosign.key
	pull web:1
	assert_has "it is for sha256:000000000000"
	sign "$digest" cosign.key
	pull web:1
	assert_status 0
	export GNUPGHOME=$STATE/gpg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-gen-key tester@example.org 2>/dev/null
	gpg --armor --export >gpg.pub
	policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$PWD/gpg.pub\"}"
	pull web:1
	assert_has "wants a GPG signature: there is none"
	skopeo standalone-sign -o signature-1 <(cat "layout/blobs/sha256/$hex") "$BAD/web:1" tester@example.org 2>/dev/null ||
		printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"atomic container signature"},"optional":{}}' "$BAD/web:1" "$digest" |
		gpg --batch --quiet --sign -o signature-1
	mkdir -p "$HOME/.local/share/containers/sigstore/web@sha256=$hex"
	cp signature-1 "$HOME/.local/share/containers/sigstore/web@sha256=$hex/"
	pull web:1
	assert_status 0
	pull "web@$digest"
	assert_status 0
	gpgconf --kill all || true
}

@test "killed pulls: nothing half is visible, what came is used by the next one; two at once share the work" {
	local i pid whole
	big_layout
	bad_registry --seed "big=$STATE/tmp/layout" --fault "GET $LAYER slow=3000"
	for i in 1 2 3 4 5 6; do
		: >"$STATE/bad.log"
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" pull -q "$BAD/big:1" >/dev/null 2>&1 3>&- &
		pid=$!
		DEADLINE=30 soon grep -q "$LAYER" "$STATE/bad.log"
		read -r -t "0.$((RANDOM % 5))" <> <(:) || true
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		assert_equal "$(strake images -q)" ""
	done
	soon no_strake
	[ -n "$(find "$ROOT/partial" -type f -size +0)" ]
	run --separate-stderr strake pull "$BAD/big:1"
	assert_status 0
	[ "$(requests 'bytes=')" -gt 0 ]
	assert_equal "$(ls -A "$ROOT/partial")" ""
	# What nobody comes back for goes with prune.
	echo x >"$ROOT/partial/$(printf 0%.0s {1..64})"
	strake image prune --force
	assert_equal "$(ls -A "$ROOT/partial")" ""
	strake system check --repair
	run strake system check
	assert_status 0
	fresh_root both
	bad_registry --seed "big=$STATE/tmp/layout" --fault "GET $LAYER slow=20000"
	strake pull -q "$BAD/big:1" >"$STATE/one" &
	pid=$!
	strake pull -q "$BAD/big:1" >"$STATE/two"
	wait "$pid"
	assert_equal "$(cat "$STATE/one")" "$(cat "$STATE/two")"
	whole=$(jq '.layers | length' "$STATE/tmp/layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$STATE/tmp/layout/index.json")")
	[ "$(grep -c 'GET /v2/big/blobs' "$STATE/bad.log")" -le $((whole + 2)) ]
}

@test "who speaks with the network has no rights" {
	local pid worker found=0
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --fault "GET $LAYER stall=10"
	background "$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" pull -q "$BAD/web:1"
	pid=$!
	DEADLINE=30 soon grep -q "$LAYER" "$STATE/bad.log"
	for worker in $(grep -l '^Name:.strake-registry$' /proc/[0-9]*/status | cut -d/ -f3); do
		found=$((found + 1))
		grep -qE '^Uid:.65534.65534.65534.65534$' "/proc/$worker/status"
		grep -qE '^CapEff:.0+$' "/proc/$worker/status"
		grep -qE '^CapPrm:.0+$' "/proc/$worker/status"
		grep -qE '^NoNewPrivs:.1$' "/proc/$worker/status"
	done
	[ "$found" -ge 2 ]
	kill -KILL "$pid"
	soon no_strake
	run "$PROGRAMS/strake-registry" </dev/null
	assert_status 2
}

@test "--platform: nonsense is refused, and so is the one variant of an image that is for another" {
	local other='the image is linux/amd64, not linux/arm64, and has no other variant'
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout"
	for command in "pull --platform" "run --rm --network none --pull always --platform" "copy --platform"; do
		set --
		case $command in
		copy*) set -- "docker://$BAD/web:1" "dir:$STATE/tmp/out" ;;
		*) set -- "$BAD/web:1" ;;
		esac
		# shellcheck disable=SC2086
		run strake $command linux/arm64 "$@"
		[ "$status" != 0 ]
		assert_has "$other"
		[[ $output != *[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]* ]]
		# shellcheck disable=SC2086
		run strake $command foo "$@"
		[ "$status" != 0 ]
		assert_has "'foo' is no platform; write OS/ARCHITECTURE"
	done
	[ ! -e "$STATE/tmp/out" ]
	assert_equal "$(strake images -q)" ""
	python3 "$TOOLS/images.py" layers "$STATE/tmp/one.tar"
	run strake load --platform linux/arm64 -i "$STATE/tmp/one.tar"
	assert_status 1
	assert_has "$other"
	run strake load --platform foo -i "$STATE/tmp/one.tar"
	assert_has "'foo' is no platform"
	run strake load --platform linux/arm64 -i "$STATE/tmp/layout"
	assert_has "$other"
	assert_equal "$(strake images -q)" ""
	strake load -q --platform amd64 -i "$STATE/tmp/one.tar"
	strake pull -q --platform amd64 "$BAD/web:1"
}

@test "copy and bundle that fail leave nothing that they made, and name what was full" {
	layout_new big
	bad_registry --seed "web=$STATE/tmp/layout"
	cd "$STATE/tmp"
	run strake copy "docker://$BAD/nosuch" dir:dd
	assert_status 1
	run strake copy "docker://$BAD/nosuch" oci:ll:1
	assert_status 1
	[ ! -e dd ] && [ ! -e ll ]
	mkdir full
	mount -t tmpfs -o size=1m full full
	strake load -q -i image.tar
	for target in oci:full/lay:1 dir:full/d; do
		for source in store:test:1 "docker://$BAD/web:1"; do
			run strake copy "$source" "$target"
			assert_status 1
			assert_has "full/"
			assert_has "No space left on device"
			assert_equal "$(ls -A full)" ""
		done
	done
	run strake bundle test:1 full/b sh
	assert_status 1
	assert_has "full/b"
	assert_has "No space left on device"
	assert_equal "$(ls -A full)" ""
	# What was there stays.
	mkdir full/mine
	run strake copy "docker://$BAD/nosuch" dir:full/mine
	run strake bundle test:1 full/mine sh
	assert_status 1
	assert_equal "$(ls -A full full/mine)" "$(printf 'full:\nmine\n\nfull/mine:')"
	umount full
}

@test "files that are named have to be there; a login says whose words were refused, and where it would be kept" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --basic me:secret
	run strake pull --creds me:secret --cert-dir /nosuch "$BAD/web:1"
	assert_status 1
	assert_has "--cert-dir /nosuch: No such file or directory"
	run strake pull --authfile /nosuch "$BAD/web:1"
	assert_status 1
	assert_has "--authfile /nosuch: No such file or directory"
	run strake login -u me --password-stdin "$BAD" <<<wrong
	assert_status 1
	assert_has "asked with the credentials of this login"
	run strake login -u me --password-stdin --authfile "$STATE/tmp/new.json" "$BAD" <<<secret
	assert_status 0
	jq -e ".auths[\"$BAD\"]" "$STATE/tmp/new.json"
	for command in login save export; do
		run strake --dry-run "$command" "$BAD"
		assert_status 1
		[[ $output == *"--dry-run: "*"; nothing was done" && $output != *"fill the image store"* ]] || { echo "$output"; false; }
	done
}

@test "login asks on the terminal: nothing of the password is shown, what was typed ahead counts, ^C leaves the echo on" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout" --basic me:secret
	# Both lines at the first prompt: the second one is not thrown away.
	run "$TOOLS/terminal.py" expect='Username: ' send='me\nsecret\n' expect=Succeeded -- \
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" login "$BAD"
	assert_status 0
	run "$TOOLS/terminal.py" expect='Password: ' send='secret\n' expect=Succeeded -- \
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" login -u me "$BAD"
	assert_status 0
	[[ $output != *secret* ]]
	run "$TOOLS/terminal.py" expect='Password: ' send='\x03' expect='echo is on' -- \
		sh -c 'trap : INT; "$@"; stty -a | grep -q " echo " && echo echo is on' sh \
		"$PROGRAMS/strake" --root "$ROOT" --run-root "$RUN" login -u me "$BAD"
	assert_has "echo is on"
}

@test "--explain pull tells of the blobs, and the directories that it made are there" {
	layout_new
	bad_registry --seed "web=$STATE/tmp/layout"
	run --separate-stderr strake --explain pull "$BAD/web:1"
	assert_status 0
	for step in "layer 1 of 3" "blob sha256:" "tar -xC $ROOT/tmp/layer" "mv $ROOT/tmp/layer $ROOT/layers/" 'state.db'; do
		[[ $stderr == *"$step"* ]] || { echo "no '$step' in: $stderr"; return 1; }
	done
	grep -o "$ROOT/layers/[0-9a-f]*" <<<"$stderr" | xargs ls -d
}
