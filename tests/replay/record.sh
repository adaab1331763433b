#!/bin/sh
# Records anew what the replay test reads: one snapshot and its expected stacks for each minor version of CPython that
# tools/interpreters lists (the first of each minor; the others stay as they are).
#
# usage: tests/replay/record.sh [BUILD]      BUILD: a build folder, default build
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=${1:-$root/build}
data=$root/tests/replay/data
ninja -C "$build" tests/replay/record >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$data"

filler() { # text -> /opt/xxx of the same length
    printf '%s' "$1" | sed 's/./x/g; s,^xxxxx,/opt/,'
}

record() { # version command...
    version=$1
    shift
    place=/tmp/hst-replay
    inside=''
    [ "$1" != chroot ] || inside=$2
    mkdir -p "$inside$place"
    cp "$root/tests/replay/target.py" "$inside$place/target.py"
    mkfifo "$work/in"
    # The program reads a pipe that nobody writes; its environment says nothing of this machine.
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 "$@" -I -S -X utf8 "$place/target.py" \
        <"$work/in" >"$work/out" &
    pid=$!
    exec 9>"$work/in"
    for _ in $(seq 200); do
        threads=$(sed -n 's/^ready //p' "$work/out")
        # shellcheck disable=SC2012 # names are numbers
        [ -n "$threads" ] && [ "$(ls "/proc/$pid/task" | wc -l)" = "$threads" ] && break
        sleep 0.05
    done
    sed '/^ready/d' "$work/out" >"$work/expected"
    prefix=$(dirname "$(dirname "$(readlink -f "$inside$(readlink "/proc/$pid/exe")")")")
    [ -z "$inside" ] || prefix=''
    name=cpython-$(echo "$version" | sed 's/\([0-9]*\.[0-9]*\)[^t]*\(t\{0,1\}\).*/\1\2/')
    code=0
    set -- "$pid" "$work/expected" "$work/snapshot"
    case $prefix in
    /usr | /usr/local | '') ;;
    *) set -- "$@" "$prefix" "$(filler "$prefix")" "$HOME/" "$(filler "$HOME/")" ;;
    esac
    "$build/tests/replay/record" "$@" || code=1
    exec 9>&-
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    rm -rf "$work/in" "$inside$place"
    [ $code = 0 ] || { echo "record: $name failed" >&2; return 1; }
    cp "$work/snapshot" "$data/$name.snap"
    cp "$work/expected" "$data/$name.txt"
    echo "$name: $(wc -c <"$data/$name.snap") bytes"
}

"$root/tools/interpreters" list | sort -t. -k2n | while IFS="$(printf '\t')" read -r version command; do
    case $version in
    3.[0-7].* | 2.* | pypy* | '#'*) continue ;;
    esac
    minor=$(echo "$version" | sed 's/\([0-9]*\.[0-9]*\)[^t]*\(t\{0,1\}\).*/\1\2/')
    [ ! -e "$work/did-$minor" ] || continue
    : >"$work/did-$minor"
    # shellcheck disable=SC2086 # a command and its words
    record "$version" $command </dev/null
done
