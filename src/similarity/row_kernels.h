#pragma once

#include <array>
#include <cstddef>

namespace proxytune::similarity {

/// Loops over one row of voxels, compiled for several instruction sets and chosen when the
/// program starts. Each element sees the same operations in the same order everywhere, so all
/// give the same bits.

/// sums[i] += a[i] * b[i], exactly rounded products of floats in double.
void add_products(std::size_t count, const float* a, const float* b, double* sums);

/// sums[i] += new_a[i] * new_b[i] - old_a[i] * old_b[i].
void slide_products(std::size_t count,
                    const float* new_a,
                    const float* new_b,
                    const float* old_a,
                    const float* old_b,
                    double* sums);

/// sums[i] += values[i]; and with a row that leaves.
void add_row(std::size_t count, const double* values, double* sums);
void slide_row(std::size_t count, const double* entering, const double* leaving, double* sums);

/// windows[i] = row[i] + ... + row[i + window - 1] for the count - window + 1 places, by
/// doubling: log2(window) additions each, no running sum that would chain them. `row` is used
/// up.
void window_sums(std::size_t count, std::size_t window, double* row, double* windows);

/// Eight partial sums, element i of a row going to i % 8: one order for any vector width.
using Lanes = std::array<double, 8>;
double total(const Lanes& lanes);

/// lanes += ((products[i] - voxels * mean_a[i] * mean_b[i]) * inverse_a[i] * inverse_b[i])^2.
void add_squared_correlations(std::size_t count,
                              double voxels,
                              const double* products,
                              const double* mean_a,
                              const double* mean_b,
                              const float* inverse_a,
                              const float* inverse_b,
                              Lanes& lanes);

}  // namespace proxytune::similarity
