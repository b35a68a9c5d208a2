// A seam for tests: a simulation makes file operations fail (ENOSPC, EIO) to see that what is on
// disk stays whole. Outside of tests no hook is set and nothing is asked.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cubelet::os {

// Given the operation ("open", "read", "write", "chmod", "sync", "rename", "mkdir", "unlink",
// "rmdir", "symlink", "list", "stat", "mount", "umount", ...) and the path it is for, returns the
// errno to fail with, or 0 to let it happen. Asked before the operation, on the thread that does
// it.
using FaultHook = std::function<int(std::string_view operation, std::string_view path)>;

// Sets the process-wide hook; an empty one removes it. Not while an operation may be running on
// another thread.
void SetFaultHookForTest(FaultHook hook);

// The errno that `operation` on `path` is to fail with, 0 for none.
int InjectedFault(std::string_view operation, std::string_view path);

}  // namespace cubelet::os
