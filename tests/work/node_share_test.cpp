#include "proxytune/work/node_share.h"

#include <gtest/gtest.h>

#include "proxytune/core/machine.h"

namespace proxytune::work {
namespace {

TEST(NodeShareTest, ProcessorsThatAllMayUseAreDividedEqually) {
  EXPECT_EQ(share_of_processors({{0, 1}}, 0), 2);
  EXPECT_EQ(share_of_processors({{0, 1}, {0, 1}}, 1), 1);
  EXPECT_DOUBLE_EQ(share_of_processors({{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}}, 2), 4.0 / 3);
}

TEST(NodeShareTest, ARankHasTheProcessorsThatItIsBoundTo) {
  EXPECT_EQ(share_of_processors({{0, 1}, {2, 3, 4, 5}}, 0), 2);
  EXPECT_EQ(share_of_processors({{0, 1}, {2, 3, 4, 5}}, 1), 4);
  EXPECT_EQ(share_of_processors({{0, 1}, {1, 2}}, 0), 1.5);
}

TEST(NodeShareTest, IsTheSameOnAllRanksAndNoMoreThanThereIs) {
  const double all = static_cast<double>(core::usable_processors().size());
  for (const int ranks : {1, 2, 3}) {
    std::vector<NodeShare> shares(static_cast<std::size_t>(ranks));
    comm::run_as_threads(ranks, [&](comm::Communicator& world) {
      shares[static_cast<std::size_t>(world.rank())] = least_share(world);
    });
    for (const NodeShare& share : shares) {
      EXPECT_EQ(share.processors, shares[0].processors);
      EXPECT_EQ(share.memory, shares[0].memory);
      EXPECT_GT(share.processors, 0);
      EXPECT_LE(share.processors, all / ranks + 1e-9);
      EXPECT_GT(share.memory, 0);
    }
  }
}

}  // namespace
}  // namespace proxytune::work
