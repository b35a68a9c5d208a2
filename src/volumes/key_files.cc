#include "volumes/key_files.h"

#include "base/strings.h"

namespace cubelet::volumes {

absl::StatusOr<Payload> KeyFiles(const std::map<std::string, std::string>& data,
                                 const KeyFileOptions& options, std::string_view missing) {
  Payload payload;
  if (options.items == nullptr || options.items->empty()) {
    for (const auto& [key, value] : data)
      payload[key] = {.data = value, .mode = options.default_mode};
    return payload;
  }
  for (const v1::KeyToPath& item : *options.items) {
    const auto entry = data.find(item.key());
    if (entry != data.end()) {
      payload[item.path()] = {
          .data = entry->second,
          .mode = item.has_mode() ? static_cast<mode_t>(item.mode()) : options.default_mode};
    } else if (!options.optional) {
      return absl::NotFoundError(StrCat(missing, ": ", item.key()));
    }
  }
  return payload;
}

}  // namespace cubelet::volumes
