#include <algorithm>
#include <atomic>
#include <string>

#include <cuda_runtime.h>

#include "gpu.h"
#include "gpu_histograms.cuh"
#include "gpu_images.cuh"
#include "gpu_launch.h"
#include "gpu_windows.cuh"
#include "proxytune/core/error.h"

// The one door to the CUDA runtime: a function for each call.
namespace proxytune::similarity {
namespace {

void check(cudaError_t status, const std::string& what) {
  if (status == cudaSuccess)
    return;
  cudaGetLastError();  // or it would be reported again
  throw core::SystemError("the GPU failed to " + what + ": " + cudaGetErrorString(status) +
                          ". What is finished is kept; similarity.device: cpu goes on "
                          "without the GPU");
}

class CudaGpu final : public Gpu {
 public:
  CudaGpu(int index, int sharers, std::size_t memory) : index_(index) {
    use();
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, index), "say what it is");
    name_ = "GPU " + std::to_string(index) + " (" + properties.name + ")";
    shared_memory_ = properties.sharedMemPerBlockOptin;
    image_memory_ = memory > 0 ? memory : share_of_memory(sharers);
    keep_released_memory();
    allow_all_shared_memory();
  }

  std::string name() const override { return name_; }
  std::size_t image_memory() const override { return image_memory_; }
  std::size_t shared_memory() const override { return shared_memory_; }

  Stream start_stream() override {
    use();
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "start a stream");
    return stream;
  }
  void end_stream(Stream stream) noexcept override { cudaStreamDestroy(native(stream)); }
  void wait(Stream stream) override {
    use();
    check(cudaStreamSynchronize(native(stream)), "compare images");
  }

  void* allocate(std::size_t bytes, Stream stream) override {
    use();
    void* memory = nullptr;
    const cudaError_t status =
        cudaMallocAsync(&memory, std::max<std::size_t>(bytes, 1), native(stream));
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw core::SystemError(name_ + " has no memory left for " +
                              std::to_string((bytes >> 20U) + 1) +
                              " MiB: lower similarity.device_memory, or let fewer ranks and "
                              "programs use this GPU");
    }
    check(status, "give memory");
    return memory;
  }
  void release(void* memory, Stream stream) noexcept override {
    cudaFreeAsync(memory, native(stream));
  }
  void upload(void* to, const void* from, std::size_t bytes, Stream stream) override {
    use();
    // From pageable memory: returns when all of it is in the driver's own.
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, native(stream)),
          "take an image");
  }
  void download(void* to, const void* from, std::size_t bytes, Stream stream) override {
    use();
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, native(stream)),
          "give results");
  }
  void clear(void* memory, std::size_t bytes, Stream stream) override {
    use();
    check(cudaMemsetAsync(memory, 0, bytes, native(stream)), "clear memory");
  }

  void run(const RoundingJob& job, Stream stream) override {
    launch(round_codes, job, stream, "round an image");
  }
  void run(const MomentsJob& job, Stream stream) override {
    for_window(job.grid.window, [&](auto edge) {
      launch(keep_moments<decltype(edge)::value>, job, stream, "sum up an image's windows");
    });
  }
  void run(const CorrelationJob& job, Stream stream) override {
    for_window(job.grid.window, [&](auto edge) {
      launch(correlate_windows<decltype(edge)::value>, job, stream, "correlate windows");
    });
  }
  void run(const CorrelationSumsJob& job, Stream stream) override {
    launch(add_up_correlations, job, stream, "add up correlations");
  }
  void run(const JointCountsJob& job, Stream stream) override {
    launch(job.copies > 0 ? count_in_shared_memory : count_in_global_memory,
           job,
           stream,
           "count joint histograms");
  }
  void run(const JointSumsJob& job, Stream stream) override {
    launch(sum_up_joints, job, stream, "sum up joint histograms");
  }

 private:
  static cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }

  /// Every thread has a device of its own.
  void use() const { check(cudaSetDevice(index_), "be used"); }

  /// What others fill already is not there to take.
  static std::size_t share_of_memory(int sharers) {
    std::size_t free = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&free, &total), "say how much memory it has");
    return std::min(total / 5 * 4 / static_cast<std::size_t>(sharers), free / 10 * 9);
  }
  /// Or each wait() would hand it back to the system.
  void keep_released_memory() const {
    cudaMemPool_t pool = nullptr;
    check(cudaDeviceGetDefaultMemPool(&pool, index_), "name its memory pool");
    std::uint64_t all = ~std::uint64_t{0};
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all),
          "keep its memory");
  }
  /// Without asking, a thread block has 48 KiB.
  void allow_all_shared_memory() const {
    check(cudaFuncSetAttribute(count_in_shared_memory,
                               cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_memory_)),
          "give shared memory");
    for (int window = 3; window <= 21; window += 2)
      for_window(window, [&](auto edge) {
        check(cudaFuncSetAttribute(keep_moments<decltype(edge)::value>,
                                   cudaFuncAttributeMaxDynamicSharedMemorySize,
                                   static_cast<int>(shared_memory_)),
              "give shared memory");
      });
  }

  template <class Job>
  void launch(void (*kernel)(Job), const Job& job, Stream stream, const char* what) const {
    use();
    const Launch shape = launch_of(job);
    kernel<<<dim3(shape.grid_x, shape.grid_y, shape.grid_z),
             shape.threads,
             shape.shared_bytes,
             native(stream)>>>(job);
    check(cudaGetLastError(), what);
  }

  int index_;
  std::string name_;
  std::size_t image_memory_ = 0;
  std::size_t shared_memory_ = 0;
};

/// Whether the program holds code for this device, and can get at it.
bool runs_kernels(int index) {
  cudaFuncAttributes attributes;
  const bool runs = cudaSetDevice(index) == cudaSuccess &&
                    cudaFuncGetAttributes(&attributes, count_in_shared_memory) == cudaSuccess;
  cudaGetLastError();
  return runs;
}

}  // namespace

int cuda_gpu_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  for (int index = 0; index < count; ++index)
    if (!runs_kernels(index))
      return index;
  return count;
}

std::shared_ptr<Gpu> open_cuda_gpu(int index, int sharers, std::size_t memory) {
  return std::make_shared<CudaGpu>(index, sharers, memory);
}

}  // namespace proxytune::similarity
