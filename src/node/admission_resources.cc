#include "node/admission_resources.h"

namespace cubelet::node {
namespace {

using api::Quantity;

constexpr const char* kFirstResources[] = {"cpu", "memory", "ephemeral-storage"};

Quantity Find(const api::ResourceAmounts& amounts, const std::string& name) {
  const auto entry = amounts.find(name);
  return entry == amounts.end() ? Quantity() : entry->second;
}

int64_t Units(const std::string& name, const Quantity& amount) {
  return name == "cpu" ? amount.MilliValue() : amount.Value();
}

bool IsFirst(const std::string& name) {
  for (const char* first : kFirstResources) {
    if (name == first) return true;
  }
  return false;
}

class FitCheck {
 public:
  FitCheck(const v1::Pod& pod, const std::vector<PodPtr>& others,
           const api::ResourceAmounts& allocatable)
      : requests_(api::PodRequests(pod)), allocatable_(allocatable) {
    for (const PodPtr& other : others) {
      for (const auto& [name, amount] : api::PodRequests(*other)) used_[name] += amount;
    }
  }

  std::vector<Shortage> Run(size_t other_pods) {
    const int64_t pods = Find(allocatable_, "pods").Value();
    if (static_cast<int64_t>(other_pods) + 1 > pods)
      shortages_.push_back({"pods", 1, static_cast<int64_t>(other_pods), pods});
    for (const char* name : kFirstResources) Check(name);
    for (const auto& [name, amount] : requests_) {
      const bool elsewhere = IsExtendedResource(name) && !allocatable_.contains(name);
      if (!IsFirst(name) && name != "pods" && !elsewhere) Check(name);
    }
    return std::move(shortages_);
  }

 private:
  void Check(const std::string& name) {
    const Quantity requested = Find(requests_, name);
    if (requested.Sign() <= 0) return;
    const Quantity used = Find(used_, name);
    const Quantity capacity = Find(allocatable_, name);
    if (used + requested > capacity)
      shortages_.push_back(
          {name, Units(name, requested), Units(name, used), Units(name, capacity)});
  }

  const api::ResourceAmounts requests_;
  const api::ResourceAmounts& allocatable_;
  api::ResourceAmounts used_;
  std::vector<Shortage> shortages_;
};

}  // namespace

bool IsExtendedResource(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view domain = name.substr(0, slash);
  return domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io") &&
         !name.starts_with("requests.");
}

std::vector<Shortage> FindShortages(const v1::Pod& pod, const std::vector<PodPtr>& others,
                                    const api::ResourceAmounts& allocatable) {
  return FitCheck(pod, others, allocatable).Run(others.size());
}

}  // namespace cubelet::node
