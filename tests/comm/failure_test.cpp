#include "proxytune/comm/failure.h"

#include <filesystem>
#include <new>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/comm/agree.h"
#include "proxytune/comm/communicator.h"

namespace proxytune::comm {
namespace {

using ::testing::HasSubstr;

template <class Thrower>
Failure failure_of(const Thrower& thrower) {
  try {
    thrower();
  } catch (...) {
    return current_failure();
  }
  return {core::ExitCode::done, "nothing was thrown"};
}

TEST(FailureTest, OfOurErrorsKeepsCodeAndSentence) {
  const Failure failure = failure_of([] { throw core::DataError("no such case"); });
  EXPECT_EQ(failure.code, core::ExitCode::data);
  EXPECT_EQ(failure.sentence, "no such case");
}

TEST(FailureTest, OfMemoryIsOfTheSystemAndSaysWhatToDo) {
  const Failure failure = failure_of([] { throw std::bad_alloc(); });
  EXPECT_EQ(failure.code, core::ExitCode::system);
  EXPECT_EQ(failure.sentence, "out of memory; use fewer ranks on this node or smaller patches");
}

TEST(FailureTest, OfTheFileSystemNamesPathAndReason) {
  const Failure failure =
      failure_of([] { std::filesystem::create_directory("/no/such/file"); });
  EXPECT_EQ(failure.code, core::ExitCode::system);
  EXPECT_THAT(failure.sentence, HasSubstr("/no/such/file: No such file or directory"));
  const Failure two =
      failure_of([] { std::filesystem::rename("/no/such/file", "/no/such/place"); });
  EXPECT_THAT(two.sentence, HasSubstr("/no/such/file and /no/such/place: "));
}

TEST(FailureTest, OfAnythingElseIsABug) {
  EXPECT_EQ(failure_of([] { throw std::logic_error("oops"); }).code, core::ExitCode::bug);
  EXPECT_EQ(failure_of([] { throw 7; }).code, core::ExitCode::bug);
}

TEST(FailureTest, OfMemoryOnOneRankIsTheSameOnAll) {
  run_as_threads(3, [](Communicator& communicator) {
    EXPECT_THROW(together(communicator,
                          [&] {
                            if (communicator.rank() == 1)
                              throw std::bad_alloc();
                          }),
                 core::SystemError);
  });
}

}  // namespace
}  // namespace proxytune::comm
