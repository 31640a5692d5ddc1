#include "proxytune/similarity/device.h"

#include "gpu.h"
#include "proxytune/core/error.h"

namespace proxytune::similarity {

#if defined(PROXYTUNE_CUDA)
static const char* const why_none =
    "no GPU of compute capability 8.0 or later is visible to it: look at nvidia-smi and at "
    "CUDA_VISIBLE_DEVICES on that node";
#else
static const char* const why_none =
    "this program was built without GPUs: build it with cmake --preset cuda";
int cuda_gpu_count() {
  return 0;
}
std::shared_ptr<Gpu> open_cuda_gpu(int /*index*/, int /*sharers*/, std::size_t /*memory*/) {
  return nullptr;
}
#endif

void require_device(const SimilarityOptions& options) {
  if (options.device == Device::cuda && cuda_gpu_count() == 0)
    throw core::ConfigurationError(std::string("similarity.device is cuda, but ") + why_none +
                                   ", or take auto, which compares on the processor");
}

std::shared_ptr<Gpu> choose_gpu(const SimilarityOptions& options, const NodePlace& place) {
  require_device(options);
  const int gpus = options.device == Device::cpu ? 0 : cuda_gpu_count();
  if (gpus == 0)
    return nullptr;
  const int index = place.rank % gpus;
  const int sharers = (place.ranks - index + gpus - 1) / gpus;
  return open_cuda_gpu(index, sharers, static_cast<std::size_t>(options.device_memory) << 20U);
}

std::string name_of(const std::shared_ptr<Gpu>& gpu) {
  return gpu ? gpu->name() : "the processor";
}

}  // namespace proxytune::similarity
