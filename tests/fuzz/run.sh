#!/bin/sh
# Runs each fuzzer for a while under the address and undefined-behaviour sanitizers (needs clang and its runtime:
# Debian's clang and libclang-rt-14-dev).  What is found is left in FOLDER as NAME-crash-..., NAME-timeout-...
#
# usage: tests/fuzz/run.sh [SECONDS [FOLDER [NAME...]]]      60 seconds each, build-fuzz/found, all of them
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${HASTEN_FUZZ_BUILD:-$root/build-fuzz}
seconds=${1:-60}
found=${2:-$build/found}
[ $# -lt 2 ] || shift
[ $# -lt 1 ] || shift
[ $# -gt 0 ] || set -- reader debug_offsets linetable maps symbols core store timeline agent_maps pstats lprof options heap
[ -f "$build/build.ninja" ] || CC=clang meson setup "$build" "$root" -Dfuzzers=true -Db_lundef=false \
    -Db_sanitize=address,undefined -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined'
bad=''
for name; do
    ninja -C "$build" "tests/fuzz/libfuzzer_$name" >/dev/null
    mkdir -p "$found/$name"
    longest=4096
    [ "$name" != store ] || longest=65536
    echo "$name: $seconds s"
    "$build/tests/fuzz/libfuzzer_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=$longest \
        -artifact_prefix="$found/$name-" "$found/$name" "$root/tests/fuzz/corpus/$name" >"$found/$name.log" 2>&1 ||
        { bad="$bad $name"; grep -E 'ERROR|runtime error|not so' "$found/$name.log" || true; }
    tail -n 1 "$found/$name.log"
done
[ -z "$bad" ] || { echo "found something:$bad (see $found)" >&2; exit 1; }
