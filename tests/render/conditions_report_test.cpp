// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/random.hpp>
#include <faultline/render/conditions_report.hpp>

#include <core/temporary_directory.hpp>
#include <render/markup.hpp>
#include <render/page_checks.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;
using faultline_tests::error_code;
using fl::ErrorCode;
using render_test::check_page;
using render_test::SchemaValidator;
using Json = nlohmann::ordered_json;

namespace {

nlohmann::json schema() {
  return nlohmann::json::parse(faultline_tests::text_of(std::filesystem::path(__FILE__).parent_path() /
                                                        "../../docs/reference/conditions.schema.json"));
}

/// A curve of `bins` bins, of which bin k has 100 samples and 10 k failures.
fl::ResponseCurve curve_of(std::size_t bins, bool adjusted) {
  fl::ResponseCurve curve;
  curve.property = "edge <width>";
  curve.unit = "px";
  for (std::size_t k = 0; k < bins; ++k) {
    const double rate = 0.1 * static_cast<double>(k), at = static_cast<double>(k);
    curve.bins.push_back(
        {at, at + 1.0, at + 0.5, {rate, 0.5 * rate, rate + 0.1, static_cast<std::int64_t>(10 * k), 100, 0.95}, {}});
    if (adjusted) curve.bins.back().adjusted = 0.5 * rate + 0.1;
  }
  return curve;
}

/// Something of everything.
fl::LabelledConditions filled() {
  fl::LabelledConditions result;
  result.verdict = an::ConditionsVerdict::conditions_found;
  result.reason = "2 conditions, chosen on 500 images, held on 500 others: edge <width>, a with b.";
  result.classes = 3;
  result.class_names = {"cat", "horse & cart", "hen"};
  result.property_names = {"edge <width>", "a", "b"};
  result.property_units = {"px", "", ""};
  result.failure_rate = {0.2, 0.17, 0.23, 200, 1000, 0.95};
  result.class_rates = {{0.1, 0.05, 0.2, 40, 400, 0.95}, {0.4, 0.3, 0.5, 160, 400, 0.95}, {0, 0, 1, 0, 0, 0.95}};
  result.confusion = {{0, 0, 360}, {0, 1, 40}, {1, 0, 160}, {1, 1, 240}};
  result.discovery = {500, 99, 79.0};
  result.confirmation = {500, 101, 80.5};
  result.candidates = 21;
  result.share = 0.5, result.share_lower = 0.45, result.share_upper = 0.55;
  an::LabelledCondition single;
  single.name = "edge <width> in class 1";
  single.sentence = "In class horse & cart, failures go with high edge <width>.";
  single.properties = {"edge <width>"};
  single.class_label = 1;
  single.share = 0.4, single.share_lower = 0.35, single.share_upper = 0.45;
  single.p = 0.001, single.p_adjusted = 0.003, single.stability = 0.95;
  single.confirmed = true;
  single.curves = {curve_of(6, true)};
  single.curves[0].class_label = 1;
  an::LabelledCondition pair = single;
  pair.name = "a with b";
  pair.sentence = "Failures go with a and b where one is high and the other low.";
  pair.kind = an::ConditionKind::pair;
  pair.properties = {"a", "b"};
  pair.class_label.reset();
  pair.failing = an::FailingValues::opposite;
  pair.curves = {curve_of(4, false), curve_of(1, false)};
  pair.curves[0].among = "b up to 2", pair.curves[1].among = "b above 2";
  result.conditions = {single, pair};
  an::LabelledCondition weak = single;
  weak.name = "b", weak.properties = {"b"}, weak.class_label.reset(), weak.confirmed = false;
  weak.share_lower = -0.01;
  weak.curves = {curve_of(2, true)};
  weak.curves[0].bins[1].median.reset();
  result.not_confirmed = {weak};
  result.interactions = {{"edge <width> in class 1", "b", 0.01, 0.002, 0.02, 0.01, 0.04, true}};
  result.images_needed = 1200;
  result.notes = {"The property \"c\" is the same for all images & takes no part."};
  result.run = {
      "0.1.0", -7, 0.05, 0.005, 9999, 20, "pets", "scores.csv", "abcdef", "none", "conditions --images 'my <pets>'"};
  return result;
}

}  // namespace

TEST_CASE("conditions are valid after their schema, filled and empty, and read back whole") {
  SchemaValidator validator(schema());
  for (const fl::LabelledConditions& result : {filled(), fl::LabelledConditions{}}) {
    const std::string text = fl::render::to_json(result);
    CHECK(validator.complaints(Json::parse(text)) == std::vector<std::string>{});
    if (result.classes > 0) CHECK(fl::parse_conditions(text) == result);
  }
  const faultline_tests::TemporaryDirectory directory;
  fl::write_conditions(filled(), directory / "deep/down");
  CHECK(fl::read_conditions(directory / "deep/down/conditions.json") == filled());
  CHECK(faultline_tests::text_of(directory / "deep/down/conditions.csv") == fl::render::conditions_csv(filled()));
  CHECK(faultline_tests::text_of(directory / "deep/down/conditions.html") == fl::html_conditions(filled()));
  CHECK(error_code([&] { fl::write_conditions(filled(), "/dev/null/below"); }) == ErrorCode::cannot_write);
}

TEST_CASE("what was found on labelled rows reads back as it was") {
  fl::LabelledTable table{.property_names = {"a", "b"}, .classes = 2};
  table.properties.resize(2000, 2);
  fl::core::CounterRandom random(3, fl::core::Stream::permutations, 1);
  for (std::int64_t i = 0; i < 2000; ++i) {
    const double a = random.normal();
    table.properties(i, 0) = static_cast<float>(a);
    table.properties(i, 1) = static_cast<float>(random.normal());
    const bool failed = random.uniform() < (a > 0.5 ? 0.6 : 0.1);
    table.index.push_back(i), table.label.push_back(i % 2);
    table.prediction.push_back(failed ? 1 - i % 2 : i % 2);
    table.failed.push_back(failed ? 1 : 0), table.probability.push_back(0.5f), table.margin.push_back(0.0f);
  }
  const fl::LabelledConditions found =
      fl::find_labelled_conditions(table, {.conditions = {.permutations = 99, .half_samples = 2}});
  REQUIRE(found.conditions.size() == 1);
  const std::string text = fl::render::to_json(found);
  CHECK(fl::parse_conditions(text) == found);
  CHECK(SchemaValidator(schema()).complaints(Json::parse(text)) == std::vector<std::string>{});
  check_page(fl::html_conditions(found));
}

TEST_CASE("a file that holds no conditions is refused with its place") {
  const Json good = Json::parse(fl::render::to_json(filled()));
  const auto code = [&](const char* pointer, const Json& value) {
    Json bad = good;
    bad[Json::json_pointer(pointer)] = value;
    return error_code([&] { (void)fl::parse_conditions(bad.dump()); });
  };
  CHECK(!code("/reason", "other words"));
  CHECK(code("/schema", "faultline.report/1") == ErrorCode::foreign_format);
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, Json>>{{"/verdict", "guilty"},
                                                 {"/surprise", 1},
                                                 {"/classes", 2},
                                                 {"/conditions/0/class_label", 3},
                                                 {"/conditions/0/failing", "sideways"},
                                                 {"/conditions/0/properties", Json::array()},
                                                 {"/conditions/1/curves/0/bins", Json::array()},
                                                 {"/confusion/0/answer", 3},
                                                 {"/property_units", {"px"}},
                                                 {"/discovery/images", -1},
                                                 {"/failure_rate/n", 1.5}}) {
    INFO(pointer);
    CHECK(code(pointer, value) == ErrorCode::malformed_header);
  }
  CHECK(error_code([] { (void)fl::parse_conditions("{"); }) == ErrorCode::malformed_header);
  CHECK(error_code([] { (void)fl::read_conditions("/no/such/file.json"); }) == ErrorCode::cannot_open);
}

TEST_CASE("the table of conditions has a row for each that was tested") {
  const std::string csv = fl::render::conditions_csv(filled());
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);
  CHECK(csv.find("\r\nconfirmed,1,edge <width> in class 1,property,edge <width>,,1,more,0.4,0.35,0.45,0.001,0.003,"
                 "0.95,\"In class horse & cart, failures go with high edge <width>.\"\r\n") != std::string::npos);
  CHECK(csv.find("\r\nconfirmed,2,a with b,pair,a,b,,opposite,") != std::string::npos);
  CHECK(csv.find("\r\nnot_confirmed,3,b,property,b,,,more,0.4,-0.01,") != std::string::npos);
}

TEST_CASE("the page of conditions is sound, fetches nothing and shows a figure for each") {
  const std::string page = fl::html_conditions(filled(), "Pets <2>");
  check_page(page);
  const auto markup = render_test::read_markup(page, true);
  CHECK(std::count(markup.tags.begin(), markup.tags.end(), "svg") == 2);
  for (const char* said : {"Pets &lt;2&gt;", "Failures go with 2 conditions", "edge &lt;width&gt; in class 1",
                           "horse &amp; cart", "conditions --images &#39;my &lt;pets&gt;&#39;", "Did not hold",
                           "takes no part", "35.0", "nothing was changed on purpose"}) {
    INFO(said);
    CHECK(page.find(said) != std::string::npos);
  }
  CHECK(page.find(" cause ") == std::string::npos);
  CHECK(page.find("causes ") == std::string::npos);
  const std::string empty = fl::html_conditions({});
  check_page(empty);
  CHECK(empty.find("No condition held") != std::string::npos);
}

TEST_CASE("the figure of a curve has a mark for every bin with samples") {
  const auto marks = [](const fl::Drawing& figure, const std::string& element) {
    const std::string svg = figure.svg();
    std::size_t count = 0;
    for (std::size_t at = svg.find(element); at != std::string::npos; at = svg.find(element, at + 1)) ++count;
    return count;
  };
  const fl::ResponseCurve plain = curve_of(6, false), adjusted = curve_of(6, true);
  const fl::Drawing figure = fl::render::response_figure({&plain, 1});
  CHECK(render_test::read_markup(figure.svg(), false).complaint == "");
  CHECK(figure.svg().find("edge &lt;width&gt;, px") != std::string::npos);
  CHECK(figure.svg().find("nan") == std::string::npos);
  CHECK(marks(figure, "<circle") == 6);
  CHECK(marks(fl::render::response_figure({&adjusted, 1}), "<circle") ==
        6 + 1 + 2 * (6 + 1));  // with the legend; a ring is a disc on a disc
  const std::vector<fl::ResponseCurve> two = {curve_of(4, false), curve_of(1, false)};
  const fl::Drawing both = fl::render::response_figure(two, std::vector<std::string>{"generated", "real"});
  CHECK(both.svg().find(">real<") != std::string::npos);
  CHECK(both.raster().width == both.width());
  // one bin, all values equal
  fl::ResponseCurve point = curve_of(1, false);
  point.bins[0].lower = point.bins[0].upper = 2.0, point.bins[0].median = 2.0;
  CHECK(render_test::read_markup(fl::render::response_figure({&point, 1}).svg(), false).complaint == "");
  point.bins[0].median.reset();
  const auto code = [](std::vector<fl::ResponseCurve> curves) {
    return error_code([&] { (void)fl::render::response_figure(curves); });
  };
  CHECK(code({point}) == ErrorCode::invalid_argument);
  CHECK(code({}) == ErrorCode::invalid_argument);
  CHECK(code(std::vector<fl::ResponseCurve>(5, plain)) == ErrorCode::invalid_argument);
}
