// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "support.hpp"

#include <faultline/statistics/permutation.hpp>

#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace fl = faultline;
using namespace faultline_test;

namespace {

/// Outcomes of replicate b, rebuilt from the permuter.
std::vector<std::uint8_t> permuted_outcomes(const Sample& sample, const fl::statistics::Strata& strata,
                                            std::int64_t seed, std::int64_t b) {
  fl::statistics::WithinClassPermuter permuter(sample.labels, sample.failed, strata);
  fl::core::CounterRandom random(seed, fl::core::Stream::permutations, b);
  std::vector<std::uint8_t> outcomes(sample.failed.size(), 0);
  for (std::int64_t c = 0; c < permuter.classes(); ++c) {
    const auto members = permuter.members(c);
    for (const std::int64_t i : members) outcomes[static_cast<std::size_t>(i)] = permuter.draws_failures(c) ? 0 : 1;
    for (const std::int32_t p : permuter.draw(c, random))
      outcomes[static_cast<std::size_t>(members[static_cast<std::size_t>(p)])] = permuter.draws_failures(c) ? 1 : 0;
  }
  return outcomes;
}

}  // namespace

TEST_CASE("a permutation keeps the failures of every class, and replicates are addressed by number") {
  const Sample sample = make_sample(3, 300, 4, 3, 0.45);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 3);
  const auto all = fl::statistics::permuted_differences(sample.x, sample.labels, sample.failed, strata,
                                                        {.replicates = 20, .seed = 9, .first = 0});
  const auto tail = fl::statistics::permuted_differences(sample.x, sample.labels, sample.failed, strata,
                                                         {.replicates = 5, .seed = 9, .first = 15});
  for (std::int64_t b = 0; b < 20; ++b) {
    const auto outcomes = permuted_outcomes(sample, strata, 9, b);
    CHECK(fl::statistics::count_outcomes(sample.labels, outcomes, 3).failures == strata.failures);
    const auto truth = fl::statistics::stratified_difference(sample.x, sample.labels, outcomes, strata);
    for (std::int64_t j = 0; j < 4; ++j) {
      CHECK(std::abs(all(b, j) - truth[static_cast<std::size_t>(j)]) < 1e-12);
      if (b >= 15) CHECK(all(b, j) == tail(b - 15, j));
    }
  }
  CHECK(all(0, 0) != all(1, 0));
}

TEST_CASE("every assignment of outcomes is equally likely") {
  // Class 0: two failures among five (10 assignments); 20 000 draws, each count within bounds that hold with
  // probability 1 - 1e-5 in all.
  Sample sample{{0, 0, 0, 0, 0}, {1, 1, 0, 0, 0}, fl::Matrix<double>(5, 1)};
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 1);
  std::map<std::vector<std::uint8_t>, std::int64_t> seen;
  for (std::int64_t b = 0; b < 20000; ++b) ++seen[permuted_outcomes(sample, strata, 1, b)];
  CHECK(seen.size() == 10);
  for (const auto& [outcomes, count] : seen) {
    CHECK(count <= most_events(20000, 0.1));
    CHECK(count >= fewest_events(20000, 0.1));
  }
}

TEST_CASE("permutation p-values count ties and never reach zero") {
  const std::vector<double> null{1.0, 2.0, 2.0, 3.0};
  CHECK(fl::statistics::permutation_p(4.0, null) == Approx(0.2));
  CHECK(fl::statistics::permutation_p(2.0, null) == Approx(0.8));
  CHECK(fl::statistics::permutation_p(2.0 + 1e-12, null) == Approx(0.8));
  CHECK(fl::statistics::permutation_p(0.0, null) == 1.0);
  CHECK(fl::statistics::permutation_p(std::numeric_limits<double>::infinity(), null) == Approx(0.2));
  std::vector<double> many;
  for (int i = 1; i <= 999; ++i) many.push_back(i);
  const double point = fl::statistics::permutation_point(many, 0.05);
  CHECK(point == 950.0);
  CHECK(fl::statistics::permutation_p(point + 0.5, many) <= 0.05);
  CHECK(fl::statistics::permutation_p(point, many) > 0.05);
  CHECK(fl::statistics::permutation_point({1.0, 2.0}, 0.05) == std::numeric_limits<double>::infinity());
}

TEST_CASE("permutations refuse input that does not fit") {
  const Sample sample = make_sample(7, 50, 2, 2, 0.3);
  const fl::statistics::Strata strata = fl::statistics::count_outcomes(sample.labels, sample.failed, 2);
  CHECK_THROWS_AS(
      fl::statistics::permuted_differences(fl::Matrix<double>(49, 2), sample.labels, sample.failed, strata, {}),
      fl::Error);
  CHECK_THROWS_AS(
      fl::statistics::permuted_differences(sample.x, sample.labels, sample.failed, strata, {.replicates = 0}),
      fl::Error);
  CHECK_THROWS_AS(fl::statistics::WithinClassPermuter(sample.labels, std::vector<std::uint8_t>(3), strata), fl::Error);
}
