#!/bin/sh
# Writes src/pyabi/cpython_3_N[t].c from the headers of one interpreter.
#   tools/pyabi_offsets.sh INCLUDE_DIR [t]      e.g. /usr/include/python3.13; t = the free-threaded layout
set -eu
include=$1
free_threaded=${2:-}
cd "$(dirname "$0")/.."
minor=$(sed -n 's/^#define PY_MINOR_VERSION[ \t]*\([0-9]*\).*/\1/p' "$include/patchlevel.h")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
define=
[ -z "$free_threaded" ] || define=-DPy_GIL_DISABLED=1
parent=$(dirname "$include")
cc -w $define -I"$include" -I"$include/internal" -I"$include/internal/mimalloc" -I"$parent" -I"$parent/$(cc -dumpmachine)" -o "$work/offsets" tools/pyabi_offsets.c
out=src/pyabi/cpython_3_$minor$free_threaded.c
{
    printf '/* CPython 3.%s%s, 64-bit Linux: made by tools/pyabi_offsets.sh from the headers of %s. */\n' "$minor" \
        "${free_threaded:+, free-threaded}" "$(sed -n 's/^#define PY_VERSION[ \t]*"\(.*\)"/\1/p' "$include/patchlevel.h")"
    printf '#include "pyabi/abi.h"\n\n'
    printf 'const struct hst_abi hst_abi_cpython_3_%s%s = {\n    .minor = %s,\n    .free_threaded = %s,\n' "$minor" "$free_threaded" "$minor" "${define:+1}${define:-0}" |
        sed 's/= 1-DPy.*,/= 1,/'
    "$work/offsets"
    printf '};\n'
} > "$out"
echo "$out"
