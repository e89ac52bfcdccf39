// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <support/catch2.hpp>

#include <faultline/analysis/confirm/power.hpp>
#include <faultline/analysis/confirm/rates.hpp>
#include <faultline/analysis/describe/report_text.hpp>

#include <cmath>
#include <cstdint>
#include <string>

namespace fl = faultline;

TEST_CASE("rates pool both halves and carry exact intervals", "[analysis][rates]") {
  const auto a = fl::statistics::make_strata({10, 0}, {90, 100});
  const auto b = fl::statistics::make_strata({14, 2}, {86, 98});
  fl::FailureReport report;
  fl::analysis::fill_rates(report, fl::analysis::pooled_strata(a, b));
  CHECK(report.failure_rate.n == 400);
  CHECK(report.failure_rate.failures == 26);
  CHECK(report.failure_rate.estimate == Approx(0.065));
  CHECK(report.failure_rate.lower < 0.065);
  CHECK(report.failure_rate.upper > 0.065);
  REQUIRE(report.class_rates.size() == 2);
  CHECK(report.class_rates[0].estimate == Approx(0.12));
  CHECK(report.class_rates[1].failures == 2);
  CHECK(fl::analysis::make_rate(0, 0).upper == 1.0);
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
    CHECK(named.find("samples per half would") == std::string::npos);  // more of the same answers nothing
  }
  SECTION("few successes") {
    const auto a = fl::statistics::make_strata({990}, {10});
    CHECK(fl::analysis::too_few_reason(a, a, 50.0, fl::analysis::samples_needed(a, a, 50.0)).find("20 successes") !=
          std::string::npos);
  }
}

TEST_CASE("the smallest detectable effect shrinks with failures and grows with candidates", "[analysis][power]") {
  const auto few = fl::statistics::make_strata({60}, {600});
  const auto many = fl::statistics::make_strata({600}, {6000});
  const auto a = fl::analysis::smallest_detectable(few, few, 0.3, 1, 0.05);
  const auto b = fl::analysis::smallest_detectable(many, many, 0.1, 1, 0.05);
  const auto c = fl::analysis::smallest_detectable(many, many, 0.1, 30, 0.05);
  CHECK(b.effect < a.effect);
  CHECK(b.effect < c.effect);
  CHECK(b.auc > 0.5);
  CHECK(b.auc == Approx(0.5 * std::erfc(-b.effect / 2.0)));
  // Without a bar it is the textbook sum of quantiles.
  const auto plain = fl::analysis::smallest_detectable(many, many, -10.0, 1, 0.05);
  CHECK(plain.effect == Approx((1.6448536 + 0.8416212) / std::sqrt(many.effective_failures)).epsilon(1e-4));
}

TEST_CASE("sentences are for readers", "[analysis][text]") {
  CHECK(fl::analysis::percent(0.343) == "34 %");
  CHECK(fl::analysis::percent(0.004) == "0.4 %");
  CHECK(fl::analysis::percent(0.0) == "0 %");
  CHECK(fl::analysis::percent(-0.0003) == "0 %");
  CHECK(fl::analysis::points(0.578) == "58 percentage points");
  CHECK(fl::analysis::points(0.0101) == "1 percentage point");
  CHECK(fl::analysis::points(-0.004) == "-0.4 percentage points");
  fl::Finding finding;
  finding.direction.name = "noise level";
  finding.property = {"noise level", 1.4};
  finding.intervention.repaired_share = 0.34;
  finding.intervention.repaired_placebo = 0.06;
  finding.intervention.repaired_failures = 100;
  const auto text = fl::analysis::headline(finding);
  CHECK(text.find("high noise level") != std::string::npos);
  CHECK(text.find("removes 34 % of the failures; a random direction 6 %") != std::string::npos);
  finding.property = {};
  finding.direction.name = "component 3";
  finding.direction.class_label = 4;
  CHECK(fl::analysis::headline(finding).find(
            "Class 4 fails with a direction that no measured property follows (component 3)") == 0);
  finding.intervention.repaired_failures = 0;
  finding.intervention.contrast = 0.58;
  finding.intervention.placebo = 0.06;
  finding.intervention.lower = 0.49;
  CHECK(fl::analysis::headline(finding).find(
            "changes the failure rate by 58 percentage points, a random direction by at most 6.") != std::string::npos);
  finding.intervention.codes = 128;
  const auto associated = [&] { return fl::analysis::associated_headline(finding, 0.02); };
  CHECK(associated().find("changes the failure rate by 58 percentage points (at least 49) on 128 fresh codes: it may "
                          "be a cause, which so few codes do not decide.") != std::string::npos);
  finding.intervention.contrast = 0.05;  // less than what random directions do
  CHECK(associated().find("(at least 49) on 128 fresh codes: too little to call it a cause.") != std::string::npos);
  finding.intervention.placebo = std::nullopt;  // none was moved, so none is spoken of
  CHECK(fl::analysis::headline(finding).find("random") == std::string::npos);
  CHECK(associated().find("it may be a cause") != std::string::npos);
  finding.intervention.contrast = 0.02;
  CHECK(associated().find("too little") != std::string::npos);
}

TEST_CASE("two directions that move the same property most have headlines of their own", "[analysis][text]") {
  fl::Finding blur, ink, component;
  blur.direction = {.family = fl::DirectionFamily::property, .name = "blur"};
  ink.direction = {.family = fl::DirectionFamily::property, .name = "ink area"};
  component.direction = {.family = fl::DirectionFamily::component, .name = "component 3"};
  for (fl::Finding* finding : {&blur, &ink, &component}) {
    finding->property = {"blur", 1.2};
    finding->intervention.repaired_share = 0.5;
    finding->intervention.repaired_failures = 100;
  }
  CHECK(fl::analysis::headline(blur).find("high blur:") != std::string::npos);
  CHECK(fl::analysis::headline(ink).find("high blur (along ink area):") != std::string::npos);
  CHECK(fl::analysis::headline(component).find("high blur (component 3):") != std::string::npos);
  ink.property.name = component.property.name = "mixed: blur + width";
  CHECK(fl::analysis::headline(ink) != fl::analysis::headline(component));
}
