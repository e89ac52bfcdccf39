// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/image_folder.hpp.

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/detail/strict_json.hpp>
#include <faultline/data/image_folder.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

inline constexpr std::int64_t most_classes = 256;  // a label is one byte

inline bool is_png_name(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending == ".png";
}

/// Paths of the pictures relative to the folder, sorted.
inline std::vector<std::string> png_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;  // a link to nowhere is left for the reader to name
    if (is_png_name(entry->path()) && !entry->is_directory(ignored)) names.push_back(entry->path().lexically_relative(folder).generic_string());
  }
  if (error) throw Error(ErrorCode::cannot_open, "load_image_folder", "the folder '" + folder.string() + "' or one below it cannot be read: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// What the label files of a folder say.
class FolderLabels {
 public:
  FolderLabels(const std::filesystem::path& folder, std::int64_t classes) : limit_(classes > 0 ? classes : most_classes) {
    std::error_code ignored;
    if (const auto file = folder / "dataset.json"; std::filesystem::exists(file, ignored)) read_json(file);
    if (const auto file = folder / "labels.csv"; std::filesystem::exists(file, ignored)) read_csv(file);
  }

  /// Whether there is any list of labels, be it an empty one.
  [[nodiscard]] bool present() const noexcept { return present_; }
  [[nodiscard]] const std::map<std::string, std::int64_t>& all() const noexcept { return labels_; }

 private:
  static std::string text_of(const std::filesystem::path& file) {
    const auto bytes = read_file(file, std::int64_t{1} << 28);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] Error out_of_range(const std::filesystem::path& file, const std::string& name, const std::string& label) const {
    return Error(ErrorCode::label_out_of_range, "load_image_folder", "'" + file.string() + "' gives '" + name + "' the label " + label + ", expected 0 to " + std::to_string(limit_ - 1));
  }

  void add(const std::filesystem::path& file, const std::string& listed, std::int64_t label) {
    if (label < 0 || label >= limit_) throw out_of_range(file, listed, std::to_string(label));
    const std::string name = std::filesystem::path(listed).lexically_normal().generic_string();
    const auto [known, fresh] = labels_.emplace(name, label);
    if (!fresh && known->second != label) {
      throw Error(ErrorCode::inconsistent_files, "load_image_folder",
                  "'" + file.string() + "' gives '" + name + "' the label " + std::to_string(label) + ", but it already has " + std::to_string(known->second));
    }
  }

  void read_json(const std::filesystem::path& file) {
    const std::string where = "load_image_folder, '" + file.string() + "'";
    const nlohmann::json json = parse_strict_json(text_of(file), where);
    const auto refuse = [&](const std::string& what) { return Error(ErrorCode::malformed_header, where, what); };
    if (!json.is_object() || !json.contains("labels")) throw refuse("expected an object with the key 'labels'");
    const nlohmann::json& list = json.at("labels");
    if (list.is_null()) return;
    if (!list.is_array()) throw refuse("expected 'labels' to be a list of pairs [\"file.png\", class]");
    present_ = true;
    for (const nlohmann::json& entry : list) {
      if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number_integer()) {
        throw refuse("expected pairs [\"file.png\", class] with a whole number as class, got " + entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 80));
      }
      const auto name = entry[0].get<std::string>();
      if (entry[1].is_number_unsigned() && entry[1].get<std::uint64_t>() >= static_cast<std::uint64_t>(limit_)) throw out_of_range(file, name, entry[1].dump());
      add(file, name, entry[1].get<std::int64_t>());
    }
  }

  void read_csv(const std::filesystem::path& file) {
    const std::string text = text_of(file);
    present_ = true;
    std::int64_t number = 0;
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      std::string line = text.substr(start, end - start);
      start = end + 1;
      ++number;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      const auto refuse = [&](const std::string& what) { return Error(ErrorCode::malformed_header, "load_image_folder, '" + file.string() + "'", "line " + std::to_string(number) + ": " + what); };
      if (number == 1) {
        if (line != "file,label") throw refuse("expected 'file,label'");
        continue;
      }
      if (line.empty()) continue;
      const std::size_t comma = line.rfind(',');
      if (comma == std::string::npos || comma == 0) throw refuse("expected a file name, a comma and a class");
      std::int64_t label = 0;
      const char* const last = line.data() + line.size();
      const auto [stopped, problem] = std::from_chars(line.data() + comma + 1, last, label);
      const std::string name = unquoted(line.substr(0, comma));
      if (problem == std::errc::result_out_of_range) throw out_of_range(file, name, line.substr(comma + 1));
      if (problem != std::errc() || stopped != last) throw refuse("expected a whole number as class, got '" + line.substr(comma + 1, 40) + "'");
      add(file, name, label);
    }
    if (number == 0) throw Error(ErrorCode::malformed_header, "load_image_folder, '" + file.string() + "'", "line 1: expected 'file,label'");
  }

  /// A field in double quotes without them, doubled ones made single.
  static std::string unquoted(const std::string& field) {
    if (field.size() < 2 || field.front() != '"' || field.back() != '"') return field;
    std::string text;
    for (std::size_t i = 1; i + 1 < field.size(); ++i) {
      text += field[i];
      if (field[i] == '"' && field[i + 1] == '"') ++i;
    }
    return text;
  }

  std::int64_t limit_;
  bool present_ = false;
  std::map<std::string, std::int64_t> labels_;
};

/// One label for each picture and every listed picture there, or an error.
inline std::vector<std::uint8_t> labels_of(const std::filesystem::path& folder, const std::vector<std::string>& names, const FolderLabels& labels) {
  const auto refuse = [&](const std::string& what) { return Error(ErrorCode::inconsistent_files, "load_image_folder", "in '" + folder.string() + "' " + what); };
  for (const auto& [name, label] : labels.all()) {
    if (!std::binary_search(names.begin(), names.end(), name)) throw refuse("'" + name + "' has a label but is no PNG picture there");
  }
  std::vector<std::uint8_t> values;
  values.reserve(names.size());
  for (const std::string& name : names) {
    const auto found = labels.all().find(name);
    if (found == labels.all().end()) {
      throw refuse("'" + name + "' has no label, but " + std::to_string(labels.all().size()) + " of " + std::to_string(names.size()) + " pictures have one; label all, or remove the label files");
    }
    values.push_back(static_cast<std::uint8_t>(found->second));
  }
  return values;
}

/// The number of classes when nobody states it: all up to the largest label, none of them without a picture.
inline std::int64_t counted_classes(const std::filesystem::path& folder, const std::vector<std::uint8_t>& labels) {
  std::vector<bool> seen(std::size_t{1} + *std::max_element(labels.begin(), labels.end()), false);
  for (const std::uint8_t label : labels) seen[label] = true;
  if (const auto gap = std::find(seen.begin(), seen.end(), false); gap != seen.end()) {
    throw Error(ErrorCode::inconsistent_files, "load_image_folder",
                "in '" + folder.string() + "' no picture has the label " + std::to_string(gap - seen.begin()) +
                    " but some have a larger one; number the classes from 0 without gaps, or state how many there are");
  }
  return static_cast<std::int64_t>(seen.size());
}

/// Copies the overlap of a picture and a square `[C, resolution, resolution]` that share their centre.
inline void place_centred(const Picture& picture, std::int64_t resolution, std::uint8_t* out) {
  const auto start = [&](std::int64_t extent) { return std::pair{std::max<std::int64_t>(0, (extent - resolution) / 2), std::max<std::int64_t>(0, (resolution - extent) / 2)}; };
  const auto [from_y, to_y] = start(picture.height);
  const auto [from_x, to_x] = start(picture.width);
  const std::int64_t height = std::min(picture.height, resolution), width = std::min(picture.width, resolution);
  for (std::int64_t c = 0; c < picture.channels; ++c)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        out[(c * resolution + to_y + y) * resolution + to_x + x] = picture.pixels[static_cast<std::size_t>(((from_y + y) * picture.width + from_x + x) * picture.channels + c)];
}

}  // namespace detail

inline LabelledImages load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options) {
  const auto refuse = [](ErrorCode code, const std::string& what) { return Error(code, "load_image_folder", what); };
  constexpr std::int64_t largest = 4096;
  if (options.resolution < 0 || options.resolution > largest) throw refuse(ErrorCode::invalid_argument, "expected a resolution of 0 to 4096, got " + std::to_string(options.resolution));
  if (options.classes < 0 || options.classes > detail::most_classes) throw refuse(ErrorCode::invalid_argument, "expected 0 to 256 classes, got " + std::to_string(options.classes));

  const std::vector<std::string> names = detail::png_names(folder);
  if (names.empty()) throw refuse(ErrorCode::data_unavailable, "no file in '" + folder.string() + "' or below it ends in .png");
  LabelledImages images{.count = static_cast<std::int64_t>(names.size()), .height = 0, .width = 0, .classes = 0};
  if (const detail::FolderLabels labels(folder, options.classes); labels.present()) {
    images.labels = detail::labels_of(folder, names, labels);
    images.classes = options.classes > 0 ? options.classes : detail::counted_classes(folder, images.labels);
  }

  std::int64_t height = 0, width = 0;  // of the first picture
  for (std::int64_t i = 0; i < images.count; ++i) {
    const std::filesystem::path file = folder / names[static_cast<std::size_t>(i)];
    const Picture picture = read_png(file);
    const std::string size = std::to_string(picture.height) + " x " + std::to_string(picture.width);
    if (i == 0) {
      height = picture.height;
      width = picture.width;
      if (options.resolution == 0 && (height != width || height < 4 || height > largest || (height & (height - 1)) != 0)) {
        throw refuse(ErrorCode::shape_mismatch, "'" + file.string() + "' has " + size + " pixels, expected a square of a power of two from 4 to 4096; give a resolution to pad or crop to");
      }
      images.channels = picture.channels;
      images.height = images.width = options.resolution > 0 ? options.resolution : height;
      const std::int64_t bytes = images.shape().elements();
      if (bytes > options.max_bytes / images.count) {
        throw refuse(ErrorCode::oversized,
                     std::to_string(images.count) + " pictures of '" + folder.string() + "' of " + std::to_string(bytes) + " bytes each are more than " + std::to_string(options.max_bytes) + " bytes");
      }
      images.pixels.resize(static_cast<std::size_t>(images.count * bytes), 0);
    }
    if (picture.channels != images.channels) {
      throw refuse(ErrorCode::inconsistent_files, "'" + file.string() + "' has " + std::to_string(picture.channels) + " channels, '" + names.front() + "' has " + std::to_string(images.channels));
    }
    if (options.resolution == 0 && (picture.height != height || picture.width != width)) {
      throw refuse(ErrorCode::inconsistent_files,
                   "'" + file.string() + "' has " + size + " pixels, '" + names.front() + "' has " + std::to_string(height) + " x " + std::to_string(width) + "; give a resolution to pad or crop to");
    }
    detail::place_centred(picture, images.height, images.pixels.data() + i * images.shape().elements());
  }
  return images;
}

inline bool has_png_pictures(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    if (detail::is_png_name(entry->path())) return true;
  }
  return false;
}

}  // namespace v1
}  // namespace faultline
