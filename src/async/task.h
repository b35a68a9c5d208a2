// The coroutine type of the agent. A Task does nothing until it is awaited or given to
// TaskScope::Spawn.
//
// Rules (docs/traps has the crashes behind them): parameters by value; no capturing lambda
// coroutines; no reference or iterator into shared state across a co_await; cancellation arrives as
// boost::system::system_error with operation_aborted out of a co_await and is caught by the scope,
// never by the code between.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace cubelet::async {

template <typename T>
using Task = boost::asio::awaitable<T>;

}  // namespace cubelet::async
