#!/usr/bin/env bash
# Builds the unit tests with a sanitizer and runs them: what docs/architecture.md ("Sanitizers") says is covered.
# usage: tools/sanitizers.sh asan|tsan [--no-build] [ROOM...]
#   asan        AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer: the tests of all rooms
#   tsan        ThreadSanitizer: the rooms without LibTorch
#   ROOM        these rooms only, such as: core work
#   --no-build  run what is there
#   PROXYTUNE_JOBS  compilers at once (default: one a core)
# Ends with 1 if a program complained; the logs are in build-asan/logs, build-tsan/logs.
set -euo pipefail
cd "$(dirname "$0")/.."
usage() {
  sed -n '3,8s/^# //p' "$0" >&2
  exit 64
}

plain=(core config comm imaging work study datasets similarity selection trials analysis store app)
with_torch=(ops network training search jobs)
case "${1:-}" in
  asan) rooms=("${plain[@]}" "${with_torch[@]}") ;;
  tsan) rooms=("${plain[@]}") ;;
  *) usage ;;
esac
kind=$1
shift
build=build-$kind
must_build=yes
asked=()
for argument in "$@"; do
  case "$argument" in
    --no-build) must_build=no ;;
    *) [[ " ${rooms[*]} " == *" $argument "* ]] || usage; asked+=("$argument") ;;
  esac
done
[ ${#asked[@]} = 0 ] || rooms=("${asked[@]}")

tools/setup.sh --peers
# shellcheck source=tools/environment.sh
. tools/environment.sh
# As CMakePresets.json has it for ctest.
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$PWD/tools/sanitizers/leaks.txt:print_suppressions=0
export TSAN_OPTIONS=suppressions=$PWD/tools/sanitizers/races.txt:ignore_noninstrumented_modules=1
export OMP_NUM_THREADS=1
logs=$PWD/$build/logs
mkdir -p "$logs"

# Programs that start MPI: on several ranks, under AddressSanitizer only. (ThreadSanitizer does not see MPI's locks:
# there, ranks are threads.)
targets=()
on_ranks=()
for room in "${rooms[@]}"; do
  targets+=("${room}_tests")
  [ "$kind" = asan ] || continue
  case "$room" in
    comm | work) targets+=("${room}_mpi_tests"); on_ranks+=("${room}_mpi_tests") ;;
    store) targets+=(store_write_sample); on_ranks+=(store_) ;;
    ops) on_ranks+=(ops_with) ;;  # no ranks, but another environment each
    network) targets+=(network_weights_sample); on_ranks+=(network_weights) ;;
  esac
done

if [ "$must_build" = yes ]; then
  cmake --preset "$kind" >"$logs/configure.log" 2>&1 || { cat "$logs/configure.log" >&2; exit 1; }
  cmake --build "$build" -j "${PROXYTUNE_JOBS:-$(nproc)}" --target "${targets[@]}" 2>&1 | tee "$logs/build.log"
fi

failed=()
# run NAME COMMAND...: its last lines of interest, and where the rest is.
run() {
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$logs/$name.log" 2>&1; then
    echo "$kind: $name: $(grep -aoE '(\[  PASSED  \]|[0-9]+% tests passed).*' "$logs/$name.log" | tail -1) ($((SECONDS - began)) s)"
  else
    failed+=("$name")
    echo "$kind: $name FAILED after $((SECONDS - began)) s, $logs/$name.log:"
    grep -aE '\[  FAILED  \]|runtime error|SUMMARY|ERROR: |Failed' "$logs/$name.log" | sort -u | head -20 || true
  fi
}
for room in "${rooms[@]}"; do
  # Under AddressSanitizer, store_tests is one of those on several ranks.
  [ "$kind-$room" != asan-store ] || continue
  program=$build/tests/${room}_tests
  [ -x "$program" ] || program=$build/tests/$room/${room}_tests
  some=()
  # Kernels of a GPU as fibers of one thread: no races to be found, many minutes.
  [ "$kind-$room" != tsan-similarity ] || some=(--gtest_filter=-*GpuMeasureTest*)
  run "$room" "$program" "${some[@]}"
done
if [ ${#on_ranks[@]} != 0 ]; then
  run with_ctest ctest --preset asan --no-tests=error --output-on-failure -R "^($(IFS='|'; echo "${on_ranks[*]}"))"
fi
if [ ${#failed[@]} != 0 ]; then
  echo "$kind: failed: ${failed[*]}"
  exit 1
fi
echo "$kind: passed: ${rooms[*]}"
