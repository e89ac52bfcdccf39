// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Comparing speeds on a machine that does not hold still: candidates take turns, and what counts is the median over
// rounds of the ratio within a round.

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace bench {

/// Seconds that `work` takes.
template <class Work>
double seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Seconds of all processors, in user and system mode: of this process (RUSAGE_SELF) or of those it waited for
/// (RUSAGE_CHILDREN).
inline double processor_seconds(int who = RUSAGE_SELF) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds_of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/// NaN when a value is missing (NaN) or there is none.
inline double median(std::vector<double> values) {
  if (values.empty() || std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); }))
    return std::nan("");
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// How often `work` must be repeated to take about `target` seconds; runs it twice, the first time to warm up.
template <class Work>
std::size_t repetitions(Work&& work, double target) {
  work();
  return static_cast<std::size_t>(std::clamp(std::ceil(target / std::max(1e-6, seconds(work))), 1.0, 1e6));
}

/// Candidates measured in turn. `measure(i)` returns what candidate i achieves, in units of its own (seconds,
/// operations per second).
struct Rounds {
  std::vector<std::vector<double>> values;  ///< [candidate][round]

  /// Median over rounds of the ratio of two candidates in the same round.
  [[nodiscard]] double ratio(std::size_t numerator, std::size_t denominator) const {
    std::vector<double> ratios;
    for (std::size_t r = 0; r < values[numerator].size(); ++r)
      ratios.push_back(values[numerator][r] / values[denominator][r]);
    return median(std::move(ratios));
  }
  [[nodiscard]] double middle(std::size_t candidate) const { return median(values[candidate]); }
};

/// Rounds of all candidates, alternately forwards and backwards, so that none always comes first.
inline Rounds take_turns(const std::vector<std::function<double()>>& candidates, int rounds) {
  Rounds result;
  result.values.resize(candidates.size());
  for (int r = 0; r < rounds; ++r) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::size_t k = r % 2 == 0 ? i : candidates.size() - 1 - i;
      result.values[k].push_back(candidates[k]());
    }
  }
  return result;
}

}  // namespace bench
