// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the header of a score table says, and what its cells mean.

#include <faultline/core/number_text.hpp>
#include <faultline/data/detail/csv.hpp>
#include <faultline/data/detail/data_files.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// The number that a text of digits is; nothing for any other text, and for 2^63 and more.
[[nodiscard]] inline std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

/// Which field of a row is what.
class ScoreColumns {
 public:
  /// **Throws** `malformed_header` with `where` and the line.
  ScoreColumns(const CsvRecord& header, std::string where) : where_(std::move(where)), fields_(header.fields.size()) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < header.fields.size(); ++i) {
      const std::string small = in_small_letters(header.fields[i]);
      auto* const own = small == "image" ? &image_ : small == "label" ? &label_ : nullptr;
      if (own == nullptr) {
        scores_.push_back(i);
        names.push_back(header.fields[i]);
      } else if (*own) {
        throw refuse(header, "the column " + shown(small) + " is there twice");
      } else {
        *own = i;
      }
    }
    if (!image_)
      throw refuse(header,
                   "expected a header with the column 'image', 'label' where the images have none elsewhere, and one "
                   "column of scores for each class, got " +
                       shown(header.fields));
    if (names.size() < 2)
      throw refuse(header,
                   "expected a column of scores for each of at least two classes beside 'image' and 'label', "
                   "got " +
                       std::to_string(names.size()));
    name_classes(header, std::move(names));
  }

  /// [K], empty where the columns are numbered.
  [[nodiscard]] const std::vector<std::string>& class_names() const noexcept { return class_names_; }
  [[nodiscard]] std::size_t classes() const noexcept { return scores_.size(); }
  [[nodiscard]] bool has_labels() const noexcept { return label_.has_value(); }

  /// **Throws** `malformed_header` for a row of another length than the header.
  void require_length(const CsvRecord& row) const {
    if (row.fields.size() == fields_) return;
    throw refuse(row, "expected " + std::to_string(fields_) + " fields as in the header, got " +
                          std::to_string(row.fields.size()) + ": " + shown(row.fields));
  }

  /// The image's name, a path in its normal form.
  [[nodiscard]] std::string image_of(const CsvRecord& row) const {
    const std::string& name = row.fields[*image_];
    if (name.empty()) throw refuse(row, "expected the name or the position of an image, got nothing");
    return std::filesystem::path(name).lexically_normal().generic_string();
  }

  /// **Throws** `malformed_header` for what is neither a number nor a class, `label_out_of_range`.
  [[nodiscard]] std::int64_t label_of(const CsvRecord& row) const {
    const std::string& text = row.fields[*label_];
    if (const auto named = by_name_.find(text); named != by_name_.end()) return named->second;
    const std::string range = "0 to " + std::to_string(classes() - 1);
    const bool negative = text.starts_with('-');
    const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
      throw refuse(row, "expected a whole number from " + range +
                            (class_names_.empty() ? " as label, got " : " or the name of a class as label, got ") +
                            shown(text));
    const auto value = whole_number(text);
    if (!value || *value >= static_cast<std::int64_t>(classes()))
      throw refuse(row, "expected a label from " + range + ", got " + shown(text), ErrorCode::label_out_of_range);
    return *value;
  }

  /// Appends the row's scores in the order of classes. **Throws** `malformed_header` for a cell that is no number.
  void append_scores(const CsvRecord& row, std::vector<float>& values) const {
    for (const std::size_t column : scores_) {
      const std::string& text = row.fields[column];
      const auto value = number_from(std::string_view(text).substr(text.starts_with('+') ? 1 : 0));
      if (!value)
        throw refuse(row, "expected a number in column " + std::to_string(column + 1) + ", got " + shown(text));
      values.push_back(static_cast<float>(*value));
    }
  }

 private:
  [[nodiscard]] Error refuse(const CsvRecord& record, const std::string& what,
                             ErrorCode code = ErrorCode::malformed_header) const {
    return Error(code, where_, "line " + std::to_string(record.line) + ": " + what);
  }

  /// Puts numbered columns into their order, or keeps the names of the others.
  void name_classes(const CsvRecord& header, std::vector<std::string> names) {
    constexpr std::string_view prefix = "score_";
    if (std::all_of(names.begin(), names.end(),
                    [&](const std::string& name) { return in_small_letters(name).starts_with(prefix); }))
      for (std::string& name : names) name.erase(0, prefix.size());
    const bool numbered =
        std::all_of(names.begin(), names.end(), [](const std::string& name) { return whole_number(name).has_value(); });
    std::vector<std::size_t> ordered(names.size());
    std::vector<bool> seen(names.size(), false);
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (names[k].empty()) throw refuse(header, "expected a name for every column, got an empty one");
      if (!by_name_.emplace(names[k], static_cast<std::int64_t>(k)).second)
        throw refuse(header, "the column " + shown(names[k]) + " is there twice");
      if (!numbered) continue;
      const auto number = static_cast<std::size_t>(*whole_number(names[k]));
      if (number >= names.size() || seen[number])
        throw refuse(header, "expected columns numbered from 0 to " + std::to_string(names.size() - 1) +
                                 ", each once, got " + shown(names[k]));
      seen[number] = true;
      ordered[number] = scores_[k];
    }
    if (!numbered) {
      class_names_ = std::move(names);
      return;
    }
    by_name_.clear();
    scores_ = std::move(ordered);
  }

  std::string where_;
  std::size_t fields_;
  std::optional<std::size_t> image_;
  std::optional<std::size_t> label_;
  std::vector<std::size_t> scores_;
  std::vector<std::string> class_names_;
  std::unordered_map<std::string, std::int64_t> by_name_;
};

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
