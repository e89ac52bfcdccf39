// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What gates found as JUnit XML, Markdown, JSON and pictures, and how long results are told.

#include <faultline/data/png.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/catch2.hpp>
#include <faultline/testing/failure_pictures.hpp>
#include <faultline/testing/gate_report.hpp>

#include <support/catch2.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;
using fl::testing::GateFindings;
using fl::testing::GateMode;
using fl::testing::GateResult;
using fl::testing::GateStatement;
using fl::testing::GateVerdict;
using fl::testing::NamedGate;
using fl::testing::SuiteResult;

namespace {

GateResult told(GateVerdict verdict, std::string headline, GateMode mode = GateMode::full) {
  GateFindings found;
  found.verdict = verdict;
  found.policy = "FailureRateBelow";
  found.headline = std::move(headline);
  found.mode = mode;
  GateStatement statement;
  statement.name = "failure rate";
  statement.verdict = verdict;
  statement.evidence_against = verdict == GateVerdict::fail ? 1e6 : 1.0;
  statement.text = "31 of 256 failed.";
  found.statements.push_back(statement);
  return GateResult(std::move(found));
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("JUnit: a gate that does not hold fails, one that may be undecided is skipped") {
  const SuiteResult suite({{"a < b & \"c\"", told(GateVerdict::pass, "fine.")},
                           {"smoke", told(GateVerdict::undecided, "not known.", GateMode::smoke)},
                           {"full", told(GateVerdict::undecided, "not known.")},
                           {"bad", told(GateVerdict::fail, "the rate is <not> below.")}});
  const std::string xml = junit_xml(suite, "release");
  CHECK(xml.find("<testsuite name=\"release\" tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\">") !=
        std::string::npos);
  CHECK(xml.find("name=\"a &lt; b &amp; &quot;c&quot;\"") != std::string::npos);
  CHECK(xml.find("<failure message=\"the rate is &lt;not&gt; below.\">FAIL: ") != std::string::npos);
  CHECK(count(xml, "<testcase ") == 4);
  CHECK(count(xml, "</testcase>") == 4);
  CHECK(xml.find("<not>") == std::string::npos);
}

TEST_CASE("Markdown: a row for each gate, the rest folded, and nothing leaves its cell") {
  const SuiteResult suite(
      {{"a|b", told(GateVerdict::pass, "fine.")}, {"bad", told(GateVerdict::fail, "line\nbreak ``` end.")}});
  const std::string text = markdown_summary(suite, "Release 2");
  CHECK(text.find("## Release 2: **FAIL**") == 0);
  CHECK(text.find("| a\\|b | pass | fine. 31 of 256 failed. |") != std::string::npos);
  CHECK(text.find("| bad | **FAIL** | line break \\`\\`\\` end. 31 of 256 failed. |") != std::string::npos);
  CHECK(count(text, "<details>") == 1);
  CHECK(count(text, "```") == 2);
}

TEST_CASE("JSON: everything, by the names of the members") {
  const SuiteResult suite({{"bad", told(GateVerdict::fail, "no.")}});
  const auto json = nlohmann::json::parse(to_json(suite));
  CHECK(json["schema"] == "faultline.gates/1");
  CHECK(json["verdict"] == "fail");
  CHECK(json["failing"] == nlohmann::json::array({"bad"}));
  CHECK(json["gates"][0]["statements"][0]["text"] == "31 of 256 failed.");
  CHECK(json["gates"][0]["statements"][0]["interval"]["upper"] == 1.0);
  CHECK(json["gates"][0]["mode"] == "full");
}

TEST_CASE("of many statements those are told that fail, and the others counted") {
  GateFindings found = told(GateVerdict::fail, "some fail.").findings();
  found.statements.clear();
  for (int i = 0; i < 40; ++i) {
    GateStatement statement;
    statement.name = "s" + std::to_string(i);
    statement.verdict = i % 10 == 3 ? GateVerdict::fail : i % 2 == 0 ? GateVerdict::pass : GateVerdict::undecided;
    found.statements.push_back(statement);
  }
  const std::string text = GateResult(found).explain();
  CHECK(count(text, "FAILS: ") == 4);
  CHECK(count(text, "holds: ") + count(text, "open: ") == 0);
  CHECK(text.find("Of all 40, 20 hold, 4 fail and 16 are open.") != std::string::npos);
  found.statements.resize(5);
  CHECK(count(GateResult(found).explain(), "\n  ") == 5);
  CHECK_THROWS_AS(GateResult(GateFindings{}), fl::Error);
}

TEST_CASE("what failed is drawn beside the message, what passed is not") {
  const fl::AnalyticGenerator known({.factors = 2, .channels = 32, .classes = 4, .seed = 1});
  auto mine = fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > 1.5f ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "faultline_gate_pictures";
  std::filesystem::remove_all(folder);
  const auto good = fl::testing::gate(known, mine, fl::testing::FailureRateBelow{.bound = 0.3, .seed = 7});
  CHECK(fl::testing::with_pictures(good, known, mine, folder, "good").findings().pictures.empty());
  CHECK_FALSE(std::filesystem::exists(folder));
  const auto bad = fl::testing::with_pictures(
      fl::testing::gate(known, mine, fl::testing::FailureRateBelow{.bound = 0.01, .seed = 7}), known, mine, folder,
      "all images");
  REQUIRE(bad.findings().pictures.size() == 1);
  CHECK(bad.explain().find("\nPictures: " + (folder / "all_images.png").string()) != std::string::npos);
  CHECK(std::filesystem::file_size(folder / "all_images.png") > 1'000);
  std::filesystem::remove_all(folder);
}
