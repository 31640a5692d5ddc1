#!/usr/bin/env bash
# Long proofs: runs tools/soak/NAME.py COUNT times with the built program; its last line is
# SOAK name=... count=... and figures that must be 0.
# usage: tools/soak.sh NAME COUNT        NAME: kills, search, matrix, flips, full_disk, slurm
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$#" != 2 ] || [ ! -e "tools/soak/$1.py" ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 64
fi
# shellcheck source=tools/environment.sh
. tools/environment.sh
[ -x build/proxytune ] || { echo "soak.sh: build/proxytune does not exist; run tools/demo.sh or tools/test.sh first" >&2; exit 1; }
export PROXYTUNE_PROGRAM=$PWD/build/proxytune
exec python3 "tools/soak/$1.py" "$2"
