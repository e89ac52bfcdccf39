// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The failing samples of a condition, against the factors that they were made of.
#include <faultline/analysis/describe/failing_samples.hpp>

#include <analysis/synthetic_problem.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

synthetic::World world() {
  synthetic::World made;
  made.properties = 3;
  made.probability = [](const std::vector<double>& u, std::int64_t, std::int64_t hash) {
    return hash % 50 == 0 ? 0.1 : synthetic::fails_above(u[1] - 1.0);  // and a few by chance
  };
  made.judge = [](const std::vector<double>& u) { return u[2] < 2.0; };
  return made;
}

fl::Finding condition(const std::string& property, int sign = 1) {
  fl::Finding finding;
  finding.title = property;
  finding.condition.properties = {property};
  finding.condition.shape = fl::analysis::ConditionShape::one_sided;
  finding.condition.sign = sign;
  return finding;
}

}  // namespace

TEST_CASE("failing samples of a property fail, are valid and lie towards its failing end, the farthest first") {
  const auto setup = synthetic::make(world(), 2'000);
  const auto samples = fl::failing_samples(setup.problem, condition("property 1"));
  REQUIRE(samples.size() > 200);
  std::set<std::int64_t> kept;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    kept.insert(sample.index);
    CHECK(sample.score >= 0.5);
    if (i > 0) CHECK(sample.score <= samples[i - 1].score);
    CHECK(sample.probability < 0.5);
    CHECK(sample.prediction != sample.label);
    CHECK(sample.properties.size() == 1);
  }
  CHECK(kept.size() == samples.size());
  // by hand: which failing valid samples have a property above so much of their class
  std::size_t expected = 0;
  for (const fl::Population* split : {&setup.problem.discovery, &setup.problem.confirmation})
    for (std::size_t i = 0; i < split->index.size(); ++i)
      if (split->failed[i] != 0 && split->is_valid(i) && kept.contains(split->index[i])) ++expected;
  CHECK(expected == samples.size());
  for (const fl::Population* split : {&setup.problem.discovery, &setup.problem.confirmation})
    for (std::size_t i = 0; i < split->index.size(); ++i) {
      // in standard deviations of the property, which is a factor with noise: sd 1.044
      const double score = static_cast<double>(split->properties(static_cast<std::int64_t>(i), 1)) / 1.044;
      if (split->failed[i] != 0 && split->is_valid(i) && score > 0.7) CHECK(kept.contains(split->index[i]));
      if (score < 0.3) CHECK_FALSE(kept.contains(split->index[i]));
    }
  const auto few = fl::failing_samples(setup.problem, condition("property 1"), {.count = 10, .least_score = 1.0});
  REQUIRE(few.size() == 10);
  CHECK(few.front().index == samples.front().index);
  // the other end: only those that fail by chance
  CHECK(fl::failing_samples(setup.problem, condition("property 1", -1)).size() < 60);
}

TEST_CASE("failing samples of a class, of both ends, of a band, of a pair and of a direction") {
  const auto setup = synthetic::make(world(), 2'000);
  fl::Finding own = condition("property 1");
  own.condition.class_label = 2;
  for (const auto& sample : fl::failing_samples(setup.problem, own)) CHECK(sample.label == 2);

  fl::Finding ends = condition("property 0");
  ends.condition.shape = fl::analysis::ConditionShape::two_sided;
  bool low = false, high = false;
  for (const auto& sample : fl::failing_samples(setup.problem, ends, {.least_score = 1.0})) {
    low = low || sample.properties[0] < -0.8;
    high = high || sample.properties[0] > 0.8;
    CHECK(std::abs(sample.properties[0]) > 0.7);
  }
  CHECK(low);
  CHECK(high);
  ends.condition.shape = fl::analysis::ConditionShape::band;
  for (const auto& sample : fl::failing_samples(setup.problem, ends)) CHECK(std::abs(sample.properties[0]) < 0.75);

  fl::Finding pair = condition("property 1");
  pair.condition.kind = fl::ConditionKind::pair;
  pair.condition.properties = {"property 0", "property 1"};
  pair.condition.shape = fl::analysis::ConditionShape::pair;
  for (const auto& sample : fl::failing_samples(setup.problem, pair)) {
    CHECK(sample.properties.size() == 2);
    CHECK(sample.properties[0] * sample.properties[1] > 0.2);
  }

  // factor 1 moves along column 1 of the mixing matrix; no property measures the condition
  fl::Finding direction;
  direction.title = "unnamed direction 1";
  direction.condition.kind = fl::ConditionKind::direction;
  for (std::int64_t j = 0; j < setup.model->mix.rows(); ++j) direction.direction.w.push_back(setup.model->mix(j, 1));
  const auto samples = fl::failing_samples(setup.problem, direction);
  REQUIRE(samples.size() > 200);
  for (const auto& sample : samples) {
    const fl::Population one = setup.problem.sample(sample.index, 1);
    const double factor = setup.factors(one.w.row_span(0), one.label[0])[1];
    CHECK(sample.score == Approx(factor).margin(0.2));
    CHECK(sample.properties.empty());
  }
}

TEST_CASE("a condition that says nothing about these samples is refused in one sentence") {
  const auto setup = synthetic::make(world(), 200);
  const auto refused = [&](const fl::Finding& finding, std::int64_t count = 0) -> std::string {
    try {
      (void)fl::failing_samples(setup.problem, finding, {.count = count});
    } catch (const fl::Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused(condition("hue"))
            .find("[F101] failing_samples: the condition \"hue\" is of the property \"hue\", which "
                  "was not measured") == 0);
  fl::Finding whole;
  whole.title = "class 3";
  whole.condition.kind = fl::ConditionKind::class_label;
  CHECK(refused(whole).find("has no direction in w") != std::string::npos);
  CHECK(refused(condition("property 1"), -1).find("[F101]") == 0);
}
