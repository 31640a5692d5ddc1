#!/usr/bin/env bash
# Sets everything up, builds into build/ (Release, warnings are errors), runs every test.
# usage: tools/test.sh [REGEX]       only the tests whose name matches, in ctest's words
#   PROXYTUNE_PRESET   another preset of CMakePresets.json (default dev)
#   PROXYTUNE_JOBS     tests at once (default 2; a test takes up to 4 ranks)
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 1 ] || [[ "${1:-}" == -* ]]; then
  echo "usage: tools/test.sh [REGEX]" >&2
  exit 64
fi

tools/setup.sh --peers
# shellcheck source=tools/environment.sh
. tools/environment.sh
preset=${PROXYTUNE_PRESET:-dev}
build=build
[ "$preset" = dev ] || [ "$preset" = default ] || build=build-$preset
logs=$PWD/$build/logs
mkdir -p "$logs"
seconds() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }

cmake --preset "$preset" -DPROXYTUNE_TESTS=ON >"$logs/configure.log" 2>&1 || {
  cat "$logs/configure.log" >&2
  echo "test: CMake failed (log: $logs/configure.log)" >&2
  exit 1
}
SECONDS=0
echo "test: building (log: $logs/build.log)"
if ! cmake --build "$build" -j "$(nproc)" 2>&1 | tee "$logs/build.log"; then
  echo "test: the build failed (log: $logs/build.log)" >&2
  exit 1
fi
echo "test: built in $(seconds "$SECONDS")"

echo "test: running (log of every test: $PWD/$build/Testing/Temporary/LastTest.log)"
filter=()
[ $# = 0 ] || filter=(-R "$1")
ctest --preset "$preset" -j "${PROXYTUNE_JOBS:-2}" --output-on-failure --no-tests=error "${filter[@]}"
