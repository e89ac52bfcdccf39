// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Labelled image sets from a folder of PNG pictures.

#include <faultline/data/mnist.hpp>
#include <faultline/data/png.hpp>

#include <cstdint>
#include <filesystem>

namespace faultline {
inline namespace v1 {

/// How the pictures of a folder become one set.
struct ImageFolderOptions {
  std::int64_t resolution = 0;                      ///< 0: the pictures are squares of one power of two; else each is cut to this square, or padded with black, about its centre
  std::int64_t classes = 0;                         ///< 0: one more than the largest label, and every class has a picture; else labels are below this, at most 256
  std::int64_t max_bytes = std::int64_t{16} << 30;  ///< of all pixels together
};

/// Reads all PNG pictures in a folder and below it, in the order of their paths, grey or RGB as they all are.
///
/// Labels stand in the folder itself, in `dataset.json`, `{"labels": [["some/picture.png", 3], ...]}`, in `labels.csv`, which begins with the line `file,label`, or in both; paths are relative to
/// the folder. Without either (or with `"labels": null`) the set has no labels and 0 classes. Files that do not end in `.png` are left out.
/// **Shapes**: pixels `[N, C, R, R]`, labels `[N]`.
/// **Throws**, each naming the file: `cannot_open` for a folder or file that cannot be read; `data_unavailable` when there is no picture; `malformed_header` for a label file that cannot be parsed;
/// `label_out_of_range`; `inconsistent_files` for a listed picture that is not there, a picture without a label among labelled ones or with two, a class without pictures, and pictures of different
/// sizes or channels; `shape_mismatch` for a size that is no square of a power of two from 4 to 4096 when no resolution is given; `oversized` when the pixels would take more than `max_bytes`, before they do;
/// everything that `read_png` throws, such as `foreign_format` for 16 bits per channel and for transparency. `invalid_argument` for options outside their range.
/// **Cost**: the pixels in memory, one byte each.
/// Example: `LabelledImages pets = load_image_folder("pets", {.resolution = 64});`
[[nodiscard]] LabelledImages load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

/// Whether a PNG picture lies in the folder or below it; false when it cannot be read.
[[nodiscard]] bool has_png_pictures(const std::filesystem::path& folder);

}  // namespace v1
}  // namespace faultline

#include <faultline/data/detail/image_folder_impl.hpp>
