// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Worlds whose truth is known in closed form (conditions.md, levels 0 and 3): latents are mixtures of factors, a
// rule on the factors says how often a sample fails, and properties measure some of them. No generator, no classifier,
// microseconds a sample. The list of them is world_list.hpp; a new one is one entry there.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace worlds {

namespace fl = faultline;
using Factors = std::span<const double>;

/// How factors are distributed; all have mean 0 and variance 1.
enum class Tails {
  normal,
  laplace,
  uniform,
  skewed,   ///< exponential, less its mean
  bimodal,  ///< two normal bumps of deviation .5
};

/// A measured property: a function of the factors, and how much noise the measurement has.
struct Measure {
  std::string name;
  std::function<double(Factors)> value;
  double noise = 0.3;
};

/// One planted fault: every way to say it rightly, as the programs write conditions.
struct Planted {
  std::vector<std::string> names;
};

struct World {
  std::string name;
  int level = 0;             ///< of conditions.md
  std::int64_t factors = 6;  ///< as many dimensions has w
  std::int64_t read = 0;     ///< rules and properties read so many of them; 0: all
  std::int64_t classes = 4;
  std::int64_t samples = 10'000;  ///< per split
  Tails tails = Tails::normal;
  double bend = 0.0;          ///< every coordinate x of w becomes x + bend |x|: no factor is linear in w any more
  double first_spread = 1.0;  ///< of factor 0 in w, the others have 1
  /// Makes the factors of independent ones; each must keep mean 0 and variance 1
  std::function<void(std::span<double>)> relate = nullptr;
  std::vector<Measure> measures = {};
  /// P(failure) of an image that can be read
  std::function<double(Factors, std::int64_t label)> risk = [](Factors, std::int64_t) { return 0.0; };
  /// P(nobody can read the image): the judge does not agree, and the classifier fails with probability .9. Without it
  /// there is no judge
  std::function<double(Factors, std::int64_t label)> unreadable = nullptr;
  /// What is answered where the classifier fails; the next class without it
  std::function<std::int64_t(std::int64_t label)> answer = nullptr;
  std::vector<Planted> planted = {};
  /// Further names that are no mistake beside the planted ones: what is true but was not asked for
  std::vector<std::string> allowed = {};
  /// Share of the failures on valid images that would not occur with all causes at their usual level, where it has a
  /// closed form
  std::optional<double> fraction = std::nullopt;
  std::optional<double> threshold = std::nullopt;  ///< level of the first property from which everything fails
  /// How the first planted cause has to be described, where the rule leaves no choice
  std::optional<fl::analysis::ConditionShape> shape = std::nullopt;
  /// Of class findings, as `name_of` writes them: all that a report must have, and no other
  std::vector<std::string> class_findings = {};
  /// Beyond what the method promises: kept so that everybody sees how it errs there, and does not decide the exit code
  bool is_limit = false;
  /// A condition of images that nobody can read, which belongs among the generator's
  std::optional<std::string> generators = std::nullopt;
};

/// The wrong answer of a world's classifier.
inline std::int64_t wrong_answer(const World& world, std::int64_t label) {
  return world.answer ? world.answer(label) : (label + 1) % world.classes;
}

/// A class finding in words: "class 2 always fails".
inline std::string name_of(const fl::analysis::ClassFinding& finding) {
  const std::string label = "class " + std::to_string(finding.class_label);
  switch (finding.fault) {
    case fl::analysis::ClassFault::always_fails: return label + " always fails";
    case fl::analysis::ClassFault::answered_as: return label + " is answered as " + std::to_string(*finding.answer);
    case fl::analysis::ClassFault::swapped: break;
  }
  return label + " and " + std::to_string(*finding.answer) + " are swapped";
}

/// Property j measures factor j for the first `count` factors.
inline std::vector<Measure> factor_measures(std::int64_t count, double noise = 0.3) {
  std::vector<Measure> measures;
  for (std::int64_t j = 0; j < count; ++j)
    measures.push_back({"u" + std::to_string(j), [j](Factors u) { return u[static_cast<std::size_t>(j)]; }, noise});
  return measures;
}

namespace detail {

struct Model {
  World world;
  fl::Matrix<double> mix, unmix, class_mean;
  fl::Matrix<double> channels, unmix_channels;  // style channels of the factors that are read, and what they mean
  std::int64_t seed = 0;

  /// The factors of a latent that rules and properties read.
  [[nodiscard]] std::vector<double> factors_of(std::span<const float> w, std::int64_t label) const {
    Eigen::VectorXd x = fl::core::as_vector(w).cast<double>() - class_mean.row(label).transpose();
    if (world.bend != 0.0)
      for (double& value : x) value /= value > 0.0 ? 1.0 + world.bend : 1.0 - world.bend;
    return fl::core::to_list(unmix.topRows(world.read) * x);
  }

  /// Factors of a sample.
  [[nodiscard]] std::vector<double> draw(std::int64_t index) const {
    std::vector<double> u(static_cast<std::size_t>(world.factors));
    fl::core::CounterRandom random(seed, fl::core::Stream::latents, index);
    for (double& value : u) {
      switch (world.tails) {
        case Tails::normal: value = random.normal(); break;
        case Tails::laplace: {
          const double uniform = random.uniform() - 0.5;
          value = -std::copysign(std::log(1.0 - 2.0 * std::abs(uniform)), uniform) / std::sqrt(2.0);
          break;
        }
        case Tails::uniform: value = std::sqrt(12.0) * (random.uniform() - 0.5); break;
        case Tails::skewed: value = -std::log(1.0 - random.uniform()) - 1.0; break;
        case Tails::bimodal:
          value = 0.5 * random.normal() + (random.uniform() < 0.5 ? std::sqrt(0.75) : -std::sqrt(0.75));
          break;
      }
    }
    if (world.relate) world.relate(u);
    return u;
  }
};

/// A number in [0, 1) that depends on the bits of a latent alone, as a deterministic classifier's errors would.
inline double hash_of(std::span<const float> w, std::uint64_t salt = 0) {
  std::uint64_t h = 1469598103934665603ull ^ salt;
  for (const float value : w) {
    h ^= static_cast<std::uint64_t>(std::llround(static_cast<double>(value) * 1e7));
    h *= 1099511628211ull;
    h ^= h >> 29;
  }
  h *= 0x9E3779B97F4A7C15ull;
  return static_cast<double>(h >> 11) * 0x1p-53;
}

/// What becomes of a latent.
struct Fate {
  double hash = 0.0, risk = 0.0;
  bool valid = true, failed = false;
};
inline Fate fate_of(const World& world, std::span<const float> w, Factors u, std::int64_t label) {
  Fate fate{.hash = hash_of(w)};
  if (world.unreadable) fate.valid = hash_of(w, 0x5bd1e995u) >= world.unreadable(u, label);
  fate.risk = fate.valid ? world.risk(u, label) : 0.9;
  fate.failed = fate.hash < fate.risk;
  return fate;
}

}  // namespace detail

/// The problem of a world for one seed, without populations: `draw` fills them.
struct Setup {
  fl::Problem problem;
  std::shared_ptr<detail::Model> model;
};

inline Setup make(const World& world, std::int64_t seed) {
  auto model = std::make_shared<detail::Model>();
  model->world = world;
  model->seed = seed;
  const std::int64_t d = world.factors;
  if (world.read == 0) model->world.read = d;
  model->mix.resize(d, d);
  model->class_mean.resize(world.classes, d);
  fl::core::CounterRandom random(seed, fl::core::Stream::start_latents, 1'000'000'007);
  // an orthogonal-ish mixture: no coordinate of w is a factor
  const double spread = 0.35 * std::sqrt(std::min(1.0, 12.0 / static_cast<double>(d)));
  for (double& value : model->mix.values()) value = spread * random.normal();
  for (std::int64_t i = 0; i < d; ++i) model->mix(i, i) += 1.0;
  model->mix.col(0) *= world.first_spread;
  for (double& value : model->class_mean.values()) value = 2.0 * random.normal();
  model->unmix = model->mix.inverse();

  Setup setup;
  setup.model = model;
  fl::Problem& problem = setup.problem;
  problem.layout = fl::StyleLayout({{"b4.conv1", 2 * d}});
  problem.classes = world.classes;
  problem.seed = seed;
  problem.has_judge = static_cast<bool>(world.unreadable);
  problem.style_matrix.resize(2 * d, d);
  problem.style_bias.assign(static_cast<std::size_t>(2 * d), 1.0);
  // no style channel is a factor: editing one changes several, those beyond the first d none
  fl::core::CounterRandom mixing(seed, fl::core::Stream::start_latents, 1'000'000'008);
  const std::int64_t read = model->world.read;
  model->channels.resize(read, read);
  for (double& value : model->channels.values()) value = 0.2 * mixing.normal();
  for (std::int64_t i = 0; i < read; ++i) model->channels(i, i) += 1.0;
  model->unmix_channels = model->channels.inverse();
  problem.style_matrix.topRows(d) = 2.0 * model->unmix;
  problem.style_matrix.topRows(read) = fl::Matrix<double>(model->channels * problem.style_matrix.topRows(read));
  for (std::int64_t k = d; k < 2 * d; ++k)
    for (std::int64_t j = 0; j < d; ++j) problem.style_matrix(k, j) = random.normal();
  for (const Measure& measure : world.measures) problem.property_names.push_back(measure.name);

  const auto measure = [model](Factors u, double hash, std::span<float> out) {
    fl::core::CounterRandom noise(77, fl::core::Stream::corruptions, static_cast<std::int64_t>(hash * 0x1p52));
    for (std::size_t p = 0; p < out.size(); ++p) {
      const Measure& m = model->world.measures[p];
      out[p] = static_cast<float>(m.value(u) + m.noise * noise.normal());
    }
  };
  problem.sample = [model, measure](std::int64_t first, std::int64_t count) {
    const World& rules = model->world;
    fl::Population population;
    population.properties.resize(count, static_cast<std::int64_t>(rules.measures.size()));
    fl::Matrix<double> x(count, rules.factors);
    for (std::int64_t i = 0; i < count; ++i) {
      population.index.push_back(first + i);
      population.label.push_back(fl::core::draw_label(model->seed, first + i, rules.classes));
      x.row(i) = fl::core::as_vector(model->draw(first + i)).transpose();
    }
    x = fl::Matrix<double>(x * model->mix.transpose());
    if (rules.bend != 0.0) x += fl::Matrix<double>(rules.bend * x.cwiseAbs());
    for (std::int64_t i = 0; i < count; ++i)
      x.row(i) += model->class_mean.row(population.label[static_cast<std::size_t>(i)]);
    population.w = x.cast<float>();
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t label = population.label[static_cast<std::size_t>(i)];
      const std::vector<double> factors = model->factors_of(population.w.row_span(i), label);
      const detail::Fate fate = detail::fate_of(rules, population.w.row_span(i), factors, label);
      population.failed.push_back(fate.failed ? 1 : 0);
      if (rules.unreadable) population.valid.push_back(fate.valid ? 1 : 0);
      population.prediction.push_back(fate.failed ? wrong_answer(rules, label) : label);
      population.probability.push_back(static_cast<float>(1.0 - fate.risk));
      population.margin.push_back(static_cast<float>(1.0 - 2.0 * fate.risk));
      measure(factors, fate.hash, population.properties.row_span(i));
    }
    return population;
  };
  problem.answer_edits = [model, measure](std::span<const fl::analysis::EditedLatent> edits,
                                          const fl::analysis::WantedAnswers& wanted) {
    const World& rules = model->world;
    const fl::analysis::EditBatch batch = fl::analysis::lay_out(edits);
    fl::analysis::EditAnswers answers;
    fl::analysis::ClassifierAnswers& own = answers.classifiers.emplace_back();
    if (wanted.properties) answers.properties.resize(batch.w.rows(), static_cast<std::int64_t>(rules.measures.size()));
    for (std::int64_t i = 0; i < batch.w.rows(); ++i) {
      const std::int64_t label = batch.label[static_cast<std::size_t>(i)];
      auto u = model->factors_of(batch.w.row_span(i), label);
      for (std::size_t j = 0; j < batch.channels.size(); ++j)
        if (batch.channels[j] < rules.read)
          fl::core::as_vector(u) += model->unmix_channels.col(batch.channels[j]) *
                                    (static_cast<double>(batch.shifts(i, static_cast<std::int64_t>(j))) / 2.0);
      const detail::Fate fate = detail::fate_of(rules, batch.w.row_span(i), u, label);
      own.failed.push_back(fate.failed ? 1 : 0);
      own.prediction.push_back(fate.failed ? wrong_answer(rules, label) : label);
      own.probability.push_back(static_cast<float>(1.0 - fate.risk));
      own.log_odds.push_back(static_cast<float>(std::log((1.0 - fate.risk + 1e-9) / (fate.risk + 1e-9))));
      if (wanted.judge && rules.unreadable) answers.judge_agrees.push_back(fate.valid ? 1 : 0);
      if (wanted.properties) measure(u, fate.hash, answers.properties.row_span(i));
    }
    if (wanted.images) answers.images = fl::ImageBatch(batch.w.rows(), {1, 2, 2});
    return answers;
  };
  return setup;
}

inline void draw(Setup& setup) {
  const std::int64_t samples = setup.model->world.samples;
  setup.problem.discovery = setup.problem.sample(fl::core::discovery_first, samples);
  setup.problem.confirmation = setup.problem.sample(fl::core::confirmation_first, samples);
}

}  // namespace worlds
