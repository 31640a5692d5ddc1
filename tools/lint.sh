#!/usr/bin/env bash
# Checks form: clang-format, clang-tidy, the arrows between rooms, the Python and the shell scripts.
# usage: tools/lint.sh [--fix] [--tests]
#   --fix    let clang-format and clang-tidy change the sources
#   --tests  clang-tidy reads the tests' sources as well (minutes more)
# Runs all checks, then ends with 1 if one complained. clang-tidy remembers what passed in build/lint/.
set -euo pipefail
cd "$(dirname "$0")/.."

fix=()
tests=()
for argument in "$@"; do
  case "$argument" in
    --fix) fix=(--fix) ;;
    --tests) tests=(--tests) ;;
    *) echo "lint.sh: unknown argument '$argument'; usage: tools/lint.sh [--fix] [--tests]" >&2; exit 64 ;;
  esac
done

tools/setup.sh --lint
# shellcheck source=tools/environment.sh
. tools/environment.sh
build=${PROXYTUNE_BUILD:-build}
# Configuring anew takes seconds and brings in sources that were added since.
log=$(mktemp)
cmake --preset dev -B "$build" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
rm -f "$log"

# What git tracks or would track; in an unpacked archive, everything outside the ignored folders.
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while IFS= read -r file; do
      [ ! -f "$file" ] || printf '%s\n' "$file"
    done
  else
    local names=() pattern
    for pattern in "$@"; do names+=(-o -path "./${pattern#./}"); done
    find . \( -path './build*' -o -path ./.deps -o -path ./out -o -path ./.cache \) -prune -o -type f \( "${names[@]:1}" \) -print | sort
  fi
}
shell_scripts() {
  files '*.sh' '*.sbatch'
  files '.ci/*' | while IFS= read -r file; do
    head -n 1 "$file" | grep -q '^#!.*sh$' && printf '%s\n' "$file"
  done
}

# Debian's package brings it (tools/setup.sh --lint); on other systems it may be missing.
has() { command -v "$1" >/dev/null || { echo "lint: no $1 here, so that check is left out"; return 1; }; }

failed=()
check() {
  local name=$1
  shift
  if "$@"; then printf 'lint: %s passed\n' "$name"; else failed+=("$name"); fi
}
format() {
  # Numbers that a script wrote stay as it wrote them.
  mapfile -t sources < <(files '*.h' '*.cpp' '*.cu' '*.cuh' | grep -v '^tests/reference/')
  if [ "${#fix[@]}" -gt 0 ]; then clang-format -i "${sources[@]}"; else clang-format --dry-run -Werror "${sources[@]}"; fi
}
python_scripts() {
  mapfile -t scripts < <(files '*.py')
  python3 - "${scripts[@]}" <<'PYTHON' || return 1
import sys
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        compile(file.read(), name, "exec")
PYTHON
  if has pyflakes3; then pyflakes3 "${scripts[@]}"; fi
}
scripts_of_the_shell() {
  mapfile -t scripts < <(shell_scripts)
  if has shellcheck; then
    shellcheck --external-sources "${scripts[@]}"
  else
    for script in "${scripts[@]}"; do bash -n "$script" || return 1; done
  fi
}

check format format
check layers tools/check_layers.py
check python python_scripts
check shell scripts_of_the_shell
check tidy tools/run_clang_tidy.py "$build" "${fix[@]}" "${tests[@]}"

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'lint: failed: %s\n' "${failed[*]}" >&2
  exit 1
fi
echo "lint: passed"
