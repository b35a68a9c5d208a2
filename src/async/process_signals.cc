#include "async/process_signals.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>

namespace cubelet::async {

struct TerminationSignals::Set {
  explicit Set(boost::asio::io_context& io) : signals(io, SIGTERM, SIGINT) {}
  boost::asio::signal_set signals;
};

TerminationSignals::TerminationSignals(Loop& loop) : set_(std::make_unique<Set>(loop.io())) {}

TerminationSignals::~TerminationSignals() = default;

Task<std::string> TerminationSignals::Wait() {
  const int number = co_await set_->signals.async_wait(boost::asio::use_awaitable);
  co_return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

}  // namespace cubelet::async
