// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/labelled_images.hpp.

#include <faultline/data/labelled_images.hpp>

#include <cstddef>
#include <string>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE LabelledImages load_labelled_images(const std::filesystem::path& folder,
                                                     const LabelledImagesOptions& options) {
  if (image_set_kind(folder) == ImageSetKind::idx_files) {
    if (!options.labels.empty() || options.resolution != 0 || options.classes != 0)
      throw Error(ErrorCode::invalid_argument, "load_labelled_images",
                  "'" + folder.string() +
                      "' holds IDX files, which bring their own labels, size and classes; state none of them");
    return load_mnist(folder, options.part);
  }
  LabelledImages images = load_image_folder(folder, {.resolution = options.resolution,
                                                     .classes = options.classes,
                                                     .labels = options.labels,
                                                     .class_folders = true,
                                                     .any_size = true});
  if (images.classes == 0)
    throw Error(ErrorCode::inconsistent_files, "load_labelled_images",
                "the pictures in '" + folder.string() +
                    "' have no labels; write them to 'labels.csv' or 'dataset.json' in that folder, name another label "
                    "file, or put the pictures of each class into a folder of its own");
  return images;
}

FAULTLINE_INLINE LabelledImages select_images(const LabelledImages& images, std::span<const std::int64_t> positions) {
  LabelledImages part{.count = static_cast<std::int64_t>(positions.size()),
                      .height = images.height,
                      .width = images.width,
                      .classes = images.classes,
                      .channels = images.channels,
                      .class_names = images.class_names};
  part.pixels.reserve(positions.size() * static_cast<std::size_t>(images.shape().elements()));
  for (const std::int64_t position : positions) {
    if (position < 0 || position >= images.count)
      throw Error(ErrorCode::invalid_argument, "select_images",
                  "expected positions in [0, " + std::to_string(images.count) + "), got " + std::to_string(position));
    const std::span<const std::uint8_t> pixels = images.image(position);
    part.pixels.insert(part.pixels.end(), pixels.begin(), pixels.end());
    const auto at = static_cast<std::size_t>(position);
    if (!images.labels.empty()) part.labels.push_back(images.labels[at]);
    if (!images.names.empty()) part.names.push_back(images.names[at]);
  }
  return part;
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
