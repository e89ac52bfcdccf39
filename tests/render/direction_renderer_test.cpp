// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/detail/sheet_choices.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/render/directions_csv.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/read_report.hpp>

#include <core/temporary_directory.hpp>
#include <render/example_report.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <vector>
#include <type_traits>

#include <sys/resource.h>

namespace fl = faultline;
namespace fs = std::filesystem;
using faultline_tests::error_code;
using faultline_tests::error_text;
using faultline_tests::TemporaryDirectory;

namespace {

std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())
      all[fs::relative(entry.path(), directory).generic_string()] = faultline_tests::text_of(entry.path());
  return all;
}

/// The two-colour twin of a generator: three channels, value range -1 to 1.
struct ColourGenerator {
  using latent_type = fl::Matrix<float>;
  using style_type = fl::Matrix<float>;
  using label_type = std::vector<std::int64_t>;
  using image_type = fl::ImageBatch;
  fl::AnalyticGenerator inner = render_test::example_generator();

  std::int64_t latent_dim() const { return inner.latent_dim(); }
  std::int64_t w_dim() const { return inner.w_dim(); }
  std::int64_t num_classes() const { return inner.num_classes(); }
  fl::ImageShape image_shape() const { return {3, inner.image_shape().height, inner.image_shape().width}; }
  fl::ValueRange value_range() const { return {-1, 1}; }
  const fl::StyleLayout& layout() const { return inner.layout(); }
  std::string digest() const { return inner.digest(); }
  fl::Matrix<float> latent_from_host(const fl::Matrix<float>& x) const { return x; }
  fl::Matrix<float> style_from_host(const fl::Matrix<float>& x) const { return x; }
  std::vector<std::int64_t> label_from_host(std::span<const std::int64_t> x) const { return {x.begin(), x.end()}; }
  fl::Matrix<float> latent_to_host(const fl::Matrix<float>& x) const { return x; }
  fl::Matrix<float> style_to_host(const fl::Matrix<float>& x) const { return x; }
  fl::ImageBatch image_to_host(const fl::ImageBatch& x) const { return x; }
  fl::Matrix<float> map(const fl::Matrix<float>& z, const std::vector<std::int64_t>& labels,
                        const fl::MapOptions& options) const {
    return inner.map(z, labels, options);
  }
  fl::Matrix<float> styles(const fl::Matrix<float>& w) const { return inner.styles(w); }
  fl::ImageBatch synthesize(const fl::Matrix<float>& s, const fl::SynthesisOptions& options) const {
    const fl::ImageBatch grey = inner.synthesize(s, options);
    fl::ImageBatch colour(grey.count(), image_shape());
    for (std::int64_t i = 0; i < grey.count(); ++i)
      for (std::size_t p = 0; p < grey.image(i).size(); ++p) {
        colour.image(i)[p] = 2 * grey.image(i)[p] - 1;
        colour.image(i)[p + grey.image(i).size()] = -1;
        colour.image(i)[p + 2 * grey.image(i).size()] = 1;
      }
    return colour;
  }
};
static_assert(fl::StyleGenerator<ColourGenerator>);

using Example = decltype(render_test::example_classifier(std::declval<const fl::AnalyticGenerator&>()));
static_assert(std::is_constructible_v<fl::DirectionRenderer<fl::AnalyticGenerator, Example>,
                                      const fl::AnalyticGenerator&, Example&>);
static_assert(
    !std::is_constructible_v<fl::DirectionRenderer<fl::AnalyticGenerator, Example>, fl::AnalyticGenerator, Example&>);
static_assert(!std::is_constructible_v<fl::DirectionRenderer<fl::AnalyticGenerator, Example>,
                                       const fl::AnalyticGenerator&, Example>);

}  // namespace

TEST_CASE("a report becomes the files it promises, with the same bytes each time") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const TemporaryDirectory directory;
  std::vector<std::string> stages;
  fl::DirectionRenderer(known, classifier, {.progress = [&](const fl::Progress& p) { stages.push_back(p.stage); }})
      .write_report(report, directory / "a" / "b");
  fl::DirectionRenderer(known, classifier).write_report(report, directory / "c");
  const auto first = contents(directory / "a" / "b");
  CHECK(first == contents(directory / "c"));
  CHECK(first.at("report.json") == fl::to_json(report));
  CHECK(first.at("directions.csv") == fl::render::directions_csv(report));
  for (const char* name : {"report.html",
                           "sheets/degradation.png",
                           "sheets/finding-1.png",
                           "sheets/finding-1-classes.png",
                           "sheets/finding-2.png",
                           "sheets/finding-3.png",
                           "sheets/finding-3-classes.png",
                           "sheets/paper-top.png",
                           "sheets/failures.png",
                           "charts/finding-1-confidence.svg",
                           "charts/finding-2-histogram.svg",
                           "charts/finding-2-properties.svg",
                           "charts/finding-1-response.svg",
                           "charts/finding-3-response-2.svg",
                           "charts/map-1.svg",
                           "charts/attributable.svg",
                           "charts/distances.svg",
                           "charts/interventions.svg",
                           "charts/classes.svg",
                           "charts/finding-1-confidence.png",
                           "charts/finding-3-response-2.png",
                           "charts/classes.png"})
    CHECK(first.count(name) == 1);
  CHECK(first.size() == 2 + 1 + 8 + 2 * (3 * 4 + 4 + 1 + 4));
  CHECK(stages.size() >= 5);
  for (const auto& [name, bytes] : first)
    if (name.ends_with(".png")) CHECK(fl::read_png(directory / "c" / name).width > 500);
}

TEST_CASE("a report that was stored is rendered into the same bytes as the fresh one") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const TemporaryDirectory directory;
  const fl::DirectionRenderer renderer(known, classifier);
  renderer.write_report(render_test::example_report(known), directory / "fresh");
  renderer.write_report(fl::read_report(directory / "fresh" / "report.json"), directory / "stored");
  CHECK(contents(directory / "fresh") == contents(directory / "stored"));
}

namespace {

/// One standard deviation of factor 0 in style units.
double sigma_of_factor(const fl::AnalyticGenerator& known) {
  double sum = 0;
  for (const float a : known.style_matrix().row_span(known.factor_channel(0)))
    sum += static_cast<double>(a) * static_cast<double>(a);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("edited samples are rendered as generator and classifier have them") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  fl::render::detail::EditRenderer<fl::AnalyticGenerator, Example> models(known, classifier, report, {});
  const fl::StyleSpaceSampler<fl::AnalyticGenerator> sampler(known, {.seed = 7});
  const fl::analysis::ExampleLatent example = report.findings[0].examples[0];
  const auto original = sampler.sample(example.index, 1);
  const fl::Edit along = fl::Edit::in_w(report.findings[0].direction.w);
  const fl::Edit channel = fl::Edit::of_channel(known.factor_channel(0), sigma_of_factor(known));
  const std::vector<fl::render::detail::EditedSample> samples = {
      {example.index, example.label},
      {example.index, example.label, along.at(*example.flip - 0.02)},
      {example.index, example.label, along.at(*example.flip + 0.02)},
      {example.index, example.label, channel.at(*example.flip + 0.02)},
      {example.index, example.label, channel.at(-3.0)}};
  const auto shown = fl::render::detail::render_samples(models.backend(), samples, 16);
  REQUIRE(shown.size() == 5);
  CHECK(shown[0].picture == fl::render::to_picture(original.images.image(0), known.image_shape(), 16));
  CHECK(shown[0].probability == Approx(example.probability).margin(1e-4));
  CHECK(shown[0].prediction == example.label);
  CHECK_FALSE(shown[0].failed);
  CHECK_FALSE(shown[1].failed);
  CHECK(shown[2].failed);
  CHECK(shown[2].prediction == (example.label + 1) % 4);
  CHECK(shown[3].failed);
  CHECK(shown[3].picture == shown[2].picture);
  CHECK(shown[4].probability > shown[0].probability);
}

TEST_CASE("a user's criterion decides which images are marked") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const fl::RenderOptions options{.criterion = fl::TrueClassBelow{0.99}};
  fl::render::detail::EditRenderer<fl::AnalyticGenerator, Example> models(known, classifier, report, options);
  std::vector<fl::render::detail::EditedSample> samples;
  for (const auto& example : report.findings[0].examples) samples.push_back({example.index, example.label});
  for (const auto& shown : fl::render::detail::render_samples(models.backend(), samples, 96))
    CHECK(shown.failed == (shown.probability < 0.99));
}

TEST_CASE("the frames of a direction are its images with shifts and answers") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const fl::Finding& finding = report.findings[0];
  const fl::analysis::ExampleLatent& example = finding.examples[1];
  const fl::DirectionRenderer renderer(known, classifier);
  const auto frames = renderer.frames(
      report, finding, {.example = 1, .shifts = {0.0, *example.flip - 0.02, *example.flip + 0.02, -1.0}});
  REQUIRE(frames.size() == 4);
  CHECK(frames[2].shift == *example.flip + 0.02);
  CHECK(frames[0].probability == Approx(example.probability).margin(1e-4));
  CHECK(frames[0].log_odds == Approx(std::log(frames[0].probability / (1.0 - frames[0].probability))).epsilon(0.01));
  CHECK(frames[0].prediction == example.label);
  CHECK_FALSE(frames[1].failed);
  CHECK(frames[2].failed);
  CHECK(frames[2].prediction == (example.label + 1) % 4);
  CHECK(frames[3].probability > frames[0].probability);
  // The pixels are those of the sample, and the direction is its factor.
  const fl::StyleSpaceSampler<fl::AnalyticGenerator> sampler(known, {.seed = 7});
  const auto original = sampler.sample(example.index, 1);
  REQUIRE(frames[0].image.count() == 1);
  CHECK(frames[0].image.shape() == known.image_shape());
  CHECK(std::equal(original.images.image(0).begin(), original.images.image(0).end(), frames[0].image.image(0).begin()));
  const auto factor = [&](std::size_t i) { return static_cast<double>(known.read(frames[i].image, 0).factors[0]); };
  CHECK(factor(3) - factor(0) == Approx(-1.0).margin(1e-3));

  // Without shifts they are those of the finding's sheet.
  const auto usual = renderer.frames(report, finding);
  const fl::render::Sheet sheet = renderer.sheet(report, finding);
  REQUIRE(usual.size() == sheet.columns.size());
  CHECK(usual.front().shift == -2.0);

  CHECK(error_code([&] { (void)renderer.frames(report, finding, {.example = 99}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)renderer.frames(report, finding, {.example = -1}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)renderer.frames(report, finding, {.shifts = {std::nan("")}}); }) ==
        fl::ErrorCode::invalid_argument);
  const fl::Finding& unmovable = report.not_movable[0];
  CHECK(error_text([&] { (void)renderer.sheet(report, unmovable); }).find("has no direction") != std::string::npos);
  fl::Finding still = unmovable;
  still.examples = finding.examples;
  CHECK(error_code([&] { (void)renderer.sheet(report, still); }) == fl::ErrorCode::empty_input);
  CHECK(error_code([&] { (void)renderer.frames(report, still); }) == fl::ErrorCode::invalid_argument);
  fl::FailureReport other = report;
  other.provenance.generator_digest = "another";
  CHECK(error_code([&] { (void)renderer.frames(other, finding); }) == fl::ErrorCode::incompatible_models);
  CHECK(error_code([&] { (void)renderer.sheet(other, finding); }) == fl::ErrorCode::incompatible_models);
}

TEST_CASE("the slider of a written page shows what the frames of the renderer are") {
  const auto known = render_test::example_generator();
  auto mine = render_test::example_classifier(known);
  const fl::FailureReport report = render_test::example_report(known);
  const TemporaryDirectory folder;
  const fl::DirectionRenderer renderer(known, mine, {.examples = 2});
  renderer.write_report(report, folder.path());
  const std::string page = faultline_tests::text_of(folder / "report.html");
  const fl::Finding& finding = report.findings[0];
  const auto starts = fl::render::typical_examples(finding, 2);
  const auto coarse = fl::render::sheet_shifts(finding);
  const std::string section =
      page.substr(page.find("id=\"finding-1\""), page.find("id=\"finding-2\"") - page.find("id=\"finding-1\""));
  std::size_t positions = 0, failing = 0, expected = 0;
  for (std::size_t at = 0; (at = section.find("name=\"sweep-finding-1\"", at)) != std::string::npos; ++at) ++positions;
  for (std::size_t at = 0; (at = section.find("<li class=\"fails\">", at)) != std::string::npos; ++at) ++failing;
  const std::size_t parts = std::min<std::size_t>(3, 24 / (coarse.size() - 1));
  CHECK(positions == parts * (coarse.size() - 1) + 1);
  for (const auto& start : starts) {
    const auto own = std::find_if(finding.examples.begin(), finding.examples.end(),
                                  [&](const auto& example) { return example.index == start.index; });
    std::vector<double> shifts;
    for (std::size_t k = 0; k < positions; ++k)
      shifts.push_back(coarse.front() +
                       (coarse.back() - coarse.front()) * static_cast<double>(k) / static_cast<double>(positions - 1));
    for (const auto& frame :
         renderer.frames(report, finding, {.example = own - finding.examples.begin(), .shifts = shifts}))
      expected += frame.failed ? 1 : 0;
  }
  CHECK(expected > 0);
  CHECK(failing == expected);
}

TEST_CASE("frames follow the description of the run: truncation, criterion and labels") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  fl::FailureReport report = render_test::example_report(known);
  report.provenance.truncation = 0.5;
  report.provenance.criterion = "probability of the true class below 0.99999";
  report.provenance.criterion_expression = "fl::TrueClassBelow{.p = 0.99999}";
  const fl::Finding& finding = report.findings[0];
  const auto frames = fl::DirectionRenderer(known, classifier).frames(report, finding, {.shifts = {0.0}});
  const fl::StyleSpaceSampler<fl::AnalyticGenerator> sampler(known, {.seed = 7, .truncation = 0.5});
  const auto truncated = sampler.sample(finding.examples[0].index, 1);
  CHECK(
      std::equal(truncated.images.image(0).begin(), truncated.images.image(0).end(), frames[0].image.image(0).begin()));
  CHECK(frames[0].prediction == finding.examples[0].label);
  CHECK(frames[0].failed == (frames[0].probability < 0.99999));
  CHECK(frames[0].failed);
  report.provenance.labels = fl::LabelPolicy::fixed((finding.examples[0].label + 1) % 4);
  CHECK(error_code([&] { (void)fl::DirectionRenderer(known, classifier).frames(report, finding); }) ==
        fl::ErrorCode::incompatible_models);
}

TEST_CASE("the sheet of one finding is the one in the folder") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const fl::DirectionRenderer renderer(known, classifier, {.columns = 2, .examples = 3, .failures = 0});
  const fl::render::Sheet sheet = renderer.sheet(report, report.findings[0]);
  REQUIRE(sheet.rows.size() == 3);
  REQUIRE(sheet.cells.size() == 3 * sheet.columns.size());
  const TemporaryDirectory directory;
  renderer.write_report(report, directory / "out");
  CHECK(fl::read_png(directory / "out" / "sheets" / "finding-1.png") == fl::render::draw_sheet(sheet));
  CHECK(error_code([&] {
          (void)fl::DirectionRenderer(known, classifier, {.examples = 0}).sheet(report, report.findings[0]);
        }) == fl::ErrorCode::empty_input);
}

TEST_CASE("colour images stay coloured on the sheets") {
  const ColourGenerator colourful;
  auto never = fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 4, 0.25f); },
      {.classes = 4, .scores = fl::Scores::probabilities});
  fl::FailureReport report = render_test::example_report(colourful.inner);
  const TemporaryDirectory directory;
  fl::DirectionRenderer(colourful, never, {.columns = 2, .examples = 1, .failures = 1})
      .write_report(report, directory / "out");
  const fl::Picture sheet = fl::read_png(directory / "out" / "sheets" / "finding-1.png");
  REQUIRE(sheet.channels == 3);
  std::int64_t blue = 0;
  for (std::size_t i = 0; i < sheet.pixels.size(); i += 3)
    blue += sheet.pixels[i] == 0 && sheet.pixels[i + 1] == 0 && sheet.pixels[i + 2] == 255;
  CHECK(blue > 1000);
}

TEST_CASE("pictures that an earlier report left are removed, other files are not touched") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  fl::FailureReport report = render_test::example_report(known);
  const TemporaryDirectory directory;
  const fl::DirectionRenderer renderer(known, classifier, {.columns = 2, .examples = 1, .failures = 1});
  renderer.write_report(report, directory.path());
  fl::core::write_file_atomically(directory / "sheets" / "finding-of-mine.png", std::string_view("mine"));
  fl::core::write_file_atomically(directory / "notes.txt", std::string_view("mine"));
  fl::core::write_file_atomically(directory / "charts" / "suspect-1-histogram.svg", std::string_view("of version 1"));
  report.findings.resize(1);
  report.interactions.clear();
  report.paper_top.clear();
  renderer.write_report(report, directory.path());
  CHECK_FALSE(fs::exists(directory / "sheets" / "finding-2.png"));
  CHECK_FALSE(fs::exists(directory / "sheets" / "paper-top.png"));
  CHECK_FALSE(fs::exists(directory / "charts" / "suspect-1-histogram.svg"));
  CHECK_FALSE(fs::exists(directory / "charts" / "finding-3-response-2.svg"));
  CHECK_FALSE(fs::exists(directory / "charts" / "finding-3-response-2.png"));
  CHECK(fs::exists(directory / "charts" / "classes.png"));
  CHECK_FALSE(fs::exists(directory / "charts" / "map-1.svg"));
  CHECK_FALSE(fs::exists(directory / "charts" / "finding-2-histogram.svg"));
  CHECK(fs::exists(directory / "sheets" / "finding-1.png"));
  CHECK(fs::exists(directory / "sheets" / "finding-of-mine.png"));
  CHECK(fs::exists(directory / "notes.txt"));
}

TEST_CASE("a folder that cannot be written gives one error and leaves nothing behind") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const fl::DirectionRenderer renderer(known, classifier, {.columns = 2, .examples = 1, .failures = 1});
  const TemporaryDirectory directory;
  fl::core::write_file_atomically(directory / "file", std::string_view("in the way"));
  CHECK(error_code([&] { renderer.write_report(report, directory / "file" / "out"); }) == fl::ErrorCode::cannot_write);
  CHECK(error_text([&] {
          renderer.write_report(report, directory / "file" / "out");
        }).find((directory / "file" / "out").string()) != std::string::npos);
  CHECK(directory.names() == std::vector<std::string>{"file"});
}

TEST_CASE("a disk that fills up on the way gives one error and leaves nothing behind") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto report = render_test::example_report(known);
  const fl::DirectionRenderer renderer(known, classifier, {.columns = 2, .examples = 1, .failures = 1});
  const TemporaryDirectory directory;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{150'000, before.rlim_max};  // report.json fits, the page does not
  REQUIRE(setrlimit(RLIMIT_FSIZE, &tight) == 0);
  const auto code = error_code([&] { renderer.write_report(report, directory / "new"); });
  const bool nothing_new = directory.names().empty();
  (void)setrlimit(RLIMIT_FSIZE, &before);
  renderer.write_report(report, directory / "old");
  const auto complete = contents(directory / "old");
  (void)setrlimit(RLIMIT_FSIZE, &tight);
  const auto again = error_code([&] { renderer.write_report(report, directory / "old"); });
  (void)setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  CHECK(complete.at("report.json").size() < tight.rlim_cur);
  CHECK(complete.at("report.html").size() > tight.rlim_cur);
  CHECK(code == fl::ErrorCode::cannot_write);
  CHECK(nothing_new);
  CHECK(again == fl::ErrorCode::cannot_write);
  CHECK(contents(directory / "old") == complete);
}

TEST_CASE("a report of another generator, seed or shape is refused") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  const auto good = render_test::example_report(known);
  const fl::DirectionRenderer renderer(known, classifier);
  const TemporaryDirectory directory;
  const auto refused = [&](auto change) {
    fl::FailureReport report = good;
    change(report);
    const auto code = error_code([&] { renderer.write_report(report, directory / "out"); });
    CHECK(directory.names().empty());
    return code;
  };
  CHECK(refused([](fl::FailureReport& r) { r.provenance.generator_digest = "another"; }) ==
        fl::ErrorCode::incompatible_models);
  CHECK(refused([](fl::FailureReport& r) {
          for (auto& example : r.findings[0].examples) example.label = (example.label + 1) % 4;
        }) == fl::ErrorCode::incompatible_models);
  CHECK(refused([](fl::FailureReport& r) { r.findings[0].direction.w.pop_back(); }) == fl::ErrorCode::shape_mismatch);
  CHECK(refused([](fl::FailureReport& r) { r.paper_top[3].channel.flat = 100'000; }) == fl::ErrorCode::shape_mismatch);
  CHECK(refused([](fl::FailureReport& r) { r.provenance.truncation = 9; }) == fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::DirectionRenderer(known, classifier, {.columns = -1}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::DirectionRenderer(known, classifier, {.examples = 41}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::DirectionRenderer(known, classifier, {.failures = 401}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(error_code([&] { fl::DirectionRenderer(known, classifier, {.image_pixels = 0}); }) ==
        fl::ErrorCode::invalid_argument);
}

TEST_CASE("a classifier that misbehaves while the sheets are drawn is reported as such") {
  const auto known = render_test::example_generator();
  auto broken = fl::make_classifier([](fl::ImageView, fl::ScoreMatrix&) { throw std::runtime_error("out of tape"); },
                                    {.classes = 4, .scores = fl::Scores::logits});
  const auto report = render_test::example_report(known);
  const TemporaryDirectory directory;
  CHECK(error_code([&] { fl::DirectionRenderer(known, broken).write_report(report, directory / "out"); }) ==
        fl::ErrorCode::classifier_threw);
  CHECK(directory.names().empty());
}

TEST_CASE("reports without findings, and for one fixed class, are rendered too") {
  const auto known = render_test::example_generator();
  auto classifier = render_test::example_classifier(known);
  fl::FailureReport report;
  report.verdict = fl::Verdict::too_few_failures;
  report.provenance.generator_digest = known.digest();
  report.provenance.labels = fl::LabelPolicy::fixed(2);
  report.provenance.samples_per_split = 200;
  const TemporaryDirectory directory;
  fl::DirectionRenderer(known, classifier).write_report(report, directory / "out");
  const auto files = contents(directory / "out");
  CHECK(files.size() == 4);
  CHECK(files.count("sheets/failures.png") == 1);
}
