#include "proxytune/store/results.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"

#include "tests/store/world.h"

namespace proxytune::store {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<core::Table> sample() {
  core::Table trials{"/sweep/trials", "one row a trial", {}};
  trials.add("dice", "1", "best validation Dice", std::vector<double>{0.5, nan, -1e300, 0.1, 7})
      .add("epoch", "epoch", "of the best Dice", std::vector<std::int64_t>{3, -1, 0, 9, 8})
      .add("key", "1", "content", std::vector<std::string>{"", "ä", "abc", "d\ne", "zz"});
  core::Table curves{"/sweep/trials/curves", "training curves", {}};
  curves.add("loss", "1", "(trial, epoch)", std::vector<double>{1, 2, 3, 4, 5, 6}, {3, 2});
  core::Table empty{"/search/trials", "", {}};
  empty.add("dice", "1", "none yet", std::vector<double>{})
      .add("key", "1", "none yet", std::vector<std::string>{})
      .add("loss", "1", "none yet", std::vector<double>{}, {0, 4});
  core::Table one{"/analysis/summary", "fewer rows than ranks", {}};
  one.add("pearson", "1", "correlation", std::vector<double>{0.9});
  return {trials, curves, empty, one};
}

void expect_equal(const core::Table& got, const core::Table& want) {
  EXPECT_EQ(got.path, want.path);
  EXPECT_EQ(got.description, want.description);
  ASSERT_EQ(got.columns.size(), want.columns.size());
  for (std::size_t i = 0; i < want.columns.size(); ++i) {
    const core::Column& a = got.columns[i];
    const core::Column& b = want.columns[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.unit, b.unit);
    EXPECT_EQ(a.description, b.description);
    EXPECT_EQ(a.shape, b.shape);
    ASSERT_EQ(a.values.index(), b.values.index());
    const auto* numbers = std::get_if<core::Doubles>(&b.values);
    if (numbers == nullptr) {
      EXPECT_EQ(a.values, b.values);
      continue;
    }
    EXPECT_THAT(std::get<core::Doubles>(a.values),
                ::testing::Pointwise(::testing::NanSensitiveDoubleEq(), *numbers));
  }
}

const core::Table& table_at(const std::vector<core::Table>& tables, const std::string& path) {
  for (const core::Table& table : tables)
    if (table.path == path)
      return table;
  throw std::out_of_range(path);
}

std::string sentence_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "no error";
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::string bytes_in(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ResultsTest, ReadsBackWhatAllRanksWrote) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  write_results(world(), file, sample(), {{"study", "phantom"}, {"empty", ""}});
  const std::vector<core::Table> got = read_results(file);
  ASSERT_EQ(got.size(), sample().size());
  for (const core::Table& table : sample())
    expect_equal(table_at(got, table.path), table);
  EXPECT_EQ(read_attributes(file),
            (std::map<std::string, std::string>{{"study", "phantom"}, {"empty", ""}}));
  EXPECT_EQ(verify(file).datasets, 8U);
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".tmp"));
}

std::vector<std::uint64_t> written_by_ranks(std::uint64_t here) {
  std::vector<std::uint64_t> all;
  for (const std::string& one : comm::gather_texts(world(), std::to_string(here)))
    all.push_back(std::stoull(one));
  return all;
}

TEST(ResultsTest, SaysWhatItWrote) {
  const SharedFolder folder;
  const Written written = write_results(world(), folder.path() / "results.h5", sample(), {});
  EXPECT_EQ(written.datasets, 5U);
  EXPECT_EQ(written.bytes, 5U * 8 + 5 * 8 + 5 * 3 + 6 * 8 + 8);
  const auto ranks = written_by_ranks(written.bytes_here);
  EXPECT_EQ(std::accumulate(ranks.begin(), ranks.end(), std::uint64_t{0}), written.bytes);
}

TEST(ResultsTest, AllRanksWriteLargeColumnsAndTakeTurnsInSmallOnes) {
  const SharedFolder folder;
  core::Table large{"/large", "", {}};
  large.add("number", "1", "", std::vector<std::int64_t>(100'000));
  core::Table small{"/small", "", {}};
  for (int column = 0; column < world().size(); ++column)
    small.add("number" + std::to_string(column), "1", "", std::vector<std::int64_t>(10));
  const auto shares = written_by_ranks(
      write_results(world(), folder.path() / "large.h5", {large}, {}).bytes_here);
  EXPECT_LE(*std::max_element(shares.begin(), shares.end()),
            *std::min_element(shares.begin(), shares.end()) + 8);
  for (const std::uint64_t share : written_by_ranks(
           write_results(world(), folder.path() / "small.h5", {small}, {}).bytes_here))
    EXPECT_EQ(share, 80U);
}

TEST(ResultsTest, TakesManyRowsAndLongTexts) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  std::vector<std::int64_t> numbers(100'003);
  std::iota(numbers.begin(), numbers.end(), 0);
  core::Table table{"/many", "", {}};
  table.add("number", "1", "", numbers);
  core::Table texts{"/texts", "", {}};
  texts.add("text", "1", "", std::vector<std::string>{std::string(200'000, 'x'), "y"});
  const std::string study(150'000, 's');
  write_results(world(), file, {table, texts}, {{"study_text", study}, {"name", "a"}});
  expect_equal(table_at(read_results(file), "/many"), table);
  expect_equal(table_at(read_results(file), "/texts"), texts);
  EXPECT_EQ(read_results(file).size(), 2U);
  EXPECT_EQ(read_attributes(file).at("study_text"), study);
}

TEST(ResultsTest, WithoutTablesIsAFileNevertheless) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  write_results(world(), file, {}, {});
  EXPECT_TRUE(read_results(file).empty());
  EXPECT_EQ(verify(file).datasets, 0U);
}

TEST(ResultsTest, ReplacesTheOldFileAndALeftoverOfAKilledJob) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  write_results(world(), file, {}, {{"run", "old"}});
  if (world().is_root())
    write_bytes(file.string() + ".tmp", "torn");
  world().barrier();
  write_results(world(), file, sample(), {{"run", "new"}});
  EXPECT_EQ(read_attributes(file).at("run"), "new");
}

TEST(ResultsTest, RefusesTablesThatContradictOneAnother) {
  const SharedFolder folder;
  const auto write = [&](const std::vector<core::Table>& tables) {
    write_results(world(), folder.path() / "results.h5", tables, {});
  };
  core::Table table{"/a", "", {}};
  table.add("b", "1", "", std::vector<double>{1});
  EXPECT_THROW(write({table, table}), std::invalid_argument);
  EXPECT_THROW(write({table, {"/a/b/c", "", {}}}), std::invalid_argument);
  EXPECT_THROW(write({{"no slash", "", {}}}), std::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ResultsTest, AFolderThatIsNotThereIsSaidByEveryRank) {
  const SharedFolder folder;
  const auto file = folder.path() / "missing" / "results.h5";
  const std::string said = sentence_of([&] { write_results(world(), file, sample(), {}); });
  EXPECT_THAT(said, HasSubstr("results.h5.tmp: cannot create the file: No such file"));
}

TEST(ResultsTest, AFolderThatRefusesWritingIsSaidByEveryRank) {
  const SharedFolder folder;
  if (world().is_root())
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  world().barrier();
  const bool is_root_user = ::geteuid() == 0;
  const bool lowered = is_root_user && ::seteuid(65534) == 0;
  const auto file = folder.path() / "results.h5";
  const std::string said = sentence_of([&] { write_results(world(), file, sample(), {}); });
  if (lowered && ::seteuid(0) != 0)
    std::abort();
  EXPECT_THAT(said, HasSubstr("Permission denied"));
}

TEST(ResultsTest, AnImpossibleSizeIsRefusedBeforeAnythingIsWritten) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  write_results(world(), file, {}, {{"run", "old"}});
  // A limit on the size of files stands for a quota; it holds on the root alone.
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  if (world().is_root()) {
    const rlimit small{.rlim_cur = 0, .rlim_max = before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  if (world().size() == 1) {  // several ranks would leave a shared file open, see write_results
    EXPECT_THROW(write_results(world(), file, sample(), {}), core::SystemError);
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_attributes(file).at("run"), "old");
}

TEST(ResultsTest, SaysWhatIsWrongWithAFileThatIsNoResultsFile) {
  const SharedFolder folder;
  if (!world().is_root())
    return;
  const auto file = folder.path() / "results.h5";
  EXPECT_THAT(sentence_of([&] { read_results(file); }), HasSubstr("No such file"));
  write_bytes(file, "this is no HDF5 file");
  EXPECT_THAT(sentence_of([&] { verify(file); }), HasSubstr("truncated, or no HDF5 file"));
  EXPECT_THROW(read_results(file), core::DataError);
}

TEST(ResultsTest, EveryFlippedByteOfADatasetAndEveryTruncationIsFound) {
  const SharedFolder folder;
  const auto file = folder.path() / "results.h5";
  write_results(world(), file, sample(), {});
  if (!world().is_root())
    return;
  const std::string good = bytes_in(file);
  const double first = 0.5;
  const std::size_t place = good.find(std::string(reinterpret_cast<const char*>(&first), 8));
  ASSERT_NE(place, std::string::npos);
  for (std::size_t byte = place; byte < place + 5 * 8; ++byte) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ 0x10);
    write_bytes(file, bad);
    ASSERT_THAT(sentence_of([&] { verify(file); }), HasSubstr("/sweep/trials/dice differs"));
  }
  for (std::size_t length = 0; length < good.size(); length += good.size() / 7) {
    write_bytes(file, good.substr(0, length));
    ASSERT_THROW(verify(file), core::DataError) << length;
  }
}

TEST(CsvTest, QuotesTextsAndKeepsNumbersExact) {
  const SharedFolder folder;
  if (!world().is_root())
    return;
  core::Table table{"/a/b", "", {}};
  table.add("name", "1", "", std::vector<std::string>{"x", "say \"a, b\""})
      .add("number", "1", "", std::vector<double>{0.1, nan})
      .add("count", "1", "", std::vector<std::int64_t>{1, -2})
      .add("wide", "1", "", std::vector<double>(4), {2, 2});
  write_csv(folder.path() / "csv", {table, {"/empty", "", {}}});
  EXPECT_EQ(bytes_in(folder.path() / "csv" / "a-b.csv"),
            "name,number,count\nx,0.1,1\n\"say \"\"a, b\"\"\",,-2\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "csv" / "empty.csv"));
}

}  // namespace
}  // namespace proxytune::store
