#include "sources/file_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "base/strings.h"
#include "os/fault.h"
#include "sources/source_test_util.h"

namespace cubelet::sources {
namespace {

namespace fs = std::filesystem;

class FileSourceTest : public LoopTest {
 protected:
  FileSourceTest() : path_(fs::path(testing::TempDir()) / StrCat("static-", ::getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~FileSourceTest() override { fs::remove_all(path_); }

  // The rescan is so far away that only inotify can bring a change in time.
  void Start(const std::string& path, absl::Duration check_frequency = absl::Minutes(10)) {
    FileSource::Options options;
    options.path = path;
    options.node_name = "lab";
    options.check_frequency = check_frequency;
    source_object_ = std::make_unique<FileSource>(*loop_, options, Collect(), CollectProblems());
    source_object_->Start(work_);
  }

  static std::string Text(const std::string& name) {
    return StrCat("{apiVersion: v1, kind: Pod, metadata: {name: ", name,
                  "}, spec: {containers: [{name: c, image: i}]}}");
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name, std::ios::trunc) << text;
  }

  async::Task<void> Changes();
  async::Task<void> Broken();
  async::Task<void> SingleFile();
  async::Task<void> Missing();
  async::Task<void> Rescan();
  async::Task<void> Incomplete();

  const fs::path path_;
  std::unique_ptr<FileSource> source_object_;
};

async::Task<void> FileSourceTest::Changes() {
  Write("a.yaml", Text("a"));
  Start(path_.string() + "//");
  co_await Eventually([this] { return deliveries_ == 1; });
  EXPECT_EQ(source_, "file");
  EXPECT_EQ(Names(), "a-lab ");
  EXPECT_TRUE(complete_);

  Write("b.yaml", Text("b"));
  co_await Eventually([this] { return Names() == "a-lab b-lab "; });
  fs::rename(path_ / "b.yaml", path_ / ".b.yaml");
  co_await Eventually([this] { return Names() == "a-lab "; });
  Write("tmp", Text("c"));
  co_await Eventually([this] { return Names() == "a-lab c-lab "; });
  fs::rename(path_ / "tmp", path_ / "a.yaml");
  co_await Eventually([this] { return Names() == "c-lab "; });
  fs::remove(path_ / "a.yaml");
  co_await Eventually([this] { return Names().empty(); });

  // What is not ours wakes nobody.
  const int before = deliveries_;
  Write(".hidden", Text("hidden"));
  co_await loop_->Sleep(absl::Milliseconds(100));
  EXPECT_EQ(deliveries_, before);
}

TEST_F(FileSourceTest, ChangesArriveAtOnce) { Run(Changes()); }

async::Task<void> FileSourceTest::Broken() {
  Write("a.yaml", Text("a"));
  Write("bad.yaml", "kind: [");
  Start(path_.string());
  co_await Eventually([this] { return problems_.size() == 1; });
  EXPECT_EQ(problems_.begin()->first, (path_ / "bad.yaml").string());
  EXPECT_EQ(Names(), "a-lab ");
  Write("bad.yaml", Text("good"));
  co_await Eventually([this] { return Names() == "a-lab good-lab "; });
  EXPECT_TRUE(problems_.empty());
}

TEST_F(FileSourceTest, BrokenManifests) { Run(Broken()); }

async::Task<void> FileSourceTest::SingleFile() {
  Write("one.yaml", Text("one"));
  Start((path_ / "one.yaml").string());
  co_await Eventually([this] { return Names() == "one-lab "; });
  Write("new", Text("two"));
  fs::rename(path_ / "new", path_ / "one.yaml");
  co_await Eventually([this] { return Names() == "two-lab "; });
}

TEST_F(FileSourceTest, SingleFileThatIsReplaced) { Run(SingleFile()); }

async::Task<void> FileSourceTest::Missing() {
  const fs::path later = path_ / "later";
  Start(later.string());
  co_await Eventually([this] { return deliveries_ == 1; });
  EXPECT_TRUE(pods_.empty()) << "the source has been heard";
  fs::create_directory(later);
  std::ofstream(later / "a.yaml") << Text("a");
  co_await Eventually([this] { return Names() == "a-lab "; });
  fs::remove_all(later);
  co_await Eventually([this] { return Names().empty(); });
}

TEST_F(FileSourceTest, PathThatComesAndGoes) { Run(Missing()); }

// What inotify does not see: a link whose target changes.
async::Task<void> FileSourceTest::Rescan() {
  const fs::path elsewhere = path_.string() + "-elsewhere";
  std::ofstream(elsewhere) << Text("a");
  fs::create_symlink(elsewhere, path_ / "link.yaml");
  Start(path_.string(), absl::Milliseconds(50));
  co_await Eventually([this] { return Names() == "a-lab "; });
  std::ofstream(elsewhere, std::ios::trunc) << Text("b");
  co_await Eventually([this] { return Names() == "b-lab "; });
  fs::remove(elsewhere);
  co_await Eventually([this] { return Names().empty(); });
}

TEST_F(FileSourceTest, RescanSeesTheRest) { Run(Rescan()); }

async::Task<void> FileSourceTest::Incomplete() {
  Write("a.yaml", Text("a"));
  Write("b.yaml", Text("b"));
  os::SetFaultHookForTest([this](std::string_view operation, std::string_view path) {
    return operation == "open" && path == (path_ / "a.yaml").string() ? EIO : 0;
  });
  Start(path_.string());
  co_await Eventually([this] { return deliveries_ == 1; });
  EXPECT_EQ(Names(), "b-lab ");
  EXPECT_FALSE(complete_);
  os::SetFaultHookForTest(nullptr);
  co_await Eventually([this] { return Names() == "a-lab b-lab "; });
  EXPECT_TRUE(complete_);
}

TEST_F(FileSourceTest, SetIsNotCompleteWhileAFileCouldNeverBeRead) { Run(Incomplete()); }

}  // namespace
}  // namespace cubelet::sources
