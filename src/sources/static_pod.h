// From a manifest's text to a static pod (pod-lifecycle.md 1.3.6, 1.3.7, 1.5). Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/types.h"
#include "sources/source.h"

namespace cubelet::sources {

// Where a manifest comes from and where its pods are to run.
struct Origin {
  std::string source;    // api::kFileSource or api::kHttpSource
  std::string location;  // file path or URL; part of generated UIDs
  std::string node_name;
};

inline constexpr size_t kMaxManifestBytes = 10 << 20;

// A single Pod, in JSON or YAML, of apiVersion v1. The result is ready to be merged: defaulted,
// validated, with node, UID and annotations set. What only a running cluster can say of a pod (its
// status, its deletion, that it is a mirror) is dropped. Fields that no Pod has are passed over
// and, with `unknown` set, collected as paths. Errors say what is wrong, without the location:
// `couldn't parse as pod(<why>), please check config file`, `invalid pod: <why>`, `static pods may
// not reference <what>`.
absl::StatusOr<PodPtr> ParseStaticPod(std::string_view text, const Origin& origin,
                                      std::vector<std::string>* unknown = nullptr);

// A Pod or a PodList. One broken item keeps none of the others out.
struct ParsedPods {
  std::vector<PodPtr> pods;
  Problems problems;  // "items[2]" -> reason
};
absl::StatusOr<ParsedPods> ParseStaticPods(std::string_view text, const Origin& origin);

// A UID for a manifest that names none: 32 hex digits, the same for the same content at the same
// place on the same node, another for any other. Independent of how the content is written (YAML or
// JSON, order of keys, comments) and of what this version knows of it.
std::string GenerateUid(const boost::json::value& manifest, const Origin& origin);

}  // namespace cubelet::sources
