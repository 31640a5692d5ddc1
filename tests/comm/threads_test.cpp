#include <atomic>

#include <sys/mman.h>

#include "proxytune/comm/mpi_native.h"
#include "proxytune/comm/observed.h"

#include "tests/comm/collectives_contract.h"
#include "tests/comm/communicator_contract.h"

namespace proxytune::comm {
namespace {

Transport threads(int ranks) {
  return {"threads_" + std::to_string(ranks), [ranks](const auto& body) {
            std::atomic<int> ran = 0;
            run_as_threads(ranks, [&](Communicator& communicator) {
              EXPECT_EQ(communicator.size(), ranks);
              body(communicator);
              ++ran;
            });
            EXPECT_EQ(ran, ranks);
          }};
}

Transport observed_threads() {
  return {"observed_threads", [](const auto& body) {
            run_as_threads(3, [&](Communicator& communicator) {
              body(*observed(communicator, [](const char*) {}));
            });
          }};
}

Transport self() {
  return {"self", [](const auto& body) { body(*self_communicator()); }};
}

INSTANTIATE_TEST_SUITE_P(
    OneProcess,
    CommunicatorContract,
    testing::Values(
        self(), threads(1), threads(2), threads(3), threads(5), threads(8), observed_threads()),
    testing::PrintToStringParamName());

CollectivesTransport collectives(const Transport& of) {
  return {of.name, [of](const auto& body) {
            of.run([&](Communicator& group) { body(group, *host_collectives(group)); });
          }};
}

INSTANTIATE_TEST_SUITE_P(OneProcess,
                         CollectivesContract,
                         testing::Values(collectives(self()),
                                         collectives(threads(1)),
                                         collectives(threads(2)),
                                         collectives(threads(3)),
                                         collectives(threads(4)),
                                         collectives(threads(7)),
                                         collectives(observed_threads())),
                         testing::PrintToStringParamName());

TEST(StagedCollectivesTest, RefusesAnotherLengthThanWasAwaited) {
  run_as_threads(2, [](Communicator& group) {
    const auto collectives = host_collectives(group);
    std::vector<float> out(3);
    std::vector<float> in(group.is_root() ? 3 : 2);
    const int other = 1 - group.rank();
    const auto exchange = [&] { collectives->exchange({{other, out}}, {{other, in}}); };
    if (group.is_root())
      EXPECT_NO_THROW(exchange());
    else
      EXPECT_THROW(exchange(), core::SystemError);
  });
}

TEST(RunAsThreadsTest, WakesRanksThatWaitForOneThatThrew) {
  for (int failing = 0; failing < 3; ++failing) {
    try {
      run_as_threads(3, [&](Communicator& communicator) {
        const auto part = communicator.split(communicator.rank() == failing ? 0 : 1);
        if (communicator.rank() == failing)
          throw core::DataError("the cause");
        part->barrier();
        communicator.barrier();
      });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const core::DataError& error) {
      EXPECT_STREQ(error.what(), "the cause");
    }
  }
}

TEST(RunAsThreadsTest, EndsReceiversThatPollForOneThatThrew) {
  EXPECT_THROW(run_as_threads(2,
                              [](Communicator& communicator) {
                                if (communicator.is_root())
                                  throw core::DataError("the cause");
                                receive(communicator, Tag::user);
                              }),
               core::DataError);
}

TEST(RunAsThreadsTest, ThrowsTheFirstErrorByRank) {
  try {
    run_as_threads(5, [](Communicator& communicator) {
      communicator.barrier();
      throw std::runtime_error(std::to_string(communicator.rank()));
    });
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "0");
  }
}

TEST(SendTest, RefusesWhatMpiCannotCount) {
  const std::size_t length = std::size_t{1} << 31;
  void* memory =
      mmap(nullptr, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const std::span bytes(static_cast<const std::byte*>(memory), length);
  EXPECT_THROW(self_communicator()->send(bytes, 0, Tag::user), core::SystemError);
  munmap(memory, length);
}

TEST(WithoutMpiTest, WhatNeedsMpiSaysSo) {
  EXPECT_THROW(world_communicator(), core::SystemError);
  EXPECT_THROW(native(*self_communicator()), core::SystemError);
}

}  // namespace
}  // namespace proxytune::comm
