// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/score_table.hpp.

#include <faultline/data/score_table.hpp>

#include <faultline/data/detail/csv.hpp>
#include <faultline/data/detail/score_matching.hpp>
#include <faultline/data/detail/score_rows.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE ScoreTable parse_score_table(std::string_view text, const ScoreTableOptions& options,
                                              std::string_view name) {
  const std::string where = "read_score_table, '" + std::string(name) + "'";
  if (static_cast<std::int64_t>(text.size()) > options.max_bytes)
    throw Error(ErrorCode::oversized, where, "has more than " + std::to_string(options.max_bytes) + " bytes");
  return detail::read_scores(detail::csv_source(text), options, where);
}

FAULTLINE_INLINE ScoreTable read_score_table(const std::filesystem::path& path, const ScoreTableOptions& options) {
  const std::string where = "read_score_table, '" + path.string() + "'";
  const detail::CsvReader::Source file = detail::csv_file(path, where);
  std::int64_t left = options.max_bytes;
  const auto source = [&](std::span<char> out) {
    const std::size_t count = file(out);
    left -= static_cast<std::int64_t>(count);
    if (left < 0)
      throw Error(ErrorCode::oversized, where, "has more than " + std::to_string(options.max_bytes) + " bytes");
    return count;
  };
  return detail::read_scores(source, options, where);
}

FAULTLINE_INLINE ScoreTable match_scores(ScoreTable table, const LabelledImages& images) {
  const detail::ScoreMatching matching(table, images);
  const std::vector<std::int64_t> rows = matching.rows(), columns = detail::columns_of(table, images);
  ScoreTable result{.kind = table.kind};
  std::vector<std::int64_t> class_of(columns.size());  // of a column
  for (std::size_t k = 0; k < columns.size(); ++k) {
    class_of[static_cast<std::size_t>(columns[k])] = static_cast<std::int64_t>(k);
    if (!table.class_names.empty())
      result.class_names.push_back(table.class_names[static_cast<std::size_t>(columns[k])]);
  }
  if (table.class_names.empty() && images.class_names.size() == columns.size()) result.class_names = images.class_names;
  result.scores.resize(images.count, table.classes());
  for (std::int64_t i = 0; i < images.count; ++i) {
    const auto row = static_cast<std::size_t>(rows[static_cast<std::size_t>(i)]);
    result.images.push_back(std::move(table.images[row]));
    for (std::size_t k = 0; k < columns.size(); ++k)
      result.scores(i, static_cast<std::int64_t>(k)) = table.scores(static_cast<std::int64_t>(row), columns[k]);
    const auto stated =
        table.labels.empty() ? std::optional<std::int64_t>() : class_of[static_cast<std::size_t>(table.labels[row])];
    const auto known = images.labels.empty() ? stated : images.label(i);
    if (!known)
      throw detail::ScoreMatching::refuse(
          "neither the images nor the table have labels; add a column 'label' to the table, or labels to the images");
    if (stated && *stated != *known)
      throw detail::ScoreMatching::refuse("the table gives " + matching.name_of(i) + " the label " +
                                          std::to_string(*stated) + ", the images give it " + std::to_string(*known));
    result.labels.push_back(*known);
  }
  return result;
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
