#include "node/node_images.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace cubelet::node {
namespace {

constexpr int kMaxNames = 5;

v1::ContainerImage StatusImage(const criv1::Image& image) {
  v1::ContainerImage out;
  for (const auto* names : {&image.repo_digests(), &image.repo_tags()}) {
    for (const std::string& name : *names) {
      if (out.names_size() < kMaxNames) out.add_names(name);
    }
  }
  const uint64_t largest = std::numeric_limits<int64_t>::max();
  out.set_sizebytes(static_cast<int64_t>(std::min<uint64_t>(image.size(), largest)));
  return out;
}

}  // namespace

std::vector<v1::ContainerImage> StatusImages(const criv1::ListImagesResponse& images, int max) {
  std::vector<const criv1::Image*> sorted;
  sorted.reserve(static_cast<size_t>(images.images_size()));
  for (const criv1::Image& image : images.images()) sorted.push_back(&image);
  std::sort(sorted.begin(), sorted.end(), [](const criv1::Image* a, const criv1::Image* b) {
    return std::forward_as_tuple(a->size(), a->id()) > std::forward_as_tuple(b->size(), b->id());
  });
  if (max >= 0 && sorted.size() > static_cast<size_t>(max)) sorted.resize(static_cast<size_t>(max));
  std::vector<v1::ContainerImage> out;
  out.reserve(sorted.size());
  for (const criv1::Image* image : sorted) out.push_back(StatusImage(*image));
  return out;
}

}  // namespace cubelet::node
