// Giving memory back that is not needed any more.
#pragma once

namespace cubelet::os {

// Unmaps the pages of programs and libraries that are in memory only because something once ran
// through them, and returns free heap pages to the kernel. What is needed again is mapped again
// from the page cache, at the cost of a minor fault for sixteen pages. Worth it after a phase that
// does not come back soon: the start, a burst of pods. Blocks for a millisecond or two.
void ReleaseColdMemory();

}  // namespace cubelet::os
