#include "imaging/sampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace proxytune::imaging {
namespace {

double mix(double low, double high, double weight) {
  return low * (1 - weight) + high * weight;
}

/// out[i] = a mixture of low[i] and high[i]: the compiler makes vectors of it.
template <class Value>
void mix_lines(const double* __restrict low,
               const double* __restrict high,
               double weight,
               std::size_t count,
               Value* __restrict out) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<Value>(mix(low[i], high[i], weight));
}

/// The two input lines (or planes) around an output one, kept from one output to the next,
/// since neighbouring outputs lie between the same two.
class LinesAround {
 public:
  explicit LinesAround(std::size_t size)
      : lines_{std::vector<double>(size), std::vector<double>(size)} {}

  template <class Make>
  std::pair<const double*, const double*> at(const LinearTap& tap, const Make& make) {
    const std::size_t lower = place_of(tap.lower, tap.upper, make);
    const std::size_t upper = place_of(tap.upper, tap.lower, make);
    return {lines_[lower].data(), lines_[upper].data()};
  }

 private:
  /// Makes the line where it is not kept, and leaves the other one that is wanted alone.
  template <class Make>
  std::size_t place_of(int index, int other, const Make& make) {
    for (std::size_t place = 0; place < 2; ++place)
      if (kept_[place] == index)
        return place;
    const std::size_t place = kept_[0] == other ? 1 : 0;
    make(index, lines_[place].data());
    kept_[place] = index;
    return place;
  }

  std::array<std::vector<double>, 2> lines_;
  std::array<int, 2> kept_{-1, -1};
};

}  // namespace

LinearTap linear_tap(double coordinate, int extent) {
  const double inside = std::clamp(coordinate, 0.0, static_cast<double>(extent - 1));
  const int lower = static_cast<int>(std::floor(inside));
  return {lower, std::min(lower + 1, extent - 1), inside - lower};
}

void sample_linear(std::span<const float> voxels,
                   const Shape& from,
                   const std::array<LinearAxis, 3>& axes,
                   std::span<float> result) {
  const auto stride = strides(from);
  const LinearAxis& along_x = axes[0];
  const LinearAxis& along_y = axes[1];
  const LinearAxis& along_z = axes[2];
  const std::size_t width = along_x.size();
  const std::size_t plane = width * along_y.size();
  // Along x first, where inputs are fetched one by one: each input line once, and the rest are
  // whole lines and planes.
  LinesAround lines(width);
  const auto make_plane = [&](int z, double* out) {
    const auto make_line = [&](int y, double* line) {
      const float* const row = voxels.data() + z * stride[2] + y * stride[1];
      for (const LinearTap& x : along_x)
        *line++ = mix(row[x.lower], row[x.upper], x.weight);
    };
    lines = LinesAround(width);
    for (const LinearTap& y : along_y) {
      const auto [low, high] = lines.at(y, make_line);
      mix_lines(low, high, y.weight, width, out);
      out += width;
    }
  };
  LinesAround planes(plane);
  float* out = result.data();
  for (const LinearTap& z : along_z) {
    const auto [low, high] = planes.at(z, make_plane);
    mix_lines(low, high, z.weight, plane, out);
    out += plane;
  }
}

}  // namespace proxytune::imaging
