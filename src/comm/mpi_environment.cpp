#include <cstdlib>
#include <exception>
#include <string>

#include "mpi_communicator.h"
#include "observed_communicator.h"
#include "proxytune/comm/mpi_native.h"
#include "proxytune/core/error.h"
#include "thread_communicator.h"

namespace proxytune::comm {
namespace {

bool mpi_is_running() {
  int started = 0;
  int ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  return started != 0 && ended == 0;
}

void require_mpi() {
  if (!mpi_is_running())
    throw core::SystemError("MPI is needed here, but was not started: start it in main");
}

}  // namespace

MpiEnvironment::MpiEnvironment(int& argument_count, char**& arguments) {
  int provided = MPI_THREAD_SINGLE;
  const int code = MPI_Init_thread(&argument_count, &arguments, MPI_THREAD_MULTIPLE, &provided);
  if (code != MPI_SUCCESS)  // MPI_Error_string may not be called of an MPI that is not there
    throw core::SystemError("MPI did not start (MPI_Init_thread returned " +
                            std::to_string(code) +
                            "): use the mpiexec of the MPI that the program was built with");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  if (provided == MPI_THREAD_MULTIPLE)
    return;
  MPI_Finalize();
  throw core::SystemError(
      "this MPI library gives no MPI_THREAD_MULTIPLE, which the control messages need: use one "
      "built with thread support");
}

MpiEnvironment::~MpiEnvironment() {
  if (!mpi_is_running())
    return;
  if (std::uncaught_exceptions() > 0)
    abort(static_cast<int>(core::ExitCode::bug));
  MPI_Finalize();
}

void MpiEnvironment::abort(int exit_code) {
  if (mpi_is_running())
    MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);
}

std::unique_ptr<Communicator> world_communicator() {
  require_mpi();
  return std::make_unique<MpiCommunicator>(
      boost::mpi::communicator(MPI_COMM_WORLD, boost::mpi::comm_attach));
}

MPI_Comm native(Communicator& communicator) {
  require_mpi();
  if (auto* observed = dynamic_cast<ObservedCommunicator*>(&communicator))
    return native(observed->inner());
  if (auto* mpi = dynamic_cast<MpiCommunicator*>(&communicator))
    return mpi->native();
  if (auto* thread = dynamic_cast<ThreadCommunicator*>(&communicator);
      thread != nullptr && thread->one_process())
    return MPI_COMM_SELF;
  throw core::SystemError("ranks that are threads of one process have no MPI communicator");
}

}  // namespace proxytune::comm
