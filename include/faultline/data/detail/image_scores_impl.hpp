// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/image_scores.hpp.

#include <faultline/data/image_scores.hpp>

#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/data/detail/are_probabilities.hpp>
#include <faultline/data/detail/csv.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

inline constexpr std::string_view image_scores_format = "faultline.scores/1";

[[nodiscard]] inline bool is_digest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Reads the records of one table.
class ImageScoresReader {
 public:
  ImageScoresReader(const ImageScoresOptions& options, std::string where)
      : options_(options), where_(std::move(where)) {
    core::require_in(where_, ".classes", options_.classes, 0, limits::classes);
    core::require_in(where_, ".probability_tolerance", options_.probability_tolerance, 0.0, 0.1);
    table_.classes = options_.classes;
    table_.kind = options_.scores;
  }

  [[nodiscard]] ImageScores read(const CsvReader::Source& source) {
    core::Sha256 hash;
    char last = '\n';
    std::int64_t bytes = 0;
    CsvReader reader(
        [&](std::span<char> out) {
          const std::size_t got = source(out);
          hash.update(std::as_bytes(out.first(got)));
          if (got > 0) last = out[got - 1];
          if ((bytes += static_cast<std::int64_t>(got)) > options_.max_bytes)
            throw Error(ErrorCode::oversized, where_, "has more than " + std::to_string(options_.max_bytes) + " bytes");
          return got;
        },
        where_);
    for (const CsvRecord* record = reader.next(); record != nullptr; record = reader.next()) take(*record);
    if (line_ == 0)
      throw Error(ErrorCode::truncated, where_,
                  "is empty; its first line says what it is: \"# faultline.scores/1 classes=10 scores=logits\"");
    if (columns_expected_)
      throw Error(ErrorCode::truncated, where_, place(line_) + "expected the names of the columns after it");
    if (last != '\n')
      throw Error(ErrorCode::truncated, where_,
                  place(line_) + "the last line has no line end; was it cut off while it was written? Remove it");
    finish();
    table_.digest = hash.hex();
    return std::move(table_);
  }

 private:
  static std::string place(std::int64_t line) { return "line " + std::to_string(line) + ": "; }
  [[nodiscard]] Error refuse(const CsvRecord& record, const std::string& what,
                             ErrorCode code = ErrorCode::malformed_header) const {
    return Error(code, where_, place(record.line) + what);
  }
  [[nodiscard]] Error refuse(const CsvRecord& record, std::size_t column, const std::string& what,
                             ErrorCode code = ErrorCode::malformed_header) const {
    return Error(code, where_,
                 "line " + std::to_string(record.line) + ", column " + std::to_string(column + 1) + ": " + what);
  }

  void take(const CsvRecord& record) {
    const bool first = line_ == 0;
    line_ = record.line;
    if (record.fields.front().starts_with('#') || first) take_header(record);
    else if (columns_expected_) take_columns(record);
    else take_row(record);
  }

  /// "# faultline.scores/1 classes=10 scores=logits".
  void take_header(const CsvRecord& record) {
    std::vector<std::string> words;
    for (std::string_view text = record.fields.front(); !text.empty();) {
      text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
      const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
      if (end > 0) words.emplace_back(text.substr(0, end));
      text.remove_prefix(end);
    }
    constexpr std::string_view name = "faultline.scores/";
    if (record.fields.size() != 1 || words.size() < 2 || words[0] != "#" || !words[1].starts_with(name))
      throw refuse(record,
                   "expected \"# faultline.scores/1 classes=10 scores=logits\", say, got " + shown(record.fields));
    if (words[1] != image_scores_format)
      throw refuse(record, "expected faultline.scores/1, got " + shown(words[1]), ErrorCode::foreign_format);
    if (columns_expected_) throw refuse(record, "expected the names of the columns, got a second header");
    std::map<std::string, std::string> said;
    for (std::size_t i = 2; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string key = words[i].substr(0, equals);
      if (equals == std::string::npos || (key != "classes" && key != "scores" && key != "model" && key != "images"))
        throw refuse(record, "expected classes=, scores=, model= or images=, got " + shown(words[i]));
      if (!said.emplace(key, words[i].substr(equals + 1)).second) throw refuse(record, key + "= is there twice");
    }
    for (const char* key : {"classes", "scores"})
      if (said.count(key) == 0) throw refuse(record, std::string("does not state ") + key + "=");
    take_classes(record, said["classes"]);
    take_kind(record, said["scores"]);
    if (said.count("model") != 0) take_model(record, said["model"]);
    block_ = std::nullopt;
    if (said.count("images") != 0) {
      if (!is_digest(said["images"]))
        throw refuse(record,
                     "expected 64 hexadecimal digits in small letters after images=, got " + shown(said["images"]));
      block_ = table_.blocks.size();
      table_.blocks.push_back({record.line, said["images"], {}});
    }
    columns_expected_ = true;
    seen_header_ = true;
  }

  void take_classes(const CsvRecord& record, const std::string& text) {
    std::int64_t classes = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), classes);
    if (problem != std::errc() || end != text.data() + text.size() || classes < 1 || classes > limits::classes)
      throw refuse(record, "expected classes= a whole number from 1 to " + std::to_string(limits::classes) + ", got " +
                               shown(text));
    if (table_.classes != 0 && classes != table_.classes)
      throw refuse(record,
                   "states " + std::to_string(classes) + " classes, expected " + std::to_string(table_.classes) +
                       (seen_header_ ? " as before" : ", as .classes says"),
                   seen_header_ ? ErrorCode::inconsistent_files : ErrorCode::wrong_score_shape);
    table_.classes = classes;
  }

  void take_kind(const CsvRecord& record, const std::string& text) {
    const auto kind = core::enumerator_from<Scores>(text);
    if (!kind || *kind == Scores::undeclared)
      throw refuse(record, "expected scores=logits or scores=probabilities, got " + shown(text));
    if (table_.kind != Scores::undeclared && *kind != table_.kind)
      throw refuse(record,
                   "states that its scores are " + text + ", expected " +
                       std::string(core::enumerator_of(table_.kind)) + (seen_header_ ? " as before" : ", as was said"),
                   seen_header_                     ? ErrorCode::inconsistent_files
                   : *kind == Scores::probabilities ? ErrorCode::not_logits
                                                    : ErrorCode::not_probabilities);
    table_.kind = *kind;
  }

  void take_model(const CsvRecord& record, const std::string& text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-";
    if (text.empty() || text.size() > 256 || text.find_first_not_of(letters) != std::string::npos)
      throw refuse(record, "expected model= 1 to 256 letters, digits and .:_-, got " + shown(text));
    if (!table_.model.empty() && table_.model != text)
      throw refuse(record, "is about the model " + shown(text) + ", expected " + shown(table_.model) + " as before",
                   ErrorCode::inconsistent_files);
    table_.model = text;
  }

  /// "digest,score_0,score_1".
  void take_columns(const CsvRecord& record) {
    require_length(record);
    for (std::size_t c = 0; c < record.fields.size(); ++c) {
      const std::string expected = c == 0 ? "digest" : "score_" + std::to_string(c - 1);
      if (record.fields[c] != expected)
        throw refuse(record, c, "expected the name '" + expected + "', got " + shown(record.fields[c]));
    }
    columns_expected_ = false;
  }

  void take_row(const CsvRecord& record) {
    require_length(record);
    const std::string& digest = record.fields.front();
    if (!is_digest(digest))
      throw refuse(record, 0, "expected 64 hexadecimal digits in small letters, got " + shown(digest));
    const auto at = static_cast<std::int64_t>(lines_.size());
    const auto [known, is_new] = table_.rows.emplace(digest, at);
    for (std::size_t c = 1; c < record.fields.size(); ++c) {
      const std::string& text = record.fields[c];
      const auto value = number_from(std::string_view(text).substr(text.starts_with('+') ? 1 : 0));
      if (!value) throw refuse(record, c, "expected a number, got " + shown(text));
      const auto score = static_cast<float>(*value);
      if (!std::isfinite(score))
        throw refuse(record, c, "expected a finite number of single precision, got " + shown(text),
                     ErrorCode::non_finite_scores);
      if (is_new) {
        values_.push_back(score);
      } else if (values_[static_cast<std::size_t>(known->second * table_.classes) + c - 1] != score) {
        throw refuse(record, c,
                     "scores the image " + digest.substr(0, 12) + "... otherwise than line " +
                         std::to_string(lines_[static_cast<std::size_t>(known->second)]) +
                         " does; is there dropout in the model, or are there rows of another one?",
                     ErrorCode::inconsistent_files);
      }
    }
    if (is_new) lines_.push_back(record.line);
    if (block_) table_.blocks[*block_].digests.push_back(digest);
  }

  void require_length(const CsvRecord& record) const {
    const auto fields = static_cast<std::int64_t>(record.fields.size());
    if (fields != table_.classes + 1)
      throw refuse(record, "has " + std::to_string(fields) + " columns, expected " +
                               std::to_string(table_.classes + 1) + ": the digest and a score for each of " +
                               std::to_string(table_.classes) + " classes");
  }

  void finish() {
    table_.scores.resize(static_cast<std::int64_t>(lines_.size()), table_.classes);
    std::copy(values_.begin(), values_.end(), table_.scores.data());
    if (lines_.empty()) return;
    classify::validate_scores(
        table_.scores, table_.size(), table_.classes, table_.kind, table_.size(), where_,
        [&](std::int64_t i) { return "line " + std::to_string(lines_[static_cast<std::size_t>(i)]); },
        options_.probability_tolerance);
    if (table_.kind == Scores::logits && are_probabilities(table_.scores))
      throw Error(ErrorCode::not_logits, where_,
                  "states scores=logits, but those of all " + std::to_string(table_.size()) +
                      " images lie in [0, 1] and sum to 1: they are probabilities already, and a second softmax would "
                      "flatten them; state scores=probabilities");
  }

  const ImageScoresOptions& options_;
  std::string where_;
  ImageScores table_;
  std::vector<float> values_;
  std::vector<std::int64_t> lines_;  ///< of rows
  std::int64_t line_ = 0;
  bool seen_header_ = false;
  bool columns_expected_ = false;
  std::optional<std::size_t> block_;
};

}  // namespace detail

FAULTLINE_INLINE std::optional<std::int64_t> ImageScores::find(const std::string& image) const {
  const auto row = rows.find(image);
  return row == rows.end() ? std::nullopt : std::optional(row->second);
}

FAULTLINE_INLINE std::string image_scores_header(std::int64_t classes, Scores scores) {
  std::string text = "# " + std::string(detail::image_scores_format) + " classes=" + std::to_string(classes) +
                     " scores=" + std::string(core::enumerator_of(scores)) + "\ndigest";
  for (std::int64_t k = 0; k < classes; ++k) text += ",score_" + std::to_string(k);
  return text + "\n";
}

FAULTLINE_INLINE std::string image_digest(std::span<const float> image) {
  return core::sha256_hex(std::as_bytes(image));
}

FAULTLINE_INLINE ImageScores parse_image_scores(std::string_view text, const ImageScoresOptions& options,
                                                std::string_view name) {
  return detail::ImageScoresReader(options, "read_image_scores, '" + std::string(name) + "'")
      .read(detail::csv_source(text));
}

FAULTLINE_INLINE ImageScores read_image_scores(const std::filesystem::path& path, const ImageScoresOptions& options) {
  const std::string where = "read_image_scores, '" + path.string() + "'";
  return detail::ImageScoresReader(options, where).read(detail::csv_file(path, where));
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
