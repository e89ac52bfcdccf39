// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every dimension at one and two: the whole way ends in a valid report, or is refused in a sentence before anything was
// sampled.
#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/explain/explain.hpp>
#include <faultline/render/comparison_report.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/render/paper_json.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/testing.hpp>

#include <core/temporary_directory.hpp>
#include <render/schema_validator.hpp>
#include <support/catch2.hpp>
#include <testing/linear_world.hpp>

#include <cmath>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

using faultline_tests::LinearWorld;
using faultline_tests::WorldSizes;

namespace {

namespace fl = faultline;

std::vector<std::string> complaints(const std::string& json, const char* schema) {
  const auto page = std::filesystem::path(FAULTLINE_SOURCE_DIR) / "docs/reference" / schema;
  return render_test::SchemaValidator(nlohmann::json::parse(faultline_tests::text_of(page)))
      .complaints(nlohmann::ordered_json::parse(json));
}

fl::Property brightness() {
  return {"brightness", [](std::span<const float> image, const fl::ImageShape&) {
            double sum = 0.0;
            for (const float value : image) sum += static_cast<double>(value);
            return sum;
          }};
}

fl::Property first_pixel() {
  return {"first pixel",
          [](std::span<const float> image, const fl::ImageShape&) { return static_cast<double>(image[0]); }};
}

fl::MethodOptions quick_method(std::vector<fl::Property> properties = {brightness()}) {
  fl::MethodOptions method;
  method.permutations = 99;
  method.half_samples = 2;
  method.intervention_latents = 128;
  method.intervention_images = 2'000;
  method.fraction_latents = 64;
  method.placebo_directions = 4;
  method.threshold_latents = 4;
  method.least_effective_failures = 4.0;
  method.gradient_samples = 4;
  method.batch_size = 16;
  method.properties = std::move(properties);
  return method;
}

/// What `run` ends in: nothing, or the sentence of a refusal, which must come before the population is drawn.
std::string refusal(const LinearWorld& world, const std::function<void()>& run) {
  const std::int64_t before = world.made();
  try {
    run();
    return "";
  } catch (const fl::Error& error) {
    CAPTURE(error.what());
    CHECK((error.family() == 1 || error.family() == 2));
    CHECK(world.made() - before <= 2 * 128);  // the laws and a pilot may be looked at
    return error.what();
  }
}

/// The whole way on one world.
void go_all_the_way(const WorldSizes& sizes, const fl::MethodOptions& method, std::int64_t samples) {
  CAPTURE(sizes.text(), samples, method.batch_size, method.properties.size());
  const LinearWorld world(sizes);
  auto classifier = faultline_tests::world_classifier(sizes);
  const faultline_tests::TemporaryDirectory folder;

  const std::string refused = refusal(world, [&] {
    const fl::FailureReport report =
        fl::characterize(world, classifier, {.samples = samples, .seed = 3, .method = method});
    CHECK(complaints(fl::to_json(report), "report.schema.json").empty());
    CHECK(report.failure_rate.n == 2 * samples);
    fl::DirectionRenderer(world, classifier).write_report(report, folder / "report");
    CHECK(fl::read_report(folder / "report" / "report.json") == report);
    const std::vector<fl::analysis::KnownCause> causes = fl::render::known_causes(report);
    CHECK(causes.size() == report.findings.size());

    const fl::StyleSpaceSampler sampler(world, {.seed = 3, .batch_size = method.batch_size});
    if (causes.empty()) return;
    const fl::Problem problem = fl::analysis::discovery_problem(sampler, classifier, fl::Misclassified{}, samples,
                                                                {.batch_size = method.batch_size});
    const fl::Explainer explainer(problem, causes);
    const fl::Explanation why = explainer(problem.discovery.w.row_span(0), problem.discovery.label[0]);
    for (const fl::analysis::ExplainedCause& cause : why.causes) {
      CHECK(std::isfinite(cause.coordinate));
      CHECK(std::isfinite(cause.gain));
      if (sizes.w == 1) CHECK_FALSE(cause.random_repaired.has_value());  // there is no other direction
    }
  });
  INFO(refused);
  CHECK((refused.empty() || sizes.classes < 2));

  (void)refusal(world, [&] {
    const fl::StyleSpaceSampler sampler(world, {.seed = 3, .batch_size = method.batch_size});
    fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, {.samples = samples, .method = method});
    fl::PaperReport paper = analyzer.run_paper({.attfind = {.images = 2}, .effect_latents = 8, .random_channels = 2});
    CHECK(complaints(fl::to_json(paper), "paper.schema.json").empty());
    fl::render::write_corner_cases(paper, folder / "corner-cases.npy");
    for (fl::paper::PaperClass& one : paper.classes)
      for (fl::paper::CornerCase& found : one.corner_cases) found.images = {};  // which JSON does not have
    CHECK(fl::render::parse_paper_report(fl::to_json(paper)) == paper);
  });

  auto other = faultline_tests::world_classifier(sizes, 1.0f);
  (void)refusal(world, [&] {
    const std::vector<fl::AnyClassifier> both{fl::AnyClassifier(classifier), fl::AnyClassifier(other)};
    const fl::ComparisonReport comparison = fl::compare(world, both,
                                                        {.samples = samples,
                                                         .seed = 3,
                                                         .method = method,
                                                         .accuracy_channels = 2,
                                                         .accuracy_bins = 2,
                                                         .bootstrap_replicates = 39});
    CHECK(complaints(fl::to_json(comparison), "comparison.schema.json").empty());
    fl::write_comparison(comparison, folder / "comparison");
    CHECK(fl::render::read_comparison(folder / "comparison" / "comparison.json") == comparison);
  });

  (void)refusal(world, [&] {
    const auto verdict = fl::testing::gate(
        world, classifier, fl::testing::FailureRateBelow{.bound = 0.9, .seed = 3, .batch_size = method.batch_size});
    CHECK(verdict.passed());
  });
}

}  // namespace

TEST_CASE("every dimension at one and two ends in a valid report or is refused before sampling") {
  const WorldSizes usual;
  const auto with = [&](const std::function<void(WorldSizes&)>& change) {
    WorldSizes sizes = usual;
    change(sizes);
    go_all_the_way(sizes, quick_method(), 120);
  };
  go_all_the_way(usual, quick_method(), 120);
  for (const std::int64_t n : {1, 2, 4}) {
    with([n](WorldSizes& s) { s.w = n; });
    with([n](WorldSizes& s) { s.latent = n; });
    with([n](WorldSizes& s) { s.latent = s.w = n; });
    with([n](WorldSizes& s) { s.side = n; });
    with([n](WorldSizes& s) { s.side = n, s.w = s.latent = 4; });
  }
  for (const std::int64_t n : {1, 2, 3, 4}) with([n](WorldSizes& s) { s.image_channels = n; });
  for (const std::int64_t n : {0, 1, 2, 3}) with([n](WorldSizes& s) { s.classes = n; });
  for (const std::vector<std::int64_t>& layers : {std::vector<std::int64_t>{1}, {2}, {1, 1}, {1, 2}, {2, 1, 1}})
    with([&](WorldSizes& s) { s.layers = layers; });
}

TEST_CASE("the smallest sizes together end in a valid report or are refused before sampling") {
  for (const std::int64_t classes : {1, 2})
    for (const std::int64_t w : {1, 2})
      for (const std::int64_t side : {1, 2})
        for (const std::vector<std::int64_t>& layers : {std::vector<std::int64_t>{1}, {1, 1}}) {
          const WorldSizes sizes{
              .latent = w, .w = w, .classes = classes, .image_channels = 1, .side = side, .layers = layers};
          go_all_the_way(sizes, quick_method(), 120);
          go_all_the_way(sizes, quick_method({}), 120);
        }
}

TEST_CASE("no property, one, two, equal ones and constant ones end in a valid report") {
  const fl::Property constant{"constant", [](std::span<const float>, const fl::ImageShape&) { return 1.0; }};
  for (const std::vector<fl::Property>& properties : {std::vector<fl::Property>{},
                                                      {brightness()},
                                                      {brightness(), first_pixel()},
                                                      {constant},
                                                      {first_pixel(), first_pixel()},
                                                      {constant, first_pixel()}})
    go_all_the_way({}, quick_method(properties), 120);
  for (const std::int64_t side : {1, 2, 4}) {
    const WorldSizes sizes{.side = side};
    go_all_the_way(sizes, quick_method(fl::default_properties()), 120);
  }
  go_all_the_way({.image_channels = 3}, quick_method(fl::default_properties()), 120);
}

TEST_CASE("one sample, two, and batches of one or larger than all of them end in a valid report") {
  for (const std::int64_t samples : {1, 2, 3, 5, 9, 20}) go_all_the_way({}, quick_method(), samples);
  for (const std::int64_t batch : {1, 2, 500}) {
    fl::MethodOptions method = quick_method();
    method.batch_size = batch;
    for (const std::int64_t samples : {1, 2, 60}) go_all_the_way({}, method, samples);
  }
}

TEST_CASE("the smallest options that are allowed end in a valid report") {
  fl::MethodOptions method = quick_method();
  method.permutations = 19;
  method.half_samples = method.placebo_directions = method.fraction_latents = method.gradient_samples = 0;
  method.threshold_latents = 1;
  method.least_effective_failures = 2.0;
  for (const std::int64_t latents : {0, 1, 200}) {
    method.intervention_latents = latents;
    method.intervention_images = 10 * latents;
    go_all_the_way({}, method, 120);
  }
}

TEST_CASE("fewer samples than latent dimensions end in a valid report") {
  fl::MethodOptions method = quick_method();
  method.least_effective_failures = 2.0;
  for (const std::int64_t w : {16, 40, 64}) {
    const WorldSizes sizes{.latent = w, .w = w};
    for (const std::int64_t samples : {20, 41, 66}) go_all_the_way(sizes, method, samples);
  }
}

TEST_CASE("the analytic generator at its smallest ends in a valid report") {
  for (const std::int64_t classes : {0, 1, 2}) {
    const fl::AnalyticGenerator known({.factors = 1, .channels = 19, .classes = classes, .seed = 1});
    auto classifier = fl::make_classifier(
        [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count(), 2);
          for (std::int64_t i = 0; i < images.count(); ++i) {
            const auto [label, factors] = known.read(images, i);
            scores(i, factors[0] > 0.5f ? 1 - label : label) = 3.0f;
          }
        },
        {.classes = 2, .scores = fl::Scores::logits});
    try {
      const fl::FailureReport report =
          fl::characterize(known, classifier, {.samples = 200, .seed = 3, .method = quick_method()});
      CHECK(complaints(fl::to_json(report), "report.schema.json").empty());
      CHECK(report.findings.size() == 1);
    } catch (const fl::Error& error) {
      INFO(error.what());
      CHECK(classes < 2);
      CHECK((error.family() == 1 || error.family() == 2));
    }
  }
}
