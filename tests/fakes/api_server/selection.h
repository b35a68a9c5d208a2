// Which objects a list or watch is about: its label and field selectors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/selectors.h"
#include "fakes/api_server/objects.h"

namespace cubelet::fakes {

class Selection {
 public:
  // "" selects everything. Error: a selector that cannot be read.
  static absl::StatusOr<Selection> Parse(std::string_view labels, std::string_view fields);

  bool Matches(const Message& object) const;

 private:
  struct FieldRequirement {
    std::string path;
    std::string value;
    bool equal = true;
  };

  api::Selector labels_ = api::Selector::Everything();
  std::vector<FieldRequirement> fields_;
};

}  // namespace cubelet::fakes
