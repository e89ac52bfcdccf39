// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/image_folder.hpp.

#include <faultline/data/image_folder.hpp>

#include <faultline/data/detail/folder_files.hpp>
#include <faultline/data/detail/folder_labels.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

[[nodiscard]] inline Error both_kinds(const std::filesystem::path& folder, const FolderFiles& files,
                                      std::string_view where) {
  return Error(ErrorCode::inconsistent_files, where,
               "'" + folder.string() + "' holds IDX files ('" + files.idx.front() + "') and PNG pictures ('" +
                   files.pictures.front() + "'), and only one of them can be the data set; move the other away");
}

/// Refuses what lies in a folder of pictures and is neither read nor skipped.
inline void require_only_pictures(const std::filesystem::path& folder, const FolderFiles& files) {
  const auto refuse = [](ErrorCode code, const std::string& what) { return Error(code, "load_image_folder", what); };
  files.require_readable();
  if (!files.idx.empty() && !files.pictures.empty()) throw both_kinds(folder, files, "load_image_folder");
  if (const auto* const list = !files.others.empty() ? &files.others : !files.idx.empty() ? &files.idx : nullptr) {
    throw refuse(ErrorCode::foreign_format, "'" + (folder / list->front()).string() +
                                                "' is no PNG picture by its name, and only those (.png) are read; "
                                                "convert it, or move it out of the folder");
  }
  if (files.pictures.empty())
    throw refuse(
        ErrorCode::data_unavailable,
        "no file in '" + folder.string() + "' or below it ends in .png, other than in what is skipped for its name");
}

/// Copies the overlap of a picture and an image of this shape that share their centre.
inline void place_centred(const Picture& picture, const ImageShape& shape, std::uint8_t* out) {
  const auto start = [](std::int64_t extent, std::int64_t wanted) {
    return std::pair{std::max<std::int64_t>(0, (extent - wanted) / 2),
                     std::max<std::int64_t>(0, (wanted - extent) / 2)};
  };
  const auto [from_y, to_y] = start(picture.height, shape.height);
  const auto [from_x, to_x] = start(picture.width, shape.width);
  const std::int64_t height = std::min(picture.height, shape.height), width = std::min(picture.width, shape.width);
  for (std::int64_t c = 0; c < picture.channels; ++c)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        out[(c * shape.height + to_y + y) * shape.width + to_x + x] =
            picture
                .pixels[static_cast<std::size_t>(((from_y + y) * picture.width + from_x + x) * picture.channels + c)];
}

}  // namespace detail

FAULTLINE_INLINE LabelledImages load_image_folder(const std::filesystem::path& folder,
                                                  const ImageFolderOptions& options) {
  const auto refuse = [](ErrorCode code, const std::string& what) { return Error(code, "load_image_folder", what); };
  constexpr std::int64_t largest = 4096;
  if (options.resolution < 0 || options.resolution > largest)
    throw refuse(ErrorCode::invalid_argument,
                 "expected a resolution of 0 to 4096, got " + std::to_string(options.resolution));
  if (options.classes < 0 || options.classes > detail::most_classes)
    throw refuse(ErrorCode::invalid_argument, "expected 0 to 256 classes, got " + std::to_string(options.classes));

  if (options.max_bytes < 1)
    throw refuse(ErrorCode::invalid_argument,
                 "expected max_bytes of at least 1, got " + std::to_string(options.max_bytes));
  const detail::FolderFiles files(folder, "load_image_folder");
  detail::require_only_pictures(folder, files);
  const std::vector<std::string>& names = files.pictures;
  LabelledImages images{.count = static_cast<std::int64_t>(names.size()), .height = 0, .width = 0, .classes = 0};
  const detail::FolderLabels labels(folder, options.classes, options.labels, names);
  if (!labels.stated() && !files.tables.empty()) {
    throw refuse(ErrorCode::foreign_format,
                 "'" + (folder / files.tables.front()).string() +
                     "' is not read: labels are read from 'labels.csv' or 'dataset.json' of '" + folder.string() +
                     "' itself, which has neither; rename it, or move it out of the folder");
  }
  if (labels.present()) {
    images.labels = detail::labels_of(folder, names, labels);
    images.classes = options.classes > 0 ? options.classes : detail::counted_classes(folder, images.labels);
  } else if (options.class_folders && !labels.stated()) {
    detail::ClassFolders found =
        detail::class_folders_of(folder, names, options.classes > 0 ? options.classes : detail::most_classes);
    images.class_names = std::move(found.class_names);
    images.labels = std::move(found.labels);
    images.classes = options.classes > 0 ? options.classes : static_cast<std::int64_t>(images.class_names.size());
  }

  std::int64_t height = 0, width = 0;  // of the first picture
  for (std::int64_t i = 0; i < images.count; ++i) {
    const std::filesystem::path file = folder / names[static_cast<std::size_t>(i)];
    const Picture picture = read_png(file);
    const std::string size = std::to_string(picture.height) + " x " + std::to_string(picture.width);
    if (i == 0) {
      height = picture.height;
      width = picture.width;
      if (options.resolution == 0 && !options.any_size &&
          (height != width || height < 4 || height > largest || (height & (height - 1)) != 0)) {
        throw refuse(
            ErrorCode::shape_mismatch,
            "'" + file.string() + "' has " + size +
                " pixels, expected a square of a power of two from 4 to 4096; give a resolution to pad or crop to");
      }
      images.channels = picture.channels;
      images.height = options.resolution > 0 ? options.resolution : height;
      images.width = options.resolution > 0 ? options.resolution : width;
      const std::int64_t bytes = images.shape().elements();
      if (bytes > options.max_bytes / images.count) {
        throw refuse(ErrorCode::oversized, std::to_string(images.count) + " pictures of '" + folder.string() + "' of " +
                                               std::to_string(bytes) + " bytes each are more than " +
                                               std::to_string(options.max_bytes) + " bytes");
      }
      images.pixels.resize(static_cast<std::size_t>(images.count * bytes), 0);
    }
    if (picture.channels != images.channels) {
      throw refuse(ErrorCode::inconsistent_files, "'" + file.string() + "' has " + std::to_string(picture.channels) +
                                                      " channels, '" + names.front() + "' has " +
                                                      std::to_string(images.channels));
    }
    if (options.resolution == 0 && (picture.height != height || picture.width != width)) {
      throw refuse(ErrorCode::inconsistent_files, "'" + file.string() + "' has " + size + " pixels, '" + names.front() +
                                                      "' has " + std::to_string(height) + " x " +
                                                      std::to_string(width) + "; give a resolution to pad or crop to");
    }
    detail::place_centred(picture, images.shape(), images.pixels.data() + i * images.shape().elements());
  }
  images.names = files.pictures;
  return images;
}

FAULTLINE_INLINE ImageSetKind image_set_kind(const std::filesystem::path& folder) {
  const detail::FolderFiles files(folder, "image_set_kind");
  const auto refuse = [](const std::string& what) {
    return Error(ErrorCode::data_unavailable, "image_set_kind", what);
  };
  if (!files.pictures.empty()) {
    if (!files.idx.empty()) throw detail::both_kinds(folder, files, "image_set_kind");
    return ImageSetKind::png_pictures;
  }
  if (files.idx.empty()) {
    files.require_readable();
    throw refuse("'" + folder.string() + "' holds neither PNG pictures (.png) nor IDX files named as MNIST's" +
                 (files.others.empty() ? ", other than in what is skipped for its name"
                                       : ", only such as '" + files.others.front() + "', which are not read"));
  }
  const auto below = files.idx.front().rfind('/');
  if (std::all_of(files.idx.begin(), files.idx.end(),
                  [](const std::string& name) { return name.find('/') != std::string::npos; })) {
    throw refuse("'" + folder.string() + "' itself holds no data set, but '" +
                 (folder / files.idx.front().substr(0, below)).string() + "' holds IDX files; name that folder");
  }
  return ImageSetKind::idx_files;
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
