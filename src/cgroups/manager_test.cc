#include "cgroups/manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "absl/cleanup/cleanup.h"
#include "base/strings.h"
#include "cgroups/destroy.h"
#include "cgroups/hierarchy.h"
#include "cgroups/kernel_files.h"
#include "os/fault.h"
#include "os/files.h"

namespace cubelet::cgroups {
namespace {

namespace fs = std::filesystem;
using api::QosClass;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string Read(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void Write(const fs::path& path, std::string_view text) { std::ofstream(path) << text; }

// A process that waits to be killed.
class Victim {
 public:
  Victim() : pid_(::fork()) {
    if (pid_ != 0) return;
    while (true) ::pause();
  }
  ~Victim() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

  // Whether it has been killed. Must be asked only once it is known to be dying.
  bool WaitKilled() {
    int status = 0;
    const bool waited = ::waitpid(std::exchange(pid_, 0), &status, 0) > 0;
    return waited && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  pid_t pid_;
};

// Stands for the kernel on a directory of ours: a new directory gets the files of its hierarchy, a
// write replaces what was there, and a directory goes with its files unless it has processes or
// children.
class FakeKernel {
 public:
  explicit FakeKernel(const std::string& name) : root_(testing::TempDir() + "/" + name) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    os::SetFaultHookForTest([this](std::string_view operation, std::string_view path) {
      if (!path.starts_with(root_)) return 0;
      if (fault_) {
        if (const int error = fault_(operation, path); error != 0) return error;
      }
      if (operation == "mkdir") return Make(fs::path(path));
      if (operation == "rmdir") return Remove(fs::path(path));
      if (operation == "write") Replace(fs::path(path));
      if (operation == "read") Settle(fs::path(path));
      return 0;
    });
  }
  ~FakeKernel() {
    os::SetFaultHookForTest(nullptr);
    fs::remove_all(root_);
  }

  const std::string& root() const { return root_; }
  void SetFault(os::FaultHook fault) { fault_ = std::move(fault); }

  using Files = std::map<std::string, std::string>;
  // A hierarchy at `directory` of the root, whose own files are `root_files` and those of new
  // cgroups `files`.
  void Mount(const std::string& directory, const Files& files, const Files& root_files = {}) {
    const fs::path path = directory.empty() ? root_ : root_ + "/" + directory;
    hierarchies_[path] = files;
    fs::create_directories(path);
    Fill(path, files);
    for (const auto& [name, text] : root_files) Write(path / name, text);
  }

 private:
  static void Fill(const fs::path& path, const Files& files) {
    Write(path / kProcs, "");
    for (const auto& [name, text] : files) Write(path / name, text);
  }

  int Make(const fs::path& path) {
    if (fs::exists(path)) return EEXIST;
    if (!fs::exists(path.parent_path())) return ENOENT;
    fs::create_directory(path);
    for (const auto& [root, files] : hierarchies_) {
      if (path.string().starts_with(root.string() + "/")) Fill(path, files);
    }
    return EEXIST;
  }

  void Replace(const fs::path& path) {
    before_[path] = Read(path);
    fs::resize_file(path, 0);
  }

  // What was written as "+a +b" reads as a part of the whole list.
  void Settle(const fs::path& path) {
    const std::string text = Read(path);
    if (path.filename() != kSubtreeControl || !text.starts_with("+")) return;
    std::string merged = before_[path].substr(0, before_[path].find('\n'));
    for (const std::string& word : Words(text))
      StrAppend(&merged, merged.empty() ? "" : " ", word.substr(1));
    Write(path, merged);
  }

  // Processes are gone once they are dead, or once a cgroup above them was killed.
  static bool HasProcesses(const fs::path& path) {
    for (fs::path above = path; above.has_relative_path(); above = above.parent_path()) {
      if (Read(above / kKill) == "1") return false;
    }
    for (const std::string& pid : Words(Read(path / kProcs))) {
      siginfo_t info = {};
      const int id = std::stoi(pid);
      if (::waitid(P_PID, static_cast<id_t>(id), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          info.si_pid == 0)
        return true;
    }
    return false;
  }

  static int Remove(const fs::path& path) {
    if (!fs::exists(path)) return ENOENT;
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.is_directory()) return EBUSY;
    }
    if (HasProcesses(path)) return EBUSY;
    for (const auto& entry : fs::directory_iterator(path)) fs::remove(entry.path());
    return 0;
  }

  const std::string root_;
  std::map<fs::path, Files> hierarchies_;
  std::map<fs::path, std::string> before_;
  os::FaultHook fault_;
};

class V1Test : public testing::Test {
 protected:
  V1Test() {
    kernel_.Mount("cpu,cpuacct",
                  {{kV1CpuShares, "1024"}, {kV1CpuQuota, "-1"}, {kV1CpuPeriod, "100000"}});
    kernel_.Mount("cpuset", {{kCpusetCpus, "\n"}, {kCpusetMems, "\n"}},
                  {{kCpusetCpus, "0-3\n"}, {kCpusetMems, "0\n"}});
    kernel_.Mount("memory", {{kV1MemoryLimit, "9223372036854771712"}});
    kernel_.Mount("freezer", {{kV1FreezerState, "THAWED"}});
    kernel_.Mount("systemd", {});
  }

  void Make(const std::string& cgroup_root = "/") {
    auto manager = CreateCgroupfsManager({cgroup_root, kernel_.root()});
    ASSERT_TRUE(manager.ok()) << manager.status();
    manager_ = *std::move(manager);
  }
  std::string At(const std::string& path) const { return kernel_.root() + "/" + path; }

  FakeKernel kernel_{"fake_v1"};
  std::unique_ptr<Manager> manager_;
};

TEST_F(V1Test, RootsAreMadeInEveryHierarchy) {
  Make();
  EXPECT_FALSE(manager_->IsV2());
  const absl::Status status =
      manager_->EnsureRoots({.cpu_shares = 2048, .memory_limit_bytes = 1 << 30});
  ASSERT_TRUE(status.ok()) << status;
  for (const char* hierarchy : {"cpu,cpuacct", "cpuset", "memory", "freezer", "systemd"}) {
    for (const char* path : {"/kubepods", "/kubepods/burstable", "/kubepods/besteffort"})
      EXPECT_TRUE(fs::is_directory(At(StrCat(hierarchy, path)))) << hierarchy << path;
  }
  EXPECT_EQ(Read(At("cpu,cpuacct/kubepods/cpu.shares")), "2048");
  EXPECT_EQ(Read(At("cpu,cpuacct/kubepods/besteffort/cpu.shares")), "2");
  EXPECT_EQ(Read(At("cpu,cpuacct/kubepods/burstable/cpu.shares")), "1024");
  EXPECT_EQ(Read(At("memory/kubepods/memory.limit_in_bytes")), "1073741824");
  EXPECT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(manager_->SetBurstableShares(512).ok());
  EXPECT_EQ(Read(At("cpu,cpuacct/kubepods/burstable/cpu.shares")), "512");
}

TEST_F(V1Test, CpusetsInheritFromTheirParents) {
  Make();
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  Write(At("cpuset/kubepods/cpuset.cpus"), "1");
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kGuaranteed, {}).ok());
  EXPECT_EQ(Read(At("cpuset/kubepods/poda/cpuset.cpus")), "1");
  EXPECT_EQ(Read(At("cpuset/kubepods/poda/cpuset.mems")), "0");
  Write(At("cpuset/kubepods/poda/cpuset.cpus"), "0");
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kGuaranteed, {}).ok());
  EXPECT_EQ(Read(At("cpuset/kubepods/poda/cpuset.cpus")), "0");
}

TEST_F(V1Test, PodsGetTheirResources) {
  Make();
  EXPECT_EQ(manager_->PodPath("a-b", QosClass::kBurstable), "/kubepods/burstable/poda-b");
  EXPECT_FALSE(manager_->PodExists("a-b", QosClass::kBurstable));
  const absl::Status status = manager_->EnsurePod("a-b", QosClass::kBurstable,
                                                  {.cpu_shares = 51,
                                                   .cpu_quota_us = 20000,
                                                   .cpu_period_us = 50000,
                                                   .memory_limit_bytes = 4096,
                                                   .pids_limit = -1,
                                                   .hugepage_limits = {{"2MB", 0}}});
  ASSERT_TRUE(status.ok()) << status;
  const std::string pod = At("cpu,cpuacct/kubepods/burstable/poda-b/");
  EXPECT_EQ(Read(pod + kV1CpuShares), "51");
  EXPECT_EQ(Read(pod + kV1CpuQuota), "20000");
  EXPECT_EQ(Read(pod + kV1CpuPeriod), "50000");
  EXPECT_EQ(Read(At("memory/kubepods/burstable/poda-b/memory.limit_in_bytes")), "4096");
  EXPECT_TRUE(manager_->PodExists("a-b", QosClass::kBurstable));
  EXPECT_FALSE(manager_->PodExists("a-b", QosClass::kBestEffort));

  // What is absent stays.
  ASSERT_TRUE(manager_->EnsurePod("a-b", QosClass::kBurstable, {.cpu_quota_us = -1}).ok());
  EXPECT_EQ(Read(pod + kV1CpuQuota), "-1");
  EXPECT_EQ(Read(pod + kV1CpuShares), "51");
}

TEST_F(V1Test, AShorterPeriodComesAfterItsQuota) {
  Make();
  bool refused = false;
  kernel_.SetFault([&](std::string_view operation, std::string_view path) {
    if (operation != "write" || !path.ends_with(kV1CpuPeriod)) return 0;
    const fs::path quota = fs::path(path).parent_path() / kV1CpuQuota;
    if (Read(quota) == "-1") {
      refused = true;
      return EINVAL;
    }
    return 0;
  });
  const absl::Status status = manager_->EnsurePod("a", QosClass::kGuaranteed,
                                                  {.cpu_quota_us = 5000, .cpu_period_us = 10000});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(refused);
  EXPECT_EQ(Read(At("cpu,cpuacct/kubepods/poda/cpu.cfs_period_us")), "10000");
}

TEST_F(V1Test, ErrorsNameTheFileAndTheValue) {
  Make();
  kernel_.SetFault([&](std::string_view operation, std::string_view path) {
    return operation == "write" && path.ends_with(kV1MemoryLimit) ? EBUSY : 0;
  });
  const absl::Status status =
      manager_->EnsurePod("a", QosClass::kGuaranteed, {.memory_limit_bytes = 4096});
  EXPECT_EQ(status.message(),
            StrCat("change cgroup /kubepods/poda: set to \"4096\": write ",
                   At("memory/kubepods/poda/memory.limit_in_bytes"), ": Device or resource busy"));
}

TEST_F(V1Test, MissingControllersMatterOnceALimitNeedsThem) {
  Make();
  absl::Status status = manager_->EnsurePod("a", QosClass::kGuaranteed, {.pids_limit = 10});
  EXPECT_THAT(std::string(status.message()), HasSubstr("cgroup v1 has no controller pids"));
  status = manager_->EnsurePod("a", QosClass::kGuaranteed, {.hugepage_limits = {{"2MB", 2 << 20}}});
  EXPECT_THAT(std::string(status.message()), HasSubstr("cgroup v1 has no controller hugetlb"));
}

TEST_F(V1Test, HugepagesAndPidsWhereTheyAre) {
  kernel_.Mount("pids", {{kPidsMax, "max"}});
  kernel_.Mount("hugetlb", {{"hugetlb.2MB.limit_in_bytes", "0"},
                            {"hugetlb.2MB.rsvd.limit_in_bytes", "0"},
                            {"hugetlb.1GB.limit_in_bytes", "0"}});
  Make();
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  EXPECT_EQ(Read(At("hugetlb/kubepods/burstable/hugetlb.2MB.limit_in_bytes")),
            "4611686018427387904");
  EXPECT_EQ(Read(At("hugetlb/kubepods/burstable/hugetlb.2MB.rsvd.limit_in_bytes")),
            "4611686018427387904");
  EXPECT_EQ(Read(At("hugetlb/kubepods/besteffort/hugetlb.1GB.limit_in_bytes")),
            "4611686018427387904");
  EXPECT_EQ(Read(At("hugetlb/kubepods/hugetlb.1GB.limit_in_bytes")), "0");
  const absl::Status status = manager_->EnsurePod(
      "a", QosClass::kGuaranteed,
      {.pids_limit = 10, .hugepage_limits = {{"2MB", 4 << 20}, {"1GB", 0}, {"64KB", 0}}});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("pids/kubepods/poda/pids.max")), "10");
  EXPECT_EQ(Read(At("hugetlb/kubepods/poda/hugetlb.2MB.limit_in_bytes")), "4194304");
  EXPECT_EQ(Read(At("hugetlb/kubepods/poda/hugetlb.2MB.rsvd.limit_in_bytes")), "4194304");
  EXPECT_EQ(Read(At("hugetlb/kubepods/poda/hugetlb.1GB.limit_in_bytes")), "0");
}

TEST_F(V1Test, ACgroupRootMustExist) {
  Make("/kubelet/");
  absl::Status status = manager_->EnsureRoots({});
  EXPECT_EQ(status.message(), StrCat("cgroupRoot: \"/kubelet\" does not exist: there is no ",
                                     At("cpu,cpuacct/kubelet")));
  for (const char* hierarchy : {"cpu,cpuacct", "cpuset", "memory", "systemd"})
    ASSERT_TRUE(os::MakeDirectories(At(StrCat(hierarchy, "/kubelet")), 0755).ok());
  status = manager_->EnsureRoots({});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("cpuset/kubelet/kubepods/cpuset.cpus")), "0-3");
  EXPECT_EQ(manager_->PodPath("a", QosClass::kBestEffort), "/kubelet/kubepods/besteffort/poda");
}

TEST_F(V1Test, BadNamesAreRefused) {
  EXPECT_FALSE(CreateCgroupfsManager({"/a/../b", kernel_.root()}).ok());
  Make();
  for (const std::string& uid :
       {std::string(), std::string("a/b"), std::string(300, 'x'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(manager_->EnsurePod(uid, QosClass::kGuaranteed, {}).ok()) << uid;
    EXPECT_FALSE(manager_->DestroyPod(uid).ok()) << uid;
    EXPECT_FALSE(manager_->PodExists(uid, QosClass::kGuaranteed)) << uid;
  }
}

TEST_F(V1Test, PodsAreListedOnceFromAnyHierarchy) {
  Make();
  EXPECT_THAT(*manager_->ListPods(), IsEmpty());
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kGuaranteed, {}).ok());
  ASSERT_TRUE(manager_->EnsurePod("b", QosClass::kBestEffort, {}).ok());
  fs::create_directory(At("memory/kubepods/burstable/podleft"));
  fs::create_directory(At("memory/kubepods/burstable/other"));
  Write(At("memory/kubepods/podfile"), "");
  const auto pods = manager_->ListPods();
  ASSERT_TRUE(pods.ok()) << pods.status();
  std::vector<std::string> names;
  for (const PodCgroup& pod : *pods)
    names.push_back(StrCat(pod.uid, " ", api::QosClassName(pod.qos)));
  EXPECT_THAT(names, ElementsAre("a Guaranteed", "left Burstable", "b BestEffort"));
}

TEST_F(V1Test, DestroyTakesThePodAndNothingElse) {
  Make();
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kGuaranteed, {}).ok());
  ASSERT_TRUE(manager_->EnsurePod("aa", QosClass::kBurstable, {}).ok());
  for (const char* path :
       {"memory/kubepods/burstable/poda/c1", "memory/kubepods/burstable/poda/c1/x",
        "memory/kubepods/burstable/poda/c2"})
    ASSERT_TRUE(os::MakeDirectories(At(path), 0755).ok());
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  for (const char* hierarchy : {"cpu,cpuacct", "cpuset", "memory", "freezer", "systemd"}) {
    EXPECT_FALSE(fs::exists(At(StrCat(hierarchy, "/kubepods/burstable/poda"))));
    EXPECT_FALSE(fs::exists(At(StrCat(hierarchy, "/kubepods/poda"))));
  }
  EXPECT_TRUE(manager_->PodExists("aa", QosClass::kBurstable));
  EXPECT_TRUE(manager_->DestroyPod("a").ok());
}

TEST_F(V1Test, DestroyKillsWhatRunsInsideAndThaws) {
  Make();
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  ASSERT_TRUE(os::MakeDirectories(At("memory/kubepods/burstable/poda/c1"), 0755).ok());
  Victim inside, outside;
  Write(At("memory/kubepods/burstable/poda/c1/cgroup.procs"), StrCat(inside.pid(), "\n"));
  Write(At("memory/kubepods/burstable/cgroup.procs"), StrCat(outside.pid(), "\n"));
  Write(At("freezer/kubepods/burstable/poda/freezer.state"), "FROZEN");
  std::string thawed;
  kernel_.SetFault([&](std::string_view operation, std::string_view path) {
    if (operation == "write" && path.ends_with(kV1FreezerState)) thawed = path;
    return 0;
  });
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(inside.WaitKilled());
  EXPECT_EQ(::kill(outside.pid(), 0), 0);
  EXPECT_EQ(::waitpid(outside.pid(), nullptr, WNOHANG), 0);
  EXPECT_EQ(thawed, "");  // nothing was busy there
  EXPECT_FALSE(fs::exists(At("memory/kubepods/burstable/poda")));
}

TEST_F(V1Test, DestroyGivesUpWithTheNameOfWhatIsBusy) {
  Make();
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  ASSERT_TRUE(os::MakeDirectories(At("memory/kubepods/burstable/poda/c1"), 0755).ok());
  const std::string busy = At("memory/kubepods/burstable/poda/c1");
  bool freed = false;
  kernel_.SetFault([&](std::string_view operation, std::string_view path) {
    return operation == "rmdir" && path == busy && !freed ? EBUSY : 0;
  });
  absl::Status status = manager_->DestroyPod("a");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(status.message(),
            StrCat("destroy cgroup of pod a: rmdir ", busy, ": Device or resource busy"));
  freed = true;
  status = manager_->DestroyPod("a");
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(V1Test, ProcessesThatAreNotOursAreNeverSignalled) {
  Make();
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  for (const std::string& pid : {std::string("0"), std::string("1"), StrCat(::getpid())}) {
    Write(At("memory/kubepods/burstable/poda/cgroup.procs"), pid + "\n");
    EXPECT_THAT(std::string(manager_->DestroyPod("a").message()),
                HasSubstr(StrCat("process ", pid, " is not ours to kill")));
  }
}

// v2 mounted beside v1, where the runtime makes cgroups of the same paths and leaves them.
class HybridTest : public V1Test {
 protected:
  HybridTest() { kernel_.Mount("unified", {{kControllers, "\n"}, {kKill, ""}}); }
};

TEST_F(HybridTest, NothingIsMadeInTheUnifiedHierarchy) {
  Make();
  EXPECT_FALSE(manager_->IsV2());
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  EXPECT_TRUE(manager_->PodExists("a", QosClass::kBurstable));
  EXPECT_FALSE(fs::exists(At("unified/kubepods")));
}

TEST_F(HybridTest, DestroyTakesWhatTheRuntimeLeftInTheUnifiedHierarchy) {
  Make("/node");
  for (const char* hierarchy : {"cpu,cpuacct", "cpuset", "memory", "freezer", "systemd"})
    ASSERT_TRUE(os::MakeDirectories(At(StrCat(hierarchy, "/node")), 0755).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  for (const char* path :
       {"unified/node/kubepods/burstable/poda/c1/x", "unified/node/kubepods/burstable/poda/c2",
        "unified/node/kubepods/burstable/podaa/c1", "unified/node/kubepods/burstable/other",
        "unified/kubepods/burstable/poda/c1"})
    ASSERT_TRUE(os::MakeDirectories(At(path), 0755).ok());
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(fs::exists(At("memory/node/kubepods/burstable/poda")));
  EXPECT_FALSE(fs::exists(At("unified/node/kubepods/burstable/poda")));
  for (const char* path :
       {"unified/node/kubepods/burstable/podaa/c1", "unified/node/kubepods/burstable/other",
        "unified/kubepods/burstable/poda/c1"})
    EXPECT_TRUE(fs::exists(At(path))) << path;
}

TEST_F(HybridTest, WhatIsLeftOnlyInTheUnifiedHierarchyIsListed) {
  Make();
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(os::MakeDirectories(At("unified/kubepods/besteffort/podleft"), 0755).ok());
  const auto pods = manager_->ListPods();
  ASSERT_TRUE(pods.ok()) << pods.status();
  ASSERT_EQ(pods->size(), 1u);
  EXPECT_EQ((*pods)[0].uid, "left");
  ASSERT_TRUE(manager_->DestroyPod("left").ok());
  EXPECT_FALSE(fs::exists(At("unified/kubepods/besteffort/podleft")));
}

class V2Test : public testing::Test {
 protected:
  explicit V2Test(
      const std::string& root_controllers = "cpuset cpu io memory hugetlb pids rdma\n") {
    kernel_.Mount("",
                  {{kControllers, "cpuset cpu memory hugetlb pids\n"},
                   {kSubtreeControl, "\n"},
                   {kKill, ""},
                   {kV2CpuWeight, "100\n"},
                   {kV2CpuMax, "max 100000\n"},
                   {kV2MemoryMax, "max\n"},
                   {kPidsMax, "max\n"},
                   {"hugetlb.2MB.max", "0\n"},
                   {"hugetlb.2MB.rsvd.max", "0\n"}},
                  {{kControllers, root_controllers}, {kSubtreeControl, "cpu memory\n"}});
  }
  void Make(const std::string& cgroup_root = "/") {
    auto manager = CreateCgroupfsManager({cgroup_root, kernel_.root()});
    ASSERT_TRUE(manager.ok()) << manager.status();
    manager_ = *std::move(manager);
  }
  std::string At(const std::string& path) const { return kernel_.root() + "/" + path; }

  FakeKernel kernel_{"fake_v2"};
  std::unique_ptr<Manager> manager_;
};

TEST_F(V2Test, RootsGiveTheirControllersOn) {
  Make();
  EXPECT_TRUE(manager_->IsV2());
  const absl::Status status = manager_->EnsureRoots(
      {.cpu_shares = 1024, .memory_limit_bytes = 1 << 30, .pids_limit = 1000});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("cgroup.subtree_control")), "cpu memory cpuset pids hugetlb");
  EXPECT_EQ(Read(At("kubepods/cgroup.subtree_control")), "cpu cpuset memory pids hugetlb");
  EXPECT_EQ(Read(At("kubepods/burstable/cgroup.subtree_control")), "\n");
  EXPECT_EQ(Read(At("kubepods/cpu.weight")), "39");
  EXPECT_EQ(Read(At("kubepods/memory.max")), "1073741824");
  EXPECT_EQ(Read(At("kubepods/pids.max")), "1000");
  EXPECT_EQ(Read(At("kubepods/besteffort/cpu.weight")), "1");
  EXPECT_EQ(Read(At("kubepods/burstable/hugetlb.2MB.max")), "4611686018427387904");
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  EXPECT_EQ(Read(At("kubepods/burstable/cgroup.subtree_control")),
            "+cpu +cpuset +memory +pids +hugetlb");
}

TEST_F(V2Test, WhatIsGivenOnAlreadyIsNotWritten) {
  Make();
  Write(At("cgroup.subtree_control"), "cpuset cpu memory hugetlb pids io\n");
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  EXPECT_EQ(Read(At("cgroup.subtree_control")), "cpuset cpu memory hugetlb pids io\n");
}

TEST_F(V2Test, AboveTheCgroupRootNothingIsChanged) {
  Make("/kubelet");
  EXPECT_THAT(std::string(manager_->EnsureRoots({}).message()),
              HasSubstr("cgroupRoot: \"/kubelet\" does not exist"));
  ASSERT_TRUE(os::MakeDirectories(At("kubelet"), 0755).ok());
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  EXPECT_EQ(Read(At("cgroup.subtree_control")), "cpu memory\n");
  EXPECT_EQ(Read(At("kubelet/cgroup.subtree_control")), "cpu cpuset memory pids hugetlb");
  Write(At("kubelet/cgroup.controllers"), "cpu memory\n");
  EXPECT_EQ(manager_->EnsureRoots({}).message(),
            "cgroup \"/kubelet\" has some missing controllers: cpuset, pids, hugetlb");
}

TEST_F(V2Test, PodsGetTheirResources) {
  Make();
  absl::Status status = manager_->EnsurePod("a", QosClass::kGuaranteed,
                                            {.cpu_shares = 2048,
                                             .cpu_quota_us = 20000,
                                             .cpu_period_us = 50000,
                                             .memory_limit_bytes = 4096,
                                             .pids_limit = 7,
                                             .hugepage_limits = {{"2MB", 2 << 20}, {"1GB", 0}}});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("kubepods/poda/cpu.weight")), "79");
  EXPECT_EQ(Read(At("kubepods/poda/cpu.max")), "20000 50000");
  EXPECT_EQ(Read(At("kubepods/poda/memory.max")), "4096");
  EXPECT_EQ(Read(At("kubepods/poda/pids.max")), "7");
  EXPECT_EQ(Read(At("kubepods/poda/hugetlb.2MB.max")), "2097152");
  EXPECT_EQ(Read(At("kubepods/poda/hugetlb.2MB.rsvd.max")), "2097152");
  status = manager_->EnsurePod("a", QosClass::kGuaranteed, {.cpu_period_us = 10000});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("kubepods/poda/cpu.max")), "20000 10000");
  status = manager_->EnsurePod("a", QosClass::kGuaranteed,
                               {.cpu_quota_us = -1, .memory_limit_bytes = -1, .pids_limit = -1});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Read(At("kubepods/poda/cpu.max")), "max");
  EXPECT_EQ(Read(At("kubepods/poda/memory.max")), "max");
  EXPECT_EQ(Read(At("kubepods/poda/pids.max")), "max");
  status = manager_->EnsurePod("a", QosClass::kGuaranteed, {.hugepage_limits = {{"1GB", 1 << 30}}});
  EXPECT_THAT(std::string(status.message()), HasSubstr("hugetlb.1GB.max"));
}

TEST_F(V2Test, DestroyLetsTheKernelKill) {
  Make();
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  ASSERT_TRUE(os::MakeDirectories(At("kubepods/burstable/poda/c1/deep"), 0755).ok());
  Victim spared;  // in the list of the fake kernel, which kills by cgroup.kill alone
  Write(At("kubepods/burstable/poda/c1/deep/cgroup.procs"), StrCat(spared.pid(), "\n"));
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_FALSE(fs::exists(At("kubepods/burstable/poda")));
  EXPECT_EQ(::waitpid(spared.pid(), nullptr, WNOHANG), 0);
}

class V2WithoutHugetlbTest : public V2Test {
 protected:
  V2WithoutHugetlbTest() : V2Test("cpuset cpu io memory pids\n") {}
};

TEST_F(V2WithoutHugetlbTest, WhatTheMachineDoesNotHaveIsNotAskedFor) {
  Make();
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  EXPECT_EQ(Read(At("kubepods/cgroup.subtree_control")), "cpu cpuset memory pids");
}

// The machine's own v1 hierarchies, below a cgroup root that no one else has.
class RealV1Test : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto layout = FindLayout(kMountRoot);
    if (!layout.ok() || layout->v2 || !CheckControllers(*layout).ok())
      GTEST_SKIP() << "needs cgroup v1 at " << kMountRoot;
    root_ = StrCat("/cubelet-test-", ::getpid(), "-", os::RandomHex(8));
    for (const Hierarchy& hierarchy : layout->hierarchies) {
      const std::string directory = hierarchy.directory + root_;
      if (const absl::Status made = os::MakeDirectories(directory, 0755); !made.ok())
        GTEST_SKIP() << "needs writable cgroups: " << made;
      directories_.push_back(directory);
    }
    if (!layout->unified.empty()) {
      unified_ = layout->unified + root_;
      directories_.push_back(unified_);
    }
    auto manager = CreateCgroupfsManager({root_, kMountRoot});
    ASSERT_TRUE(manager.ok()) << manager.status();
    manager_ = *std::move(manager);
  }
  void TearDown() override {
    const absl::Status status = DestroyCgroup(directories_);
    EXPECT_TRUE(status.ok()) << status;
  }

  static constexpr char kMountRoot[] = "/sys/fs/cgroup";
  std::string root_;
  std::vector<std::string> directories_;
  std::string unified_;  // "" where v2 is not mounted beside v1
  std::unique_ptr<Manager> manager_;
};

TEST_F(RealV1Test, TheKernelTakesWhatWeWrite) {
  absl::Status status = manager_->EnsureRoots({.cpu_shares = 2048, .memory_limit_bytes = 1 << 30});
  ASSERT_TRUE(status.ok()) << status;
  status = manager_->EnsurePod("a", QosClass::kGuaranteed,
                               {.cpu_shares = 512,
                                .cpu_quota_us = 50000,
                                .cpu_period_us = 100000,
                                .memory_limit_bytes = 64 << 20,
                                .pids_limit = -1});
  ASSERT_TRUE(status.ok()) << status;
  const std::string cpu = StrCat(kMountRoot, "/cpu", manager_->PodPath("a", QosClass::kGuaranteed));
  EXPECT_EQ(Read(StrCat(cpu, "/", kV1CpuShares)), "512\n");
  EXPECT_EQ(Read(StrCat(cpu, "/", kV1CpuQuota)), "50000\n");
  const std::string memory =
      StrCat(kMountRoot, "/memory", manager_->PodPath("a", QosClass::kGuaranteed));
  EXPECT_EQ(Read(StrCat(memory, "/", kV1MemoryLimit)), "67108864\n");
  const std::string cpuset =
      StrCat(kMountRoot, "/cpuset", manager_->PodPath("a", QosClass::kGuaranteed));
  EXPECT_EQ(Read(StrCat(cpuset, "/", kCpusetCpus)),
            Read(StrCat(kMountRoot, "/cpuset/", kCpusetCpus)));

  // A quota over a longer period does not fit below the old one of the class; it goes in step.
  status = manager_->EnsurePod("a", QosClass::kGuaranteed,
                               {.cpu_quota_us = 5000, .cpu_period_us = 10000});
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(manager_->PodExists("a", QosClass::kGuaranteed));
  EXPECT_EQ(manager_->ListPods()->size(), 1u);
}

TEST_F(RealV1Test, DestroyEndsFrozenProcessesToo) {
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  Victim victim;
  for (const char* hierarchy : {"memory", "freezer", "cpuset"}) {
    const std::string child =
        StrCat(kMountRoot, "/", hierarchy, manager_->PodPath("a", QosClass::kBurstable), "/c1");
    if (!fs::exists(fs::path(child).parent_path())) continue;
    ASSERT_TRUE(os::MakeDirectories(child, 0755).ok());
    for (const char* file : {kCpusetCpus, kCpusetMems}) {
      const fs::path parent = fs::path(child).parent_path() / file;
      if (fs::exists(parent)) Write(child + "/" + file, Read(parent));
    }
    Write(child + "/" + kProcs, StrCat(victim.pid()));
    ASSERT_EQ(Read(child + "/" + kProcs), StrCat(victim.pid(), "\n")) << hierarchy;
  }
  const std::string freezer =
      StrCat(kMountRoot, "/freezer", manager_->PodPath("a", QosClass::kBurstable), "/c1/",
             kV1FreezerState);
  // A frozen victim would keep a failed test waiting for its end.
  const absl::Cleanup thaw = [&] {
    if (fs::exists(freezer)) Write(freezer, kV1Thawed);
  };
  Write(freezer, "FROZEN");
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(victim.WaitKilled());
  EXPECT_FALSE(manager_->PodExists("a", QosClass::kBurstable));
  EXPECT_THAT(*manager_->ListPods(), IsEmpty());
}

// As runc leaves a container's cgroup; here with a process still in it.
TEST_F(RealV1Test, DestroyReachesTheUnifiedHierarchy) {
  if (unified_.empty()) GTEST_SKIP() << "needs cgroup v2 mounted beside v1";
  ASSERT_TRUE(manager_->EnsureRoots({}).ok());
  ASSERT_TRUE(manager_->EnsurePod("a", QosClass::kBurstable, {}).ok());
  const std::string pod = unified_ + "/kubepods/burstable/poda";
  ASSERT_TRUE(os::MakeDirectories(pod + "/c1", 0755).ok());
  Victim victim;
  Write(pod + "/c1/" + kProcs, StrCat(victim.pid()));
  ASSERT_EQ(Read(pod + "/c1/" + kProcs), StrCat(victim.pid(), "\n"));
  const absl::Status status = manager_->DestroyPod("a");
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_FALSE(fs::exists(pod));
  EXPECT_TRUE(victim.WaitKilled());
  EXPECT_TRUE(fs::exists(unified_ + "/kubepods/burstable"));
}

}  // namespace
}  // namespace cubelet::cgroups
