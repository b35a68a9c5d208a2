// A WebSocket to the kubelet, as `kubectl exec` has one: channels in binary messages. Blocks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "server/test_client.h"

namespace cubelet::e2e {

class WebSocket {
 public:
  // Over a connection that has shaken hands. "" when the protocol was agreed on, otherwise what
  // came instead.
  static std::string Open(server::TestClient& client, const std::string& target) {
    client.Send(
        StrCat("GET ", target,
               " HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
               "Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n\r\n"));
    const std::string head = client.ReceiveHead();
    return head.starts_with("HTTP/1.1 101 ") ? "" : head + client.ReceiveBytes(200);
  }

  explicit WebSocket(server::TestClient& client) : client_(client) {}

  // One message of up to 125 bytes; the mask that clients must use is zero.
  void Send(char channel, std::string_view text) {
    std::string frame = {'\x82', static_cast<char>(0x80 | (text.size() + 1)), 0, 0, 0, 0, channel};
    frame += text;
    client_.Send(frame);
  }

  // The next message: its channel first. Nothing when the other side has ended.
  std::optional<std::string> Receive() {
    const std::string head = client_.ReceiveBytes(2);
    if (head.size() < 2 || (head[0] & 0x0f) == 8) return std::nullopt;
    size_t size = static_cast<unsigned char>(head[1]) & 0x7f;
    const size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (more > 0) size = 0;
    for (const char byte : client_.ReceiveBytes(more))
      size = size << 8 | static_cast<unsigned char>(byte);
    return client_.ReceiveBytes(size);
  }

  // All that comes on a channel until the end, or until it has `enough` in it.
  std::string ReceiveAll(char channel, std::string_view enough = "") {
    std::string text;
    while (enough.empty() || text.find(enough) == std::string::npos) {
      const std::optional<std::string> message = Receive();
      if (!message) break;
      if (!message->empty() && message->front() == channel) text += message->substr(1);
    }
    return text;
  }

 private:
  server::TestClient& client_;
};

}  // namespace cubelet::e2e
