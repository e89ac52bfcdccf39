// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/comparison_report.hpp>

#include <core/temporary_directory.hpp>
#include <render/chart_checks.hpp>
#include <render/markup.hpp>
#include <render/page_checks.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
using render_test::check_page;
using render_test::SchemaValidator;
using Json = nlohmann::ordered_json;

namespace {

nlohmann::json schema() {
  return nlohmann::json::parse(faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() /
                                                        "../../docs/reference/comparison.schema.json"));
}

/// Two classifiers with something of everything.
fl::ComparisonReport filled() {
  constexpr double inf = std::numeric_limits<double>::infinity();
  fl::ComparisonReport report;
  report.classes = 2;
  report.class_names = {"cat", "horse & cart"};
  report.property_names = {"blur"};
  const fl::Rate rate{0.05, 0.04, 0.06, 100, 2000, 0.95};
  report.classifiers.resize(2);
  fl::ComparedClassifier &old_one = report.classifiers[0], &new_one = report.classifiers[1];
  old_one.name = "release 4.1";
  old_one.failure_rate = rate;
  old_one.class_rates = {rate, rate};
  old_one.blame = fl::analysis::Blame{{0.9, 0.82, 0.95, 90, 100, 0.95}, {0.1, 0.05, 0.18, 10, 100, 0.95}};
  old_one.verdict = fl::Verdict::systematic_causes;
  old_one.reason = "2 causes were found.";
  old_one.findings = {
      {"blur", "With blur at its usual level, 62 % of the failures would not occur.", {0.62, 0.55, 0.68, 2048, 120}},
      {"noise level", "Moving noise level does it.", {}}};
  new_one.name = "release 4.2";
  new_one.failure_rate = {0.01, 0.006, 0.015, 20, 2000, 0.95};
  new_one.class_rates = {rate, {}};
  new_one.verdict = fl::Verdict::too_few_failures;
  new_one.reason = "Only 20 failures.";
  fl::analysis::Direction direction;
  direction.name = "blur";
  direction.w = {0.25, -0.5};
  direction.whitened = {0.6, 0.8};
  fl::analysis::SeparatingCondition separating;
  fl::Finding& finding = separating.finding;
  finding.title = "blur";
  finding.headline = "release 4.2 is right and release 4.1 wrong with more blur: moving it <hurts> release 4.1.";
  finding.condition.properties = {"blur"};
  finding.condition.shape = fl::analysis::ConditionShape::one_sided;
  finding.condition.movability = fl::analysis::Movability::movable;
  finding.condition.deviance_share = {0.31, 0.27, 0.35};
  finding.confirmation = {1e-5, 4e-5};
  finding.intervention.decision = fl::Decision::changes;
  finding.intervention.effect = 0.4;
  finding.attributable = {0.71, 0.6, 0.8, 2048, 85};
  finding.direction = direction;
  finding.side_effects = {{"blur", 1.8}};
  finding.response = {{"blur", std::nullopt, {{0.0, 1.0, 0.5, rate}, {1.0, 2.0, 1.4, {0.3, 0.2, 0.4, 30, 100, 0.95}}}}};
  separating.latents = 192;
  separating.right_change = fl::analysis::Share{0.03, -0.01, 0.08};
  separating.wrong_change = fl::analysis::Share{0.4, 0.31, 0.49};
  separating.difference = fl::analysis::Share{0.37, 0.25, 0.47};
  fl::analysis::SeparatingCondition weak;
  weak.finding.title = "contrast in class 1";
  weak.finding.headline = "release 4.2 is right and release 4.1 wrong with less contrast, but nothing moves it.";
  weak.finding.condition.class_label = 1;
  weak.finding.condition.movability = fl::analysis::Movability::not_movable;
  fl::analysis::OrderedComparison order;
  order.right = 1;
  order.wrong = 0;
  order.verdict = fl::Verdict::systematic_causes;
  order.reason = "release 4.2 is right and release 4.1 wrong with more blur.";
  order.rate = {0.042, 0.034, 0.052, 84, 1980, 0.95};
  order.class_rates = {rate, rate};
  order.class_findings = {{fl::analysis::ClassFault::answered_as, 1, 0, rate, "Class 1 is always answered 0."}};
  order.effective_failures_discovery = 80.0;
  order.effective_failures_confirmation = 75.0;
  order.conditions = {separating};
  order.others = {weak};
  fl::analysis::OrderedComparison reverse;
  reverse.right = 0;
  reverse.wrong = 1;
  reverse.verdict = fl::Verdict::too_few_failures;
  reverse.reason = "On only 4 samples of both splits ...";
  reverse.effective_failures_discovery = 2.0;
  reverse.effective_failures_confirmation = 1.0;
  reverse.samples_needed = 30'000;
  reverse.smallest_detectable = fl::analysis::DetectableEffect{0.02, 0.01, 0.8};
  report.pairs = {{0, 1, fl::statistics::test_pairs({1896, 84, 4, 16}), 1e-12, {reverse, order}}};
  report.fractions = {
      {"blur",
       "release 4.1",
       {{0.62, 0.55, 0.68, 2048, 120}, {0.1, -0.3, 0.4, 2048, 20}},
       {{0, 1, fl::analysis::Share{0.52, 0.2, 0.9}}}},
      {"noise level", "release 4.1", {{0.1, 0.05, 0.15, 2048, 120}, {{}, {}, {}, 2048, 0}}, {{0, 1, std::nullopt}}}};
  fl::analysis::PairedDistance distance;
  distance.title = "more blur";
  distance.source = "property";
  distance.direction = direction;
  distance.latents = 64;
  fl::analysis::Validity valid;
  valid.agreement = fl::analysis::Share{0.97, 0.89, 1.0};
  valid.flips = 64;
  valid.decision = fl::analysis::ValidityDecision::mostly_valid;
  distance.distances = {{2.5, 2.1, 2.9, 1.0, false, valid, {{"blur", 64, 3.4, 3.1, 3.8}}},
                        {4.5, 4.1, 5.2, 0.9, true, {}, {}}};
  distance.ratios = {{0, 1, 1.8, 1.5, 2.1, 60, 2, 1e-12, 1e-11}};
  fl::analysis::PairedDistance beyond = distance;
  beyond.title = "blur";
  beyond.source = "release 4.1";
  beyond.distances[1] = {inf, inf, inf, 0.1, false, {}, {}};
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
  CHECK(refused("/schema", "faultline.comparison/1"));
  CHECK(refused("/classifiers/0/verdict", "guilty"));
  CHECK(refused("/pairs/0/test/counts/both_fail", 1.5));
  CHECK(refused("/pairs/0/orders/1/conditions/0/surprise", 1));
  CHECK(refused("/fractions/0/differences/0/difference", 0.5));
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
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = report;
    CHECK(keys(json) == std::vector<std::string>{"schema", "classifiers", "pairs", "fractions", "distances", "accuracy",
                                                 "accuracy_channels", "property_names", "classes", "class_names",
                                                 "population_cost", "cost", "provenance", "warnings"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g] = report.classifiers[0];
    CHECK(keys(json["classifiers"][0]) ==
          std::vector<std::string>{"name", "failure_rate", "class_rates", "blame", "verdict", "reason", "findings"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.classifiers[0].findings[0];
    CHECK(keys(json["classifiers"][0]["findings"][0]) == std::vector<std::string>{"title", "headline", "attributable"});
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
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = report.pairs[0].orders[1];
    CHECK(keys(order) == std::vector<std::string>{"right", "wrong", "verdict", "reason", "rate", "class_rates",
                                                  "class_findings", "effective_failures_discovery",
                                                  "effective_failures_confirmation", "samples_needed", "conditions",
                                                  "others", "smallest_detectable"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e] = report.pairs[0].orders[1].conditions[0];
    CHECK(keys(order["conditions"][0]) ==
          std::vector<std::string>{"finding", "latents", "right_change", "wrong_change", "difference"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d] = report.fractions[0];
    CHECK(keys(json["fractions"][0]) == std::vector<std::string>{"title", "source", "fractions", "differences"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c] = report.fractions[0].differences[0];
    CHECK(keys(json["fractions"][0]["differences"][0]) == std::vector<std::string>{"first", "second", "difference"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g] = report.distances[0];
    CHECK(keys(json["distances"][0]) ==
          std::vector<std::string>{"title", "source", "sign", "direction", "latents", "distances", "ratios"});
  }
  {
    [[maybe_unused]] const auto& [a, b, c, d, e, f, g] = report.distances[0].distances[0];
    CHECK(keys(json["distances"][0]["distances"][0]) ==
          std::vector<std::string>{"sigmas", "lower", "upper", "crossed_share", "off_manifold", "validity", "at_flip"});
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
  CHECK(json["fractions"][1]["differences"][0]["difference"].is_null());
  CHECK(json["pairs"][0]["orders"][1]["others"][0]["difference"].is_null());  // not moved
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
  CHECK(refusal("/schema", "faultline.comparison/1").rfind("[F310] read_comparison(memory): ", 0) == 0);
  CHECK(refusal("/pairs/0/second", 2) ==
        "[F304] read_comparison(memory): 'pairs[0].second' must be the position of a classifier");
  CHECK(refusal("/pairs/0/orders/1/wrong", 7).find("'pairs[0].orders[1].wrong'") != std::string::npos);
  CHECK(refusal("/pairs/0/orders/1/conditions/0/finding/direction/w", Json::array({1, 2, 3}))
            .find("'distances[0].direction.w'") != std::string::npos);  // the first that is met is the measure
  CHECK(refusal("/fractions/0/differences/0/first", 5).find("'fractions[0].differences[0].first'") !=
        std::string::npos);
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
       {"Comparison of release 4.1, release 4.2",
        "5.00\u00A0%",
        "horse &amp; cart",
        "release 4.1 fails more often than release 4.2, by 4.00 (",
        "release 4.2 right, release 4.1 wrong",
        "with more blur: moving it &lt;hurts&gt; release 4.1.",
        "40.00 (31.00 to 49.00)",
        "3.00 (−1.00 to 8.00)",
        "37.00 (25.00 to 47.00)",
        "71\u00A0% (60\u00A0% to 80\u00A0%)",
        "but nothing moves it.",
        "not moved",
        "Of 1\u00A0980 valid samples that release 4.2 gets right, release 4.1 gets wrong 84",
        "52.00 (20.00 to 90.00)",
        "blur 3.40 (3.10 to 3.80)",
        "judge 97\u00A0% (89\u00A0% to 100\u00A0%)",
        "cause of release 4.1",
        "90\u00A0% of these failures are on images that the judge reads",
        "at least <b>3.40</b>",
        "both medians beyond range",
        "<b>1.80</b>",
        "cause of release 4.1",
        "beyond 10 sd (10\u00A0% flip)",
        "95.0\u00A0% → 80.0\u00A0%",
        "2\u00A0000 for the samples, which all classifiers share",
        "fl::compare(generator, classifiers /* release 4.1; release 4.2 */, {.samples = 1000, .seed = 7",
        "What the words mean",
        "something &lt;small&gt;"}) {
    INFO(part);
    CHECK(page.find(part) != std::string::npos);
  }
  std::size_t charts = 0;
  for (std::size_t at = page.find("<svg "); at != std::string::npos; at = page.find("<svg ", at + 5)) ++charts;
  CHECK(charts == 4);  // distances, accuracy, fractions, the response of one condition
  check_page(fl::render::html_comparison({}));
}

TEST_CASE("pairs are put into words that say no more than was seen") {
  fl::ComparisonReport report = filled();
  report.pairs[0].p_adjusted = 0.3;
  CHECK(fl::render::html_comparison(report).find("that does not show that they do") != std::string::npos);
  report.pairs[0].test = fl::statistics::test_pairs({1900, 0, 0, 100});
  CHECK(fl::render::html_comparison(report).find("right and wrong on exactly the same samples") != std::string::npos);
  report = filled();
  report.pairs[0].test = fl::statistics::test_pairs({1896, 4, 84, 16});
  CHECK(fl::render::html_comparison(report).find("release 4.2 fails more often than release 4.1, by 4.00 (") !=
        std::string::npos);
}

TEST_CASE("no text of a comparison can leave its place") {
  fl::ComparisonReport report = filled();
  const std::string attack = "\"><script>alert(1)</script><img src=x onerror='y'>&lt; \xFF\x01";
  for (auto& classifier : report.classifiers) {
    classifier.name = classifier.reason = attack;
    classifier.findings = {{attack, attack, {}}};
  }
  for (auto& order : report.pairs[0].orders) {
    order.reason = attack;
    for (auto* list : {&order.conditions, &order.others})
      for (auto& condition : *list) {
        condition.finding.title = condition.finding.headline = attack;
        for (auto& curve : condition.finding.response) curve.property = attack;
      }
  }
  for (auto& fraction : report.fractions) fraction.title = fraction.source = attack;
  for (auto& distance : report.distances)
    for (auto& own : distance.distances)
      for (auto& at_flip : own.at_flip) at_flip.name = attack;
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
  for (const auto& chart : {fl::render::paired_distance_chart(filled()), fl::render::accuracy_chart(filled()),
                            fl::render::paired_fraction_chart(filled())}) {
    render_test::check_chart(chart);
    const std::string svg = chart->svg();
    CHECK(svg.find("release 4.2") != std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
  }
  CHECK_FALSE(fl::render::paired_distance_chart({}));
  CHECK_FALSE(fl::render::accuracy_chart({}));
  CHECK_FALSE(fl::render::paired_fraction_chart({}));
  for (const std::size_t bins : {std::size_t{1}, std::size_t{2}}) {  // too few bins to tell their width from
    fl::ComparisonReport report = filled();
    for (auto& curve : report.accuracy) curve.bins.resize(bins);
    render_test::check_chart(fl::render::accuracy_chart(report));
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
