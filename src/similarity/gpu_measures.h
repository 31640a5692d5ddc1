#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpu_memory.h"
#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// Rows and columns that a GPU compares at once: enough pairs to fill it.
constexpr int gpu_task_edge = 64;

/// MutualInformation's values, to the bit, by a GPU. Images are quantised by the processor.
class MutualInformationOnGpu : public Measure {
 public:
  MutualInformationOnGpu(int bins,
                         bool miller_madow,
                         bool normalised,
                         InstructionSet set,
                         std::shared_ptr<Gpu> gpu);
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  void compare_all(Images rows, Images columns, Cells cells, std::span<double> values) override;
  std::string identity() const override;
  int task_edge() const override { return gpu_task_edge; }
  std::size_t device_memory() const override { return gpu_->image_memory(); }

 private:
  std::vector<JointSums> joint_sums(const std::vector<const std::uint8_t*>& images,
                                    const std::vector<GpuPair>& pairs,
                                    std::size_t voxels);
  const double* logarithms_to(std::size_t voxels);

  int bins_;
  bool miller_madow_;
  bool normalised_;
  InstructionSet set_;
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<const GpuStream> streams_[2];
  GpuArray<double> logarithms_;  // n ln n
  GpuArray<std::uint32_t> joint_[2];
};

/// NormalizedCrossCorrelation's values, to the bit, by a GPU, which also rounds the images and
/// sums their windows up.
class NormalizedCrossCorrelationOnGpu : public Measure {
 public:
  NormalizedCrossCorrelationOnGpu(int window,
                                  FlatWindows flat_windows,
                                  Border border,
                                  InstructionSet set,
                                  std::shared_ptr<Gpu> gpu);
  std::unique_ptr<PreparedImage> prepare(const imaging::VolumeView& image) const override;
  void compare_all(Images rows, Images columns, Cells cells, std::span<double> values) override;
  std::string identity() const override;
  int task_edge() const override { return gpu_task_edge; }
  std::size_t device_memory() const override { return gpu_->image_memory(); }

 private:
  struct Sums {
    std::vector<double> correlations;  // by pair
    std::vector<std::uint32_t> flat;
  };
  Sums sums_of(const WindowGrid& grid,
               const std::vector<CentredOnGpu>& images,
               const std::vector<GpuPair>& pairs);

  int window_;
  FlatWindows flat_windows_;
  Border border_;
  InstructionSet set_;
  std::shared_ptr<Gpu> gpu_;
  std::shared_ptr<const GpuStream> streams_[2];
  GpuArray<float> partials_[2];
};

}  // namespace proxytune::similarity
