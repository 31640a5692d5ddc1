#include "proxytune/work/journal.h"

#include <csignal>
#include <cstdio>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "proxytune/core/error.h"

#include "tests/work/folder.h"

namespace proxytune::work {
namespace {

using testing::HasSubstr;

const core::Log silent = core::Log::silent();

Event event(const std::string& kind, const std::string& key, std::int64_t value = 0) {
  return {kind, "sweep", key, Record().set("value", value)};
}

std::string sentence_of(const std::filesystem::path& folder, const std::string& study = "s") {
  try {
    read_journal(folder, study, silent);
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "";
}

TEST(JournalTest, GivesBackWhatWasAppended) {
  const TestFolder folder;
  {
    Journal first(folder.path() / "journal", "s", "launch1", 0);
    Journal second(folder.path() / "journal", "s", "launch1", 1);
    first.append(event("started", "a"));
    second.append(event("started", "b"));
    first.append(event("finished", "a", 7));
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "journal" / "launch1-rank0001.journal"));
  const JournalContents contents = read_journal(folder.path() / "journal", "s", silent);
  ASSERT_EQ(contents.events.size(), 3U);
  EXPECT_EQ(contents.events[1].kind, "finished");
  EXPECT_EQ(contents.events[2].key, "b");
  EXPECT_EQ(contents.finished.at("sweep/a").integer("value"), 7);
  EXPECT_EQ(contents.finished.size(), 1U);
  EXPECT_EQ(contents.attempts, (std::map<std::string, int>{{"sweep/b", 1}}));
  EXPECT_EQ(contents.torn_lines, 0);
}

TEST(JournalTest, HasNothingToSayWithoutAFolder) {
  const TestFolder folder;
  EXPECT_TRUE(read_journal(folder.path() / "none", "s", silent).events.empty());
  EXPECT_TRUE(read_journal(folder.path(), "s", silent).events.empty());
}

TEST(JournalTest, CountsOnlyStartsThatNeverEnded) {
  const TestFolder folder;
  for (int launch = 0; launch < 4; ++launch) {
    Journal journal(folder.path(), "s", "launch" + std::to_string(launch), 0);
    for (const char* key : {"lost", "failed", "stopped", "finished"})
      journal.append(event("started", key));
    journal.append(event("attempt_failed", "failed"));
    journal.append(event("stopped", "stopped"));
    if (launch == 2)
      journal.append(event("finished", "finished", launch));
    if (launch == 3)
      journal.append(event("finished", "finished", launch));
  }
  const JournalContents contents = read_journal(folder.path(), "s", silent);
  EXPECT_EQ(contents.attempts,
            (std::map<std::string, int>{{"sweep/lost", 4}, {"sweep/finished", 2}}));
  EXPECT_EQ(contents.finished.at("sweep/finished").integer("value"), 2);
}

TEST(JournalTest, RefusesASecondSegmentOfTheSameName) {
  const TestFolder folder;
  const Journal journal(folder.path(), "s", "launch", 0);
  EXPECT_THROW(Journal(folder.path(), "s", "launch", 0), core::SystemError);
}

TEST(JournalTest, RefusesAFolderThatCannotBe) {
  EXPECT_THROW(Journal("/dev/null/journal", "s", "launch", 0), core::SystemError);
}

TEST(JournalTest, TakesEventsOfManyThreads) {
  const TestFolder folder;
  {
    Journal journal(folder.path(), "s", "launch", 0);
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread)
      threads.emplace_back([&journal, thread] {
        for (int i = 0; i < 10; ++i)
          journal.append(event("finished", std::to_string(thread * 10 + i), i));
      });
  }
  EXPECT_EQ(read_journal(folder.path(), "s", silent).finished.size(), 80U);
}

/// A file that is written to while it lives.
class Stream {
 public:
  explicit Stream(const std::filesystem::path& path) : file_(std::fopen(path.c_str(), "w")) {}
  ~Stream() { std::fclose(file_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  std::FILE* get() const { return file_; }

 private:
  std::FILE* file_;
};

/// Two finished pieces in a segment, whose text is then changed.
class DamagedJournalTest : public testing::Test {
 protected:
  DamagedJournalTest() {
    {
      Journal journal(folder.path(), "s", "launch", 0);
      journal.append(event("finished", "a", 1));
      journal.append(event("finished", "b", 2));
    }
    whole = read_file(file);
    last = whole.rfind('\n', whole.size() - 2) + 1;
    header = whole.find('\n') + 1;
  }
  TestFolder folder;
  std::filesystem::path file = folder.path() / "launch-rank0000.journal";
  std::string whole;
  std::size_t last = 0;    // where the last line begins
  std::size_t header = 0;  // where the first event begins
};

TEST_F(DamagedJournalTest, DropsALastLineTornAtAnyByteSaysSoAndKeepsTheRest) {
  for (std::size_t length = last; length < whole.size(); ++length) {
    write_file(file, whole.substr(0, length));
    const TestFolder said;
    JournalContents contents;
    {
      const Stream output(said.path() / "output");
      const Stream errors(said.path() / "errors");
      contents = read_journal(
          folder.path(), "s", core::Log::for_streams(0, 1, output.get(), errors.get()));
    }
    const bool torn = length > last;
    ASSERT_EQ(contents.events.size(), 1U) << length;
    EXPECT_EQ(
        contents.finished,
        (std::map<std::string, Record>{{"sweep/a", Record().set("value", std::int64_t{1})}}))
        << length;
    EXPECT_EQ(contents.torn_lines, torn ? 1 : 0) << length;
    const std::string sentence = torn ? file.string() + ": the last line, from byte " +
                                            std::to_string(last) + ", is torn and was dropped"
                                      : "";
    EXPECT_THAT(read_file(said.path() / "errors"), HasSubstr(sentence)) << length;
    EXPECT_EQ(read_file(said.path() / "errors").empty(), !torn) << length;
  }
}

TEST_F(DamagedJournalTest, TakesASegmentWithATornHeaderAsEmpty) {
  for (std::size_t length = 0; length < header; ++length) {
    write_file(file, whole.substr(0, length));
    EXPECT_TRUE(read_journal(folder.path(), "s", silent).events.empty()) << length;
  }
}

TEST_F(DamagedJournalTest, NamesFileAndByteOfAFlippedBitAnywhereBeforeTheEnd) {
  // The very last newline is left out: without it the last line is a torn one.
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    for (const int bit : {0, 4, 7}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      write_file(file, damaged);
      const std::string sentence = sentence_of(folder.path());
      // The line that holds the byte, or the one before the newline that is gone.
      const std::size_t begin = i < header ? 0 : i < last ? header : last;
      EXPECT_THAT(sentence, HasSubstr(file.string())) << i;
      EXPECT_THAT(sentence, HasSubstr("at byte " + std::to_string(begin) + ":")) << i;
    }
  }
}

TEST_F(DamagedJournalTest, RefusesTheJournalOfAnotherStudy) {
  EXPECT_THAT(sentence_of(folder.path(), "other"), HasSubstr("the journal of study s"));
}

TEST_F(DamagedJournalTest, KeepsToFilesOfItsOwn) {
  write_file(folder.path() / "notes.txt", "hello");
  EXPECT_EQ(read_journal(folder.path(), "s", silent).events.size(), 2U);
}

TEST(FullDiskTest, IsSaidAndLeavesWholeLines) {
  const TestFolder folder;
  Journal journal(folder.path(), "s", "launch", 0);
  journal.append(event("finished", "a", 1));
  const std::filesystem::path file = folder.path() / "launch-rank0000.journal";
  const std::uintmax_t length = std::filesystem::file_size(file);
  // A limit on the file's size is a full disk as far as write() is concerned.
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  rlimit limit = old_limit;
  limit.rlim_cur = length + 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_THROW(journal.append(event("finished", "b", 2)), core::SystemError);
  EXPECT_EQ(std::filesystem::file_size(file), length);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  journal.append(event("finished", "c", 3));  // there is room again
  const JournalContents contents = read_journal(folder.path(), "s", silent);
  EXPECT_EQ(contents.finished.size(), 2U);
  EXPECT_EQ(contents.torn_lines, 0);
}

TEST(JournalTest, WhatIsForgottenMayBeFinishedAgain) {
  const TestFolder folder;
  Journal(folder.path(), "study", "launch0", 0)
      .append({"finished", "tile", "a", Record().set("x", std::int64_t{1})});
  Journal(folder.path(), "study", "launch1", 0).append({"forgotten", "tile", "a", {}});
  EXPECT_TRUE(read_journal(folder.path(), "study", core::Log::silent()).finished.empty());
  Journal(folder.path(), "study", "launch1", 1)
      .append({"finished", "tile", "a", Record().set("x", std::int64_t{2})});
  EXPECT_EQ(read_journal(folder.path(), "study", core::Log::silent())
                .finished.at("tile/a")
                .integer("x"),
            2);
}

TEST(JournalTest, ALineThatIsSyncedLaterIsInTheFileAtOnce) {
  const TestFolder folder;
  Journal journal(folder.path(), "s", "launch0", 0);
  journal.append(event("finished", "a", 3), Journal::OnDisk::soon);
  EXPECT_EQ(read_journal(folder.path(), "s", silent).finished.at("sweep/a").integer("value"),
            3);
  journal.sync();
  journal.append(event("finished", "b", 4));
  EXPECT_EQ(read_journal(folder.path(), "s", silent).events.size(), 2U);
}

TEST(JournalTest, AStartThatKeptACheckpointIsNoLostAttempt) {
  const TestFolder folder;
  for (const std::string launch : {"a", "b", "c"}) {
    Journal journal(folder.path(), "s", launch, 0);
    journal.append({"started", "trial", "far", {}});
    journal.append({"started", "trial", "poisonous", {}});
    if (launch != "c")
      journal.append({"checkpoint", "trial", "far", {}});
  }
  const JournalContents contents = read_journal(folder.path(), "s", silent);
  EXPECT_EQ(contents.attempts,
            (std::map<std::string, int>{{"trial/far", 1}, {"trial/poisonous", 3}}));
}

TEST(JournalTest, TellsWhoIsAtWhichPieceAndHowFar) {
  const TestFolder folder;
  const auto epochs = [](int count) { return Record().set("epochs", std::int64_t{count}); };
  {
    Journal dead(folder.path(), "s", "launch1", 3);
    for (const char* key : {"ended", "elsewhere", "interrupted"})
      dead.append({"started", "trial", key, {}});
    dead.append({"progress", "trial", "interrupted", epochs(2)});
    dead.append({"checkpoint", "trial", "interrupted", epochs(5)});
  }
  Journal present(folder.path(), "s", "launch2", 1);
  present.append({"started", "trial", "ended", {}});
  present.append({"finished", "trial", "ended", {}});
  present.append({"started", "trial", "elsewhere", {}});
  present.append({"progress", "trial", "elsewhere", epochs(7)});
  const JournalContents contents = read_journal(folder.path(), "s", silent);
  EXPECT_EQ(contents.last_launch, "launch2");
  ASSERT_EQ(contents.open.size(), 2U);
  const OpenPiece& running = contents.open.at("trial/elsewhere");
  EXPECT_EQ(running.launch, "launch2");
  EXPECT_EQ(running.rank, 1);
  EXPECT_EQ(running.progress, epochs(7));
  EXPECT_EQ(contents.open.at("trial/interrupted").launch, "launch1");
  EXPECT_EQ(contents.open.at("trial/interrupted").progress, epochs(5));
  // Lines that only say how far a piece is are many.
  EXPECT_EQ(contents.events.size(), 7U);
}

}  // namespace
}  // namespace proxytune::work
