#include "proxytune/ops/bfloat16_products.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "proxytune/ops/onednn_limit.h"

namespace proxytune::ops {
namespace {

TEST(OneDnnLimitTest, KnowsWhichInstructionSetsMultiplyBfloat16) {
  for (const char* limit : {"sse41", "avx2", "avx2_vnni_2", "avx512_core", "avx512_core_vnni"})
    EXPECT_FALSE(allows_bfloat16_products(limit)) << limit;
  for (const char* limit :
       {"", "all", "default", "avx512_core_bf16", "avx512_core_amx", "avx9"})
    EXPECT_TRUE(allows_bfloat16_products(limit)) << limit;
  for (const char* limit : {"avx2", "avx512_core", "avx512_core_bf16", "avx512_core_fp16"})
    EXPECT_FALSE(allows_bfloat16_matrices(limit)) << limit;
  for (const char* limit : {"", "all", "avx512_core_amx", "avx512_core_amx_fp16", "avx9"})
    EXPECT_TRUE(allows_bfloat16_matrices(limit)) << limit;
}

TEST(OneDnnLimitTest, IsReadAsOneDnnReadsIt) {
  const std::string before = onednn_limit();
  ASSERT_EQ(setenv("DNNL_MAX_CPU_ISA", "AVX2", 1), 0);
  ASSERT_EQ(setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", 1), 0);
  EXPECT_EQ(onednn_limit(), "avx512_core_bf16");
  ASSERT_EQ(setenv("ONEDNN_MAX_CPU_ISA", "", 1), 0);
  EXPECT_EQ(onednn_limit(), "avx2");
  ASSERT_EQ(unsetenv("DNNL_MAX_CPU_ISA"), 0);
  EXPECT_EQ(onednn_limit(), "");
  if (!before.empty())
    setenv("ONEDNN_MAX_CPU_ISA", before.c_str(), 1);
}

// Has teeth where CTest sets a limit (ops_with_onednn_*), on a processor with more than that.
TEST(Bfloat16ProductsTest, StayWithinTheLimitOfOneDnn) {
  const std::string limit = onednn_limit();
  EXPECT_LE(has_bfloat16_products(), allows_bfloat16_products(limit));
  EXPECT_LE(has_bfloat16_matrices(), allows_bfloat16_matrices(limit));
}

}  // namespace
}  // namespace proxytune::ops
