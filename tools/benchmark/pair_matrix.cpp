// benchmark_pair_matrix METRIC pattern|noise EDGE IMAGES ROUNDS: seconds of a pair (within a
// tile of IMAGES x IMAGES, and alone), of preparing one image, and bytes that a pair reads; the
// fastest of ROUNDS each. benchmark_pair_matrix gpu METRIC ...: the same on a GPU;
// benchmark_pair_matrix gpu: which, or "none". benchmark_pair_matrix copy MEBIBYTES ROUNDS:
// bytes a second, read and written, of a copy.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "proxytune/core/random.h"
#include "proxytune/similarity/device.h"
#include "proxytune/similarity/measure.h"
#include "proxytune/training/trainer.h"

namespace {

using namespace proxytune;

template <class Work>
double fastest(int rounds, const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::min(best, taken.count());
  }
  return best;
}

/// A smooth pattern with noise and a background of zeros, as a cropped organ is.
imaging::Volume pattern(int edge, int seed) {
  imaging::Volume volume;
  volume.shape = {edge, edge, edge};
  core::Random random(core::RandomKey(static_cast<std::uint64_t>(seed)));
  const double phase = 6.0 * random.uniform();
  for (int z = 0; z < edge; ++z)
    for (int y = 0; y < edge; ++y)
      for (int x = 0; x < edge; ++x) {
        const double r = std::hypot(z - edge / 2.0, y - edge / 2.0, x - edge / 2.0) / edge;
        const double value = 0.5 + 0.3 * std::sin(0.1 * x + phase) * std::cos(0.13 * y) +
                             0.1 * std::sin(0.07 * z + phase) + 0.05 * random.uniform();
        volume.voxels.push_back(r < 0.5 ? static_cast<float>(value) : 0.0F);
      }
  return volume;
}

imaging::Volume noise(int edge, int seed) {
  imaging::Volume volume;
  volume.shape = {edge, edge, edge};
  core::Random random(core::RandomKey(static_cast<std::uint64_t>(seed)));
  volume.voxels.resize(volume.shape.voxels());
  for (float& value : volume.voxels)
    value = static_cast<float>(random.uniform());
  return volume;
}

int time_pairs(const std::string& name,
               const std::string& kind,
               int edge,
               int images,
               int rounds,
               const std::shared_ptr<similarity::Gpu>& gpu) {
  similarity::SimilarityOptions options;
  options.cube = edge;
  std::unique_ptr<similarity::Measure> measure;
  for (const auto& [metric, text] : similarity::names_of_metric)
    if (text == name)
      measure =
          similarity::make_measure(metric, options, similarity::chosen_instruction_set(), gpu);
  if (!measure)
    return 64;
  std::vector<imaging::Volume> volumes;
  std::vector<std::unique_ptr<similarity::PreparedImage>> prepared;
  std::vector<const similarity::PreparedImage*> rows;
  std::vector<const similarity::PreparedImage*> columns;
  for (int i = 0; i < 2 * images; ++i) {
    volumes.push_back(kind == "noise" ? noise(edge, i) : pattern(edge, i));
    prepared.push_back(measure->prepare(imaging::view(volumes.back())));
    (i < images ? rows : columns).push_back(prepared.back().get());
  }
  std::vector<double> values(rows.size() * columns.size());
  const double tile = fastest(
      rounds, [&] { measure->compare_all(rows, columns, similarity::Cells::all, values); });
  double sum = 0;
  const double alone =
      fastest(rounds, [&] { sum += measure->compare(*rows.front(), *columns.front()); });
  // A GPU goes on after prepare(): comparing waits for it.
  const double prepared_and_compared = fastest(rounds, [&] {
    const auto image = measure->prepare(imaging::view(volumes.front()));
    sum += measure->compare(*image, *image);
  });
  const double preparing = prepared_and_compared - alone;
  std::cout << "pair=" << tile / static_cast<double>(values.size()) << " alone=" << alone
            << " prepare=" << preparing << " bytes=" << 2 * rows.front()->bytes()
            << " set=" << core::to_string(similarity::chosen_instruction_set())
            << " value=" << values.front() << '\n';
  return std::isfinite(sum) ? 0 : 1;
}

int time_copy(std::size_t mebibytes, int rounds) {
  std::vector<char> from(mebibytes << 20U, 1);
  std::vector<char> to(from.size());
  const double seconds =
      fastest(rounds, [&] { std::memcpy(to.data(), from.data(), from.size()); });
  std::cout << "bytes_a_second=" << 2.0 * static_cast<double>(from.size()) / seconds << '\n';
  return to.back() == 1 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  training::set_up_numerics(1, 0);  // as the program: memory is kept
  const auto number = [&](int i) { return std::atoi(words[i]); };
  if (count == 4 && std::string(words[1]) == "copy")
    return time_copy(static_cast<std::size_t>(number(2)), number(3));
  const bool on_gpu = count >= 2 && std::string(words[1]) == "gpu";
  const auto gpu = on_gpu ? similarity::choose_gpu({}, {}) : nullptr;
  if (on_gpu && count == 2) {
    std::cout << (gpu ? similarity::name_of(gpu) : "none") << '\n';
    return 0;
  }
  const int first = on_gpu ? 2 : 1;
  if (count == first + 5 && (gpu || !on_gpu))
    return time_pairs(words[first],
                      words[first + 1],
                      number(first + 2),
                      number(first + 3),
                      number(first + 4),
                      gpu);
  std::cerr << "usage: benchmark_pair_matrix [gpu] METRIC pattern|noise EDGE IMAGES ROUNDS | "
               "gpu | copy MEBIBYTES ROUNDS\n";
  return 64;
}
