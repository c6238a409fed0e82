#!/usr/bin/env bash
# Parity tests and benchmarks on a CUDA machine, in bfloat16, in parts that can be run one by one.
#
#   scripts/cuda.sh PART...      parity | train | generate | score | trial | switches | heads | shape7b |
#                                table | clean | all
#                                shape7b is shape7b-train, -generate, -score, -trial, -switches, each a part too;
#                                switches sets recorded steps and grouped products against doing without them;
#                                clean removes the random weights
#
# A part that is done is skipped; its rows lie in $OUT/PART.json, all rows in $OUT/rows.jsonl. The table comes last.
#   MODEL           the built-in model: a folder or a GGUF file        (default: the name smollm2-135m)
#   OUT             where results go                                   (default: ./runs/cuda)
#   SELFEDIT_DATA   the folder with squad/train.json                   (default: random-word texts)
#   PYTHON          the interpreter                                    (default: python3)
#   DEVICE, DTYPE   for a trial run elsewhere                          (default: cuda, bfloat16)
#   QUICK=1         seconds a part, to see that it works
#   SHAPE           the shape of the random weights                    (default: qwen2.5-7b)
#   SCRATCH         where the random weights go                        (default: a temporary folder)
# Needs torch, transformers, peft, accelerate and safetensors; pytest for parity. No network.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=${OUT:-$PWD/runs/cuda}
PYTHON=${PYTHON:-python3}
MODEL=${MODEL:-smollm2-135m}
DEVICE=${DEVICE:-cuda}
DTYPE=${DTYPE:-bfloat16}
SHAPE=${SHAPE:-qwen2.5-7b}
SCRATCH=${SCRATCH:-${TMPDIR:-/tmp}/selfedit-$SHAPE}
export PYTHONPATH="$root/src${PYTHONPATH:+:$PYTHONPATH}"
export HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 TOKENIZERS_PARALLELISM=false
mkdir -p "$OUT"

say() { printf '%s\n' "cuda.sh: $*" >&2; }

usage() {
    sed -n '2,/^set -e/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//'
}

# rows PART COMMAND...: what the command prints to $OUT/PART.json, which appears whole or not at all.
rows() {
    local part=$1
    shift
    "$@" >"$OUT/$part.json.part" 2> >(tee "$OUT/$part.log" >&2) || return 1
    mv "$OUT/$part.json.part" "$OUT/$part.json"
}

# bench PART NAME BASE [OPTION...]: one of the package's benchmarks against its rivals.
bench() {
    local part=$1 name=$2 base=$3
    shift 3
    local options=(--base "$base" --device "$DEVICE" --dtype "$DTYPE" --json "$@")
    if [ -z "${SELFEDIT_DATA:-}" ]; then options+=(--synthetic); fi
    if [ -n "${QUICK:-}" ]; then options+=(--quick); fi
    rows "$part" "$PYTHON" -m selfedit.bench "$name" "${options[@]}"
}

# engine PART NAME BASE [OPTION...]: what the engine alone has.
engine() {
    local part=$1 name=$2 base=$3
    shift 3
    local options=(--base "$base" --device "$DEVICE" --dtype "$DTYPE" "$@")
    if [ -n "${QUICK:-}" ]; then options+=(--quick); fi
    rows "$part" "$PYTHON" "$root/scripts/cuda_engine.py" "$name" "${options[@]}"
}

parity() {
    local options=(-q -k parity -p no:cacheprovider)
    (cd "$root" && "$PYTHON" -m pytest tests/engine "${options[@]}") 2>&1 | tee "$OUT/parity.log" || return 1
    "$PYTHON" "$root/scripts/cuda_table.py" parity "$OUT/parity.log" >"$OUT/parity.json.part" || return 1
    mv "$OUT/parity.json.part" "$OUT/parity.json"
}

# Random weights in the big model's shape; built once, kept until `clean`.
shape() {
    if [ ! -e "$SCRATCH/done" ]; then
        "$PYTHON" "$root/scripts/cuda_shape.py" "$SHAPE" "$SCRATCH" --device "$DEVICE" --dtype "$DTYPE" || return 1
        touch "$SCRATCH/done"
    fi
}

shape_bench() {
    shape || return 1
    bench "$1" "${1#shape7b-}" "$SCRATCH" "${@:2}"
}

shape_engine() {
    shape || return 1
    engine "$1" "${1#shape7b-}" "$SCRATCH" "${@:2}"
}

part() {
    if [ -e "$OUT/$1.json" ]; then
        say "$1 is done (remove $OUT/$1.json to run it again)"
        return
    fi
    say "$1 ..."
    case $1 in
        parity) parity ;;
        train | generate | score | trial) bench "$1" "$1" "$MODEL" ;;
        switches | heads) engine "$1" "$1" "$MODEL" ;;
        shape7b-switches) shape_engine "$1" --rank 32 ;;
        shape7b-train) shape_bench "$1" --plans 60 --rank 32 ;;
        shape7b-trial) shape_bench "$1" --rank 32 ;;
        shape7b-generate | shape7b-score) shape_bench "$1" --rank 32 ;;
    esac
}

plain=(parity train generate score trial switches heads)
large=(shape7b-train shape7b-generate shape7b-score shape7b-trial shape7b-switches)
parts=()
for given in "$@"; do
    case $given in
        all) parts+=("${plain[@]}" "${large[@]}") ;;
        shape7b) parts+=("${large[@]}") ;;
        table) ;;
        clean) if [ -e "$SCRATCH/done" ]; then rm -rf -- "$SCRATCH"; fi ;;
        *)
            case " ${plain[*]} ${large[*]} " in
                *" $given "*) parts+=("$given") ;;
                *) usage >&2; exit 2 ;;
            esac ;;
    esac
done
if [ $# -eq 0 ]; then usage >&2; exit 2; fi

failed=()
for each in ${parts[@]+"${parts[@]}"}; do
    # One part that fails stops neither the others nor the table.
    if ! part "$each"; then
        failed+=("$each")
        say "$each FAILED; see $OUT/$each.log"
    fi
done
"$PYTHON" "$root/scripts/cuda_table.py" table "$OUT"
if [ ${#failed[@]} -gt 0 ]; then say "failed: ${failed[*]}"; exit 1; fi
