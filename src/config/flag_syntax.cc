#include "config/flag_syntax.h"

#include <span>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "base/strings.h"

namespace cubelet::config {
namespace {

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

// Reads the flags off the front of `args`, which what is parsed is removed from.
class Parser {
 public:
  explicit Parser(std::span<const std::string> args) : args_(args) {}

  absl::StatusOr<CommandLine> Parse() {
    while (!args_.empty()) {
      const std::string_view arg = Next();
      if (arg == "--") {
        line_.positional.insert(line_.positional.end(), args_.begin(), args_.end());
        break;
      }
      if (arg.starts_with("--")) {
        RETURN_IF_ERROR(ParseLong(arg.substr(2), arg));
      } else if (arg.size() > 1 && arg[0] == '-') {
        RETURN_IF_ERROR(ParseShort(arg.substr(1)));
      } else {
        line_.positional.emplace_back(arg);
      }
    }
    return std::move(line_);
  }

 private:
  std::string_view Next() {
    const std::string_view arg = args_.front();
    args_ = args_.subspan(1);
    return arg;
  }

  void Add(const FlagSpec& flag, std::string_view value) {
    line_.flags.push_back({&flag, std::string(value)});
  }

  absl::Status ParseLong(std::string_view text, std::string_view arg) {
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (name.empty() || name[0] == '-') return Invalid(StrCat("bad flag syntax: ", arg));
    const FlagSpec* flag = FindFlag(name);
    if (flag == nullptr) return Invalid(StrCat("unknown flag: --", name));
    if (equals != text.npos) {
      Add(*flag, text.substr(equals + 1));
    } else if (!ImpliedValue(*flag).empty()) {
      Add(*flag, ImpliedValue(*flag));
    } else if (!args_.empty()) {
      Add(*flag, Next());
    } else {
      return Invalid(StrCat("flag needs an argument: --", name));
    }
    return absl::OkStatus();
  }

  // Several in one argument, of which the last may have a value.
  absl::Status ParseShort(std::string_view cluster) {
    for (std::string_view rest = cluster; !rest.empty();) {
      const FlagSpec* flag = FindShorthand(rest[0]);
      if (flag == nullptr)
        return Invalid(StrCat("unknown shorthand flag: '", rest.substr(0, 1), "' in -", cluster));
      const std::string_view value = rest.substr(1);
      if (value.starts_with('=') && value.size() > 1) {
        Add(*flag, value.substr(1));
      } else if (!ImpliedValue(*flag).empty()) {
        Add(*flag, ImpliedValue(*flag));
        rest = value;
        continue;
      } else if (!value.empty()) {
        Add(*flag, value);
      } else if (!args_.empty()) {
        Add(*flag, Next());
      } else {
        return Invalid(StrCat("flag needs an argument: '", rest.substr(0, 1), "' in -", cluster));
      }
      return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  std::span<const std::string> args_;
  CommandLine line_;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& args) {
  return Parser(args).Parse();
}

}  // namespace cubelet::config
