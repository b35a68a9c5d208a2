#include "fakes/image_store.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/strings.h"

namespace cubelet::fakes {
namespace {

// 64 hex digits that depend on nothing but `text`.
std::string FakeSha256(std::string_view text) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    uint64_t hash = Fnv1a64(StrCat(i, ":", text));
    for (int byte = 0; byte < 8; ++byte, hash >>= 8) bytes.push_back(static_cast<char>(hash));
  }
  return HexEncode(bytes);
}

template <typename Images>
auto FindIn(Images& images, std::string_view reference_or_id) -> decltype(&images.begin()->second) {
  if (auto it = images.find(std::string(reference_or_id)); it != images.end()) return &it->second;
  const std::string reference = CompleteReference(reference_or_id);
  for (auto& [id, image] : images) {
    const auto& tags = image.repo_tags();
    const auto& digests = image.repo_digests();
    if (std::find(tags.begin(), tags.end(), reference) != tags.end() ||
        std::find(digests.begin(), digests.end(), reference) != digests.end())
      return &image;
  }
  return nullptr;
}

}  // namespace

std::string CompleteReference(std::string_view reference) {
  std::string out(reference);
  const size_t slash = out.find('/');
  const std::string first = out.substr(0, slash);
  const bool has_host = slash != std::string::npos &&
                        (first == "localhost" || first.find_first_of(".:") != std::string::npos);
  if (!has_host) out.insert(0, slash == std::string::npos ? "docker.io/library/" : "docker.io/");
  const bool tagged = out.find(':', out.rfind('/')) != std::string::npos;
  if (!tagged && out.find('@') == std::string::npos) out += ":latest";
  return out;
}

std::string ImageStore::Add(std::string_view reference, uint64_t bytes) {
  const std::string complete = CompleteReference(reference);
  const std::string id = StrCat("sha256:", FakeSha256(complete));
  criv1::Image& image = images_[id];
  image.Clear();
  image.set_id(id);
  if (complete.find('@') != std::string::npos) {
    image.add_repo_digests(complete);
  } else {
    image.add_repo_tags(complete);
  }
  image.set_size(bytes);
  image.mutable_uid()->set_value(0);
  return id;
}

criv1::Image* ImageStore::Find(std::string_view reference_or_id) {
  return FindIn(images_, reference_or_id);
}

const criv1::Image* ImageStore::Find(std::string_view reference_or_id) const {
  return FindIn(images_, reference_or_id);
}

bool ImageStore::Remove(std::string_view reference_or_id) {
  const criv1::Image* image = Find(reference_or_id);
  if (image == nullptr) return false;
  images_.erase(std::string(image->id()));
  return true;
}

void ImageStore::SetPull(std::string_view reference, PullOutcome outcome) {
  pulls_[CompleteReference(reference)] = std::move(outcome);
}

PullOutcome ImageStore::OutcomeOf(const std::string& reference) const {
  if (auto it = pulls_.find(CompleteReference(reference)); it != pulls_.end()) return it->second;
  if (other_pulls_) return *other_pulls_;
  PullOutcome missing;
  missing.error =
      absl::NotFoundError(StrCat("failed to pull and unpack image ", GoQuote(reference),
                                 ": failed to resolve image: ", reference, ": not found"));
  return missing;
}

}  // namespace cubelet::fakes
