// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The exact distribution of the failure count of runs that go on, while others leave at interim analyses: what
// calibrates a boundary, inverts it and plans with it.

#include <faultline/statistics/log_beta.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// P(count = k, still there) of independent samples that fail at one rate. Masses below `negligible` are dropped.
class CountForecast {
 public:
  CountForecast(double rate, double negligible) : rate_(rate), negligible_(negligible) {}

  /// Adds samples to every run that is still there.
  void advance_to(std::int64_t samples) {
    const std::int64_t step = samples - samples_;
    if (step == 0) return;
    if (step != step_) prepare(step);
    samples_ = samples;
    if (mass_.empty()) return;
    next_.assign(mass_.size() + added_.size() - 1, 0.0);
    for (std::size_t i = 0; i < mass_.size(); ++i) {
      const double before = mass_[i];
      double* const to = next_.data() + i;
      for (std::size_t j = 0; j < added_.size(); ++j) to[j] += before * added_[j];
    }
    mass_.swap(next_);
    lowest_ += added_lowest_;
    while (!mass_.empty() && mass_.back() < negligible_) mass_.pop_back();
    std::size_t skip = 0;
    while (skip < mass_.size() && mass_[skip] < negligible_) ++skip;
    drop_front(skip);
  }

  [[nodiscard]] bool empty() const noexcept { return mass_.empty(); }
  /// The counts at both ends of what is still there, and their masses.
  [[nodiscard]] std::int64_t lowest() const noexcept { return lowest_; }
  [[nodiscard]] std::int64_t highest() const noexcept { return lowest_ + static_cast<std::int64_t>(mass_.size()) - 1; }
  [[nodiscard]] double lowest_mass() const noexcept { return mass_.front(); }
  [[nodiscard]] double highest_mass() const noexcept { return mass_.back(); }

  /// Lets the runs with at most `count` failures leave; their mass.
  double leave_up_to(std::int64_t count) {
    double mass = 0.0;
    std::size_t leaving = 0;
    while (leaving < mass_.size() && lowest_ + static_cast<std::int64_t>(leaving) <= count) mass += mass_[leaving++];
    drop_front(leaving);
    return mass;
  }
  /// Lets the runs with at least `count` failures leave; their mass.
  double leave_from(std::int64_t count) {
    double mass = 0.0;
    for (; !mass_.empty() && highest() >= count; mass_.pop_back()) mass += mass_.back();
    return mass;
  }

  /// Mass of the runs that are still there.
  [[nodiscard]] double remaining() const {
    double sum = 0.0;
    for (const double mass : mass_) sum += mass;
    return sum;
  }

 private:
  void drop_front(std::size_t count) {
    mass_.erase(mass_.begin(), mass_.begin() + static_cast<std::ptrdiff_t>(count));
    lowest_ += static_cast<std::int64_t>(count);
  }

  /// The binomial masses of one step, outwards from the likeliest, by the ratio of neighbours.
  void prepare(std::int64_t step) {
    step_ = step;
    const auto n = static_cast<double>(step);
    const double mode = std::clamp(std::floor((n + 1.0) * rate_), 0.0, n);
    added_.assign(1, 1.0);
    added_lowest_ = static_cast<std::int64_t>(mode);
    if (rate_ <= 0.0 || rate_ >= 1.0) return;
    const double odds = rate_ / (1.0 - rate_);
    const double top = std::exp(-log_beta(mode + 1.0, n - mode + 1.0) - std::log(n + 1.0) + mode * std::log(rate_) +
                                (n - mode) * std::log1p(-rate_));
    std::vector<double> lower;
    double mass = top;
    for (double k = mode; k > 0.0; k -= 1.0) {
      mass *= k / ((n - k + 1.0) * odds);
      if (mass < negligible_) break;
      lower.push_back(mass);
    }
    added_.assign(lower.rbegin(), lower.rend());
    added_.push_back(top);
    added_lowest_ -= static_cast<std::int64_t>(lower.size());
    mass = top;
    for (double k = mode; k < n; k += 1.0) {
      mass *= (n - k) * odds / (k + 1.0);
      if (mass < negligible_) break;
      added_.push_back(mass);
    }
    double sum = 0.0;
    for (const double one : added_) sum += one;
    for (double& one : added_) one /= sum;
  }

  double rate_;
  double negligible_;
  std::vector<double> mass_{1.0}, next_, added_;
  std::int64_t lowest_ = 0;
  std::int64_t added_lowest_ = 0;
  std::int64_t step_ = 0;
  std::int64_t samples_ = 0;
};

}  // namespace detail
}  // namespace statistics
}  // namespace v1
}  // namespace faultline
