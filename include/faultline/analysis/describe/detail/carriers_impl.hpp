// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/describe/carriers.hpp.

#include <faultline/analysis/describe/carriers.hpp>

#include <faultline/analysis/rank/style_moments.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/linear_algebra.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void attach_carriers(const FindingContext& context, std::span<Finding> findings) {
  if (findings.empty()) return;
  const Problem& problem = context.problem;
  const auto strata_of = [&](const Population& split) {
    return statistics::count_outcomes(split.label, split.failed, problem.classes);
  };
  const LatentMoments discovery = latent_moments(problem.discovery, strata_of(problem.discovery));
  const StyleMoments confirmation = style_moments(problem, problem.confirmation, strata_of(problem.confirmation));
  const Matrix<double>& a = problem.style_matrix;
  const std::vector<double> variance = projection_variances(a, discovery.within);
  const double largest = variance.empty() ? 0.0 : *std::max_element(variance.begin(), variance.end());
  const auto quotient = [](double numerator, double denominator) {
    return denominator > 0.0 ? numerator / denominator : 0.0;
  };
  // Of every style, between failures and successes of one class
  const auto class_difference = [&](std::int64_t label) {
    const Population& split = problem.confirmation;
    const std::vector<double> difference = statistics::stratified_difference(
        split.w, split.label, split.failed, statistics::only_class(strata_of(split), label));
    return core::to_list(statistics::detail::product(a, core::as_vector(difference)));
  };

  for (Finding& finding : findings) {
    if (finding.direction.whitened.empty()) continue;
    if (static_cast<std::int64_t>(finding.direction.whitened.size()) != context.whitening.rank())
      throw Error(ErrorCode::shape_mismatch, "attach_carriers",
                  "direction \"" + finding.direction.name + "\" has " +
                      std::to_string(finding.direction.whitened.size()) + " whitened coordinates, expected " +
                      std::to_string(context.whitening.rank()));
    // of a pair or a subspace the multiple correlation with its directions, which hardly overlap; signs are the first's
    Matrix<double> rows(1, context.whitening.rank());
    core::as_vector(rows.values()) = core::as_vector(finding.direction.whitened);
    if (finding.direction.parts.size() > 1) {
      Matrix<double> steps(static_cast<std::int64_t>(finding.direction.parts.size()), context.whitening.dimension());
      for (std::size_t m = 0; m < finding.direction.parts.size(); ++m)
        std::ranges::copy(finding.direction.parts[m], steps.row_span(static_cast<std::int64_t>(m)).begin());
      rows = statistics::whiten_steps(context.whitening, steps);
    }
    std::vector<double> correlation(variance.size(), 0.0), squared(variance.size(), 0.0);
    for (std::int64_t m = 0; m < rows.rows(); ++m) {
      const Eigen::VectorXd vector =
          statistics::detail::transposed_product(context.whitening.to_white, core::as_vector(rows.row_span(m)));
      const Eigen::VectorXd with_w = statistics::detail::product(discovery.within, vector);
      const double deviation = std::sqrt(std::max(0.0, vector.dot(with_w)));
      const std::vector<double> covariance = core::to_list(statistics::detail::product(a, with_w));
      for (std::size_t k = 0; k < variance.size(); ++k) {
        if (!(variance[k] > 1e-12 * largest)) continue;  // a channel that hardly varies is all rounding
        const double own = quotient(covariance[k], std::sqrt(variance[k]) * deviation);
        squared[k] += own * own;
        if (m == 0) correlation[k] = own;
      }
    }
    for (std::size_t k = 0; k < correlation.size(); ++k)
      correlation[k] = std::copysign(std::min(1.0, std::sqrt(squared[k])), correlation[k]);

    std::vector<std::int64_t> order(correlation.size());
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t x, std::int64_t y) {
      return std::abs(correlation[static_cast<std::size_t>(x)]) > std::abs(correlation[static_cast<std::size_t>(y)]);
    });
    order.resize(std::min(order.size(), static_cast<std::size_t>(carriers_per_finding)));

    const std::vector<double> difference = finding.direction.class_label
                                               ? class_difference(*finding.direction.class_label)
                                               : confirmation.stratified_difference;
    finding.carriers.clear();
    for (const std::int64_t flat : order) {
      const auto k = static_cast<std::size_t>(flat);
      Carrier carrier;
      carrier.channel = problem.layout.locate(flat);
      carrier.layer_name = problem.layout.layers()[static_cast<std::size_t>(carrier.channel.layer)].name;
      carrier.correlation = correlation[k];
      carrier.sign = correlation[k] < 0.0 ? -1 : 1;
      carrier.sigma = std::sqrt(std::max(0.0, variance[k]));
      carrier.effect = quotient(difference[k], carrier.sigma);
      carrier.paper_effect = quotient(confirmation.pooled_difference[k], confirmation.sigma_total[k]);
      finding.carriers.push_back(std::move(carrier));
    }
    if (finding.carriers.empty()) continue;
    finding.channel = finding.carriers.front().channel;
    finding.sign = finding.carriers.front().sign;
  }
}

FAULTLINE_INLINE void attach_carriers(const FindingContext& context, Finding& finding) {
  attach_carriers(context, std::span<Finding>(&finding, 1));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
