// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The steps of t-SNE.

#include <faultline/statistics/tsne.hpp>

#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/statistics/decompositions.hpp>
#include <faultline/statistics/fixed_sums.hpp>
#include <faultline/statistics/orthonormal_basis.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace statistics {
namespace detail {

/// Samples that are computed side by side.
inline constexpr std::int64_t tsne_tile = 64;

/// Positions in the plane, one array per coordinate, filled up to whole tiles.
struct TsnePlane {
  explicit TsnePlane(std::int64_t samples)
      : n(samples), x(static_cast<std::size_t>((samples + tsne_tile - 1) / tsne_tile * tsne_tile)), y(x.size()) {}
  [[nodiscard]] std::int64_t padded() const noexcept { return static_cast<std::int64_t>(x.size()); }
  [[nodiscard]] std::int64_t tiles() const noexcept { return padded() / tsne_tile; }
  std::int64_t n;
  std::vector<double> x, y;
};

/// Gaussian similarities p_j|i of one sample at the width that gives the perplexity, from squared distances; entry
/// `self` becomes 0.
///
/// The search is for the precision β at which the entropy is log(perplexity); the entropy falls with β. With so many
/// equal neighbours that no β reaches it, the sharpest is taken.
inline void tsne_neighbours(std::span<double> row, std::size_t self, double perplexity) {
  const double target = std::log(perplexity);
  double nearest = std::numeric_limits<double>::infinity(), sum = 0.0;
  for (std::size_t j = 0; j < row.size(); ++j)
    if (j != self) nearest = std::min(nearest, row[j]), sum += row[j];
  const double scale = sum / static_cast<double>(row.size() - 1) - nearest;  // of the differences that decide
  double low = 0.0, high = std::numeric_limits<double>::infinity(), beta = scale > 0.0 ? 1.0 / scale : 1.0, total = 1.0;
  for (int step = 0; step < 100; ++step) {
    double weighted = 0.0;
    total = 0.0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (j == self) continue;
      const double away = row[j] - nearest, p = std::exp(-beta * away);
      total += p;
      weighted += p * away;
    }
    const double entropy = std::log(total) + beta * weighted / total;
    if (std::abs(entropy - target) < 1e-9) break;
    (entropy > target ? low : high) = beta;
    const double next = std::isinf(high) ? 2.0 * beta : 0.5 * (low + high);
    if (next == beta || !std::isfinite(next)) break;
    beta = next;
  }
  total = 0.0;
  for (std::size_t j = 0; j < row.size(); ++j) total += row[j] = j == self ? 0.0 : std::exp(-beta * (row[j] - nearest));
  for (double& p : row) p /= total;
}

/// Joint similarities p_ij `[N, padded N]`, symmetric, summing to 1; the filling is 0.
inline Matrix<float> tsne_similarities(const Matrix<float>& x, double perplexity) {
  const std::int64_t n = x.rows(), d = x.cols();
  const TsnePlane plane(n);
  Matrix<float> columns(d, plane.padded());
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < d; ++k) columns(k, i) = x(i, k);
  Matrix<float> similarities(n, plane.padded());
  constexpr std::int64_t rows = 8;  // samples per unit of work
  parallel_for_blocks(n, rows, 0, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> distances(static_cast<std::size_t>(plane.padded()));
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t first = 0; first < plane.padded(); first += tsne_tile) {
        double sums[tsne_tile] = {};
        for (std::int64_t k = 0; k < d; ++k) {
          const double own = static_cast<double>(x(i, k));
          const float* others = columns.data() + k * columns.cols() + first;
          for (std::int64_t l = 0; l < tsne_tile; ++l) {
            const double difference = own - static_cast<double>(others[l]);
            sums[l] += difference * difference;
          }
        }
        std::copy_n(sums, tsne_tile, distances.begin() + first);
      }
      const std::span<double> row(distances.data(), static_cast<std::size_t>(n));
      tsne_neighbours(row, static_cast<std::size_t>(i), perplexity);
      std::transform(row.begin(), row.end(), similarities.row_span(i).begin(),
                     [](double p) { return static_cast<float>(p); });
    }
  });
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      const double joint = (static_cast<double>(similarities(i, j)) + static_cast<double>(similarities(j, i))) /
                           (2.0 * static_cast<double>(n));
      similarities(i, j) = similarities(j, i) = static_cast<float>(joint);
    }
  return similarities;
}

/// Gradient of KL(P‖Q) `[2][padded N]`, P multiplied by `exaggeration`; returns Z = Σ_{k≠l} 1 / (1 + |y_k - y_l|²).
///
/// dKL/dy_i = 4 Σ_j (p_ij - q_ij) t_ij (y_i - y_j) with t_ij = 1 / (1 + |y_i - y_j|²) and q_ij = t_ij / Z. Both parts
/// are summed before Z is known.
inline double tsne_gradient(const Matrix<float>& p, const TsnePlane& plane, double exaggeration, TsnePlane& gradient) {
  TsnePlane attraction(plane.n);
  std::vector<double> normaliser(static_cast<std::size_t>(plane.padded()));
  parallel_for(plane.tiles(), 0, [&](std::int64_t tile) {
    const std::int64_t first = tile * tsne_tile;
    double own_x[tsne_tile], own_y[tsne_tile], pull_x[tsne_tile] = {}, pull_y[tsne_tile] = {}, push_x[tsne_tile] = {},
                                               push_y[tsne_tile] = {}, sum[tsne_tile];
    std::copy_n(plane.x.begin() + first, tsne_tile, own_x);
    std::copy_n(plane.y.begin() + first, tsne_tile, own_y);
    std::fill_n(sum, tsne_tile, -1.0);  // takes away the pair of a sample with itself, for which t = 1
    for (std::int64_t j = 0; j < plane.n; ++j) {
      const double x = plane.x[static_cast<std::size_t>(j)], y = plane.y[static_cast<std::size_t>(j)];
      const float* similar = p.data() + j * p.cols() + first;  // p is symmetric: row j holds the tile's p_ij
      for (std::int64_t l = 0; l < tsne_tile; ++l) {
        const double dx = own_x[l] - x, dy = own_y[l] - y, t = 1.0 / (1.0 + dx * dx + dy * dy);
        const double pull = static_cast<double>(similar[l]) * t, push = t * t;
        sum[l] += t;
        pull_x[l] += pull * dx;
        pull_y[l] += pull * dy;
        push_x[l] += push * dx;
        push_y[l] += push * dy;
      }
    }
    std::copy_n(pull_x, tsne_tile, attraction.x.begin() + first);
    std::copy_n(pull_y, tsne_tile, attraction.y.begin() + first);
    std::copy_n(push_x, tsne_tile, gradient.x.begin() + first);
    std::copy_n(push_y, tsne_tile, gradient.y.begin() + first);
    std::copy_n(sum, tsne_tile, normaliser.begin() + first);
  });
  double z = 0.0;
  for (std::int64_t i = 0; i < plane.n; ++i) z += normaliser[static_cast<std::size_t>(i)];
  for (std::size_t i = 0; i < static_cast<std::size_t>(plane.n); ++i) {
    gradient.x[i] = 4.0 * (exaggeration * attraction.x[i] - gradient.x[i] / z);
    gradient.y[i] = 4.0 * (exaggeration * attraction.y[i] - gradient.y[i] / z);
  }
  return z;
}

/// KL(P‖Q) = Σ p_ij log(p_ij Z / t_ij).
inline double tsne_divergence(const Matrix<float>& p, const TsnePlane& plane, double z) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < plane.n; ++i)
    for (std::int64_t j = 0; j < plane.n; ++j) {
      const auto joint = static_cast<double>(p(i, j));
      const double dx = plane.x[static_cast<std::size_t>(i)] - plane.x[static_cast<std::size_t>(j)],
                   dy = plane.y[static_cast<std::size_t>(i)] - plane.y[static_cast<std::size_t>(j)];
      if (joint > 0.0) sum += joint * std::log(joint * z * (1.0 + dx * dx + dy * dy));
    }
  return sum;
}

/// Scores of the samples on the leading principal components, `[components, N]`, each with its largest entry positive.
///
/// Block power iteration on the centred data, ten vectors and 16 rounds from a fixed start: the leading components to
/// within what separates them from the eleventh, for 32 passes over the data.
inline Matrix<double> principal_scores(const Matrix<float>& x, std::int64_t components) {
  const std::int64_t n = x.rows(), d = x.cols();
  const std::int64_t block = std::min<std::int64_t>(d, std::max<std::int64_t>(10, components));
  const std::vector<std::int64_t> together(static_cast<std::size_t>(n), 0);
  const Matrix<double> mean = group_means("embed_tsne", x, together, 1).mean;
  Matrix<double> basis(block, d), scores(n, block);
  core::CounterRandom random(0, core::Stream::start_latents, 0);
  for (double& value : basis.values()) value = random.normal();
  const auto project = [&] {  // scores = (x - mean) basis'
    for (std::int64_t first = 0; first < n; first += fixed_sum_rows) {
      const std::int64_t count = std::min(fixed_sum_rows, n - first);
      rows_of(scores, first, count) = product_transposed(centred_rows(x, together, mean, first, count), basis);
    }
  };
  const auto orthonormalise = [&] {
    std::vector<std::vector<double>> rows;
    for (std::int64_t b = 0; b < block; ++b) rows.emplace_back(basis.row_span(b).begin(), basis.row_span(b).end());
    rows = orthonormal_basis(rows, std::numeric_limits<double>::min());
    basis.resize(block, d);  // where fewer are left, the others are zeros
    for (std::size_t b = 0; b < rows.size(); ++b)
      std::copy(rows[b].begin(), rows[b].end(), basis.row_span(static_cast<std::int64_t>(b)).begin());
  };
  orthonormalise();
  for (int round = 0; round < 16; ++round) {
    project();
    basis = fixed_sum(n, Matrix<double>(block, d), [&](std::int64_t first, std::int64_t count) -> Matrix<double> {
      return transposed_product(rows_of(scores, first, count), centred_rows(x, together, mean, first, count));
    });
    orthonormalise();
  }
  project();
  const Eigenpairs axes = symmetric_eigenpairs(transposed_product(scores, scores));
  const std::int64_t kept = std::min(components, block);
  Matrix<double> leading(components, n);
  rows_of(leading, 0, kept) = product_transposed(rows_of(axes.vectors, 0, kept), scores);
  for (std::int64_t c = 0; c < components; ++c) fix_sign(leading.row_span(c));
  return leading;
}

inline void check_tsne(const Matrix<float>& x, const TsneOptions& options) {
  constexpr const char* where = "embed_tsne";
  const auto require = [](bool ok, const std::string& message) {
    if (!ok) throw Error(ErrorCode::invalid_argument, where, message);
  };
  core::require_in(where, "perplexity", options.perplexity, 2.0, static_cast<double>(tsne_samples) / 3.0);
  core::require_in(where, "iterations", options.iterations, 1, limits::permutations);
  core::require_in(where, "exaggerated_iterations", options.exaggerated_iterations, 0, limits::permutations);
  core::require_in(where, "early_exaggeration", options.early_exaggeration, 1.0, 1e6);
  core::require_in(where, "learning_rate", options.learning_rate, 0.0, 1e6);
  core::require_in(where, "threads", options.threads, 0, limits::threads);
  require(x.rows() <= tsne_samples, "expected at most " + std::to_string(tsne_samples) + " samples, got " +
                                        std::to_string(x.rows()) + "; every pair is kept, so map a part of them");
  require(static_cast<double>(x.rows()) >= 3.0 * options.perplexity + 1.0,
          std::to_string(x.rows()) + " samples are too few for a perplexity of " + std::to_string(options.perplexity) +
              "; it may be a third of their number at most");
  require(x.cols() >= 1, "expected at least one column");
  for (const float value : x.values()) require(std::isfinite(value), "expected finite values");
  for (std::int64_t i = 1; i < x.rows(); ++i)
    if (!std::equal(x.row_span(0).begin(), x.row_span(0).end(), x.row_span(i).begin())) return;
  throw Error(ErrorCode::degenerate_statistics, where, "all samples are equal");
}

/// One coordinate of all samples: a step against the gradient with momentum and gains (Jacobs 1988).
inline void tsne_step(std::vector<double>& position, const std::vector<double>& gradient, std::vector<double>& velocity,
                      std::vector<double>& gain, double momentum, double rate, std::int64_t n) {
  double centre = 0.0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    const bool onwards = (gradient[i] > 0.0) != (velocity[i] > 0.0);
    gain[i] = onwards ? gain[i] + 0.2 : std::max(0.01, 0.8 * gain[i]);
    velocity[i] = momentum * velocity[i] - rate * gain[i] * gradient[i];
    position[i] += velocity[i];
    centre += position[i] / static_cast<double>(n);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) position[i] -= centre;
}

inline Embedding run_tsne(const Matrix<float>& x, const TsneOptions& options) {
  const std::int64_t n = x.rows();
  const std::string stage = "t-SNE of " + std::to_string(n) + " samples";
  report_progress(options.progress, stage, 0, options.iterations);
  TsnePlane plane(n), gradient(n), velocity(n), gain(n);
  const Matrix<double> start = principal_scores(x, 2);
  const double deviation = core::as_vector(start.row_span(0)).norm() / std::sqrt(static_cast<double>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    plane.x[static_cast<std::size_t>(i)] = 1e-4 * start(0, i) / deviation;
    plane.y[static_cast<std::size_t>(i)] = 1e-4 * start(1, i) / deviation;
  }
  const Matrix<float> similarities = tsne_similarities(x, options.perplexity);
  std::fill(gain.x.begin(), gain.x.end(), 1.0);
  std::fill(gain.y.begin(), gain.y.end(), 1.0);
  const double rate = options.learning_rate > 0.0
                          ? options.learning_rate
                          : std::max(50.0, static_cast<double>(n) / (4.0 * options.early_exaggeration));
  for (std::int64_t step = 0; step < options.iterations; ++step) {
    const bool exaggerated = step < options.exaggerated_iterations;
    tsne_gradient(similarities, plane, exaggerated ? options.early_exaggeration : 1.0, gradient);
    const double momentum = exaggerated ? 0.5 : 0.8;
    tsne_step(plane.x, gradient.x, velocity.x, gain.x, momentum, rate, n);
    tsne_step(plane.y, gradient.y, velocity.y, gain.y, momentum, rate, n);
    report_progress(options.progress, stage, step + 1, options.iterations);
  }
  Embedding result{Matrix<double>(n, 2), 0.0};
  for (std::int64_t i = 0; i < n; ++i) {
    result.points(i, 0) = plane.x[static_cast<std::size_t>(i)];
    result.points(i, 1) = plane.y[static_cast<std::size_t>(i)];
  }
  result.divergence = tsne_divergence(similarities, plane, tsne_gradient(similarities, plane, 1.0, gradient));
  return result;
}

}  // namespace detail

}  // namespace statistics
}  // namespace v1
}  // namespace faultline
