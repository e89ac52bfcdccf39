// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/charts.hpp>

#include <render/chart_checks.hpp>
#include <support/catch2.hpp>

#include <cstdint>
#include <cstddef>
#include <string>
#include <vector>

namespace fl = faultline;
using render_test::Chart;
using render_test::check_chart;
using render_test::parts_of;
using render_test::svg_of;

TEST_CASE("a response shows how often samples fail, and every end at which images flip") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const fl::Finding &one = report.findings[0], &both_ends = report.findings[1], &pair = report.findings[2];
  const auto flip = fl::render::flip_of(one, one.response[0]);
  REQUIRE(flip);
  CHECK(flip->median == 0.0342);
  CHECK_FALSE(fl::render::flip_of(pair, pair.response[0]));
  CHECK_FALSE(fl::render::flip_of(one, {.property = "blur", .bins = {}}));

  const std::string svg = svg_of(fl::render::response_chart(report, one, one.response[0], "failure rate"));
  CHECK(svg == svg_of(fl::render::response_chart(one.response[0], "failure rate", flip)));
  CHECK(parts_of(svg, "<circle") == 6);
  CHECK(svg.find(">noise level</text>") != std::string::npos);
  CHECK(svg.find(">failure rate</text>") != std::string::npos);
  CHECK(parts_of(svg, "images flip at 0.0342 (0.0310 to 0.0377)") == 1);
  CHECK(svg.find(">40 %</text>") != std::string::npos);
  CHECK(svg.find(">50 %</text>") == std::string::npos);  // no more than the bars need

  fl::analysis::ResponseCurve curve = one.response[0];
  curve.unit = "px";
  fl::analysis::PropertyAtFlip in_pixels = *flip;
  in_pixels.unit = "px";
  const std::string pixels = svg_of(fl::render::response_chart(curve, "failure rate", in_pixels));
  CHECK(pixels.find(">noise level, px</text>") != std::string::npos);
  CHECK(parts_of(pixels, "images flip at 0.0342 (0.0310 to 0.0377)\u00A0px") == 1);

  const std::string ends = svg_of(fl::render::response_chart(report, both_ends, both_ends.response[0], "failure rate"));
  CHECK(parts_of(ends, "images flip at") == 2);
  CHECK(ends.find("slant (class horse &amp; cart)</text>") != std::string::npos);
  CHECK(svg_of(fl::render::response_chart(both_ends.response[0], "failure rate")).find("slant (class 2)") !=
        std::string::npos);
  CHECK(parts_of(svg_of(fl::render::response_chart(report, pair, pair.response[1], "failure rate")),
                 "images flip at") == 0);
}

TEST_CASE("a property map shows rates with intervals, leaves empty cells blank and refuses tables that do not fit") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  fl::analysis::InteractionFinding map = report.interactions[0];
  map.units = {"px", ""};
  const Chart chart = fl::render::property_map_chart(map);
  check_chart(chart);
  const std::string svg = svg_of(chart);
  CHECK(parts_of(svg, "fill=\"#f6f7f9\"") == 1);               // 8 of 19 samples say too little
  CHECK(svg.find(">55\u00A0%</text>") != std::string::npos);   // 110 of 201
  CHECK(svg.find(">48 to 62</text>") != std::string::npos);    // Clopper-Pearson
  CHECK(svg.find(">0.5\u00A0%</text>") != std::string::npos);  // 1 of 210
  CHECK(parts_of(svg, " to ") == 11);
  CHECK(svg.find(">−0.400</text>") != std::string::npos);
  CHECK(svg.find(">" + map.properties[0] + ", px</text>") != std::string::npos);
  CHECK(svg.find(">" + map.properties[1] + "</text>") != std::string::npos);
  CHECK_FALSE(fl::render::property_map_chart(report.interactions[1]));
  const auto without = [&](const auto& change) {
    fl::analysis::InteractionFinding other = map;
    change(other);
    return fl::render::property_map_chart(other);
  };
  CHECK_FALSE(without([](auto& m) { m.first_edges.pop_back(); }));
  CHECK_FALSE(without([](auto& m) { m.second_edges.push_back(1); }));
  CHECK_FALSE(without([](auto& m) { m.failures.counts.clear(); }));
  CHECK_FALSE(without([](auto& m) { m.samples.counts[1].pop_back(); }));
  CHECK_FALSE(without([](auto& m) { m.properties.pop_back(); }));
  CHECK_FALSE(without([](auto& m) { m = {}; }));
  for (const std::size_t cells : {20, 40, 41}) {
    map.first_edges.assign(cells + 1, 0.123456), map.second_edges = map.first_edges;
    map.failures.counts.assign(cells, std::vector<std::int64_t>(cells, 7));
    map.samples.counts.assign(cells, std::vector<std::int64_t>(cells, 70));
    const Chart many = fl::render::property_map_chart(map);
    CHECK(many.has_value() == (cells <= 40));
    if (!many) continue;
    check_chart(many);
    CHECK(parts_of(svg_of(many), "%</text>") == 0);  // no room
    CHECK(parts_of(svg_of(many), ">0.123</text>") < 30);
  }
}

TEST_CASE("attributable shares stand in order, with all together last, below zero where a change adds failures") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const std::string svg = svg_of(fl::render::attributable_chart(report));
  const auto at = [&svg](const std::string& text) { return svg.find(text); };
  CHECK(at(">62\u00A0% (55 to 68\u00A0%)</text>") != std::string::npos);
  CHECK(at(">−5\u00A0% (−11 to −1\u00A0%)</text>") != std::string::npos);
  CHECK(at(">noise level</text>") < at(">slant in class horse &amp; cart</text>"));
  CHECK(at(">slant in class horse &amp; cart</text>") < at(">all together</text>"));
  CHECK(at(">88\u00A0% (83 to 92\u00A0%)</text>") != std::string::npos);
  CHECK(at(">−10</text>") != std::string::npos);
  report.findings[2].attributable = {};
  CHECK(svg_of(fl::render::attributable_chart(report)).find("noise level with slant") == std::string::npos);
  report.findings.resize(1);
  CHECK(svg_of(fl::render::attributable_chart(report)).find("all together") == std::string::npos);
  report.findings[0].attributable.lower.reset();
  CHECK(svg_of(fl::render::attributable_chart(report)).find(">62\u00A0%</text>") != std::string::npos);
  report.findings[0].attributable = {};
  CHECK_FALSE(fl::render::attributable_chart(report));
}

TEST_CASE("the edits of a report are shown in percentage points, causes first, and what was not moved is left out") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const std::string svg = svg_of(fl::render::intervention_chart(report));
  CHECK(svg.find(">+41.2 (+37.1 to +45.2): changes the failure rate</text>") != std::string::npos);
  CHECK(svg.find("+3.0 (−1.0 to +7.0): undecided") < svg.find("+0.4 (−0.8 to +1.1): adds no failures"));
  CHECK(svg.find(">blur</text>") == std::string::npos);
}

TEST_CASE("generated and real images stand on one axis, each with its intervals, and the flip is marked") {
  const fl::FailureReport report = render_test::example_report(render_test::example_generator());
  const Chart chart = fl::render::real_image_chart(report.real_images[0]);
  check_chart(chart);
  const std::string svg = svg_of(chart);
  CHECK(parts_of(svg, "<circle") == 6 + 1);  // generated: circles; one more in the legend
  CHECK(svg.find("generated images flip at") != std::string::npos);
  CHECK(svg.find("real images") != std::string::npos);
  CHECK(svg_of(fl::render::real_image_chart(report.real_images[1])).find("flip at") == std::string::npos);
  CHECK_FALSE(fl::render::real_image_chart({}));
}
