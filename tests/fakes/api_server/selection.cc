#include "fakes/api_server/selection.h"

#include <absl/strings/str_split.h>

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::fakes {

absl::StatusOr<Selection> Selection::Parse(std::string_view labels, std::string_view fields) {
  Selection selection;
  if (!labels.empty()) {
    ASSIGN_OR_RETURN(selection.labels_, api::Selector::Parse(labels));
  }
  for (const absl::string_view part : absl::StrSplit(ToAbsl(fields), ',', absl::SkipEmpty())) {
    const std::string_view text = ToStd(part);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return absl::InvalidArgumentError(
          StrCat("invalid field selector ", GoQuote(text), ": can't understand it"));
    FieldRequirement requirement;
    requirement.equal = text[equals - 1] != '!';
    requirement.path = text.substr(0, requirement.equal ? equals : equals - 1);
    const size_t value = text.find_first_not_of('=', equals);
    if (value != std::string_view::npos) requirement.value = text.substr(value);
    selection.fields_.push_back(std::move(requirement));
  }
  return selection;
}

bool Selection::Matches(const Message& object) const {
  if (!labels_.Matches(MetaOf(object).labels())) return false;
  for (const FieldRequirement& requirement : fields_) {
    if ((TextAt(object, requirement.path) == requirement.value) != requirement.equal) return false;
  }
  return true;
}

}  // namespace cubelet::fakes
