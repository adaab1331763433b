#!/bin/sh
# Records anew the heaps that fuzz_heap spoils: one snapshot of the whole memory of heap_target.py for an old, a middle and
# a new layout, of the first interpreter of each that tools/interpreters lists.
#
# usage: tests/replay/record_heap.sh [BUILD]      BUILD: a build folder, default build
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${1:-$root/build}
data=$root/tests/replay/heaps
ninja -C "$build" tests/replay/record_heap >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$data"

filler() { # text -> /opt/xxx of the same length
    printf '%s' "$1" | sed 's/./x/g; s,^xxxxx,/opt/,'
}

record() { # name command...
    name=$1
    shift
    place=/tmp/hst-replay
    inside=''
    [ "$1" != chroot ] || inside=$2
    mkdir -p "$inside$place"
    cp "$root/tests/replay/heap_target.py" "$inside$place/target.py"
    mkfifo "$work/in"
    (cd / && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 "$@" -I -S -X utf8 \
        "$place/target.py") <"$work/in" >"$work/out" &
    pid=$!
    exec 9>"$work/in"
    for _ in $(seq 200); do
        grep -q ready "$work/out" && break
        sleep 0.05
    done
    prefix=$(dirname "$(dirname "$(readlink "/proc/$pid/exe")")")
    code=0
    set -- "$pid" "$work/snapshot"
    case $prefix in
    /usr | /usr/local) [ -z "$inside" ] || set -- "$@" "$inside/" "$(filler "$inside/")" ;;
    *) set -- "$@" "$prefix" "$(filler "$prefix")" "$HOME/" "$(filler "$HOME/")" ;;
    esac
    "$build/tests/replay/record_heap" "$@" || code=1
    exec 9>&-
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    rm -rf "$work/in" "$inside$place"
    [ $code = 0 ] || { echo "record_heap: $name failed" >&2; return 1; }
    cp "$work/snapshot" "$data/cpython-$name.snap"
    echo "$name: $(wc -c <"$data/cpython-$name.snap") bytes"
}

for minor in 3.8 3.11 3.15; do
    command=$("$root/tools/interpreters" list | awk -F '\t' -v minor="$minor." 'index($1, minor) == 1 { print $2; exit }')
    [ -n "$command" ] || { echo "record_heap: there is no Python $minor" >&2; exit 1; }
    # shellcheck disable=SC2086 # a command and its words
    record "$minor" $command </dev/null
done
