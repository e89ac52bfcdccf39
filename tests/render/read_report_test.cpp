// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/detail/described_reader.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/report_labels.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace fl = faultline;
using Json = nlohmann::ordered_json;

namespace {

fl::FailureReport filled() { return render_test::example_report(render_test::example_generator()); }

fl::ErrorCode code_of(const auto& function) {
  try {
    function();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{0};
}

}  // namespace

TEST_CASE("a report reads back as it was, whole") {
  fl::FailureReport report = filled();
  report.provenance.labels = fl::LabelPolicy::given({2, 1, 1});
  report.provenance.noise = fl::Noise::none;
  report.provenance.cutoff = 4;
  report.provenance.seed = -7;
  report.failure_rate.estimate = 0.1 + 0.2;
  report.findings.front().direction.class_label = 3;
  REQUIRE_FALSE(report.findings.back().threshold.flip);
  const faultline_tests::TemporaryDirectory directory;
  fl::write_json(report, directory.path() / "report.json");
  const fl::FailureReport stored = fl::read_report(directory.path() / "report.json");
  CHECK(stored == report);
  CHECK(fl::to_json(stored) == fl::to_json(report));

  const std::vector<fl::analysis::KnownCause> causes = fl::render::known_causes(stored);
  REQUIRE(causes.size() == report.findings.size());
  CHECK(causes[2].direction.parts == report.findings[2].direction.parts);
  for (std::size_t k = 0; k < causes.size(); ++k) {
    const fl::Finding& finding = report.findings[k];
    CHECK(causes[k].title == fl::render::title_of(report, finding));
    CHECK(causes[k].direction == finding.direction);
    if (finding.threshold.flip) CHECK(causes[k].flip == finding.threshold.flip->sigmas);
  }
  CHECK(std::isinf(causes.back().flip));
}

TEST_CASE("a report equals another one only when every member does") {
  const fl::FailureReport report = filled();
  const auto differs = [&](const auto& change) {
    fl::FailureReport other = report;
    change(other);
    return !(other == report) && other == other;
  };
  CHECK(report == filled());
  CHECK(differs([](fl::FailureReport& r) { r.warnings.clear(); }));
  CHECK(differs([](fl::FailureReport& r) { r.findings[1].carriers[9].threshold.emplace(); }));
  CHECK(differs([](fl::FailureReport& r) { r.findings[0].profile.properties[2][3] += 1e-12; }));
  CHECK(differs([](fl::FailureReport& r) { r.class_rankings[3].top[9].channel.flat += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.provenance.properties[0] = "blue"; }));
  CHECK(differs([](fl::FailureReport& r) { r.class_leak.reset(); }));
  CHECK(differs([](fl::FailureReport& r) { r.undecided[0].intervention.needed.reset(); }));
  CHECK(differs([](fl::FailureReport& r) { r.findings[1].other_end->at_flip[0].flips += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.findings[2].direction.parts[1][0] += 1e-12; }));
  CHECK(differs([](fl::FailureReport& r) { r.not_movable[0].condition.movability.reset(); }));
  CHECK(differs([](fl::FailureReport& r) { r.generators[0].response[0].bins[5].rate.n += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.interactions[0].failures(2, 3) += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.confusion(3, 4) += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.blame->generator.n += 1; }));
  CHECK(differs([](fl::FailureReport& r) { r.ceiling->estimate = std::nan(""); }));
}

TEST_CASE("what is not finite, null in JSON, reads back as what it can have been") {
  fl::FailureReport report = filled();
  report.findings.front().threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  report.findings.front().profile.probability[1] = std::nan("");
  report.findings.front().response[0].bins[0].rate.upper = std::nan("");
  report.associated.front().side_effects[0].strength = std::nan("");
  const fl::FailureReport stored = fl::parse_report(fl::to_json(report));
  CHECK(std::isinf(stored.findings.front().threshold.flip->sigmas));
  CHECK(std::isinf(fl::render::known_causes(stored).front().flip));
  CHECK(std::isnan(stored.findings.front().profile.probability[1]));
  CHECK(stored == report);
}

TEST_CASE("what is not a report, or contradicts itself, is refused") {
  using fl::ErrorCode;
  const Json good = Json::parse(fl::to_json(filled()));
  CHECK_NOTHROW(fl::parse_report(good.dump()));
  CHECK(code_of([] { (void)fl::parse_report("{"); }) == ErrorCode::malformed_header);
  CHECK(code_of([] { (void)fl::parse_report("[]"); }) == ErrorCode::foreign_format);
  CHECK(code_of([] { (void)fl::parse_report(R"({"schema": "faultline.report/3"})"); }) == ErrorCode::foreign_format);
  CHECK(code_of([] {
          (void)fl::parse_report(R"({"schema": "faultline.report/2", "schema": "faultline.report/2"})");
        }) == ErrorCode::malformed_header);
  CHECK(code_of([] { (void)fl::read_report("/nowhere/report.json"); }) == ErrorCode::cannot_open);
  const auto with = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return code_of([&] { (void)fl::parse_report(bad.dump()); });
  };
  CHECK(with("/findings/0/direction/w/3", "0.1") == ErrorCode::malformed_header);
  CHECK(with("/findings/0/direction/w/3", nullptr) == ErrorCode::malformed_header);
  CHECK(with("/findings/1/direction/w", Json::array({1.0})) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/direction/w", Json::array()) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/condition/kind", "hunch") == ErrorCode::malformed_header);
  CHECK(with("/findings/0/condition/shape", "") == ErrorCode::malformed_header);
  CHECK(with("/findings/0/condition/class_label", 4) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/intervention/decision", "perhaps") == ErrorCode::malformed_header);
  CHECK(with("/findings/2/direction/parts/1", Json::array({1.0})) == ErrorCode::malformed_header);
  CHECK(with("/findings/2/direction/parts/1/0", nullptr) == ErrorCode::malformed_header);
  CHECK(with("/not_movable/0/direction/parts", Json::array({Json::array({1.0})})) == ErrorCode::malformed_header);
  CHECK(with("/not_movable/0/direction/whitened", Json::array({1.0})) == ErrorCode::malformed_header);
  CHECK(with("/generators/0/direction/w", Json::array({1.0})) == ErrorCode::malformed_header);
  CHECK(with("/undecided/0/direction/w/0", nullptr) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/direction/class_label", 99) == ErrorCode::malformed_header);
  CHECK(with("/classes", 0) == ErrorCode::malformed_header);
  CHECK(with("/classes", 4.5) == ErrorCode::malformed_header);
  CHECK(with("/provenance/samples_per_split", -1) == ErrorCode::malformed_header);
  CHECK(with("/provenance/seed", 18446744073709551615u) == ErrorCode::malformed_header);
  CHECK(with("/provenance/noise", "loud") == ErrorCode::malformed_header);
  CHECK(with("/provenance/labels/label", -1) == ErrorCode::malformed_header);
  CHECK(with("/findings", "none") == ErrorCode::malformed_header);
  CHECK(with("/findings/0/sign", 2) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/examples/0/label", 4) == ErrorCode::malformed_header);
  CHECK(with("/findings/0/examples/0/index", -1) == ErrorCode::malformed_header);
  CHECK(with("/associated/0/direction/w", Json::array({1.0})) == ErrorCode::malformed_header);
  CHECK(with("/validity_checked", 1) == ErrorCode::malformed_header);
  CHECK(with("/blame/classifier/estimate", "high") == ErrorCode::malformed_header);
  CHECK(with("/attributable_together", nullptr) == ErrorCode::malformed_header);
  CHECK(with("/class_findings/0/class_label", 4) == ErrorCode::malformed_header);
  CHECK(with("/confusion/counts", Json::array({Json::array({1, 2, 3, 4})})) == ErrorCode::malformed_header);
  CHECK(with("/confusion/counts/2", Json::array({1})) == ErrorCode::malformed_header);
  CHECK(with("/confusion/counts/2/2", -1) == ErrorCode::malformed_header);
  CHECK(with("/interactions/0/samples/counts", Json::array()) == ErrorCode::malformed_header);
  CHECK(with("/interactions/0/failures/counts/1", Json::array({1})) == ErrorCode::malformed_header);
  CHECK(with("/interactions/0/failures/counts", Json::array()) == ErrorCode::malformed_header);
  CHECK(with("/interactions/0/first_edges", Json::array({1.0, 2.0})) == ErrorCode::malformed_header);
  CHECK(with("/interactions/0/second_edges", Json::array()) == ErrorCode::malformed_header);
  CHECK(with("/verdict", "guilty") == ErrorCode::malformed_header);
  CHECK(with("/verdict", "") == ErrorCode::malformed_header);
  CHECK(with("/class_names", Json::array({"a", "b", "c", "d", "e"})) == ErrorCode::malformed_header);
  CHECK(with("/provenance/truncation", nullptr) == ErrorCode::malformed_header);
  CHECK(with("/provenance/labels/labels", Json::array({0, 4})) == ErrorCode::malformed_header);
  const auto sentence = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return faultline_tests::error_text([&] { (void)fl::parse_report(bad.dump(), "old.json"); });
  };
  CHECK(sentence("/findings/0/direction/w/3", "0.1") ==
        "[F304] read_report(old.json): 'findings[0].direction.w[3]' must be a number or null");
  CHECK(sentence("/findings/0/direction/w/3", nullptr) ==
        "[F304] read_report(old.json): 'findings[0].direction.w[3]' must be a number");
  CHECK(sentence("/findings/1/carriers/0/channel/surprise", 1) ==
        "[F304] read_report(old.json): 'findings[1].carriers[0].channel' has the unknown entry 'surprise'");
  CHECK(sentence("/findings/1/threshold/even_odds", Json::object()) ==
        "[F304] read_report(old.json): 'findings[1].threshold.even_odds' has no 'sigmas'");
  CHECK(sentence("/confusion/counts/2", Json::array({1})) ==
        "[F304] read_report(old.json): 'confusion.counts' must have rows of one length");
  CHECK(sentence("/interactions/0/first_edges", Json::array({1.0, 2.0})) ==
        "[F304] read_report(old.json): 'interactions[0].failures' must fit the edges of the map");
  CHECK(sentence("/findings/2/direction/parts/1", Json::array({1.0})) ==
        "[F304] read_report(old.json): 'findings[2].direction.parts' must be as long as every other direction");
  for (const auto& [key, value] : good.items()) {
    Json bad = good;
    bad.erase(key);
    CHECK(code_of([&] { (void)fl::parse_report(bad.dump()); }) ==
          (key == "schema" ? ErrorCode::foreign_format : ErrorCode::malformed_header));
  }
  for (const char* key : {"classes", "class_names", "provenance", "findings"}) {
    Json bad = good;
    bad.erase(key);
    CHECK(code_of([&] { (void)fl::parse_report(bad.dump()); }) == ErrorCode::malformed_header);
  }
}

TEST_CASE("a report of an earlier version is refused in one sentence that says to make it again") {
  const auto sentence = [](const std::string& schema) {
    return faultline_tests::error_text([&] { (void)fl::parse_report("{\"schema\": " + schema + "}", "old.json"); });
  };
  CHECK(sentence("\"faultline.report/1\"") ==
        "[F310] read_report(old.json): this report is of the earlier schema faultline.report/1, in which names and "
        "numbers mean something else than in faultline.report/2: make it again with this version");
  for (const char* other : {"\"faultline.report/3\"", "\"faultline.report/10\"", "\"faultline.report/0\"",
                            "\"faultline.report/!\"", "\"faultline.report/\"", "\"faultline.report\"", "\"\"", "1",
                            "null", "\"faultline.paper/1\"", "\"faultline.report/99999999999999999999\""}) {
    INFO(other);
    CHECK(sentence(other) ==
          "[F310] read_report(old.json): this is not a report of the schema faultline.report/2; give the report.json "
          "of a characterisation");
  }
  const auto older = [](const char* given, const char* schema) {
    return fl::render::detail::is_older(nlohmann::json{{"schema", given}}, schema);
  };
  CHECK(older("a/9", "a/10"));
  CHECK_FALSE(older("a/10", "a/9"));
  CHECK_FALSE(older("a/2", "a/2"));
  CHECK_FALSE(older("b/1", "a/2"));
  CHECK_FALSE(fl::render::detail::is_older(nlohmann::json::array(), "a/2"));
}

TEST_CASE("conditions without a direction read back so, and a map may be missing") {
  fl::FailureReport report = filled();
  report.interactions[0].failures = report.interactions[0].samples = {};  // one of the properties never varies
  report.interactions[0].second_edges = {1.0};
  report.confusion = {};
  for (fl::Finding& finding : report.findings) finding.direction = {finding.title, {}, {}, std::nullopt, {}};
  const fl::FailureReport stored = fl::parse_report(fl::to_json(report));
  CHECK(stored == report);
  CHECK(fl::render::known_causes(stored).empty());
}

TEST_CASE("the seeds of the fuzz target are reports of this schema") {
  const auto folder = std::filesystem::path(__FILE__).parent_path() / "../fuzz/report_corpus";
  CHECK(fl::read_report(folder / "report").interactions.front().samples(0, 0) == 0);
  CHECK(fl::read_report(folder / "report_bare").findings.empty());
}
