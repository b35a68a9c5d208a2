// The Kubernetes types under their short names. They are the generated protobuf messages; objects
// are shared as std::shared_ptr<const v1::Pod> and replaced whole, never changed in place.
#pragma once

#include <memory>

#include "k8s.io/api/core/v1/generated.pb.h"

namespace cubelet {

namespace v1 = ::k8s::io::api::core::v1;
namespace metav1 = ::k8s::io::apimachinery::pkg::apis::meta::v1;

using PodPtr = std::shared_ptr<const v1::Pod>;

}  // namespace cubelet
