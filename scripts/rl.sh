#!/usr/bin/env bash
# The reinforcement experiment at full size (scripts/rl.yaml), in short parts that go on where the last one stopped.
#
#   scripts/rl.sh [train] [eval] [report]      all three where none is named
#
# Each part is stopped after $MINUTES minutes; call the script again until it says that everything is done.
#   SELFEDIT_DATA   the folder with squad/                       (needed)
#   OUT             where the store and the tables go            (default: ./runs/rl)
#   MINUTES         of one call, all parts together              (default: 9)
#   RECIPE          another recipe                               (default: scripts/rl.yaml)
#   PYTHON          an interpreter that has selfedit             (default: python3)
#   DEVICE, DTYPE   for a trial run elsewhere                    (default: cuda, bfloat16)
# Exit codes: 0 all is done, 75 there is more to do, otherwise what went wrong.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
OUT=${OUT:-$PWD/runs/rl}
MINUTES=${MINUTES:-9}
RECIPE=${RECIPE:-$here/rl.yaml}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-cuda}
DTYPE=${DTYPE:-bfloat16}
: "${SELFEDIT_DATA:?rl.sh: name the folder with squad/ in SELFEDIT_DATA}"
# shellcheck source=scripts/parts.sh
. "$here/parts.sh"

parts=("$@")
if [ ${#parts[@]} -eq 0 ]; then parts=(train eval report); fi
common=(--store "$OUT/store" --device "$DEVICE" --json)
for part in "${parts[@]}"; do
    case $part in
        train) told train "$PYTHON" -m selfedit train "$RECIPE" "${common[@]}" --dtype "$DTYPE" ;;
        eval) told eval "$PYTHON" -m selfedit eval "$RECIPE" "${common[@]}" ;;
        report) selfedit report --store "$OUT/store" --out "$OUT/report.html" --force --json >"$OUT/report.json" ;;
        *) usage; exit 2 ;;
    esac
done
say "done: $OUT"
