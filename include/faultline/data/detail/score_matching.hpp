// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which row of a score table belongs to which image, and which column to which class.

#include <faultline/data/score_table.hpp>

#include <faultline/data/detail/folder_labels.hpp>
#include <faultline/data/detail/score_columns.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

/// The row of each image. **Throws** `inconsistent_files`.
class ScoreMatching {
 public:
  ScoreMatching(const ScoreTable& table, const LabelledImages& images)
      : table_(table), images_(images), order_(images.names.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return images.names[a] < images.names[b]; });
    for (const std::size_t i : order_) sorted_.push_back(images.names[i]);
    by_name_ = !sorted_.empty() && std::any_of(table.images.begin(), table.images.end(), [&](const std::string& name) {
      return !whole_number(name) || std::binary_search(sorted_.begin(), sorted_.end(), name);
    });
  }

  [[nodiscard]] std::vector<std::int64_t> rows() const {
    std::vector<std::int64_t> row_of(static_cast<std::size_t>(images_.count), -1);
    for (std::size_t row = 0; row < table_.images.size(); ++row) {
      std::int64_t& own = row_of[static_cast<std::size_t>(position_of(table_.images[row]))];
      if (own >= 0)
        throw refuse("two rows score one image, " + shown(table_.images[static_cast<std::size_t>(own)]) + " and " +
                     shown(table_.images[row]));
      own = static_cast<std::int64_t>(row);
    }
    const auto missing = std::find(row_of.begin(), row_of.end(), -1);
    if (missing != row_of.end())
      throw refuse(std::to_string(std::count(row_of.begin(), row_of.end(), -1)) + " of " +
                   std::to_string(images_.count) + " images have no scores, the first is " +
                   name_of(missing - row_of.begin()));
    return row_of;
  }

  [[nodiscard]] static Error refuse(const std::string& what) {
    return Error(ErrorCode::inconsistent_files, "match_scores", what);
  }

  [[nodiscard]] std::string name_of(std::int64_t position) const {
    return images_.names.empty() ? "image " + std::to_string(position)
                                 : shown(images_.names[static_cast<std::size_t>(position)]);
  }

 private:
  [[nodiscard]] std::int64_t position_of(const std::string& name) const {
    if (!by_name_) {
      const auto position = whole_number(name);
      if (position && *position < images_.count) return *position;
      throw refuse("the table has scores of image " + shown(name) + ", expected positions from 0 to " +
                   std::to_string(images_.count - 1));
    }
    const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), name);
    if (found != sorted_.end() && *found == name)
      return static_cast<std::int64_t>(order_[static_cast<std::size_t>(found - sorted_.begin())]);
    throw refuse("the table has scores of " + shown(name) + ", but " + why_missing(name, sorted_));
  }

  const ScoreTable& table_;
  const LabelledImages& images_;
  std::vector<std::size_t> order_;  ///< positions of the images by their names
  std::vector<std::string> sorted_;
  bool by_name_ = false;
};

/// Which column of the table is class k of the images. **Throws** `inconsistent_files`.
[[nodiscard]] inline std::vector<std::int64_t> columns_of(const ScoreTable& table, const LabelledImages& images) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(table.classes()));
  std::iota(columns.begin(), columns.end(), std::int64_t{0});
  if (images.classes > table.classes())
    throw ScoreMatching::refuse("the images have " + std::to_string(images.classes) + " classes, the table scores " +
                                std::to_string(table.classes()));
  if (table.class_names.empty() || images.class_names.empty()) return columns;
  std::vector<std::int64_t> others;  // classes that the set of images has not
  for (std::int64_t k = 0; k < table.classes(); ++k)
    if (std::find(images.class_names.begin(), images.class_names.end(),
                  table.class_names[static_cast<std::size_t>(k)]) == images.class_names.end())
      others.push_back(k);
  for (std::size_t k = 0; k < images.class_names.size(); ++k) {
    const auto found = std::find(table.class_names.begin(), table.class_names.end(), images.class_names[k]);
    if (found == table.class_names.end())
      throw ScoreMatching::refuse("the images have the class " + shown(images.class_names[k]) +
                                  ", the table scores only " + shown(table.class_names));
    columns[k] = found - table.class_names.begin();
  }
  std::copy(others.begin(), others.end(), columns.begin() + static_cast<std::ptrdiff_t>(images.class_names.size()));
  return columns;
}

}  // namespace detail
}  // namespace data
}  // namespace v1
}  // namespace faultline
