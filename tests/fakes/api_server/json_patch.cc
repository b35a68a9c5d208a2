// JSON patch, RFC 6902, with pointers of RFC 6901.
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/strings.h"
#include "fakes/api_server/patch_apply.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;

using Pointer = std::vector<std::string>;

absl::StatusOr<Pointer> ParsePointer(std::string_view text) {
  Pointer pointer;
  if (text.empty()) return pointer;
  if (text[0] != '/')
    return absl::InvalidArgumentError(StrCat("path ", GoQuote(text), " does not begin with /"));
  for (const char c : text) {
    if (c == '/') {
      pointer.emplace_back();
    } else {
      pointer.back() += c;
    }
  }
  for (std::string& part : pointer) {
    for (const auto& [from, to] : {std::pair("~1", "/"), std::pair("~0", "~")}) {
      for (size_t at = part.find(from); at != std::string::npos; at = part.find(from, at + 1))
        part.replace(at, 2, to);
    }
  }
  return pointer;
}

absl::Status NotFound(const std::string& part) {
  return absl::InvalidArgumentError(StrCat("there is no ", GoQuote(part)));
}

// The place in a list; its size for "-" when something is to be added.
absl::StatusOr<size_t> IndexOf(const json::array& list, const std::string& part, bool adding) {
  if (adding && part == "-") return list.size();
  size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  const bool number = error == std::errc() && end == part.data() + part.size();
  if (!number || index >= list.size() + (adding ? 1 : 0)) return NotFound(part);
  return index;
}

absl::StatusOr<json::value*> Member(json::value& parent, const std::string& part) {
  if (auto* object = parent.if_object()) {
    json::value* member = object->if_contains(part);
    if (member == nullptr) return NotFound(part);
    return member;
  }
  auto* list = parent.if_array();
  if (list == nullptr) return NotFound(part);
  ASSIGN_OR_RETURN(const size_t index, IndexOf(*list, part, false));
  return &(*list)[index];
}

absl::StatusOr<json::value*> Find(json::value& root, const Pointer& pointer, size_t depth) {
  json::value* place = &root;
  for (size_t i = 0; i < depth; ++i) {
    ASSIGN_OR_RETURN(place, Member(*place, pointer[i]));
  }
  return place;
}

absl::Status Add(json::value& root, const Pointer& pointer, json::value value) {
  if (pointer.empty()) {
    root = std::move(value);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(json::value * parent, Find(root, pointer, pointer.size() - 1));
  if (auto* object = parent->if_object()) {
    (*object)[pointer.back()] = std::move(value);
    return absl::OkStatus();
  }
  auto* list = parent->if_array();
  if (list == nullptr) return NotFound(pointer.back());
  ASSIGN_OR_RETURN(const size_t index, IndexOf(*list, pointer.back(), true));
  list->insert(list->begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
  return absl::OkStatus();
}

absl::StatusOr<json::value> Remove(json::value& root, const Pointer& pointer) {
  if (pointer.empty()) return absl::InvalidArgumentError("the whole cannot be removed");
  ASSIGN_OR_RETURN(json::value * parent, Find(root, pointer, pointer.size() - 1));
  ASSIGN_OR_RETURN(json::value * member, Member(*parent, pointer.back()));
  json::value removed = std::move(*member);
  if (auto* object = parent->if_object()) {
    object->erase(pointer.back());
  } else {
    json::array& list = parent->get_array();
    list.erase(list.begin() + (member - list.data()));
  }
  return removed;
}

absl::StatusOr<Pointer> PointerIn(const json::object& operation, const char* name) {
  const json::value* text = operation.if_contains(name);
  if (text == nullptr || !text->is_string())
    return absl::InvalidArgumentError(StrCat("lacks ", GoQuote(name)));
  const json::string& string = text->get_string();
  return ParsePointer({string.data(), string.size()});
}

absl::Status Change(json::value& root, std::string_view op, const Pointer& path,
                    const json::value& value) {
  if (op == "add") return Add(root, path, value);
  ASSIGN_OR_RETURN(json::value * place, Find(root, path, path.size()));
  if (op == "replace") {
    *place = value;
  } else if (*place != value) {
    return absl::FailedPreconditionError("the test failed");
  }
  return absl::OkStatus();
}

absl::Status Move(json::value& root, std::string_view op, const Pointer& from, const Pointer& to) {
  if (op == "copy") {
    ASSIGN_OR_RETURN(json::value * place, Find(root, from, from.size()));
    json::value copy = *place;
    return Add(root, to, std::move(copy));
  }
  ASSIGN_OR_RETURN(json::value moved, Remove(root, from));
  return Add(root, to, std::move(moved));
}

absl::Status Apply(json::value& root, const json::object& operation) {
  const json::value* name = operation.if_contains("op");
  const std::string op =
      name != nullptr && name->is_string() ? std::string(name->get_string().c_str()) : "";
  ASSIGN_OR_RETURN(const Pointer path, PointerIn(operation, "path"));
  if (op == "remove") return Remove(root, path).status();
  if (op == "move" || op == "copy") {
    ASSIGN_OR_RETURN(const Pointer from, PointerIn(operation, "from"));
    return Move(root, op, from, path);
  }
  if (op != "add" && op != "replace" && op != "test")
    return absl::InvalidArgumentError(StrCat("unknown operation ", GoQuote(op)));
  const json::value* value = operation.if_contains("value");
  if (value == nullptr) return absl::InvalidArgumentError(StrCat(op, " lacks a value"));
  return Change(root, op, path, *value);
}

}  // namespace

absl::StatusOr<json::value> ApplyJsonPatch(json::value original, const json::array& patch) {
  for (size_t i = 0; i < patch.size(); ++i) {
    const json::object* operation = patch[i].if_object();
    if (operation == nullptr)
      return absl::InvalidArgumentError(StrCat("operation ", i, " is no object"));
    RETURN_IF_ERROR(Annotate(Apply(original, *operation), StrCat("operation ", i)));
  }
  return original;
}

}  // namespace cubelet::fakes
