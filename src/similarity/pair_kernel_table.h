#pragma once

// All loops as this source's compiler options make them.

#include "value_loops.h"
#include "window_kernels.h"

namespace proxytune::similarity {
namespace {

constexpr PairKernels kernels_of_this_source{.add_products = add_products,
                                             .enter_codes = enter_codes,
                                             .keep_moments = keep_moments,
                                             .add_correlations = add_correlations,
                                             .count_jointly = count_jointly,
                                             .range_of = range_of,
                                             .round_codes = round_codes,
                                             .bin_codes = bin_codes,
                                             .dot_product = dot_product,
                                             .squared_differences = squared_differences};

}  // namespace
}  // namespace proxytune::similarity
