#include "images/image_name.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace cubelet::images {
namespace {

const std::string kSha = "sha256:" + std::string(64, 'a');

struct NameCase {
  std::string image;
  ImageName want;
};

TEST(ImageName, SplitsIntoItsParts) {
  const NameCase cases[] = {
      {"busybox", {"docker.io", "library/busybox", "", ""}},
      {"busybox:1.36", {"docker.io", "library/busybox", "1.36", ""}},
      {"docker.io/busybox", {"docker.io", "library/busybox", "", ""}},
      {"index.docker.io/busybox", {"docker.io", "library/busybox", "", ""}},
      {"index.docker.io/a/b", {"docker.io", "a/b", "", ""}},
      {"docker.io/library/busybox:latest", {"docker.io", "library/busybox", "latest", ""}},
      {"user/app", {"docker.io", "user/app", "", ""}},
      {"localhost/app", {"localhost", "app", "", ""}},
      {"localhost:5000/app:v1", {"localhost:5000", "app", "v1", ""}},
      // One word with a colon is a name with a tag, never a registry.
      {"localhost:5000", {"docker.io", "library/localhost", "5000", ""}},
      {"Registry/app", {"Registry", "app", "", ""}},
      {"REGISTRY.example.com:443/a/b/c:T_1.x-y",
       {"REGISTRY.example.com:443", "a/b/c", "T_1.x-y", ""}},
      {"[2001:db8::1]:5000/a/b", {"[2001:db8::1]:5000", "a/b", "", ""}},
      {"[::1]/a", {"[::1]", "a", "", ""}},
      {"10.0.0.1:5000/x", {"10.0.0.1:5000", "x", "", ""}},
      {"quay.io/a/b@" + kSha, {"quay.io", "a/b", "", kSha}},
      {"quay.io/a/b:v1@" + kSha, {"quay.io", "a/b", "v1", kSha}},
      {"a@sha512:" + std::string(128, '0'),
       {"docker.io", "library/a", "", "sha512:" + std::string(128, '0')}},
      {"a__b/c--d.e_f", {"docker.io", "a__b/c--d.e_f", "", ""}},
      // Not a host name because of the underscore, but a path all the same.
      {"foo_bar.x/baz", {"", "foo_bar.x/baz", "", ""}},
      {std::string(63, 'a'), {"docker.io", "library/" + std::string(63, 'a'), "", ""}},
      {"a:" + std::string(128, 'T'), {"docker.io", "library/a", std::string(128, 'T'), ""}},
  };
  for (const NameCase& c : cases) {
    const absl::StatusOr<ImageName> got = ParseImageName(c.image);
    ASSERT_TRUE(got.ok()) << c.image << ": " << got.status();
    EXPECT_EQ(got->domain, c.want.domain) << c.image;
    EXPECT_EQ(got->path, c.want.path) << c.image;
    EXPECT_EQ(got->tag, c.want.tag) << c.image;
    EXPECT_EQ(got->digest, c.want.digest) << c.image;
  }
}

TEST(ImageName, SaysWhatIsWrong) {
  const std::string id(64, 'a');
  const std::pair<std::string, std::string> cases[] = {
      {"", "invalid reference format"},
      {":tag", "invalid reference format"},
      {"/app", "invalid reference format"},
      {"app/", "invalid reference format"},
      {"a//b", "invalid reference format"},
      {"https://quay.io/a", "invalid reference format"},
      {"a b", "invalid reference format"},
      {"a:", "invalid reference format"},
      {"a:.x", "invalid reference format"},
      {"a:b:c", "invalid reference format"},
      {"a:" + std::string(129, 't'), "invalid reference format"},
      {"a@", "invalid reference format"},
      {"a@sha256:abc", "invalid reference format"},
      {"a@sha256", "invalid reference format"},
      {"a@:" + id, "invalid reference format"},
      {"a@sha+:" + id, "invalid reference format"},
      {"a@" + kSha + ":v1", "invalid reference format"},
      {"a..b", "invalid reference format"},
      {"a___b", "invalid reference format"},
      {"-a", "invalid reference format"},
      {"a-", "invalid reference format"},
      {"example.com:port/a", "invalid reference format"},
      {"[::1/a.b", "invalid reference format"},
      {"[::1]x:5/a", "invalid reference format"},
      {"x.-y.z/a", "invalid reference format"},
      {std::string("a\0b", 3), "invalid reference format"},
      {"Alpine:3.20",
       "invalid reference format: repository name (library/Alpine) must be lowercase"},
      {"quay.io/Team/app",
       "invalid reference format: repository name (Team/app) must be lowercase"},
      {"Foo_Bar.x/baz", "repository name must be lowercase"},
      {id, "invalid repository name (" + id + "), cannot specify 64-byte hexadecimal strings"},
      {std::string(256, 'a'), "repository name must not be more than 255 characters"},
      {"a@sha256:" + std::string(63, 'a'), "invalid checksum digest length"},
      {"a@sha256:" + std::string(64, 'A'), "invalid checksum digest format"},
      {"a@md5:" + std::string(32, '0'), "unsupported digest algorithm"},
      {"a:1@MD5:" + std::string(32, '0'), "invalid checksum digest format"},
  };
  for (const auto& [image, why] : cases) {
    const absl::StatusOr<ImageName> got = ParseImageName(image);
    ASSERT_FALSE(got.ok()) << image;
    EXPECT_EQ(Message(got.status()),
              StrCat("couldn't parse image name ", GoQuote(image), ": ", why));
  }
}

TEST(ImageName, DefaultTagOnlyWhereNothingElseNamesAVersion) {
  const std::pair<std::string, std::string> cases[] = {
      {"busybox", "busybox:latest"},
      {"busybox:1", "busybox:1"},
      {"localhost:5000/a", "localhost:5000/a:latest"},
      {"localhost:5000/a:b", "localhost:5000/a:b"},
      {"a@" + kSha, "a@" + kSha},
      {"index.docker.io/a", "index.docker.io/a:latest"},
      {"[::1]:5000/a", "[::1]:5000/a:latest"},
  };
  for (const auto& [image, want] : cases) {
    const absl::StatusOr<std::string> got = WithDefaultTag(image);
    ASSERT_TRUE(got.ok()) << image << ": " << got.status();
    EXPECT_EQ(*got, want);
  }
  EXPECT_FALSE(WithDefaultTag("A").ok());
}

TEST(ImageName, HugeInputIsOnlyInvalid) {
  EXPECT_FALSE(ParseImageName(std::string(1 << 20, 'a')).ok());
  EXPECT_FALSE(ParseImageName(std::string(1 << 20, '/')).ok());
  EXPECT_FALSE(ParseImageName(std::string(1 << 20, ':')).ok());
  EXPECT_FALSE(ParseImageName(std::string(1 << 20, '@')).ok());
}

}  // namespace
}  // namespace cubelet::images
