#include "api/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>
#include <stack>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

absl::Status TooLarge(size_t size, size_t limit) {
  return absl::InvalidArgumentError(
      StrCat("is ", size, " bytes long, more than the ", limit, " allowed"));
}

// Looks for what the value parser lets pass: keys given twice.
class DuplicateKeyFinder {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) {
    objects_.emplace();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    objects_.pop();
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    if (!objects_.top().insert(key_).second) {
      duplicate = key_;
      error = json::error::exception;
      return false;
    }
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  std::string duplicate;

 private:
  std::stack<std::set<std::string>> objects_;
  std::string key_;
};

// yaml-cpp's own parser recurses without bound; nesting is counted here before a tree is built,
// from the same events.
class NestingGuard final : public YAML::EventHandler {
 public:
  explicit NestingGuard(size_t max_depth) : max_depth_(max_depth) {}

  struct TooDeep {};

  void OnDocumentStart(const YAML::Mark&) override { ++documents; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Enter();
  }
  void OnSequenceEnd() override { --depth_; }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Enter();
  }
  void OnMapEnd() override { --depth_; }

  int documents = 0;

 private:
  void Enter() {
    if (++depth_ > max_depth_) throw TooDeep{};
  }
  size_t max_depth_;
  size_t depth_ = 0;
};

bool IsDecimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

// Floats as YAML writes them: digits with a point or an exponent.
bool LooksLikeFloat(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  bool digit = false, mark = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      digit = true;
    } else if (c == '.') {
      mark = true;
    } else if ((c == 'e' || c == 'E') && digit) {
      mark = true;
      if (i + 1 < text.size() && (text[i + 1] == '-' || text[i + 1] == '+')) ++i;
    } else {
      return false;
    }
  }
  return digit && mark;
}

json::value IntegerValue(std::string_view text) {
  const std::string_view digits = text[0] == '+' ? text.substr(1) : text;
  int64_t number = 0;
  if (absl::SimpleAtoi(ToAbsl(digits), &number)) return number;
  uint64_t large = 0;
  if (absl::SimpleAtoi(ToAbsl(digits), &large)) return large;
  double value = 0;
  (void)absl::SimpleAtod(ToAbsl(digits), &value);
  return value;
}

json::value HexOrOctal(std::string_view text) {
  uint64_t value = 0;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') &&
      absl::SimpleHexAtoi(ToAbsl(text), &value))
    return value;
  const std::string_view digits = text.substr(text.size() > 1 && text[1] == 'o' ? 2 : 1);
  if (text[0] == '0' && !digits.empty() && digits.size() < 22) {
    for (char c : digits) {
      if (c < '0' || c > '7') return nullptr;
      value = value * 8 + static_cast<uint64_t>(c - '0');
    }
    return value;
  }
  return nullptr;
}

// What a plain (unquoted) scalar is. YAML 1.1's yes/no/on/off are booleans, as Kubernetes' reader
// has it.
json::value ResolvePlain(const std::string& text) {
  static const std::set<std::string_view> kNull = {"", "~", "null", "Null", "NULL"};
  static const std::set<std::string_view> kTrue = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                                   "on",   "On",   "ON",   "y",   "Y"};
  static const std::set<std::string_view> kFalse = {"false", "False", "FALSE", "no", "No", "NO",
                                                    "off",   "Off",   "OFF",   "n",  "N"};
  if (kNull.contains(text)) return nullptr;
  // Single letters are strings: a key or value `y` is far more often a name.
  if (text.size() > 1 && kTrue.contains(text)) return true;
  if (text.size() > 1 && kFalse.contains(text)) return false;
  if (text.size() > 1 && text[0] == '0' && text[1] != '.') {
    json::value value = HexOrOctal(text);
    if (!value.is_null()) return value;
  } else if (IsDecimal(text)) {
    return IntegerValue(text);
  }
  double number = 0;
  if (LooksLikeFloat(text) && absl::SimpleAtod(text, &number) && std::isfinite(number))
    return number;
  return json::string(text);
}

class YamlConverter {
 public:
  explicit YamlConverter(const DecodeLimits& limits) : limits_(limits) {}

  absl::StatusOr<json::value> Convert(const YAML::Node& node, size_t depth) {
    if (depth > limits_.max_depth)
      return absl::InvalidArgumentError(StrCat("is nested deeper than ", limits_.max_depth));
    if (++nodes_ > limits_.max_nodes)
      return absl::InvalidArgumentError(StrCat("has more than ", limits_.max_nodes, " values"));
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return json::value(nullptr);
      case YAML::NodeType::Scalar:
        // "!" marks a quoted scalar, "?" a plain one; others are explicit tags.
        if (node.Tag() == "?" || node.Tag().empty()) return ResolvePlain(node.Scalar());
        return json::value(json::string(node.Scalar()));
      case YAML::NodeType::Sequence:
        return ConvertSequence(node, depth);
      case YAML::NodeType::Map:
        return ConvertMap(node, depth);
    }
    return absl::InvalidArgumentError("has a value of unknown type");
  }

 private:
  absl::StatusOr<json::value> ConvertSequence(const YAML::Node& node, size_t depth) {
    json::array out;
    for (const YAML::Node& item : node) {
      ASSIGN_OR_RETURN(json::value value, Convert(item, depth + 1));
      out.push_back(std::move(value));
    }
    return json::value(std::move(out));
  }

  absl::StatusOr<json::value> ConvertMap(const YAML::Node& node, size_t depth) {
    json::object out;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar())
        return absl::InvalidArgumentError(
            StrCat("line ", entry.first.Mark().line + 1, ": a key is not a string"));
      const std::string& key = entry.first.Scalar();
      ASSIGN_OR_RETURN(json::value value, Convert(entry.second, depth + 1));
      if (!out.emplace(key, std::move(value)).second)
        return absl::InvalidArgumentError(StrCat("line ", entry.first.Mark().line + 1, ": key ",
                                                 GoQuote(key), " is given twice"));
    }
    return json::value(std::move(out));
  }

  const DecodeLimits& limits_;
  size_t nodes_ = 0;
};

absl::StatusOr<json::value> ParseYamlUnguarded(std::string_view text, const DecodeLimits& limits) {
  {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    NestingGuard guard(limits.max_depth);
    while (parser.HandleNextDocument(guard)) {
    }
  }
  json::value result = nullptr;
  bool found = false;
  for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
    if (!document.IsDefined() || document.IsNull()) continue;
    if (found) return absl::InvalidArgumentError("holds more than one document");
    found = true;
    ASSIGN_OR_RETURN(result, YamlConverter(limits).Convert(document, 0));
  }
  return result;
}

}  // namespace

absl::StatusOr<json::value> ParseYaml(std::string_view text, const DecodeLimits& limits) {
  if (text.size() > limits.max_bytes) return TooLarge(text.size(), limits.max_bytes);
  try {
    return ParseYamlUnguarded(text, limits);
  } catch (const NestingGuard::TooDeep&) {
    return absl::InvalidArgumentError(StrCat("is nested deeper than ", limits.max_depth));
  } catch (const YAML::Exception& e) {
    return absl::InvalidArgumentError(
        StrCat("yaml: line ", e.mark.line + 1, ", column ", e.mark.column + 1, ": ", e.msg));
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(StrCat("yaml: ", e.what()));
  }
}

absl::StatusOr<json::value> ParseJson(std::string_view text, const DecodeLimits& limits) {
  if (text.size() > limits.max_bytes) return TooLarge(text.size(), limits.max_bytes);
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<DuplicateKeyFinder> finder(options);
  boost::json::error_code error;
  const size_t consumed = finder.write_some(false, text.data(), text.size(), error);
  if (!finder.handler().duplicate.empty())
    return absl::InvalidArgumentError(
        StrCat("json: key ", GoQuote(finder.handler().duplicate), " is given twice"));
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error)
    return absl::InvalidArgumentError(StrCat("json: byte ", consumed, ": ", error.message()));
  return value;
}

absl::StatusOr<json::value> ParseJsonOrYaml(std::string_view text, const DecodeLimits& limits) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && text[start] == '{') {
    absl::StatusOr<json::value> value = ParseJson(text, limits);
    if (value.ok()) return value;
    // A flow mapping of YAML begins in the same way.
    absl::StatusOr<json::value> yaml = ParseYaml(text, limits);
    return yaml.ok() ? yaml : value;
  }
  return ParseYaml(text, limits);
}

}  // namespace cubelet::api
