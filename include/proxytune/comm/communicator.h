#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace proxytune::comm {

/// What a point-to-point message is about; receivers ask for one tag.
enum class Tag : int { to_manager = 1, to_worker = 2, user = 3 };

struct Message {
  int from = 0;
  std::vector<std::byte> bytes;
};

/// A group of ranks and the operations we use. Collectives (barrier, broadcast, all_gather,
/// split, split_by_node, duplicate) are called by every rank of the group in the same order.
/// send and try_receive may be called from another thread than the collectives, best on a
/// duplicate. Failures of the transport throw core::SystemError.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  bool is_root() const { return rank() == 0; }
  virtual void barrier() = 0;
  /// Afterwards every rank's `bytes` are the root's, length included.
  virtual void broadcast(std::vector<std::byte>& bytes, int root) = 0;
  /// Every rank's bytes, by rank.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> mine) = 0;
  /// Buffered: returns without waiting for the receiver.
  virtual void send(std::span<const std::byte> bytes, int to, Tag tag) = 0;
  /// The next message of this tag from any rank, if one is there; never blocks.
  virtual std::optional<Message> try_receive(Tag tag) = 0;
  virtual std::unique_ptr<Communicator> split(int color) = 0;
  virtual std::unique_ptr<Communicator> split_by_node() = 0;
  virtual std::unique_ptr<Communicator> duplicate() = 0;
  /// Tells an observer (observed.h) of a library's collective over the group; null: through.
  virtual void enter_library(const char* /*operation*/) {}
};

/// The group of one.
std::unique_ptr<Communicator> self_communicator();

/// MPI's world; an MpiEnvironment must be alive.
std::unique_ptr<Communicator> world_communicator();

/// Runs `body` on `ranks` threads of this process, each with its communicator of that size; the
/// first exception by rank is thrown again after all have ended. For tests.
void run_as_threads(int ranks, const std::function<void(Communicator&)>& body);

/// Starts and ends MPI (MPI_THREAD_MULTIPLE). One a process, in main.
class MpiEnvironment {
 public:
  MpiEnvironment(int& argument_count, char**& arguments);
  ~MpiEnvironment();
  MpiEnvironment(const MpiEnvironment&) = delete;
  MpiEnvironment& operator=(const MpiEnvironment&) = delete;
  /// Ends every rank of the job with this exit code, at once.
  [[noreturn]] static void abort(int exit_code);
};

std::string host_name();

}  // namespace proxytune::comm
