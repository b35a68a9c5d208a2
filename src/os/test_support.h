// For tests only: temporary directories, and real mounts that nobody else sees.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "os/mounts.h"
#include "os/tree.h"

namespace cubelet::os {

// A fresh directory, removed with all in it at the end of its life.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = ::testing::TempDir() + "/cubelet-XXXXXX";
    const char* made = ::mkdtemp(name.data());
    if (made == nullptr) std::abort();
    char* real = ::realpath(made, nullptr);
    path_ = real;
    ::free(real);
  }
  ~TemporaryDirectory() {
    const absl::Status removed = RemoveTree(path_);
    EXPECT_TRUE(removed.ok()) << removed;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Runs `body`, which uses EXPECT and ASSERT as usual, in a child process whose mounts are its own.
// False, with nothing run, where that is not allowed (no root): skip the test then.
inline bool RunWithPrivateMounts(const std::function<void()>& body) {
  std::fflush(nullptr);
  constexpr int kNotAllowed = 77;
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      ::_exit(kNotAllowed);
    body();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotAllowed) return false;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << "the child process failed with status " << status;
  return true;
}

}  // namespace cubelet::os
