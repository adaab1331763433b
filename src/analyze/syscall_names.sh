#!/bin/sh
# System call numbers of the machine that is compiled for -> a C table of their names.
# usage: syscall_names.sh OUTPUT CC [ARGS...]
set -eu
output=$1
shift
printf '#include <sys/syscall.h>\n' | "$@" -E -dM -x c - |
    sed -n 's/^#define __NR_\([a-z_0-9]*\) .*/[__NR_\1] = "\1",/p' |
    grep -v -e NR_syscalls -e NR_arch_specific -e NR_sync_file_range2 | LC_ALL=C sort >"$output.tmp"
# An empty table would name nothing and fail nothing.
grep -q 'NR_read\]' "$output.tmp"
mv "$output.tmp" "$output"
