// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What a run may cost, and how much of that is spent.

#include <faultline/core/describe.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Limits of a run; 0 is none. A run that reaches one ends its present step early, leaves out what is optional, and
/// still gives a whole report that says what was cut short. With images the same run gives the same report again; with
/// seconds it depends on the machine.
struct Budget {
  double seconds = 0.0;     ///< wall clock, from the first sample on
  std::int64_t images = 0;  ///< of the generator

  [[nodiscard]] bool is_limited() const noexcept { return seconds > 0.0 || images > 0; }
};
FAULTLINE_MEMBERS(Budget, seconds, images)

/// Share of a budget up to which a step may go on; what is left after the last is for the description of what was
/// found, which is not cut short.
namespace budget_share {
inline constexpr double discovery = 0.2;   ///< sampling of the discovery split; the confirmation split is as large
inline constexpr double sampling = 0.5;    ///< of both splits, where the second takes longer than the first
inline constexpr double effects = 0.75;    ///< interventions; conditions that are open then stay undecided
inline constexpr double fractions = 0.85;  ///< attributable fractions, on fewer latents
inline constexpr double all = 1.0;         ///< placebo directions, distances along properties that are no causes
}  // namespace budget_share

/// Tells which share of a budget is spent.
class BudgetClock {
 public:
  /// Starts now; `images` says how many the generator has made, `before` which share was spent earlier.
  BudgetClock(const Budget& budget, std::function<std::int64_t()> images, double before = 0.0)
      : budget_(budget), images_(std::move(images)), before_(before), started_(now()), first_image_(images_()) {}

  /// Of the limit that is nearer, in [0, ∞); 0 without a limit.
  [[nodiscard]] double used() const {
    double used = 0.0;
    if (budget_.seconds > 0.0) used = std::chrono::duration<double>(now() - started_).count() / budget_.seconds;
    if (budget_.images > 0)
      used = std::max(used, static_cast<double>(images_() - first_image_) / static_cast<double>(budget_.images));
    return before_ + used;
  }

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] static Clock::time_point now() { return Clock::now(); }

  Budget budget_;
  std::function<std::int64_t()> images_;
  double before_;
  Clock::time_point started_;
  std::int64_t first_image_;
};

}  // namespace analysis

using analysis::Budget;

}  // namespace v1
}  // namespace faultline
