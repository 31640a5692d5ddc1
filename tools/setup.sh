#!/usr/bin/env bash
# Installs what proxytune builds and tests with: Debian packages by apt, LibTorch from its PyPI wheel into .deps/.
# usage: tools/setup.sh [--cuda] [--peers] [--lint] [--benchmarks]
#   --cuda   the whole CUDA wheel set (default: only where nvidia-smi finds a GPU)
#   --peers  also MONAI and the Python packages that the comparison tests import
#   --benchmarks  also the peers that only tools/benchmark.sh times
#   --lint   also the tools that tools/lint.sh runs
# Idempotent; quick when nothing is missing.
#
# Libraries of your own (modules, Spack): set these before this script and before CMake.
#   PROXYTUNE_SKIP_APT=1           leave the system's packages alone
#   PROXYTUNE_LIBTORCH=FOLDER      LibTorch: the folder that holds torch/ (site-packages of a PyPI wheel); also -D
#   ITK_DIR, Boost_ROOT, MPI_HOME  CMake's own: ITK's lib/cmake/ITK-5.x, Boost's and MPI's prefix; also -D
#   CC, CXX, CMAKE_PREFIX_PATH     the compiler (GCC 12 or later), and prefixes of everything else
#   PKG_CONFIG_PATH                parallel HDF5 (hdf5-openmpi.pc, hdf5-mpich.pc or hdf5.pc) and libxxhash.pc
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.11.0
monai_version=1.6.1
optuna_version=4.9.0
packages=(
  g++ cmake ninja-build ccache pkg-config git ca-certificates
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev hdf5-tools libboost-mpi-dev
  libinsighttoolkit5-dev libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev
  libgmock-dev zlib1g-dev libxxhash-dev
  python3 python3-pip python3-h5py python3-numpy python3-matplotlib python3-pandas
)
benchmark_packages=(python3-sklearn)
lint_packages=(clang-tidy clang-format shellcheck pyflakes3)

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit "${code:-1}"; }

cuda=auto
peers=no
benchmarks=no
for argument in "$@"; do
  case "$argument" in
    --cuda) cuda=yes ;;
    --peers) peers=yes ;;
    --benchmarks) benchmarks=yes packages+=("${benchmark_packages[@]}") ;;
    --lint) packages+=("${lint_packages[@]}") ;;
    *) code=64 die "unknown argument '$argument'; usage: tools/setup.sh [--cuda] [--peers] [--lint] [--benchmarks]" ;;
  esac
done
[ "$cuda" != auto ] || { if nvidia-smi >/dev/null 2>&1; then cuda=yes; else cuda=no; fi; }

missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 2>/dev/null | sed -n 's/^.i *//p')
  for package in "${packages[@]}"; do
    grep -qx -- "$package" <<<"$installed" || echo "$package"
  done
}

# Where there is no apt: name the programs that are not there; CMake names the libraries.
check_programs() {
  local program absent=()
  for program in g++ cmake ninja pkg-config git mpirun python3; do
    command -v "$program" >/dev/null || absent+=("$program")
  done
  if [ "${#absent[@]}" -gt 0 ]; then
    die "not found on PATH: ${absent[*]}. There is no apt here (or PROXYTUNE_SKIP_APT=1): load modules that bring them. The libraries are those of these Debian packages: ${packages[*]}"
  fi
  say "taking compiler, MPI, HDF5, ITK and Boost from your environment (the variables at the top of tools/setup.sh)"
}

install_packages() {
  local as_root=() log
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "Debian packages are missing and I am not root. Run as root: apt-get install --no-install-recommends $*  (or set PROXYTUNE_SKIP_APT=1 and bring your own)"
    as_root=(sudo -n)
  fi
  say "installing $# Debian packages: $*"
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get -o Acquire::Retries=3 update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
      install -y --no-install-recommends "$@"; } >"$log" 2>&1 </dev/null; then
    grep -E '^(E|W|Err)[: ]' "$log" | sort -u | tail -n 8 >&2 || true
    die "apt-get failed (log: $log). Without network here, install from your mirror: apt-get install --no-install-recommends $*"
  fi
  rm -f "$log"
}

# Debian's interpreter, not one of the user's: the wheel's Python part is also what the tests import.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# fetch FOLDER PIP_ARGUMENTS...: fills FOLDER whole or leaves it as it was.
fetch() {
  local folder=$1 attempt
  shift
  "$python" -m pip --version >/dev/null 2>&1 || die "$python has no pip: install python3-pip, or python3 -m ensurepip --user"
  mkdir -p .deps
  for attempt in 1 2 3; do
    rm -rf "$folder.new"
    if "$python" -m pip install --quiet --no-input --no-warn-script-location --disable-pip-version-check \
      --no-compile --root-user-action=ignore --only-binary=:all: --retries 3 --timeout 60 --target "$folder.new" "$@"; then
      rm -rf "$folder"
      mv "$folder.new" "$folder"
      return 0
    fi
    [ "$attempt" = 3 ] || { say "the download failed; trying again"; sleep "$((attempt * 5))"; }
  done
  rm -rf "$folder.new"
  return 1
}

if [ "${PROXYTUNE_SKIP_APT:-0}" != 1 ] && command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"
else
  check_programs
fi

torch_header=torch/include/torch/csrc/api/include/torch/torch.h
if [ -n "${PROXYTUNE_LIBTORCH:-}" ]; then
  [ -e "$PROXYTUNE_LIBTORCH/$torch_header" ] || die "PROXYTUNE_LIBTORCH is $PROXYTUNE_LIBTORCH, but there is no $torch_header in it: name the folder that holds torch/, such as a site-packages folder"
  say "using your LibTorch in $PROXYTUNE_LIBTORCH"
else
  kind=cpu
  [ "$cuda" = no ] || kind=cuda
  stamp=.proxytune-$torch_version-$kind
  # The CUDA set serves a machine without a GPU as well.
  if [ ! -e ".deps/libtorch/$stamp" ] && [ ! -e ".deps/libtorch/.proxytune-$torch_version-cuda" ]; then
    # The wheel's Python part loads the CUDA runtime even where there is no GPU; its C++ part alone needs neither.
    wheels=(--no-deps "torch==$torch_version" "nvidia-cuda-runtime==13.0.*" "nvidia-cuda-cupti==13.0.*")
    [ "$kind" = cpu ] || wheels=("torch==$torch_version")
    say "fetching LibTorch $torch_version ($kind) from PyPI into .deps/libtorch"
    fetch .deps/libtorch "${wheels[@]}" || die "could not fetch the wheels. Where there is network, run: python3 -m pip install --only-binary=:all: --target libtorch ${wheels[*]}; copy that folder here and set PROXYTUNE_LIBTORCH to it"
    touch ".deps/libtorch/$stamp"
  fi
fi

if [ "$peers" = yes ] && [ ! -e .deps/peers/.complete ]; then
  say "fetching MONAI $monai_version and what the comparison tests import into .deps/peers"
  fetch .deps/peers --no-deps "monai==$monai_version" typing_extensions filelock sympy mpmath networkx jinja2 MarkupSafe fsspec ||
    die "could not fetch the peers from PyPI; the program and its other tests do not need them (leave out --peers)"
  touch .deps/peers/.complete
fi
# The tests' Python imports the same wheel, whose Python part is linked against CUDA libraries even without a GPU.
if [ "$peers" = yes ] && [ -z "${PROXYTUNE_LIBTORCH:-}" ] && [ "$kind" = cpu ] && [ ! -e .deps/libtorch/.importable ]; then
  tools/stand_in_cuda.py .deps/libtorch
  touch .deps/libtorch/.importable
fi
if [ "$benchmarks" = yes ] && [ ! -e .deps/optuna/.proxytune-$optuna_version ]; then
  say "fetching Optuna $optuna_version, which searches are compared with, into .deps/optuna"
  # What its samplers import; its storages' dependencies stay out.
  fetch .deps/optuna --no-deps "optuna==$optuna_version" colorlog tqdm packaging ||
    die "could not fetch Optuna from PyPI; only tools/benchmark.sh search needs it"
  touch ".deps/optuna/.proxytune-$optuna_version"
fi
say "everything is in place"
