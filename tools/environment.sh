# Sourced by tools/*.sh and .ci/run from the root of a checkout: what a build and its tests need from the environment.
# shellcheck shell=bash

# Open MPI refuses root, and slots are cores: tests and demo run more ranks than cores.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe

# The CUDA toolkit installs itself beside the PATH.
if ! command -v nvcc >/dev/null && [ -x /usr/local/cuda/bin/nvcc ]; then
  export PATH=$PATH:/usr/local/cuda/bin
fi

# ccache: paths count from the checkout, so that a second clone finds what the first one compiled. -Werror changes no
# object, so that the presets share theirs.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_IGNOREOPTIONS=-Werror
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
