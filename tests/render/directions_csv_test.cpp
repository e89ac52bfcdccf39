// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/directions_csv.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

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

}  // namespace

TEST_CASE("directions.csv has one row per direction, as wide as its header, whatever the names hold") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  report.findings[0].direction.name = "a, b\r\nand \"c\"";
  const auto rows = parse(fl::render::directions_csv(report));
  REQUIRE(rows.size() == 5);
  for (const auto& row : rows) CHECK(row.size() == rows[0].size());
  const auto cell = [&](std::size_t row, const std::string& column) {
    for (std::size_t i = 0; i < rows[0].size(); ++i)
      if (rows[0][i] == column) return rows[row][i];
    return std::string("no such column");
  };
  CHECK(cell(1, "name") == "a, b\r\nand \"c\"");
  CHECK(cell(1, "status") == "finding");
  CHECK(cell(2, "rank") == "2");
  CHECK(cell(3, "status") == "generator_suspect");
  CHECK(cell(3, "name") == "component, 7 \"odd\"");
  CHECK(cell(4, "status") == "associated");
  CHECK(cell(1, "p_adjusted") == "0.0012");
  CHECK(cell(1, "flip_sigmas") == "1.6");
  CHECK(cell(2, "class") == "horse & cart");
  CHECK(cell(1, "class").empty());
  CHECK(cell(2, "off_manifold") == "true");
  CHECK(cell(1, "contrast_lower") == "0.39");
  CHECK(cell(1, "flat") == std::to_string(report.findings[0].channel.flat));
}

TEST_CASE("cells of directions.csv stay empty where there is no number") {
  fl::FailureReport report = render_test::example_report(render_test::example_generator());
  report.findings.resize(1);
  report.associated.clear();
  report.generator_suspect.clear();
  report.findings[0].threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  report.findings[0].threshold.half.reset();
  report.findings[0].validity.judge_agreement.reset();
  const auto rows = parse(fl::render::directions_csv(report));
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[1].size() == rows[0].size());
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    if (rows[0][i] == "flip_sigmas" || rows[0][i] == "half_sigmas" || rows[0][i] == "judge_agreement")
      CHECK(rows[1][i].empty());
    if (rows[0][i] == "half_share") CHECK(rows[1][i] == "0");
  }
  CHECK(parse(fl::render::directions_csv({})).size() == 1);
  const faultline_tests::TemporaryDirectory directory;
  fl::write_directions_csv(report, directory / "d.csv");
  CHECK(faultline_tests::text_of(directory / "d.csv") == fl::render::directions_csv(report));
}
