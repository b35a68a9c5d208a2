// What the sources of pods deliver, and to whom.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/types.h"

namespace cubelet::sources {

// Takes all pods the source wants now. Called on the loop, also with an empty set when the source
// is there but has no pods. What the source did not mention is no longer wanted; pods of other
// sources are untouched (merge.h). The set is not complete as long as the source holds something
// that could never be read: pods of an earlier life of the agent may be wanted and not mentioned.
using Deliver = std::function<void(std::string source, std::vector<PodPtr> pods, bool complete)>;

// Why manifests are not in the set: file path or URL -> reason. Called with all of them whenever
// the map has changed; empty when all is well.
using Problems = std::map<std::string, std::string>;
using ReportProblems = std::function<void(const Problems& problems)>;

}  // namespace cubelet::sources
