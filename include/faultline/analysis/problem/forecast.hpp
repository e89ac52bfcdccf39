// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What an analysis is going to cost, said before it starts.

#include <faultline/analysis/problem/options.hpp>

#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// What a run is going to cost, in images of the generator.
struct Forecast {
  std::int64_t least_images = 0;   ///< where nothing is found, and w reads no property
  std::int64_t most_images = 0;    ///< where interventions take all that they may, with three causes
  double images_per_second = 0.0;  ///< made, classified, judged and measured, in a few batches just now
  std::int64_t samples = 0;        ///< per split, as far as the budget allows

  [[nodiscard]] double least_seconds() const noexcept { return static_cast<double>(least_images) / images_per_second; }
  [[nodiscard]] double most_seconds() const noexcept { return static_cast<double>(most_images) / images_per_second; }
};

/// The forecast of an analysis of so many samples per split, at a measured pace.
[[nodiscard]] Forecast forecast_images(const MethodOptions& method, std::int64_t samples, double images_per_second);

}  // namespace analysis

using analysis::Forecast;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/forecast_impl.hpp>
#endif
