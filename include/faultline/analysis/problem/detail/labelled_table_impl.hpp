// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/labelled_table.hpp.

#include <faultline/analysis/problem/labelled_table.hpp>

#include <faultline/core/random.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// The group of each row, numbered in the order of their first rows.
[[nodiscard]] inline std::pair<std::vector<std::int64_t>, std::int64_t> numbered_groups(const LabelledTable& table) {
  std::vector<std::int64_t> group(static_cast<std::size_t>(table.size()));
  if (table.group.empty()) {
    std::iota(group.begin(), group.end(), std::int64_t{0});
    return {std::move(group), table.size()};
  }
  std::unordered_map<std::int64_t, std::int64_t> number;
  for (std::size_t i = 0; i < group.size(); ++i)
    group[i] = number.emplace(table.group[i], static_cast<std::int64_t>(number.size())).first->second;
  return {std::move(group), static_cast<std::int64_t>(number.size())};
}

}  // namespace detail

FAULTLINE_INLINE void check_table(const LabelledTable& table, const std::string& where) {
  const std::int64_t n = table.size();
  if (n == 0) throw Error(ErrorCode::empty_input, where, "the table has no rows");
  const auto require = [&](const char* name, std::int64_t size, std::int64_t expected) {
    if (size == expected) return;
    throw Error(
        ErrorCode::shape_mismatch, where,
        std::string("expected ") + std::to_string(expected) + " entries of " + name + ", got " + std::to_string(size));
  };
  const auto size_of = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  require("index", size_of(table.index), n);
  require("prediction", size_of(table.prediction), n);
  require("failed", size_of(table.failed), n);
  require("probability", size_of(table.probability), n);
  require("margin", size_of(table.margin), n);
  require("properties (rows)", table.properties.rows(), n);
  require("properties (columns)", table.properties.cols(), size_of(table.property_names));
  if (!table.property_units.empty()) require("property_units", size_of(table.property_units), table.properties.cols());
  if (!table.image_names.empty()) require("image_names", size_of(table.image_names), n);
  if (!table.group.empty()) require("group", size_of(table.group), n);
  if (!table.class_names.empty()) require("class_names", size_of(table.class_names), table.classes);
  for (std::size_t i = 0; i < table.label.size(); ++i) {
    for (const std::int64_t value : {table.label[i], table.prediction[i]})
      if (value < 0 || value >= table.classes)
        throw Error(ErrorCode::label_out_of_range, where,
                    "row " + std::to_string(i) + " has the class " + std::to_string(value) + ", expected 0 to " +
                        std::to_string(table.classes - 1));
    if (table.failed[i] > 1)
      throw Error(
          ErrorCode::invalid_argument, where,
          "expected outcomes of 0 or 1, got " + std::to_string(table.failed[i]) + " in row " + std::to_string(i));
    const auto row = table.properties.row_span(static_cast<std::int64_t>(i));
    if (!std::isfinite(table.probability[i]) || !std::isfinite(table.margin[i]) ||
        !std::all_of(row.begin(), row.end(), [](float value) { return std::isfinite(value); }))
      throw Error(ErrorCode::invalid_argument, where, "row " + std::to_string(i) + " has a number that is not finite");
  }
}

FAULTLINE_INLINE LabelledTable select_rows(const LabelledTable& table, std::span<const std::int64_t> rows) {
  LabelledTable part{.property_names = table.property_names, .classes = table.classes};
  part.class_names = table.class_names;
  part.property_units = table.property_units;
  part.properties.resize(static_cast<std::int64_t>(rows.size()), table.properties.cols());
  const auto take = [](const auto& from, std::size_t at, auto& to) {
    if (!from.empty()) to.push_back(from[at]);
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= table.size())
      throw Error(ErrorCode::invalid_argument, "select_rows",
                  "expected rows in [0, " + std::to_string(table.size()) + "), got " + std::to_string(rows[i]));
    const auto at = static_cast<std::size_t>(rows[i]);
    take(table.index, at, part.index);
    take(table.label, at, part.label);
    take(table.prediction, at, part.prediction);
    take(table.failed, at, part.failed);
    take(table.probability, at, part.probability);
    take(table.margin, at, part.margin);
    take(table.image_names, at, part.image_names);
    take(table.group, at, part.group);
    std::ranges::copy(table.properties.row_span(rows[i]),
                      part.properties.row_span(static_cast<std::int64_t>(i)).begin());
  }
  return part;
}

FAULTLINE_INLINE TableSplit split_table(const LabelledTable& table, std::int64_t seed, double share) {
  check_table(table, "split_table");
  core::require_between("split_table", "share", share, 0.0, 1.0);
  const auto [group, groups] = detail::numbered_groups(table);
  std::vector<std::int64_t> order(static_cast<std::size_t>(groups));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  core::CounterRandom random(seed, core::Stream::splits, core::confirmation_first);
  core::shuffle(std::span<std::int64_t>(order), random);
  const auto first = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(groups)));
  if (first >= groups)
    throw Error(ErrorCode::empty_input, "split_table",
                "of " + std::to_string(groups) + (table.group.empty() ? " rows" : " groups of rows") +
                    " none would be left for confirmation; give more images");
  std::vector<bool> discovers(static_cast<std::size_t>(groups), false);
  for (std::int64_t k = 0; k < first; ++k)
    discovers[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = true;
  std::vector<std::int64_t> rows[2];
  for (std::int64_t i = 0; i < table.size(); ++i)
    rows[discovers[static_cast<std::size_t>(group[static_cast<std::size_t>(i)])] ? 0 : 1].push_back(i);
  return {select_rows(table, rows[0]), select_rows(table, rows[1])};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
