#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "gpu_jobs.h"

namespace proxytune::similarity {

/// A GPU as the measures use it: its memory, its streams, and a call for each kernel. Work of
/// one stream runs in the order of the calls, beside that of others. May be called from several
/// threads. Failures, out of memory included, throw core::SystemError; those of a kernel may
/// come with a later call. Read by nvcc in C++17.
class Gpu {
 public:
  using Stream = void*;

  virtual ~Gpu() = default;
  /// "GPU 1 (NVIDIA H100 80GB HBM3)".
  virtual std::string name() const = 0;
  /// Bytes that prepared images may take.
  virtual std::size_t image_memory() const = 0;
  /// Bytes of shared memory that a thread block can have.
  virtual std::size_t shared_memory() const = 0;

  virtual Stream start_stream() = 0;
  virtual void end_stream(Stream stream) noexcept = 0;
  /// Until all work of the stream is done.
  virtual void wait(Stream stream) = 0;

  virtual void* allocate(std::size_t bytes, Stream stream) = 0;
  virtual void release(void* memory, Stream stream) noexcept = 0;
  /// The source may change as soon as this returns.
  virtual void upload(void* to, const void* from, std::size_t bytes, Stream stream) = 0;
  /// The bytes are there after wait().
  virtual void download(void* to, const void* from, std::size_t bytes, Stream stream) = 0;
  virtual void clear(void* memory, std::size_t bytes, Stream stream) = 0;

  virtual void run(const RoundingJob& job, Stream stream) = 0;
  virtual void run(const MomentsJob& job, Stream stream) = 0;
  virtual void run(const CorrelationJob& job, Stream stream) = 0;
  virtual void run(const CorrelationSumsJob& job, Stream stream) = 0;
  virtual void run(const JointCountsJob& job, Stream stream) = 0;
  virtual void run(const JointSumsJob& job, Stream stream) = 0;
};

/// How many GPUs this process sees that can run the kernels; only with PROXYTUNE_CUDA.
int cuda_gpu_count();

/// One of them, shared among so many processes. Of its memory, images may take `memory` bytes;
/// 0: this process's share of four fifths. Only with PROXYTUNE_CUDA.
std::shared_ptr<Gpu> open_cuda_gpu(int index, int sharers, std::size_t memory);

}  // namespace proxytune::similarity
