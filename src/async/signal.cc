#include "async/signal.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace cubelet::async {

namespace asio = boost::asio;

struct Signal::Waiter {
  Loop* loop = nullptr;
  Signal* signal = nullptr;  // null once completed or when the signal has died
  std::list<std::shared_ptr<Waiter>>::iterator position;
  Loop::TimerId timer = 0;
  absl::AnyInvocable<void(boost::system::error_code, bool) &&> handler;
};

Signal::~Signal() {
  while (!waiters_.empty()) Complete(std::shared_ptr<Waiter>(waiters_.front()), false, false);
}

void Signal::Complete(const std::shared_ptr<Waiter>& waiter, bool notified, bool cancelled) {
  if (waiter->signal == nullptr) return;
  const std::shared_ptr<Waiter> keep = waiter;
  keep->loop->CancelTimer(keep->timer);
  keep->signal->waiters_.erase(keep->position);
  keep->signal = nullptr;
  const boost::system::error_code error =
      cancelled ? asio::error::operation_aborted : boost::system::error_code();
  asio::post(keep->loop->executor(), [handler = std::move(keep->handler), error,
                                      notified]() mutable { std::move(handler)(error, notified); });
}

void Signal::Notify() {
  // Waiters that come while these are woken are not of this call.
  for (size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left)
    Complete(std::shared_ptr<Waiter>(waiters_.front()), true, false);
}

Task<void> Signal::Wait() { co_await WaitFor(absl::InfiniteDuration()); }

Task<bool> Signal::WaitFor(absl::Duration timeout) {
  auto initiate = [this, timeout](auto handler) {
    auto waiter = std::make_shared<Waiter>();
    waiter->loop = &loop_;
    waiter->signal = this;
    auto slot = asio::get_associated_cancellation_slot(handler);
    waiter->handler = std::move(handler);
    waiter->position = waiters_.insert(waiters_.end(), waiter);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
        if (auto waiting = weak.lock()) Complete(waiting, false, true);
      });
    }
    if (timeout != absl::InfiniteDuration()) {
      waiter->timer = loop_.AddTimer(timeout, [weak = std::weak_ptr<Waiter>(waiter)] {
        if (auto waiting = weak.lock()) Complete(waiting, false, false);
      });
    }
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>,
                                          void(boost::system::error_code, bool)>(
      initiate, asio::use_awaitable);
}

Task<bool> Wakeup::WaitFor(absl::Duration timeout) {
  if (!rung_) co_await signal_.WaitFor(timeout);
  co_return std::exchange(rung_, false);
}

Task<void> Wakeup::Wait() {
  while (!co_await WaitFor(absl::InfiniteDuration())) {
  }
}

Task<Semaphore::Permit> Semaphore::Acquire() {
  if (permits_ > 0 && queue_.empty()) {
    --permits_;
    co_return Permit(this);
  }
  Signal turn(loop_);
  queue_.push_back(&turn);
  // Released permits are handed over, so a wait that ends by cancellation must leave the queue. Two
  // permits released in one turn wake only the first who waits; that one wakes the next.
  struct Leave {
    Semaphore* semaphore;
    Signal* turn;
    ~Leave() {
      semaphore->queue_.remove(turn);
      if (semaphore->permits_ > 0 && !semaphore->queue_.empty())
        semaphore->queue_.front()->Notify();
    }
  } leave{this, &turn};
  while (permits_ == 0 || queue_.front() != &turn) co_await turn.Wait();
  --permits_;
  co_return Permit(this);
}

void Semaphore::Release() {
  ++permits_;
  if (!queue_.empty()) queue_.front()->Notify();
}

}  // namespace cubelet::async
