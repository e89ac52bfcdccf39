// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Labelled image sets from a folder of PNG pictures.

#include <faultline/data/mnist.hpp>
#include <faultline/data/png.hpp>

#include <cstdint>
#include <filesystem>

namespace faultline {
inline namespace v1 {
namespace data {

/// How the pictures of a folder become one set.
struct ImageFolderOptions {
  /// 0: the pictures are squares of one power of two; else each is cut to this square, or padded with black, about its
  /// centre
  std::int64_t resolution = 0;
  /// 0: one more than the largest label, and every class has a picture; else labels are below this, at most 256
  std::int64_t classes = 0;
  std::int64_t max_bytes = std::int64_t{16} << 30;  ///< of all pixels together
  /// A label file that lies anywhere, in place of the folder's own: `.json` as `dataset.json`, an IDX file of labels
  /// in the order of the pictures' paths, anything else as `labels.csv`
  std::filesystem::path labels = {};
  /// Without a label file, the class of a picture is the folder it lies in, which lies in `folder` itself
  bool class_folders = false;
  bool any_size = false;  ///< pictures of any one size will do, be it no square of a power of two
};

/// Reads all PNG pictures in a folder and below it, in the order of their paths, grey or RGB as they all are. Links to
/// files and folders are followed.
///
/// Labels are in the folder itself, in `dataset.json`, `{"labels": [["some/picture.png", 3], ...]}`, in `labels.csv`,
/// a table of the columns `file` and `label`, or in both; paths are relative to the folder. Without either (or with
/// `"labels": null`) the set has no labels and 0 classes, unless its classes are folders: then these are numbered by
/// their names where those are 0, 1, 2 and so on, else in alphabetical order of bytes, and `class_names` keeps them.
/// Every other file is skipped by a rule of docs/reference/formats.md, such as that names which begin with a dot
/// are, or refused by name.
/// **Shapes**: pixels `[N, C, R, R]`, labels `[N]`.
/// **Throws**, each naming the file: `cannot_open` for a folder or file that cannot be read, and links that lead
/// nowhere or back to a folder above them; `data_unavailable` when there is no picture; `foreign_format` for a file
/// that is neither read nor skipped; `malformed_header` for a label file that cannot be parsed and
/// `label_out_of_range`, both with the line or entry; `inconsistent_files` for IDX files among the pictures, a listed
/// picture that is not there, a picture without a label among labelled ones or with two, a class without pictures,
/// pictures beside or below class folders, and pictures of different sizes or channels; `shape_mismatch` for a size
/// that is no square of a power of two from 4 to 4096 when no resolution is given; `oversized` when the pixels would
/// take more than `max_bytes`, before they do; everything that `read_png` throws. `invalid_argument` for options
/// outside their range.
/// **Cost**: the pixels in memory, one byte each.
/// Example: `LabelledImages pets = load_image_folder("pets", {.resolution = 64});`
[[nodiscard]] LabelledImages load_image_folder(const std::filesystem::path& folder,
                                               const ImageFolderOptions& options = {});

/// What `image_set_kind` tells apart.
enum class ImageSetKind {
  idx_files,     ///< the files of MNIST or a relative, for `load_mnist`
  png_pictures,  ///< for `load_image_folder`
};

/// Which kind of data set a folder holds, by the names of its files: IDX files (`...-ubyte`, also with `.gz`) in the
/// folder itself, or PNG pictures in it or below it.
///
/// **Throws**, naming what it found, `inconsistent_files` for a folder that holds both, `data_unavailable` for one that
/// holds neither (or IDX files only in a folder below), `cannot_open`.
/// Example: `if (image_set_kind("pets") == ImageSetKind::png_pictures) ...`
[[nodiscard]] ImageSetKind image_set_kind(const std::filesystem::path& folder);

}  // namespace data

using data::image_set_kind;
using data::ImageSetKind;
using data::load_image_folder;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/image_folder_impl.hpp>
#endif
