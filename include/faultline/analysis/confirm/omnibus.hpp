// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The omnibus test: can failure be predicted from w at all? One linear rule, fitted on discovery, tested once on
// confirmation (method section 5.2).

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/statistics/stratified.hpp>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// How well one linear rule in w, fitted on discovery, ranks failures above successes on confirmation, within classes:
/// the ceiling of any linear ranking.
///
/// **Shapes**: both halves in the coordinates fitted on discovery, `[N, r]`. **Formula**: ridge discriminant
/// (`fit_discriminant`); stratified AUC with DeLong's 95 % interval; one-sided p.
/// **Error rate**: `significant` (p ≤ alpha) occurs with probability about alpha when failure cannot be predicted; it
/// decides no verdict. **Cost**: N r² multiplications.
[[nodiscard]] Omnibus test_omnibus(const Problem& problem, const Matrix<double>& whitened,
                                   const statistics::Strata& strata, const Matrix<double>& fresh_whitened,
                                   const statistics::Strata& fresh_strata, double alpha);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/confirm/detail/omnibus_impl.hpp>
#endif
