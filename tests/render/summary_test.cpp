// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a terminal shows of a report: the answer in three lines at the end, and no row that means nothing above it.

#include "../../examples/summary.hpp"

#include <support/catch2.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>

namespace fl = faultline;

namespace {

fl::Finding finding(fl::DirectionFamily family, const std::string& name, const std::string& property, double repaired) {
  fl::Finding finding;
  finding.direction.family = family;
  finding.direction.name = name;
  finding.property.name = property;
  finding.property.strength = name == "width" ? -1.0 : 1.0;
  finding.intervention.repaired_share = repaired;
  finding.intervention.repaired_failures = repaired > 0.0 ? 200 : 0;
  return finding;
}

fl::FailureReport report_of_digits() {
  fl::FailureReport report;
  report.verdict = fl::Verdict::systematic_causes;
  report.failure_rate = {.estimate = 0.31425, .lower = 0.2999, .upper = 0.3289, .failures = 1257, .n = 4000};
  report.findings = {finding(fl::DirectionFamily::property, "noise level", "noise level", 0.17),
                     finding(fl::DirectionFamily::component, "component 30", "mixed: blur + ink area", 0.6),
                     finding(fl::DirectionFamily::channel, "b8.conv1:64", "", 0.2),
                     finding(fl::DirectionFamily::property, "width", "width", 0.05)};
  report.findings[2].direction.class_label = 2;
  report.findings[1].threshold.flip = fl::Crossing{.sigmas = 1.43, .lower = 0.99, .upper = 2.57};
  report.findings[0].threshold.flip =
      fl::Crossing{.sigmas = 2.5, .lower = 1.5, .upper = std::numeric_limits<double>::infinity()};
  report.generator_suspect = {finding(fl::DirectionFamily::component, "component 37", "slant", 0.26)};
  report.associated.resize(19);
  return report;
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("the answer of a run is three lines") {
  const std::string here = std::filesystem::current_path().string();
  CHECK(program::answer_of(report_of_digits(), "digits.safetensors", "clean.safetensors", "out/../out/report.html") ==
        "clean.safetensors fails on 31.4 % of what digits.safetensors makes (1257 of 4000, 95 % interval 30.0 to 32.9 "
        "%).\n"
        "It fails because of blur + ink area (repairing it removes 60 % of the failures), no measured property "
        "(b8.conv1:64), class 2 only (20 %), high noise level (17 %)"
        " and 1 weaker cause; 1 further direction may be the generator's fault.\n"
        "Report: " +
            here + "/out/report.html\n");

  fl::FailureReport nothing;
  nothing.failure_rate = {.estimate = 0.0, .lower = 0.0, .upper = 0.0018, .failures = 0, .n = 2000};
  nothing.verdict = fl::Verdict::too_few_failures;
  nothing.reason = "Only 0 failures.";
  CHECK(program::answer_of(nothing, "g", "c", "/report.html") ==
        "c fails on 0.0 % of what g makes (0 of 2000, 95 % interval 0.0 to 0.2 %).\nOnly 0 failures.\nReport: "
        "/report.html\n");
  CHECK(program::table_of(nothing).empty());
}

TEST_CASE("the table above it has the strongest causes first, names a reader knows, and five rows of a kind at most") {
  fl::FailureReport report = report_of_digits();
  const std::string table = program::table_of(report);
  const auto at = [&table](const std::string& text) { return table.find(text); };
  CHECK(at("      60 %         -   1.4 (1.0 to 2.6)    blur + ink area\n") != std::string::npos);
  CHECK(at("      17 %         -   2.5 (from 1.5)      high noise level\n") != std::string::npos);
  CHECK(at("blur + ink area") < at("no measured property (b8.conv1:64), class 2 only"));
  CHECK(at("class 2 only") < at("high noise level"));
  CHECK(at("component 37") == std::string::npos);
  CHECK(at("low width") != std::string::npos);
  CHECK(at("high slant") > at("perhaps the generator's fault"));
  CHECK(lines(table) <= 12);

  fl::FailureReport unrepaired = report;  // no failure to repair: not measured, which is not nought
  unrepaired.findings = {finding(fl::DirectionFamily::property, "blur", "blur", 0.0)};
  CHECK(program::table_of(unrepaired).find("         -         -   beyond range        high blur\n") !=
        std::string::npos);
  CHECK(program::answer_of(unrepaired, "g", "c", "/report.html").find("It fails because of high blur; 1 further") !=
        std::string::npos);

  report.findings.resize(19, report.findings.front());
  const std::string longer = program::table_of(report);
  CHECK(longer.find("and 14 more in the report") != std::string::npos);
  CHECK(lines(longer) <= 15);
}
