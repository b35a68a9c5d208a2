// JSON text to values. Boost.JSON is compiled in json_impl.cc.
#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "api/yaml.h"
#include "base/strings.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;

// Goes over a text before a value is made of it, and looks for what the value parser lets pass:
// keys given twice and too many values. The names are Boost.JSON's.
class Inspector {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  void set_max_nodes(size_t max_nodes) { max_nodes_ = max_nodes; }
  const std::string& fault() const { return fault_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) {
    objects_.push_back(keys_.size());
    return Count(error);
  }
  bool on_object_end(std::size_t, json::error_code& error) {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(objects_.back());
    std::sort(first, keys_.end());
    const auto twice = std::adjacent_find(first, keys_.end());
    if (twice != keys_.end())
      return Fail(StrCat("json: key ", GoQuote(*twice), " is given twice"), error);
    keys_.erase(first, keys_.end());
    objects_.pop_back();
    return true;
  }
  bool on_array_begin(json::error_code& error) { return Count(error); }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    keys_.push_back(std::move(key_));
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code& error) { return Count(error); }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code& error) { return Count(error); }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& error) { return Count(error); }
  bool on_double(double, json::string_view, json::error_code& error) { return Count(error); }
  bool on_bool(bool, json::error_code& error) { return Count(error); }
  bool on_null(json::error_code& error) { return Count(error); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool Count(json::error_code& error) {
    if (++nodes_ <= max_nodes_) return true;
    return Fail(StrCat("has more than ", max_nodes_, " values"), error);
  }
  bool Fail(std::string fault, json::error_code& error) {
    fault_ = std::move(fault);
    error = json::error::exception;
    return false;
  }

  size_t max_nodes_ = 0;
  size_t nodes_ = 0;
  std::string fault_;
  std::string key_;
  std::vector<std::string> keys_;  // of all open objects
  std::vector<size_t> objects_;    // where the keys of each begin
};

}  // namespace

absl::StatusOr<json::value> ParseJson(std::string_view text, const DecodeLimits& limits) {
  if (text.size() > limits.max_bytes)
    return absl::InvalidArgumentError(
        StrCat("is ", text.size(), " bytes long, more than the ", limits.max_bytes, " allowed"));
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<Inspector> inspector(options);
  inspector.handler().set_max_nodes(limits.max_nodes);
  json::error_code error;
  const size_t consumed = inspector.write_some(false, text.data(), text.size(), error);
  if (!inspector.handler().fault().empty())
    return absl::InvalidArgumentError(inspector.handler().fault());
  json::value value;
  if (!error) value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error)
    return absl::InvalidArgumentError(StrCat("json: byte ", consumed, ": ", error.message()));
  return value;
}

}  // namespace cubelet::api
