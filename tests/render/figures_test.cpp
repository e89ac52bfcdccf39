// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/analysis/failure_analyzer.hpp>
#include <faultline/analysis/paper/paper_distance.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/render/detail/number_figure_parts.hpp>
#include <faultline/render/figure_data.hpp>
#include <faultline/render/figures.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <core/temporary_directory.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

#include <limits>
#include <numeric>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Sound SVG with everything inside the picture: texts by their stated length, images and rectangles by their sides.
/// Pixels of the size that was said, and something on them.
void check_figure(const fl::Drawing& figure) {
  const std::string svg = figure.svg();
  const auto markup = render_test::read_markup(svg, false);
  CHECK(markup.complaint == "");
  double x = 0, y = 0, length = 0;
  bool has_length = false;
  std::string anchor;
  const auto width = static_cast<double>(figure.width()), height = static_cast<double>(figure.height());
  for (std::size_t at = svg.find("\n<"); at != std::string::npos; at = svg.find("\n<", at + 1)) {
    const std::string element = svg.substr(at + 1, svg.find('>', at) - at);
    const auto number = [&](const std::string& name, double otherwise) {
      const std::size_t from = element.find(" " + name + "=\"");
      return from == std::string::npos ? otherwise : std::stod(element.substr(from + name.size() + 3));
    };
    CHECK(element.find("nan") == std::string::npos);
    CHECK(element.find("inf") == std::string::npos);
    x = number("x", 0), y = number("y", 0);
    if (element.compare(0, 5, "<rect") == 0 || element.compare(0, 6, "<image") == 0) {
      CHECK(x >= 0);
      CHECK(y >= 0);
      CHECK(x + number("width", 0) <= width);
      CHECK(y + number("height", 0) <= height);
    }
    if (element.compare(0, 5, "<text") == 0 && element.find("rotate") == std::string::npos) {
      length = number("textLength", 0);
      has_length = element.find("textLength") != std::string::npos;
      anchor = element.find("\"middle\"") != std::string::npos ? "middle"
               : element.find("\"end\"") != std::string::npos  ? "end"
                                                               : "start";
      const double left = anchor == "start" ? x : anchor == "end" ? x - length : x - length / 2;
      INFO(svg.substr(at + 1, svg.find("</text>", at) - at));
      if (has_length) CHECK(left >= 0);
      if (has_length) CHECK(left + length <= width);
      CHECK(y <= height);
      CHECK(y >= 8);
    }
  }
  const fl::Picture picture = figure.raster();
  CHECK(picture.width == figure.width());
  CHECK(picture.height == figure.height());
  CHECK(figure.svg() == svg);
}

bool says(const fl::Drawing& figure, const std::string& text) { return figure.svg().find(text) != std::string::npos; }

fl::Picture grey(std::int64_t side, std::uint8_t value) {
  return {.height = side,
          .width = side,
          .channels = 1,
          .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(side * side), value)};
}

/// Of failures, when `right` of n are right.
fl::Rate rate(std::int64_t right, std::int64_t n) {
  const double p = n > 0 ? static_cast<double>(n - right) / static_cast<double>(n) : 0.0;
  return {
      .estimate = p, .lower = std::max(0.0, p - 0.1), .upper = std::min(1.0, p + 0.1), .failures = n - right, .n = n};
}

fl::analysis::AccuracyCurve curve(const std::string& name, std::optional<std::int64_t> label, double slope) {
  fl::analysis::AccuracyCurve out{name, label, {}};
  for (int i = 0; i < 6; ++i)
    out.bins.push_back({static_cast<double>(i), i == 5 ? infinity : static_cast<double>(i + 1),
                        rate(static_cast<std::int64_t>(100 - slope * i), 100)});
  return out;
}

const std::string extreme = "<script>\"&'\xFF " + std::string(300, 'w');

/// Brightness and contrast decide: the analytic generator with a classifier that fails where its first factor is large.
struct World {
  fl::AnalyticGenerator generator;
  std::function<void(fl::ImageView, fl::ScoreMatrix&)> score = [this](fl::ImageView images, fl::ScoreMatrix& scores) {
    scores.resize(images.count(), 4);
    for (std::int64_t i = 0; i < images.count(); ++i) {
      const auto seen = generator.read(images, i);
      const double p = 1.0 / (1.0 + std::exp(4.0 * (seen.factors[0] - 0.8)));
      for (std::int64_t c = 0; c < 4; ++c)
        scores(i, c) = static_cast<float>(c == seen.label ? p : (1.0 - p) * (c == (seen.label + 1) % 4 ? 0.8 : 0.1));
    }
  };
};

}  // namespace

TEST_CASE("figure 2 shows every image with its class") {
  fl::render::SampleBlock real{"Real", 4, {}}, made{"Generated", 3, {}};
  for (int i = 0; i < 9; ++i)
    real.tiles.push_back(
        {grey(64, static_cast<std::uint8_t>(20 * i)), std::to_string(i), i % 2 == 0 ? "clean" : "blur 2, noise 1"});
  for (int i = 0; i < 4; ++i) made.tiles.push_back({grey(96, 100), "label " + std::to_string(i), {}});
  const fl::Drawing figure = fl::render::samples_figure(real, made);
  check_figure(figure);
  std::size_t images = 0;
  const std::string svg = figure.svg();
  for (std::size_t at = svg.find("<image"); at != std::string::npos; at = svg.find("<image", at + 1)) ++images;
  CHECK(images == 13);
  CHECK(says(figure, ">label 3<"));
  CHECK(says(figure, ">clean<"));
  real.tiles[0].label = real.tiles[1].note = real.title = extreme;
  check_figure(fl::render::samples_figure(real, made));
  CHECK(error_code([&] {
          (void)fl::render::samples_figure(real, {"Generated", 3, {}});
        }) == fl::ErrorCode::empty_input);
  made.columns = 0;
  CHECK(error_code([&] { (void)fl::render::samples_figure(real, made); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("figure 3 prints the AUC of every space and marks both outcomes") {
  const std::vector<std::uint8_t> failed{0, 1, 0, 1, 1};
  std::vector<fl::render::ScatterPanel> panels;
  for (const char* name : {"z", "w", "s"}) {
    fl::render::ScatterPanel panel{
        name,
        fl::Matrix<double>(5, 2),
        {.auc = 0.512 + 0.1 * static_cast<double>(panels.size()), .lower = 0.4, .upper = 0.8}};
    for (std::int64_t i = 0; i < 5; ++i)
      panel.points(i, 0) = static_cast<double>(i), panel.points(i, 1) = 1e3 * static_cast<double>(i * i);
    panels.push_back(panel);
  }
  const fl::Drawing figure = fl::render::embedding_figure(panels, failed);
  check_figure(figure);
  for (const char* auc : {"AUC 0.512", "AUC 0.612", "AUC 0.712"}) CHECK(says(figure, auc));
  CHECK(says(figure, "fails (3)"));
  CHECK(says(figure, "right (2)"));
  const std::string svg = figure.svg();
  std::size_t discs = 0;
  for (std::size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) ++discs;
  CHECK(discs == 3 * 2 + 1);                         // and one in the legend
  panels[1].points = fl::Matrix<double>(5, 2, 3.0);  // all at one place
  panels[1].title = extreme;
  check_figure(fl::render::embedding_figure(panels, failed));
  panels[2].points = fl::Matrix<double>(4, 2);
  CHECK(error_code([&] { (void)fl::render::embedding_figure(panels, failed); }) == fl::ErrorCode::shape_mismatch);
  CHECK(error_code([&] { (void)fl::render::embedding_figure({}, failed); }) == fl::ErrorCode::empty_input);
  CHECK(error_code([&] { (void)fl::render::embedding_figure(panels, {}); }) == fl::ErrorCode::empty_input);
}

TEST_CASE("figure 4 shows shares of each group, and keeps every value") {
  fl::render::ChannelHistogram channel{"b8.conv1:3 (index 77)", {}, {}, -0.42, 0.37};
  for (int i = 0; i < 400; ++i) channel.passed.push_back(0.01 * i);
  for (int i = 0; i < 90; ++i) channel.failed.push_back(-1.0 + 0.02 * i);
  const auto bins = fl::render::detail::shared_bins(channel, 20);
  CHECK(std::accumulate(bins.failed.begin(), bins.failed.end(), 0.0) == Approx(1.0));
  CHECK(std::accumulate(bins.passed.begin(), bins.passed.end(), 0.0) == Approx(1.0));
  CHECK(bins.lower == -1.0);
  CHECK(bins.upper == Approx(3.99));
  CHECK(bins.failed.back() == 0.0);
  CHECK(bins.passed.front() == 0.0);
  fl::render::ChannelHistogram constant{"constant", {2.0, 2.0}, {2.0}, 0.0, 0.5},
      one_sided{extreme, {}, {1.0, 2.0}, 0.0, 0.5};
  const std::vector<fl::render::ChannelHistogram> top{channel, channel, channel}, random{constant, one_sided};
  const fl::Drawing figure = fl::render::histogram_figure(top, random);
  check_figure(figure);
  CHECK(says(figure, "d = −0.42    AUC 0.37"));
  CHECK(says(figure, "MIS (90)"));
  CHECK(says(figure, "WELL (400)"));
  CHECK(says(figure, "Random"));
  CHECK(error_code([&] { (void)fl::render::histogram_figure(top, {}); }) == fl::ErrorCode::empty_input);
  one_sided.passed[0] = infinity;
  CHECK(error_code([&] { (void)fl::render::histogram_figure(top, std::vector{one_sided}); }) ==
        fl::ErrorCode::invalid_argument);
}

TEST_CASE("figure 5 labels columns that never reach even odds, and marks failures by more than colour") {
  const std::vector<double> shares{0, 0.2, 0.4, 0.6, 0.8, 1, 1.5};
  std::vector<fl::render::DegradationColumn> columns;
  for (int c = 0; c < 10; ++c) {
    fl::render::DegradationColumn column{"b16.conv1:" + std::to_string(c), 100 + c, c % 2 == 0 ? 1 : -1,
                                         c == 3 ? 100.0 : 2.345,           c != 3,  {}};
    for (std::size_t r = 0; r < shares.size(); ++r)
      column.cells.push_back({grey(96, 90), 0.9 - 0.1 * static_cast<double>(r), "8", r > 5});
    columns.push_back(column);
  }
  const fl::Drawing figure = fl::render::degradation_figure("the WELL centre of class 3", shares, columns);
  check_figure(figure);
  CHECK(figure.width() <= 1280);
  CHECK(says(figure, "= 2.35 sd"));
  CHECK(says(figure, "= 100.0 sd"));
  CHECK(says(figure, "never reaches .5"));
  CHECK(says(figure, ">says 8<"));
  CHECK(says(figure, ">107<"));
  CHECK(says(figure, ">p 0.90<"));
  columns[0].title = columns[1].cells[6].prediction = extreme;
  columns[2].reference = infinity;
  check_figure(fl::render::degradation_figure("class 3", shares, columns));
  columns[4].cells.pop_back();
  CHECK(error_code([&] { (void)fl::render::degradation_figure("class 3", shares, columns); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(error_code([&] { (void)fl::render::degradation_figure("class 3", shares, {}); }) == fl::ErrorCode::empty_input);
}

TEST_CASE("figure 6 has a row per class with cases, start beside failing image") {
  const fl::ImageShape shape{1, 32, 32};
  std::vector<fl::render::CornerCasePanel> cases;
  for (std::int64_t label = 9; label >= 0; --label)
    for (int i = 0; i < (label == 4 ? 0 : label == 2 ? 9 : 2); ++i) {
      fl::render::CornerCasePanel one{
          label, {}, {}, 1.25, 0.31, (label + 1) % 10, std::vector<float>(1024, 0.5f), std::vector<float>(1024, 0.2f)};
      for (int k = 0; k <= 6 * i; ++k) one.channels.push_back(700 + k), one.signs.push_back(k % 2 == 0 ? 1 : -1);
      cases.push_back(one);
    }
  const fl::Drawing figure = fl::render::corner_case_figure(cases, shape, {}, 4);
  check_figure(figure);
  CHECK(figure.width() <= 1280);
  CHECK(says(figure, ">class 2<"));
  CHECK_FALSE(says(figure, ">class 4<"));
  CHECK(figure.svg().find(">class 2<") < figure.svg().find(">class 9<"));
  CHECK(says(figure, ">1.25 sd<"));
  CHECK(says(figure, "+700 −701"));
  CHECK(says(figure, "p 0.31, says 3"));
  CHECK(says(figure, " more<"));
  std::size_t images = 0;
  const std::string svg = figure.svg();
  for (std::size_t at = svg.find("<image"); at != std::string::npos; at = svg.find("<image", at + 1)) ++images;
  CHECK(images == 2 * (8 * 2 + 4));
  cases[0].start.clear();
  cases[1].channels.clear(), cases[1].signs.clear();
  check_figure(fl::render::corner_case_figure(cases, shape, std::vector<std::string>(10, extreme), 2));
  CHECK(error_code([&] { (void)fl::render::corner_case_figure({}, shape); }) == fl::ErrorCode::empty_input);
  CHECK(error_code([&] { (void)fl::render::corner_case_figure(cases, shape, {}, 0); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)fl::render::corner_case_figure(cases, {1, 16, 16}); }) == fl::ErrorCode::shape_mismatch);
  cases[0].signs.push_back(1);
  CHECK(error_code([&] { (void)fl::render::corner_case_figure(cases, shape); }) == fl::ErrorCode::shape_mismatch);
}

TEST_CASE("figure 7 has the same axes in every panel, and says that the last bin is open") {
  std::vector<fl::analysis::AccuracyCurve> curves;
  for (const char* name : {"clean", "robust"}) {
    const double slope = name[0] == 'c' ? 12.0 : 3.0;
    curves.push_back(curve(name, std::nullopt, slope));
    for (std::int64_t label = 0; label < 10; ++label) curves.push_back(curve(name, label, slope));
  }
  curves[3].bins[2].rate = rate(0, 0);  // an empty bin
  const fl::Drawing figure = fl::render::accuracy_figure(curves);
  check_figure(figure);
  CHECK(figure.width() <= 1280);
  CHECK(says(figure, "is open"));
  CHECK(says(figure, ">all classes<"));
  CHECK(says(figure, ">class 9<"));
  CHECK(says(figure, ">robust<"));
  const auto axes = fl::render::detail::accuracy_axes(curves);
  CHECK(axes.last == 5.0);
  CHECK(axes.upper > 5.0);
  CHECK(axes.lowest == Approx(0.3));  // of 100 - 5 * 12 = 40 % less .1

  const std::vector<fl::analysis::AccuracyCurve> one{curve(extreme, std::nullopt, 5.0)};
  check_figure(fl::render::accuracy_figure(one));
  std::vector<fl::analysis::AccuracyCurve> closed = one;
  closed[0].bins.pop_back();
  check_figure(fl::render::accuracy_figure(closed));
  CHECK_FALSE(says(fl::render::accuracy_figure(closed), "is open"));
  check_figure(fl::render::accuracy_figure(
      std::vector{curve("a", 2, 1.0), curve("b", 2, 2.0), curve("c", 3, 3.0), curve("d", 3, 3.0), curve("e", 3, 3.0),
                  curve("f", 3, 3.0), curve("g", 3, 3.0)},
      std::vector<std::string>(4, extreme)));
  // Nothing but an open bin, and no width of the other axis
  fl::analysis::AccuracyCurve perfect{
      "perfect", std::nullopt, {{2.0, infinity, {.estimate = 0.0, .lower = 0.0, .upper = 0.0, .n = 5}}}};
  check_figure(fl::render::accuracy_figure(std::vector{perfect}));
  perfect.bins[0].lower = 0.0;
  check_figure(fl::render::accuracy_figure(std::vector{perfect}));

  CHECK(error_code([] { (void)fl::render::accuracy_figure({}); }) == fl::ErrorCode::empty_input);
  for (fl::analysis::AccuracyBin& bin : closed[0].bins) bin.rate = rate(0, 0);
  CHECK(error_code([&] { (void)fl::render::accuracy_figure(closed); }) == fl::ErrorCode::empty_input);
  closed = one;
  std::swap(closed[0].bins[1], closed[0].bins[2]);
  CHECK(error_code([&] { (void)fl::render::accuracy_figure(closed); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("the figures of an analysis with a known fault show it") {
  World world;
  auto classifier = fl::make_classifier(world.score, {.classes = 4, .scores = fl::Scores::probabilities});
  const fl::StyleSpaceSampler sampler(world.generator, {.seed = 5});
  fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, {.samples = 600});
  const fl::Problem& problem = analyzer.problem();
  const auto ranked = fl::analysis::paper_table(problem, problem.discovery, 3, 0);
  REQUIRE(ranked.size() == 3);

  const fl::Matrix<float> styles = fl::render::styles_of(problem, problem.confirmation.w);
  const auto sampled = sampler.sample(fl::core::confirmation_first, 20);
  const fl::Matrix<float> own = world.generator.style_to_host(sampled.s);
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t k = 0; k < own.cols(); ++k) CHECK(styles(i, k) == Approx(own(i, k)).margin(1e-4));

  const std::vector<std::int64_t> first{ranked[0].channel.flat};
  const auto histograms = fl::render::channel_histograms(problem, problem.confirmation, first);
  REQUIRE(histograms.size() == 1);
  CHECK(static_cast<std::int64_t>(histograms[0].failed.size()) == problem.confirmation.failures());
  CHECK(histograms[0].failed.size() + histograms[0].passed.size() == 600);
  double failed = 0, passed = 0, mean = 0, square = 0;  // d by its definition, from the styles of the generator itself
  for (std::int64_t i = 0; i < 600; ++i) mean += static_cast<double>(styles(i, first[0])) / 600;
  for (std::int64_t i = 0; i < 600; ++i) {
    const auto value = static_cast<double>(styles(i, first[0]));
    const bool wrong = problem.confirmation.failed[static_cast<std::size_t>(i)] != 0;
    (wrong ? failed : passed) +=
        value / static_cast<double>(wrong ? histograms[0].failed.size() : histograms[0].passed.size());
    square += (value - mean) * (value - mean);
  }
  CHECK(histograms[0].effect == Approx((failed - passed) / std::sqrt(square / 599)).epsilon(1e-4));
  CHECK(std::abs(histograms[0].effect) > 0.8);
  CHECK((histograms[0].effect > 0) == (histograms[0].auc > 0.5));
  CHECK(error_code([&] {
          (void)fl::render::channel_histograms(problem, problem.confirmation, std::vector<std::int64_t>{-1});
        }) == fl::ErrorCode::invalid_argument);

  const auto random = fl::render::random_channels(problem, ranked, 3);
  CHECK(random == fl::render::random_channels(problem, ranked, 3));
  CHECK(std::set<std::int64_t>(random.begin(), random.end()).size() == random.size());
  for (const std::int64_t k : random)
    for (const fl::analysis::RankedChannel& channel : ranked) CHECK(channel.channel.flat != k);

  const auto label = fl::render::degradation_class(problem);
  REQUIRE(label);
  const fl::render::DegradationOptions options{.class_label = *label};
  const auto columns = fl::render::degradation_columns(problem, ranked, options);
  REQUIRE(columns.size() == 3);
  bool any = false;
  for (const fl::render::DegradationColumn& column : columns) {
    REQUIRE(column.cells.size() == options.shares.size());
    CHECK(column.cells[0].probability > 0.5);
    CHECK_FALSE(column.cells[0].failed);
    any |= column.reached;
    if (!column.reached) {
      CHECK(column.reference == 100.0);
      continue;
    }
    CHECK(column.cells[5].probability == Approx(0.5).margin(0.02));  // p at the paper's distance
    CHECK(column.cells[4].probability > column.cells[5].probability);
    CHECK(column.cells[6].probability < 0.5);
    CHECK(column.cells[6].failed);
  }
  CHECK(any);  // the channel that decides is among the first three
  check_figure(fl::render::degradation_figure("class", options.shares, columns));
  CHECK(error_code([&] { (void)fl::render::degradation_columns(problem, ranked, {.class_label = 17}); }) ==
        fl::ErrorCode::label_out_of_range);
  fl::paper::WellCentre unsure = fl::paper::well_centres(problem).front();
  unsure.probability = 0.5;
  CHECK(error_code([&] { (void)fl::paper::paper_distances(problem, unsure, ranked); }) ==
        fl::ErrorCode::degenerate_statistics);
}
