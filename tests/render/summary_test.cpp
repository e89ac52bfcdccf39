// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a terminal shows of a report: the answer in a few lines at the end, and no row that means nothing above it.

#include "../../examples/summary.hpp"

#include <support/catch2.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace fl = faultline;

namespace {

fl::Finding condition(const std::string& title, std::optional<double> fraction = std::nullopt) {
  fl::Finding finding;
  finding.title = title;
  finding.condition.stability = 0.95;
  if (fraction) finding.attributable = {*fraction, *fraction - 0.07, *fraction + 0.06, 4000, 262};
  return finding;
}

fl::FailureReport report_of_digits() {
  fl::FailureReport report;
  report.verdict = fl::Verdict::systematic_causes;
  report.failure_rate = {.estimate = 0.31425, .lower = 0.2999, .upper = 0.3289, .failures = 1257, .n = 4000};
  report.findings = {condition("blur", 0.62), condition("ink area in class 2", 0.2), condition("noise level", 0.17),
                     condition("width", 0.05)};
  report.findings[1].condition.class_label = 2;
  report.findings[0].threshold.flip = fl::Crossing{.sigmas = 1.43, .lower = 0.99, .upper = 2.57};
  report.findings[0].threshold.at_flip = {{"blur", 40, 3.4217, 3.1, 3.7, "px"}};
  report.findings[2].threshold.flip =
      fl::Crossing{.sigmas = 2.5, .lower = 1.5, .upper = std::numeric_limits<double>::infinity()};
  report.attributable_together.fraction = 0.84;
  report.undecided = {condition("slant")};
  report.not_movable = {condition("loops")};
  report.generators = {condition("contrast")};
  for (int i = 0; i < 19; ++i) report.associated.push_back(condition("proxy " + std::to_string(i)));
  report.class_names = {"zero", "one", "two"};
  return report;
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("the answer of a run says how often, whose fault and on what in a few lines") {
  const std::string here = std::filesystem::current_path().string();
  fl::FailureReport report = report_of_digits();
  const std::string causes =
      "It fails because of blur (without it 62 % of the failures would not occur), ink area in class two (20 %), noise "
      "level (17 %) and 1 weaker cause; without all of them 84 %.\n"
      "Report: " +
      here + "/out/report.html\n";
  const std::string how_often =
      "clean.safetensors fails on 31.4 % of what digits.safetensors makes (1257 of 4000, 95 % interval 30.0 to 32.9 "
      "%).\n";
  const auto answer = [&report] {
    return program::answer_of(report, "digits.safetensors", "clean.safetensors", "out/../out/report.html");
  };
  CHECK(answer() == how_often + causes);
  report.blame = fl::analysis::Blame{{0.93, 0.92, 0.94, 1169, 1257, 0.95}, {0.07, 0.06, 0.08, 88, 1257, 0.95}};
  CHECK(answer() == how_often +
                        "93 % (92 to 94) of these failures are its own; the rest are on images that the judge cannot "
                        "read either.\n" +
                        causes);

  fl::FailureReport nothing;
  nothing.failure_rate = {.estimate = 0.0, .lower = 0.0, .upper = 0.0018, .failures = 0, .n = 2000};
  nothing.verdict = fl::Verdict::too_few_failures;
  nothing.reason = "Only 0 failures.";
  CHECK(program::answer_of(nothing, "g", "c", "/report.html") ==
        "c fails on 0.0 % of what g makes (0 of 2000, 95 % interval 0.0 to 0.2 %).\nOnly 0 failures.\nReport: "
        "/report.html\n");
  CHECK(program::table_of(nothing).empty());

  // adds failures; does so as the second; not measured
  nothing.findings = {condition("blur", -0.1), condition("width", -0.02), condition("noise level")};
  nothing.attributable_together.fraction = -0.1;
  CHECK(program::answer_of(nothing, "g", "c", "/r")
            .find("It fails because of blur (no share of the failures is shown to go with it), width (no share shown), "
                  "noise level.\n") != std::string::npos);
}

TEST_CASE("a class has its name, else its number, and an answer that means no class of the generator is none") {
  fl::FailureReport report;
  report.class_names = {"zero", ""};
  CHECK(fl::render::class_name(report, 0) == "zero");
  CHECK(fl::render::class_name(report, 1) == "1");
  CHECK(fl::render::class_name(report, 2) == "2");
  report.classes = 2;
  CHECK(fl::render::class_name(report, 1) == "1");
  CHECK(fl::render::class_name(report, 2) == "none");
}

TEST_CASE("the table above it has causes first, names a reader knows, and five rows of a kind at most") {
  fl::FailureReport report = report_of_digits();
  const std::string table = program::table_of(report);
  const auto at = [&table](const std::string& text) { return table.find(text); };
  CHECK(at(" 62 % (55 to 68)     95 %   1.4 (1.0 to 2.6)      3.42 px   blur\n") != std::string::npos);
  CHECK(at(" 17 % (10 to 23)     95 %   2.5 (from 1.5)              -   noise level\n") != std::string::npos);
  CHECK(at("beyond range                -   ink area in class two\n") != std::string::npos);
  CHECK(at("blur\n") < at("ink area"));
  CHECK(at("width\n") < at("undecided whether a cause: slant\n"));
  CHECK(at("undecided whether a cause: slant\n") < at("not movable by this generator: loops\n"));
  CHECK(at("goes along with a cause: proxy 4\n") != std::string::npos);
  CHECK(at("goes along with a cause: 14 more conditions in the report\n") != std::string::npos);
  CHECK(at("the generator's: contrast\n") != std::string::npos);
  CHECK(lines(table) == 1 + 4 + 1 + 1 + 1 + 6 + 1 + 5);
  report.class_findings.resize(1);
  report.class_findings[0].headline = "Class 1 is always answered 7.";
  CHECK(program::table_of(report).find("\nClass 1 is always answered 7.\n") != std::string::npos);

  report.findings.assign(7, condition("blur"));  // not measured, which is not nought
  const std::string longer = program::table_of(report);
  CHECK(longer.find("               -     95 %   beyond range                -   blur\n") != std::string::npos);
  CHECK(longer.find("and 2 more in the report") != std::string::npos);
  CHECK(lines(longer) == lines(table) + 3);
}
