// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Every file of a data folder sorted into what is read, what is skipped by a rule of docs/reference/formats.md, and
// what has to be refused.

#include <faultline/data/detail/data_files.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// What the name of a file says about it.
enum class FileKind { skipped, document, picture, table, idx, other };

template <std::size_t N>
[[nodiscard]] bool is_one_of(std::string_view text, const std::array<std::string_view, N>& all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

/// Files and folders that systems and editors leave on a disk: names that begin with a dot or end in a tilde, and a few
/// others.
[[nodiscard]] inline bool is_skipped_name(std::string_view name) {
  constexpr std::array<std::string_view, 10> leftovers = {
      "thumbs.db",  "ehthumbs.db", "desktop.ini",  "icon\r",
      "__macosx",   "__pycache__", "$recycle.bin", "system volume information",
      "lost+found", "@eadir"};
  return name.starts_with('.') || name.ends_with('~') || is_one_of(in_small_letters(std::string(name)), leftovers);
}

[[nodiscard]] inline FileKind kind_by_name(const std::string& name) {
  constexpr std::array<std::string_view, 8> texts = {".txt", ".md", ".rst", ".html", ".htm", ".pdf", ".log", ".bib"};
  constexpr std::array<std::string_view, 10> titles = {"readme", "license", "licence",  "copying",   "copyright",
                                                       "notice", "authors", "citation", "changelog", "changes"};
  constexpr std::array<std::string_view, 10> tables = {".csv",  ".tsv", ".json", ".jsonl",   ".xml",
                                                       ".yaml", ".yml", ".xlsx", ".parquet", ".npy"};
  if (is_skipped_name(name)) return FileKind::skipped;
  const std::string small = in_small_letters(name);
  const std::string ending = std::filesystem::path(small).extension().string();
  const std::string title = small.substr(0, small.find('.'));
  if (ending == ".png") return FileKind::picture;
  if (small.ends_with("-ubyte") || small.ends_with("-ubyte.gz")) return FileKind::idx;
  if (title == "labels" || title == "dataset") return FileKind::table;  // `labels.txt` is no mere document
  if (is_one_of(title, titles) || is_one_of(ending, texts)) return FileKind::document;
  return is_one_of(ending, tables) ? FileKind::table : FileKind::other;
}

/// The files of a folder and of those below it; links to files and folders are followed. Paths are relative to the
/// folder, with '/', each list sorted.
class FolderFiles {
 public:
  /// **Throws** `cannot_open` when the folder itself cannot be read; what is wrong below it is told by
  /// `require_readable`.
  FolderFiles(const std::filesystem::path& folder, std::string_view where) : where_(where) {
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(folder, error);
    if (error) throw unreadable(folder, error);
    above_.push_back(real);
    if (const auto problem = walk(folder, "")) throw *problem;
    for (auto* const list : {&pictures, &tables, &idx, &others}) std::sort(list->begin(), list->end());
  }

  std::vector<std::string> pictures;  ///< PNG by their ending, in small or capital letters
  std::vector<std::string> tables;    ///< what may hold labels, other than the folder's own two label files
  std::vector<std::string> idx;       ///< MNIST's kind
  std::vector<std::string> others;    ///< neither read nor skipped

  /// **Throws** `cannot_open` for the first folder that cannot be read, link that leads nowhere or round in a circle,
  /// pipe or device.
  void require_readable() const {
    if (problem_) throw *problem_;
  }

 private:
  [[nodiscard]] Error unreadable(const std::filesystem::path& folder, const std::error_code& error) const {
    return Error(ErrorCode::cannot_open, where_,
                 "the folder '" + folder.string() + "' cannot be read: " + error.message());
  }

  void note(Error problem) {
    if (!problem_) problem_ = std::move(problem);
  }

  /// Whether a folder is one of those that are being walked, or holds one of them: following a link to it would never
  /// end.
  [[nodiscard]] bool is_above(const std::filesystem::path& real) const {
    return std::any_of(above_.begin(), above_.end(), [&](const auto& open) {
      return std::mismatch(real.begin(), real.end(), open.begin(), open.end()).first == real.end();
    });
  }

  /// Returns what keeps the folder itself from being read.
  std::optional<Error> walk(const std::filesystem::path& folder, const std::string& prefix) {
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (!is_skipped_name(name)) take(*entry, name, prefix + name);
    }
    return error ? std::optional(unreadable(folder, error)) : std::nullopt;
  }

  void take(const std::filesystem::directory_entry& entry, const std::string& name, const std::string& relative) {
    std::error_code error;
    if (entry.is_directory(error)) {
      const std::filesystem::path real = std::filesystem::canonical(entry.path(), error);
      if (error) return note(unreadable(entry.path(), error));
      if (is_above(real))
        return note(Error(ErrorCode::cannot_open, where_,
                          "the link '" + entry.path().string() + "' leads back to '" + real.string() +
                              "', in which it lies; remove it"));
      above_.push_back(real);
      if (auto problem = walk(entry.path(), relative + "/")) note(*std::move(problem));
      above_.pop_back();
      return;
    }
    const FileKind kind = kind_by_name(name);
    if (kind == FileKind::document) return;
    if (!entry.is_regular_file(error)) {
      try {
        return require_readable_kind(entry.path(), where_);
      } catch (const Error& problem) {
        return note(problem);
      }
    }
    if (relative == "labels.csv" || relative == "dataset.json") return;
    auto& list = kind == FileKind::picture ? pictures
                 : kind == FileKind::table ? tables
                 : kind == FileKind::idx   ? idx
                                           : others;
    list.push_back(relative);
  }

  std::string where_;
  std::optional<Error> problem_;
  std::vector<std::filesystem::path> above_;  ///< real paths from the folder down to the one being walked
};

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
