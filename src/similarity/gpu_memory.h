#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "gpu.h"

namespace proxytune::similarity {

/// A stream of a GPU, which both live as long as what was made on it.
class GpuStream {
 public:
  explicit GpuStream(std::shared_ptr<Gpu> gpu)
      : gpu_(std::move(gpu)), native_(gpu_->start_stream()) {}
  ~GpuStream() { gpu_->end_stream(native_); }
  GpuStream(const GpuStream&) = delete;
  GpuStream& operator=(const GpuStream&) = delete;

  Gpu& gpu() const { return *gpu_; }
  Gpu::Stream native() const { return native_; }
  void wait() const { gpu_->wait(native_); }
  template <class Job>
  void run(const Job& job) const {
    gpu_->run(job, native_);
  }

 private:
  std::shared_ptr<Gpu> gpu_;
  Gpu::Stream native_;
};

/// An array in a GPU's memory, made and released on one stream; its values are whatever was
/// there. Who uses it on another stream waits for this one first.
template <class Value>
class GpuArray {
 public:
  GpuArray() = default;
  GpuArray(std::shared_ptr<const GpuStream> stream, std::size_t size)
      : stream_(std::move(stream)),
        size_(size),
        values_(static_cast<Value*>(stream_->gpu().allocate(bytes(), stream_->native()))) {}
  GpuArray(std::shared_ptr<const GpuStream> stream, std::span<const Value> values)
      : GpuArray(std::move(stream), values.size()) {
    stream_->gpu().upload(values_, values.data(), bytes(), stream_->native());
  }
  GpuArray(GpuArray&& other) noexcept { swap(other); }
  GpuArray& operator=(GpuArray&& other) noexcept {
    GpuArray(std::move(other)).swap(*this);
    return *this;
  }
  ~GpuArray() {
    if (values_ != nullptr)
      stream_->gpu().release(values_, stream_->native());
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(Value); }
  Value* data() const { return values_; }
  void clear() const { stream_->gpu().clear(values_, bytes(), stream_->native()); }
  /// Complete after the stream's wait().
  void download(std::span<Value> to) const {
    stream_->gpu().download(to.data(), values_, to.size_bytes(), stream_->native());
  }

 private:
  void swap(GpuArray& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(size_, other.size_);
    std::swap(values_, other.values_);
  }

  std::shared_ptr<const GpuStream> stream_;
  std::size_t size_ = 0;
  Value* values_ = nullptr;
};

}  // namespace proxytune::similarity
