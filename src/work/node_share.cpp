#include "proxytune/work/node_share.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "proxytune/comm/agree.h"
#include "proxytune/core/machine.h"

namespace proxytune::work {
namespace {

template <class Number>
std::vector<std::vector<Number>> gather(comm::Communicator& communicator,
                                        const std::vector<Number>& mine) {
  std::vector<std::vector<Number>> all;
  for (const std::vector<std::byte>& bytes :
       communicator.all_gather(std::as_bytes(std::span(mine)))) {
    std::vector<Number>& numbers = all.emplace_back(bytes.size() / sizeof(Number));
    if (!bytes.empty())
      std::memcpy(numbers.data(), bytes.data(), bytes.size());
  }
  return all;
}

}  // namespace

double share_of_processors(const std::vector<std::vector<int>>& usable, std::size_t rank) {
  double share = 0;
  for (const int processor : usable[rank])
    share += 1.0 / static_cast<double>(std::ranges::count_if(usable, [&](const auto& others) {
               return std::ranges::find(others, processor) != others.end();
             }));
  return share;
}

NodeShare least_share(comm::Communicator& world) {
  const std::unique_ptr<comm::Communicator> node = world.split_by_node();
  std::vector<int> mine;
  NodeShare own;
  comm::together(world, [&] {
    mine = core::usable_processors();
    own = {core::processor_quota() / node->size(), core::available_memory() / node->size()};
  });
  const auto usable = gather(*node, mine);
  own.processors = std::min(
      own.processors, share_of_processors(usable, static_cast<std::size_t>(node->rank())));
  NodeShare least = own;
  for (const std::vector<double>& share :
       gather(world, std::vector<double>{own.processors, own.memory}))
    least = {std::min(least.processors, share[0]), std::min(least.memory, share[1])};
  return least;
}

}  // namespace proxytune::work
