// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The numbers behind AnalyticGenerator: which channel is which factor, how the others follow, and how styles tell the
// class.

#include <faultline/concepts/style_layout.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/random.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Six style channels of one layer whose weighted sums give the two coordinates of the class code, free of every
/// latent. Many such ballots are counted, so that no edit of a few channels can change the class of an image.
struct AnalyticBallot {
  std::int64_t channel[6] = {};
  double weight[6] = {};  ///< of channels 0 to 2 for the first coordinate, 3 to 5 for the second
  double offset[2] = {};
};

/// Styles are s_k = scale_k (n_k . z + g_k . code) + bias_k with unit vectors n_k; w = Q (z, code) with Q orthogonal,
/// so s = A w + b. For a factor channel n_k is a unit vector of z and g_k is zero.
struct AnalyticDesign {
  static constexpr std::int64_t most_ballots = 31;
  /// Three ballots, so that one may be wrong
  static constexpr std::int64_t fewest_channels_beside_factors = 18;
  static constexpr double largest_loading = 0.8;  ///< of any other channel on any factor
  static constexpr double code_radius = 1.5;

  std::int64_t factors = 0;
  std::int64_t classes = 0;
  std::int64_t latent_dim = 0;
  StyleLayout layout;
  std::vector<double> rotation;     ///< Q, [w_dim, w_dim] row-major
  Matrix<float> matrix;             ///< A, [D, w_dim]
  Matrix<float> matrix_transposed;  ///< [w_dim, D], for sums that run along D
  Matrix<float> bias;               ///< b, [D, 1]
  std::vector<std::int64_t> factor_channel;
  std::vector<double> factor_scale;
  std::vector<AnalyticBallot> ballots;

  [[nodiscard]] std::int64_t w_dim() const noexcept { return latent_dim + 2; }

  /// Class code on a circle: the angle tells the class at any truncation above 0.
  [[nodiscard]] std::pair<double, double> code(std::int64_t label) const {
    if (classes < 1) return {0.0, 0.0};
    const double angle = 2.0 * std::numbers::pi * static_cast<double>(label) / static_cast<double>(classes);
    return {code_radius * std::cos(angle), code_radius * std::sin(angle)};
  }

  /// Adds A w to the channels begin .. end - 1 of s. Blocks of constant size let compilers use vector instructions at
  /// -O2 too.
  void add_styles(std::span<const float> w, std::int64_t begin, std::int64_t end, std::span<float> s) const {
    constexpr std::int64_t block = 16;
    for (std::int64_t k = begin; k < end; k += block) {
      const std::int64_t width = std::min(block, end - k);
      float sum[block] = {};
      for (std::size_t j = 0; j < w.size(); ++j) {
        const float* column = matrix_transposed.data() + static_cast<std::int64_t>(j) * matrix_transposed.cols() + k;
        if (width == block) {
          for (std::int64_t m = 0; m < block; ++m) sum[m] += w[j] * column[m];
        } else {
          for (std::int64_t m = 0; m < width; ++m) sum[m] += w[j] * column[m];
        }
      }
      for (std::int64_t m = 0; m < width; ++m) s[static_cast<std::size_t>(k + m)] += sum[m];
    }
  }

  /// Class of a style vector: the majority of the ballots, the smaller class among equals.
  [[nodiscard]] std::int64_t elect(std::span<const float> s) const {
    if (classes < 2) return 0;
    std::vector<std::int64_t> votes;
    votes.reserve(ballots.size());
    for (const AnalyticBallot& ballot : ballots) {
      double xy[2] = {-ballot.offset[0], -ballot.offset[1]};
      for (std::size_t m = 0; m < 6; ++m)
        xy[m / 3] += ballot.weight[m] * static_cast<double>(s[static_cast<std::size_t>(ballot.channel[m])]);
      const double turns = std::atan2(xy[1], xy[0]) / (2.0 * std::numbers::pi);
      const auto nearest = static_cast<std::int64_t>(std::floor(turns * static_cast<double>(classes) + 0.5));
      votes.push_back(((nearest % classes) + classes) % classes);
    }
    std::sort(votes.begin(), votes.end());
    std::int64_t winner = 0;
    std::int64_t most = 0;
    for (auto begin = votes.begin(); begin != votes.end();) {
      const auto end = std::upper_bound(begin, votes.end(), *begin);
      if (end - begin > most) {
        most = end - begin;
        winner = *begin;
      }
      begin = end;
    }
    return winner;
  }
};

/// Draws a design. Its random words come from negative sample indices, which no sample uses.
class AnalyticDesigner {
 public:
  AnalyticDesigner(std::int64_t factors, std::int64_t channels, std::int64_t classes, std::int64_t seed)
      : random_(seed, core::Stream::latents, -1) {
    d_.factors = factors;
    d_.classes = classes;
    d_.latent_dim = 2 * factors + 4;
    const std::int64_t layers = std::clamp<std::int64_t>((channels - factors) / 24, 1, 4);
    std::vector<std::pair<std::string, std::int64_t>> names;
    for (std::int64_t l = 0; l < layers; ++l)
      names.emplace_back("layer" + std::to_string(l), channels / layers + (l < channels % layers ? 1 : 0));
    d_.layout = StyleLayout(names);
    loadings_.assign(static_cast<std::size_t>(channels), {});
  }

  AnalyticDesign draw() {
    draw_rotation();
    std::vector<std::vector<std::int64_t>> left = shuffled_channels();
    place_factors(left);
    place_ballots(left);
    for (const auto& layer : left)
      for (const std::int64_t flat : layer) place(flat, bystander(), {0.5 * random_.normal(), 0.5 * random_.normal()});
    finish();
    return std::move(d_);
  }

 private:
  using Vector = std::vector<double>;
  struct Loading {
    Vector latent;                   ///< n_k
    std::pair<double, double> code;  ///< g_k
    double scale = 1.0;
    double bias = 0.0;
  };

  static double norm(const Vector& v) { return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0)); }

  /// Gram-Schmidt of random normals.
  void draw_rotation() {
    const auto n = static_cast<std::size_t>(d_.w_dim());
    std::vector<Vector> rows;
    while (rows.size() < n) {
      Vector v(n);
      for (double& x : v) x = random_.normal();
      for (int pass = 0; pass < 2; ++pass) {
        for (const Vector& r : rows) {
          const double along = std::inner_product(v.begin(), v.end(), r.begin(), 0.0);
          for (std::size_t i = 0; i < n; ++i) v[i] -= along * r[i];
        }
      }
      const double length = norm(v);
      if (length < 1e-6) continue;
      for (double& x : v) x /= length;
      rows.push_back(std::move(v));
    }
    for (const Vector& r : rows) d_.rotation.insert(d_.rotation.end(), r.begin(), r.end());
  }

  std::vector<std::vector<std::int64_t>> shuffled_channels() {
    std::vector<std::vector<std::int64_t>> left;
    for (const StyleLayer& layer : d_.layout.layers()) {
      std::vector<std::int64_t> flats(static_cast<std::size_t>(layer.width));
      std::iota(flats.begin(), flats.end(), layer.offset);
      core::shuffle(std::span<std::int64_t>(flats), random_);
      left.push_back(std::move(flats));
    }
    return left;
  }

  void place_factors(std::vector<std::vector<std::int64_t>>& left) {
    for (std::int64_t j = 0; j < d_.factors; ++j) {
      auto& layer = left[static_cast<std::size_t>(j) % left.size()];
      Vector n(static_cast<std::size_t>(d_.latent_dim), 0.0);
      n[static_cast<std::size_t>(j)] = 1.0;
      place(layer.back(), n, {0.0, 0.0});
      d_.factor_channel.push_back(layer.back());
      layer.pop_back();
    }
  }

  void place_ballots(std::vector<std::vector<std::int64_t>>& left) {
    for (std::size_t l = 0, without = 0;
         static_cast<std::int64_t>(d_.ballots.size()) < AnalyticDesign::most_ballots && without < left.size();
         l = (l + 1) % left.size()) {
      auto& layer = left[l];
      if (layer.size() < 6) {
        ++without;
        continue;
      }
      without = 0;
      AnalyticBallot ballot;
      for (std::size_t m = 0; m < 6; ++m) {
        ballot.channel[m] = layer.back();
        layer.pop_back();
      }
      place_triple(ballot, 0);
      place_triple(ballot, 1);
      d_.ballots.push_back(ballot);
    }
  }

  /// Three channels whose latent parts are linearly dependent, |m| n_c = cos n_a + sin n_b, and whose code parts differ
  /// from that by one coordinate.
  void place_triple(AnalyticBallot& ballot, std::size_t coordinate) {
    const double theta = (30.0 + 30.0 * random_.uniform()) * std::numbers::pi / 180.0;
    Vector a;
    Vector b;
    Vector c;
    double length = 0.0;
    do {
      a = bystander();
      b = bystander();
      c.resize(a.size());
      for (std::size_t i = 0; i < a.size(); ++i) c[i] = std::cos(theta) * a[i] + std::sin(theta) * b[i];
      length = norm(c);
      for (double& x : c) x /= length;
    } while (length < 0.3 || !follows_weakly(c));
    const std::pair<double, double> ga{0.5 * random_.normal(), 0.5 * random_.normal()};
    const std::pair<double, double> gb{0.5 * random_.normal(), 0.5 * random_.normal()};
    const std::pair<double, double> gc{
        (std::cos(theta) * ga.first + std::sin(theta) * gb.first + (coordinate == 0 ? 1.0 : 0.0)) / length,
        (std::cos(theta) * ga.second + std::sin(theta) * gb.second + (coordinate == 1 ? 1.0 : 0.0)) / length};
    const std::size_t first = 3 * coordinate;
    place(ballot.channel[first], a, ga);
    place(ballot.channel[first + 1], b, gb);
    place(ballot.channel[first + 2], c, gc);
    const double parts[3] = {-std::cos(theta), -std::sin(theta), length};
    for (std::size_t m = 0; m < 3; ++m) {
      const Loading& loading = loadings_[static_cast<std::size_t>(ballot.channel[first + m])];
      ballot.weight[first + m] = parts[m] / loading.scale;
      ballot.offset[coordinate] += ballot.weight[first + m] * static_cast<double>(static_cast<float>(loading.bias));
    }
  }

  /// A unit vector of z that follows one factor with correlation .2 to .75 of either sign, the rest being spread over
  /// everything else.
  Vector bystander() {
    Vector n(static_cast<std::size_t>(d_.latent_dim));
    do {
      const auto main = static_cast<std::size_t>(random_.below(d_.factors));
      const double along = (0.2 + 0.55 * random_.uniform()) * (random_.below(2) == 0 ? -1.0 : 1.0);
      for (double& x : n) x = random_.normal();
      n[main] = 0.0;
      const double rest = std::sqrt(1.0 - along * along) / norm(n);
      for (double& x : n) x *= rest;
      n[main] = along;
    } while (!follows_weakly(n));
    return n;
  }

  [[nodiscard]] bool follows_weakly(const Vector& n) const {
    return std::all_of(n.begin(), n.begin() + d_.factors,
                       [](double x) { return std::abs(x) <= AnalyticDesign::largest_loading; });
  }

  void place(std::int64_t flat, Vector latent, std::pair<double, double> code) {
    loadings_[static_cast<std::size_t>(flat)] = {std::move(latent), code, std::exp(0.3 * random_.normal()),
                                                 1.0 + 0.2 * random_.normal()};
  }

  void finish() {
    const std::int64_t channels = d_.layout.dimension();
    const std::int64_t dims = d_.w_dim();
    d_.matrix.resize(channels, dims);
    d_.matrix_transposed.resize(dims, channels);
    d_.bias.resize(channels, 1);
    for (std::int64_t k = 0; k < channels; ++k) {
      const Loading& loading = loadings_[static_cast<std::size_t>(k)];
      Vector full = loading.latent;
      full.push_back(loading.code.first);
      full.push_back(loading.code.second);
      for (std::int64_t j = 0; j < dims; ++j) {
        // Row j of Q
        const double along = std::inner_product(full.begin(), full.end(), d_.rotation.begin() + j * dims, 0.0);
        d_.matrix(k, j) = static_cast<float>(loading.scale * along);
        d_.matrix_transposed(j, k) = d_.matrix(k, j);
      }
      d_.bias(k, 0) = static_cast<float>(loading.bias);
    }
    for (const std::int64_t flat : d_.factor_channel)
      d_.factor_scale.push_back(loadings_[static_cast<std::size_t>(flat)].scale);
  }

  core::CounterRandom random_;
  AnalyticDesign d_;
  std::vector<Loading> loadings_;
};

}  // namespace detail
}  // namespace v1
}  // namespace faultline
