#pragma once

#include <chrono>
#include <functional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "proxytune/comm/agree.h"
#include "proxytune/comm/bytes.h"
#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"

namespace proxytune::comm {

/// What every transport must do. A program instantiates CommunicatorContract with its
/// transports.
struct Transport {
  std::string name;
  std::function<void(const std::function<void(Communicator&)>&)> run;
};
inline void PrintTo(const Transport& transport, std::ostream* out) {
  *out << transport.name;
}

class CommunicatorContract : public testing::TestWithParam<Transport> {
 protected:
  void run(const std::function<void(Communicator&)>& body) { GetParam().run(body); }
};

/// Bytes that tell who made them.
inline std::vector<std::byte> pattern(int rank, std::size_t length) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i)
    bytes[i] = static_cast<std::byte>((i * 7 + static_cast<std::size_t>(rank) * 31 + 1) % 251);
  return bytes;
}

inline Message receive(Communicator& communicator, Tag tag) {
  for (;;) {
    if (auto message = communicator.try_receive(tag))
      return std::move(*message);
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

TEST_P(CommunicatorContract, BroadcastGivesTheRootsBytesAndTheirLength) {
  run([](Communicator& communicator) {
    for (const std::size_t length : {0U, 1U, 10U, 1000000U}) {
      for (int root = 0; root < communicator.size(); ++root) {
        auto bytes = pattern(communicator.rank(), communicator.rank() == root ? length : 5);
        communicator.broadcast(bytes, root);
        EXPECT_EQ(bytes, pattern(root, length));
      }
    }
    std::vector<std::byte> none;
    EXPECT_THROW(communicator.broadcast(none, communicator.size()), core::SystemError);
  });
}

TEST_P(CommunicatorContract, AllGatherGivesEveryRanksBytesByRank) {
  run([](Communicator& communicator) {
    for (const std::size_t length : {0U, 1U, 10U, 1000000U}) {
      // Unequal lengths, none of them on rank 0.
      const auto length_of = [&](int rank) { return length * static_cast<std::size_t>(rank); };
      const auto all =
          communicator.all_gather(pattern(communicator.rank(), length_of(communicator.rank())));
      ASSERT_EQ(all.size(), static_cast<std::size_t>(communicator.size()));
      for (int rank = 0; rank < communicator.size(); ++rank)
        EXPECT_EQ(all[static_cast<std::size_t>(rank)], pattern(rank, length_of(rank)));
    }
  });
}

TEST_P(CommunicatorContract, MessagesArriveWholeAndInOrder) {
  run([](Communicator& communicator) {
    const int to = (communicator.rank() + 1) % communicator.size();
    const int from = (communicator.rank() + communicator.size() - 1) % communicator.size();
    const std::vector<std::size_t> lengths = {0, 1, 10, 1000000, 3, 0, 100000};
    // All sends come before all receives: sending waits for nobody.
    for (const std::size_t length : lengths)
      communicator.send(pattern(communicator.rank(), length), to, Tag::user);
    for (const std::size_t length : lengths) {
      const Message message = receive(communicator, Tag::user);
      EXPECT_EQ(message.from, from);
      EXPECT_EQ(message.bytes, pattern(from, length));
    }
    communicator.barrier();
    EXPECT_FALSE(communicator.try_receive(Tag::user));
  });
}

TEST_P(CommunicatorContract, MessagesToOnesselfArrive) {
  run([](Communicator& communicator) {
    communicator.send(bytes_of("me"), communicator.rank(), Tag::user);
    EXPECT_EQ(text_of(receive(communicator, Tag::user).bytes), "me");
  });
}

TEST_P(CommunicatorContract, TagsAndDuplicatesKeepMessagesApart) {
  run([](Communicator& communicator) {
    const auto duplicate = communicator.duplicate();
    EXPECT_EQ(duplicate->rank(), communicator.rank());
    EXPECT_EQ(duplicate->size(), communicator.size());
    communicator.send(bytes_of("a"), communicator.rank(), Tag::to_manager);
    duplicate->send(bytes_of("b"), communicator.rank(), Tag::user);
    communicator.send(bytes_of("c"), communicator.rank(), Tag::user);
    EXPECT_EQ(text_of(receive(communicator, Tag::user).bytes), "c");
    EXPECT_EQ(text_of(receive(*duplicate, Tag::user).bytes), "b");
    EXPECT_FALSE(duplicate->try_receive(Tag::to_manager));
    EXPECT_EQ(text_of(receive(communicator, Tag::to_manager).bytes), "a");
  });
}

TEST_P(CommunicatorContract, SendRefusesWhomThereIsNot) {
  run([](Communicator& communicator) {
    EXPECT_THROW(communicator.send({}, communicator.size(), Tag::user), core::SystemError);
    EXPECT_THROW(communicator.send({}, -1, Tag::user), core::SystemError);
  });
}

TEST_P(CommunicatorContract, ASecondThreadMaySendWhileTheFirstIsInACollective) {
  run([](Communicator& communicator) {
    const auto control = communicator.duplicate();
    std::jthread manager([&] {
      if (!communicator.is_root())
        return;
      for (int rank = 0; rank < communicator.size(); ++rank) {
        const Message message = receive(*control, Tag::to_manager);
        control->send(message.bytes, message.from, Tag::to_worker);
      }
    });
    control->send(pattern(communicator.rank(), 1000), 0, Tag::to_manager);
    for (int i = 0; i < 10; ++i)
      communicator.barrier();
    EXPECT_EQ(receive(*control, Tag::to_worker).bytes, pattern(communicator.rank(), 1000));
    manager.join();
    communicator.barrier();
  });
}

TEST_P(CommunicatorContract, SplitGroupsByColorInTheOldOrder) {
  run([](Communicator& communicator) {
    const int color = communicator.rank() % 2;
    const auto half = communicator.split(color);
    EXPECT_EQ(half->rank(), communicator.rank() / 2);
    EXPECT_EQ(half->size(), (communicator.size() + 1 - color) / 2);
    const auto ranks = gather_texts(*half, std::to_string(communicator.rank()));
    for (std::size_t i = 0; i < ranks.size(); ++i)
      EXPECT_EQ(ranks[i], std::to_string(static_cast<int>(i) * 2 + color));
  });
}

TEST_P(CommunicatorContract, RanksOfOneNodeFindEachOther) {
  run([](Communicator& communicator) {
    const auto node = communicator.split_by_node();
    for (const std::string& host : gather_texts(*node, host_name()))
      EXPECT_EQ(host, host_name());
  });
}

TEST_P(CommunicatorContract, TogetherThrowsTheLowestFailureOnEveryRank) {
  run([](Communicator& communicator) {
    const int last = communicator.size() - 1;
    for (const int first_failing : {0, last, last / 2}) {
      std::string sentence;
      try {
        together(communicator, [&] {
          if (communicator.rank() >= first_failing)
            throw core::DataError("rank " + std::to_string(communicator.rank()));
        });
      } catch (const core::DataError& error) {
        sentence = error.what();
      }
      EXPECT_EQ(sentence, "rank " + std::to_string(first_failing));
    }
    together(communicator, [] {});
  });
}

TEST_P(CommunicatorContract, TogetherKeepsTheKindOfTheError) {
  run([](Communicator& communicator) {
    const auto failing_last = [&](const std::function<void()>& fail) {
      together(communicator, [&] {
        if (communicator.rank() == communicator.size() - 1)
          fail();
      });
    };
    EXPECT_THROW(failing_last([] { throw core::ConfigurationError("x"); }),
                 core::ConfigurationError);
    EXPECT_THROW(failing_last([] { throw core::SystemError("x"); }), core::SystemError);
    EXPECT_THROW(failing_last([] { throw core::Stopped("x"); }), core::Stopped);
    try {
      failing_last([] { throw std::runtime_error("unforeseen"); });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const core::Error& error) {
      EXPECT_EQ(error.code(), core::ExitCode::bug);
      EXPECT_STREQ(error.what(), "unforeseen");
    }
  });
}

TEST_P(CommunicatorContract, FromRootGivesTheRootsTextOrItsError) {
  run([](Communicator& communicator) {
    int made = 0;
    const auto make = [&](const std::string& text) {
      return from_root(communicator, [&] {
        ++made;
        return text;
      });
    };
    EXPECT_EQ(make("study"), "study");
    EXPECT_EQ(make(""), "");
    EXPECT_EQ(made, communicator.is_root() ? 2 : 0);
    try {
      from_root(communicator, []() -> std::string { throw core::DataError("no such file"); });
      ADD_FAILURE() << "nothing was thrown";
    } catch (const core::DataError& error) {
      EXPECT_STREQ(error.what(), "no such file");
    }
  });
}

TEST_P(CommunicatorContract, AnyIsTrueWhereOneRankSaysSo) {
  run([](Communicator& communicator) {
    EXPECT_FALSE(any(communicator, false));
    EXPECT_TRUE(any(communicator, communicator.rank() == communicator.size() - 1));
    EXPECT_TRUE(any(communicator, true));
  });
}

}  // namespace proxytune::comm
