// The contract over MPI: every rank runs the same tests in the same order.
#include "proxytune/comm/mpi_native.h"
#include "proxytune/comm/observed.h"

#include "tests/comm/collectives_contract.h"
#include "tests/comm/communicator_contract.h"

namespace proxytune::comm {
namespace {

Transport world() {
  return {"world", [](const auto& body) { body(*world_communicator()); }};
}
Transport self() {
  return {"self", [](const auto& body) { body(*self_communicator()); }};
}

INSTANTIATE_TEST_SUITE_P(Mpi,
                         CommunicatorContract,
                         testing::Values(world(), self()),
                         testing::PrintToStringParamName());

CollectivesTransport over_mpi() {
  return {"world", [](const auto& body) {
            const auto group = world_communicator();
            body(*group, *host_collectives(*group));
          }};
}

INSTANTIATE_TEST_SUITE_P(Mpi,
                         CollectivesContract,
                         testing::Values(over_mpi()),
                         testing::PrintToStringParamName());

TEST(MpiCollectivesTest, TellAnObserverOfTheirGroup) {
  std::vector<std::string> seen;
  const auto world_group = world_communicator();
  const auto group = observed(*world_group, [&](const char* operation) {
    if (operation != nullptr)
      seen.emplace_back(operation);
  });
  std::vector<float> values(1);
  host_collectives(*group)->sum(std::span<float>(values));
  EXPECT_EQ(seen, std::vector<std::string>{"a sum over ranks"});
}

TEST(MpiNativeTest, HandsOutTheRawCommunicator) {
  const auto world_group = world_communicator();
  int size = 0;
  MPI_Comm_size(native(*world_group), &size);
  EXPECT_EQ(size, world_group->size());
  EXPECT_EQ(native(*self_communicator()), MPI_COMM_SELF);
  EXPECT_EQ(native(*observed(*world_group, [](const char*) {})), native(*world_group));
  run_as_threads(1,
                 [](Communicator& thread) { EXPECT_THROW(native(thread), core::SystemError); });
}

TEST(MpiErrorsTest, BecomeSystemErrors) {
  const auto group = world_communicator()->duplicate();
  EXPECT_THROW(group->send({}, 0, static_cast<Tag>(-7)), core::SystemError);
}

TEST(MpiMessagesTest, AreSentBeforeTheirCommunicatorEnds) {
  const auto group = world_communicator();
  const auto duplicate = group->duplicate();
  if (group->rank() > 0) {
    // Long enough that MPI needs the sender's help to move it.
    const auto sender = group->duplicate();
    sender->send(pattern(group->rank(), 5000000), 0, Tag::user);
  } else {
    const auto receiver = group->duplicate();
    for (int i = 1; i < group->size(); ++i) {
      const Message message = receive(*receiver, Tag::user);
      EXPECT_EQ(message.bytes, pattern(message.from, 5000000));
    }
  }
  duplicate->barrier();
}

}  // namespace
}  // namespace proxytune::comm

int main(int argument_count, char** arguments) {
  testing::InitGoogleTest(&argument_count, arguments);
  const proxytune::comm::MpiEnvironment environment(argument_count, arguments);
  return RUN_ALL_TESTS();
}
