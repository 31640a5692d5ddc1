#include "row_kernels.h"

// The dynamic loader picks the clone; sanitizers run before it can, so they get the plain code.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && \
    !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PROXYTUNE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define PROXYTUNE_CLONES
#endif

namespace proxytune::similarity {

PROXYTUNE_CLONES
void add_products(std::size_t count, const float* a, const float* b, double* sums) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
}

PROXYTUNE_CLONES
void slide_products(std::size_t count,
                    const float* new_a,
                    const float* new_b,
                    const float* old_a,
                    const float* old_b,
                    double* sums) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += static_cast<double>(new_a[i]) * static_cast<double>(new_b[i]) -
               static_cast<double>(old_a[i]) * static_cast<double>(old_b[i]);
}

PROXYTUNE_CLONES
void add_row(std::size_t count, const double* values, double* sums) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += values[i];
}

PROXYTUNE_CLONES
void slide_row(std::size_t count, const double* entering, const double* leaving, double* sums) {
  for (std::size_t i = 0; i < count; ++i)
    sums[i] += entering[i] - leaving[i];
}

PROXYTUNE_CLONES
void window_sums(std::size_t count, std::size_t window, double* row, double* windows) {
  const std::size_t places = count - window + 1;
  for (std::size_t i = 0; i < places; ++i)
    windows[i] = 0;
  std::size_t covered = 0;
  std::size_t width = 1;  // row[i] holds the sum of this many
  for (std::size_t left = window; left > 0; left >>= 1U) {
    if ((left & 1U) != 0) {
      for (std::size_t i = 0; i < places; ++i)
        windows[i] += row[i + covered];
      covered += width;
    }
    if (left > 1)
      for (std::size_t i = 0; i + 2 * width <= count; ++i)
        row[i] += row[i + width];
    width *= 2;
  }
}

double total(const Lanes& lanes) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

PROXYTUNE_CLONES
void add_squared_correlations(std::size_t count,
                              double voxels,
                              const double* products,
                              const double* mean_a,
                              const double* mean_b,
                              const float* inverse_a,
                              const float* inverse_b,
                              Lanes& lanes) {
  const auto squared = [&](std::size_t i) {
    const double cross = products[i] - voxels * (mean_a[i] * mean_b[i]);
    const double correlation =
        cross * (static_cast<double>(inverse_a[i]) * static_cast<double>(inverse_b[i]));
    return correlation * correlation;
  };
  constexpr std::size_t width = std::tuple_size_v<Lanes>;
  Lanes sums = lanes;
  std::size_t i = 0;
  for (; i + width <= count; i += width)
    for (std::size_t lane = 0; lane < width; ++lane)
      sums[lane] += squared(i + lane);
  for (std::size_t lane = 0; i < count; ++i, ++lane)
    sums[lane] += squared(i);
  lanes = sums;
}

}  // namespace proxytune::similarity
