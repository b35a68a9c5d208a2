#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "async/scope.h"
#include "base/strings.h"
#include "logs/log_line.h"
#include "logs/log_reader.h"
#include "logs/tail.h"
#include "os/files.h"

namespace cubelet::logs {
namespace {

using testing::HasSubstr;

constexpr char kTime[] = "2026-11-24T10:00:00.123456789Z";

std::string Line(std::string_view content, std::string_view stream = "stdout",
                 std::string_view tag = "F", std::string_view time = kTime) {
  return StrCat(time, " ", stream, " ", tag, " ", content, "\n");
}

TEST(LogLineTest, ReadsBothFormats) {
  auto line = ParseLogLine("2026-11-24T10:00:00.5+02:00 stderr P:x a b");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->time, "2026-11-24T10:00:00.500000000+02:00");
  EXPECT_EQ(line->when, absl::FromCivil(absl::CivilSecond(2026, 11, 24, 8), absl::UTCTimeZone()) +
                            absl::Milliseconds(500));
  EXPECT_TRUE(line->is_stderr);
  EXPECT_TRUE(line->partial);
  EXPECT_EQ(line->content, "a b");
  line = ParseLogLine("2026-11-24T10:00:00Z stdout F ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->time, "2026-11-24T10:00:00.000000000Z");
  EXPECT_EQ(line->content, "\n");
  line = ParseLogLine(
      R"({"log":"a\u0001b\n","stream":"stdout","time":"2026-11-24T10:00:00.1Z","x":[1]})");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->content, "a\001b\n");
  EXPECT_FALSE(line->partial);
  line = ParseLogLine(R"({"log":"part","stream":"stderr","time":"2026-11-24T10:00:00.1Z"})");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->partial);
}

TEST(LogLineTest, AnythingElseIsNone) {
  for (const char* text :
       {"", "root:x:0:0:root:/root:/bin/bash", "infinite-past stdout F x",
        "2026-11-24T10:00:00Z stdout", "2026-11-24T10:00:00Z stdin F x",
        "2026-11-24T10:00:00Z stdout Q x", "2026-13-24T10:00:00Z stdout F x", "{", "{}",
        "{\"log\":1,\"stream\":\"stdout\",\"time\":\"2026-11-24T10:00:00Z\"", "2026-11-24",
        R"({"log":"x\n","stream":"both","time":"2026-11-24T10:00:00.1Z"})"}) {
    EXPECT_FALSE(ParseLogLine(text)) << text;
  }
}

std::string Filtered(Selection selection, std::string_view text, size_t step = 7) {
  LineFilter filter(selection);
  std::string out;
  for (size_t at = 0; at < text.size(); at += step) filter.Feed(text.substr(at, step), &out);
  filter.Finish(&out);
  return out;
}

TEST(LineFilterTest, PartsAreJoinedAndTimesStandAtBeginnings) {
  const std::string text =
      Line("one ", "stdout", "P") + Line("line", "stdout", "F") + Line("err", "stderr");
  EXPECT_EQ(Filtered({}, text), "one line\nerr\n");
  Selection selection;
  selection.timestamps = true;
  EXPECT_EQ(Filtered(selection, text), StrCat(kTime, " one line\n", kTime, " err\n"));
  selection.timestamps = false;
  selection.stream = Stream::kStderr;
  EXPECT_EQ(Filtered(selection, text), "err\n");
  selection.stream = Stream::kStdout;
  EXPECT_EQ(Filtered(selection, text), "one line\n");
}

TEST(LineFilterTest, OnlyWhatIsWanted) {
  const std::string text = Line("old", "stdout", "F", "2026-11-24T09:59:59.999999999Z") +
                           "no log line\n" + Line("new") + "\n" + Line("newer");
  Selection selection;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, kTime, &selection.since, &error));
  EXPECT_EQ(Filtered(selection, text), "new\nnewer\n");
  selection.limit_bytes = 6;
  EXPECT_EQ(Filtered(selection, text), "new\nne");
  selection.limit_bytes = 4;
  LineFilter filter(selection);
  std::string out;
  filter.Feed(text, &out);
  EXPECT_EQ(out, "new\n");
  EXPECT_TRUE(filter.full());
}

TEST(LineFilterTest, ALineThatNeverEndsIsNotKept) {
  LineFilter filter({});
  std::string out;
  filter.Feed(Line("first"), &out);
  filter.Feed(StrCat(kTime, " stdout F "), &out);
  const std::string block(64 << 10, 'x');
  for (int i = 0; i < 100; ++i) filter.Feed(block, &out);
  filter.Feed("\n" + Line("next"), &out);
  EXPECT_EQ(out, "first\nnext\n");
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    directory_ = StrCat(testing::TempDir(), "/logs_test.", ::getpid());
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    path_ = directory_ + "/0.log";
  }
  ~FilesTest() override { std::filesystem::remove_all(directory_); }

  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  int64_t Tail(int64_t lines) {
    const auto fd = os::Open(path_, O_RDONLY);
    EXPECT_TRUE(fd.ok());
    return *FindTail(fd->get(), static_cast<int64_t>(std::filesystem::file_size(path_)), lines);
  }

  std::string directory_;
  std::string path_;
};

TEST_F(FilesTest, TheTailIsFoundFromTheEnd) {
  Append("");
  EXPECT_EQ(Tail(5), 0);
  Append("a\nbb\nccc");
  EXPECT_EQ(Tail(0), 8);
  EXPECT_EQ(Tail(1), 5);
  EXPECT_EQ(Tail(2), 2);
  EXPECT_EQ(Tail(3), 0);
  Append("\n");
  EXPECT_EQ(Tail(1), 5);
  EXPECT_EQ(Tail(3), 0);
  EXPECT_EQ(Tail(1000), 0);
}

TEST_F(FilesTest, TheTailOfABigFile) {
  // Sparse: only its end may be read.
  const int64_t hole = int64_t{8} << 40;
  {
    const UniqueFd fd = *os::Open(path_, O_WRONLY | O_CREAT, 0644);
    ASSERT_EQ(::pwrite(fd.get(), "\n", 1, hole), 1);
  }
  std::string lines;
  for (int i = 0; i < 100'000; ++i) StrAppend(&lines, i, "\n");
  Append(lines);
  EXPECT_EQ(Tail(1), hole + 1 + static_cast<int64_t>(lines.size()) - 6);
  EXPECT_EQ(Tail(100'000), hole + 1);
}

class LogReaderTest : public FilesTest {
 protected:
  // All pieces until the end; `step` is called before each with the text so far.
  absl::StatusOr<std::string> ReadAll(LogOptions options,
                                      std::function<void(const std::string&)> step = {}) {
    options.path = path_;
    loop_ = async::Loop::Real();
    text_.clear();
    status_ = absl::OkStatus();
    async::TaskScope scope(*loop_, "test");
    scope.Spawn("read", Read(std::move(options), std::move(step)));
    loop_->Run();
    if (!status_.ok()) return status_;
    return text_;
  }

  async::Task<void> Read(LogOptions options, std::function<void(const std::string&)> step) {
    auto reader = co_await LogReader::Open(loop_.get(), options, [this] { return written_; });
    status_ = reader.status();
    while (status_.ok()) {
      if (step) step(text_);
      auto piece = co_await (*reader)->Next();
      status_ = piece.status();
      if (!status_.ok() || !*piece) break;
      text_ += **piece;
    }
    loop_->Stop();
  }

  std::unique_ptr<async::Loop> loop_;
  std::string text_;
  absl::Status status_;
  bool written_ = true;
};

TEST_F(LogReaderTest, ReadsWhatIsThere) {
  std::string want;
  for (int i = 0; i < 20; ++i) {
    Append(Line(StrCat("line ", i)));
    StrAppend(&want, "line ", i, "\n");
  }
  Append("2026-11-24T10:00:00.1Z stdout F without an end");
  want += "without an end\n";
  EXPECT_EQ(*ReadAll({}), want);
  LogOptions options;
  options.tail_lines = 2;
  EXPECT_EQ(*ReadAll(options), "line 19\nwithout an end\n");
  options.tail_lines = 0;
  EXPECT_EQ(*ReadAll(options), "");
}

TEST_F(LogReaderTest, PiecesStaySmall) {
  const std::string line = Line(std::string(1000, 'x'));
  std::string text;
  for (int i = 0; i < 1000; ++i) text += line;
  Append(text);
  size_t before = 0, most = 0;
  ASSERT_TRUE(ReadAll({}, [&](const std::string& so_far) {
                most = std::max(most, so_far.size() - before);
                before = so_far.size();
              }).ok());
  EXPECT_EQ(text_.size(), 1'001'000u);
  EXPECT_LE(most, 64u << 10);
}

TEST_F(LogReaderTest, FollowsOverRotation) {
  Append(Line("one"));
  LogOptions options;
  options.follow = true;
  int stage = 0;
  const auto text = ReadAll(options, [&](const std::string& so_far) {
    if (stage == 0 && so_far == "one\n") {
      stage = 1;
      Append(Line("two"));
    } else if (stage == 1 && so_far.ends_with("two\n")) {
      stage = 2;
      // As the kubelet and the runtime do it: renamed, written to once more, made anew.
      std::filesystem::rename(path_, path_ + ".20261124-100000");
      std::ofstream(path_ + ".20261124-100000", std::ios::app) << Line("three");
      Append(Line("four"));
    } else if (stage == 2 && so_far.ends_with("four\n")) {
      stage = 3;
      Append(Line("five"));
      written_ = false;
    }
  });
  EXPECT_EQ(*text, "one\ntwo\nthree\nfour\nfive\n");
}

// As containerd does it: the end of a line goes to the old file when the new one is there already.
TEST_F(LogReaderTest, TheLastWordInARotatedFileIsRead) {
  Append(Line("one"));
  LogOptions options;
  options.follow = true;
  bool rotated = false;
  const auto text = ReadAll(options, [&](const std::string& so_far) {
    if (so_far == "one\n" && !std::exchange(rotated, true)) {
      std::filesystem::rename(path_, path_ + ".1");
      Append(Line("three"));
      loop_->AddTimer(absl::Milliseconds(30), [this] {
        std::ofstream(path_ + ".1", std::ios::app) << Line("two");
        written_ = false;
      });
    }
  });
  EXPECT_EQ(*text, "one\ntwo\nthree\n");
}

TEST_F(LogReaderTest, AFollowerOfAnEndedContainerEnds) {
  written_ = false;
  Append(Line("all"));
  LogOptions options;
  options.follow = true;
  EXPECT_EQ(*ReadAll(options), "all\n");
  options.selection.limit_bytes = 2;
  written_ = true;
  EXPECT_EQ(*ReadAll(options), "al");
}

TEST_F(LogReaderTest, WhoeverFollowsIsAskedNowAndThen) {
  Append(Line("one"));
  LogOptions options;
  options.follow = true;
  int asked = 0;
  EXPECT_EQ(*ReadAll(options,
                     [&](const std::string&) {
                       if (++asked == 3) written_ = false;
                     }),
            "one\n");
}

TEST_F(LogReaderTest, OnlyRegularFilesAreOpened) {
  EXPECT_EQ(ReadAll({}).status().code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(std::string(Message(ReadAll({}).status())), HasSubstr("is not a regular file"));
  std::filesystem::remove(path_);
  // A link into a file that is no log shows nothing of it.
  std::filesystem::create_symlink("/etc/passwd", path_);
  EXPECT_EQ(*ReadAll({}), "");
  std::filesystem::remove(path_);
  std::ofstream(directory_ + "/elsewhere") << Line("behind a link");
  std::filesystem::create_symlink(directory_ + "/elsewhere", path_);
  EXPECT_EQ(*ReadAll({}), "behind a link\n");
}

}  // namespace
}  // namespace cubelet::logs
