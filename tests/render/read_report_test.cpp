// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/json_report.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/titles.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <limits>

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
  report.findings.back().threshold.flip.reset();
  report.findings.front().direction.class_label = 3;
  const faultline_tests::TemporaryDirectory directory;
  fl::write_json(report, directory.path() / "report.json");
  const fl::FailureReport stored = fl::read_report(directory.path() / "report.json");
  CHECK(stored == report);
  CHECK(fl::to_json(stored) == fl::to_json(report));

  const std::vector<fl::analysis::KnownCause> causes = fl::render::known_causes(stored);
  REQUIRE(causes.size() == report.findings.size());
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
  CHECK(differs([](fl::FailureReport& r) { r.omnibus.p = std::nan(""); }));
}

TEST_CASE("what is not finite, null in JSON, reads back as what it can have been") {
  fl::FailureReport report = filled();
  report.findings.front().threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  report.findings.front().profile.probability[1] = std::nan("");
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
  CHECK(code_of([] { (void)fl::parse_report(R"({"schema": "faultline.report/2"})"); }) == ErrorCode::foreign_format);
  CHECK(code_of([] {
          (void)fl::parse_report(R"({"schema": "faultline.report/1", "schema": "faultline.report/1"})");
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
  CHECK(with("/findings/0/direction/family", "hunch") == ErrorCode::malformed_header);
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
  CHECK(with("/omnibus/significant", 1) == ErrorCode::malformed_header);
  CHECK(with("/omnibus/auc", "high") == ErrorCode::malformed_header);
  CHECK(with("/omnibus", nullptr) == ErrorCode::malformed_header);
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
  CHECK(sentence("/findings/1/threshold/half", Json::object()) ==
        "[F304] read_report(old.json): 'findings[1].threshold.half' has no 'sigmas'");
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
