#include "proxytune/comm/observed.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/core/error.h"

namespace proxytune::comm {
namespace {

TEST(ObservedTest, NamesEachCollectiveAndTellsWhenItIsOver) {
  run_as_threads(2, [](Communicator& communicator) {
    std::vector<std::string> heard;
    const auto group = observed(communicator, [&](const char* operation) {
      heard.emplace_back(operation == nullptr ? "-" : operation);
    });
    std::vector<std::byte> bytes;
    group->barrier();
    group->broadcast(bytes, 0);
    group->all_gather(bytes);
    EXPECT_EQ(
        heard,
        (std::vector<std::string>{"a barrier", "-", "a broadcast", "-", "an all-gather", "-"}));
    heard.clear();
    const auto part = group->duplicate()->split(0);
    heard.clear();
    part->barrier();
    EXPECT_EQ(heard, (std::vector<std::string>{"a barrier", "-"}));
  });
}

TEST(ObservedTest, HearsOfALibrarysCollectivesOverTheGroup) {
  std::vector<std::string> heard;
  const auto inner = self_communicator();
  const auto group = observed(*inner, [&](const char* operation) {
    heard.emplace_back(operation == nullptr ? "-" : operation);
  });
  try {
    const LibraryCollective inside(*group, "a library");
    EXPECT_EQ(heard, std::vector<std::string>{"a library"});
    throw core::SystemError("the library's");
  } catch (const core::SystemError&) {
    EXPECT_EQ(heard, (std::vector<std::string>{"a library", "-"}));
  }
  const LibraryCollective nobody_listens(*inner, "a library");
}

TEST(ObservedTest, HearsTheEndOfACollectiveThatFails) {
  std::vector<std::string> heard;
  const auto inner = self_communicator();
  const auto group = observed(*inner, [&](const char* operation) {
    heard.emplace_back(operation == nullptr ? "-" : operation);
  });
  std::vector<std::byte> bytes;
  EXPECT_THROW(group->broadcast(bytes, 7), core::SystemError);
  EXPECT_EQ(heard, (std::vector<std::string>{"a broadcast", "-"}));
}

}  // namespace
}  // namespace proxytune::comm
