#pragma once

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/comm/device_collectives.h"
#include "proxytune/core/error.h"

namespace proxytune::comm {

/// What every implementation of DeviceCollectives must do.
struct CollectivesTransport {
  std::string name;
  std::function<void(const std::function<void(Communicator&, DeviceCollectives&)>&)> run;
};
inline void PrintTo(const CollectivesTransport& transport, std::ostream* out) {
  *out << transport.name;
}

class CollectivesContract : public testing::TestWithParam<CollectivesTransport> {
 protected:
  void run(const std::function<void(Communicator&, DeviceCollectives&)>& body) {
    GetParam().run(body);
  }
};

/// Numbers that tell who made them; their sums over a few ranks are exact.
inline std::vector<float> numbers(int rank, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(rank) * 31) % 1013) / 8;
  return values;
}

TEST_P(CollectivesContract, SumsAreOfAllRanksAndEqualOnAll) {
  run([](Communicator& group, DeviceCollectives& collectives) {
    EXPECT_EQ(collectives.rank(), group.rank());
    EXPECT_EQ(collectives.size(), group.size());
    for (const std::size_t count : {0U, 1U, 10U, 300001U}) {
      std::vector<float> expected(count, 0.0F);
      for (int rank = 0; rank < group.size(); ++rank) {
        const std::vector<float> of_rank = numbers(rank, count);
        for (std::size_t i = 0; i < count; ++i)
          expected[i] += of_rank[i];
      }
      std::vector<float> values = numbers(group.rank(), count);
      collectives.sum(std::span<float>(values));
      EXPECT_EQ(values, expected);
      const std::vector<float> mine = numbers(group.rank(), count);
      std::vector<double> doubles(mine.begin(), mine.end());
      collectives.sum(std::span<double>(doubles));
      EXPECT_EQ(doubles, std::vector<double>(expected.begin(), expected.end()));
    }
    // Sums that are not exact: the same bits everywhere, whatever the order of additions.
    std::vector<float> inexact = numbers(group.rank(), 1000);
    for (float& value : inexact)
      value = 1.0F / (1.0F + value);
    collectives.sum(std::span<float>(inexact));
    const auto all = group.all_gather(std::as_bytes(std::span<const float>(inexact)));
    for (const auto& bytes : all)
      EXPECT_EQ(bytes, all.front());
  });
}

TEST_P(CollectivesContract, ExchangeBringsEachBufferToWhomItIsFor) {
  run([](Communicator& group, DeviceCollectives& collectives) {
    const int me = group.rank();
    // Two buffers for each other rank, and none between some; lengths tell sender and receiver.
    const auto length = [](int from, int to, int which) -> std::size_t {
      const int sum = from * 5 + to * 3 + which;
      return sum % 4 == 0 ? 0 : static_cast<std::size_t>(sum) * 1001;
    };
    std::vector<std::vector<float>> out;
    std::vector<std::vector<float>> in;
    std::vector<DeviceCollectives::Outgoing> outgoing;
    std::vector<DeviceCollectives::Incoming> incoming;
    out.reserve(64);
    in.reserve(64);
    for (int other = 0; other < group.size(); ++other)
      for (int which = 0; other != me && which < 2; ++which) {
        out.push_back(numbers(me * 100 + other * 10 + which, length(me, other, which)));
        outgoing.push_back({other, out.back()});
        in.emplace_back(length(other, me, which));
        incoming.push_back({other, in.back()});
      }
    collectives.exchange(outgoing, incoming);
    std::size_t i = 0;
    for (int other = 0; other < group.size(); ++other)
      for (int which = 0; other != me && which < 2; ++which)
        EXPECT_EQ(in[i++], numbers(other * 100 + me * 10 + which, length(other, me, which)));
    collectives.exchange({}, {});
  });
}

TEST_P(CollectivesContract, GatherGivesEveryRankAllParts) {
  run([](Communicator& group, DeviceCollectives& collectives) {
    for (const std::size_t count : {0U, 1U, 10U, 200000U}) {
      // The last rank has what is left, which may be nothing.
      const auto size = static_cast<std::size_t>(group.size());
      std::vector<std::size_t> bounds;
      for (std::size_t r = 0; r < size; ++r)
        bounds.push_back(std::min(count, r * (count / size + 1)));
      bounds.push_back(count);
      const std::vector<float> expected = numbers(0, count);
      std::vector<float> values(count, -1.0F);
      const auto r = static_cast<std::size_t>(group.rank());
      for (std::size_t i = bounds[r]; i < bounds[r + 1]; ++i)
        values[i] = expected[i];
      collectives.gather(values, bounds);
      EXPECT_EQ(values, expected);
    }
  });
}

}  // namespace proxytune::comm
