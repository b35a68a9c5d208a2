// Values as text on the command line and in the tables, in the syntax of the original's flags: Go's
// numbers, booleans and durations; lists and maps separated by commas. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "k8s.io/api/core/v1/generated.pb.h"
#include "kubelet/config/v1beta1/configuration.pb.h"

namespace cubelet::config {

enum class ValueKind {
  kDefault,
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kDouble,
  kString,
  kDuration,
  kQuantity,
  kIp,
  kStringList,
  kIntList,
  kStringMap,        // key=value,...
  kBoolMap,          // key=true,...
  kThresholdMap,     // key<value,...
  kHeaderMap,        // name:value,... with names repeated
  kTaints,           // key=value:effect,...
  kReservedMemory,   // node:type=quantity,...;...
  kPriorityPeriods,  // has no text
  kVmodule,          // pattern=N,...
  kVersion,          // true, false, raw or a version
};

// The kind as --help names it; "" for booleans.
const char* KindName(ValueKind kind);

// 1, t, T, TRUE, true, True and the same for false. Error: `strconv.ParseBool: parsing "x": invalid
// syntax`, as those below: scripts know these messages.
absl::StatusOr<bool> ParseBool(std::string_view text);

// Decimal, or 0x, 0o, 0b and 0 prefixed, with underscores between digits then.
absl::StatusOr<int64_t> ParseInt(std::string_view text, int64_t min, int64_t max);

absl::StatusOr<double> ParseDouble(std::string_view text);
absl::StatusOr<absl::Duration> ParseDuration(std::string_view text);

// Error: `invalid IP address: "x"`.
absl::Status CheckIp(std::string_view text);

// The fields of one line of CSV; "" is no field.
absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text);

// Pairs separated by commas, split at the first `separator`; blanks around keys and values go.
// Error: "malformed pair, expect string<separator><value_type>".
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ParsePairs(
    std::string_view text, char separator, std::string_view value_type = "string");

// "key=value:effect,key:effect,...". Errors name the taint.
absl::StatusOr<std::vector<k8s::io::api::core::v1::Taint>> ParseTaints(std::string_view text);

// "N:memory=1Gi,hugepages-2Mi=2Gi;M:..." Errors name the part.
absl::StatusOr<std::vector<v1beta1::MemoryReservation>> ParseReservedMemory(std::string_view text);

// "pattern=N,...".
absl::StatusOr<std::vector<v1beta1::VModuleItem>> ParseVmodule(std::string_view text);

}  // namespace cubelet::config
