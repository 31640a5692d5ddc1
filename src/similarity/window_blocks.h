#pragma once

/// Where sums of windows' correlations begin anew: on the processor and on a GPU alike, or bits
/// would differ. Read by nvcc in C++17.
namespace proxytune::similarity {

/// Columns of a block: what one step of a loop over x takes.
constexpr int block_width = 16;
/// Rows of a band: the part of a volume that is worked on before the next.
constexpr int band_rows = 48;

}  // namespace proxytune::similarity
