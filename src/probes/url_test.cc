#include "probes/url.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::probes {
namespace {

TEST(MakeUrl, ReadsThePathAsAReference) {
  const struct {
    const char* path;
    const char* text;    // of the URL
    const char* target;  // of the request
  } cases[] = {
      {"/", "http://a:80/", "/"},
      {"", "http://a:80", "/"},
      {"/x?y=1&z", "http://a:80/x?y=1&z", "/x?y=1&z"},
      {"/x?", "http://a:80/x?", "/x?"},
      {"healthz", "http://a:80/healthz", "/healthz"},
      {"/x#part", "http://a:80/x#part", "/x"},
      {"/a b", "http://a:80/a%20b", "/a%20b"},
      {"/a%20b", "http://a:80/a%20b", "/a%20b"},
      {"/a%2Fb", "http://a:80/a%2Fb", "/a%2Fb"},
      {"/a%2Fb c", "http://a:80/a/b%20c", "/a/b%20c"},
      {"/x!(1)", "http://a:80/x!(1)", "/x!(1)"},
      {"/\xC3\xA9", "http://a:80/%C3%A9", "/%C3%A9"},
      // What cannot be read is a path as a whole.
      {"/100%?x", "http://a:80/100%25%3Fx", "/100%25%3Fx"},
      {"a:b/c", "http://a:80/b/c", "/b/c"},
      {"1:b", "http://a:80/1:b", "/1:b"},
      {"/x\r\nEvil: 1", "http://a:80/x%0D%0AEvil:%201", "/x%0D%0AEvil:%201"},
      // Another host is not where the probe goes.
      {"http://other:1/x", "http://a:80/x", "/x"},
      {"//other/x", "http://a:80/x", "/x"},
      {"/q?a b", "http://a:80/q?a%20b", "/q?a%20b"},
  };
  for (const auto& c : cases) {
    const Url url = MakeUrl("http", "a", "80", c.path);
    EXPECT_EQ(url.ToString(), c.text) << c.path;
    EXPECT_EQ(url.Target(), c.target) << c.path;
  }
}

TEST(MakeUrl, SixesAreBracketed) {
  const Url url = MakeUrl("https", "fd00::1", "8443", "/x");
  EXPECT_EQ(url.ToString(), "https://[fd00::1]:8443/x");
  EXPECT_EQ(url.HostPort(), "[fd00::1]:8443");
}

TEST(ResolveLocation, LeadsOn) {
  const struct {
    const char* location;
    const char* text;
  } cases[] = {
      {"/y", "http://a:80/y"},
      {"y?q=1", "http://a:80/dir/y?q=1"},
      {"../y", "http://a:80/y"},
      {"./", "http://a:80/dir/"},
      {"../../../y", "http://a:80/y"},
      {"?q", "http://a:80/dir/x?q"},
      {"", "http://a:80/dir/x?old"},
      {"#f", "http://a:80/dir/x?old#f"},
      {"//b/y", "http://b/y"},
      {"https://a/", "https://a/"},
      {"https://user:secret@a:8443/y", "https://a:8443/y"},
      {"http://[::1]:8080", "http://[::1]:8080"},
  };
  const Url base = MakeUrl("http", "a", "80", "/dir/x?old");
  for (const auto& c : cases) {
    const absl::StatusOr<Url> url = ResolveLocation(base, c.location);
    ASSERT_TRUE(url.ok()) << c.location << ": " << url.status();
    EXPECT_EQ(url->ToString(), c.text) << c.location;
  }
}

TEST(ResolveLocation, RefusesWhatCannotBeFollowed) {
  const struct {
    const char* location;
    const char* error;
  } cases[] = {
      {"ftp://a/x", "unsupported protocol scheme \"ftp\""},
      {"http://", "no Host in request URL"},
      {"http://a:99999/", "invalid port \"99999\""},
      {"http://[::1/", "missing ']' in host"},
      {"/%zz", "failed to parse Location header \"/%zz\": invalid URL escape"},
      {":", "failed to parse Location header \":\": missing protocol scheme"},
      {"/a\nb", "failed to parse Location header \"/a\\nb\": invalid control character in URL"},
  };
  const Url base = MakeUrl("http", "a", "80", "/");
  for (const auto& c : cases)
    EXPECT_EQ(ResolveLocation(base, c.location).status().message(), c.error) << c.location;
}

TEST(Url, PortIsTheSchemesOwnByDefault) {
  Url url{.scheme = "http", .host = "a"};
  EXPECT_EQ(*url.PortNumber(), 80);
  url.scheme = "https";
  EXPECT_EQ(*url.PortNumber(), 443);
  url.port = "8443";
  EXPECT_EQ(*url.PortNumber(), 8443);
  url.port = "0";
  EXPECT_FALSE(url.PortNumber().ok());
}

}  // namespace
}  // namespace cubelet::probes
