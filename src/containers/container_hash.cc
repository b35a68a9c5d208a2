#include "containers/container_hash.h"

#include <boost/json/object.hpp>

#include "absl/strings/str_cat.h"
#include "api/codec.h"
#include "base/strings.h"

namespace cubelet::containers {

std::string ContainerHash(const v1::Container& container) {
  const std::string json = api::Serialize(
      boost::json::object{{"image", container.image()}, {"name", container.name()}}, true);
  // What is hashed is a print of the bytes as numbers.
  std::string dump = "([]uint8)[";
  for (size_t i = 0; i < json.size(); ++i)
    StrAppend(&dump, i == 0 ? "" : " ", static_cast<unsigned>(static_cast<unsigned char>(json[i])));
  dump += "]";
  return StrCat(absl::Hex(Fnv1a32(dump)));
}

}  // namespace cubelet::containers
