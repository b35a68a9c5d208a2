// A folder of files for one test, removed at its end.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/strings.h"

namespace cubelet::config {

class TestFiles {
 public:
  TestFiles()
      : root_(StrCat(::testing::TempDir(), "config-",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name(), "-",
                     ::getpid())) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~TestFiles() { std::filesystem::remove_all(root_); }
  TestFiles(const TestFiles&) = delete;
  TestFiles& operator=(const TestFiles&) = delete;

  const std::string& root() const { return root_; }
  std::string Path(std::string_view name) const { return StrCat(root_, "/", name); }

  // Writes the file, with the folders it is in; gives its path.
  std::string Write(std::string_view name, std::string_view content) const {
    const std::string path = Path(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  // A KubeletConfiguration with `body` behind apiVersion and kind.
  std::string WriteConfig(std::string_view name, std::string_view body) const {
    return Write(name, StrCat("apiVersion: kubelet.config.k8s.io/v1beta1\n"
                              "kind: KubeletConfiguration\n",
                              body));
  }

 private:
  std::string root_;
};

}  // namespace cubelet::config
