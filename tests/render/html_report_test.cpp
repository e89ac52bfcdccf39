// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/html_report.hpp>
#include <faultline/render/titles.hpp>

#include <render/example_report.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;

namespace {

fl::FailureReport filled() { return render_test::example_report(render_test::example_generator()); }

fl::render::ReportPicture dot(const std::string& name) {
  return {name, "a \"dot\" <of> " + name, 1, 1,
          fl::data::encode_png({.height = 1, .width = 1, .channels = 1, .pixels = {0}})};
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// Sound markup, no script, nothing to fetch, every link of the page leads somewhere in the page.
void check_page(const std::string& page) {
  const auto markup = render_test::read_markup(page, true);
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

}  // namespace

TEST_CASE("the page of a filled report is sound, closed in itself and complete") {
  const fl::FailureReport report = filled();
  std::vector<fl::render::ReportPicture> pictures;
  for (const char* name : {"degradation", "finding-1", "finding-2", "suspect-1", "paper-top", "failures"})
    pictures.push_back(dot(name));
  const std::string page = fl::render::html_report(report, pictures);
  check_page(page);
  CHECK(page == fl::render::html_report(report, pictures));
  CHECK(occurrences(page, "<img ") == 6);
  CHECK(occurrences(page, "<svg ") == 3 * 4 + 3);
  for (const char* part :
       {"2 systematic causes of failure", "6.7\u00A0%", "noise level",
        "noise level (component 3), class horse &amp; cart only", "Associated, but", "mean intensity",
        "Generator suspect", "How much of each property it stands", ">less</td>", "The paper's top channels",
        "How to repeat", "What the words mean", ".samples = 4000, .seed = 7", "flips off the manifold",
        "&quot;stroke thickness&quot; is poorly predicted"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  CHECK(page.find(report.provenance.generator_digest) != std::string::npos);
}

TEST_CASE("no text of a report can leave its place") {
  fl::FailureReport report = filled();
  const std::string attack = "\"><script>alert(1)</script><img src=x onerror='y'>&lt; \xFF\x01";
  report.reason = report.findings[0].headline = report.findings[0].direction.name = report.findings[0].property.name =
      attack;
  report.findings[0].side_effects[0].name = report.property_names[0] = report.associated[0].direction.name =
      report.associated[0].property.name = attack;
  report.class_names = {attack, attack, attack, attack};
  report.warnings = {attack};
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

TEST_CASE("the page reads well when nothing was found") {
  fl::FailureReport report = filled();
  report.verdict = fl::Verdict::none_found;
  report.reason = "No direction survived.";
  report.findings.clear();
  report.associated.clear();
  report.generator_suspect.clear();
  report.omnibus = {0.51, 0.48, 0.54, 0.4, false};
  const std::string page = fl::render::html_report(report, {dot("failures")});
  check_page(page);
  CHECK(page.find("No systematic cause of failure found") != std::string::npos);
  CHECK(page.find("AUC ≥ 0.55") != std::string::npos);
  CHECK(page.find("Causes of failure</h2>") == std::string::npos);
  report.omnibus.significant = true;
  CHECK(fl::render::html_report(report, {}).find("no direction was shown to cause them") != std::string::npos);
}

TEST_CASE("when every cause is generator suspect the page says so and shows them") {
  fl::FailureReport report = filled();
  report.verdict = fl::Verdict::none_found;
  report.findings.clear();
  const std::string page = fl::render::html_report(report, {dot("degradation"), dot("suspect-1")});
  check_page(page);
  CHECK(page.find("Every cause that was found may be the generator&#39;s fault") != std::string::npos);
  CHECK(occurrences(page, "<img ") == 2);
  CHECK(occurrences(page, "<svg ") == 4 + 3);
  CHECK(page.find("href=\"#suspect-1\"") != std::string::npos);
}

TEST_CASE("directions are called by what they change, and keep their own name beside it") {
  fl::FailureReport report = filled();
  fl::Finding& finding = report.findings[1];
  CHECK(fl::render::title_of(report, finding) == "noise level (component 3), class horse & cart only");
  finding.direction.class_label.reset();
  finding.property.name = "";
  CHECK(fl::render::title_of(report, finding) == "component 3");
  finding.property.name = "blur";
  finding.direction.family = fl::DirectionFamily::property;
  CHECK(fl::render::title_of(report, finding) == "component 3");
  CHECK(fl::render::title_of(report, fl::Finding{}) == "unnamed direction");
}

TEST_CASE("the page reads well when there are too few failures, and for a report without anything") {
  fl::FailureReport report;
  report.verdict = fl::Verdict::too_few_failures;
  report.reason = "3 failures in 20 000 samples.";
  report.samples_needed = 340'000;
  report.failure_rate = {0.00015, 0.00003, 0.0004, 3, 20'000, 0.95};
  const std::string page = fl::render::html_report(report, {});
  check_page(page);
  CHECK(page.find("Too few failures to look for causes") != std::string::npos);
  CHECK(page.find("340\u00A0000") != std::string::npos);
  check_page(fl::render::html_report({}, {}));
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

TEST_CASE("a page says of each finding how common it is and shows its classes, the skipped ones among them") {
  const std::string page = fl::render::html_report(filled(), {}, {});
  check_page(page);
  CHECK(occurrences(page, "<h4>In each class</h4>") == 3);  // two findings, one suspect
  CHECK(page.find("All classes share 94\u00A0% (88\u00A0% to 99\u00A0%) of the effect") != std::string::npos);
  CHECK(page.find("+1.02 <span class=\"quiet\">(0.12)</span>") != std::string::npos);
  CHECK(page.find("skipped: fewer than two failures or passes") != std::string::npos);
  fl::FailureReport bare = filled();
  for (auto* findings : {&bare.findings, &bare.generator_suspect})
    for (fl::Finding& finding : *findings) finding.class_split = {};
  bare.class_rankings.clear();
  const std::string plain = fl::render::html_report(bare, {}, {});
  check_page(plain);
  CHECK(occurrences(plain, "<h4>In each class</h4>") == 0);
  CHECK(occurrences(plain, "<h4>Channels per class</h4>") == 0);
}
