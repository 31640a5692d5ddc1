#include "proxytune/work/journal.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <utility>

#include "journal_format.h"
#include "proxytune/core/error.h"
#include "proxytune/core/hash.h"
#include "record_json.h"
#include "segment_file.h"

namespace proxytune::work {
namespace {

std::string checksum_text(std::string_view text) {
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", core::checksum(text));
  return digits.data();
}

std::string file_name(const std::string& launch_id, int rank) {
  std::array<char, 32> ending{};
  std::snprintf(ending.data(), ending.size(), "-rank%04d%s", rank, journal_extension);
  return launch_id + ending.data();
}

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds soon(5);

/// Lines that share one sync.
struct Batch {
  std::string text;
  bool synced = false;  // one of them wants it at once
  bool done = false;
  std::exception_ptr error;
};

}  // namespace

std::string journal_line(const nlohmann::json& json) {
  const std::string text = one_line(json);
  return checksum_text(text) + " " + text + "\n";
}

nlohmann::json json_of_line(std::string_view line) {
  if (line.size() < 10 || line[8] != ' ' || line.substr(0, 8) != checksum_text(line.substr(9)))
    throw core::DataError("the checksum does not fit");
  return parse_line(line.substr(9));
}

struct Journal::State {
  explicit State(const std::filesystem::path& path) : file(path) {}

  SegmentFile file;
  std::mutex mutex;
  std::condition_variable written;
  std::shared_ptr<Batch> open = std::make_shared<Batch>();  // lines may still join it
  bool writing = false;
  Clock::time_point last_sync = Clock::now();  // whoever is writing has it

  void write(const Batch& batch) {
    file.append(batch.text);
    if (!batch.synced && Clock::now() - last_sync < soon)
      return;
    file.sync();
    last_sync = Clock::now();
  }
};

Journal::Journal(const std::filesystem::path& folder,
                 const std::string& study_id,
                 const std::string& launch_id,
                 int rank)
    : state_(std::make_unique<State>(folder / file_name(launch_id, rank))) {
  state_->file.append(journal_line({{"format", journal_format},
                                    {"launch", launch_id},
                                    {"rank", rank},
                                    {"study", study_id}}));
  state_->file.sync();
}

Journal::~Journal() = default;

void Journal::append(const Event& event, OnDisk on_disk) {
  write(journal_line({{"kind", event.kind},
                      {"stage", event.stage},
                      {"key", event.key},
                      {"data", json_of(event.data)}}),
        on_disk);
}

void Journal::sync() {
  write("", OnDisk::now);
}

/// Whoever finds nobody writing writes the open batch, its own line and those of the threads
/// that came meanwhile, with one sync.
void Journal::write(const std::string& line, OnDisk on_disk) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const std::shared_ptr<Batch> batch = state.open;
  batch->text += line;
  batch->synced = batch->synced || on_disk == OnDisk::now;
  while (!batch->done) {
    if (state.writing) {
      state.written.wait(lock);
      continue;
    }
    state.writing = true;
    state.open = std::make_shared<Batch>();
    lock.unlock();
    try {
      state.write(*batch);
    } catch (...) {
      batch->error = std::current_exception();
    }
    lock.lock();
    state.writing = false;
    batch->done = true;
    state.written.notify_all();
  }
  if (batch->error)
    std::rethrow_exception(batch->error);
}

}  // namespace proxytune::work
