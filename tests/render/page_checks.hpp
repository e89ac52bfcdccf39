// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What every page of a report must be, whatever the report holds.

#include <faultline/data/png.hpp>
#include <faultline/render/html_report.hpp>

#include <render/example_report.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

#include <cstddef>
#include <string>

namespace render_test {

inline fl::FailureReport filled() { return example_report(example_generator()); }

inline fl::render::ReportPicture dot(const std::string& name) {
  return {name, "a \"dot\" <of> " + name, 1, 1,
          fl::data::encode_png({.height = 1, .width = 1, .channels = 1, .pixels = {0}})};
}

inline std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// Sound markup, no script, nothing to fetch, every link of the page leads somewhere in the page.
inline void check_page(const std::string& page) {
  const auto markup = read_markup(page, true);
  CHECK(markup.complaint == "");
  for (const std::string& tag : markup.tags)
    for (const char* forbidden : {"script", "link", "iframe", "object", "embed", "base", "form"})
      CHECK(tag != forbidden);
  for (const std::string& attribute : markup.attributes) {
    const std::string name = attribute.substr(0, attribute.find('=')),
                      value = attribute.substr(attribute.find('=') + 1);
    if (name == "src") CHECK(value.rfind("data:image/png;base64,", 0) == 0);
    if (name == "href") {
      REQUIRE(value.size() > 1);
      if (value.rfind("sheets/", 0) == 0) continue;  // a picture beside the page
      CHECK(value[0] == '#');
      CHECK(markup.ids.count(value.substr(1)) == 1);
    }
    CHECK(name.rfind("on", 0) != 0);
    if (name != "xmlns") CHECK(value.find("://") == std::string::npos);
  }
  CHECK(page.find("@import") == std::string::npos);
  CHECK(page.find("url(") == std::string::npos);
  CHECK(page.find("default-src 'none'") != std::string::npos);
}

}  // namespace render_test
