// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every option of the ways in, at both ends of its range and beyond: refused with the range in the sentence, before the
// generator has made an image.
#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/scan/scan.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/statistics/tsne.hpp>
#include <faultline/testing.hpp>

#include <support/catch2.hpp>
#include <testing/linear_world.hpp>

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace fl = faultline;

constexpr std::int64_t near_2_40 = (std::int64_t{1} << 40) - 1, huge = std::numeric_limits<std::int64_t>::max(),
                       lowest = std::numeric_limits<std::int64_t>::min();
constexpr double infinity = std::numeric_limits<double>::infinity(),
                 no_number = std::numeric_limits<double>::quiet_NaN();

/// The sentence in which `call` is refused; the world must not have made an image for it.
std::string refusal(const faultline_tests::LinearWorld& world, const std::function<void()>& call) {
  const std::int64_t before = world.made();
  try {
    call();
  } catch (const fl::Error& error) {
    CHECK(world.made() == before);
    return error.what();
  }
  return "";
}

/// A member of the options, by name, and what it must not be.
template <class Options>
struct Wrong {
  const char* name;
  std::function<void(Options&)> set;
};

template <class Options>
std::vector<Wrong<Options>> whole(const char* name, std::int64_t Options::*member, std::int64_t least) {
  std::vector<Wrong<Options>> wrong;
  for (const std::int64_t value : {least - 1, lowest, near_2_40, huge})
    wrong.push_back({name, [member, value](Options& options) { options.*member = value; }});
  return wrong;
}

template <class Options>
std::vector<Wrong<Options>> real(const char* name, double Options::*member, double below) {
  std::vector<Wrong<Options>> wrong;
  for (const double value : {below, -infinity, infinity, no_number})
    wrong.push_back({name, [member, value](Options& options) { options.*member = value; }});
  return wrong;
}

template <class Options>
void add(std::vector<Wrong<Options>>& all, std::vector<Wrong<Options>> more) {
  all.insert(all.end(), more.begin(), more.end());
}

bool says(const std::string& sentence, const char* name) {
  CAPTURE(sentence, name);
  return sentence.find("[F101]") == 0 && sentence.find(name) != std::string::npos &&
         (sentence.find(" must lie in [") != std::string::npos ||
          sentence.find(" must lie strictly between ") != std::string::npos);
}

}  // namespace

TEST_CASE("the options of the method are refused outside their ranges before any image") {
  std::vector<Wrong<fl::MethodOptions>> wrong;
  using M = fl::MethodOptions;
  add(wrong, whole("permutations", &M::permutations, 19));
  add(wrong, whole("half_samples", &M::half_samples, 0));
  add(wrong, whole("intervention_latents", &M::intervention_latents, 0));
  add(wrong, whole("intervention_images", &M::intervention_images, 0));
  add(wrong, whole("fraction_latents", &M::fraction_latents, 0));
  add(wrong, whole("placebo_directions", &M::placebo_directions, 0));
  add(wrong, whole("threshold_latents", &M::threshold_latents, 1));
  add(wrong, whole("batch_size", &M::batch_size, 1));
  add(wrong, whole("gradient_samples", &M::gradient_samples, 0));
  add(wrong, real("alpha", &M::alpha, 0.0));
  add(wrong, real("least_effective_failures", &M::least_effective_failures, 1.9));
  const faultline_tests::LinearWorld world({});
  auto classifier = faultline_tests::world_classifier({});
  const std::vector<fl::AnyClassifier> both{fl::AnyClassifier(classifier), fl::AnyClassifier(classifier)};
  for (const auto& [name, set] : wrong) {
    fl::MethodOptions method;
    set(method);
    CHECK(says(refusal(world, [&] { (void)fl::characterize(world, classifier, {.samples = 100, .method = method}); }),
               name));
    CHECK(says(refusal(world, [&] { (void)fl::compare(world, both, {.samples = 100, .method = method}); }), name));
  }
}

TEST_CASE("samples, truncation and batches are refused outside their ranges before any image") {
  const faultline_tests::LinearWorld world({});
  auto classifier = faultline_tests::world_classifier({});
  const std::vector<fl::AnyClassifier> both{fl::AnyClassifier(classifier), fl::AnyClassifier(classifier)};
  for (const std::int64_t samples : {std::int64_t{-1}, lowest, near_2_40, huge}) {
    CHECK(says(refusal(world, [&] { (void)fl::characterize(world, classifier, {.samples = samples}); }), "samples"));
    CHECK(says(refusal(world, [&] { (void)fl::compare(world, both, {.samples = samples}); }), "samples"));
  }
  for (const double truncation : {-2.1, 2.1, infinity, no_number})
    CHECK(says(
        refusal(world, [&] { (void)fl::characterize(world, classifier, {.samples = 100, .truncation = truncation}); }),
        "truncation"));
  for (const std::int64_t batch : {std::int64_t{0}, lowest, near_2_40, huge}) {
    CHECK(says(refusal(world, [&] { fl::StyleSpaceSampler sampler(world, {.batch_size = batch}); }), "batch_size"));
    CHECK(says(refusal(world,
                       [&] {
                         (void)fl::testing::gate(world, classifier, fl::testing::FailureRateBelow{.batch_size = batch});
                       }),
               "batch_size"));
  }
  const fl::StyleSpaceSampler sampler(world, {});
  for (const std::int64_t count : {near_2_40, huge}) {
    CHECK(says(refusal(world, [&] { (void)sampler.labels(0, count); }), "samples"));
    CHECK(says(refusal(world, [&] { (void)sampler.latents_z(0, count); }), "samples"));
    CHECK(says(refusal(world, [&] { (void)sampler.latents_w(0, count); }), "samples"));
    CHECK(says(refusal(world, [&] { (void)fl::analysis::scan_start(sampler, count); }), "latents"));
    CHECK(says(refusal(world, [&] { (void)fl::analysis::scan_start(sampler, 1, 2.0, count); }), "population"));
  }
}

TEST_CASE("the options of the paper's method and of comparisons are refused outside their ranges before any image") {
  const faultline_tests::LinearWorld world({});
  auto classifier = faultline_tests::world_classifier({});
  const std::vector<fl::AnyClassifier> both{fl::AnyClassifier(classifier), fl::AnyClassifier(classifier)};
  std::vector<Wrong<fl::PaperOptions>> paper;
  using P = fl::PaperOptions;
  add(paper, whole("top", &P::top, 1));
  add(paper, whole("gradients", &P::gradients, 0));
  add(paper, whole("effect_latents", &P::effect_latents, 0));
  add(paper, whole("random_channels", &P::random_channels, 0));
  for (const std::int64_t value : {std::int64_t{-1}, near_2_40, huge}) {
    paper.push_back({"images", [value](P& options) { options.attfind.images = value; }});
    paper.push_back({"most", [value](P& options) { options.attfind.most = value; }});
    paper.push_back({"cases", [value](P& options) { options.corner_cases.cases = value; }});
    paper.push_back({"pool", [value](P& options) { options.corner_cases.pool = value; }});
    paper.push_back({"channels", [value](P& options) { options.corner_cases.channels = value; }});
  }
  for (const double value : {0.0, -1.0, infinity, no_number}) {
    paper.push_back({"step", [value](P& options) { options.corner_cases.step = value; }});
    paper.push_back({"reach", [value](P& options) { options.corner_cases.reach = value; }});
  }
  const fl::StyleSpaceSampler sampler(world, {});
  fl::FailureAnalyzer analyzer(sampler, classifier, fl::Misclassified{}, {.samples = 100});
  for (const auto& [name, set] : paper) {
    fl::PaperOptions options;
    set(options);
    CHECK(says(refusal(world, [&] { (void)analyzer.run_paper(options); }), name));
  }
  std::vector<Wrong<fl::ComparisonOptions>> comparison;
  using C = fl::ComparisonOptions;
  add(comparison, whole("accuracy_channels", &C::accuracy_channels, 1));
  add(comparison, whole("accuracy_bins", &C::accuracy_bins, 1));
  add(comparison, whole("bootstrap_replicates", &C::bootstrap_replicates, 39));
  for (const auto& [name, set] : comparison) {
    fl::ComparisonOptions options;
    set(options);
    CHECK(says(refusal(world, [&] { (void)fl::compare(world, both, options); }), name));
  }
}

TEST_CASE("the analytic generator and maps are refused options outside their ranges") {
  const faultline_tests::LinearWorld world({});
  const auto refused = [&](const fl::AnalyticOptions& options) {
    return refusal(world, [&] { fl::AnalyticGenerator generator(options); }).find("[F101] AnalyticGenerator") == 0;
  };
  for (const std::int64_t value : {std::int64_t{-1}, lowest, near_2_40, huge}) {
    CHECK(refused({.factors = value}));
    CHECK(refused({.channels = value}));
    CHECK(refused({.classes = value}));
  }
  const fl::Matrix<float> points = [] {
    fl::Matrix<float> m(100, 2);
    for (std::int64_t i = 0; i < 200; ++i) m.values()[static_cast<std::size_t>(i)] = static_cast<float>(i % 17);
    return m;
  }();
  std::vector<Wrong<fl::statistics::TsneOptions>> wrong;
  using T = fl::statistics::TsneOptions;
  add(wrong, whole("iterations", &T::iterations, 1));
  add(wrong, whole("exaggerated_iterations", &T::exaggerated_iterations, 0));
  add(wrong, whole("threads", &T::threads, 0));
  add(wrong, real("perplexity", &T::perplexity, 1.9));
  add(wrong, real("early_exaggeration", &T::early_exaggeration, 0.9));
  add(wrong, real("learning_rate", &T::learning_rate, -0.1));
  for (const auto& [name, set] : wrong) {
    fl::statistics::TsneOptions options{.iterations = 10};
    set(options);
    CHECK(says(refusal(world, [&] { (void)fl::statistics::embed_tsne(points, options); }), name));
  }
}
