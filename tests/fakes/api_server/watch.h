// One watch: changes of the objects it selects, as a stream of frames.
#pragma once

#include <string>

#include "async/loop.h"
#include "fakes/api_server/body_stream.h"
#include "fakes/api_server/encoding.h"
#include "fakes/api_server/selection.h"
#include "fakes/api_server/store.h"

namespace cubelet::fakes {

struct WatchOptions {
  const Kind* kind = nullptr;
  std::string name_space;  // "" is all
  Selection selection;
  Media media = Media::kJson;
  bool bookmarks = false;
};

// The API server follows it as long as it lives.
class WatchStream : public BodyStream {
 public:
  WatchStream(async::Loop& loop, WatchOptions options);
  ~WatchStream() override;

  const WatchOptions& options() const { return options_; }

  // From the server's side.
  void SendChange(const Change& change);
  void SendInitial(const Message& object);
  // `initial_events_end` marks the end of what was there at the beginning.
  void SendBookmark(uint64_t version, bool initial_events_end = false);
  void SendError(const absl::Status& error);  // and ends
  void EndAfter(absl::Duration timeout);

 private:
  void Send(std::string_view type, const Message& object);
  bool Selects(const Message& object) const;

  async::Loop& loop_;
  const WatchOptions options_;
  async::Loop::TimerId timer_ = 0;
};

}  // namespace cubelet::fakes
