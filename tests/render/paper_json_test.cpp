// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/render/paper_json.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using render_test::SchemaValidator;
using Json = nlohmann::ordered_json;

namespace {

nlohmann::json schema() {
  return nlohmann::json::parse(faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() /
                                                        "../../docs/reference/paper.schema.json"));
}

/// A real run on the generator whose truth is known, with every part filled.
const fl::PaperReport& filled() {
  static const fl::PaperReport report = [] {
    const auto known = render_test::example_generator();
    auto mine = render_test::example_classifier(known);
    const fl::StyleSpaceSampler sampler(known, {.seed = 7});
    fl::FailureAnalyzer analyzer(sampler, mine, fl::Misclassified{}, {.samples = 1000});
    fl::PaperOptions options;
    options.attfind = {.images = 4, .ranked_channels = 8, .spread_channels = 4};
    options.corner_cases.pool = 20;
    fl::PaperReport made = analyzer.run_paper(options);
    fl::analysis::RankedChannel row = made.top.at(0).ranked;  // the rule has no gradient
    row.gradient = -0.25;
    made.top_by_gradient.push_back(row);
    return made;
  }();
  return report;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

}  // namespace

TEST_CASE("the paper's report is valid after its schema, filled and empty") {
  SchemaValidator validator(schema());
  const Json json = Json::parse(fl::to_json(filled()));
  CHECK(validator.complaints(json) == std::vector<std::string>{});
  CHECK(validator.complaints(Json::parse(fl::to_json(fl::PaperReport{}))) == std::vector<std::string>{});
  for (const char* list :
       {"top", "top_by_gradient", "random_channel_effects", "classes", "agreement", "properties", "layers"})
    CHECK(!json[list].empty());
  CHECK(!json["classes"][0]["distances"].empty());
  CHECK(!json["classes"][0]["corner_cases"].empty());
  CHECK(!json["attfind"]["cover"].empty());
  CHECK(json["provenance"]["seed"] == 7);
  CHECK(json["cost"]["classifier_images"].get<std::int64_t>() > 2000);

  const auto refused = [&](const char* pointer, const Json& value) {
    Json bad = json;
    bad[Json::json_pointer(pointer)] = value;
    return !validator.complaints(bad).empty();
  };
  CHECK(refused("/schema", "faultline.report/1"));
  CHECK(refused("/classes/0/status", "fine"));
  CHECK(refused("/classes/0/distances/0/status", "near"));
  CHECK(refused("/classes/0/corner_cases/0/signs/0", 2));
  CHECK(refused("/classes/0/corner_cases/0/images", Json::array()));
  CHECK(refused("/attfind/images", 0.5));
  CHECK(refused("/agreement/0/tau", "high"));
  for (const auto& [key, value] : json.items()) {
    Json bad = json;
    bad.erase(key);
    CHECK_FALSE(validator.complaints(bad).empty());
  }
}

TEST_CASE("every member of the paper's structures is a key, under its own name and in its order") {
  // A structured binding names every member or does not compile.
  const fl::PaperReport& report = filled();
  const Json json = Json::parse(fl::to_json(report));
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = report;
    CHECK(keys(json) == std::vector<std::string>{"schema", "note", "failure_rate", "top", "top_by_gradient", "together",
                                                 "random_channel_effects", "effect_latents", "classes", "attfind",
                                                 "agreement", "properties", "layers", "class_names", "cost",
                                                 "provenance"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i] = report.classes.at(0);
    CHECK(keys(json["classes"][0]) == std::vector<std::string>{"class_label", "status", "note", "failures", "successes",
                                                               "probability", "distances", "together", "corner_cases"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, images] = report.classes.at(0).corner_cases.at(0);
    CHECK(keys(json["classes"][0]["corner_cases"][0]) == std::vector<std::string>{"class_label", "channels", "signs",
                                                                                  "sigmas", "failed", "probability",
                                                                                  "prediction"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i] = *report.attfind;
    CHECK(keys(json["attfind"]) == std::vector<std::string>{"images", "cost", "channels", "effect_smallest",
                                                            "effect_largest", "flipped_smallest", "flipped_largest",
                                                            "cover", "unexplained"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f] = report.agreement.at(0);
    CHECK(keys(json["agreement"][0]) ==
          std::vector<std::string>{"first", "second", "channels", "jaccard", "tau", "same_sign"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.properties.at(0);
    CHECK(keys(json["properties"][0]) == std::vector<std::string>{"name", "by_class", "common", "error", "spread"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.top.at(0);
    [[maybe_unused]] const auto& [d, e, f] = report.top.at(0).effect;
    CHECK((json["top"][0].size() == 3 && json["top"][0]["effect"].size() == 3));
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.classes.at(0).distances.at(0);
    [[maybe_unused]] const auto& [d, e, f, g, h] = report.attfind->cover.at(0);
    CHECK((json["classes"][0]["distances"][0].size() == 3 && json["attfind"]["cover"][0].size() == 5));
  }
}

TEST_CASE("the paper's report reads back as it was written, but for images") {
  fl::PaperReport report = filled();
  const faultline_tests::TemporaryDirectory directory;
  fl::write_json(report, directory / "paper.json");
  const fl::PaperReport stored = fl::render::read_paper_report(directory / "paper.json");
  CHECK_FALSE(stored == report);
  for (fl::paper::PaperClass& one : report.classes)
    for (fl::paper::CornerCase& found : one.corner_cases) found.images = {};
  CHECK(stored == report);
  CHECK(fl::to_json(stored) == fl::to_json(filled()));

  const Json good = Json::parse(fl::to_json(report));
  const auto refusal = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return faultline_tests::error_text([&] { (void)fl::render::parse_paper_report(bad.dump()); });
  };
  CHECK(refusal("/schema", "faultline.report/1").rfind("[F310] read_paper_report(memory): ", 0) == 0);
  CHECK(refusal("/classes/1/status", "fine") ==
        "[F304] read_paper_report(memory): 'classes[1].status' has the unknown value \"fine\"");
  CHECK(refusal("/classes/0/corner_cases/0/signs/0", 2).find("'classes[0].corner_cases[0].signs[0]'") !=
        std::string::npos);
  CHECK(refusal("/classes/0/corner_cases/0/images", Json::array()).find("unknown entry 'images'") != std::string::npos);
  CHECK(refusal("/classes/0/class_label", 4).find("'classes[0].class_label'") != std::string::npos);
  CHECK(refusal("/provenance/batch_size", 0).find("'provenance.batch_size'") != std::string::npos);
  CHECK(faultline_tests::error_code([] { (void)fl::render::read_paper_report("/nowhere/paper.json"); }) ==
        fl::ErrorCode::cannot_open);
}

TEST_CASE("the paper's method finds the planted channel, and corner cases are stored as an array") {
  const auto known = render_test::example_generator();
  CHECK(filled().top.at(0).ranked.channel.flat == known.factor_channel(0));
  CHECK(filled().attfind->cover.at(0).channel.flat == known.factor_channel(0));
  const faultline_tests::TemporaryDirectory directory;
  fl::write_json(filled(), directory / "paper.json");
  CHECK(faultline_tests::text_of(directory / "paper.json") == fl::to_json(filled()));
  fl::render::write_corner_cases(fl::PaperReport{}, directory / "none.npy");
  fl::render::write_corner_cases(filled(), directory / "cases.npy");
  CHECK(directory.names() == std::vector<std::string>{"cases.npy", "paper.json"});
  const std::string npy = faultline_tests::text_of(directory / "cases.npy");
  CHECK(npy.find("(12, 2, 1, 16, 16)") != std::string::npos);
  CHECK(npy.size() == 128 + 12 * 2 * 16 * 16 * sizeof(float));
  CHECK(faultline_tests::error_code([&] { fl::write_json(filled(), directory / "absent" / "paper.json"); }) ==
        fl::ErrorCode::cannot_write);
}
