// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/within_class_scores.hpp.

#include <faultline/statistics/within_class_scores.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/stratified.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE std::vector<double> within_class_scores(std::span<const double> values,
                                                         std::span<const std::int64_t> labels, std::int64_t classes) {
  constexpr const char* where = "within_class_scores";
  if (values.size() != labels.size())
    throw Error(ErrorCode::shape_mismatch, where, "expected one label for each value");
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(std::max<std::int64_t>(0, classes)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_label(where, labels[i], classes);
    if (!std::isfinite(values[i])) throw Error(ErrorCode::invalid_argument, where, "expected finite values");
    members[static_cast<std::size_t>(labels[i])].push_back(i);
  }
  std::vector<double> scores(values.size(), 0.0);
  for (std::vector<std::size_t>& of_class : members) {
    std::sort(of_class.begin(), of_class.end(),
              [&](std::size_t a, std::size_t b) { return values[a] != values[b] ? values[a] < values[b] : a < b; });
    const auto n = static_cast<double>(of_class.size());
    for (std::size_t first = 0; first < of_class.size();) {
      std::size_t last = first;
      while (last < of_class.size() && values[of_class[last]] == values[of_class[first]]) ++last;
      // ranks first + 1 .. last, their mean less ½
      const double score = normal_quantile(0.5 * static_cast<double>(first + last) / n);
      for (; first < last; ++first) scores[of_class[first]] = score;
    }
  }
  return scores;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
