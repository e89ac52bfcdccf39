// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two reports against each other: what became of every condition, and how often nothing is called a change.
#include <faultline/analysis/compare/report_difference.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/binomial.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::analysis::ConditionFate;
using fl::analysis::Standing;

namespace {

fl::Rate rate(std::int64_t failures, std::int64_t n) {
  const auto interval = fl::statistics::clopper_pearson(failures, n, 0.95);
  return {static_cast<double>(failures) / static_cast<double>(n), interval.lower, interval.upper, failures, n, 0.95};
}

fl::Finding cause(const std::string& property, double fraction, double arm, double effect, double distance) {
  fl::Finding finding;
  finding.title = property;
  finding.condition.properties = {property};
  finding.condition.shape = fl::analysis::ConditionShape::one_sided;
  finding.attributable = {fraction, fraction - arm, fraction + arm, 2'048, 100};
  finding.intervention.effect = effect;
  finding.intervention.lower = effect - 0.02;
  finding.intervention.upper = effect + 0.02;
  fl::Crossing flip;
  flip.sigmas = distance;
  flip.lower = distance - 0.1;
  flip.upper = distance + 0.1;
  finding.threshold.flip = flip;
  return finding;
}

fl::FailureReport report(std::int64_t failures) {
  fl::FailureReport r;
  r.failure_rate = rate(failures, 20'000);
  r.provenance.generator_digest = "aaaaaaaaaaaaaaaaaaaa";
  r.provenance.criterion = "misclassified";
  r.provenance.samples_per_split = 10'000;
  r.provenance.seed = 7;
  r.smallest_detectable = fl::analysis::DetectableEffect{0.03, 0.01, 0.8};
  return r;
}

const fl::analysis::ConditionChange& change_of(const fl::ReportDifference& difference, const std::string& title) {
  const auto found = std::ranges::find(difference.conditions, title, &fl::analysis::ConditionChange::title);
  REQUIRE(found != difference.conditions.end());
  return *found;
}

bool mentions(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("of two reports every condition is new, gone, stronger, weaker or remains") {
  fl::FailureReport before = report(1'000), after = report(1'400);
  before.findings = {cause("blur", 0.5, 0.03, 0.2, 1.0), cause("slant", 0.1, 0.02, 0.05, 2.0),
                     cause("noise level", 0.2, 0.03, 0.1, 1.5)};
  before.associated = {cause("width", 0.0, 0.02, 0.01, 3.0)};
  after.findings = {cause("blur", 0.6, 0.03, 0.25, 0.6), cause("noise level", 0.14, 0.03, 0.1, 1.5),
                    cause("contrast", 0.1, 0.03, 0.06, 1.8)};
  after.undecided = {cause("width", 0.0, 0.02, 0.01, 3.0)};
  after.provenance.samples_per_split = 10'000;
  const fl::ReportDifference difference = fl::difference_of(before, after);

  CHECK(difference.same_samples);
  CHECK(difference.failure_rate.rose());
  CHECK(mentions(difference.headline, "The failure rate rose: 5 % before, 7 % now"));
  CHECK(mentions(difference.headline, "Causes: 1 new, 1 gone, 1 stronger, 1 not known to have changed."));
  CHECK(change_of(difference, "blur").fate == ConditionFate::stronger);
  CHECK(mentions(change_of(difference, "blur").headline, "Failure is nearer: 0.6 standard deviations, 1 before."));
  CHECK(change_of(difference, "noise level").fate == ConditionFate::remains);  // .010 of all samples, .0098 now
  CHECK(change_of(difference, "slant").fate == ConditionFate::gone);
  CHECK(change_of(difference, "slant").after == Standing::absent);
  CHECK(change_of(difference, "contrast").fate == ConditionFate::appeared);
  CHECK(mentions(
      change_of(difference, "contrast").headline,
      "was not found before. Its effect is 6 percentage points; the earlier run would have reported one of 3"));
  CHECK_FALSE(mentions(change_of(difference, "contrast").headline, "may have been there"));
  CHECK(change_of(difference, "width").fate == ConditionFate::otherwise);
  CHECK(change_of(difference, "width").before == Standing::associated);
  CHECK(change_of(difference, "width").after == Standing::undecided);
  // the strongest news first
  CHECK(difference.conditions.front().fate == ConditionFate::appeared);
  CHECK(difference.conditions.back().fate == ConditionFate::otherwise);
  const std::string text = fl::difference_text(difference);
  CHECK(mentions(text, "Stronger: blur: 4.2 % of all samples fail from it, 2.5 % before"));
  CHECK(mentions(text, "both reports are on the same samples"));

  const fl::ReportDifference same = fl::difference_of(before, before);
  for (const auto& change : same.conditions)
    CHECK((change.fate == ConditionFate::remains || change.fate == ConditionFate::otherwise));
  CHECK_FALSE(same.failure_rate.rose());
  CHECK_FALSE(same.failure_rate.fell());
}

TEST_CASE("directions are the same when they point the same way, and a turned effect is said") {
  fl::FailureReport before = report(1'000), after = report(1'000);
  fl::Finding first = cause("unnamed direction 1", 0.3, 0.05, 0.1, 1.0), second = first;
  for (fl::Finding* finding : {&first, &second}) {
    finding->condition.kind = fl::ConditionKind::direction;
    finding->condition.properties.clear();
  }
  first.direction.w = {1.0, 0.0, 0.0};
  second.direction.w = {-2.0, 0.5, 0.0};
  second.condition.sign = -1;
  before.findings = {first};
  after.findings = {second};
  const auto together = fl::difference_of(before, after);
  REQUIRE(together.conditions.size() == 1);
  CHECK(together.conditions[0].fate == ConditionFate::remains);
  CHECK(mentions(together.conditions[0].headline, "It acts otherwise"));
  second.direction.w = {0.0, 1.0, 0.0};
  after.findings = {second};
  CHECK(fl::difference_of(before, after).conditions.size() == 2);
}

TEST_CASE("a distance beyond the searched range has no interval of its change") {
  fl::FailureReport before = report(1'000), after = report(1'000);
  before.findings = {cause("blur", 0.5, 0.03, 0.2, 1.0)};
  after.findings = before.findings;
  after.findings[0].threshold.flip->upper = std::numeric_limits<double>::infinity();
  const auto difference = fl::difference_of(before, after);
  const auto& numbers = difference.conditions[0].numbers;
  const auto distance = std::ranges::find(numbers, "distance", &fl::analysis::NumberChange::name);
  REQUIRE(distance != numbers.end());
  CHECK_FALSE(distance->change);
  CHECK_FALSE(distance->rose());
}

TEST_CASE("reports that cannot be compared are refused in one sentence") {
  const fl::FailureReport before = report(1'000);
  const auto refused = [&](const fl::FailureReport& after, double confidence = 0.95) -> std::string {
    try {
      (void)fl::difference_of(before, after, confidence);
    } catch (const fl::Error& error) {
      return error.what();
    }
    return "";
  };
  fl::FailureReport after = before;
  after.provenance.generator_digest = "bbbbbbbbbbbbbbbbbb";
  CHECK(mentions(refused(after), "[F313] difference_of: the reports are of different generators (aaaaaaaaaaaa before"));
  after = before;
  after.provenance.criterion = "margin below 0.1";
  CHECK(mentions(refused(after), "different criteria"));
  after = before;
  after.provenance.truncation = 0.7;
  CHECK(mentions(refused(after), "different truncations"));
  after = before;
  after.provenance.labels = fl::LabelPolicy::fixed(3);
  CHECK(mentions(refused(after), "different samplings"));
  CHECK(mentions(refused(before, 1.0), "[F101]"));
  after = before;
  after.provenance.samples_per_split = 500;
  CHECK(refused(after).empty());
  CHECK(mentions(fl::difference_text(fl::difference_of(before, after)), "10000 and 500 samples per split"));
}

// False-fail rate below 1e-6: counts are held to the binomial bound of their stated rate.
TEST_CASE("rates that are the same are called changed in at most one run of twenty, and doubled ones are found") {
  constexpr std::int64_t runs = 1'000, n = 2'000, classes = 10;
  std::int64_t wrong = 0, found = 0;
  for (std::int64_t run = 0; run < runs; ++run) {
    fl::core::CounterRandom random(11, fl::core::Stream::splits, run);
    const auto drawn = [&](double p) {
      fl::FailureReport r = report(0);
      std::int64_t all = 0;
      for (std::int64_t c = 0; c < classes; ++c) {
        std::int64_t failures = 0;
        for (std::int64_t i = 0; i < n / classes; ++i) failures += random.uniform() < p ? 1 : 0;
        all += failures;
        r.class_rates.push_back(rate(failures, n / classes));
      }
      r.failure_rate = rate(all, n);
      return r;
    };
    const auto before = drawn(0.05), after = drawn(0.05), doubled = drawn(0.1);
    const auto changed = [](const fl::ReportDifference& difference) {
      return difference.failure_rate.rose() || difference.failure_rate.fell() ||
             std::ranges::any_of(difference.class_rates, [](const auto& one) { return one.rose() || one.fell(); });
    };
    wrong += changed(fl::difference_of(before, after)) ? 1 : 0;
    found += fl::difference_of(before, doubled).failure_rate.rose() ? 1 : 0;
  }
  CAPTURE(wrong, found);
  CHECK(wrong <= faultline_test::most_events(runs, 0.05));
  CHECK(found >= 950);
}
