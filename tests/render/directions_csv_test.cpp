// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/directions_csv.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

/// Reads RFC 4180.
std::vector<std::vector<std::string>> parse(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1);
  std::string cell;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '"' && i + 1 < text.size() && text[i + 1] == '"') cell += text[i++];
      else if (text[i] == '"') quoted = false;
      else cell += text[i];
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == ',') {
      rows.back().push_back(std::move(cell)), cell.clear();
    } else if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      rows.back().push_back(std::move(cell)), cell.clear(), rows.emplace_back(), ++i;
    } else {
      cell += text[i];
    }
  }
  rows.pop_back();
  return rows;
}

/// The cell of a row, by the name of its column.
std::string cell(const std::vector<std::vector<std::string>>& rows, std::size_t row, const std::string& column) {
  for (std::size_t i = 0; i < rows[0].size(); ++i)
    if (rows[0][i] == column) return rows[row][i];
  return "no such column";
}

}  // namespace

TEST_CASE("directions.csv has one row per condition, as wide as its header, whatever the names hold") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  report.findings[0].title = "a, b\r\nand \"c\"";
  const auto rows = parse(fl::render::directions_csv(report));
  REQUIRE(rows.size() == 1 + 3 + 1 + 1 + 2 + 1);
  for (const auto& row : rows) CHECK(row.size() == rows[0].size());
  const auto said = [&](std::size_t row, const char* column) { return cell(rows, row, column); };
  std::vector<std::string> lists;
  for (std::size_t row = 1; row < rows.size(); ++row) lists.push_back(said(row, "list") + " " + said(row, "rank"));
  CHECK(lists == std::vector<std::string>{"findings 1", "findings 2", "findings 3", "associated 1", "undecided 1",
                                          "not_movable 1", "not_movable 2", "generators 1"});
  CHECK(said(1, "title") == "a, b\r\nand \"c\"");
  CHECK(said(6, "title") == "stroke <i>width</i> & \"ink\"");
  CHECK(said(1, "kind") == "property");
  CHECK(said(3, "kind") == "pair");
  CHECK(said(3, "properties") == "noise level | slant");
  CHECK(said(5, "properties").empty());
  CHECK(said(2, "shape") == "two_sided");
  CHECK(said(5, "shape") == "subspace");
  CHECK(said(2, "class") == "horse & cart");
  CHECK(said(1, "class").empty());
  CHECK(said(3, "sign") == "-1");
  CHECK(said(6, "movability") == "not_movable");
  CHECK(said(7, "moves_along") == "noise level");
  CHECK(said(1, "deviance_share_lower") == "0.38");
  CHECK(said(2, "stability") == "0.35");
  CHECK(said(1, "p") == "1e-04");
  CHECK(said(1, "p_adjusted") == "0.0012");
  CHECK(said(1, "decision") == "changes");
  CHECK(said(4, "decision") == "does_not");
  CHECK(said(6, "decision").empty());
  CHECK(said(1, "effect_upper") == "0.452");
  CHECK(said(5, "placebo").empty());
  CHECK(said(4, "latents") == "2048");
  CHECK(said(2, "fraction") == "-0.05");
  CHECK(said(4, "fraction").empty());
  CHECK(said(1, "flip_sigmas") == "1.6");
  CHECK(said(3, "flip_sigmas").empty());
  CHECK(said(2, "off_manifold") == "true");
  CHECK(said(2, "monotone") == "false");
  CHECK(said(3, "monotone").empty());
  CHECK(said(1, "property_at_flip") == "0.0342");
  CHECK(said(2, "judge_agreement") == "0.48");
  CHECK(said(1, "flat") == std::to_string(report.findings[0].channel.flat));
  CHECK(said(1, "layer") == report.layers[static_cast<std::size_t>(report.findings[0].channel.layer)].name);
  CHECK(said(4, "flat").empty());
  report.findings[0].channel.layer = -1;  // of a program, where no file can say so
  CHECK(cell(parse(fl::render::directions_csv(report)), 1, "layer") == "-1");
}

TEST_CASE("cells of directions.csv stay empty where there is no number") {
  fl::FailureReport report;
  report.findings = {render_test::example_finding(render_test::example_generator(), 0, "noise level", 1.6), {}};
  report.findings[0].threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  report.findings[0].threshold.even_odds.reset();
  report.findings[0].validity.agreement.reset();
  report.findings[0].condition.stability = std::numeric_limits<double>::quiet_NaN();
  const auto rows = parse(fl::render::directions_csv(report));
  REQUIRE(rows.size() == 3);
  REQUIRE(rows[1].size() == rows[0].size());
  for (const char* column : {"flip_sigmas", "even_odds_sigmas", "even_odds_share", "judge_agreement", "stability"})
    CHECK(cell(rows, 1, column).empty());
  CHECK(cell(rows, 1, "flip_share") == "0.97");
  for (const char* column : {"shape", "class", "movability", "decision", "effect", "min_effect", "fraction",
                             "flip_share", "property_at_flip", "layer", "channel", "channel_sign"})
    CHECK(cell(rows, 2, column).empty());
  CHECK(parse(fl::render::directions_csv({})).size() == 1);
  const faultline_tests::TemporaryDirectory directory;
  fl::write_directions_csv(report, directory / "d.csv");
  CHECK(faultline_tests::text_of(directory / "d.csv") == fl::render::directions_csv(report));
}

TEST_CASE("docs/reference/formats.md has every column of directions.csv, and no other") {
  const std::string page =
      faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/formats.md");
  const std::string section = page.substr(page.find("\n## directions.csv"));
  const std::string table =
      section.substr(section.find("|---"), section.find("\n## report.html") - section.find("|---"));
  std::vector<std::string> said;
  for (std::size_t line = table.find("\n| "); line != std::string::npos; line = table.find("\n| ", line + 1)) {
    const std::string names = table.substr(line + 3, table.find(" | ", line + 3) - line - 3);
    for (std::size_t at = names.find('`'); at != std::string::npos; at = names.find('`', names.find('`', at + 1) + 1))
      said.push_back(names.substr(at + 1, names.find('`', at + 1) - at - 1));
  }
  CHECK(said == parse(fl::render::directions_csv({})).front());
}
