// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A world whose every distance, correlation and property is known in closed form: what the measuring half of the
// analysis is tested on.

#include <faultline/analysis/problem/finding_context.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/whitening.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace findings_world {

namespace fl = faultline;

inline constexpr std::int64_t w_dim = 6;
inline constexpr std::int64_t channels = 40;
inline constexpr std::int64_t classes = 3;
/// Style channels 0 .. 5 hold the coordinates x of the world, channel j with scale (-1)^j (j + 1); the others are
/// mixtures of them that the image does not show.
inline double scale(std::int64_t j) { return (j % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(j + 1); }

/// What a classifier and a judge make of the coordinates x (standard normal within classes) of one image.
struct Answers {
  double probability = 1.0;
  bool failed = false;
  bool judge_agrees = true;
};

struct World {
  std::function<Answers(std::span<const double> x, std::int64_t label)> answer;
  std::function<std::vector<double>(std::span<const double> x, std::int64_t label)> properties =
      [](std::span<const double>, std::int64_t) { return std::vector<double>{}; };
  std::vector<std::string> property_names = {};
  bool has_judge = false;
  std::int64_t population = 1500;
};

/// Calls and rows that went through answer_edits.
struct Counts {
  std::int64_t calls = 0;
  std::int64_t rows = 0;
};

/// The mixing matrix M of w = class mean + M x: within-class standard deviations far from one, and correlated.
inline double mixing(std::int64_t i, std::int64_t j) {
  return i == j ? 0.5 + 0.3 * static_cast<double>(i) : j < i ? 0.2 / static_cast<double>(1 + i - j) : 0.0;
}
inline double class_mean(std::int64_t label, std::int64_t i) {
  return 1.5 * static_cast<double>(label) * (i % 2 == 0 ? 1.0 : -0.5);
}

inline std::vector<double> mix(std::span<const double> x, std::int64_t label) {
  std::vector<double> w(w_dim);
  for (std::int64_t i = 0; i < w_dim; ++i) {
    w[static_cast<std::size_t>(i)] = class_mean(label, i);
    for (std::int64_t j = 0; j <= i; ++j)
      w[static_cast<std::size_t>(i)] += mixing(i, j) * x[static_cast<std::size_t>(j)];
  }
  return w;
}

/// M^-1 y by forward substitution (M is lower triangular).
inline std::vector<double> unmix(std::span<const double> y) {
  std::vector<double> x(w_dim);
  for (std::int64_t i = 0; i < w_dim; ++i) {
    double rest = y[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < i; ++j) rest -= mixing(i, j) * x[static_cast<std::size_t>(j)];
    x[static_cast<std::size_t>(i)] = rest / mixing(i, i);
  }
  return x;
}

/// The problem with its populations and whitening, kept together so that contexts can borrow them.
struct Setup {
  fl::Problem problem;
  fl::statistics::Whitening whitening;
  fl::MethodOptions options;
  fl::Population latents;
  std::shared_ptr<Counts> counts = std::make_shared<Counts>();

  [[nodiscard]] fl::analysis::FindingContext context() const { return {problem, whitening, options, latents}; }

  /// The finding that moves exactly along coordinate x_j (in the population's truth; its whitened vector is fitted).
  [[nodiscard]] fl::Finding along(std::int64_t j, double sign = 1.0) const {
    fl::Finding finding;
    finding.direction.name = "coordinate " + std::to_string(j);
    fl::Matrix<double> step(1, w_dim);
    for (std::int64_t i = 0; i < w_dim; ++i) step(0, i) = sign * mixing(i, j);
    const fl::Matrix<double> v = fl::statistics::whiten_steps(whitening, step);
    double norm = 0.0;
    for (const double value : v.values()) norm += value * value;
    finding.direction.whitened.assign(v.values().begin(), v.values().end());
    for (double& value : finding.direction.whitened) value /= std::sqrt(norm);
    finding.direction.w.assign(step.values().begin(), step.values().end());
    return finding;
  }
};

/// Coordinates x of sample `index`.
inline std::vector<double> coordinates(std::int64_t index) {
  std::vector<float> z(w_dim);
  fl::core::fill_normals(3, fl::core::Stream::latents, index, z);
  return {z.begin(), z.end()};
}
inline std::int64_t label_of(std::int64_t index) { return fl::core::draw_label(3, index, classes); }

inline fl::Population sample(const World& world, std::int64_t first, std::int64_t count) {
  fl::Population population;
  population.w.resize(count, w_dim);
  population.properties.resize(count, static_cast<std::int64_t>(world.property_names.size()));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = first + i, label = label_of(index);
    const auto x = coordinates(index);
    const auto w = mix(x, label);
    for (std::int64_t j = 0; j < w_dim; ++j) population.w(i, j) = static_cast<float>(w[static_cast<std::size_t>(j)]);
    const Answers answers = world.answer(x, label);
    population.index.push_back(index);
    population.label.push_back(label);
    population.prediction.push_back(answers.failed ? (label + 1) % classes : label);
    population.failed.push_back(answers.failed ? 1 : 0);
    population.probability.push_back(static_cast<float>(answers.probability));
    population.margin.push_back(static_cast<float>(2.0 * answers.probability - 1.0));
    if (world.has_judge) population.valid.push_back(answers.judge_agrees ? 1 : 0);
    const auto properties = world.properties(x, label);
    for (std::size_t p = 0; p < properties.size(); ++p)
      population.properties(i, static_cast<std::int64_t>(p)) = static_cast<float>(properties[p]);
  }
  return population;
}

/// A 4x4 image that shows x: pixel j is .5 + x_j / 20.
inline void draw(std::span<const double> x, std::span<float> image) {
  for (std::size_t j = 0; j < image.size(); ++j) image[j] = j < x.size() ? static_cast<float>(0.5 + x[j] / 20.0) : 0.0f;
}

inline Setup build(const World& world) {
  Setup setup;
  fl::Problem& problem = setup.problem;
  problem.layout = fl::StyleLayout({{"b4.conv1", 10}, {"b8.conv0", 20}, {"b8.torgb", 10}});
  problem.classes = classes;
  problem.property_names = world.property_names;
  problem.has_judge = world.has_judge;
  problem.seed = 3;
  // A = S M^-1 with S the rows that read x.
  fl::Matrix<double> rows(channels, w_dim);
  for (std::int64_t k = 0; k < channels; ++k) {
    fl::core::CounterRandom random(17, fl::core::Stream::start_latents, k);
    for (std::int64_t j = 0; j < w_dim; ++j)
      rows(k, j) = k < w_dim ? (k == j ? scale(j) : 0.0) : k == channels - 1 ? 0.0 : random.normal();
  }
  problem.style_matrix.resize(channels, w_dim);
  for (std::int64_t j = 0; j < w_dim; ++j) {
    std::vector<double> unit(w_dim, 0.0);
    unit[static_cast<std::size_t>(j)] = 1.0;
    const auto column = unmix(unit);  // column j of M^-1
    for (std::int64_t k = 0; k < channels; ++k)
      for (std::int64_t i = 0; i < w_dim; ++i)
        problem.style_matrix(k, j) += rows(k, i) * column[static_cast<std::size_t>(i)];
  }
  for (std::int64_t k = 0; k < channels; ++k) problem.style_bias.push_back(0.1 * static_cast<double>(k));

  problem.sample = [world](std::int64_t first, std::int64_t count) { return sample(world, first, count); };
  const auto counts = setup.counts;
  problem.answer_edits = [world, counts](std::span<const fl::analysis::EditedLatent> edits,
                                         const fl::analysis::WantedAnswers& wanted) {
    const fl::analysis::EditBatch batch = fl::analysis::lay_out(edits);
    ++counts->calls;
    counts->rows += batch.w.rows();
    fl::analysis::EditAnswers result;
    fl::analysis::ClassifierAnswers& own = result.classifiers.emplace_back();
    if (wanted.properties)
      result.properties.resize(batch.w.rows(), static_cast<std::int64_t>(world.property_names.size()));
    if (wanted.images) result.images = fl::ImageBatch(batch.w.rows(), {1, 4, 4});
    for (std::int64_t i = 0; i < batch.w.rows(); ++i) {
      const std::int64_t label = batch.label[static_cast<std::size_t>(i)];
      std::vector<double> y(w_dim);
      for (std::int64_t j = 0; j < w_dim; ++j)
        y[static_cast<std::size_t>(j)] = static_cast<double>(batch.w(i, j)) - class_mean(label, j);
      std::vector<double> x = unmix(y);
      for (std::size_t j = 0; j < batch.channels.size(); ++j)
        if (batch.channels[j] < w_dim)
          x[static_cast<std::size_t>(batch.channels[j])] +=
              static_cast<double>(batch.shifts(i, static_cast<std::int64_t>(j))) / scale(batch.channels[j]);
      const Answers answers = world.answer(x, label);
      own.failed.push_back(answers.failed ? 1 : 0);
      own.prediction.push_back(answers.failed ? (label + 1) % classes : label);
      own.probability.push_back(static_cast<float>(answers.probability));
      own.log_odds.push_back(
          static_cast<float>(std::clamp(std::log(answers.probability / (1.0 - answers.probability)), -20.0, 20.0)));
      if (wanted.judge && world.has_judge) result.judge_agrees.push_back(answers.judge_agrees ? 1 : 0);
      if (wanted.properties) {
        const auto values = world.properties(x, label);
        for (std::size_t p = 0; p < values.size(); ++p)
          result.properties(i, static_cast<std::int64_t>(p)) = static_cast<float>(values[p]);
      }
      if (wanted.images) draw(x, result.images.image(i));
    }
    return result;
  };
  problem.discovery = problem.sample(fl::core::discovery_first, world.population);
  problem.confirmation = problem.sample(fl::core::confirmation_first, world.population);
  setup.whitening = fl::statistics::fit_whitening(problem.discovery.w, problem.discovery.label, classes);
  setup.latents = problem.sample(fl::core::intervention_first, 128);
  setup.options.properties.clear();
  return setup;
}

inline double logistic(double t) { return 1.0 / (1.0 + std::exp(-t)); }

}  // namespace findings_world
