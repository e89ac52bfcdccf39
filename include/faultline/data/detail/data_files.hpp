// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which files of a data folder are files to read, by rules that hold for every kind of data set.

#include <faultline/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// The text in small letters; other alphabets than ASCII's stay as they are.
[[nodiscard]] inline std::string in_small_letters(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// Refuses what cannot be read to its end: links to nowhere or to themselves, pipes, sockets, devices. Links to files
/// are followed. **Throws** `cannot_open`.
inline void require_readable_kind(const std::filesystem::path& file, std::string_view where) {
  std::error_code error;
  const auto refuse = [&](const std::string& what) {
    return Error(ErrorCode::cannot_open, where, "'" + file.string() + "' " + what);
  };
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (std::filesystem::is_regular_file(status)) return;
  if (!std::filesystem::exists(status) && std::filesystem::is_symlink(std::filesystem::symlink_status(file, error))) {
    throw refuse("is a link to '" + std::filesystem::read_symlink(file, error).string() +
                 "', where there is no file; restore what it points to, or remove it");
  }
  throw refuse("is neither a file nor a folder, but a device, a pipe or the like; remove it");
}

/// Every name under which mirrors keep one of MNIST's files: `train-images-idx3-ubyte` and `train-images.idx3-ubyte`,
/// each plain or with `.gz`.
[[nodiscard]] inline std::vector<std::string> mnist_names(const std::string& part_and_contents) {
  const std::string type = part_and_contents.ends_with("images") ? "idx3-ubyte" : "idx1-ubyte";
  std::vector<std::string> names;
  for (const char* separator : {"-", "."})
    for (const char* ending : {"", ".gz"}) names.push_back(part_and_contents + separator + type + ending);
  return names;
}

/// Those of MNIST's files that lie in the folder, by any of their names: a link counts, whatever it leads to, and a
/// folder does not.
[[nodiscard]] inline std::vector<std::filesystem::path> mnist_files(const std::filesystem::path& folder,
                                                                    const std::string& part_and_contents) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const std::string& name : mnist_names(part_and_contents)) {
    if (std::filesystem::exists(std::filesystem::symlink_status(folder / name, ignored)) &&
        !std::filesystem::is_directory(folder / name, ignored))
      files.push_back(folder / name);
  }
  return files;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
