// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// E-values together: against all subsets by brute force, and the family-wise error in simulations.
#include "support.hpp"

#include <faultline/core/random.hpp>
#include <faultline/statistics/confidence_sequence.hpp>
#include <faultline/statistics/e_values.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace fl = faultline;
using namespace faultline_test;

namespace {

std::vector<double> smallest_means(const std::vector<double>& e) {
  std::vector<double> smallest(e.size(), std::numeric_limits<double>::infinity());
  for (std::uint32_t set = 1; set < 1u << e.size(); ++set) {
    double sum = 0.0, count = 0.0;
    for (std::size_t i = 0; i < e.size(); ++i)
      if ((set >> i & 1u) != 0) sum += e[i], count += 1.0;
    for (std::size_t i = 0; i < e.size(); ++i)
      if ((set >> i & 1u) != 0) smallest[i] = std::min(smallest[i], sum / count);
  }
  return smallest;
}

}  // namespace

TEST_CASE("adjusted e-values are the smallest means over all sets that hold them") {
  for (std::int64_t trial = 0; trial < 300; ++trial) {
    fl::core::CounterRandom random(31, fl::core::Stream::subsets, trial);
    std::vector<double> e(1 + static_cast<std::size_t>(random.below(9)));
    for (double& one : e) one = trial % 3 == 0 ? static_cast<double>(random.below(4)) : std::exp(3.0 * random.normal());
    const std::vector<double> adjusted = fl::statistics::e_holm(e), expected = smallest_means(e);
    REQUIRE(adjusted.size() == e.size());
    for (std::size_t i = 0; i < e.size(); ++i) CHECK(adjusted[i] == Approx(expected[i]).epsilon(1e-12));
  }
  const std::vector<double> three = fl::statistics::e_holm(std::vector{70.0, 0.5, 1.5});
  CHECK(three == std::vector{24.0, 0.5, 1.0});
  CHECK(fl::statistics::e_holm(std::vector(5, 0.1)) == std::vector(5, 0.1));
  CHECK(fl::statistics::e_holm(std::vector<double>{}).empty());
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(fl::statistics::e_holm(std::vector{infinity, 1.0, infinity}) == std::vector{infinity, 1.0, infinity});
}

TEST_CASE("the mean of e-values") {
  CHECK(fl::statistics::mean_e_value(std::vector{3.0, 0.0, 1.5}) == Approx(1.5));
  CHECK(fl::statistics::mean_e_value(std::vector(3, 1.5e308)) == Approx(1.5e308));
}

TEST_CASE("any false rejection has the stated probability, and e-values that use it up attain it") {
  // Five hypotheses, the last two false. The true ones' e-values are 3/α with probability α/3 each, never two at once:
  // their mean is 1, and one of them alone stands out with probability α. 10 000 replicates, limits at 1e-6.
  const double alpha = 0.05;
  std::int64_t any = 0, unadjusted = 0, found = 0;
  for (std::int64_t trial = 0; trial < 10'000; ++trial) {
    const double u = fl::core::CounterRandom(32, fl::core::Stream::subsets, trial).uniform();
    std::vector<double> e{0.0, 0.0, 0.0, 1e6, 5e5};
    if (u < alpha) e[static_cast<std::size_t>(3.0 * u / alpha)] = 3.0 / alpha;
    const std::vector<double> adjusted = fl::statistics::e_holm(e);
    const auto rejected = [&](std::size_t i) { return adjusted[i] >= (1.0 - 1e-12) / alpha; };
    any += rejected(0) || rejected(1) || rejected(2) ? 1 : 0;
    found += rejected(3) && rejected(4) ? 1 : 0;
    // Five independent e-values at their limit, each by itself
    fl::core::CounterRandom random(33, fl::core::Stream::subsets, trial);
    bool one = false;
    for (int i = 0; i < 5; ++i) one = random.uniform() < alpha || one;
    unadjusted += one ? 1 : 0;
  }
  CHECK(any <= most_events(10'000, alpha));
  CHECK(any >= fewest_events(10'000, alpha));
  CHECK(found == 10'000);
  CHECK(unadjusted > most_events(10'000, alpha));  // what the adjustment is for
}

TEST_CASE("evidence that is watched on shared samples keeps the family-wise error") {
  // Four statements about one stream of failures at .1: rates at most .1, .12, .15 and .3, all true. Each stops when
  // its own evidence is largest so far and above 5 000, or after 1 000 samples; the first is nearly always what errs.
  const std::vector<double> bounds{0.1, 0.12, 0.15, 0.3};
  std::int64_t any = 0;
  for (std::int64_t trial = 0; trial < 10'000; ++trial) {
    fl::core::CounterRandom random(34, fl::core::Stream::subsets, trial);
    std::int64_t failures = 0;
    std::vector<double> most(bounds.size(), 1.0);
    bool wrong = false;
    for (std::int64_t n = 1; n <= 1'000; ++n) {
      failures += random.uniform() < 0.1 ? 1 : 0;
      if (n % 20 != 0) continue;
      for (std::size_t i = 0; i < bounds.size(); ++i)
        most[i] = fl::statistics::rate_evidence(failures, n, bounds[i]).against_at_most;
      const std::vector<double> adjusted = fl::statistics::e_holm(most);
      wrong = wrong || *std::max_element(adjusted.begin(), adjusted.end()) >= 20.0;  // looked at at any time
    }
    any += wrong ? 1 : 0;
  }
  CHECK(any <= most_events(10'000, 0.05));
}

TEST_CASE("e-values that are none are refused") {
  CHECK_THROWS_AS(fl::statistics::mean_e_value(std::vector<double>{}), fl::Error);
  for (const double wrong : {-1.0, std::nan("")}) {
    CHECK_THROWS_AS(fl::statistics::mean_e_value(std::vector{1.0, wrong}), fl::Error);
    CHECK_THROWS_AS(fl::statistics::e_holm(std::vector{1.0, wrong}), fl::Error);
  }
}
