#include "sources/url.h"

#include <gtest/gtest.h>

#include <string>

#include "base/strings.h"

namespace cubelet::sources {
namespace {

std::string Text(const absl::StatusOr<Url>& url) {
  if (!url.ok()) return StrCat("error: ", Message(url.status()));
  return StrCat(url->scheme, "|", url->host, "|", url->port, "|", url->target, "|", url->user_info);
}

TEST(UrlTest, Parse) {
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"http://host", "http|host|80|/|"},
      {"HTTPS://host/a/b?c=d#e", "https|host|443|/a/b?c=d|"},
      {"http://host:8080?x", "http|host|8080|/?x|"},
      {"http://[fd00::1]:81/", "http|fd00::1|81|/|"},
      {"http://[fd00::1]", "http|fd00::1|80|/|"},
      {"http://u:p%40@host/", "http|host|80|/|u:p%40"},
      {"ftp://host/", "error: invalid URL \"ftp://host/\": want http:// or https://"},
      {"host/path", "error: invalid URL \"host/path\": want http:// or https://"},
      {"http://", "error: invalid URL \"http://\": no host"},
      {"http://:80/", "error: invalid URL \"http://:80/\": no host"},
      {"http://host:0/", "error: invalid URL \"http://host:0/\": port must be between 1 and 65535"},
      {"http://host:65536/",
       "error: invalid URL \"http://host:65536/\": port must be between 1 and 65535"},
      {"http://[::1/", "error: invalid URL \"http://[::1/\": missing ']' in host"},
      {"http://ho\"st/", "error: invalid URL \"http://ho\\\"st/\": not a host name or address"},
      {"http://u:secret@host:x/",
       "error: invalid URL \"http://u:xxxxx@host:x/\": port must be between 1 and 65535"},
      {"http://host/\r\nX: y",
       "error: invalid URL \"http://host/\\r\\nX: y\": blank or control character, or not ASCII"},
  };
  for (const Case& c : cases) EXPECT_EQ(Text(ParseUrl(c.text)), c.want);
  EXPECT_FALSE(ParseUrl("http://" + std::string(10000, 'a')).ok());
}

TEST(UrlTest, References) {
  const Url base = *ParseUrl("http://host:81/a/b?q=1");
  EXPECT_EQ(Text(ResolveReference(base, "https://other/x")), "https|other|443|/x|");
  EXPECT_EQ(Text(ResolveReference(base, "//other/x")), "http|other|80|/x|");
  EXPECT_EQ(Text(ResolveReference(base, "/x#f")), "http|host|81|/x|");
  EXPECT_EQ(Text(ResolveReference(base, "x?y=http://z")), "http|host|81|/a/x?y=http://z|");
  EXPECT_EQ(Text(ResolveReference(base, "?z")), "http|host|81|/a/b?z|");
  EXPECT_FALSE(ResolveReference(base, "/x y").ok());
  EXPECT_FALSE(ResolveReference(base, "file:///etc/passwd").ok());
}

TEST(UrlTest, SmallThings) {
  EXPECT_EQ(HostHeader(*ParseUrl("http://host")), "host");
  EXPECT_EQ(HostHeader(*ParseUrl("https://host:80")), "host:80");
  EXPECT_EQ(HostHeader(*ParseUrl("http://[::1]:81")), "[::1]:81");
  EXPECT_EQ(RedactUrl("http://u:secret@h/p?a@b:c"), "http://u:xxxxx@h/p?a@b:c");
  EXPECT_EQ(RedactUrl("http://u@h/"), "http://u@h/");
  EXPECT_EQ(RedactUrl("http://h/x:y@z"), "http://h/x:y@z");
  EXPECT_EQ(PercentDecode("a%40b%zz%4"), "a@b%zz%4");
}

}  // namespace
}  // namespace cubelet::sources
