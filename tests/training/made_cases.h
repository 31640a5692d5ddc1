#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/datasets/case_source.h"

namespace proxytune::test {

/// Cases in memory.
class MadeCases : public datasets::CaseSource {
 public:
  int size() const override { return static_cast<int>(images.size()); }
  datasets::PreparedCase at(int index) const override {
    const auto i = static_cast<std::size_t>(index);
    const imaging::VolumeView image{images[i].channels, images[i].shape, images[i].voxels};
    const imaging::LabelView label{labels[i].shape, labels[i].voxels};
    return {"case" + std::to_string(index), keys[i], image, label};
  }
  void add(imaging::Volume image, imaging::LabelVolume label) {
    keys.push_back("key" + std::to_string(images.size()));
    images.push_back(std::move(image));
    labels.push_back(std::move(label));
  }

  std::vector<imaging::Volume> images;
  std::vector<imaging::LabelVolume> labels;
  std::vector<std::string> keys;
};

/// A bright ball somewhere in a noisy cube.
inline void add_ball(MadeCases& cases, int edge, std::uint64_t seed) {
  core::Random random(core::RandomKey(seed).with("ball"));
  const imaging::Shape shape{edge, edge, edge};
  const double radius = random.uniform(0.2, 0.3) * edge;
  const double centre[3] = {random.uniform(0.35, 0.65) * edge,
                            random.uniform(0.35, 0.65) * edge,
                            random.uniform(0.35, 0.65) * edge};
  imaging::Volume image{1, shape, {}, {}};
  imaging::LabelVolume label{shape, {}, {}};
  image.voxels.reserve(shape.voxels());
  label.voxels.reserve(shape.voxels());
  for (int z = 0; z < edge; ++z)
    for (int y = 0; y < edge; ++y)
      for (int x = 0; x < edge; ++x) {
        const bool inside = std::hypot(z - centre[0], y - centre[1], x - centre[2]) < radius;
        image.voxels.push_back(
            static_cast<float>((inside ? 1.0 : 0.0) + 0.3 * random.normal()));
        label.voxels.push_back(inside ? 1 : 0);
      }
  cases.add(std::move(image), std::move(label));
}

}  // namespace proxytune::test
