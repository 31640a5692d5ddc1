#pragma once

#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

#include "proxytune/core/error.h"
#include "src/similarity/gpu.h"

// The first makes the others plain C++.
// clang-format off
#include "tests/support/cuda_on_cpu.h"
#include "src/similarity/gpu_histograms.cuh"
#include "src/similarity/gpu_images.cuh"
#include "src/similarity/gpu_windows.cuh"
// clang-format on

namespace proxytune::test {

/// A GPU whose kernels, the same sources, run on the processor. Its memory holds garbage at
/// first and is counted.
class EmulatedGpu : public similarity::Gpu {
 public:
  struct Settings {
    std::size_t image_memory = std::size_t{1} << 30U;
    std::size_t memory = std::size_t{1} << 30U;
    std::size_t shared_memory = std::size_t{200} << 10U;
    bool turned_round = false;  // the order of threads and blocks
  };

  EmulatedGpu() : EmulatedGpu(Settings()) {}
  explicit EmulatedGpu(const Settings& settings) : settings_(settings) {}

  std::string name() const override { return "an emulated GPU"; }
  std::size_t image_memory() const override { return settings_.image_memory; }
  std::size_t shared_memory() const override { return settings_.shared_memory; }

  Stream start_stream() override {
    const std::scoped_lock lock(mutex_);
    streams_.push_back(0);
    return &streams_.back();
  }
  void end_stream(Stream /*stream*/) noexcept override {}
  void wait(Stream /*stream*/) override {}

  void* allocate(std::size_t bytes, Stream /*stream*/) override {
    const std::scoped_lock lock(mutex_);
    if (used_ + bytes > settings_.memory)
      throw core::SystemError("no memory left");
    void* const memory = ::operator new (bytes, std::align_val_t{256});
    std::memset(memory, 0xCD, bytes);
    sizes_[memory] = bytes;
    used_ += bytes;
    return memory;
  }
  void release(void* memory, Stream /*stream*/) noexcept override {
    const std::scoped_lock lock(mutex_);
    used_ -= sizes_.at(memory);
    sizes_.erase(memory);
    ::operator delete (memory, std::align_val_t{256});
  }
  void upload(void* to, const void* from, std::size_t bytes, Stream /*stream*/) override {
    std::memcpy(to, from, bytes);
  }
  void download(void* to, const void* from, std::size_t bytes, Stream /*stream*/) override {
    std::memcpy(to, from, bytes);
  }
  void clear(void* memory, std::size_t bytes, Stream /*stream*/) override {
    std::memset(memory, 0, bytes);
  }

  void run(const similarity::RoundingJob& job, Stream /*stream*/) override {
    launch(similarity::round_codes, job);
  }
  void run(const similarity::MomentsJob& job, Stream /*stream*/) override {
    similarity::for_window(job.grid.window, [&](auto edge) {
      launch(similarity::keep_moments<decltype(edge)::value>, job);
    });
  }
  void run(const similarity::CorrelationJob& job, Stream /*stream*/) override {
    similarity::for_window(job.grid.window, [&](auto edge) {
      launch(similarity::correlate_windows<decltype(edge)::value>, job);
    });
  }
  void run(const similarity::CorrelationSumsJob& job, Stream /*stream*/) override {
    launch(similarity::add_up_correlations, job);
  }
  void run(const similarity::JointCountsJob& job, Stream /*stream*/) override {
    launch(job.copies > 0 ? similarity::count_in_shared_memory
                          : similarity::count_in_global_memory,
           job);
  }
  void run(const similarity::JointSumsJob& job, Stream /*stream*/) override {
    launch(similarity::sum_up_joints, job);
  }

  std::size_t used() const { return used_; }
  int launches() const { return launches_; }

 private:
  template <class Job>
  void launch(void (*kernel)(Job), const Job& job) {
    const std::scoped_lock lock(mutex_);
    const similarity::Launch shape = similarity::launch_of(job);
    if (shape.shared_bytes > settings_.shared_memory)
      throw std::logic_error("a kernel asks for more shared memory than this GPU has");
    ++launches_;
    launch_on_cpu({shape.grid_x, shape.grid_y, shape.grid_z},
                  shape.threads,
                  shape.shared_bytes,
                  settings_.turned_round,
                  [&] { kernel(job); });
  }

  Settings settings_;
  std::mutex mutex_;
  std::list<int> streams_;
  std::map<void*, std::size_t> sizes_;
  std::size_t used_ = 0;
  int launches_ = 0;
};

}  // namespace proxytune::test
