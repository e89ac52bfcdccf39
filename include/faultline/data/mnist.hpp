// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Labelled image sets, and MNIST (or any set in its four files, such as Fashion-MNIST) as one.

#include <faultline/core/image.hpp>
#include <faultline/error.hpp>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// Images with one class each: `pixels` is `[count, channels, height, width]` in 0 .. 255, `labels` is `[count]` in 0
/// .. classes - 1; without labels, `classes` is 0 and `labels` empty.
struct LabelledImages {
  std::int64_t count = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  std::vector<std::uint8_t> pixels = {};
  std::vector<std::uint8_t> labels = {};
  std::int64_t channels = 1;
  /// Path of each picture in its folder, with '/'; empty where images have no names, as in IDX files
  std::vector<std::string> names = {};
  std::vector<std::string> class_names = {};  ///< where the set names its classes; else empty

  /// Pixels of image i, channel by channel, row by row.
  [[nodiscard]] std::span<const std::uint8_t> image(std::int64_t i) const noexcept {
    return {pixels.data() + i * shape().elements(), static_cast<std::size_t>(shape().elements())};
  }
  [[nodiscard]] std::int64_t label(std::int64_t i) const noexcept { return labels[static_cast<std::size_t>(i)]; }
  [[nodiscard]] ImageShape shape() const noexcept { return {channels, height, width}; }
};

/// Which part of the data set: 60 000 images to train on or 10 000 to test on.
enum class MnistPart { train, test };

/// Reads images and labels of one part from `directory`, from `train-images-idx3-ubyte` or `t10k-...` and the like,
/// each plain or with `.gz`, also where a mirror writes `.idx3-ubyte`. A file that is there in two forms must hold the
/// same in both. Other files in the directory are not looked at.
///
/// **Throws**, naming the file, `data_unavailable` when one is in no form there; `cannot_open` for a link to nowhere;
/// everything that `read_idx` throws; `inconsistent_files` when two forms of one file differ, and when images and
/// labels differ in number or are not `[N, H, W]` and `[N]`; `label_out_of_range` for a label above 9, with its
/// position.
/// **Cost**: 47 MB for the training part.
/// Example: `LabelledImages train = load_mnist(find_mnist(), MnistPart::train);`
[[nodiscard]] LabelledImages load_mnist(const std::filesystem::path& directory, MnistPart part);

/// The directory that has the four MNIST files.
///
/// Looks at the environment variable `FAULTLINE_MNIST_DIR`; when that is not set, at `../shared/data/mnist` and
/// `data/mnist` from the working directory and at `mnist` in the cache: `$FAULTLINE_CACHE_DIR`, else
/// `$XDG_CACHE_HOME/faultline`, else `~/.cache/faultline`. Downloads nothing; `./bootstrap mnist` does.
/// **Throws** `data_unavailable`, which says where it looked and how to get the files; also when the variable points to
/// a directory without them.
[[nodiscard]] std::filesystem::path find_mnist();

}  // namespace data

using data::find_mnist;
using data::LabelledImages;
using data::load_mnist;
using data::MnistPart;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/mnist_impl.hpp>
#endif
