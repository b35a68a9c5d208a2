#include "kube/frame_reader.h"

#include <gtest/gtest.h>

namespace cubelet::kube {
namespace {

std::string Framed(std::string_view content) {
  std::string frame(3, '\0');
  frame += static_cast<char>(content.size());
  frame += content;
  return frame;
}

std::string NextOrNone(FrameReader& reader) {
  const auto frame = reader.Next();
  EXPECT_TRUE(frame.ok()) << frame.status();
  return frame.ok() && frame->has_value() ? **frame : "none";
}

TEST(FrameReader, GivesWholeFramesHoweverTheBytesArrive) {
  const std::string bytes = Framed("one") + Framed("") + Framed("three");
  for (size_t step = 1; step <= bytes.size(); ++step) {
    FrameReader reader(true);
    std::vector<std::string> frames;
    for (size_t i = 0; i < bytes.size(); i += step) {
      reader.Append(std::string_view(bytes).substr(i, step));
      for (std::string frame = NextOrNone(reader); frame != "none"; frame = NextOrNone(reader))
        frames.push_back(frame);
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"one", "", "three"})) << step;
    EXPECT_FALSE(reader.partial());
  }
}

TEST(FrameReader, CutsLines) {
  FrameReader reader(false);
  reader.Append("{\"a\":1}\n\n{\"b\"");
  EXPECT_EQ(NextOrNone(reader), "{\"a\":1}");
  EXPECT_EQ(NextOrNone(reader), "none");
  EXPECT_TRUE(reader.partial());
  reader.Append(":2}\n");
  EXPECT_EQ(NextOrNone(reader), "{\"b\":2}");
  EXPECT_FALSE(reader.partial());
}

TEST(FrameReader, RefusesWhatIsTooLarge) {
  FrameReader delimited(true);
  delimited.Append("\x7f\xff\xff\xff");
  EXPECT_TRUE(absl::IsResourceExhausted(delimited.Next().status()));
  FrameReader lines(false);
  lines.Append(std::string(FrameReader::kMaxFrameBytes + 1, 'x'));
  EXPECT_TRUE(absl::IsResourceExhausted(lines.Next().status()));
}

}  // namespace
}  // namespace cubelet::kube
