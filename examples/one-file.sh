#!/bin/sh
# A container that is one file: a C program of our own, static, with nothing else inside.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/hello.c" <<'C'
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	DIR *root = opendir("/");
	const struct dirent *entry;

	printf("process %d; in / there are:", getpid());
	while (root && (entry = readdir(root)))
		if (entry->d_name[0] != '.')
			printf(" %s", entry->d_name);
	printf("\n");
	return 0;
}
C
cc -static -o "$work/hello" "$work/hello.c"
strake run --rm --network none --bare "$work/hello"

# The same program needs its libraries when it is dynamic; strake says which, and can bring them.
cc -o "$work/dynamic" "$work/hello.c"
strake run --rm --network none --bare "$work/dynamic" || echo "as it says"
strake run --rm --network none --with-libs --bare "$work/dynamic"
