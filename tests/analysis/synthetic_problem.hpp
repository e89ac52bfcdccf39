// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A Problem whose truth is a rule on w: no generator, no classifier, microseconds a sample.

#include <faultline/analysis/problem/problem.hpp>
#include <faultline/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace synthetic {

namespace fl = faultline;

/// What a sample is: independent latent factors u, mixed into w by a fixed matrix, with a class mean.
struct World {
  std::int64_t dimension = 8;  ///< of w; as many latent factors
  /// Style channels; channel j reads factor j alone for j < dimension, the others are mixtures
  std::int64_t channels = 40;
  std::int64_t classes = 3;
  std::int64_t seed = 1;
  /// Factors are Laplace instead of normal, so that independent components can be found
  bool heavy_tails = false;
  std::int64_t properties = 0;  ///< property j reads factor j with a little noise
  /// Whether a judge reads an image with these factors; no judge when empty
  std::function<bool(const std::vector<double>& u)> judge = nullptr;
  /// p(y) of a sample with these factors; failure is p(y) < 1/2. Default: right always.
  std::function<double(const std::vector<double>& u, std::int64_t label, std::int64_t hash)> probability =
      [](const auto&, std::int64_t, std::int64_t) { return 0.9; };
};

namespace detail {

struct Model {
  World world;
  fl::Matrix<double> mix, unmix, class_mean;  // w = mix u + class mean
  std::int64_t evaluated = 0;
};

inline std::vector<double> factors_of(const Model& model, std::span<const float> w, std::int64_t label) {
  const std::int64_t d = model.world.dimension;
  std::vector<double> u(static_cast<std::size_t>(d), 0.0);
  for (std::int64_t i = 0; i < d; ++i)
    for (std::int64_t j = 0; j < d; ++j)
      u[static_cast<std::size_t>(i)] +=
          model.unmix(i, j) * (static_cast<double>(w[static_cast<std::size_t>(j)]) - model.class_mean(label, j));
  return u;
}

/// A number that depends on the sample's bits alone, as a classifier's random errors would.
inline std::int64_t hash_of(std::span<const float> w) {
  std::uint64_t h = 1469598103934665603ull;
  for (const float value : w) {
    h ^= static_cast<std::uint64_t>(std::llround(static_cast<double>(value) * 1e6));
    h *= 1099511628211ull;
    h ^= h >> 29;
  }
  return static_cast<std::int64_t>(h % 1000003);
}

/// Inverse by Gauss and Jordan with pivoting.
inline fl::Matrix<double> inverse(fl::Matrix<double> a) {
  const std::int64_t n = a.rows();
  fl::Matrix<double> b(n, n);
  for (std::int64_t i = 0; i < n; ++i) b(i, i) = 1.0;
  for (std::int64_t c = 0; c < n; ++c) {
    std::int64_t pivot = c;
    for (std::int64_t r = c; r < n; ++r)
      if (std::abs(a(r, c)) > std::abs(a(pivot, c))) pivot = r;
    for (std::int64_t k = 0; k < n; ++k) std::swap(a(c, k), a(pivot, k)), std::swap(b(c, k), b(pivot, k));
    const double scale = 1.0 / a(c, c);
    for (std::int64_t k = 0; k < n; ++k) a(c, k) *= scale, b(c, k) *= scale;
    for (std::int64_t r = 0; r < n; ++r) {
      const double f = a(r, c);
      if (r == c || f == 0.0) continue;
      for (std::int64_t k = 0; k < n; ++k) a(r, k) -= f * a(c, k), b(r, k) -= f * b(c, k);
    }
  }
  return b;
}

}  // namespace detail

/// The problem of a world, with both splits of `samples` each. The direction of factor j in w is column j of the mixing
/// matrix.
struct Setup {
  fl::Problem problem;
  std::shared_ptr<detail::Model> model;

  [[nodiscard]] std::vector<double> factors(std::span<const float> w, std::int64_t label) const {
    return detail::factors_of(*model, w, label);
  }
  /// What moving w by `step` does to factor j.
  [[nodiscard]] double along(const std::vector<double>& step, std::int64_t j) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < step.size(); ++k) sum += model->unmix(j, static_cast<std::int64_t>(k)) * step[k];
    return sum;
  }
};

inline Setup make(const World& world, std::int64_t samples, std::int64_t seed = 1) {
  auto model = std::make_shared<detail::Model>();
  model->world = world;
  const std::int64_t d = world.dimension;
  model->mix.resize(d, d);
  model->class_mean.resize(world.classes, d);
  fl::core::CounterRandom random(world.seed, fl::core::Stream::start_latents, 1);
  for (double& value : model->mix.values()) value = 0.35 * random.normal();
  for (std::int64_t i = 0; i < d; ++i) model->mix(i, i) += 1.0;
  for (double& value : model->class_mean.values()) value = 2.0 * random.normal();
  model->unmix = detail::inverse(model->mix);

  Setup setup;
  setup.model = model;
  fl::Problem& problem = setup.problem;
  problem.layout =
      fl::StyleLayout({{"b4.conv1", world.channels / 2}, {"b8.conv0", world.channels - world.channels / 2}});
  problem.classes = world.classes;
  problem.seed = seed;
  problem.has_judge = static_cast<bool>(world.judge);
  problem.style_matrix.resize(world.channels, d);
  problem.style_bias.assign(static_cast<std::size_t>(world.channels), 1.0);
  for (std::int64_t k = 0; k < world.channels; ++k) {
    std::vector<double> row(static_cast<std::size_t>(d), 0.0);
    if (k < d) row[static_cast<std::size_t>(k)] = 2.0;
    else
      for (double& value : row) value = random.normal();
    for (std::int64_t j = 0; j < d; ++j)
      for (std::int64_t i = 0; i < d; ++i)
        problem.style_matrix(k, j) += row[static_cast<std::size_t>(i)] * model->unmix(i, j);
  }
  for (std::int64_t p = 0; p < world.properties; ++p) problem.property_names.push_back("property " + std::to_string(p));

  const auto properties_of = [model](const std::vector<double>& u, std::int64_t hash, std::span<float> out) {
    fl::core::CounterRandom noise(77, fl::core::Stream::corruptions, hash);
    for (std::size_t p = 0; p < out.size(); ++p) out[p] = static_cast<float>(u[p] + 0.3 * noise.normal());
  };
  problem.sample = [model, seed, properties_of](std::int64_t first, std::int64_t count) {
    const World& w = model->world;
    fl::Population population;
    population.w.resize(count, w.dimension);
    population.properties.resize(count, w.properties);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t index = first + i;
      const std::int64_t label = fl::core::draw_label(seed, index, w.classes);
      fl::core::CounterRandom draw(seed, fl::core::Stream::latents, index);
      std::vector<double> u(static_cast<std::size_t>(w.dimension));
      for (double& value : u) {
        if (!w.heavy_tails) value = draw.normal();
        else {
          const double uniform = draw.uniform() - 0.5;
          value = -std::copysign(std::log(1.0 - 2.0 * std::abs(uniform)), uniform) / std::sqrt(2.0);
        }
      }
      for (std::int64_t j = 0; j < w.dimension; ++j) {
        double value = model->class_mean(label, j);
        for (std::int64_t k = 0; k < w.dimension; ++k) value += model->mix(j, k) * u[static_cast<std::size_t>(k)];
        population.w(i, j) = static_cast<float>(value);
      }
      const std::int64_t hash = detail::hash_of(population.w.row_span(i));
      const std::vector<double> seen = detail::factors_of(*model, population.w.row_span(i), label);
      const double p = w.probability(seen, label, hash);
      if (w.judge) population.valid.push_back(w.judge(seen) ? 1 : 0);
      population.index.push_back(index);
      population.label.push_back(label);
      population.failed.push_back(p < 0.5 ? 1 : 0);
      population.prediction.push_back(p < 0.5 ? (label + 1) % std::max<std::int64_t>(2, w.classes) : label);
      population.probability.push_back(static_cast<float>(p));
      population.margin.push_back(static_cast<float>(2.0 * p - 1.0));
      properties_of(u, hash, population.properties.row_span(i));
    }
    return population;
  };
  problem.answer_edits = [model, properties_of](std::span<const fl::analysis::EditedLatent> edits,
                                                const fl::analysis::WantedAnswers& wanted) {
    const World& w = model->world;
    const fl::analysis::EditBatch batch = fl::analysis::lay_out(edits);
    fl::analysis::EditAnswers answers;
    fl::analysis::ClassifierAnswers& own = answers.classifiers.emplace_back();
    if (wanted.properties) answers.properties.resize(batch.w.rows(), w.properties);
    for (std::int64_t i = 0; i < batch.w.rows(); ++i) {
      const std::int64_t label = batch.label[static_cast<std::size_t>(i)];
      auto u = detail::factors_of(*model, batch.w.row_span(i), label);
      // Channel j < dimension is 2 u_j: shifting it shifts its factor. The others change nothing.
      for (std::size_t j = 0; j < batch.channels.size(); ++j)
        if (batch.channels[j] < w.dimension)
          u[static_cast<std::size_t>(batch.channels[j])] +=
              static_cast<double>(batch.shifts(i, static_cast<std::int64_t>(j))) / 2.0;
      const std::int64_t hash = detail::hash_of(batch.w.row_span(i));
      const double p = w.probability(u, label, hash);
      own.failed.push_back(p < 0.5 ? 1 : 0);
      own.prediction.push_back(p < 0.5 ? label + 1 : label);
      own.probability.push_back(static_cast<float>(p));
      own.log_odds.push_back(static_cast<float>(std::log(p / (1.0 - p))));
      if (wanted.judge && w.judge) answers.judge_agrees.push_back(w.judge(u) ? 1 : 0);
      if (wanted.properties) properties_of(u, hash, answers.properties.row_span(i));
    }
    if (wanted.images) answers.images = fl::ImageBatch(batch.w.rows(), {1, 2, 2});
    model->evaluated += batch.w.rows();
    return answers;
  };
  problem.discovery = problem.sample(fl::core::discovery_first, samples);
  problem.confirmation = problem.sample(fl::core::confirmation_first, samples);
  return setup;
}

/// p(y) of a classifier that fails where `excess` is positive, smoothly.
inline double fails_above(double excess) { return 1.0 / (1.0 + std::exp(4.0 * excess)); }

}  // namespace synthetic
