// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/corpus_entry.hpp.

#include <faultline/testing/corpus_entry.hpp>

#include <faultline/config.hpp>
#include <faultline/core/atomic_file.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/data/described_json.hpp>
#include <faultline/data/described_reader.hpp>
#include <faultline/data/png.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/error.hpp>
#include <faultline/render/canvas.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Nothing of it could lead out of its folder, hide the file or need quoting anywhere.
inline bool is_entry_name(std::string_view name) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of(letters) == std::string_view::npos;
}

/// What an entry must be beyond the types of its members. **Throws** `code`.
inline void check_entry(const CorpusEntry& entry, ErrorCode code, std::string_view where) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw Error(code, where, what);
  };
  // as `float`s too, which generators take
  const auto numbers = [&](const std::vector<double>& values, const std::string& list) {
    for (std::size_t i = 0; i < values.size(); ++i)
      require(std::abs(values[i]) <= static_cast<double>(std::numeric_limits<float>::max()),
              "'" + list + "[" + std::to_string(i) + "]' must be a finite number");
  };
  const auto within = [&](double value, double lower, double upper, const std::string& name) {
    require(value >= lower && value <= upper, "'" + name + "' must lie in [" + core::range_text(lower) + ", " +
                                                  core::range_text(upper) + "], got " + core::range_text(value));
  };
  require(is_entry_name(entry.name),
          "'name' must be 1 to 100 letters, digits, dots, underscores and hyphens that begin with neither a dot nor a "
          "hyphen");
  require(entry.label >= 0 && entry.answer >= 0 && entry.index >= 0,
          "'label', 'answer' and 'index' must not be "
          "negative");
  require(!entry.w.empty(), "'w' must have an entry for each dimension of the generator's w");
  require(entry.channels.size() == entry.shifts.size(),
          "'channels' and 'shifts' must have one entry per channel, got " + std::to_string(entry.channels.size()) +
              " and " + std::to_string(entry.shifts.size()));
  require(entry.channels.empty() || entry.channels.front() >= 0, "'channels' must not be negative");
  require(std::ranges::adjacent_find(entry.channels, std::ranges::greater_equal{}) == entry.channels.end(),
          "'channels' must ascend");
  numbers(entry.w, "w");
  numbers(entry.shifts, "shifts");
  within(entry.amount, -100.0, 100.0, "amount");
  within(entry.probability, 0.0, 1.0, "probability");
  within(entry.truncation, -2.0, 2.0, "truncation");
  require(!entry.cutoff || *entry.cutoff >= 0, "'cutoff' must not be negative");
  require(entry.noise != Noise::random, "'noise' must be constant or none: random noise gives no image twice");
}

/// Images side by side, about 128 pixels each.
inline Picture side_by_side(const ImageBatch& images) {
  constexpr std::int64_t size = 128, gap = 4;
  const ImageShape each = render::picture_shape(images.shape(), size);
  render::Canvas canvas(images.count() * (each.width + gap) - gap, each.height);
  for (std::int64_t i = 0; i < images.count(); ++i)
    canvas.picture(i * (each.width + gap), 0, render::to_picture(images.image(i), images.shape(), size));
  return canvas.picture();
}

}  // namespace detail

FAULTLINE_INLINE std::string corpus_entry_text(const CorpusEntry& entry) { return data::described_text(entry); }

FAULTLINE_INLINE CorpusEntry parse_corpus_entry(std::string_view text, std::string_view where) {
  const nlohmann::json json = data::parse_strict_json(text, where);
  if (!json.is_object() || !json.contains("format") || json["format"] != corpus_format)
    throw Error(ErrorCode::foreign_format, where,
                std::string("this is no entry of a failure corpus in the format ") + corpus_format +
                    "; keep other JSON files in another folder");
  CorpusEntry entry;
  data::DescribedReader(where, limits::classes, "the entry").read(json, {}, entry);
  detail::check_entry(entry, ErrorCode::malformed_header, where);
  return entry;
}

FAULTLINE_INLINE CorpusEntry read_corpus_entry(const std::filesystem::path& file) {
  const std::string where = "read_corpus_entry " + file.string();
  const std::vector<std::byte> bytes = core::read_file(file, std::int64_t{16} << 20);
  CorpusEntry entry = parse_corpus_entry({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, where);
  if (file.stem().string() != entry.name)
    throw Error(ErrorCode::inconsistent_files, where,
                "the file's name must be that of its entry, \"" + entry.name + "\"; rename one of them");
  return entry;
}

FAULTLINE_INLINE std::vector<CorpusEntry> read_corpus(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".json") files.push_back(at->path());
  if (error)
    throw Error(ErrorCode::cannot_open, "read_corpus",
                "cannot read the folder " + folder.string() + ": " + error.message() +
                    "; give the folder that write_corpus_entry wrote into");
  if (files.empty())
    throw Error(ErrorCode::empty_input, "read_corpus",
                "the folder " + folder.string() + " has no entry, a file *.json; write_corpus_entry makes one");
  std::ranges::sort(files);
  std::vector<CorpusEntry> entries;
  for (const std::filesystem::path& file : files) entries.push_back(read_corpus_entry(file));
  return entries;
}

FAULTLINE_INLINE void write_corpus_entry(const std::filesystem::path& folder, const CorpusEntry& entry,
                                         const ImageBatch& images) {
  if (entry.format != corpus_format)
    throw Error(ErrorCode::invalid_argument, "write_corpus_entry", std::string("'format' must be ") + corpus_format);
  detail::check_entry(entry, ErrorCode::invalid_argument, "write_corpus_entry");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Error(ErrorCode::cannot_write, "write_corpus_entry",
                "cannot make the folder " + folder.string() + ": " + error.message());
  if (images.count() > 0) data::write_png(folder / (entry.name + ".png"), detail::side_by_side(images));
  core::write_file_atomically(folder / (entry.name + ".json"), std::string_view(corpus_entry_text(entry)));
}

}  // namespace testing
}  // namespace v1
}  // namespace faultline
