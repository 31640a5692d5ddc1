#pragma once

#include <mpi.h>

#include "proxytune/comm/communicator.h"

namespace proxytune::comm {

/// The raw communicator, for libraries that want one (parallel HDF5): the only public header
/// that names MPI. MPI_COMM_SELF for the group of one. It belongs to `communicator`: do not
/// free it. Throws core::SystemError where MPI was not started and for ranks that are threads.
MPI_Comm native(Communicator& communicator);

}  // namespace proxytune::comm
