// Bytes of an answer that come bit by bit: who makes them pushes, who sends them takes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace cubelet::fakes {

// Owned by who takes; who pushes holds a weak pointer and stops when it is gone.
class BodyStream {
 public:
  BodyStream() = default;
  virtual ~BodyStream() = default;
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;

  // All that waits; "" when nothing does.
  std::string Take() { return std::exchange(waiting_, {}); }
  bool has_bytes() const { return !waiting_.empty(); }
  // Nothing comes after what waits.
  bool ended() const { return ended_; }
  // Called whenever there is something new to take, or at the end.
  void SetReady(std::function<void()> ready) { ready_ = std::move(ready); }

  void Push(const std::string& bytes) {
    if (ended_ || bytes.empty()) return;
    waiting_ += bytes;
    if (ready_) ready_();
  }
  void End() {
    ended_ = true;
    if (ready_) ready_();
  }

  // Lives as long as this stream: what is to end with it.
  void Keep(std::shared_ptr<void> companion) { companion_ = std::move(companion); }

 private:
  std::string waiting_;
  bool ended_ = false;
  std::function<void()> ready_;
  std::shared_ptr<void> companion_;
};

}  // namespace cubelet::fakes
