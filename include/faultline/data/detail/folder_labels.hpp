// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the label files of a folder of pictures say (dataset.json, labels.csv), or the folders that they lie in.

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/detail/csv.hpp>
#include <faultline/data/detail/folder_files.hpp>
#include <faultline/data/idx.hpp>
#include <faultline/data/strict_json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

inline constexpr std::int64_t most_classes = 256;  // a label is one byte

/// A label and the place that states it, for messages.
struct FolderLabel {
  std::int64_t value = 0;
  std::string place;
};

/// The labels of a folder, by normalised path.
class FolderLabels {
 public:
  /// Reads `given`, or the folder's own label files where that is empty. `names` are the folder's pictures, sorted.
  FolderLabels(const std::filesystem::path& folder, std::int64_t classes, const std::filesystem::path& given = {},
               const std::vector<std::string>& names = {})
      : limit_(classes > 0 ? classes : most_classes) {
    std::error_code ignored;
    if (!given.empty()) {
      read(given, names);
      return;
    }
    if (const auto file = folder / "dataset.json"; std::filesystem::exists(file, ignored))
      read_json(file, text_of(file));
    if (const auto file = folder / "labels.csv"; std::filesystem::exists(file, ignored)) read_csv(file, text_of(file));
  }

  /// Whether there is any label file, be it one that says that there are no labels.
  [[nodiscard]] bool stated() const noexcept { return stated_; }
  /// Whether there is any list of labels, be it an empty one.
  [[nodiscard]] bool present() const noexcept { return present_; }
  [[nodiscard]] const std::map<std::string, FolderLabel>& all() const noexcept { return labels_; }

 private:
  static constexpr std::int64_t most_bytes = std::int64_t{1} << 28;

  static std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static std::string text_of(const std::filesystem::path& file) { return text_of(core::read_file(file, most_bytes)); }

  void read(const std::filesystem::path& file, const std::vector<std::string>& names) {
    const std::vector<std::byte> bytes = core::read_file(file, most_bytes);
    const auto begins = [&](int first, int second) {
      return bytes.size() > 1 && bytes[0] == std::byte(first) && bytes[1] == std::byte(second);
    };
    if (in_small_letters(file.extension().string()) == ".json") return read_json(file, text_of(bytes));
    if (begins(0x1f, 0x8b) || begins(0, 0)) return read_labels_idx(file, bytes, names);
    read_csv(file, text_of(bytes));
  }

  void read_labels_idx(const std::filesystem::path& file, std::span<const std::byte> bytes,
                       const std::vector<std::string>& names) {
    stated_ = present_ = true;
    const IdxArray array = decode_idx(bytes, {}, file.string());
    if (array.shape.size() != 1 || array.values.size() != names.size())
      throw Error(ErrorCode::inconsistent_files, "load_image_folder",
                  "expected '" + file.string() + "' to hold one label for each of the " + std::to_string(names.size()) +
                      " pictures, got " + std::to_string(array.values.size()) + " values on " +
                      std::to_string(array.shape.size()) + (array.shape.size() == 1 ? " axis" : " axes"));
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string place = "entry " + std::to_string(i) + " of '" + file.string() + "'";
      if (array.values[i] >= limit_) throw out_of_range(place, names[i], std::to_string(array.values[i]));
      add(place, names[i], array.values[i]);
    }
  }

  [[nodiscard]] std::string range() const { return "0 to " + std::to_string(limit_ - 1); }

  [[nodiscard]] Error out_of_range(const std::string& place, const std::string& name, const std::string& label) const {
    return Error(ErrorCode::label_out_of_range, "load_image_folder",
                 place + " gives " + shown(name) + " the label " + label + ", expected " + range());
  }

  void add(const std::string& place, const std::string& listed, std::int64_t label) {
    const std::string name = std::filesystem::path(listed).lexically_normal().generic_string();
    const auto [known, fresh] = labels_.emplace(name, FolderLabel{label, place});
    if (!fresh && known->second.value != label) {
      throw Error(ErrorCode::inconsistent_files, "load_image_folder",
                  place + " gives " + shown(name) + " the label " + std::to_string(label) + ", but " +
                      known->second.place + " gives it " + std::to_string(known->second.value));
    }
  }

  void read_json(const std::filesystem::path& file, const std::string& text) {
    stated_ = true;
    const std::string where = "load_image_folder, '" + file.string() + "'";
    const nlohmann::json json = parse_strict_json(text, where);
    const auto refuse = [&](const std::string& what) { return Error(ErrorCode::malformed_header, where, what); };
    if (!json.is_object() || !json.contains("labels")) throw refuse("expected an object with the key 'labels'");
    const nlohmann::json& list = json.at("labels");
    if (list.is_null()) return;
    if (!list.is_array()) throw refuse("expected 'labels' to be a list of pairs [\"file.png\", class]");
    present_ = true;
    std::int64_t number = 0;
    for (const nlohmann::json& entry : list) {
      const std::string position = "entry " + std::to_string(++number);
      if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number_integer()) {
        throw refuse(position + " of 'labels': expected a pair [\"file.png\", class] with a whole number from " +
                     range() + " as class, got " +
                     entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 80));
      }
      const auto name = entry[0].get<std::string>();
      const std::string place = position + " of '" + file.string() + "'";
      // Unsigned numbers beyond 2^63 would turn negative, which is as far out of range.
      const auto label = entry[1].get<std::int64_t>();
      if (label < 0 || label >= limit_) throw out_of_range(place, name, entry[1].dump());
      add(place, name, label);
    }
  }

  void read_csv(const std::filesystem::path& file, const std::string& text) {
    stated_ = present_ = true;
    const std::string where = "load_image_folder, '" + file.string() + "'";
    const std::vector<CsvRecord> records = parse_csv(text, where);
    const auto refuse = [&](std::int64_t line, const std::string& what) {
      return Error(ErrorCode::malformed_header, where, "line " + std::to_string(line) + ": " + what);
    };
    if (records.empty()) throw refuse(1, "expected the columns 'file' and 'label', got an empty file");
    std::vector<std::string> columns;
    for (const std::string& column : records.front().fields) columns.push_back(in_small_letters(column));
    const bool file_first = columns == std::vector<std::string>{"file", "label"};
    if (!file_first && columns != std::vector<std::string>{"label", "file"}) {
      throw refuse(records.front().line, "expected the columns 'file' and 'label' and a comma between them, got " +
                                             shown(records.front().fields));
    }
    for (auto record = records.begin() + 1; record != records.end(); ++record) {
      const auto& fields = record->fields;
      if (fields.size() != 2) {
        throw refuse(record->line,
                     "expected a file and a class, got " + std::to_string(fields.size()) +
                         (fields.size() == 1 ? " field: " : " fields: ") + shown(fields) +
                         (fields.size() > 2 ? "; a name with a comma has to be put in double quotes" : ""));
      }
      const std::string& name = fields[file_first ? 0 : 1];
      const std::string& label = fields[file_first ? 1 : 0];
      if (name.empty())
        throw refuse(record->line, "expected a file beside the class " + shown(label) + ", got nothing");
      add("line " + std::to_string(record->line) + " of '" + file.string() + "'", name,
          class_of(*record, file, where, name, label));
    }
  }

  /// The class that a text of digits is.
  [[nodiscard]] std::int64_t class_of(const CsvRecord& record, const std::filesystem::path& file,
                                      const std::string& where, const std::string& name,
                                      const std::string& label) const {
    const std::string line = "line " + std::to_string(record.line);
    const std::string_view digits = std::string_view(label).substr(label.starts_with('-') ? 1 : 0);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
      throw Error(
          ErrorCode::malformed_header, where,
          line + ": expected a whole number from " + range() + " as class of " + shown(name) + ", got " + shown(label));
    }
    std::int64_t value = 0;
    for (const char digit : digits) value = std::min(limit_, 10 * value + (digit - '0'));
    if (digits.size() != label.size() || value >= limit_)
      throw out_of_range(line + " of '" + file.string() + "'", name, shown(label));
    return value;
  }

  std::int64_t limit_;
  bool stated_ = false;
  bool present_ = false;
  std::map<std::string, FolderLabel> labels_;
};

/// Why a listed file is not among the pictures.
inline std::string why_missing(const std::string& name, const std::vector<std::string>& names) {
  const auto is_picture = [&](const std::string& candidate) {
    return std::binary_search(names.begin(), names.end(), candidate);
  };
  std::string with_slashes = name;
  std::replace(with_slashes.begin(), with_slashes.end(), '\\', '/');
  if (with_slashes != name && is_picture(with_slashes))
    return "paths are written with '/', as in '" + with_slashes + "'";
  const std::filesystem::path path(name);
  if (path.is_absolute() || name.starts_with("../")) return "paths are relative to the folder and stay below it";
  for (const auto& part : path) {
    if (is_skipped_name(part.string()))
      return "files and folders of such a name (" + shown(part.string()) + ") are skipped";
  }
  return "there is no PNG picture of that name";
}

/// One label for each picture and every listed picture there. **Throws** `inconsistent_files` naming the first that
/// fails.
inline std::vector<std::uint8_t> labels_of(const std::filesystem::path& folder, const std::vector<std::string>& names,
                                           const FolderLabels& labels) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::inconsistent_files, "load_image_folder", what);
  };
  for (const auto& [name, label] : labels.all()) {
    if (!std::binary_search(names.begin(), names.end(), name))
      throw refuse(label.place + " gives a label to " + shown(name) + ", but " + why_missing(name, names));
  }
  std::vector<std::uint8_t> values;
  values.reserve(names.size());
  for (const std::string& name : names) {
    const auto found = labels.all().find(name);
    if (found == labels.all().end()) {
      throw refuse("in '" + folder.string() + "' " + shown(name) + " has no label, but " +
                   std::to_string(labels.all().size()) + " of " + std::to_string(names.size()) +
                   " pictures have one; label all, or remove the label files");
    }
    values.push_back(static_cast<std::uint8_t>(found->second.value));
  }
  return values;
}

/// Classes as folders: which picture belongs to which, and the names of the classes.
struct ClassFolders {
  std::vector<std::string> class_names;
  std::vector<std::uint8_t> labels;
};

/// Classes of pictures that lie in folders of their own. **Throws** `inconsistent_files` for a picture elsewhere, for
/// less than two classes, and for names that are numbers with gaps; `label_out_of_range` for more than `limit` classes.
inline ClassFolders class_folders_of(const std::filesystem::path& folder, const std::vector<std::string>& names,
                                     std::int64_t limit) {
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::inconsistent_files, "load_image_folder",
                 "in '" + folder.string() + "' there is no label file, and " + what);
  };
  std::map<std::string, std::int64_t> classes;
  for (const std::string& name : names) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos || name.find('/', slash + 1) != std::string::npos)
      throw refuse(shown(name) +
                   " does not lie in the folder of its class; write labels to 'labels.csv' or 'dataset.json', name a "
                   "label file, or put the pictures of each class straight into one folder");
    classes.emplace(name.substr(0, slash), 0);
  }
  if (classes.size() < 2)
    throw refuse("all pictures lie in the one folder " + shown(classes.begin()->first) +
                 ", which would be the only class");
  if (static_cast<std::int64_t>(classes.size()) > limit)
    throw Error(ErrorCode::label_out_of_range, "load_image_folder",
                "'" + folder.string() + "' holds pictures in " + std::to_string(classes.size()) +
                    " folders, expected at most " + std::to_string(limit) + " classes");
  ClassFolders result;
  const bool numbers = std::all_of(classes.begin(), classes.end(), [](const auto& one) {
    return one.first.find_first_not_of("0123456789") == std::string::npos && (one.first == "0" || one.first[0] != '0');
  });
  std::int64_t next = 0;
  for (auto& [name, number] : classes) {
    number = next++;
    result.class_names.push_back(name);
  }
  if (numbers) {  // in the order of what they say: "10" comes after "9"
    for (std::int64_t k = 0; k < next; ++k) {
      const auto found = classes.find(std::to_string(k));
      if (found == classes.end())
        throw refuse("its folders are numbers, of which " + std::to_string(k) +
                     " is missing; number the classes from 0 without gaps, or give them names");
      found->second = k;
      result.class_names[static_cast<std::size_t>(k)] = found->first;
    }
  }
  for (const std::string& name : names)
    result.labels.push_back(static_cast<std::uint8_t>(classes.find(name.substr(0, name.find('/')))->second));
  return result;
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

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
