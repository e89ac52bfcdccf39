// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Labelled images of whatever kind a folder holds, and parts of a set.

#include <faultline/data/image_folder.hpp>
#include <faultline/data/mnist.hpp>

#include <cstdint>
#include <filesystem>
#include <span>

namespace faultline {
inline namespace v1 {
namespace data {

/// How a folder becomes a labelled set.
struct LabelledImagesOptions {
  MnistPart part = MnistPart::test;   ///< of IDX files
  std::filesystem::path labels = {};  ///< of pictures, see `ImageFolderOptions::labels`
  std::int64_t resolution = 0;        ///< of pictures: pad or cut them to this square; 0: all have one size, any
  std::int64_t classes = 0;           ///< of pictures: 0: one more than the largest label
};

/// Reads the images of a folder with a label for each: IDX files as `load_mnist` does, PNG pictures of any one size as
/// `load_image_folder` does, labelled by a label file or, where there is none, by the folders they lie in.
///
/// **Throws** what those throw, `inconsistent_files` for pictures without labels, and `invalid_argument` for labels, a
/// resolution or classes beside IDX files, which bring their own.
/// Example: `LabelledImages cats = load_labelled_images("photos", {.labels = "truth.csv"});`
[[nodiscard]] LabelledImages load_labelled_images(const std::filesystem::path& folder,
                                                  const LabelledImagesOptions& options = {});

/// The images at these positions, in their order; a position may come twice.
///
/// **Throws** `invalid_argument` for a position outside the set.
[[nodiscard]] LabelledImages select_images(const LabelledImages& images, std::span<const std::int64_t> positions);

}  // namespace data

using data::LabelledImagesOptions;
using data::load_labelled_images;
using data::select_images;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/labelled_images_impl.hpp>
#endif
