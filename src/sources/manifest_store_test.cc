#include "sources/manifest_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/strings.h"
#include "os/fault.h"

namespace cubelet::sources {
namespace {

namespace fs = std::filesystem;

std::string ManifestText(const std::string& name, const std::string& more = "") {
  return StrCat("{apiVersion: v1, kind: Pod, metadata: {name: ", name, more,
                "}, spec: {containers: [{name: c, image: i}]}}");
}

class ManifestStoreTest : public testing::Test {
 protected:
  ManifestStoreTest()
      : path_(fs::path(testing::TempDir()) / fs::path(StrCat("manifests-", ::getpid()))) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~ManifestStoreTest() override { fs::remove_all(path_); }

  std::string File(const std::string& name) const { return (path_ / name).string(); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(File(name), std::ios::trunc) << text;
  }

  ScanResult Scan(const std::set<std::string>& dirty = {}) {
    ScanResult result = ScanManifests(path_.string(), "lab", store_, dirty);
    store_ = result.store;
    return result;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const PodPtr& pod : PodsOf(*store_).pods) names.push_back(pod->metadata().name());
    return names;
  }

  using Strings = std::vector<std::string>;
  const fs::path path_;
  std::shared_ptr<const ManifestStore> store_;
};

// 1.3.3
TEST_F(ManifestStoreTest, WhichFiles) {
  Write("b.yaml", ManifestText("b"));
  Write("a", ManifestText("a"));
  Write(".hidden", ManifestText("hidden"));
  fs::create_directory(path_ / "dir");
  std::ofstream(path_ / "dir" / "c.yaml") << ManifestText("c");
  fs::create_symlink(path_ / "dir" / "c.yaml", path_ / "link.yaml");
  fs::create_symlink("/nowhere", path_ / "dead.yaml");
  ASSERT_EQ(::mkfifo(File("fifo").c_str(), 0600), 0);
  const ScanResult result = Scan();
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.path_exists);
  EXPECT_EQ(Names(), (Strings{"a-lab", "b-lab", "c-lab"}));
  EXPECT_TRUE(PodsOf(*store_).problems.empty());
}

TEST_F(ManifestStoreTest, NothingIsReadTwice) {
  Write("a", ManifestText("a"));
  Write("b", ManifestText("b"));
  EXPECT_EQ(Scan().read.size(), 2U);
  const PodPtr a = PodsOf(*store_).pods[0];
  EXPECT_TRUE(Scan().read.empty());
  EXPECT_EQ(PodsOf(*store_).pods[0], a) << "the same object";
  Write("b", ManifestText("b", ", labels: {x: z}"));
  EXPECT_EQ(Scan().read, (Strings{File("b")}));
  EXPECT_EQ(PodsOf(*store_).pods[0], a);
  EXPECT_EQ(Scan({"a"}).read, (Strings{File("a")})) << "told by the kernel";
  fs::remove(path_ / "a");
  Scan();
  EXPECT_EQ(Names(), (Strings{"b-lab"}));
}

TEST_F(ManifestStoreTest, BrokenManifestDisturbsNoOther) {
  Write("a", ManifestText("a"));
  Write("b", "{apiVersion: v1, kind: Pod");
  Write("big", std::string(kMaxManifestBytes + 1, ' '));
  Scan();
  EXPECT_EQ(Names(), (Strings{"a-lab"}));
  EXPECT_TRUE(PodsOf(*store_).problems.empty()) << "may be in the middle of being written";
  EXPECT_TRUE(store_->AnyUnconfirmed());
  Scan();
  const Problems problems = PodsOf(*store_).problems;
  EXPECT_FALSE(store_->AnyUnconfirmed());
  EXPECT_EQ(problems.size(), 2U);
  EXPECT_TRUE(problems.contains(File("b")));
  EXPECT_TRUE(problems.contains(File("big")));
  EXPECT_EQ(Names(), (Strings{"a-lab"}));
}

TEST_F(ManifestStoreTest, PodStaysWhileItsFileIsBeingWritten) {
  Write("a", ManifestText("a"));
  Scan();
  Write("a", "{apiVersion: v1,");
  Scan();
  EXPECT_EQ(Names(), (Strings{"a-lab"})) << "not yet certain";
  Write("a", ManifestText("a", ", labels: {new: one}"));
  Scan();
  EXPECT_EQ(Names(), (Strings{"a-lab"}));
  EXPECT_TRUE(PodsOf(*store_).pods[0]->metadata().labels().contains("new"));

  Write("a", "broken: [");
  Scan();
  Scan();
  EXPECT_TRUE(Names().empty()) << "certain";
  EXPECT_EQ(PodsOf(*store_).problems.size(), 1U);
  Scan();
  EXPECT_EQ(PodsOf(*store_).problems.size(), 1U);
  Write("a", ManifestText("a"));
  Scan();
  EXPECT_EQ(Names(), (Strings{"a-lab"}));
  EXPECT_TRUE(PodsOf(*store_).problems.empty());
}

// 1.3.5
TEST_F(ManifestStoreTest, SamePodTwice) {
  Write("a", ManifestText("same"));
  Write("b", ManifestText("same", ", labels: {from: b}"));
  Write("c", ManifestText("one", ", uid: fixed"));
  Write("d", ManifestText("two", ", uid: fixed"));
  Scan();
  const PodSet set = PodsOf(*store_);
  ASSERT_EQ(set.pods.size(), 2U);
  EXPECT_TRUE(set.pods[0]->metadata().labels().contains("from"));
  EXPECT_EQ(set.problems.at(File("a")),
            StrCat("the pod default/same-lab is in ", File("b"), " too, which counts"));
  EXPECT_EQ(set.problems.at(File("c")),
            StrCat("the UID \"fixed\" is in ", File("d"), " too, which counts"));
}

// 1.3.1, 1.3.2
TEST_F(ManifestStoreTest, OtherPaths) {
  Write("one.yaml", ManifestText("one"));
  ScanResult result = ScanManifests(File("one.yaml"), "lab", nullptr, {});
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(PodsOf(*result.store).pods.size(), 1U);

  result = ScanManifests(File("none"), "lab", result.store, {});
  EXPECT_TRUE(result.status.ok());
  EXPECT_FALSE(result.path_exists);
  EXPECT_TRUE(result.store->files.empty());

  ASSERT_EQ(::mkfifo(File("fifo").c_str(), 0600), 0);
  Scan();
  result = ScanManifests(File("fifo"), "lab", store_, {});
  EXPECT_EQ(result.status.message(), "path is not a directory or file");
  EXPECT_EQ(result.store, store_) << "what was known stays";
}

// What the disk does not give says nothing about what is wanted.
TEST_F(ManifestStoreTest, UnreadableFile) {
  Write("a", ManifestText("a"));
  Write("b", ManifestText("b"));
  for (const std::string& failing : {"open", "stat"}) {
    SCOPED_TRACE(failing);
    store_ = nullptr;
    const auto hook = [&](std::string_view operation, std::string_view path) {
      return operation == failing && path == File("a") ? EIO : 0;
    };
    os::SetFaultHookForTest(hook);
    Scan();
    Scan();
    EXPECT_EQ(Names(), (Strings{"b-lab"}));
    EXPECT_TRUE(store_->AnyUnknown());
    EXPECT_EQ(PodsOf(*store_).problems.size(), 1U);
    os::SetFaultHookForTest(nullptr);
    Scan();
    EXPECT_EQ(Names(), (Strings{"a-lab", "b-lab"})) << "read again though nothing has changed";
    EXPECT_FALSE(store_->AnyUnknown());
    os::SetFaultHookForTest(hook);
    for (int i = 0; i < 3; ++i) Scan({"a"});
    EXPECT_EQ(Names(), (Strings{"a-lab", "b-lab"}));
    EXPECT_FALSE(store_->AnyUnknown());
    EXPECT_EQ(PodsOf(*store_).problems.size(), 1U);
    os::SetFaultHookForTest(nullptr);
  }
}

}  // namespace
}  // namespace cubelet::sources
