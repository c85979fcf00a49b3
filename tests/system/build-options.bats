#!/usr/bin/env bats
# The options of docker build, docker buildx build, podman build and buildah build: each has its effect, or is
# refused in one line that says what to do.
# shellcheck disable=SC2016
bats_require_minimum_version 1.5.0
load lib

setup() {
	state_new
	mkdir -p "$STATE/ctx"
}
base_new() {
	rootfs_new "$STATE/tree"
	strake import "$STATE/tree" base:1 >/dev/null
}
build() { # the Containerfile on standard input
	cat >"$STATE/ctx/Containerfile"
	strake build --network none "$@" "$STATE/ctx"
}
fail() {
	echo "$*"
	return 1
}
image() { strake image inspect "$1" | jq -c ".[0]$2"; }
config_of() { # IMAGE: the config document
	echo "$ROOT/blobs/sha256/$(strake images -q --no-trunc "$1" | head -n 1 | cut -d: -f2)"
}

# docker build (23, legacy builder), docker buildx build 0.2x, podman build 5, buildah build 1.4x.
ALL='add-host all-platforms allow annotation arch attest authfile build-arg build-arg-file build-context builder cache-from cache-to
	cache-ttl call cap-add cap-drop cert-dir cgroup-parent cgroupns check compat-volumes compress cpp-flag cpu-period cpu-quota cpu-shares
	cpuset-cpus cpuset-mems created-annotation creds cw debug decryption-key device disable-compression disable-content-trust dns
	dns-option dns-search env file force-rm format from group-add hooks-dir http-proxy identity-label ignorefile iidfile
	inherit-annotations inherit-labels ipc isolation jobs label layer-label layers load logfile logsplit manifest memory memory-swap
	metadata-file network no-cache no-cache-filter no-hostname no-hosts omit-history os os-feature os-version output pid platform policy
	progress provenance pull pull-always pull-never push quiet retry retry-delay rewrite-timestamp rm runtime runtime-flag save-stages
	sbom sbom-image-output sbom-merge-strategy sbom-output sbom-purl-output sbom-scanner-command sbom-scanner-image secret security-opt
	shm-size sign-by signature-policy skip-unused-stages source-date-epoch source-policy-file squash squash-all ssh stage-labels stdin
	tag target timestamp tls-verify ulimit unsetenv unsetlabel userns userns-gid-map userns-gid-map-group userns-uid-map
	userns-uid-map-user uts variant volume blob-cache log-rusage no-pivot rusage rusage-logfile unsetannotation'

@test "every option of docker build, buildx build, podman build and buildah build is known, and its refusal says why" {
	local option help known=0
	help=$(strake build --help)
	for option in $ALL; do
		if [[ $help == *"--$option"[\ =\[]* ]]; then
			known=$((known + 1))
			continue
		fi
		run strake build --"$option" x "$STATE/ctx"
		assert_status 2
		assert_equal "${#lines[@]}" 1
		[[ $output == "strake build: --$option: "???????????* ]] || fail "$output"
		# The table for people has it, too.
		grep -q -e "\`--$option\`" "${HERE%/tests/system}/docs/build-options.md" || fail "docs: $option"
	done
	[ "$known" -ge 90 ]
	# Those that are here stand in the table, and so does what the table names.
	for option in $ALL; do
		grep -q -e "\`--$option\`" "${HERE%/tests/system}/docs/build-options.md" || fail "docs: $option"
	done
	if command -v podman >/dev/null; then
		for option in $(podman build --help | sed -n 's/^ *\(-., \)\? *--\([a-z-]*\).*/\2/p'); do
			[ "$option" = help ] || [[ " ${ALL//[$'\n\t']/ } " == *" $option "* ]] || fail "podman has $option"
		done
	fi
}

@test "what can be said in one way only is taken in that way, and refused in words in another" {
	local pair
	printf 'FROM scratch\nLABEL a=b\n' >"$STATE/ctx/Containerfile"
	run -0 strake build -q --rm --force-rm=true --provenance false --sbom=false --isolation default --builder default --identity-label=false \
		--created-annotation=false --inherit-annotations=false --compat-volumes=false --rewrite-timestamp --disable-compression \
		--disable-content-trust --compress --userns host --layers --load --skip-unused-stages --inherit-labels "$STATE/ctx"
	for pair in rm=false force-rm=false provenance=max sbom=true isolation=chroot builder=mine identity-label=true created-annotation=true \
		inherit-annotations=true compat-volumes=true rewrite-timestamp=false disable-compression=false disable-content-trust=false \
		compress=maybe userns=auto layers=maybe skip-unused-stages=maybe inherit-labels=maybe pid=container:x cgroup-parent=/x \
		cache-ttl=soon retry=-1 retry-delay=soon memory-swap=1g cpu-period=1 cpu-quota=5 cpu-shares=1 cpuset-cpus=all device=/etc/passwd; do
		printf 'FROM scratch\nCOPY --from=base:1 / /\nRUN true\n' >"$STATE/ctx/Containerfile"
		[[ $pair != memory* && $pair != cpu* && $pair != device* ]] || [ -e "$STATE/tree" ] || base_new
		run strake build --network none "--$pair" "$STATE/ctx"
		[ "$status" != 0 ] || fail "--$pair was taken"
		[[ $output == *"--${pair%%=*}"* ]] || fail "--$pair: $output"
	done
	run strake build --stdin -f - "$STATE/ctx" </dev/null
	assert_has '--stdin gives standard input to RUN; it cannot be the Containerfile, too'
	run strake build --platform linux/arm64 --arch arm64 "$STATE/ctx"
	assert_has 'leave --arch, --os and --variant away'
}

@test "image build, builder build and buildx build are build; without a context it is where we are" {
	cd "$STATE/ctx"
	printf 'FROM scratch\nLABEL a=b\n' >Dockerfile
	export SOURCE_DATE_EPOCH=1
	id=$(strake build -q)
	assert_equal "$(strake image build -q .)" "$id"
	assert_equal "$(strake builder build -q .)" "$id"
	assert_equal "$(strake buildx build -q --load .)" "$id"
	strake image build --help | grep -q 'strake image build'
}

@test "--env, --unsetenv, --label, --unsetlabel, --inherit-labels, --omit-history, --os-version and --os-feature change the config" {
	base_new
	build -q -t below:1 --label from=below --env KEPT=1 --env GONE=2 >/dev/null <<-'D'
		FROM base:1
	D
	MINE=ours build -q -t app:1 --env A=b --env MINE --env NOT_SET_HERE --unsetenv GONE --unsetlabel from --label x=y --omit-history \
		--os-version 10.0 --os-feature win32k --os-feature other >/dev/null <<-'D'
		FROM below:1
		ENV C=$A-$MINE
		RUN echo "$A $GONE" >/said
	D
	assert_equal "$(image app:1 .Config.Env)" "$(image below:1 '.Config.Env' | jq -c '. - ["GONE=2"] + ["A=b", "MINE=ours", "C=b-ours"]')"
	assert_equal "$(image app:1 .Config.Labels)" '{"x":"y"}'
	assert_equal "$(jq -c '[.history, ."os.version", ."os.features"]' "$(config_of app:1)")" '[null,"10.0",["win32k","other"]]'
	assert_equal "$(strake run --rm --network none app:1 cat /said)" 'b 2'
	build -q -t app:2 --inherit-labels=false >/dev/null <<-'D'
		FROM below:1
		LABEL own=1
	D
	assert_equal "$(image app:2 .Config.Labels)" '{"own":"1"}'
}

@test "--arch, --os and --variant are the platform; --from another base; --skip-unused-stages=false builds all" {
	base_new
	printf 'FROM scratch AS unused\nCOPY nothing /\nFROM scratch\nLABEL a=b\n' >"$STATE/ctx/Containerfile"
	strake build -q -t p:1 --arch arm --variant v7 "$STATE/ctx" >/dev/null
	assert_equal "$(jq -r '"\(.os)/\(.architecture)/\(.variant)"' "$(config_of p:1)")" linux/arm/v7
	strake build -q -t p:2 --os freebsd "$STATE/ctx" >/dev/null
	assert_equal "$(jq -r .os "$(config_of p:2)")" freebsd
	run strake build --skip-unused-stages=false "$STATE/ctx"
	assert_status 1
	assert_has nothing
	run -0 build -q -t f:1 --from base:1 <<-'D'
		FROM not/there:1
		RUN echo yes >/said
	D
	assert_equal "$(strake run --rm --network none f:1 cat /said)" yes
}

@test "limits and rights of RUN: CPU, swap, capabilities, seccomp, groups, devices, namespaces" {
	base_new
	build -q -t l:1 --memory 64m --memory-swap 96m --cpu-shares 512 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 0 --cpuset-mems 0 >/dev/null <<-'D'
		FROM base:1
		RUN cd /sys/fs/cgroup; { cat memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_period_us \
			cpu/cpu.cfs_quota_us cpuset/cpuset.cpus cpuset/cpuset.mems || cat memory.max memory.swap.max cpu.weight cpu.max cpuset.cpus cpuset.mems; } 2>/dev/null >/said; \
			grep Cpus_allowed_list /proc/self/status >>/said
	D
	run -0 strake run --rm --network none l:1 cat /said
	assert_has 'Cpus_allowed_list:	0'
	case $output in
	67108864$'\n'100663296$'\n'512$'\n'50000$'\n'25000$'\n'0$'\n'0$'\n'*) ;;
	67108864$'\n'33554432$'\n'20$'\n'25000\ 50000$'\n'0$'\n'0$'\n'*) ;;
	67108864$'\n'512$'\n'*) ;; # a kernel that does not count swap
	*) fail "$output" ;;
	esac
	build -q -t r:1 --cap-drop ALL --cap-add net_raw --security-opt no-new-privileges --group-add www --group-add 77 --device /dev/loop-control:/dev/other:r >/dev/null <<-'D'
		FROM base:1
		RUN { grep -E '^(CapEff|NoNewPrivs)' /proc/self/status; id -G; stat -c %t:%T /dev/other; } >/said
	D
	assert_equal "$(strake run --rm --network none r:1 cat /said)" "CapEff:	0000000000002000
NoNewPrivs:	1
0 33 77
$(stat -c %t:%T /dev/loop-control)"
	build -q -t n:1 --ipc host --uts host --pid host --cgroupns host >/dev/null <<-'D'
		FROM base:1
		RUN for n in ipc uts pid cgroup; do readlink /proc/self/ns/$n; done >/said
	D
	assert_equal "$(strake run --rm --network none n:1 cat /said)" "$(for n in ipc uts pid cgroup; do readlink /proc/self/ns/$n; done)"
}

@test "names, volumes, proxies and standard input of RUN" {
	base_new
	mkdir "$STATE/shown"
	echo from-the-host >"$STATE/shown/file"
	build -q -t v:1 -v "$STATE/shown:/shown:ro" --dns 192.0.2.7 --dns-search example.org --dns-option timeout:3 >/dev/null <<-'D'
		FROM base:1
		RUN { cat /shown/file; sed '/^#/d' /etc/resolv.conf; } >/said; touch /shown/x 2>/dev/null || echo ro >>/said
	D
	assert_equal "$(strake run --rm --network none v:1 sh -c 'cat /said; ls /shown 2>/dev/null')" $'from-the-host\nnameserver 192.0.2.7\nsearch example.org\noptions timeout:3\nro'
	build -q -t h:1 --no-hosts --no-hostname >/dev/null <<-'D'
		FROM base:1
		RUN ls /etc/hosts /etc/hostname 2>/dev/null >/said; true
	D
	assert_equal "$(strake run --rm --network none h:1 cat /said)" ''
	http_proxy=http://p:1 build -q -t x:1 --http-proxy >/dev/null <<-'D'
		FROM base:1
		RUN echo "$http_proxy" >/said
	D
	assert_equal "$(strake run --rm --network none x:1 cat /said)" http://p:1
	run ! grep -q 'http://p' "$(config_of x:1)"
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		RUN read -r line; echo "got $line" >/said
	D
	echo words | strake build -q -t i:1 --stdin --network none "$STATE/ctx" >/dev/null
	assert_equal "$(strake run --rm --network none i:1 cat /said)" 'got words'
}

@test "--ignorefile, --build-arg-file, --logfile, --layers=false, --cache-ttl, --source-date-epoch and --manifest" {
	base_new
	echo 1 >"$STATE/ctx/one"
	echo 2 >"$STATE/ctx/two"
	echo one >"$STATE/tmp/ignored"
	printf '# words\nA=file\n\nB=file\n' >"$STATE/tmp/arguments"
	cat >"$STATE/ctx/Containerfile" <<-'D'
		FROM base:1
		ARG A
		ARG B
		COPY . /files
		RUN echo "$A $B" >/said
	D
	run -0 strake build -t o:1 --network none --ignorefile "$STATE/tmp/ignored" --build-arg-file "$STATE/tmp/arguments" --build-arg B=line \
		--logfile "$STATE/tmp/log" --layers=false --source-date-epoch 5 --manifest all:1 "$STATE/ctx"
	assert_equal "${#lines[@]}" 1
	grep -q 'RUN echo' "$STATE/tmp/log"
	assert_equal "$(strake run --rm --network none o:1 sh -c 'ls /files; cat /said; stat -c %Y /said')" $'Containerfile\ntwo\nfile line\n5'
	assert_equal "$(strake image inspect o:1 | jq '.[0].Layers | length')" 2
	assert_equal "$(strake manifest inspect all:1 | jq '.manifests | length')" 1
	strake build -q --platform linux/arm64,linux/s390x --manifest all:1 -f - "$STATE/ctx" >/dev/null <<<$'FROM scratch\nCOPY one /'
	assert_equal "$(strake manifest inspect all:1 | jq -c '[.manifests[].platform.architecture] | sort')" '["amd64","arm64","s390x"]'
	# What was done in 1970 is too old.
	again=(strake build --explain-cache --network none --ignorefile "$STATE/tmp/ignored" --build-arg-file "$STATE/tmp/arguments" --build-arg B=line)
	run -0 "${again[@]}" --source-date-epoch 5 --cache-ttl 24h "$STATE/ctx"
	assert_has 'it is older than --cache-ttl'
	"${again[@]}" -q "$STATE/ctx" >/dev/null
	run -0 "${again[@]}" --cache-ttl 24h "$STATE/ctx"
	assert_has '#5   cached'
	run strake build --network none --ignorefile "$STATE/none" "$STATE/ctx"
	assert_status 1
	assert_has '--ignorefile'
}

@test "--retry fetches a base image again" {
	run strake build --retry 2 --retry-delay 1ms --tls-verify=false -f - "$STATE/ctx" <<<'FROM 127.0.0.1:1/nothing:1'
	assert_status 1
	assert_has 'try 1 of 2'
	assert_has 'try 2 of 2'
	run strake build --pull-never -f - "$STATE/ctx" <<<'FROM 127.0.0.1:1/nothing:1'
	assert_status 1
	[[ $output != *connect* ]]
}
