#include "proxytune/core/machine.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace proxytune::core {
namespace {

class MachineTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) const {
    const std::filesystem::path path = folder.path() / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  double quota() const { return processor_quota(folder.path()); }
  double memory() const { return available_memory(folder.path()); }
  test::TemporaryFolder folder;
};

TEST_F(MachineTest, ThisProcessMayRunSomewhereAndHasMemory) {
  EXPECT_FALSE(usable_processors().empty());
  EXPECT_GT(processor_quota(), 0);
  EXPECT_GT(available_memory(), 0);
}

TEST_F(MachineTest, WhereNobodySaysNothingIsLimited) {
  EXPECT_EQ(quota(), INFINITY);
  EXPECT_EQ(memory(), INFINITY);
}

TEST_F(MachineTest, TheKernelsEstimateCountsWithoutAGroup) {
  write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable:     600 kB\n");
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(memory(), 600 * 1024.0);
  EXPECT_EQ(quota(), INFINITY);
}

TEST_F(MachineTest, TheNarrowestGroupAroundItCounts) {
  write("proc/meminfo", "MemAvailable: 600000 kB\n");
  write("proc/self/cgroup", "0::/job/step\n");
  write("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/job/cpu.max", "250000 100000\n");
  write("sys/fs/cgroup/job/memory.max", "5000\n");
  write("sys/fs/cgroup/job/memory.current", "3000\n");
  write("sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 500\n");
  write("sys/fs/cgroup/job/step/memory.max", "max\n");
  write("sys/fs/cgroup/job/step/memory.current", "3000\n");
  EXPECT_EQ(quota(), 2.5);
  EXPECT_EQ(memory(), 2500);
}

TEST_F(MachineTest, GroupsOfTheFirstVersionCountAsWell) {
  write("proc/self/cgroup", "7:cpu,cpuacct:/host/only\n4:memory:/host/only\n0::/\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "9500\n");
  EXPECT_EQ(quota(), 1.5);
  EXPECT_EQ(memory(), 0);  // over its limit by what can be dropped
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(quota(), INFINITY);
}

}  // namespace
}  // namespace proxytune::core
