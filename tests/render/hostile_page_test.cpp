// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reports that say too much, too little or strange things, on a page.
#include <faultline/render/html_report.hpp>

#include <render/page_checks.hpp>
#include <support/catch2.hpp>

#include <cstdint>
#include <limits>
#include <string>

namespace fl = faultline;
using render_test::check_page;
using render_test::filled;
using render_test::occurrences;

TEST_CASE("no text of a report can leave its place") {
  fl::FailureReport report = filled();
  const std::string attack = "\"><script>alert(1)</script><img src=x onerror='y'>&lt; \xFF\x01";
  report.reason = attack;
  for (auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable, &report.generators})
    for (fl::Finding& finding : *list) {
      finding.title = finding.headline = finding.direction.name = attack;
      finding.condition.properties = {attack, attack};
      finding.condition.moves_along = attack;
      for (auto& curve : finding.response) curve.property = attack;
      for (auto& flip : finding.threshold.at_flip) flip.name = attack;
      for (auto& effect : finding.side_effects) effect.name = attack;
    }
  report.property_names[0] = report.property_distances[0].name = attack;
  report.class_names = {attack, attack, attack, attack};
  report.warnings = {attack};
  report.class_findings[0].headline = attack;
  for (auto& both : report.interactions) {
    both.first = both.second = both.headline = attack;
    both.properties = {attack, attack};
  }
  report.layers[0].name = report.findings[0].carriers[0].layer_name = report.paper_top[0].layer_name = attack;
  report.schema = attack;
  auto& p = report.provenance;
  p.library_version = p.generator_digest = p.classifier_name = p.criterion = p.torch_version = p.cpu = p.backend =
      attack;
  p.criterion_expression = p.compiler = p.command = attack;
  p.classifier_digest = p.judge_name = p.judge_digest = attack;
  p.method = p.options = {{"min_effect", attack}};
  p.properties = {attack};
  check_page(fl::render::html_report(report, {{attack, attack, 1, 1, {}}}, {.title = attack}));
  check_page(fl::render::html_report(report, {}));
}

TEST_CASE("a cause without measurements is said to have none") {
  fl::FailureReport report;
  report.verdict = fl::Verdict::systematic_causes;
  report.findings.resize(2);
  report.associated.resize(1);
  report.generators.resize(1);
  report.interactions.resize(1);
  report.property_distances.resize(1);
  const std::string page = fl::render::html_report(report, {});
  check_page(page);
  CHECK(occurrences(page, "unnamed direction") > 4);
  CHECK(occurrences(page, "<dd>not measured</dd>") == 2);
  CHECK(occurrences(page, "<dd>not moved</dd>") == 2);
  CHECK(page.find("On what") == std::string::npos);
}

TEST_CASE("counts and numbers of a file may be anything without harm to the page") {
  fl::FailureReport report = filled();
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (auto& row : report.confusion.counts) row.assign(row.size(), most);
  report.failure_rate = {nan, -infinity, infinity, most, most, nan};
  report.blame->classifier = report.blame->generator = {1e300, -1e300, nan, most, most, 0.95};
  report.class_rates[0] = {nan, nan, nan, most, most, 0.95};
  report.class_rates[1] = {1e300, -5.0, infinity, 0, 0, 0.95};
  report.class_leaks.pop_back();
  report.explained->estimate = report.ceiling->estimate = nan;
  report.attributable_together.fraction = infinity;
  report.attributable_together.lower.reset();
  report.cost.generator_macs = report.samples_needed = most;
  report.smallest_detectable->effect = infinity;
  for (auto* list : {&report.findings, &report.associated, &report.undecided, &report.not_movable, &report.generators})
    for (fl::Finding& finding : *list) {
      finding.condition.stability = finding.confirmation.p_adjusted = nan;
      finding.condition.class_label = finding.direction.class_label = 99;
      finding.intervention.effect = nan;
      finding.intervention.lower.reset();
      finding.intervention.invalid_high = -infinity;
      finding.attributable = {nan, infinity, std::nullopt, most, most};
      finding.answers = {{most, nan}};
      finding.validity.agreement = fl::analysis::Share{nan, 1e300, -1e300};
      finding.condition.classes = {{most, infinity}};
    }
  const std::string page = fl::render::html_report(report, {});
  check_page(page);
  CHECK(page.find("9\u00A0223\u00A0372\u00A0036\u00A0854\u00A0775\u00A0807") != std::string::npos);
  CHECK(page.find(">20.0\u00A0%<") != std::string::npos);  // one of five answers that are equally frequent
  report.confusion.counts[1].clear();                      // ragged, as only a program can make it
  check_page(fl::render::html_report(report, {}));
}

TEST_CASE("a thousand classes do not flood the page: the worst fifty are shown") {
  fl::FailureReport report = filled();
  report.class_rates.clear();
  report.class_names.clear();
  for (int k = 0; k < 1000; ++k)
    report.class_rates.push_back({k % 20 == 0 ? 0.5 : 0.1, 0.05, 0.6, 1, 10, 0.95}),
        report.class_names.push_back("kind" + std::to_string(k));
  report.findings[0].threshold.centres.clear();
  for (int k = 0; k < 1000; ++k) report.findings[0].threshold.centres.push_back({k, 0.9, 1.0, 1.0, 1.0});
  const std::string page = fl::render::html_report(report, {});
  check_page(page);
  CHECK(page.find("Shown are the 50 of 1000 classes") != std::string::npos);
  CHECK(page.find(">kind980<") != std::string::npos);
  CHECK(page.find(">kind981<") == std::string::npos);
  CHECK(page.size() < 300'000);
}
