#include "proxytune/ops/onednn_limit.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace proxytune::ops {
namespace {

// The names of dnnl_cpu_isa_t in oneDNN 3.
constexpr std::array<std::string_view, 7> without_products{
    "sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2", "avx512_core", "avx512_core_vnni"};
constexpr std::array<std::string_view, 4> without_matrices{
    "avx512_core_bf16", "avx512_core_fp16", "avx10_1_512", "avx10_2_512"};

}  // namespace

std::string onednn_limit() {
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0')
      continue;
    std::string limit = value;
    for (char& letter : limit)
      if (letter >= 'A' && letter <= 'Z')
        letter = static_cast<char>(letter - 'A' + 'a');
    return limit;
  }
  return {};
}

bool allows_bfloat16_products(std::string_view limit) {
  return std::ranges::find(without_products, limit) == without_products.end();
}

bool allows_bfloat16_matrices(std::string_view limit) {
  return allows_bfloat16_products(limit) &&
         std::ranges::find(without_matrices, limit) == without_matrices.end();
}

}  // namespace proxytune::ops
