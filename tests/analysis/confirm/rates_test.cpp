// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/analysis/confirm/detectable.hpp>
#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/make_finding.hpp>
#include <faultline/analysis/describe/report_text.hpp>
#include <faultline/statistics/binomial.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

/// A problem of which only the outcomes matter.
fl::Problem outcomes(const std::vector<std::int64_t>& labels, const std::vector<std::int64_t>& answers,
                     const std::vector<std::uint8_t>& valid, std::int64_t classes) {
  fl::Problem problem;
  problem.classes = classes;
  problem.has_judge = !valid.empty();
  for (fl::Population* split : {&problem.discovery, &problem.confirmation}) {
    split->label = labels;
    split->prediction = answers;
    split->valid = valid;
    for (std::size_t i = 0; i < labels.size(); ++i) split->failed.push_back(labels[i] != answers[i] ? 1 : 0);
  }
  return problem;
}

}  // namespace

TEST_CASE("rates pool both splits, class intervals hold together, blame is exact", "[analysis][rates]") {
  // 2 · 40 samples: class 0 fails 6 of 40, 4 of these readable; class 1 fails 4 of 40, none readable
  std::vector<std::int64_t> labels, answers;
  std::vector<std::uint8_t> valid;
  for (int i = 0; i < 20; ++i) {
    labels.push_back(0), answers.push_back(i < 3 ? 1 : 0), valid.push_back(i == 2 || i == 19 ? 0 : 1);
    labels.push_back(1), answers.push_back(i < 2 ? 0 : 1), valid.push_back(i < 2 ? 0 : 1);
  }
  fl::FailureReport report;
  fl::analysis::fill_rates(report, outcomes(labels, answers, valid, 2));
  CHECK(report.failure_rate.n == 80);
  CHECK(report.failure_rate.failures == 10);
  CHECK(report.failure_rate.estimate == Approx(0.125));
  REQUIRE(report.class_rates.size() == 2);
  CHECK(report.class_rates[0].failures == 6);
  CHECK(report.class_rates[1].failures == 4);
  const auto alone = fl::statistics::clopper_pearson(6, 40);
  CHECK(report.class_rates[0].lower < alone.lower);  // wider: they hold together
  CHECK(report.class_rates[0].upper > alone.upper);
  REQUIRE(report.blame);
  CHECK(report.blame->classifier.failures == 4);
  CHECK(report.blame->classifier.n == 10);
  CHECK(report.blame->generator.failures == 6);
  CHECK(report.blame->classifier.lower == Approx(fl::statistics::clopper_pearson(4, 10).lower));
  REQUIRE(report.class_leak);
  CHECK(report.class_leak->failures == 8);
  REQUIRE(report.class_leaks.size() == 2);
  CHECK(report.class_leaks[0].failures == 4);
  CHECK(report.confusion.counts == std::vector<std::vector<std::int64_t>>{{34, 6}, {4, 36}});
  CHECK(report.class_findings.empty());
  CHECK(fl::analysis::make_rate(0, 0).upper == 1.0);
  fl::FailureReport unjudged;
  fl::analysis::fill_rates(unjudged, outcomes(labels, answers, {}, 2));
  CHECK_FALSE(unjudged.validity_checked);
  CHECK_FALSE(unjudged.blame);
  CHECK_FALSE(unjudged.class_leak);
}

TEST_CASE("classes that fail as classes are named: always, as another, swapped", "[analysis][rates]") {
  std::vector<std::int64_t> labels, answers;
  for (std::int64_t i = 0; i < 12; ++i) {
    const auto add = [&](std::int64_t label, std::int64_t answer) {
      labels.push_back(label), answers.push_back(answer);
    };
    add(0, 1), add(1, 0);               // swapped
    add(2, i % 2 == 0 ? 3 : 4);         // always wrong, as no one class
    add(3, i < 10 ? 4 : 3), add(4, 4);  // mostly answered 4
    add(5, i < 2 ? 0 : 5);              // nothing the matter
  }
  fl::FailureReport report;
  fl::analysis::fill_rates(report, outcomes(labels, answers, {}, 6));
  using fl::analysis::ClassFault;
  REQUIRE(report.class_findings.size() == 3);
  CHECK(report.class_findings[0].fault == ClassFault::swapped);
  CHECK(report.class_findings[0].class_label == 0);
  CHECK(report.class_findings[0].answer == std::optional<std::int64_t>(1));
  CHECK(report.class_findings[0].headline.find("two labels are swapped") != std::string::npos);
  CHECK(report.class_findings[1].fault == ClassFault::always_fails);
  CHECK(report.class_findings[1].class_label == 2);
  CHECK_FALSE(report.class_findings[1].answer);
  CHECK(report.class_findings[2].fault == ClassFault::answered_as);
  CHECK(report.class_findings[2].class_label == 3);
  CHECK(report.class_findings[2].rate.failures == 20);
}

TEST_CASE("failures are enough in the whole or in one class", "[analysis][rates]") {
  const auto few = fl::statistics::make_strata({9, 2}, {9, 500}),
             some = fl::statistics::make_strata({10, 2}, {10, 500});
  CHECK_FALSE(fl::analysis::enough_failures(few, few, 20.0));
  CHECK_FALSE(fl::analysis::enough_failures(few, some, 20.0));
  CHECK(fl::analysis::enough_failures(some, some, 20.0));
  const auto spread = fl::statistics::make_strata({8, 8, 8}, {900, 900, 900});
  CHECK(fl::analysis::enough_failures(spread, spread, 20.0));
  CHECK_FALSE(fl::analysis::enough_failures(spread, few, 20.0));
}

TEST_CASE("too few failures: how many samples would do, and why", "[analysis][rates]") {
  SECTION("some failures") {
    const auto a = fl::statistics::make_strata({10}, {990});
    const auto b = fl::statistics::make_strata({12}, {988});
    const auto needed = fl::analysis::samples_needed(a, b, 50.0);
    CHECK(needed.exact);
    CHECK(needed.samples >= 5000);
    CHECK(needed.samples <= 6000);
    const auto reason = fl::analysis::too_few_reason(a, b, 50.0, needed);
    CHECK(reason.find("22 failures in 2000") != std::string::npos);
    CHECK(reason.find(std::to_string(needed.samples)) != std::string::npos);
  }
  SECTION("no failures: only a lower limit can be named") {
    const auto a = fl::statistics::make_strata({0, 0}, {500, 500});
    const auto needed = fl::analysis::samples_needed(a, a, 50.0);
    CHECK_FALSE(needed.exact);
    CHECK(needed.samples > 10'000);
    CHECK(fl::analysis::too_few_reason(a, a, 50.0, needed).find("None of 2000") == 0);
  }
  SECTION("only failures") {
    const auto a = fl::statistics::make_strata({500}, {0});
    const auto needed = fl::analysis::samples_needed(a, a, 50.0);
    CHECK(needed.samples > 1000);
    CHECK(fl::analysis::too_few_reason(a, a, 50.0, needed).find("All of 1000") == 0);
  }
  SECTION("the class decides") {
    const auto a = fl::statistics::make_strata({500, 0}, {0, 500});
    const auto needed = fl::analysis::samples_needed(a, a, 50.0);
    CHECK(needed.samples > 1000);
    CHECK(fl::analysis::too_few_reason(a, a, 50.0, needed).find("The class alone") == 0);
    const std::string named = fl::analysis::too_few_reason(a, a, 50.0, needed, {"Class 0 is always answered 1."});
    CHECK(named.find("The class alone") == 0);
    CHECK(named.find("Class 0 is always answered 1.") != std::string::npos);
    CHECK(named.find("samples per split would") == std::string::npos);  // more of the same answers nothing
  }
  SECTION("few successes") {
    const auto a = fl::statistics::make_strata({990}, {10});
    CHECK(fl::analysis::too_few_reason(a, a, 50.0, fl::analysis::samples_needed(a, a, 50.0)).find("20 successes") !=
          std::string::npos);
  }
}

TEST_CASE("what is detectable shrinks with failures and grows with candidates", "[analysis][power]") {
  const auto detectable = [](std::int64_t samples, std::int64_t candidates, double power = 0.8) {
    return fl::analysis::smallest_detectable({samples, samples, 0.1, candidates}, {}, {}, power);
  };
  const auto few = detectable(600, 60), many = detectable(6000, 60), more_candidates = detectable(600, 600),
             surer = detectable(600, 60, 0.95);
  REQUIRE(few);
  REQUIRE(many);
  REQUIRE(more_candidates);
  REQUIRE(surer);
  CHECK(many->effect < few->effect);
  CHECK(many->deviance_share < few->deviance_share);
  CHECK(few->effect < more_candidates->effect);
  CHECK(few->effect < surer->effect);
  CHECK(many->effect > 0.05);  // half the failure rate counts as an effect, at most .05
  CHECK(many->deviance_share > 0.005);
  CHECK_FALSE(fl::analysis::smallest_detectable({1000, 1000, 0.0, 10}, {}, {}));
  CHECK_FALSE(detectable(12, 60));  // not even one that decides everything
  CHECK_THROWS_AS(detectable(0, 1), fl::Error);
}

namespace {

fl::Finding cause(double fraction, double lower, double upper) {
  fl::Finding finding;
  finding.title = "blur";
  finding.condition.properties = {"blur"};
  finding.condition.shape = fl::analysis::ConditionShape::one_sided;
  finding.condition.movability = fl::analysis::Movability::movable;
  finding.intervention.decision = fl::Decision::changes;
  finding.intervention.effect = 0.41;
  finding.attributable = {fraction, lower, upper, 2048, 300};
  return finding;
}

}  // namespace

TEST_CASE("headlines say what is known and no more", "[analysis][text]") {
  using fl::analysis::headline;
  fl::Finding finding = cause(0.62, 0.55, 0.68);
  CHECK(headline(finding) ==
        "With blur at its usual level, 62 % (55 to 68) of the failures would not occur; failures come with more blur.");
  finding.condition.sign = -1;
  CHECK(headline(finding).find("less blur") != std::string::npos);
  finding.condition.shape = fl::analysis::ConditionShape::two_sided;
  CHECK(headline(finding).find("much or little blur") != std::string::npos);
  finding.condition.shape = fl::analysis::ConditionShape::band;
  CHECK(headline(finding).find("in between") != std::string::npos);
  const std::string negative = headline(cause(-0.2, -0.4, -0.1));
  CHECK(negative.find("would not occur") == std::string::npos);
  CHECK(negative.find("would add failures (-40 to -10 % of them)") != std::string::npos);
  const std::string none = headline(cause(-0.02, -0.09, 0.05));
  CHECK(none.find("would add failures") == std::string::npos);
  CHECK(none.find("is not shown to prevent any (-9 to 5 % of them)") != std::string::npos);

  finding = cause(0.0, 0.0, 0.0);
  finding.attributable = {};
  finding.intervention = {fl::Decision::does_not, 0.004, -0.02, 0.03, 0.04, 512, std::nullopt, {}, {}, {}, {}};
  CHECK(headline(finding).find("does not add failures: it changes the failure rate by 0.4 percentage points, at most "
                               "by 3, where 4 would count") != std::string::npos);
  finding.intervention = {fl::Decision::undecided, 0.05, 0.01, 0.1, 0.04, 4096, 9000, {}, {}, {}, {}};
  const std::string undecided = headline(finding);
  CHECK(undecided.find("after 4096 latents it is undecided") != std::string::npos);
  CHECK(undecided.find("about 9000 latents would decide") != std::string::npos);
  finding.intervention = {};
  finding.condition.movability = fl::analysis::Movability::not_separable;
  finding.condition.moves_along = "contrast";
  CHECK(headline(finding).find("does not move it without contrast") != std::string::npos);
  finding.condition.movability = fl::analysis::Movability::not_movable;
  CHECK(headline(finding).find("cannot be told") != std::string::npos);
}

TEST_CASE("the reason of a verdict names what was compared, and what is not known", "[analysis][text]") {
  fl::FailureReport report;
  report.property_names = {"blur", "contrast"};
  report.verdict = fl::Verdict::none_found;
  report.smallest_detectable = fl::analysis::DetectableEffect{0.12, 0.02, 0.8};
  const std::string nothing = fl::analysis::verdict_reason(report);
  CHECK(nothing.find("2 properties, their pairs and each class") != std::string::npos);
  CHECK(nothing.find("12 percentage points or more when it is moved by two standard deviations either way would have "
                     "been reported as a cause with probability 0.8") != std::string::npos);
  report.verdict = fl::Verdict::systematic_without_cause;
  report.undecided = {cause(0, 0, 0)};
  CHECK(fl::analysis::verdict_reason(report) ==
        "Failures go with blur (undecided); none of these is known to be a cause.");
  report.verdict = fl::Verdict::systematic_causes;
  report.findings = {cause(0.62, 0.55, 0.68)};
  report.attributable_together = report.findings[0].attributable;
  CHECK(fl::analysis::verdict_reason(report).find("With it at the usual level 62 % (55 to 68)") != std::string::npos);
}

TEST_CASE("two conditions that change the same thing have titles of their own", "[analysis][text]") {
  fl::Finding a, b, c, d;
  a.side_effects = b.side_effects = {{"slant", 1.2}, {"width", -0.9}};
  c.side_effects = {{"slant", 1.2}, {"width", 0.5}};
  d.side_effects = {{"slant", 0.4}};
  for (fl::Finding* finding : {&a, &b, &c, &d}) finding->condition.kind = fl::ConditionKind::direction;
  b.condition.class_label = 3;
  std::vector<fl::Finding> first = {a, a, b}, second = {c, d, d};
  std::vector<fl::Finding>* const lists[] = {&first, &second};
  fl::analysis::name_findings(lists);
  CHECK(first[0].title == "slant + width");
  CHECK(first[1].title == "slant + width (2)");
  CHECK(first[2].title == "slant + width in class 3");
  CHECK(second[0].title == "slant, as w tells it");
  CHECK(second[1].title == "unnamed direction 1");
  CHECK(second[2].title == "unnamed direction 2");
  CHECK(second[2].direction.name == second[2].title);
}
