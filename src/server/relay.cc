#include "server/relay.h"

#include <utility>

#include "async/signal.h"

namespace cubelet::server {
namespace {

constexpr size_t kBlock = 16 << 10;

// How long the runtime may be silent after the client has said its last word.
constexpr absl::Duration kLastAnswer = absl::Seconds(30);

// For the client to take the goodbye.
constexpr absl::Duration kGoodbye = absl::Seconds(1);

}  // namespace

// What both directions share; lives as long as one of them.
struct Relay::Ends : public std::enable_shared_from_this<Relay::Ends> {
  Ends(async::Loop& the_loop, std::shared_ptr<Transport> the_client,
       std::shared_ptr<Transport> the_runtime, absl::Duration timeout)
      : loop(the_loop),
        client(std::move(the_client)),
        runtime(std::move(the_runtime)),
        idle_timeout(timeout),
        last_byte(loop.Monotonic()),
        over(loop) {}
  ~Ends() { loop.CancelTimer(timer); }

  void Close() {
    loop.CancelTimer(std::exchange(timer, 0));
    client->Close();
    runtime->Close();
    closed = true;
    over.Notify();
  }

  // Closes both once nothing has moved for `timeout`; zero: never.
  void CloseWhenIdle(absl::Duration timeout) {
    idle_timeout = timeout;
    loop.CancelTimer(std::exchange(timer, 0));
    if (closed || timeout <= absl::ZeroDuration()) return;
    const absl::Duration left = last_byte + timeout - loop.Monotonic();
    timer = loop.AddTimer(left, [weak = weak_from_this()] {
      if (auto ends = weak.lock()) ends->LookForIdleness();
    });
  }
  void LookForIdleness() {
    timer = 0;
    if (loop.Monotonic() - last_byte >= idle_timeout) {
      Close();
    } else {
      CloseWhenIdle(idle_timeout);
    }
  }

  async::Loop& loop;
  const std::shared_ptr<Transport> client;
  const std::shared_ptr<Transport> runtime;
  absl::Duration idle_timeout;
  absl::Duration last_byte;  // monotonic
  async::Loop::TimerId timer = 0;
  bool closed = false;
  bool client_ended = false;
  bool runtime_ended = false;
  async::Signal over;
};

namespace {

// All of `data`; false when the other side is gone.
async::Task<bool> WriteAll(std::shared_ptr<Transport> to, const char* data, size_t size) {
  while (size > 0) {
    const size_t count = co_await to->Write(data, size);
    if (count == 0) co_return false;
    data += count;
    size -= count;
  }
  co_return true;
}

// Carries bytes until `from` has no more, with true, or `to` takes no more. `last_byte` is state of
// the caller.
async::Task<bool> Carry(async::Loop* loop, std::shared_ptr<Transport> from,
                        std::shared_ptr<Transport> to, std::string first,
                        absl::Duration* last_byte) {
  if (!co_await WriteAll(to, first.data(), first.size())) co_return false;
  first = std::string();
  std::string block(kBlock, '\0');
  while (true) {
    const size_t count = co_await from->Read(block.data(), block.size());
    if (count == 0) co_return true;
    *last_byte = loop->Monotonic();
    if (!co_await WriteAll(to, block.data(), count)) co_return false;
    *last_byte = loop->Monotonic();
  }
}

}  // namespace

Relay::Relay(async::Loop* loop, std::shared_ptr<Transport> runtime, std::string answer,
             absl::Duration idle_timeout)
    : loop_(*loop),
      runtime_(std::move(runtime)),
      answer_(std::move(answer)),
      idle_timeout_(idle_timeout) {}

async::Task<void> Relay::Run(async::TaskScope* scope, std::shared_ptr<Transport> client,
                             std::string received) {
  auto ends = std::make_shared<Ends>(loop_, std::move(client), runtime_, idle_timeout_);
  // However this ends: the other direction ends with it, and has its own share of what they use.
  struct Closer {
    std::shared_ptr<Ends> ends;
    ~Closer() { ends->Close(); }
  } closer{ends};
  ends->CloseWhenIdle(idle_timeout_);
  if (scope->Spawn("stream from the runtime", FromRuntime(ends, std::move(answer_))) == 0)
    co_return;
  co_await FromClient(ends, std::move(received));
}

async::Task<void> Relay::FromClient(std::shared_ptr<Ends> ends, std::string received) {
  const bool ended = co_await Carry(&ends->loop, ends->client, ends->runtime, std::move(received),
                                    &ends->last_byte);
  ends->client_ended = true;
  if (!ended || ends->closed || ends->runtime_ended || !ends->runtime->HalfClose()) co_return;
  ends->last_byte = ends->loop.Monotonic();
  ends->CloseWhenIdle(kLastAnswer);
  while (!ends->closed) co_await ends->over.Wait();
}

async::Task<void> Relay::FromRuntime(std::shared_ptr<Ends> ends, std::string answer) {
  struct Closer {
    std::shared_ptr<Ends> ends;
    ~Closer() { ends->Close(); }
  } closer{ends};
  const bool ended =
      co_await Carry(&ends->loop, ends->runtime, ends->client, std::move(answer), &ends->last_byte);
  if (!ended || ends->closed || ends->client_ended) co_return;
  // Closed at once, the last bytes could be lost to what the client still sends.
  ends->runtime_ended = true;
  ends->last_byte = ends->loop.Monotonic();
  ends->CloseWhenIdle(kGoodbye);
  co_await ends->client->Shutdown();
  while (!ends->closed) co_await ends->over.Wait();
}

}  // namespace cubelet::server
