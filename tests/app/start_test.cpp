#include <array>
#include <atomic>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxytune/app/app.h"

// The program's own MPI_Init_thread comes before the library's: an MPI that cannot start. (16
// is some error class.)
extern "C" int MPI_Init_thread(int*, char***, int, int*) {
  return 16;
}

namespace proxytune::app {
namespace {

using ::testing::StartsWith;

TEST(StartTest, WithoutMpiIsOneSentenceAndCodeFour) {
  bool ran = false;
  const std::vector<Command> commands{
      {"phantom", "", Subject::folder, [&](Session&) { ran = true; }, {}}};
  std::string program = "proxytune", command = "phantom", folder = "somewhere";
  std::array<char*, 4> arguments{program.data(), command.data(), folder.data(), nullptr};
  std::atomic<bool> stop = false;
  ::testing::internal::CaptureStderr();
  const int code = run(3, arguments.data(), commands, stop);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 4);
  EXPECT_FALSE(ran);
  EXPECT_THAT(said, StartsWith("error: MPI did not start (MPI_Init_thread returned 16): use"));
  EXPECT_EQ(said.find('\n'), said.size() - 1) << said;
}

}  // namespace
}  // namespace proxytune::app
