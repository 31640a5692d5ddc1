#pragma once

#include <string>
#include <string_view>

namespace proxytune::ops {

/// The instruction set that oneDNN, which LibTorch convolves with, has been told not to go
/// beyond, in lower case: ONEDNN_MAX_CPU_ISA, or else DNNL_MAX_CPU_ISA; empty without either.
/// Our own kernels keep to it.
std::string onednn_limit();

/// Whether such a limit leaves AVX-512 BF16, and AMX, in use. Like oneDNN, takes a word that it
/// does not know for none.
bool allows_bfloat16_products(std::string_view limit);
bool allows_bfloat16_matrices(std::string_view limit);

}  // namespace proxytune::ops
