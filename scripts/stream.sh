#!/usr/bin/env bash
# Documents learned one after another at full size, in short parts that go on where the last one stopped.
#
#   scripts/stream.sh [screen] [stream] [long] [report]      all four where none is named
#
# screen  many methods by log-probability alone, on passages for choosing (recipe stream-screen)
# stream  8 passages, many times over, accuracy after every step (scripts/stream.yaml)
# long    50 passages, once (recipe stream-long)
# report  a page of all of it
#
# Each call stops after $MINUTES minutes; call the script again until it says that everything is done. What is kept
# at once is one document of one method, or eight of a router's: a call must be long enough for these.
#   SELFEDIT_DATA   the folder with squad/                       (needed)
#   OUT             where the store and the tables go            (default: ./runs/stream)
#   MINUTES         of one call, all parts together              (default: 9)
#   RECIPE          another recipe in the place of scripts/stream.yaml
#   METHODS         only these methods, commas between           (default: all of each recipe's)
#   SEQUENCES       only so many sequences                       (default: all of each recipe's)
#   PYTHON          an interpreter that has selfedit             (default: python3)
#   DEVICE, DTYPE   for a trial run elsewhere                    (default: cuda, bfloat16)
# Exit codes: 0 all is done, 75 there is more to do, otherwise what went wrong. No network, once the model is there.
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
OUT=${OUT:-$PWD/runs/stream}
MINUTES=${MINUTES:-9}
RECIPE=${RECIPE:-$here/stream.yaml}
PYTHON=${PYTHON:-python3}
DEVICE=${DEVICE:-cuda}
DTYPE=${DTYPE:-bfloat16}
: "${SELFEDIT_DATA:?stream.sh: name the folder with squad/ in SELFEDIT_DATA}"
# shellcheck source=scripts/parts.sh
. "$here/parts.sh"

parts=("$@")
if [ ${#parts[@]} -eq 0 ]; then parts=(screen stream long report); fi
common=(--store "$OUT/store" --device "$DEVICE" --dtype "$DTYPE" --json)
if [ -n "${METHODS:-}" ]; then common+=(--methods "$METHODS"); fi
if [ -n "${SEQUENCES:-}" ]; then common+=(--sequences "$SEQUENCES"); fi
for part in "${parts[@]}"; do
    case $part in
        screen) told screen "$PYTHON" -m selfedit stream stream-screen "${common[@]}" ;;
        stream) told stream "$PYTHON" -m selfedit stream "$RECIPE" "${common[@]}" ;;
        long) told long "$PYTHON" -m selfedit stream stream-long "${common[@]}" ;;
        report) selfedit report --store "$OUT/store" --out "$OUT/report.html" --force --json >"$OUT/report.json" ;;
        *) usage; exit 2 ;;
    esac
done
say "done: $OUT"
