// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../../../examples/world_list.hpp"

#include <faultline/analysis/confirm/confirm_conditions.hpp>
#include <faultline/statistics/binomial.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;

namespace {

/// Samples whose properties are standard normal and whose failures follow `logit` of them.
template <class Logit>
an::ConditionSample drawn(std::int64_t seed, std::int64_t n, std::int64_t properties, const Logit& logit) {
  an::ConditionSample sample;
  sample.classes = 2;
  sample.scores.resize(properties, n);
  sample.projections.resize(properties, n);
  sample.whitened.resize(n, 0);
  fl::core::CounterRandom random(seed, fl::core::Stream::subsets, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    sample.row.push_back(i);
    sample.label.push_back(i < n / 2 ? 0 : 1);
    std::vector<double> x;
    for (std::int64_t k = 0; k < properties; ++k) x.push_back(sample.scores(k, i) = random.normal());
    sample.failed.push_back(random.uniform() < 1.0 / (1.0 + std::exp(-logit(x))) ? 1 : 0);
  }
  return sample;
}

an::Condition about(std::int64_t property) {
  return {an::ConditionKind::property, {property}, {}, {{.kind = an::TermKind::value, .property = property}}, 0.0};
}

}  // namespace

TEST_CASE("a condition that holds is confirmed with the share of the deviance that it explains") {
  const auto logit = [](const std::vector<double>& x) { return -2.0 + 1.5 * x[0] + 0.7 * x[1]; };
  const auto discovery = drawn(1, 4000, 3, logit), fresh = drawn(2, 4000, 3, logit);
  const an::Conditions found{{about(0), about(1), about(2)}, {}};
  const auto shapes = an::freeze_shapes(discovery, found);
  REQUIRE(shapes.coefficients.size() == 3);
  const auto tests = an::confirm_conditions(fresh, found, shapes, 5, 999);
  CHECK(tests.conditions[0].p == Approx(0.001));
  CHECK(tests.conditions[1].p < 1e-6);
  CHECK(tests.conditions[2].p > 0.01);
  for (const auto& test : tests.conditions) CHECK(test.p_adjusted >= test.p);
  CHECK(tests.conditions[0].gain.share > tests.conditions[1].gain.share);
  CHECK(std::abs(tests.conditions[2].gain.share) < 0.003);
  CHECK(tests.together.share ==
        Approx(tests.conditions[0].gain.share + tests.conditions[1].gain.share + tests.conditions[2].gain.share));
  CHECK_FALSE(tests.conditions[0].class_label);
}

TEST_CASE("a gain that lies in one class names the class") {
  an::ConditionSample discovery = drawn(3, 4000, 1, [](const auto&) { return -2.0; });
  an::ConditionSample fresh = drawn(4, 4000, 1, [](const auto&) { return -2.0; });
  for (an::ConditionSample* sample : {&discovery, &fresh})
    for (std::int64_t i = 2000; i < 4000; ++i) sample->failed[static_cast<std::size_t>(i)] = sample->scores(0, i) > 1.0;
  an::Conditions found{{about(0)}, {}};
  found.conditions[0].terms[0].class_label = 1;
  const auto tests = an::confirm_conditions(fresh, found, an::freeze_shapes(discovery, found), 5, 199);
  CHECK(tests.conditions[0].class_label == std::optional<std::int64_t>(1));
}

TEST_CASE("conditions of failures that follow nothing are confirmed no more often than stated") {
  // First and later tests at .05 each; the false alarm of this test is 1e-6 per check. The earlier condition holds for
  // the second test, with a shape that the model does not have: a step.
  constexpr std::int64_t runs = 1500;
  std::int64_t first = 0, later = 0;
  const auto step = [](const std::vector<double>& x) { return x[0] > 1.0 ? 1.0 : -2.5; };
  for (std::int64_t run = 0; run < runs; ++run) {
    const auto nothing = [](const std::vector<double>&) { return -2.2; };
    const an::Conditions one{{about(0)}, {}};
    const auto a = drawn(10 * run + 20, 400, 2, nothing), b = drawn(10 * run + 21, 400, 2, nothing);
    first += an::confirm_conditions(b, one, an::freeze_shapes(a, one), run, 199).conditions[0].p <= 0.05 ? 1 : 0;
    const an::Conditions two{{about(0), about(1)}, {}};
    const auto c = drawn(10 * run + 22, 400, 2, step), d = drawn(10 * run + 23, 400, 2, step);
    later += an::confirm_conditions(d, two, an::freeze_shapes(c, two), run, 19).conditions[1].p <= 0.05 ? 1 : 0;
  }
  std::int64_t most = 0;
  while (fl::statistics::binomial_upper_tail(most + 1, runs, 0.05) > 1e-6) ++most;
  CHECK(first <= most);
  std::int64_t most_later = 0;  // an approximation: size .055 is allowed to it
  while (fl::statistics::binomial_upper_tail(most_later + 1, runs, 0.055) > 1e-6) ++most_later;
  CHECK(later <= most_later);
  CHECK(later >= runs / 50);
}
