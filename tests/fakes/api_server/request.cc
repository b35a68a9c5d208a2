#include "fakes/api_server/request.h"

namespace cubelet::fakes {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string DecodeUrl(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 &&
                        HexDigit(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string EncodeUrl(std::string_view text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 0xf]};
    }
  }
  return encoded;
}

std::vector<std::pair<std::string, std::string>> ApiRequest::Parameters() const {
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = pair.find('=');
    parameters.emplace_back(
        DecodeUrl(pair.substr(0, equals)),
        equals == std::string_view::npos ? "" : DecodeUrl(pair.substr(equals + 1)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return parameters;
}

std::string ApiRequest::Parameter(std::string_view name) const {
  for (auto& [key, value] : Parameters()) {
    if (key == name) return std::move(value);
  }
  return "";
}

bool ApiRequest::IsTrue(std::string_view name) const {
  const std::string value = Parameter(name);
  return value == "true" || value == "1";
}

}  // namespace cubelet::fakes
