// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The rows of a score table, read and judged.

#include <faultline/data/score_table.hpp>

#include <faultline/core/ranges.hpp>
#include <faultline/data/detail/are_probabilities.hpp>
#include <faultline/data/detail/csv.hpp>
#include <faultline/data/detail/score_columns.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// Refuses an image that comes twice, by the earliest line that repeats one.
inline void require_once(const ScoreTable& table, const std::vector<std::int64_t>& lines, const std::string& where) {
  std::vector<std::int64_t> order(table.images.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const int names = table.images[static_cast<std::size_t>(a)].compare(table.images[static_cast<std::size_t>(b)]);
    return names != 0 ? names < 0 : a < b;
  });
  std::int64_t first = -1, again = -1;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const std::int64_t a = order[i - 1], b = order[i];
    if (table.images[static_cast<std::size_t>(a)] == table.images[static_cast<std::size_t>(b)] &&
        (again < 0 || b < again))
      first = a, again = b;
  }
  if (again < 0) return;
  throw Error(ErrorCode::inconsistent_files, where,
              "line " + std::to_string(lines[static_cast<std::size_t>(again)]) + " scores " +
                  shown(table.images[static_cast<std::size_t>(again)]) + ", which line " +
                  std::to_string(lines[static_cast<std::size_t>(first)]) + " has scored; keep one of them");
}

[[nodiscard]] inline ScoreTable read_scores(CsvReader::Source source, const ScoreTableOptions& options,
                                            const std::string& where) {
  core::require_in(where, "probability_tolerance", options.probability_tolerance, 0.0, 0.1);
  if (options.scores == Scores::undeclared)
    throw Error(ErrorCode::scores_undeclared, where,
                "the kind of scores is not declared; say whether they are logits or probabilities");
  CsvReader reader(std::move(source), where);
  const CsvRecord* record = reader.next();
  if (record == nullptr)
    throw Error(ErrorCode::truncated, where, "expected a header and a row for each image, got an empty file");
  const ScoreColumns columns(*record, where);
  ScoreTable table{.class_names = columns.class_names(), .kind = options.scores};
  std::vector<float> values;
  std::vector<std::int64_t> lines;
  while ((record = reader.next()) != nullptr) {
    columns.require_length(*record);
    table.images.push_back(columns.image_of(*record));
    if (columns.has_labels()) table.labels.push_back(columns.label_of(*record));
    columns.append_scores(*record, values);
    lines.push_back(record->line);
  }
  if (lines.empty())
    throw Error(ErrorCode::truncated, where, "expected a row for each image after the header, got none");
  table.scores.resize(static_cast<std::int64_t>(lines.size()), static_cast<std::int64_t>(columns.classes()));
  std::copy(values.begin(), values.end(), table.scores.data());
  require_once(table, lines, where);
  classify::validate_scores(
      table.scores, table.size(), table.classes(), table.kind, table.size(), where,
      [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        return "line " + std::to_string(lines[at]) + " (" + shown(table.images[at]) + ")";
      },
      options.probability_tolerance);
  if (table.kind == Scores::logits && are_probabilities(table.scores))
    throw Error(ErrorCode::not_logits, where,
                "the scores are declared logits, but those of all " + std::to_string(table.size()) +
                    " images lie in [0, 1] and sum to 1: they are probabilities already, and a second softmax would "
                    "flatten them; declare probabilities");
  return table;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
