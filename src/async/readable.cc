#include "async/readable.h"

#include <fcntl.h>
#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "base/clock.h"
#include "base/fd.h"
#include "base/status.h"
#include "base/strings.h"

namespace cubelet::async {
namespace {

constexpr absl::Duration kLookAgain = absl::Seconds(1);

bool IsVirtual(const Loop& loop) {
  return dynamic_cast<const VirtualClock*>(&loop.clock()) != nullptr;
}

Task<absl::Status> PollReadable(Loop* loop, int fd) {
  while (true) {
    pollfd wait = {fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, 0);
    if (ready < 0 && errno != EINTR) co_return ErrnoError(StrCat("wait for descriptor ", fd));
    if (ready > 0 && (wait.revents & POLLNVAL) != 0)
      co_return ErrnoError(StrCat("wait for descriptor ", fd), EBADF);
    if (ready > 0) co_return absl::OkStatus();
    co_await loop->Sleep(kLookAgain);
  }
}

}  // namespace

Task<absl::Status> WaitReadable(Loop* loop, int fd) {
  if (IsVirtual(*loop)) co_return co_await PollReadable(loop, fd);
  // Asio closes what it waits for: a copy is given to it.
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) co_return ErrnoError(StrCat("wait for descriptor ", fd));
  boost::asio::posix::stream_descriptor descriptor(loop->io());
  boost::system::error_code error;
  descriptor.assign(copy.get(), error);
  if (error) co_return ErrnoError(StrCat("wait for descriptor ", fd), error.value());
  copy.release();
  std::tie(error) =
      co_await descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                     boost::asio::as_tuple(boost::asio::use_awaitable));
  // A cancelled wait ends the task, as everything that suspends does.
  if (error == boost::asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return ErrnoError(StrCat("wait for descriptor ", fd), error.value());
  co_return absl::OkStatus();
}

}  // namespace cubelet::async
