// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/comparison_report.hpp>

#include <core/temporary_directory.hpp>
#include <render/markup.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
using render_test::SchemaValidator;
using Json = nlohmann::ordered_json;

namespace {

nlohmann::json schema() {
  return nlohmann::json::parse(
      faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() / "../../docs/comparison.schema.json"));
}

/// Two classifiers with something of everything.
fl::ComparisonReport filled() {
  constexpr double inf = std::numeric_limits<double>::infinity();
  fl::ComparisonReport report;
  report.classes = 2;
  report.class_names = {"cat", "horse & cart"};
  report.property_names = {"blur"};
  const fl::Rate rate{0.05, 0.04, 0.06, 100, 2000, 0.95};
  report.classifiers = {{"release 4.1",
                         rate,
                         {rate, rate},
                         fl::Verdict::systematic_causes,
                         "2 directions were confirmed.",
                         {"blur", "noise level (component 3)"}},
                        {"release 4.2",
                         {0.01, 0.006, 0.015, 20, 2000, 0.95},
                         {rate, {}},
                         fl::Verdict::too_few_failures,
                         "Only 20 failures.",
                         {}}};
  fl::analysis::Direction direction;
  direction.family = fl::DirectionFamily::component;
  direction.name = "component 3";
  direction.w = {0.25, -0.5};
  direction.whitened = {0.6, 0.8};
  fl::analysis::SeparatingDirection separating;
  separating.title = "blur (component 3)";
  separating.direction = direction;
  separating.wrong_contrast = 0.4;
  separating.right_contrast = 0.03;
  separating.codes_for = 50;
  separating.codes_against = 2;
  separating.separation_p = 1e-9;
  separating.side_effects = {{"blur", 1.8}};
  fl::analysis::SeparatingDirection weak = separating;
  weak.title = "contrast";
  weak.side_effects.clear();
  fl::analysis::OrderedComparison order{1,
                                        0,
                                        fl::Verdict::systematic_causes,
                                        "1 direction leads to where release 4.2 is right.",
                                        80.0,
                                        75.0,
                                        0,
                                        {separating},
                                        {weak}};
  fl::analysis::OrderedComparison reverse{
      0, 1, fl::Verdict::too_few_failures, "On only 4 samples of both halves ...", 2.0, 1.0, 30'000, {}, {}};
  report.pairs = {{0, 1, fl::statistics::test_pairs({1896, 84, 4, 16}), 1e-12, {reverse, order}}};
  fl::analysis::PairedDistance distance;
  distance.title = "more blur";
  distance.source = "property";
  distance.direction = direction;
  distance.codes = 64;
  distance.distances = {{2.5, 2.1, 2.9, 1.0, false, 0.97}, {4.5, 4.1, 5.2, 0.9, true, std::nullopt}};
  distance.ratios = {{0, 1, 1.8, 1.5, 2.1, 60, 2, 1e-12, 1e-11}};
  fl::analysis::PairedDistance beyond = distance;
  beyond.title = "blur";
  beyond.source = "release 4.1";
  beyond.distances[1] = {inf, inf, inf, 0.1, false, std::nullopt};
  beyond.ratios = {{0, 1, std::nullopt, 3.4, inf, 64, 0, 1e-19, 1e-18}};
  fl::analysis::PairedDistance neither = beyond;
  neither.title = "less blur";
  neither.distances[0] = neither.distances[1];
  neither.ratios = {{0, 1, std::nullopt, 0.0, inf, 0, 0, 1.0, 1.0}};
  fl::analysis::PairedDistance empty;
  empty.title = "nobody is right";
  empty.source = "property";
  report.distances = {distance, beyond, neither, empty};
  const std::vector<fl::analysis::AccuracyBin> bins = {
      {0.0, 0.8, rate}, {0.8, 1.2, rate}, {1.2, inf, {0.2, 0.1, 0.3, 20, 100, 0.95}}};
  report.accuracy = {{"release 4.1", std::nullopt, bins},
                     {"release 4.2", std::nullopt, bins},
                     {"release 4.1", 0, bins},
                     {"release 4.2", 0, bins},
                     {"release 4.1", 1, {{0.0, 0.8, {}}, {0.8, 1.2, {}}, {1.2, inf, {}}}}};
  report.accuracy_channels = {{2, 17, 145}, {3, 4, 260}};
  report.population_cost.generator_images = 2000;
  report.cost.generator_images = 31'000;
  report.provenance.classifier_name = "release 4.1, release 4.2";
  report.provenance.library_version = "0.1.0";
  report.provenance.samples_per_split = 1000;
  report.provenance.seed = 7;
  report.warnings = {"[F601] accuracy_axis: something <small>"};
  return report;
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
    if (name == "href") {
      REQUIRE(value.size() > 1);
      CHECK(value[0] == '#');
      CHECK(markup.ids.count(value.substr(1)) == 1);
    }
    CHECK(name.rfind("on", 0) != 0);
    if (name != "xmlns") CHECK(value.find("://") == std::string::npos);
  }
  CHECK(page.find("default-src 'none'") != std::string::npos);
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

}  // namespace

TEST_CASE("a filled comparison is valid after its schema, and so is an empty one") {
  SchemaValidator validator(schema());
  CHECK(validator.complaints(Json::parse(fl::to_json(filled()))) == std::vector<std::string>{});
  CHECK(validator.complaints(Json::parse(fl::to_json(fl::ComparisonReport{}))) == std::vector<std::string>{});
}

TEST_CASE("the schema refuses what is not a comparison") {
  SchemaValidator validator(schema());
  const Json good = Json::parse(fl::to_json(filled()));
  const auto refused = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return !validator.complaints(bad).empty();
  };
  CHECK(refused("/schema", "faultline.report/1"));
  CHECK(refused("/classifiers/0/verdict", "guilty"));
  CHECK(refused("/pairs/0/test/counts/both_fail", 1.5));
  CHECK(refused("/pairs/0/orders/1/directions/0/surprise", 1));
  CHECK(refused("/distances/0/ratios/0/ratio", "1.8"));
  CHECK(refused("/distances/0/distances/0/off_manifold", nullptr));
  CHECK(refused("/accuracy/0/class_label", "cat"));
  for (const auto& [key, value] : good.items()) {
    Json bad = good;
    bad.erase(key);
    CHECK_FALSE(validator.complaints(bad).empty());
  }
}

TEST_CASE("every member of the comparison's structures is a key, under its own name and in its order") {
  // A structured binding names every member or does not compile: a member that is added has to be added here, to the
  // JSON and to the schema.
  const fl::ComparisonReport report = filled();
  const Json json = Json::parse(fl::to_json(report));
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = report;
    CHECK(keys(json) == std::vector<std::string>{"schema", "classifiers", "pairs", "distances", "accuracy",
                                                 "accuracy_channels", "property_names", "classes", "class_names",
                                                 "population_cost", "cost", "provenance", "warnings"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f] = report.classifiers[0];
    CHECK(keys(json["classifiers"][0]) ==
          std::vector<std::string>{"name", "failure_rate", "class_rates", "verdict", "reason", "findings"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.pairs[0];
    CHECK(keys(json["pairs"][0]) == std::vector<std::string>{"first", "second", "test", "p_adjusted", "orders"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f] = report.pairs[0].test;
    CHECK(keys(json["pairs"][0]["test"]) ==
          std::vector<std::string>{"counts", "p", "difference", "lower", "upper", "confidence"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d] = report.pairs[0].test.counts;
    CHECK(keys(json["pairs"][0]["test"]["counts"]) ==
          std::vector<std::string>{"both_right", "only_first_fails", "only_second_fails", "both_fail"});
  }
  const Json& order = json["pairs"][0]["orders"][1];
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i] = report.pairs[0].orders[1];
    CHECK(keys(order) == std::vector<std::string>{"right", "wrong", "verdict", "reason", "effective_failures_discovery",
                                                  "effective_failures_confirmation", "samples_needed", "directions",
                                                  "associated"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = report.pairs[0].orders[1].directions[0];
    CHECK(keys(order["directions"][0]) == std::vector<std::string>{"title", "direction", "discovery", "confirmation",
                                                                   "intervention", "right_contrast", "wrong_contrast",
                                                                   "codes_for", "codes_against", "separation_p",
                                                                   "separation_p_adjusted", "side_effects"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g] = report.distances[0];
    CHECK(keys(json["distances"][0]) ==
          std::vector<std::string>{"title", "source", "sign", "direction", "codes", "distances", "ratios"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f] = report.distances[0].distances[0];
    CHECK(keys(json["distances"][0]["distances"][0]) ==
          std::vector<std::string>{"sigmas", "lower", "upper", "crossed_share", "off_manifold", "judge_agreement"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i] = report.distances[0].ratios[0];
    CHECK(keys(json["distances"][0]["ratios"][0]) == std::vector<std::string>{"first", "second", "ratio", "lower",
                                                                              "upper", "second_farther",
                                                                              "first_farther", "p", "p_adjusted"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.accuracy[0];
    CHECK(keys(json["accuracy"][0]) == std::vector<std::string>{"name", "class_label", "bins"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.accuracy[0].bins[0];
    CHECK(keys(json["accuracy"][0]["bins"][0]) == std::vector<std::string>{"lower", "upper", "rate"});
  }
  CHECK(json["accuracy"][0]["bins"][2]["upper"].is_null());  // open
  CHECK(json["accuracy"][2]["class_label"] == 0);
  CHECK(json["distances"][1]["distances"][1]["sigmas"].is_null());
  CHECK(json["distances"][0]["ratios"][0]["ratio"] == 1.8);
}

TEST_CASE("a comparison reads back as it was written, and gives the same page") {
  const fl::ComparisonReport report = filled();
  const faultline_tests::TemporaryDirectory directory;
  fl::write_comparison(report, directory.path());
  const fl::ComparisonReport stored = fl::render::read_comparison(directory / "comparison.json");
  CHECK(stored == report);
  CHECK(fl::to_json(stored) == fl::to_json(report));
  CHECK(fl::render::html_comparison(stored) == fl::render::html_comparison(report));
  fl::ComparisonReport other = report;
  other.distances[1].ratios[0].upper = 1e9;
  CHECK_FALSE(stored == other);
}

TEST_CASE("what is not a comparison, or contradicts itself, is refused with its place") {
  const Json good = Json::parse(fl::to_json(filled()));
  const auto refusal = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return faultline_tests::error_text([&] { (void)fl::render::parse_comparison(bad.dump()); });
  };
  CHECK(refusal("/schema", "faultline.report/1").rfind("[F310] read_comparison(memory): ", 0) == 0);
  CHECK(refusal("/pairs/0/second", 2) ==
        "[F304] read_comparison(memory): 'pairs[0].second' must be the position of a classifier");
  CHECK(refusal("/pairs/0/orders/1/wrong", 7).find("'pairs[0].orders[1].wrong'") != std::string::npos);
  CHECK(refusal("/distances/0/ratios/0/second", 2).find("'distances[0].ratios[0].second'") != std::string::npos);
  CHECK(refusal("/distances/0/direction/w", Json::array({1})).find("'distances[0].direction.w'") != std::string::npos);
  CHECK(refusal("/accuracy/2/class_label", 2).find("'accuracy[2].class_label'") != std::string::npos);
  CHECK(refusal("/accuracy/1/bins", Json::array()).find("'accuracy[1].bins'") != std::string::npos);
  CHECK(refusal("/classes", 0).find("'classes'") != std::string::npos);
  CHECK(refusal("/classes", 1).find("[F304]") != std::string::npos);  // there are two names
  CHECK(refusal("/surprise", 1) == "[F304] read_comparison(memory): the report has the unknown entry 'surprise'");
  CHECK(faultline_tests::error_code([] { (void)fl::render::read_comparison("/nowhere/comparison.json"); }) ==
        fl::ErrorCode::cannot_open);
}

TEST_CASE("the page of a comparison is sound, closed in itself and complete") {
  const std::string page = fl::render::html_comparison(filled());
  check_page(page);
  CHECK(page == fl::render::html_comparison(filled()));
  for (const char* part :
       {"Comparison of release 4.1, release 4.2", "5.00\u00A0%", "horse &amp; cart",
        "release 4.1 fails more often than release 4.2.", "release 4.2 right, release 4.1 wrong", "blur (component 3)",
        "50 : 2", "at least <b>3.40</b>", "both medians beyond range", "<b>1.80</b>", "cause of release 4.1",
        "beyond 10 sd (10\u00A0% flip)", "95.0\u00A0% → 80.0\u00A0%",
        "2\u00A0000 for the samples, which all classifiers share",
        "fl::compare(generator, classifiers /* release 4.1; release 4.2 */, {.samples = 1000, .seed = 7",
        "What the words mean", "something &lt;small&gt;"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  std::size_t charts = 0;
  for (std::size_t at = page.find("<svg "); at != std::string::npos; at = page.find("<svg ", at + 5)) ++charts;
  CHECK(charts == 2);
  check_page(fl::render::html_comparison({}));
}

TEST_CASE("pairs are put into words that say no more than was seen") {
  fl::ComparisonReport report = filled();
  report.pairs[0].p_adjusted = 0.3;
  CHECK(fl::render::html_comparison(report).find("that does not show that they do") != std::string::npos);
  report.pairs[0].test = fl::statistics::test_pairs({1900, 0, 0, 100});
  CHECK(fl::render::html_comparison(report).find("right and wrong on exactly the same samples") != std::string::npos);
}

TEST_CASE("no text of a comparison can leave its place") {
  fl::ComparisonReport report = filled();
  const std::string attack = "\"><script>alert(1)</script><img src=x onerror='y'>&lt; \xFF\x01";
  for (auto& classifier : report.classifiers) {
    classifier.name = classifier.reason = attack;
    classifier.findings = {attack};
  }
  for (auto& order : report.pairs[0].orders) {
    order.reason = attack;
    for (auto* list : {&order.directions, &order.associated})
      for (auto& direction : *list) {
        direction.title = attack;
        direction.side_effects = {{attack, 2.0}};
      }
  }
  for (auto& distance : report.distances) distance.title = distance.source = attack;
  for (auto& curve : report.accuracy) curve.name = attack;
  report.class_names = {attack, attack};
  report.warnings = {attack};
  report.schema = attack;
  auto& p = report.provenance;
  p.library_version = p.generator_digest = p.criterion = p.torch_version = p.cpu = p.backend = attack;
  p.classifier_name = p.criterion_expression = p.compiler = p.command = attack;
  p.classifier_digest = p.judge_name = p.judge_digest = attack;
  p.method = p.options = {{"accuracy_bins", attack}};
  p.properties = {attack};
  check_page(fl::render::html_comparison(report, {.title = attack}));
  check_page(fl::render::html_comparison(report));
  CHECK(SchemaValidator(schema()).complaints(Json::parse(fl::to_json(filled()))).empty());
}

TEST_CASE("charts are sound alone, and empty without data") {
  for (const std::string& svg : {fl::render::paired_distance_chart(filled()), fl::render::accuracy_chart(filled())}) {
    CHECK(render_test::read_markup(svg, false).complaint == "");
    CHECK(svg.find("release 4.2") != std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
  }
  CHECK(fl::render::paired_distance_chart({}).empty());
  CHECK(fl::render::accuracy_chart({}).empty());
  for (const std::size_t bins : {std::size_t{1}, std::size_t{2}}) {  // too few bins to tell their width from
    fl::ComparisonReport report = filled();
    for (auto& curve : report.accuracy) curve.bins.resize(bins);
    CHECK(render_test::read_markup(fl::render::accuracy_chart(report), false).complaint == "");
  }
}

TEST_CASE("write_comparison writes both files, or says why not") {
  const faultline_tests::TemporaryDirectory directory;
  fl::write_comparison(filled(), directory / "deep" / "out");
  CHECK(faultline_tests::text_of(directory / "deep" / "out" / "comparison.json") == fl::to_json(filled()));
  CHECK(faultline_tests::text_of(directory / "deep" / "out" / "comparison.html") ==
        fl::render::html_comparison(filled()));
  fl::write_comparison(filled(), directory / "deep" / "out");
  CHECK(faultline_tests::error_code([&] {
          fl::write_comparison(filled(), directory / "deep" / "out" / "comparison.json" / "below");
        }) == fl::ErrorCode::cannot_write);
}
