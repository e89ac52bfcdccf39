// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every chart must be, whatever it is of.

#include <faultline/render/canvas.hpp>
#include <faultline/render/charts.hpp>

#include <render/example_report.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace render_test {

using Chart = std::optional<fl::Drawing>;

inline std::vector<Chart> all_charts(const fl::FailureReport& report) {
  using namespace fl::render;
  std::vector<Chart> charts = {distance_chart(report), intervention_chart(report), class_chart(report),
                               attributable_chart(report)};
  for (const fl::Finding& finding : report.findings)
    for (const Chart& chart : {confidence_chart(report, finding), histogram_chart(report, finding),
                               side_effect_chart(report, finding), property_chart(report, finding)})
      charts.push_back(chart);
  for (const auto* list :
       {&report.findings, &report.associated, &report.undecided, &report.not_movable, &report.generators})
    for (const fl::Finding& finding : *list)
      for (const auto& curve : finding.response) {
        charts.push_back(response_chart(report, finding, curve, "failure rate"));
        charts.push_back(response_chart(curve, "share not valid", flip_of(finding, curve)));
      }
  for (const auto& interaction : report.interactions)
    if (const Chart map = property_map_chart(interaction)) charts.push_back(map);
  return charts;
}

/// The SVG of a chart, empty without one.
inline std::string svg_of(const Chart& chart) { return chart ? chart->svg() : std::string(); }

/// The attribute of one element, or `otherwise`.
inline std::string attribute_of(const std::string& element, const std::string& name, const std::string& otherwise) {
  const std::size_t at = element.find(" " + name + "=\"");
  if (at == std::string::npos) return otherwise;
  const std::size_t start = at + name.size() + 3;
  return element.substr(start, element.find('"', start) - start);
}

inline std::string unescaped(std::string text) {
  for (const auto& [entity, mark] :
       {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&amp;", "&"}})
    for (std::size_t at = 0; (at = text.find(entity)) != std::string::npos;)
      text.replace(at, std::string(entity).size(), mark);
  return text;
}

/// Every text lies within the picture: as long as it says, or, where it is short, as the widest usual font makes it.
inline void check_texts(const std::string& svg, double width, double height) {
  for (std::size_t at = svg.find("<text "); at != std::string::npos; at = svg.find("<text ", at + 1)) {
    const std::string element = svg.substr(at, svg.find('>', at) - at + 1);
    std::string text = svg.substr(at + element.size(), svg.find("</text>", at) - at - element.size());
    text = unescaped(text.substr(0, text.find("<title>")));
    const bool bold = element.find("font-weight") != std::string::npos;
    const double size = std::stod(attribute_of(element, "font-size", "12"));
    const double natural = fl::render::Canvas::text_width(text, {.height = (bold ? 10.8 : 9.6) * size / 12});
    const double length = std::stod(attribute_of(element, "textLength", std::to_string(natural)));
    const std::string anchor = attribute_of(element, "text-anchor", "start");
    const double before = anchor == "middle" ? length / 2 : anchor == "end" ? length : 0.0;
    const std::string turned = attribute_of(element, "transform", "");
    INFO(element << text << " is " << length << " long");
    if (turned.empty()) {
      const double x = std::stod(attribute_of(element, "x", "")), y = std::stod(attribute_of(element, "y", ""));
      CHECK(x - before >= 0.0);
      CHECK(x - before + length <= width);
      CHECK(y - size >= -2.0);
      CHECK(y <= height);
    } else {  // "translate(18 153) rotate(-90)", upwards
      REQUIRE(turned.find("rotate(-90)") != std::string::npos);
      const double y = std::stod(turned.substr(turned.find(' ') + 1));
      CHECK(y - length + before >= 0.0);
      CHECK(y + before <= height);
    }
  }
}

/// Well formed, drawn with finite coordinates inside the picture, and asking for nothing from outside; as pixels of the
/// same size.
inline void check_chart(const Chart& chart) {
  REQUIRE(chart);
  const fl::Picture picture = chart->raster();
  CHECK(picture.width == chart->width());
  CHECK(picture.height == chart->height());
  const std::string svg = chart->svg();
  const Markup markup = read_markup(svg, false);
  CHECK(markup.complaint == "");
  REQUIRE_FALSE(markup.tags.empty());
  CHECK(markup.tags.front() == "svg");
  double width = 0, height = 0;
  for (const std::string& attribute : markup.attributes) {
    const std::string name = attribute.substr(0, attribute.find('=')),
                      value = attribute.substr(attribute.find('=') + 1);
    CHECK(name != "href");
    CHECK(name != "src");
    CHECK(value.find("url(") == std::string::npos);
    if (name == "width" && width == 0) width = std::stod(value);
    if (name == "height" && height == 0) height = std::stod(value);
    if (name == "fill-opacity") CHECK((std::stod(value) >= 0 && std::stod(value) <= 1));
    if (name == "width" || name == "height") CHECK(value.find_first_not_of("0123456789.") == std::string::npos);
    if (name == "points") {
      CHECK(value.find_first_not_of("0123456789.,- ") == std::string::npos);
      for (std::size_t at = 0; at < value.size();) {
        const double x = std::stod(value.substr(at)), y = std::stod(value.substr(value.find(',', at) + 1));
        CHECK((x >= 0 && x <= width && y >= 0 && y <= height));
        const std::size_t next = value.find(' ', at);
        at = next == std::string::npos ? value.size() : next + 1;
      }
    }
    const bool across = name == "x" || name == "x1" || name == "x2" || name == "cx";
    if (across || name == "y" || name == "y1" || name == "y2" || name == "cy") {
      REQUIRE(value.find_first_not_of("0123456789.-") == std::string::npos);
      CHECK(std::stod(value) >= 0);
      CHECK(std::stod(value) <= (across ? width : height));
    }
  }
  check_texts(svg, width, height);
}

inline std::size_t parts_of(const std::string& svg, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = svg.find(part); at != std::string::npos; at = svg.find(part, at + 1)) ++n;
  return n;
}

}  // namespace render_test
