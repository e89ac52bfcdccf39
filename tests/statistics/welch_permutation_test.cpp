// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/distributions.hpp>
#include <faultline/statistics/multiplicity.hpp>
#include <faultline/statistics/welch_permutation.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace fl = faultline;
using namespace faultline_test;

TEST_CASE("permutation p-values equal a plain loop over permuted outcomes, class-specific scores included") {
  Sample sample = make_sample(20, 240, 7, 3, 0.45, 0.15);
  for (std::int64_t i = 0; i < 240; ++i) sample.x(i, 3) = std::floor(sample.x(i, 3));  // many ties
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
  const std::vector<std::int64_t> class_of{-1, -1, 2, -1, 0, 1, -1};
  const fl::statistics::PermutationOptions options{.replicates = 199, .seed = 3, .first = 40};
  const auto tests =
      fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata, options, class_of);
  REQUIRE(tests.size() == 7);
  for (std::int64_t k = 0; k < 7; ++k) {
    const auto i = static_cast<std::size_t>(k);
    const fl::statistics::Strata mine = class_of[i] == -1 ? strata : fl::statistics::only_class(strata, class_of[i]);
    const auto values = column(sample.x, k);
    const auto observed = fl::statistics::stratified_welch(values, sample.labels, sample.failed, mine);
    CHECK(tests[i].statistic.t == Approx(observed.t).epsilon(1e-10));
    CHECK(tests[i].statistic.difference == Approx(observed.difference).epsilon(1e-10));
    CHECK(tests[i].statistic.standard_error == Approx(observed.standard_error).epsilon(1e-10));
    std::vector<double> null;
    for (std::int64_t b = 0; b < options.replicates; ++b) {
      fl::statistics::WithinClassPermuter permuter(sample.labels, sample.failed, strata);
      fl::core::CounterRandom random(options.seed, fl::core::Stream::permutations, options.first + b);
      std::vector<std::uint8_t> outcomes(sample.failed.size(), 0);
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto members = permuter.members(c);
        for (const std::int64_t m : members) outcomes[static_cast<std::size_t>(m)] = permuter.draws_failures(c) ? 0 : 1;
        for (const std::int32_t p : permuter.draw(c, random))
          outcomes[static_cast<std::size_t>(members[static_cast<std::size_t>(p)])] = permuter.draws_failures(c) ? 1 : 0;
      }
      null.push_back(fl::statistics::stratified_welch(values, sample.labels, outcomes, mine).t);
    }
    CHECK(tests[i].p == Approx(fl::statistics::permutation_p(observed.t, null)).epsilon(1e-12));
  }
}

TEST_CASE("the smallest p-value of a fully separated population is one over all permutations") {
  // Class 0: 3 failures among 6, perfectly separated: 1 of 20 assignments reaches the observed statistic. 4 000 draws,
  // bounds of 1e-6 each side.
  const std::vector<std::int64_t> labels(6, 0);
  const std::vector<std::uint8_t> failed{1, 1, 1, 0, 0, 0};
  fl::Matrix<double> x(6, 1);
  for (std::int64_t i = 0; i < 6; ++i) x(i, 0) = 10.0 - static_cast<double>(i * i);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(labels, failed, 1);
  const double p =
      fl::statistics::welch_permutation_test(x, labels, failed, strata, {.replicates = 4000, .seed = 1, .first = 0})[0]
          .p;
  const double reached = p * 4001.0 - 1.0;
  CHECK(reached <= static_cast<double>(most_events(4000, 0.05)));
  CHECK(reached >= static_cast<double>(fewest_events(4000, 0.05)));
}

TEST_CASE("degenerate scores are never significant") {
  const Sample sample = make_sample(21, 100, 1, 2, 0.3);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
  const auto constant = fl::statistics::welch_permutation_test(fl::Matrix<double>(100, 2, 3.25), sample.labels,
                                                               sample.failed, strata, {.replicates = 50});
  CHECK(constant[0].p == 1.0);
  CHECK(constant[0].statistic.t == 0.0);
  const auto unused =
      fl::statistics::welch_permutation_test(sample.x, sample.labels, std::vector<std::uint8_t>(100, 0),
                                             fl::statistics::make_strata({0, 0}, {50, 50}), {.replicates = 50});
  CHECK(unused[0].p == 1.0);
}

TEST_CASE("Holm over permutation p-values holds the family-wise error") {
  // 1 000 null populations, 12 correlated scores (one class-specific), classes with different means and failure rates.
  // False-fail rate of the check: 1e-6.
  std::int64_t alarms = 0;
  const std::vector<std::int64_t> class_of{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1};
  for (std::int64_t trial = 0; trial < 1000; ++trial) {
    Sample sample = make_sample(3000 + trial, 150, 12, 3, 0.2);
    for (std::int64_t i = 0; i < 150; ++i) {
      for (std::int64_t k = 1; k < 12; ++k)
        sample.x(i, k) = 0.7 * sample.x(i, 0) + 0.7 * sample.x(i, k) +
                         5.0 * static_cast<double>(sample.labels[static_cast<std::size_t>(i)]);
    }
    const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
    std::vector<double> p;
    for (const auto& test : fl::statistics::welch_permutation_test(
             sample.x, sample.labels, sample.failed, strata, {.replicates = 399, .seed = trial, .first = 0}, class_of))
      p.push_back(test.p);
    const auto adjusted = fl::statistics::holm(p);
    if (*std::min_element(adjusted.begin(), adjusted.end()) <= 0.05) ++alarms;
  }
  CHECK(alarms <= most_events(1000, 0.05));
  CHECK(alarms >= 5);  // correlated, so below .05, but the test does reject
}

TEST_CASE("equal means with unequal variances are not taken for an effect") {
  // Failures spread three times as wide as successes and are rarer: a plain mean difference would reject far too often.
  // 1 000 populations at .05; studentised it is asymptotically right, so .065 is granted at this size; false-fail rate
  // 1e-6.
  std::int64_t rejected = 0;
  for (std::int64_t trial = 0; trial < 1000; ++trial) {
    Sample sample = make_sample(5000 + trial, 300, 1, 2, 0.2);
    for (std::int64_t i = 0; i < 300; ++i) {
      if (sample.failed[static_cast<std::size_t>(i)] != 0) sample.x(i, 0) *= 3.0;
    }
    const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
    if (fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata,
                                               {.replicates = 199, .seed = trial, .first = 0})[0]
            .p <= 0.05)
      ++rejected;
  }
  CHECK(rejected <= most_events(1000, 0.065));
}

TEST_CASE("a real effect is found") {
  const Sample sample = make_sample(22, 2000, 2, 10, 0.2, 0.25);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 10);
  CHECK(fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata,
                                               {.replicates = 999, .seed = 1, .first = 0})[0]
            .p == Approx(0.001));
}

TEST_CASE("a planted effect is found as often as its power says") {
  // 800 populations with an effect of .35 standard deviations; power Phi(d sqrt(n_eff) - 1.645) for each, give or take
  // .03 for the approximation; false-fail rate 1e-6.
  std::int64_t rejected = 0;
  double power = 0.0;
  for (std::int64_t trial = 0; trial < 800; ++trial) {
    const Sample sample = make_sample(9000 + trial, 300, 1, 3, 0.15, 0.35);
    const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
    power += fl::statistics::normal_cdf(0.35 * std::sqrt(strata.effective_failures) - 1.645) / 800.0;
    if (fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata,
                                               {.replicates = 199, .seed = trial, .first = 0})[0]
            .p <= 0.05)
      ++rejected;
  }
  CHECK(rejected <= most_events(800, power + 0.03));
  CHECK(rejected >= fewest_events(800, power - 0.03));
}

TEST_CASE("confirmation of thirty scores on ten thousand samples takes seconds", "[.slow]") {
  Sample sample = make_sample(23, 10000, 30, 10, 0.25);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 10);
  std::vector<std::int64_t> class_of(30, -1);
  for (std::size_t k = 10; k < 30; ++k) class_of[k] = static_cast<std::int64_t>((k - 10) / 2);
  const auto start = std::chrono::steady_clock::now();
  const auto tests = fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata,
                                                            {.replicates = 9999, .seed = 1, .first = 0}, class_of);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  WARN("9 999 replicates, N = 10 000, K = 30: " << seconds << " s");
  CHECK(tests.size() == 30);
  CHECK(seconds < 20.0);
}

TEST_CASE("the permutation test refuses input that does not fit") {
  const Sample sample = make_sample(24, 60, 2, 2, 0.3);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
  const fl::statistics::PermutationOptions few{.replicates = 9};
  CHECK_THROWS_AS(
      fl::statistics::welch_permutation_test(fl::Matrix<double>(59, 2), sample.labels, sample.failed, strata, few),
      fl::Error);
  CHECK_THROWS_AS(fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata, few,
                                                         std::vector<std::int64_t>{0}),
                  fl::Error);
  CHECK_THROWS_AS(fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata, few,
                                                         std::vector<std::int64_t>{0, 2}),
                  fl::Error);
  CHECK_THROWS_AS(
      fl::statistics::welch_permutation_test(sample.x, sample.labels, sample.failed, strata, {.replicates = 0}),
      fl::Error);
}
