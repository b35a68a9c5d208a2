// GetContainerEvents over gRPC. Internal to this folder.
#pragma once

#include <memory>

#include "cri/runtime.h"
#include "runtime/v1/api.grpc.pb.h"

namespace cubelet::async {
class Loop;
}

namespace cubelet::cri {

// Opens the stream; whether the runtime offers it shows in the first Next.
std::unique_ptr<EventStream> OpenEventStream(async::Loop& loop, criv1::RuntimeService::Stub& stub);

}  // namespace cubelet::cri
