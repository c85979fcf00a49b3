#!/bin/sh
# What strake does, done by hand: the script of a dry run, looked at and then run with stock tools.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

strake --dry-run run --rm -m 64m --hostname by-hand --bare /bin/busybox -- \
	sh -c 'echo "process $$ on $(hostname)"; ip -4 -o addr show eth0; ip route' >"$work/script"
echo "The steps and their reasons:"
grep '^# ' "$work/script"
echo "And what they make:"
sh "$work/script"
