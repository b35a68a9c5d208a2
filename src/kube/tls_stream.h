// A TLS connection that is up. Part of the folder's inside: it brings Asio's sockets with it.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <utility>

namespace cubelet::kube {

struct TlsStream {
  TlsStream(std::shared_ptr<boost::asio::ssl::context> settings,
            boost::asio::ip::tcp::socket connected)
      : context(std::move(settings)), stream(std::move(connected), *context) {}

  std::shared_ptr<boost::asio::ssl::context> context;  // lives as long as the stream
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream;
};

}  // namespace cubelet::kube
