// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of statistics/regression.hpp.

#include <faultline/statistics/regression.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <cmath>
#include <cstdint>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace statistics {

FAULTLINE_INLINE PropertyRegression regress_on_properties(const Matrix<double>& whitened,
                                                          const Matrix<float>& properties,
                                                          std::span<const std::int64_t> labels, std::int64_t classes) {
  constexpr const char* where = "regress_on_properties";
  const std::int64_t n = whitened.rows();
  const std::int64_t r = whitened.cols();
  const std::int64_t p = properties.cols();
  if (properties.rows() != n || static_cast<std::int64_t>(labels.size()) != n)
    throw Error(ErrorCode::shape_mismatch, where,
                "expected a row of properties and a label for each of " + std::to_string(n) + " samples");
  if (classes < 1) throw Error(ErrorCode::invalid_argument, where, "expected at least one class");
  if (n - classes <= r)
    throw Error(ErrorCode::degenerate_statistics, where,
                "expected more samples than coordinates and classes together, got " + std::to_string(n));
  for (const float value : properties.values()) {
    if (!std::isfinite(value))
      throw Error(ErrorCode::invalid_argument, where,
                  "expected finite properties; leave out one that some images do not have");
  }
  PropertyRegression fit;
  const GroupMeans means = group_means(where, properties, labels, classes);
  // Below the resolution of the float it came in, a difference is rounding.
  fit.deviations = within_deviations(properties, labels, means, means.freedom(), 1e-7);
  fit.slopes.assign(static_cast<std::size_t>(p), 0.0);
  fit.r_squared.assign(static_cast<std::size_t>(p), 0.0);
  fit.directions.resize(p, r);
  if (p == 0) return fit;

  const Eigen::ArrayXd deviation = core::as_vector(fit.deviations).array();
  const Eigen::VectorXd scale = (deviation > 0.0).select(deviation.inverse(), 0.0).matrix();
  const Matrix<double> m = centred_rows(properties, labels, means.mean, 0, n) * scale.asDiagonal();
  const auto inverse = [](double value) { return 1.0 / value; };
  const Matrix<double> cross = m.transpose() * whitened;  // [P, r]
  const Matrix<double> property_squares = m.transpose() * m;
  fit.directions = detail::spectral_function(property_squares, 1e-8, inverse) * cross;
  const Matrix<double> predicted = cross * detail::spectral_function(whitened.transpose() * whitened, 1e-8, inverse);
  const auto freedom = static_cast<double>(n - classes);
  for (std::int64_t j = 0; j < p; ++j) {
    const auto at = static_cast<std::size_t>(j);
    if (!(fit.deviations[at] > 0.0)) {
      fit.directions.row(j).setZero();
      continue;
    }
    fit.slopes[at] = fit.directions.row(j).norm();
    fit.directions.row(j).normalize();
    const double explained = predicted.row(j).dot(cross.row(j)) / property_squares(j, j);
    fit.r_squared[at] = 1.0 - (1.0 - explained) * freedom / (freedom - static_cast<double>(r));
  }
  return fit;
}

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
