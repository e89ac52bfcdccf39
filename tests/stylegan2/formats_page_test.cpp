// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// docs/reference/formats.md names every tensor of a generator file, with its shape, and no other.

#include <faultline/stylegan2/config.hpp>

#include <support/catch2.hpp>

#include <fstream>
#include <map>
#include <regex>
#include <string>

namespace fl = faultline;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// Name -> shape as the page writes them, of the table between two headings.
std::map<std::string, std::string> table_of_page() {
  std::ifstream page(FAULTLINE_SOURCE_DIR "/docs/reference/formats.md");
  std::map<std::string, std::string> table;
  bool inside = false;
  const std::regex row(R"(^\| `([a-z0-9_.{}]+)` \| (\[.*\]) \|.*)");
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("### ", 0) == 0) inside = line == "### Generator file";
    std::smatch match;
    if (inside && std::regex_match(line, match, row)) table[match[1]] = match[2];
  }
  return table;
}

// A shape of the page in numbers: "[C(r/2), w_dim]" at r = 16.
std::string evaluated(std::string shape, const fl::stylegan2::GeneratorConfig& config, std::int64_t r,
                      std::int64_t fully_connected) {
  const std::int64_t first = config.z_dim + (config.c_dim > 0 ? config.w_dim : 0);
  const std::pair<const char*, std::int64_t> symbols[] = {{"C(r/2)", r > 4 ? config.channels(r / 2) : 0},
                                                          {"C(r)", config.channels(r)},
                                                          {"C(4)", config.channels(4)},
                                                          {"w_dim", config.w_dim},
                                                          {"c_dim", config.c_dim},
                                                          {"img_channels", config.img_channels},
                                                          {"in]", fully_connected == 0 ? first : config.w_dim},
                                                          {"r", r}};
  for (const auto& [symbol, value] : symbols)
    shape = replaced(shape, symbol, std::to_string(value) + (std::string(symbol) == "in]" ? "]" : ""));
  return shape;
}

}  // namespace

TEST_CASE("the page of formats names every tensor of a generator file with its shape") {
  const auto table = table_of_page();
  REQUIRE(table.size() > 10);
  std::map<std::string, int> seen;
  for (const std::int64_t classes : {0, 10}) {
    const fl::stylegan2::GeneratorConfig config{.z_dim = 5,
                                                .w_dim = 7,
                                                .c_dim = classes,
                                                .img_resolution = 32,
                                                .img_channels = 3,
                                                .channel_base = 256,
                                                .channel_max = 48,
                                                .mapping_layers = 3};
    for (const auto& spec : fl::stylegan2::weight_specs(config)) {
      std::smatch match;
      const bool block = std::regex_search(spec.name, match, std::regex("b([0-9]+)\\.(conv|torgb)"));
      const std::int64_t r = block ? std::stoll(match[1]) : 4;
      const bool layer = std::regex_search(spec.name, match, std::regex("fc([0-9]+)\\."));
      std::string name = block ? std::regex_replace(spec.name, std::regex("b[0-9]+\\."), "b{r}.")
                               : std::regex_replace(spec.name, std::regex("fc[0-9]+\\."), "fc{i}.");
      CAPTURE(spec.name, name);
      REQUIRE(table.count(name) == 1);
      std::string shape;
      for (const std::int64_t extent : spec.shape) shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
      CHECK(evaluated(table.at(name), config, r, layer ? std::stoll(match[1]) : 0) == "[" + shape + "]");
      ++seen[name];
    }
  }
  for (const auto& [name, shape] : table) {
    CAPTURE(name);
    CHECK(seen[name] > 0);
  }
}
