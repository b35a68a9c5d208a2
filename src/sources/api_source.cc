#include "sources/api_source.h"

#include <utility>
#include <vector>

#include "api/pod.h"
#include "base/strings.h"

namespace cubelet::sources {

ApiSource::ApiSource(async::Loop& loop, kube::Client* client, const std::string& node_name,
                     Deliver deliver)
    : deliver_(std::move(deliver)),
      pods_(loop, client,
            {.field_selector = StrCat("spec.nodeName=", node_name), .tell_timeout = false},
            {.on_replace = [this](std::vector<PodPtr> pods) { Replace(std::move(pods)); },
             .on_change = [this](kube::Change change,
                                 PodPtr pod) { Apply(change, std::move(pod)); }}) {}

void ApiSource::Start(async::TaskScope& scope) { scope.Spawn("watch pods", pods_.Run()); }

void ApiSource::Replace(std::vector<PodPtr> pods) {
  by_name_.clear();
  for (PodPtr& pod : pods) by_name_[api::PodKey(*pod)] = std::move(pod);
  DeliverAll();
}

void ApiSource::Apply(kube::Change change, PodPtr pod) {
  if (change == kube::Change::kDeleted) {
    by_name_.erase(api::PodKey(*pod));
  } else {
    by_name_[api::PodKey(*pod)] = std::move(pod);
  }
  DeliverAll();
}

void ApiSource::DeliverAll() const {
  std::vector<PodPtr> pods;
  pods.reserve(by_name_.size());
  for (const auto& [name, pod] : by_name_) pods.push_back(pod);
  deliver_(api::kApiSource, std::move(pods), /*complete=*/true);
}

}  // namespace cubelet::sources
