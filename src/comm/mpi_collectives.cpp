#include "mpi_collectives.h"

#include <algorithm>
#include <vector>

#include "mpi_communicator.h"
#include "observed_communicator.h"
#include "proxytune/comm/mpi_native.h"
#include "proxytune/comm/observed.h"
#include "proxytune/core/error.h"
#include "staged_collectives.h"

namespace proxytune::comm {
namespace {

/// MPI counts elements in int.
constexpr std::size_t values_per_call = std::size_t{1} << 30;

/// Of messages that exchange() sends: no other message over the raw communicator has it.
constexpr int tag = 7;

template <class T>
void sum_up(MPI_Comm communicator, std::span<T> values, MPI_Datatype type) {
  for (std::size_t begin = 0; begin < values.size(); begin += values_per_call) {
    const std::size_t count = std::min(values_per_call, values.size() - begin);
    check_mpi(MPI_Allreduce(MPI_IN_PLACE,
                            values.data() + begin,
                            static_cast<int>(count),
                            type,
                            MPI_SUM,
                            communicator),
              "MPI_Allreduce");
  }
}

/// A message's parts, none above what MPI counts to.
template <class Buffer, class Call>
void in_parts(std::span<Buffer> values, const Call& call) {
  for (std::size_t begin = 0; begin < values.size(); begin += values_per_call) {
    const std::size_t count = std::min(values_per_call, values.size() - begin);
    call(values.data() + begin, static_cast<int>(count));
  }
}

}  // namespace

void MpiCollectives::sum(std::span<float> values) {
  const LibraryCollective inside(group_, "a sum over ranks");
  sum_up(communicator_, values, MPI_FLOAT);
}

void MpiCollectives::sum(std::span<double> values) {
  const LibraryCollective inside(group_, "a sum over ranks");
  sum_up(communicator_, values, MPI_DOUBLE);
}

void MpiCollectives::exchange(const std::vector<Outgoing>& outgoing,
                              const std::vector<Incoming>& incoming) {
  const LibraryCollective inside(group_, "an exchange of parts");
  std::vector<MPI_Request> requests;
  const auto next = [&]() -> MPI_Request* { return &requests.emplace_back(MPI_REQUEST_NULL); };
  for (const Incoming& one : incoming)
    in_parts(one.values, [&](float* values, int count) {
      check_mpi(MPI_Irecv(values, count, MPI_FLOAT, one.from, tag, communicator_, next()),
                "MPI_Irecv");
    });
  for (const Outgoing& one : outgoing)
    in_parts(one.values, [&](const float* values, int count) {
      check_mpi(MPI_Isend(values, count, MPI_FLOAT, one.to, tag, communicator_, next()),
                "MPI_Isend");
    });
  check_mpi(
      MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE),
      "MPI_Waitall");
}

void MpiCollectives::gather(std::span<float> values, std::span<const std::size_t> bounds) {
  if (values.size() > values_per_call)
    return StagedCollectives(group_).gather(values, bounds);
  const LibraryCollective inside(group_, "a gathering of parts");
  std::vector<int> counts;
  std::vector<int> places;
  for (std::size_t r = 0; r + 1 < bounds.size(); ++r) {
    places.push_back(static_cast<int>(bounds[r]));
    counts.push_back(static_cast<int>(bounds[r + 1] - bounds[r]));
  }
  check_mpi(MPI_Allgatherv(MPI_IN_PLACE,
                           0,
                           MPI_DATATYPE_NULL,
                           values.data(),
                           counts.data(),
                           places.data(),
                           MPI_FLOAT,
                           communicator_),
            "MPI_Allgatherv");
}

std::unique_ptr<DeviceCollectives> host_collectives(Communicator& group) {
  Communicator* innermost = &group;
  while (auto* seen = dynamic_cast<ObservedCommunicator*>(innermost))
    innermost = &seen->inner();
  if (dynamic_cast<MpiCommunicator*>(innermost) != nullptr)
    return std::make_unique<MpiCollectives>(group, native(group));
  return std::make_unique<StagedCollectives>(group);
}

}  // namespace proxytune::comm
