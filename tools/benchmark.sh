#!/usr/bin/env bash
# Builds and runs a benchmark; one line a comparison, ours and the peer's measured in the same run:
# RATIO name=... peer=... ours=... theirs=... unit=... ratio=(theirs over ours).
# usage: tools/benchmark.sh NAME [ARGUMENTS]        NAME: training_step, operations, convolution,
#        pair-matrix, against-monai, bfloat16, memory, scheduler, search,
#        team
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$#" = 0 ] || [ ! -e "tools/benchmark/${1//-/_}.py" ]; then
  sed -n '2,6s/^# //p' "$0" >&2
  exit 64
fi
name=${1//-/_}
shift
# What is measured on a GPU is built for one where there is one.
preset=dev build=build
if [ "${1:-}" = gpu ] && nvidia-smi >/dev/null 2>&1; then
  preset=cuda build=build-cuda
fi
tools/setup.sh --peers --benchmarks >&2
# shellcheck source=tools/environment.sh
. tools/environment.sh
{
  cmake --preset "$preset" -DPROXYTUNE_BENCHMARKS=ON
  # Without a program of its own, a comparison runs proxytune itself.
  program=$build/proxytune
  targets=(proxytune)
  if [ -e "tools/benchmark/$name.cpp" ]; then
    program=$build/tools/benchmark/benchmark_$name
    targets+=("benchmark_$name")
  fi
  cmake --build "$build" -j "$(nproc)" --target "${targets[@]}"
} >&2
python=/usr/bin/python3
[ -x "$python" ] || python=python3
export PYTHONPATH=${PROXYTUNE_LIBTORCH:-$PWD/.deps/libtorch}:$PWD/.deps/peers:$PWD/.deps/optuna
exec "$python" "tools/benchmark/$name.py" "$program" "$@"
