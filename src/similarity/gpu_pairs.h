#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gpu_memory.h"
#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

/// The cells of rows x columns, or of the upper triangle, as places in a table that holds the
/// rows and then the columns; neighbours in both directions stay near one another, so that
/// pairs at work together share images.
std::vector<GpuPair> pairs_of(std::size_t rows, std::size_t columns, Cells cells);

/// Writes each pair's value into its cell, and into the mirrored one of the upper triangle.
void put_values(std::span<const GpuPair> pairs,
                std::span<const double> of_pairs,
                std::size_t rows,
                std::size_t columns,
                Cells cells,
                std::span<double> values);

/// Cuts `count` pairs into pieces of which each has the scratch memory it asks for, and hands
/// them to two streams in turn, so that one's last blocks and the next's first work together:
/// use(first pair, pairs, which stream).
void in_pieces(
    std::size_t count,
    std::size_t bytes_a_pair,
    const std::function<void(std::size_t first, std::size_t pairs, int stream)>& use);

}  // namespace proxytune::similarity
