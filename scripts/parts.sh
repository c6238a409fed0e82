# What the resumable experiments share: sourced by arc.sh, rl.sh and stream.sh, after OUT, MINUTES and PYTHON are set.
# shellcheck shell=bash

name=$(basename "$0")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH="$root/src${PYTHONPATH:+:$PYTHONPATH}"
mkdir -p "$OUT"
until=$(($(date +%s) + MINUTES * 60))

say() { printf '%s\n' "$name: $*" >&2; }

usage() { sed -n '2,/^set -e/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2; }

# told PART COMMAND...: its JSON to $OUT/PART.json, whole or not at all; stopped as by Ctrl-C when time is up.
told() {
    local part=$1 left code=0
    shift
    left=$((until - $(date +%s)))
    if [ "$left" -le 0 ]; then say "$part: no time left; call again to go on"; exit 75; fi
    timeout --signal=INT --kill-after=60 "$left" "$@" >"$OUT/$part.json.part" || code=$?
    case $code in
        0) mv "$OUT/$part.json.part" "$OUT/$part.json" ;;
        124 | 130 | 137) say "$part: time is up; call again to go on"; exit 75 ;;
        *) say "$part failed ($code)"; exit "$code" ;;
    esac
}

selfedit() { "$PYTHON" -m selfedit "$@"; }
