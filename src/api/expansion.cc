#include "api/expansion.h"

#include "base/strings.h"

namespace cubelet::api {

std::string Expand(std::string_view text,
                   const std::function<std::optional<std::string>(std::string_view)>& value_of) {
  std::string out;
  while (true) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) return out;
    text.remove_prefix(dollar);
    const size_t end = text.starts_with("$(") ? text.find(')') : std::string_view::npos;
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (end == std::string_view::npos) {
      out += '$';
      text.remove_prefix(1);
    } else {
      const std::optional<std::string> value = value_of(text.substr(2, end - 2));
      out += value ? std::string_view(*value) : text.substr(0, end + 1);
      text.remove_prefix(end + 1);
    }
  }
}

}  // namespace cubelet::api
