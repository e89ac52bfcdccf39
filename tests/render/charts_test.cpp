// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/charts.hpp>
#include <faultline/render/detail/chart_parts.hpp>

#include <render/example_report.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using render_test::Markup;
using render_test::read_markup;

namespace {

std::vector<std::string> all_charts(const fl::FailureReport& report) {
  std::vector<std::string> charts = {fl::render::distance_chart(report), fl::render::intervention_chart(report),
                                     fl::render::class_chart(report)};
  for (const fl::Finding& finding : report.findings)
    for (const std::string& chart :
         {fl::render::confidence_chart(report, finding), fl::render::histogram_chart(report, finding),
          fl::render::side_effect_chart(report, finding), fl::render::property_chart(report, finding)})
      charts.push_back(chart);
  return charts;
}

/// Well formed, drawn with finite coordinates inside the picture's width, and asking for nothing from outside.
void check_chart(const std::string& svg) {
  const Markup markup = read_markup(svg, false);
  CHECK(markup.complaint == "");
  REQUIRE_FALSE(markup.tags.empty());
  CHECK(markup.tags.front() == "svg");
  double width = 0;
  for (const std::string& attribute : markup.attributes) {
    const std::string name = attribute.substr(0, attribute.find('=')),
                      value = attribute.substr(attribute.find('=') + 1);
    CHECK(name != "href");
    CHECK(name != "src");
    CHECK(value.find("url(") == std::string::npos);
    if (name == "width" && width == 0) width = std::stod(value);
    if (name == "x" || name == "x1" || name == "x2" || name == "cx" || name == "y" || name == "y1" ||
        name == "points") {
      CHECK(value.find_first_not_of("0123456789.,- ") == std::string::npos);
      if (name[0] == 'x' || name == "cx") {
        CHECK(std::stod(value) >= 0);
        CHECK(std::stod(value) <= width);
      }
    }
  }
}

}  // namespace

TEST_CASE("every chart of a filled report is sound SVG that is the same each time") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const auto charts = all_charts(report), again = all_charts(report);
  for (std::size_t i = 0; i < charts.size(); ++i) {
    check_chart(charts[i]);
    CHECK(charts[i] == again[i]);
  }
}

TEST_CASE("charts survive infinite distances, NaN and extreme names") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (fl::Finding& finding : report.findings) {
    finding.direction.name = "<script>\"&'\xFF " + std::string(400, 'w');
    finding.threshold.flip->sigmas = finding.threshold.flip->upper = finding.threshold.flip->quartile_high = infinity;
    finding.threshold.half.reset();
    finding.profile.probability[2] = nan;
    finding.side_effects[0].strength = infinity;
    finding.profile.properties[0][1] = nan;
  }
  for (const std::string& chart : all_charts(report)) check_chart(chart);
  CHECK(fl::render::confidence_chart(report, report.findings[0]).find("never flip") != std::string::npos);
}

TEST_CASE("a chart without data is empty, not broken") {
  const fl::FailureReport nothing;
  const fl::Finding bare;
  CHECK(fl::render::confidence_chart(nothing, bare).empty());
  CHECK(fl::render::histogram_chart(nothing, bare).empty());
  CHECK(fl::render::side_effect_chart(nothing, bare).empty());
  CHECK(fl::render::property_chart(nothing, bare).empty());
  CHECK(fl::render::distance_chart(nothing).empty());
  CHECK(fl::render::intervention_chart(nothing).empty());
  CHECK(fl::render::class_chart(nothing).empty());
  fl::FailureReport one_bare;
  one_bare.findings.resize(1);
  check_chart(fl::render::distance_chart(one_bare));
  check_chart(fl::render::intervention_chart(one_bare));
  fl::Finding flat;
  flat.profile.sigmas = {0, 1};
  flat.profile.probability = flat.profile.failure_share = {0.5, 0.5};
  flat.profile.properties = {{0.0, 0.0}};
  flat.side_effects = {{"blur", 0.0}};
  flat.histogram = {-1, 1, {0, 0}, {0, 5}};
  one_bare.property_names = {"blur"};
  for (const std::string& chart :
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
