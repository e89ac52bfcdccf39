// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/json_report.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>

#include <clocale>

namespace fl = faultline;
using render_test::SchemaValidator;
using Json = nlohmann::ordered_json;

namespace {

nlohmann::json schema() {
  return nlohmann::json::parse(faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() /
                                                        "../../docs/reference/report.schema.json"));
}

fl::FailureReport filled() { return render_test::example_report(render_test::example_generator()); }

}  // namespace

TEST_CASE("a filled report is valid after its schema, and so is an empty one") {
  SchemaValidator validator(schema());
  CHECK(validator.complaints(Json::parse(fl::to_json(filled()))) == std::vector<std::string>{});
  CHECK(validator.complaints(Json::parse(fl::to_json(fl::FailureReport{}))) == std::vector<std::string>{});
}

TEST_CASE("the schema refuses what is not a report") {
  SchemaValidator validator(schema());
  const Json good = Json::parse(fl::to_json(filled()));
  const auto refused = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return !validator.complaints(bad).empty();
  };
  CHECK(refused("/verdict", "guilty"));
  CHECK(refused("/schema", "faultline.report/1"));
  CHECK(refused("/failure_rate/n", 12.5));
  CHECK(refused("/findings/0/direction/w/3", "0.1"));
  CHECK(refused("/findings/0/threshold/flip/monotone", nullptr));
  CHECK(refused("/findings/1/carriers/0/channel/surprise", 1));
  CHECK(refused("/provenance/noise", "loud"));
  CHECK(refused("/findings/0/condition/kind", "hunch"));
  CHECK(refused("/findings/0/condition/shape", "round"));
  CHECK(refused("/findings/0/condition/movability", false));
  CHECK(refused("/findings/0/intervention/decision", "perhaps"));
  CHECK(refused("/findings/0/intervention/latents", nullptr));
  CHECK(refused("/findings/1/other_end", Json::object()));
  CHECK(refused("/undecided/0/direction/parts/0", 1.0));
  CHECK(refused("/not_movable/1/condition/moves_along", 3));
  CHECK(refused("/generators/0/response/0/bins/0/rate", 0.5));
  CHECK(refused("/confusion/counts/0/0", 1.5));
  CHECK(refused("/interactions/0/samples", Json::array()));
  CHECK(refused("/class_findings/0/fault", "slow"));
  CHECK(refused("/blame/classifier", nullptr));
  CHECK(refused("/validity_checked", nullptr));
  for (const auto& [key, value] : good.items()) {
    Json bad = good;
    bad.erase(key);
    CHECK_FALSE(validator.complaints(bad).empty());
  }
}

TEST_CASE("every member of the report's structures is a key, under its own name and in its order") {
  // A structured binding names every member or does not compile: a member that is added to the report has to be added
  // here, to the JSON and to the schema.
  const fl::FailureReport report = filled();
  const Json json = Json::parse(fl::to_json(report));
  const auto keys = [](const Json& object) {
    std::vector<std::string> names;
    for (const auto& [key, value] : object.items()) names.push_back(key);
    return names;
  };
  CHECK(keys(json) == std::vector<std::string>{"schema",
                                               "verdict",
                                               "reason",
                                               "failure_rate",
                                               "validity_checked",
                                               "blame",
                                               "class_leak",
                                               "class_leaks",
                                               "class_rates",
                                               "confusion",
                                               "class_findings",
                                               "effective_failures_discovery",
                                               "effective_failures_confirmation",
                                               "samples_needed",
                                               "findings",
                                               "associated",
                                               "undecided",
                                               "not_movable",
                                               "generators",
                                               "attributable_together",
                                               "explained",
                                               "ceiling",
                                               "interactions",
                                               "smallest_detectable",
                                               "property_distances",
                                               "paper_top",
                                               "property_names",
                                               "property_units",
                                               "property_r2",
                                               "layers",
                                               "classes",
                                               "class_names",
                                               "cost",
                                               "provenance",
                                               "warnings",
                                               "cut_short",
                                               "class_rankings",
                                               "real_images"});
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab,
                                  ac, ad, ae, af, ag, ah, ai, aj, ak, al] = report;
    CHECK(json.size() == 38);
  }
  const Json& finding = json["findings"][0];
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = report.findings[0];
    CHECK(keys(finding) == std::vector<std::string>{"title",        "headline",     "condition", "confirmation",
                                                    "intervention", "attributable", "direction", "channel",
                                                    "sign",         "threshold",    "other_end", "profile",
                                                    "side_effects", "answers",      "response",  "carriers",
                                                    "validity",     "histogram",    "examples",  "class_split"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k] = report.findings[0].condition;
    CHECK(finding["condition"].size() == 11);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k] = report.findings[0].intervention;
    CHECK(finding["intervention"].size() == 11);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].attributable;
    CHECK(finding["attributable"].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].direction;
    CHECK(finding["direction"].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d] = report.findings[0].threshold;
    CHECK(finding["threshold"].size() == 4);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = *report.findings[0].threshold.flip;
    CHECK(finding["threshold"]["flip"].size() == 15);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f] = report.findings[0].threshold.at_flip[0];
    CHECK(finding["threshold"]["at_flip"][0].size() == 6);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].profile;
    CHECK(finding["profile"].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b] = report.findings[0].answers[0];
    CHECK(finding["answers"][0].size() == 2);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].response[0];
    CHECK(finding["response"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].response[0].bins[0];
    CHECK(finding["response"][0]["bins"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i] = report.real_images[0];
    CHECK(json["real_images"][0].size() == 9);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h] = report.findings[0].carriers[0];
    CHECK(finding["carriers"][0].size() == 8);
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.findings[0].validity;
    CHECK(finding["validity"].size() == 3);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h] = report.findings[0].class_split;
    CHECK(finding["class_split"].size() == 8);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.findings[0].class_split.classes[0];
    CHECK(finding["class_split"]["classes"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.findings[0].intervention.classes[0];
    CHECK(finding["intervention"]["classes"][0].size() == 3);
  }
  {
    [[maybe_unused]] const auto& [a, b] = *report.blame;
    CHECK(json["blame"].size() == 2);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.class_findings[0];
    CHECK(json["class_findings"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = report.interactions[0];
    CHECK(json["interactions"][0].size() == 14);
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = *report.smallest_detectable;
    CHECK(json["smallest_detectable"].size() == 3);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.property_distances[0];
    CHECK(json["property_distances"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j] = report.paper_top[0];
    CHECK(json["paper_top"][0].size() == 10);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j] = report.cost;
    CHECK(json["cost"].size() == 10);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] =
        report.provenance;
    CHECK(json["provenance"].size() == 24);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.class_rankings[0];
    CHECK(json["class_rankings"][0].size() == 5);
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d] = report.class_rankings[0].top[0];
    CHECK(json["class_rankings"][0]["top"][0].size() == 4);
  }
}

TEST_CASE("numbers read back exactly, and what is not finite is null") {
  fl::FailureReport report = filled();
  report.failure_rate.estimate = 0.1 + 0.2;
  report.findings[0].threshold.flip->sigmas = std::numeric_limits<double>::infinity();
  report.findings[0].profile.probability[0] = std::numeric_limits<double>::quiet_NaN();
  report.findings[0].threshold.even_odds.reset();
  report.provenance.seed = std::numeric_limits<std::int64_t>::max();
  const Json json = Json::parse(fl::to_json(report));
  CHECK(json["failure_rate"]["estimate"].get<double>() == 0.1 + 0.2);
  CHECK(json["findings"][0]["threshold"]["flip"]["sigmas"].is_null());
  CHECK(json["findings"][0]["profile"]["probability"][0].is_null());
  CHECK(json["findings"][0]["threshold"]["even_odds"].is_null());
  CHECK(json["provenance"]["seed"].get<std::int64_t>() == std::numeric_limits<std::int64_t>::max());
  CHECK(json["findings"][1]["direction"]["class_label"] == 2);
  CHECK(json["findings"][1]["condition"]["shape"] == "two_sided");
  CHECK(json["findings"][1]["other_end"]["flip"]["sigmas"] == 3.4);
  CHECK(json["findings"][0]["other_end"].is_null());
  CHECK(json["findings"][2]["direction"]["parts"][1] == Json(report.findings[2].direction.parts[1]));
  CHECK(json["not_movable"][0]["direction"]["w"] == Json::array());
  CHECK(json["not_movable"][1]["condition"]["moves_along"] == "noise level");
  CHECK(json["not_movable"][0]["intervention"]["decision"].is_null());
  CHECK(json["interactions"][0]["samples"]["counts"][2] == Json({205, 190, 19, 201}));
  CHECK(json["findings"][0]["direction"]["class_label"].is_null());
  CHECK(SchemaValidator(schema()).complaints(json) == std::vector<std::string>{});
}

TEST_CASE("the same report gives the same bytes in any locale, and strange names do no harm") {
  fl::FailureReport report = filled();
  report.warnings.push_back("broken \xC3( bytes \xFF, a quote \" and\na line");
  const std::string text = fl::to_json(report);
  CHECK(fl::to_json(report) == text);
  const Json json = Json::parse(text);
  CHECK(json["warnings"].back().get<std::string>().find("a quote \" and\na line") != std::string::npos);
  for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"})
    if (std::setlocale(LC_ALL, locale)) CHECK(fl::to_json(report) == text);
  std::setlocale(LC_ALL, "C");
}

TEST_CASE("write_json replaces the file as a whole or says why not") {
  const faultline_tests::TemporaryDirectory directory;
  const fl::FailureReport report = filled();
  fl::write_json(report, directory / "report.json");
  CHECK(faultline_tests::text_of(directory / "report.json") == fl::to_json(report));
  CHECK(faultline_tests::error_code([&] { fl::write_json(report, directory / "absent" / "report.json"); }) ==
        fl::ErrorCode::cannot_write);
  CHECK(directory.names() == std::vector<std::string>{"report.json"});
}
