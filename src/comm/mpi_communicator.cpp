#include "mpi_communicator.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <utility>

#include <boost/mpi/collectives.hpp>
#include <boost/mpi/collectives/all_gatherv.hpp>
#include <boost/mpi/exception.hpp>

#include "limits.h"
#include "proxytune/core/error.h"

namespace proxytune::comm {
namespace {

/// Bytes in one call of a collective: MPI counts in int, over all ranks together.
constexpr std::size_t bytes_per_round = std::size_t{1} << 30;

/// How long a destructor waits for receivers before it leaves the messages to MPI: a rank that
/// ends with an error must not wait for ever for one that has ended already.
constexpr std::chrono::seconds patience{20};

template <class Call>
auto guarded(const char* what, const Call& call) {
  try {
    return call();
  } catch (const boost::mpi::exception& error) {
    throw core::SystemError(std::string("MPI failed in ") + what + ": " + error.what());
  }
}

unsigned char* raw(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}
/// Never null, also where there is nothing to send: Boost.MPI makes a reference of it.
const unsigned char* raw(const std::byte* bytes) {
  static constexpr unsigned char none = 0;
  return bytes == nullptr ? &none : reinterpret_cast<const unsigned char*>(bytes);
}

}  // namespace

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS)
    return;
  std::string text(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  text.resize(static_cast<std::size_t>(length));
  throw core::SystemError(std::string("MPI failed in ") + call + ": " + text);
}

MpiCommunicator::MpiCommunicator(boost::mpi::communicator communicator)
    : communicator_(std::move(communicator)) {
  check_mpi(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN),
            "MPI_Comm_set_errhandler");
}

MpiCommunicator::~MpiCommunicator() {
  int ended = 0;
  MPI_Finalized(&ended);
  if (ended != 0)
    return;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (std::unique_ptr<Transfer>& transfer : outgoing_) {
    int done = 0;
    while (MPI_Test(&transfer->request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done == 0 &&
           std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (done != 0)
      continue;
    MPI_Request_free(&transfer->request);
    // MPI may read the bytes until the program ends, so they are never given back.
    static_cast<void>(transfer.release());
  }
  for (auto& [tag, transfer] : incoming_) {
    if (!transfer)
      continue;
    MPI_Request_free(&transfer->request);
    static_cast<void>(transfer.release());
  }
}

void MpiCommunicator::barrier() {
  guarded("a barrier", [&] { communicator_.barrier(); });
}

void MpiCommunicator::broadcast(std::vector<std::byte>& bytes, int root) {
  check_root(*this, root);
  guarded("a broadcast", [&] {
    std::uint64_t length = bytes.size();
    boost::mpi::broadcast(communicator_, length, root);
    bytes.resize(length);
    for (std::size_t begin = 0; begin < length; begin += bytes_per_round) {
      const std::size_t count = std::min<std::size_t>(bytes_per_round, length - begin);
      boost::mpi::broadcast(
          communicator_, raw(bytes.data() + begin), static_cast<int>(count), root);
    }
  });
}

std::vector<std::vector<std::byte>> MpiCommunicator::all_gather(
    std::span<const std::byte> mine) {
  return guarded("an all-gather", [&] {
    std::vector<std::uint64_t> lengths;
    boost::mpi::all_gather(communicator_, std::uint64_t{mine.size()}, lengths);
    const std::size_t part = bytes_per_round / lengths.size();
    const std::size_t longest = *std::max_element(lengths.begin(), lengths.end());
    std::vector<std::vector<std::byte>> all(lengths.size());
    std::vector<int> counts(lengths.size());
    std::vector<std::byte> round;
    for (std::size_t begin = 0; begin < longest; begin += part) {
      std::size_t total = 0;
      for (std::size_t rank = 0; rank < lengths.size(); ++rank) {
        const std::size_t length = lengths[rank];
        const std::size_t count = length > begin ? std::min(part, length - begin) : 0;
        counts[rank] = static_cast<int>(count);
        total += count;
      }
      round.resize(total);
      const std::byte* from = mine.data() + std::min(begin, mine.size());
      boost::mpi::all_gatherv(communicator_, raw(from), raw(round.data()), counts);
      auto read = round.begin();
      for (std::size_t rank = 0; rank < lengths.size(); ++rank) {
        const auto end = read + counts[rank];
        all[rank].insert(all[rank].end(), read, end);
        read = end;
      }
    }
    return all;
  });
}

void MpiCommunicator::send(std::span<const std::byte> bytes, int to, Tag tag) {
  check_message(*this, bytes.size(), to);
  const std::scoped_lock lock(mutex_);
  forget_sent();
  Transfer& transfer = *outgoing_.emplace_back(std::make_unique<Transfer>());
  transfer.message = {to, {bytes.begin(), bytes.end()}};
  const int code = MPI_Isend(transfer.message.bytes.data(),
                             static_cast<int>(bytes.size()),
                             MPI_BYTE,
                             to,
                             static_cast<int>(tag),
                             communicator_,
                             &transfer.request);
  if (code != MPI_SUCCESS)
    outgoing_.pop_back();
  check_mpi(code, "MPI_Isend");
}

void MpiCommunicator::forget_sent() {
  for (auto transfer = outgoing_.begin(); transfer != outgoing_.end();) {
    int done = 0;
    check_mpi(MPI_Test(&(*transfer)->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    transfer = done != 0 ? outgoing_.erase(transfer) : std::next(transfer);
  }
}

/// A matched receive may take several calls: MPI moves a long message only while its sender
/// calls MPI too, and we do not wait for that.
std::optional<Message> MpiCommunicator::try_receive(Tag tag) {
  const std::scoped_lock lock(mutex_);
  forget_sent();
  std::unique_ptr<Transfer>& transfer = incoming_[tag];
  if (!transfer) {
    int found = 0;
    MPI_Message handle = MPI_MESSAGE_NULL;
    MPI_Status status;
    check_mpi(
        MPI_Improbe(
            MPI_ANY_SOURCE, static_cast<int>(tag), communicator_, &found, &handle, &status),
        "MPI_Improbe");
    if (found == 0)
      return std::nullopt;
    int count = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
    transfer = std::make_unique<Transfer>();
    transfer->message.from = status.MPI_SOURCE;
    transfer->message.bytes.resize(static_cast<std::size_t>(count));
    check_mpi(MPI_Imrecv(
                  transfer->message.bytes.data(), count, MPI_BYTE, &handle, &transfer->request),
              "MPI_Imrecv");
  }
  int done = 0;
  check_mpi(MPI_Test(&transfer->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  if (done == 0)
    return std::nullopt;
  Message message = std::move(transfer->message);
  transfer.reset();
  return message;
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color) {
  if (color < 0)
    throw std::invalid_argument("split: a color is 0 or more");
  return guarded("a split", [&] {
    return std::make_unique<MpiCommunicator>(communicator_.split(color, rank()));
  });
}

std::unique_ptr<Communicator> MpiCommunicator::split_by_node() {
  MPI_Comm node = MPI_COMM_NULL;
  check_mpi(
      MPI_Comm_split_type(communicator_, MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL, &node),
      "MPI_Comm_split_type");
  return std::make_unique<MpiCommunicator>(
      boost::mpi::communicator(node, boost::mpi::comm_take_ownership));
}

std::unique_ptr<Communicator> MpiCommunicator::duplicate() {
  return guarded("a duplication", [&] {
    return std::make_unique<MpiCommunicator>(
        boost::mpi::communicator(communicator_, boost::mpi::comm_duplicate));
  });
}

}  // namespace proxytune::comm
