#pragma once

namespace proxytune::ops {

/// Whether this processor multiplies bfloat16 numbers itself (AVX-512 BF16) and neither
/// LibTorch nor its oneDNN has been told to use an older instruction set (ATEN_CPU_CAPABILITY,
/// onednn_limit()). Elsewhere bfloat16 is slower than float32.
bool has_bfloat16_products();

/// Whether it multiplies whole matrices of them (AMX), which LibTorch's library uses. On such
/// processors our own convolutions compute in float32 even from bfloat16, since their vector
/// products of bfloat16 take twice as long.
bool has_bfloat16_matrices();

}  // namespace proxytune::ops
