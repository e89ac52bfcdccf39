// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What an analysis without a generator starts from: one row per labelled image, its properties and what became of it.

#include <faultline/core/matrix.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// N labelled images that were measured and classified. All vectors have N entries but those that may be empty.
struct LabelledTable {
  std::vector<std::string> property_names = {};  ///< [P]
  std::int64_t classes = 0;                      ///< labels and predictions are below
  std::vector<std::int64_t> index = {};          ///< position in the set that the table was made from
  std::vector<std::int64_t> label = {};
  std::vector<std::int64_t> prediction = {};  ///< class with the highest probability, the first among equals
  std::vector<std::uint8_t> failed = {};      ///< 1 where the criterion says failure
  std::vector<float> probability = {};        ///< probability of the label, p(y)
  std::vector<float> margin = {};             ///< p(y) minus the largest other probability
  Matrix<float> properties = {};              ///< [N, P]
  std::vector<std::string> image_names = {};  ///< empty where images have no names
  std::vector<std::string> class_names = {};  ///< empty where classes have no names
  /// Rows that are never split: those of equal value here, such as several corrupted versions of one picture, or the
  /// frames of one film; empty: every row stands for itself
  std::vector<std::int64_t> group = {};
  std::vector<std::string> property_units = {};  ///< [P] as an axis has them: "px"; empty where nobody said

  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(label.size()); }
  [[nodiscard]] std::int64_t failures() const noexcept {
    std::int64_t sum = 0;
    for (const std::uint8_t f : failed) sum += f;
    return sum;
  }
};

/// Refuses a table whose parts do not belong together; `where` words the message.
///
/// **Throws** `empty_input` for one without rows, `shape_mismatch` for a part of another length, `label_out_of_range`
/// for a label or prediction that is no class, `invalid_argument` for an outcome that is neither 0 nor 1 and for
/// numbers that are not finite.
void check_table(const LabelledTable& table, const std::string& where);

/// These rows, in their order. **Throws** `invalid_argument` for a row that is not there.
[[nodiscard]] LabelledTable select_rows(const LabelledTable& table, std::span<const std::int64_t> rows);

/// The two parts of a table: conditions are sought on the one and tested on the other.
struct TableSplit {
  LabelledTable discovery;
  LabelledTable confirmation;
};

/// Splits a table at random into discovery and confirmation, each in the order of its rows.
///
/// Of G groups (rows, where the table names no groups), ⌈share G⌉ go to discovery; labels are not balanced.
/// **Randomness**: the groups in the order of their first rows are shuffled by (seed, stream 7 `Stream::splits`, index
/// 2^40), and the first go to discovery; so the split depends on the seed and the number of groups alone.
/// **Throws** what `check_table` throws; `invalid_argument` for a share outside (0, 1); `empty_input` when one part
/// would have no row.
/// Example: `auto [discovery, confirmation] = split_table(table, 7);`
[[nodiscard]] TableSplit split_table(const LabelledTable& table, std::int64_t seed, double share = 0.5);

}  // namespace analysis

using analysis::LabelledTable;
using analysis::split_table;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/labelled_table_impl.hpp>
#endif
