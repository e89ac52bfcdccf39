// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/json_report.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/titles.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <cmath>

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

TEST_CASE("what explaining an image needs reads back from a report as it was") {
  fl::FailureReport report = filled();
  report.provenance.labels = fl::LabelPolicy::given({2, 1, 1});
  report.provenance.noise = fl::Noise::none;
  report.provenance.cutoff = 4;
  report.findings.back().threshold.flip.reset();
  report.findings.front().direction.class_label = 3;
  const faultline_tests::TemporaryDirectory directory;
  fl::write_json(report, directory.path() / "report.json");
  const fl::StoredReport stored = fl::read_report(directory.path() / "report.json");
  CHECK(stored.classes == report.classes);
  CHECK(stored.class_names == report.class_names);
  CHECK(stored.provenance == report.provenance);
  REQUIRE(stored.causes.size() == report.findings.size());
  for (std::size_t k = 0; k < stored.causes.size(); ++k) {
    const fl::Finding& finding = report.findings[k];
    CHECK(stored.causes[k].title == fl::title_of(report, finding));
    CHECK(stored.causes[k].direction.w == finding.direction.w);
    CHECK(stored.causes[k].direction.class_label == finding.direction.class_label);
    if (finding.threshold.flip) CHECK(stored.causes[k].flip == finding.threshold.flip->sigmas);
  }
  CHECK(std::isinf(stored.causes.back().flip));
}

TEST_CASE("a distance beyond the searched range, null in JSON, reads back as infinite") {
  fl::FailureReport report = filled();
  report.findings.front().threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  CHECK(std::isinf(fl::parse_report(fl::to_json(report)).causes.front().flip));
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
  CHECK(with("/provenance/samples_per_half", -1) == ErrorCode::malformed_header);
  CHECK(with("/provenance/seed", 18446744073709551615u) == ErrorCode::malformed_header);
  CHECK(with("/provenance/noise", "loud") == ErrorCode::malformed_header);
  CHECK(with("/provenance/labels/label", -1) == ErrorCode::malformed_header);
  CHECK(with("/findings", "none") == ErrorCode::malformed_header);
  for (const char* key : {"classes", "class_names", "provenance", "findings"}) {
    Json bad = good;
    bad.erase(key);
    CHECK(code_of([&] { (void)fl::parse_report(bad.dump()); }) == ErrorCode::malformed_header);
  }
}
