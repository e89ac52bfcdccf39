// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Worlds whose truth is known in closed form (method section 13, level 0): latents are mixtures of independent factors,
// a rule on the factors says how often a sample fails, and properties measure some of them. No generator, no
// classifier, microseconds a sample.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/decompositions.hpp>

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
enum class Tails { normal, laplace };

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
  std::int64_t factors = 6;  ///< as many dimensions has w
  std::int64_t classes = 4;
  std::int64_t samples = 10'000;  ///< per split
  Tails tails = Tails::normal;
  double correlation = 0.0;   ///< of factor 1 with factor 0
  double first_spread = 1.0;  ///< of factor 0 in w, the others have 1
  std::vector<Measure> measures = {};
  /// P(failure)
  std::function<double(Factors, std::int64_t label)> risk = [](Factors, std::int64_t) { return 0.0; };
  std::vector<Planted> planted = {};
  /// Further names that are no mistake beside the planted ones: what is true but was not asked for
  std::vector<std::string> allowed = {};
  /// Share of the failures that would not occur with all causes at their usual level, where it has a closed form
  std::optional<double> fraction = std::nullopt;
};

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
  std::int64_t seed = 0;

  /// Factors of a latent.
  [[nodiscard]] std::vector<double> factors_of(std::span<const float> w, std::int64_t label) const {
    const Eigen::VectorXd x = fl::core::as_vector(w).cast<double>() - class_mean.row(label).transpose();
    return fl::core::to_list(unmix * x);
  }
};

/// A number in [0, 1) that depends on the bits of a latent alone, as a deterministic classifier's errors would.
inline double hash_of(std::span<const float> w) {
  std::uint64_t h = 1469598103934665603ull;
  for (const float value : w) {
    h ^= static_cast<std::uint64_t>(std::llround(static_cast<double>(value) * 1e7));
    h *= 1099511628211ull;
    h ^= h >> 29;
  }
  h *= 0x9E3779B97F4A7C15ull;
  return static_cast<double>(h >> 11) * 0x1p-53;
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
  model->mix.resize(d, d);
  model->class_mean.resize(world.classes, d);
  fl::core::CounterRandom random(seed, fl::core::Stream::codes, 1'000'000'007);
  // an orthogonal-ish mixture: no coordinate of w is a factor
  for (double& value : model->mix.values()) value = 0.35 * random.normal();
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
  problem.style_matrix.resize(2 * d, d);
  problem.style_bias.assign(static_cast<std::size_t>(2 * d), 1.0);
  problem.style_matrix.topRows(d) = 2.0 * model->unmix;  // channel j reads factor j
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
    population.w.resize(count, rules.factors);
    population.properties.resize(count, static_cast<std::int64_t>(rules.measures.size()));
    Eigen::VectorXd u(rules.factors);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = first + i;
      const std::int64_t label = fl::core::draw_label(model->seed, index, rules.classes);
      fl::core::CounterRandom draw(model->seed, fl::core::Stream::latents, index);
      for (double& value : u) {
        if (rules.tails == Tails::normal) value = draw.normal();
        else {
          const double uniform = draw.uniform() - 0.5;
          value = -std::copysign(std::log(1.0 - 2.0 * std::abs(uniform)), uniform) / std::sqrt(2.0);
        }
      }
      if (rules.correlation != 0.0)
        u[1] = rules.correlation * u[0] + std::sqrt(1.0 - rules.correlation * rules.correlation) * u[1];
      population.w.row(i) = (model->mix * u + model->class_mean.row(label).transpose()).transpose().cast<float>();
      const std::vector<double> factors = model->factors_of(population.w.row_span(i), label);
      const double hash = detail::hash_of(population.w.row_span(i)), risk = rules.risk(factors, label);
      const bool failed = hash < risk;
      population.index.push_back(index);
      population.label.push_back(label);
      population.failed.push_back(failed ? 1 : 0);
      population.prediction.push_back(failed ? (label + 1) % rules.classes : label);
      population.probability.push_back(static_cast<float>(1.0 - risk));
      population.margin.push_back(static_cast<float>(1.0 - 2.0 * risk));
      measure(factors, hash, population.properties.row_span(i));
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
        if (batch.channels[j] < rules.factors)
          u[static_cast<std::size_t>(batch.channels[j])] +=
              static_cast<double>(batch.shifts(i, static_cast<std::int64_t>(j))) / 2.0;
      const double hash = detail::hash_of(batch.w.row_span(i)), risk = rules.risk(u, label);
      own.failed.push_back(hash < risk ? 1 : 0);
      own.prediction.push_back(hash < risk ? (label + 1) % rules.classes : label);
      own.probability.push_back(static_cast<float>(1.0 - risk));
      own.log_odds.push_back(static_cast<float>(std::log((1.0 - risk + 1e-9) / (risk + 1e-9))));
      if (wanted.properties) measure(u, hash, answers.properties.row_span(i));
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

/// Every world of the list.
inline std::vector<World> all() {
  const auto above = [](std::size_t j, double level) {
    return [=](Factors u, std::int64_t) { return u[j] > level ? 1.0 : 0.0; };
  };
  const auto one = [](const std::string& name) { return std::vector<Planted>{{{name}}}; };
  const std::string unnamed = "direction";
  std::vector<World> list;
  const auto add = [&](World world) { list.push_back(std::move(world)); };

  add({.name = "threshold",
       .measures = factor_measures(6),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "noisy threshold",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.3 ? 0.7 : 0.03; },
       .planted = one("u0"),
       .fraction = 0.684});
  add({.name = "smooth risk",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return 1.0 / (1.0 + std::exp(3.0 - 1.2 * u[0])); },
       .planted = one("u0")});
  add({.name = "band",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 0.6 && u[0] < 1.2 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "two-sided",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.8 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "uneven two-sided",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.5 || u[0] < -2.1 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "centre",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) < 0.1 ? 1.0 : 0.0; },
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "XOR",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < -0.8 ? 0.9 : 0.02; },
       .planted = one("u0 x u1"),
       .fraction = 0.856});
  add({.name = "XOR without main effects",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < 0.0 ? 0.15 : 0.03; },
       .planted = one("u0 x u1")});
  add({.name = "AND",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] > 0.7 && u[1] > 0.7 ? 0.9 : 0.0; },
       .planted = {{{"u0"}}, {{"u1"}}},
       .allowed = {"u0 x u1"},
       .fraction = 1.0});
  add({.name = "one class of 10",
       .classes = 10,
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.8 ? 1.0 : 0.01; },
       .planted = one("u0 in class 3"),
       .fraction = 0.677});
  add({.name = "one class of 100",
       .classes = 100,
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.5 ? 1.0 : 0.01; },
       .planted = one("u0 in class 3"),
       .fraction = 0.234});
  add({.name = "proxy, both measured",
       .correlation = 0.8,
       .measures = factor_measures(6, 0.1),
       .risk = above(0, 1.4),
       .planted = one("u0"),
       .fraction = 1.0});
  World proxy{.name = "proxy, cause measured with noise",
              .correlation = 0.8,
              .measures = factor_measures(6, 0.1),
              .risk = above(0, 1.4),
              .planted = one("u0"),
              .fraction = 1.0};
  proxy.measures[0].noise = 0.8;
  add(proxy);
  proxy.name = "proxy measured with noise";
  proxy.measures = factor_measures(6, 0.1);
  proxy.measures[1].noise = 0.8;
  add(proxy);
  add({.name = "oblique over four",
       .measures = factor_measures(6),
       .risk = [](Factors u, std::int64_t) { return u[0] + u[1] + u[2] + u[3] > 3.0 ? 1.0 : 0.0; },
       .planted = {{{"u0 + u1 + u2 + u3", unnamed}}},
       .fraction = 1.0});
  add({.name = "four causes",
       .factors = 8,
       .measures = factor_measures(8),
       .risk = [](Factors u, std::int64_t) { return u[0] > 1.8 || u[1] > 1.8 || u[2] > 1.8 || u[3] > 1.8 ? 1.0 : 0.0; },
       .planted = {{{"u0"}}, {{"u1"}}, {{"u2"}}, {{"u3"}}},
       .fraction = 1.0});
  const auto any_of_ten = [](double level) {
    return [=](Factors u, std::int64_t) {
      for (std::size_t j = 0; j < 10; ++j)
        if (u[j] > level) return 1.0;
      return 0.0;
    };
  };
  World ten{.name = "ten causes", .factors = 12, .measures = factor_measures(12), .risk = any_of_ten(2.0)};
  for (int j = 0; j < 10; ++j) ten.planted.push_back({{"u" + std::to_string(j)}});
  add(ten);
  ten.name = "ten causes, 286 failures";
  ten.risk = any_of_ten(2.76);
  add(ten);
  add({.name = "rare",
       .samples = 40'000,
       .measures = factor_measures(6),
       .risk = above(0, 2.576),
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "heavy tails",
       .tails = Tails::laplace,
       .measures = factor_measures(6),
       .risk = above(0, 1.7),
       .planted = one("u0"),
       .fraction = 1.0});
  World crooked{.name = "decides everything, not linear",
                .measures = factor_measures(6),
                .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.7 ? 1.0 : 0.0; },
                .planted = one("size"),
                .allowed = {}};
  crooked.measures[0] = {"size", [](Factors u) { return std::abs(u[0]); }, 0.0};
  add(crooked);
  add({.name = "tiny spread",
       .first_spread = 1e-3,
       .measures = factor_measures(6),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "w of one dimension",
       .factors = 1,
       .measures = factor_measures(1),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "w of two dimensions",
       .factors = 2,
       .measures = factor_measures(2),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0});
  add({.name = "w of four dimensions",
       .factors = 4,
       .measures = factor_measures(4),
       .risk = above(0, 1.5),
       .planted = one("u0"),
       .fraction = 1.0});

  // nothing that is measured decides: factors 0 to 2 have no property
  std::vector<Measure> others = factor_measures(8);
  others.erase(others.begin(), others.begin() + 3);
  add({.name = "unmeasured threshold",
       .factors = 8,
       .measures = others,
       .risk = above(0, 1.5),
       .planted = one(unnamed),
       .fraction = 1.0});
  add({.name = "unmeasured two-sided",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return std::abs(u[0]) > 1.8 ? 1.0 : 0.0; },
       .planted = one(unnamed),
       .fraction = 1.0});
  add({.name = "unmeasured XOR",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[1] < -0.8 ? 0.9 : 0.02; },
       .planted = one(unnamed)});
  add({.name = "unmeasured distance",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[0] + u[1] * u[1] + u[2] * u[2] > 6.5 ? 1.0 : 0.0; },
       .planted = one(unnamed)});
  add({.name = "unmeasured in one class of 10",
       .factors = 8,
       .classes = 10,
       .measures = others,
       .risk = [](Factors u, std::int64_t c) { return c == 3 && u[0] > 0.5 ? 1.0 : 0.01; },
       .planted = one("direction in class 3"),
       .fraction = 0.753});
  add({.name = "outcome by variance",
       .factors = 8,
       .measures = others,
       .risk = [](Factors u, std::int64_t) { return u[0] * u[0] > 2.0 ? 0.3 : 0.03; },
       .planted = one(unnamed),
       .fraction = 0.586});

  add({.name = "null, random errors", .measures = factor_measures(6), .risk = [](Factors, std::int64_t) {
         return 0.07;
       }});
  add({.name = "null, by class", .classes = 10, .measures = factor_measures(6), .risk = [](Factors, std::int64_t c) {
         return 0.02 * static_cast<double>(1 + c);
       }});
  return list;
}

}  // namespace worlds
