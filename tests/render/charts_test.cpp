// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>

#include <render/chart_checks.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;
using render_test::all_charts;
using render_test::Chart;
using render_test::check_chart;
using render_test::svg_of;

TEST_CASE("every chart of a filled report is sound SVG that is the same each time") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const auto charts = all_charts(report), again = all_charts(report);
  REQUIRE(charts.size() == 4 + 3 * 4 + 2 * (4 + 4) + 1);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    check_chart(charts[i]);
    CHECK(charts[i]->svg() == again[i]->svg());
    CHECK(charts[i]->raster() == again[i]->raster());
  }
}

TEST_CASE("charts survive infinite distances, NaN and extreme names") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::string name = "<script>\"&'\xFF " + std::string(400, 'w');
  for (fl::Finding& finding : report.findings) {
    finding.title = finding.side_effects[0].name = finding.response[0].property = report.property_names[0] = name;
    if (!finding.threshold.flip) finding.threshold.flip.emplace();
    finding.threshold.flip->sigmas = finding.threshold.flip->upper = finding.threshold.flip->quartile_high = infinity;
    finding.threshold.even_odds.reset();
    finding.profile.probability[2] = nan;
    finding.side_effects[0].strength = infinity;
    finding.profile.properties[0][1] = nan;
  }
  report.interactions[0].properties = {name, name};
  report.class_names = {name, name, name, name};
  for (const Chart& chart : all_charts(report)) check_chart(chart);
  CHECK(svg_of(fl::render::confidence_chart(report, report.findings[0])).find("never flip") != std::string::npos);
  report.findings[0].threshold.flip->sigmas = 9.4;  // the profile ends at 8
  CHECK(
      svg_of(fl::render::confidence_chart(report, report.findings[0])).find("median flip at 9.40 sd, off this axis") !=
      std::string::npos);
}

TEST_CASE("charts survive whatever numbers a file can hold") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const double odd : {nan, infinity, -infinity, 1.7e308, -1.7e308, 1e12, -3.0, 1e-300}) {
    CAPTURE(odd);
    fl::FailureReport report = render_test::example_report(render_test::example_generator());
    report.failure_rate.estimate = report.failure_rate.upper = odd;
    report.class_rates[0] = {odd, odd, odd, most, most, 0.95};
    report.class_rates[1] = {odd, -odd, odd, -1, 5, 0.95};
    report.attributable_together = {odd, odd, -odd, most, most};
    for (auto* list : {&report.findings, &report.associated, &report.undecided})
      for (fl::Finding& finding : *list) {
        finding.intervention.effect = finding.intervention.lower = odd;
        finding.intervention.upper = -odd;
        finding.intervention.placebo = finding.intervention.min_effect = odd;
        finding.attributable = {odd, -odd, odd, most, most};
        for (auto& curve : finding.response) {
          curve.bins[1].median = curve.bins[2].rate.estimate = curve.bins[3].rate.lower = odd;
          curve.bins[4].rate.upper = odd;
        }
        for (auto& flip : finding.threshold.at_flip) flip.median = flip.quartile_low = odd, flip.quartile_high = -odd;
        for (auto& effect : finding.side_effects) effect.strength = odd;
        finding.histogram.failed.assign(finding.histogram.failed.size(), most);  // whose sum does not fit
        finding.histogram.passed.assign(finding.histogram.passed.size(), most);
        for (auto* crossing : {&finding.threshold.flip, &finding.threshold.even_odds})
          if (*crossing) (*crossing)->sigmas = (*crossing)->lower = odd, (*crossing)->quartile_high = -odd;
        if (finding.profile.sigmas.empty()) continue;
        finding.profile.sigmas.front() = odd;
        finding.profile.probability[1] = finding.profile.failure_share[1] = odd;
        for (auto& values : finding.profile.properties) values[3] = odd;
      }
    report.interactions[0].first_edges[1] = report.interactions[0].second_edges[4] = odd;
    report.interactions[0].failures.counts[2] = {most, -most, 60, 8};
    report.interactions[0].samples.counts[1] = {most, most, -most, 20};
    for (const Chart& chart : all_charts(report))
      if (chart) check_chart(chart);
  }
}

TEST_CASE("a chart without data is empty, not broken") {
  const fl::FailureReport nothing;
  const fl::Finding bare;
  CHECK_FALSE(fl::render::confidence_chart(nothing, bare));
  CHECK_FALSE(fl::render::histogram_chart(nothing, bare));
  CHECK_FALSE(fl::render::side_effect_chart(nothing, bare));
  CHECK_FALSE(fl::render::property_chart(nothing, bare));
  CHECK_FALSE(fl::render::distance_chart(nothing));
  CHECK_FALSE(fl::render::intervention_chart(nothing));
  CHECK_FALSE(fl::render::class_chart(nothing));
  CHECK_FALSE(fl::render::attributable_chart(nothing));
  CHECK_FALSE(fl::render::response_chart({}, "failure rate"));
  CHECK_FALSE(fl::render::response_chart({"blur", std::nullopt, {{0, 1, std::nan(""), {}}}}, "failure rate"));
  CHECK_FALSE(fl::render::property_map_chart({}));
  CHECK_FALSE(fl::render::flip_of(bare, {}));
  fl::FailureReport one_bare;
  one_bare.findings.resize(1);
  check_chart(fl::render::distance_chart(one_bare));
  CHECK_FALSE(fl::render::intervention_chart(one_bare));  // it was not moved
  check_chart(fl::render::response_chart({"blur", std::nullopt, {{0, 0, 0, {}}}}, "failure rate"));
  fl::Finding flat;
  flat.profile.sigmas = {0, 1};
  flat.profile.probability = flat.profile.failure_share = {0.5, 0.5};
  flat.profile.properties = {{0.0, 0.0}};
  flat.side_effects = {{"blur", 0.0}};
  flat.histogram = {-1, 1, {0, 0}, {0, 5}};
  one_bare.property_names = {"blur"};
  for (const Chart& chart :
       {fl::render::confidence_chart(one_bare, flat), fl::render::property_chart(one_bare, flat),
        fl::render::side_effect_chart(one_bare, flat), fl::render::histogram_chart(one_bare, flat)})
    check_chart(chart);
}

TEST_CASE("the histogram keeps every count when bins are merged and ends are cut") {
  fl::analysis::CoordinateHistogram raw{-6, 6, std::vector<std::int64_t>(256), std::vector<std::int64_t>(256)};
  for (std::size_t i = 40; i < 200; ++i)
    raw.failed[i] = static_cast<std::int64_t>(i % 7), raw.passed[i] = static_cast<std::int64_t>(i % 11);
  raw.failed[40] = 1;
  const auto tidy = fl::render::detail::tidy(raw, 48);
  CHECK(tidy.failed.size() <= 48);
  CHECK(tidy.lower == Approx(-6 + 40 * 12.0 / 256));
  double failed = 0, passed = 0;
  for (const double share : tidy.failed) failed += share;
  for (const double share : tidy.passed) passed += share;
  CHECK(failed == Approx(1.0));
  CHECK(passed == Approx(1.0));
  const fl::analysis::CoordinateHistogram split{0, 4, {1, 0, 0, 1}, {0, 2, 2, 0}};
  const auto halves = fl::render::detail::tidy(split, 48);
  CHECK(fl::render::detail::histogram_median(halves, halves.passed) == Approx(2.0));
  const fl::analysis::CoordinateHistogram gap{0, 4, {0, 3, 0, 0}, {1, 0, 0, 1}};
  const auto shares = fl::render::detail::tidy(gap, 48);
  CHECK(fl::render::detail::histogram_median(shares, shares.failed) == Approx(1.5));
}

TEST_CASE("axes are marked at round numbers that cover the range") {
  for (const auto& [lower, upper] : {std::pair{0.0, 1.0}, {-3.0, 8.0}, {0.0, 0.0137}, {-1e-5, 4e-5}, {12.0, 1234.0}}) {
    const auto ticks = fl::render::detail::round_ticks(lower, upper, 6);
    CHECK(ticks.values.size() >= 3);
    CHECK(ticks.values.size() <= 14);
    std::set<std::string> labels;
    for (const double value : ticks.values) {
      CHECK(value >= lower - 1e-9 * (upper - lower));
      CHECK(value <= upper + 1e-9 * (upper - lower));
      labels.insert(fl::render::fixed(value, ticks.digits));
    }
    CHECK(labels.size() == ticks.values.size());
  }
}

TEST_CASE("a chart of more rows than a picture has room for says how many it shows") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  report.findings.assign(700, report.findings[0]);
  report.findings[0].side_effects.assign(900, {"blur", 0.5});
  for (const Chart& chart :
       {fl::render::distance_chart(report), fl::render::attributable_chart(report),
        fl::render::intervention_chart(report), fl::render::side_effect_chart(report, report.findings[0])}) {
    REQUIRE(chart);
    CHECK(chart->height() <= 20'000);
    CHECK(chart->svg().find(">the first ") != std::string::npos);
  }
}
