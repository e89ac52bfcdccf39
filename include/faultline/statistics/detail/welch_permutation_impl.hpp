// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/welch_permutation.hpp.

#include <faultline/statistics/welch_permutation.hpp>

#include <faultline/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {

namespace detail {

/// The scores of one class, centred and scaled, in panels of four columns so that the sums of a panel stay in
/// registers.
struct ClassScores {
  static constexpr std::size_t width = 4;
  std::vector<std::size_t> columns;  ///< candidates tested in this class
  std::size_t rows = 0;
  std::vector<double> panels;                ///< `[panel][row][width]`
  std::vector<double> total, total_squares;  ///< per active column

  [[nodiscard]] std::size_t panel_count() const noexcept { return (columns.size() + width - 1) / width; }

  /// Adds up the values and the squares of the chosen rows.
  void sum(std::span<const std::int32_t> chosen, std::vector<double>& sums, std::vector<double>& squares) const {
    sums.resize(panel_count() * width);
    squares.resize(panel_count() * width);
    for (std::size_t p = 0; p < panel_count(); ++p) {
      const double* panel = panels.data() + p * rows * width;
      std::array<double, width> s{};
      std::array<double, width> q{};
      for (const std::int32_t row : chosen) {
        const double* x = panel + static_cast<std::size_t>(row) * width;
        for (std::size_t k = 0; k < width; ++k) {
          s[k] += x[k];
          q[k] += x[k] * x[k];
        }
      }
      std::copy(s.begin(), s.end(), sums.begin() + static_cast<std::ptrdiff_t>(p * width));
      std::copy(q.begin(), q.end(), squares.begin() + static_cast<std::ptrdiff_t>(p * width));
    }
  }
};

/// Adds one class's part to the numerators and variances of its candidates.
struct WelchSums {
  std::vector<double> numerator, variance;

  void reset(std::size_t candidates) {
    numerator.assign(candidates, 0.0);
    variance.assign(candidates, 0.0);
  }

  void add(const ClassScores& scores, std::span<const double> sums, std::span<const double> squares, double drawn,
           double rest, double sign, double weight, std::span<const double> scale) {
    const auto group_variance = [](double sum, double square, double n) {
      const double centred = square - sum * sum / n;
      // Below rounding of the squares themselves nothing varies.
      return centred > 1e-13 * square ? centred / (n * (n - 1.0)) : 0.0;
    };
    for (std::size_t a = 0; a < scores.columns.size(); ++a) {
      const std::size_t k = scores.columns[a];
      const double other = scores.total[a] - sums[a];
      const double other_squares = scores.total_squares[a] - squares[a];
      numerator[k] += sign * weight * scale[k] * (sums[a] / drawn - other / rest);
      variance[k] += weight * weight * scale[k] * scale[k] *
                     (group_variance(sums[a], squares[a], drawn) + group_variance(other, other_squares, rest));
    }
  }
};

}  // namespace detail

FAULTLINE_INLINE std::vector<WelchTest> welch_permutation_test(const Matrix<double>& scores,
                                                               std::span<const std::int64_t> labels,
                                                               std::span<const std::uint8_t> failed,
                                                               const Strata& strata, const PermutationOptions& options,
                                                               std::span<const std::int64_t> class_of) {
  constexpr const char* where = "welch_permutation_test";
  require_outcomes(where, scores.rows(), labels, failed);
  detail::require_replicates(where, options);
  const auto candidates = static_cast<std::size_t>(scores.cols());
  if (!class_of.empty() && class_of.size() != candidates)
    throw Error(ErrorCode::shape_mismatch, where, "expected one class per score, or none at all");
  for (const std::int64_t c : class_of) {
    if (c != -1) require_label(where, c, strata.classes());
  }
  WithinClassPermuter permuter(labels, failed, strata);
  const auto classes = static_cast<std::size_t>(strata.classes());
  const auto weight_of = [&](std::size_t c) { return strata.weights[c] / std::max(strata.effective_failures, 1e-300); };

  // Values are centred by class and scaled by the pooled spread, so that squares neither cancel nor overflow.
  std::vector<double> scale(candidates, 0.0);
  std::vector<std::vector<double>> means(classes, std::vector<double>(candidates, 0.0));
  for (std::size_t c = 0; c < classes; ++c) {
    const auto members = permuter.members(static_cast<std::int64_t>(c));
    for (const std::int64_t i : members) {
      for (std::size_t k = 0; k < candidates; ++k)
        means[c][k] += scores(i, static_cast<std::int64_t>(k)) / static_cast<double>(members.size());
    }
    for (const std::int64_t i : members) {
      for (std::size_t k = 0; k < candidates; ++k)
        scale[k] = std::max(scale[k], std::abs(scores(i, static_cast<std::int64_t>(k)) - means[c][k]));
    }
  }
  std::vector<detail::ClassScores> panels(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    auto& part = panels[c];
    const auto members = permuter.members(static_cast<std::int64_t>(c));
    part.rows = members.size();
    if (members.empty()) continue;
    for (std::size_t k = 0; k < candidates; ++k) {
      if (class_of.empty() || class_of[k] == -1 || class_of[k] == static_cast<std::int64_t>(c))
        part.columns.push_back(k);
    }
    constexpr std::size_t width = detail::ClassScores::width;
    part.panels.assign(part.panel_count() * part.rows * width, 0.0);
    part.total.assign(part.columns.size(), 0.0);
    part.total_squares.assign(part.columns.size(), 0.0);
    for (std::size_t a = 0; a < part.columns.size(); ++a) {
      const std::size_t k = part.columns[a];
      for (std::size_t r = 0; r < part.rows; ++r) {
        const double x =
            scale[k] > 0.0 ? (scores(members[r], static_cast<std::int64_t>(k)) - means[c][k]) / scale[k] : 0.0;
        part.panels[((a / width) * part.rows + r) * width + a % width] = x;
        part.total[a] += x;
        part.total_squares[a] += x * x;
      }
    }
  }

  std::vector<double> sums;
  std::vector<double> squares;
  detail::WelchSums welch;
  const auto accumulate = [&](std::size_t c, std::span<const std::int32_t> chosen) {
    const bool failures = permuter.draws_failures(static_cast<std::int64_t>(c));
    const auto m = static_cast<double>(strata.failures[c]);
    const auto n = static_cast<double>(strata.successes[c]);
    panels[c].sum(chosen, sums, squares);
    welch.add(panels[c], sums, squares, failures ? m : n, failures ? n : m, failures ? 1.0 : -1.0, weight_of(c), scale);
  };

  std::vector<WelchTest> tests(candidates);
  welch.reset(candidates);
  for (std::size_t c = 0; c < classes; ++c) {
    const auto members = permuter.members(static_cast<std::int64_t>(c));
    if (members.empty()) continue;
    std::vector<std::int32_t> chosen;
    for (std::size_t r = 0; r < members.size(); ++r) {
      if ((failed[static_cast<std::size_t>(members[r])] != 0) == permuter.draws_failures(static_cast<std::int64_t>(c)))
        chosen.push_back(static_cast<std::int32_t>(r));
    }
    accumulate(c, chosen);
  }
  for (std::size_t k = 0; k < candidates; ++k) {
    const bool specific = !class_of.empty() && class_of[k] != -1;
    // In a class-specific test the one weight cancels from t; it is divided out of the difference.
    const double weight = specific ? weight_of(static_cast<std::size_t>(class_of[k])) : 1.0;
    if (!(weight > 0.0)) continue;
    tests[k].statistic = {welch.numerator[k] / weight, std::sqrt(welch.variance[k]) / weight,
                          studentise(welch.numerator[k], welch.variance[k])};
  }

  std::vector<std::int64_t> reached(candidates, 0);
  for (std::int64_t b = 0; b < options.replicates; ++b) {
    core::CounterRandom random(options.seed, core::Stream::permutations, options.first + b);
    welch.reset(candidates);
    for (std::size_t c = 0; c < classes; ++c) {
      if (panels[c].rows > 0) accumulate(c, permuter.draw(static_cast<std::int64_t>(c), random));
    }
    for (std::size_t k = 0; k < candidates; ++k) {
      if (studentise(welch.numerator[k], welch.variance[k]) >= detail::tie_bar(tests[k].statistic.t)) ++reached[k];
    }
  }
  for (std::size_t k = 0; k < candidates; ++k)
    tests[k].p = static_cast<double>(1 + reached[k]) / static_cast<double>(options.replicates + 1);
  return tests;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
