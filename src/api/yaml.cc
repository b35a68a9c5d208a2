#include "api/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "api/yaml_scalars.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

// Ends the parser's walk; caught before ParseYaml returns.
struct Refused {
  std::string message;
};

[[noreturn]] void Refuse(std::string message) { throw Refused{std::move(message)}; }

[[noreturn]] void RefuseAt(const YAML::Mark& mark, std::string_view what) {
  Refuse(StrCat("yaml: line ", mark.line + 1, ": ", what));
}

struct Cost {
  size_t nodes = 0;
  size_t bytes = 0;
};

// Makes JSON values of the parser's events. No tree of the parser's own is built: that would grow
// with every alias and cost many times the text.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const DecodeLimits& limits) : limits_(limits) {}

  json::value Take() { return std::move(result_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // What cannot begin a document stays where it is, and the parser would find one there for ever.
    if (mark.pos == document_) RefuseAt(mark, "did not find expected <document start>");
    document_ = mark.pos;
    anchors_.clear();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Add(mark, nullptr, {.nodes = 1}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) RefuseAt(mark, "an alias stands inside of what it names");
    const Anchored& anchored = found->second;
    if (stack_.size() + anchored.depth > limits_.max_depth) RefuseTooDeep();
    Spend(anchored.cost);
    Insert(mark, anchored.value, anchored.cost, anchored.depth);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    json::value value;
    // "!" marks a quoted scalar, "?" a plain one.
    if (tag == "?" || tag.empty()) {
      if (!stack_.empty() && stack_.back().wants_key && text == "<<") {
        stack_.back().merge_next = true;
        stack_.back().wants_key = false;
        return;
      }
      value = ResolvePlain(text);
    } else if (tag == "!") {
      value = json::string(text);
    } else {
      absl::StatusOr<json::value> tagged = ResolveTagged(tag, text);
      if (!tagged.ok()) RefuseAt(mark, Message(tagged.status()));
      value = *std::move(tagged);
    }
    Add(mark, std::move(value), {.nodes = 1, .bytes = text.size()}, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, "seq", anchor, json::array());
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, "map", anchor, json::object());
    stack_.back().wants_key = true;
  }
  void OnMapEnd() override {
    ApplyMerges(stack_.back());
    Close();
  }

 private:
  struct Frame {
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    json::value value;
    Cost cost;
    size_t depth = 1;  // levels in `value`
    bool wants_key = false;
    bool merge_next = false;
    std::string key;
    std::vector<json::value> merges;
  };
  struct Anchored {
    json::value value;
    Cost cost;
    size_t depth = 0;
  };

  [[noreturn]] void RefuseTooDeep() const {
    Refuse(StrCat("is nested deeper than ", limits_.max_depth));
  }

  // All that ever enters the result, expanded aliases too.
  void Spend(const Cost& cost) {
    spent_.nodes += cost.nodes;
    spent_.bytes += cost.bytes;
    if (spent_.nodes > limits_.max_nodes)
      Refuse(StrCat("has more than ", limits_.max_nodes, " values"));
    if (spent_.bytes > limits_.max_bytes)
      Refuse(StrCat("holds more than ", limits_.max_bytes, " bytes"));
  }

  void Add(const YAML::Mark& mark, json::value value, const Cost& cost, YAML::anchor_t anchor) {
    Spend(cost);
    Remember(anchor, value, cost, 0);
    Insert(mark, std::move(value), cost, 0);
  }

  // The copy that aliases are made from counts too.
  void Remember(YAML::anchor_t anchor, const json::value& value, const Cost& cost, size_t depth) {
    if (anchor == 0) return;
    Spend(cost);
    anchors_[anchor] = {value, cost, depth};
  }

  void Open(const YAML::Mark& mark, const std::string& tag, std::string_view kind,
            YAML::anchor_t anchor, json::value empty) {
    if (tag != "?" && tag != "!" && !tag.empty() && tag != StrCat("tag:yaml.org,2002:", kind))
      RefuseAt(mark, StrCat("tag ", GoQuote(tag), " is not known"));
    if (stack_.size() >= limits_.max_depth) RefuseTooDeep();
    Spend({.nodes = 1});
    stack_.push_back({.mark = mark, .anchor = anchor, .value = std::move(empty)});
    stack_.back().cost = {.nodes = 1};
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Remember(frame.anchor, frame.value, frame.cost, frame.depth);
    Insert(frame.mark, std::move(frame.value), frame.cost, frame.depth);
  }

  void Insert(const YAML::Mark& mark, json::value value, const Cost& cost, size_t depth) {
    if (stack_.empty()) return InsertDocument(std::move(value));
    Frame& frame = stack_.back();
    frame.cost.nodes += cost.nodes;
    frame.cost.bytes += cost.bytes;
    frame.depth = std::max(frame.depth, depth + 1);
    if (frame.value.is_array()) {
      frame.value.get_array().push_back(std::move(value));
    } else if (frame.wants_key) {
      if (value.is_structured()) RefuseAt(mark, "a key is not a string");
      absl::StatusOr<std::string> key = KeyText(value);
      if (!key.ok()) RefuseAt(mark, Message(key.status()));
      if (frame.value.get_object().contains(*key))
        RefuseAt(mark, StrCat("key ", GoQuote(*key), " is given twice"));
      frame.key = *std::move(key);
      frame.wants_key = false;
    } else if (frame.merge_next) {
      AddMerge(mark, frame, std::move(value));
    } else {
      frame.value.get_object().emplace(frame.key, std::move(value));
      frame.wants_key = true;
    }
  }

  void InsertDocument(json::value value) {
    if (value.is_null()) return;
    if (!result_.is_null()) Refuse("holds more than one document");
    result_ = std::move(value);
  }

  static void AddMerge(const YAML::Mark& mark, Frame& frame, json::value value) {
    frame.merge_next = false;
    frame.wants_key = true;
    if (value.is_object()) {
      frame.merges.push_back(std::move(value));
      return;
    }
    if (!value.is_array()) RefuseAt(mark, "<< wants a mapping or a list of them");
    for (json::value& item : value.get_array()) {
      if (!item.is_object()) RefuseAt(mark, "<< wants a mapping or a list of them");
      frame.merges.push_back(std::move(item));
    }
  }

  // A mapping's own keys win, then those of the first merge.
  static void ApplyMerges(Frame& frame) {
    for (json::value& merge : frame.merges) {
      for (auto& [key, value] : merge.get_object())
        frame.value.get_object().emplace(key, std::move(value));
    }
  }

  const DecodeLimits& limits_;
  Cost spent_;
  std::vector<Frame> stack_;
  absl::flat_hash_map<YAML::anchor_t, Anchored> anchors_;
  json::value result_;
  int document_ = -1;  // where the last one began
};

json::value ReadDocuments(std::string_view text, const DecodeLimits& limits) {
  std::istringstream stream{std::string(text)};
  YAML::Parser parser(stream);
  Builder builder(limits);
  while (parser.HandleNextDocument(builder)) {
  }
  return builder.Take();
}

}  // namespace

absl::StatusOr<json::value> ParseYaml(std::string_view text, const DecodeLimits& limits) {
  if (text.size() > limits.max_bytes)
    return absl::InvalidArgumentError(
        StrCat("is ", text.size(), " bytes long, more than the ", limits.max_bytes, " allowed"));
  if (!IsUtf8(text)) return absl::InvalidArgumentError("yaml: is not UTF-8 text");
  try {
    return ReadDocuments(text, limits);
  } catch (const Refused& refused) {
    return absl::InvalidArgumentError(refused.message);
  } catch (const YAML::Exception& e) {
    return absl::InvalidArgumentError(
        StrCat("yaml: line ", e.mark.line + 1, ", column ", e.mark.column + 1, ": ", e.msg));
  } catch (const std::exception& e) {
    return absl::InvalidArgumentError(StrCat("yaml: ", e.what()));
  }
}

absl::StatusOr<json::value> ParseJsonOrYaml(std::string_view text, const DecodeLimits& limits) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && text[start] == '{') {
    absl::StatusOr<json::value> value = ParseJson(text, limits);
    if (value.ok()) return value;
    // A flow mapping of YAML begins in the same way.
    absl::StatusOr<json::value> yaml = ParseYaml(text, limits);
    return yaml.ok() ? std::move(yaml) : std::move(value);
  }
  return ParseYaml(text, limits);
}

}  // namespace cubelet::api
