#include "api/codec.h"
#include "config/config.h"
#include "config/file.h"

namespace cubelet::config {

std::string ConfigzJson(const Config& config) {
  KubeletConfiguration shown = config.kubelet;
  for (auto& [name, values] : *shown.mutable_staticpodurlheader()) {
    values.clear_items();
    values.add_items("<masked>");
  }
  boost::json::object out;
  out.emplace("kubeletconfig", EncodeConfiguration(shown));
  return api::Serialize(std::move(out), true);
}

}  // namespace cubelet::config
