// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A replay line carries everything that decided the result: it is parsed, run again, and must give the same counts.

#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/replay.hpp>
#include <faultline/testing.hpp>

#include <support/catch2.hpp>
#include <support/replay_parser.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace fl = faultline;
using fl::testing::FailureRateBelow;
using fl::testing::gate;
using fl::testing::GateResult;

namespace {

// Four classes; its truncation and cutoff change the images.
fl::AnalyticGenerator replayed_world() {
  return fl::AnalyticGenerator({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
}

// Sure of its class unless factor 0 is high; how sure, depends on factor 1. Class 2 fails earlier than the others.
auto graded(const fl::AnalyticGenerator& known, std::string digest = "0123456789abcdef") {
  return fl::make_classifier(
      [&known](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), known.num_classes());
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          scores(i, reading.label) = 2.0f + reading.factors[1];
          scores(i, (reading.label + 1) % known.num_classes()) =
              1.5f * reading.factors[0] + (reading.label == 2 ? 1.0f : 0.0f);
        }
      },
      {.classes = known.num_classes(),
       .scores = fl::Scores::logits,
       .name = "graded */ release",
       .digest = std::move(digest)});
}

template <class G, class C>
GateResult again(const G& generator, C& classifier, const GateResult& first) {
  using namespace replay_parser;
  const auto arguments = split(inside(without_comments(first.replay()), "fl::testing::gate", '(', ')'));
  auto values = initialisers(inside(arguments.at(2), "fl::testing::FailureRateBelow", '{', '}'));
  FailureRateBelow policy;
  take(values, "bound", policy.bound);
  take(values, "confidence", policy.confidence);
  take(values, "seed", policy.seed);
  take(values, "max_samples", policy.max_samples);
  take(values, "labels", policy.labels);
  take(values, "truncation", policy.truncation);
  take(values, "batch_size", policy.batch_size);
  take(values, "cutoff", policy.cutoff);
  take(values, "noise", policy.noise);
  take(values, "probability_tolerance", policy.probability_tolerance);
  take(values, "gates", policy.gates);
  if (!values.empty()) throw std::runtime_error("not understood: " + values.begin()->first);
  return gate(generator, classifier, policy, criterion_of(arguments));
}

template <class F>
void check_gate(const FailureRateBelow& policy, const F& criterion) {
  const auto known = replayed_world();
  auto mine = graded(known);
  const GateResult first = gate(known, mine, policy, criterion);
  CAPTURE(first.replay());
  CHECK(first.replay().find("to be supplied") == std::string::npos);
  const GateResult second = again(known, mine, first);
  CHECK(second.samples() == first.samples());
  CHECK(second.failures() == first.failures());
  CHECK(second.verdict() == first.verdict());
  CHECK(second.interval().lower == first.interval().lower);
  CHECK(second.interval().upper == first.interval().upper);
  const auto policy_text = [](const std::string& line) { return line.substr(0, line.find('}')); };
  CHECK(policy_text(second.replay()) == policy_text(first.replay()));
}

}  // namespace

TEST_CASE("the replay line of a gate gives the same counts for every criterion") {
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 640}, fl::Misclassified{});
  check_gate({.bound = 0.3, .seed = 3, .max_samples = 640}, fl::TrueClassBelow{0.45});
  check_gate({.bound = 0.3, .seed = 3, .max_samples = 640}, fl::TrueClassBelow{1.0 / 3.0});
  check_gate({.bound = 0.3, .seed = 3, .max_samples = 640}, fl::MarginBelow{0.25});
  check_gate({.bound = 0.3, .seed = 3, .max_samples = 640}, fl::MarginBelow{-1e-3});
}

TEST_CASE("the replay line of a gate gives the same counts for every option") {
  check_gate({.bound = 0.1, .confidence = 0.8, .seed = -5, .max_samples = 300}, fl::Misclassified{});
  check_gate({.bound = 1e-4, .seed = 3, .max_samples = 256, .labels = fl::LabelPolicy::fixed(2)}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .labels = fl::LabelPolicy::given({2, 2, 2, 0})},
             fl::Misclassified{});
  // A list that is drawn from, at budgets that end at an analysis and between two
  for (const std::int64_t budget : {300, 512, 4'000})
    check_gate({.bound = 0.3, .seed = 4, .max_samples = budget, .labels = fl::LabelPolicy::given({3, 1, 2, 2, 0, 0})},
               fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 2'000, .gates = 20}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .truncation = 0.7}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .truncation = -0.25, .cutoff = 1}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .batch_size = 7}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = std::numeric_limits<std::int64_t>::max(), .max_samples = 256}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .noise = fl::Noise::random}, fl::Misclassified{});
  check_gate({.bound = 0.1, .seed = 3, .max_samples = 512, .noise = fl::Noise::none, .probability_tolerance = 0.01},
             fl::Misclassified{});
}

TEST_CASE("a replay line names what it cannot carry") {
  const auto known = replayed_world();
  auto mine = graded(known), nameless = graded(known, "");
  const auto own = [](std::span<const float> p, std::int64_t label) {
    return p[static_cast<std::size_t>(label)] < 0.5f;
  };
  const std::string custom = gate(known, mine, FailureRateBelow{.bound = 0.2, .max_samples = 128}, own).replay();
  CHECK(custom.find("to be supplied: criterion \"custom\", a function of your own") != std::string::npos);
  const std::string unknown = gate(known, nameless, FailureRateBelow{.bound = 0.2, .max_samples = 128}).replay();
  CHECK(unknown.find("to be supplied: classifier \"graded  / release\", which states no digest") != std::string::npos);
  std::vector<std::int64_t> labels(5'000);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>(i % 4);
  const std::string longer =
      gate(known, mine, FailureRateBelow{.bound = 0.2, .max_samples = 128, .labels = fl::LabelPolicy::given(labels)})
          .replay();
  CHECK(longer.size() < 600);
  CHECK(longer.find("fl::LabelPolicy::given(labels)") != std::string::npos);
  CHECK(longer.find("to be supplied: labels, 5000 of them") != std::string::npos);
}

namespace {

template <class Options>
std::map<std::string, std::string> call_options(const std::string& line, const std::string& call,
                                                std::vector<std::string>& arguments, Options& options) {
  using namespace replay_parser;
  arguments = split(inside(without_comments(line), call, '(', ')'));
  auto values = initialisers(inside(arguments.at(2), "", '{', '}'));
  take(values, "samples", options.samples);
  take(values, "seed", options.seed);
  take(values, "labels", options.labels);
  take(values, "truncation", options.truncation);
  take(values, "noise", options.noise);
  take(values, "cutoff", options.cutoff);
  if (values.count("method") != 0) take_method(values["method"], options.method), values.erase("method");
  return values;
}

template <class F>
void check_characterize(const fl::CharacterizeOptions& options, const F& criterion) {
  const auto known = replayed_world();
  auto mine = graded(known);
  const auto first = fl::characterize(known, mine, options, criterion);
  const std::string line = fl::analysis::replay(first);
  CAPTURE(line);
  CHECK(line.find("to be supplied") == std::string::npos);
  fl::CharacterizeOptions read;
  std::vector<std::string> arguments;
  CHECK(call_options(line, "fl::characterize", arguments, read).empty());
  const auto second = fl::characterize(known, mine, read, replay_parser::criterion_of(arguments));
  CHECK(second.failure_rate.failures == first.failure_rate.failures);
  CHECK(second.failure_rate.n == first.failure_rate.n);
  CHECK(second.verdict == first.verdict);
  CHECK(second.reason == first.reason);
  CHECK(second.cost.generator_images == first.cost.generator_images);
  REQUIRE(second.findings.size() == first.findings.size());
  for (std::size_t i = 0; i < first.findings.size(); ++i)
    CHECK(second.findings[i].headline == first.findings[i].headline);
}

}  // namespace

TEST_CASE("the replay line of a characterisation gives the same report") {
  fl::MethodOptions quick;
  quick.properties.clear();
  quick.permutations = 199;
  quick.half_samples = 2;
  quick.fraction_latents = 128;
  quick.threshold_latents = 16;
  quick.intervention_latents = 256;
  quick.placebo_directions = 8;
  check_characterize({.samples = 800, .seed = 4, .method = quick}, fl::Misclassified{});
  quick.batch_size = 50;
  quick.alpha = 0.01;
  quick.property_distances = false;
  quick.least_effective_failures = 10.5;
  check_characterize({.samples = 600,
                      .seed = 5,
                      .labels = fl::LabelPolicy::given({0, 2, 2}),
                      .truncation = 0.9,
                      .method = quick,
                      .cutoff = 1},
                     fl::TrueClassBelow{0.4});
  check_characterize({.samples = 600, .seed = 5, .noise = fl::Noise::random, .method = quick}, fl::MarginBelow{0.1});
  quick.budget.images = 2'000;  // ends the sampling at 400 of 600
  check_characterize({.samples = 600, .seed = 5, .method = quick}, fl::Misclassified{});

  quick.budget = {.seconds = 1e6};
  const auto known = replayed_world();
  auto mine = graded(known);
  const std::string line = fl::analysis::replay(fl::characterize(known, mine, {.samples = 100, .method = quick}));
  CHECK(line.find(".budget = {.seconds = 1e+06}") != std::string::npos);
  CHECK(line.find("a machine of the same pace") != std::string::npos);
}

TEST_CASE("the replay line of a comparison gives the same comparison") {
  const auto known = replayed_world();
  const std::vector classifiers{fl::AnyClassifier(graded(known)), fl::AnyClassifier(graded(known, "fedcba9876543210"))};
  fl::ComparisonOptions options{
      .samples = 400, .seed = 2, .truncation = 0.8, .accuracy_bins = 4, .bootstrap_replicates = 99, .cutoff = 1};
  options.method.properties.clear();
  options.method.permutations = 99;
  const auto first = fl::compare(known, classifiers, options);
  const std::string line = fl::analysis::replay(first);
  CAPTURE(line);
  CHECK(line.find("to be supplied") == std::string::npos);
  CHECK(line.find("classifiers /* graded  / release, 0123456789ab; graded  / release (2), fedcba987654 */") !=
        std::string::npos);
  fl::ComparisonOptions read;
  std::vector<std::string> arguments;
  auto rest = call_options(line, "fl::compare", arguments, read);
  replay_parser::take(rest, "accuracy_bins", read.accuracy_bins);
  replay_parser::take(rest, "bootstrap_replicates", read.bootstrap_replicates);
  CHECK(rest.empty());
  const auto second = fl::compare(known, classifiers, read);
  CHECK(fl::analysis::replay(second) == line);
  REQUIRE(second.pairs.size() == 1);
  CHECK(second.pairs[0].test.counts.both_fail == first.pairs[0].test.counts.both_fail);
  CHECK(second.pairs[0].test.counts.both_right == first.pairs[0].test.counts.both_right);
  CHECK(second.cost.generator_images == first.cost.generator_images);
}

namespace {

struct TalkativeGenerator : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  [[nodiscard]] std::string torch_version() const { return "2.15.0"; }
  [[nodiscard]] std::string backend_description() const { return "a machine of tests"; }
};

bool filled(const std::string& text) { return !text.empty(); }
bool filled(std::int64_t value) { return value != 0; }
bool filled(double value) { return value != 0.0; }
bool filled(fl::Noise noise) { return noise != fl::Noise::constant; }
bool filled(const fl::LabelPolicy& policy) {
  return policy.kind == fl::LabelPolicy::Kind::given && !policy.labels.empty();
}
template <class T>
bool filled(const std::optional<T>& value) {
  return value && filled(*value);
}
template <class T>
bool filled(const std::vector<T>& values) {
  return !values.empty();
}

}  // namespace

TEST_CASE("every field of a run's description is filled") {
  const TalkativeGenerator known({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
  auto mine = graded(known);
  fl::ComparisonOptions comparison{.samples = 300,
                                   .seed = 2,
                                   .labels = fl::LabelPolicy::given({0, 1, 2, 3}),
                                   .truncation = 0.8,
                                   .noise = fl::Noise::random,
                                   .accuracy_bins = 4,
                                   .bootstrap_replicates = 99,
                                   .cutoff = 1};
  comparison.method.permutations = 99;
  comparison.method.command = "compare --seed 2";
  comparison.method.judge = fl::AnyClassifier(graded(known));
  const fl::Provenance run = fl::compare(known, std::vector{fl::AnyClassifier(mine), fl::AnyClassifier(mine)},
                                         comparison, fl::MarginBelow{0.1})
                                 .provenance;
  const auto& [library, generator, classifier, criterion, torch, cpu, seed, samples, batch, truncation, noise, labels,
               alpha, backend, cutoff, expression, classifier_digest, judge, judge_digest, compiler, command, method,
               options, properties] = run;
  CHECK((filled(library) && filled(generator) && filled(classifier) && filled(criterion) && filled(torch) &&
         filled(cpu) && filled(seed) && filled(samples)));
  CHECK((filled(batch) && filled(truncation) && filled(noise) && filled(labels) && filled(alpha) && filled(backend)));
  CHECK((filled(cutoff) && filled(expression) && filled(classifier_digest) && filled(judge) && filled(judge_digest) &&
         filled(compiler) && filled(command)));
  CHECK((filled(method) && filled(options) && filled(properties)));
  CHECK(fl::analysis::sampler_options(run) == fl::SamplerOptions{.seed = 2,
                                                                 .labels = comparison.labels,
                                                                 .truncation = 0.8,
                                                                 .cutoff = 1,
                                                                 .noise = fl::Noise::random,
                                                                 .batch_size = 64});

  fl::CharacterizeOptions single{.samples = 300,
                                 .seed = 2,
                                 .labels = comparison.labels,
                                 .truncation = 0.8,
                                 .noise = fl::Noise::random,
                                 .method = comparison.method,
                                 .cutoff = 1};
  fl::Provenance same = fl::characterize(known, mine, single, fl::MarginBelow{0.1}).provenance;
  same.classifier_name = run.classifier_name;  // a comparison names all of its classifiers, and has options of its own
  same.classifier_digest = run.classifier_digest;
  same.options = run.options;
  CHECK(same == run);
}
