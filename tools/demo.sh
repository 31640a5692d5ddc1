#!/usr/bin/env bash
# Sets everything up, builds, and runs a whole study on two MPI ranks.
# usage: tools/demo.sh                                        on generated volumes
#        tools/demo.sh INTERNAL_dataset.json EXTERNAL_dataset.json   on your own, with settings derived from them
# PROXYTUNE_RANKS (default 2) ranks; PROXYTUNE_DEMO_FOLDER (default out/) for everything it writes.
set -euo pipefail
usage() { sed -n '2,5s/^# //p' "$0"; }
case "$#:${1:-}" in
  *:-h|*:--help) usage; exit 0 ;;
  0:*|2:*) ;;
  *) usage >&2; exit 64 ;;
esac
internal=; external=
if [ "$#" = 2 ]; then
  for file in "$1" "$2"; do
    [ -e "$file" ] || { echo "demo.sh: $file does not exist; give the dataset.json of a data set in the Decathlon's layout" >&2; exit 3; }
  done
  internal=$(realpath "$1"); external=$(realpath "$2")
fi
cd "$(dirname "$0")/.."
tools/setup.sh
# shellcheck source=tools/environment.sh
. tools/environment.sh
echo "demo: building (log: build/logs/demo.log)"
mkdir -p build/logs
if ! { cmake --preset default && cmake --build build -j "$(nproc)" --target proxytune; } >build/logs/demo.log 2>&1; then
  tail -n 30 build/logs/demo.log >&2
  echo "demo.sh: the build failed (log: $PWD/build/logs/demo.log)" >&2
  exit 1
fi

program=$PWD/build/proxytune
out=${PROXYTUNE_DEMO_FOLDER:-out}
ranks=${PROXYTUNE_RANKS:-2}
mkdir -p "$out"
start=$SECONDS
if [ -z "$internal" ]; then
  study=configs/phantom/study.yaml
  folder=$out/phantom_study
  "$program" phantom "$out/phantom"
  set -- --set "data.internal=$(realpath "$out")/phantom/siteA/dataset.json" --set "data.external=$(realpath "$out")/phantom/siteB/dataset.json" --set "output.folder=$folder"
else
  # Other data sets are another study, in a folder of its own.
  study=$out/demo_$(printf '%s %s' "$internal" "$external" | cksum | cut -d' ' -f1).yaml
  folder=${study%.yaml}
  [ -e "$study" ] || "$program" plan "$internal" --external "$external" --output "$study"
  echo "---- $study: derived from your data, a file to go on from ----"
  cat "$study"
  echo "----"
  set --
fi
mpirun --bind-to none -n "$ranks" "$program" run "$study" "$@"
# Debian's packages belong to Debian's interpreter, which need not be the first on the path.
python=python3
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import h5py, matplotlib' >/dev/null 2>&1; then python=$candidate; break; fi
done
"$python" tools/report.py "$folder/results.h5" -o "$folder/report.html"
echo
echo "demo: the study took $((SECONDS - start)) s on $ranks ranks"
echo "demo: results  $folder/results.h5"
echo "demo: report   $folder/report.html"
