# shellcheck shell=bash disable=SC2154,SC2034 # lib.bash sets what is used here
# What the network tests stand on, behind lib.bash: load lib; load network_lib
#
# This namespace is the host.  "outside" is another machine next door that plays the internet; it knows no
# route to containers:
#	outside 192.0.2.2, 2001:db8::2  ----out0----  here 192.0.2.1, 2001:db8::1
# Servers answer with their name and the client's address, so that a check says who was reached and who
# was seen there.  They and the clients run in a container's network with the tools of this machine.

HERE4=192.0.2.1 HERE6=2001:db8::1 OUT4=192.0.2.2 OUT6=2001:db8::2

outside_new() {
	touch "$STATE/outside"
	unshare --net="$STATE/outside" true
	ip link add out0 type veth peer name eth0 netns "$STATE/outside"
	ip address add $HERE4/24 dev out0
	ip address add $HERE6/64 dev out0 nodad
	ip link set out0 up
	in_network outside ip link set lo up
	in_network outside ip address add $OUT4/24 dev eth0
	in_network outside ip address add $OUT6/64 dev eth0 nodad
	in_network outside ip link set eth0 up
	ip route add default via $OUT4
	ip -6 route add default via $OUT6
}

# teardown() of a file that uses this
network_done() {
	umount "$STATE/outside" 2>/dev/null || true
	state_done
}

# Bridge netfilter off or on, whatever this machine begins with.
bridge_netfilter() { # 0|1
	if [ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
		[ "$1" = 0 ] || skip "this kernel has no bridge netfilter"
		return 0
	fi
	echo "$1" >/proc/sys/net/bridge/bridge-nf-call-iptables
	echo "$1" >/proc/sys/net/bridge/bridge-nf-call-ip6tables
}

# in_network WHERE COMMAND...: host, outside, or a container's name
in_network() {
	local where=$1
	shift
	enter_network "$where"
	"${ENTER[@]}" "$@"
}
# What comes before a command is in $ENTER.
enter_network() {
	case $1 in
	host) ENTER=() ;;
	outside) ENTER=(nsenter --net="$STATE/outside") ;;
	*) ENTER=(nsenter --net="${NETNS[$1]:=$(settings "$1" .SandboxKey)}") ;;
	esac
}
declare -gA NETNS=()

# Not the one of a version manager, which takes a while to start.
PYTHON=/usr/bin/python3
[ -x $PYTHON ] || PYTHON=python3

# A container that only waits, and with serve a server in its network: NAME [RUN-OPTION...]
client() {
	local name=$1
	shift
	unset "NETNS[$name]"
	strake run -d --name "$name" "$@" --bare /bin/busybox -- tail -f /dev/null >/dev/null
}
serve() {
	client "$@"
	listen "$1" "$1" tcp:80 udp:81
}
listen() { # WHERE NAME PROTOCOL:PORT...
	local where=$1 name=$2
	shift 2
	rm -f "$STATE/tmp/ready.$name"
	enter_network "$where"
	"${ENTER[@]}" $PYTHON -ISE "$TOOLS/echo_server.py" "$name" "$STATE/tmp/ready.$name" "$@" 3>&- &
	BACKGROUND+=($!)
	DEADLINE=20 soon test -e "$STATE/tmp/ready.$name"
}
# Ends the last listen.
unlisten() {
	kill -KILL "${BACKGROUND[-1]}"
	wait "${BACKGROUND[-1]}" || true
	unset 'BACKGROUND[-1]'
}

settings() { # CONTAINER JQ
	strake inspect "$1" | jq -r ".[0].NetworkSettings$2"
}
address() { settings "$1" ".Networks[\"${2-bridge}\"].IPAddress"; }
address6() { settings "$1" ".Networks[\"${2-bridge}\"].GlobalIPv6Address"; }

probe() { # FROM PROTOCOL ADDRESS PORT [SECONDS [SOURCE]]
	local from=$1
	shift
	in_network "$from" $PYTHON -ISE "$TOOLS/probe.py" "$@"
}
# reach FROM PROTOCOL ADDRESS PORT ANSWER: "NAME CLIENT-ADDRESS", or NAME alone if any may be seen
reach() {
	local answer
	answer=$(probe "$1" "$2" "$3" "$4") || true
	[ "$answer" = "$5" ] || [ "${answer%% *}" = "$5" ] && return
	printf '%s to %s %s port %s: answer "%s", not "%s"\n' "$1" "$2" "$3" "$4" "$answer" "$5"
	return 1
}
no_reach() { # FROM PROTOCOL ADDRESS PORT [SOURCE]
	local answer
	answer=$(probe "$1" "$2" "$3" "$4" 0.5 ${5+"$5"} 2>/dev/null) || return 0
	printf '%s reaches %s %s port %s: "%s"\n' "$1" "$2" "$3" "$4" "$answer"
	return 1
}
