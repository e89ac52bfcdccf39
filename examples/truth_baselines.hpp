// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What simpler ways name as the causes of failures: random style channels, the paper's score, AttFind, and a decision
// tree on the measured properties.

#include <faultline/analysis/paper/attfind.hpp>
#include <faultline/analysis/problem/problem.hpp>
#include <faultline/analysis/rank/channel_ranking.hpp>
#include <faultline/core/random.hpp>
#include <faultline/statistics/within_class_moments.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace baselines {

namespace fl = faultline;

/// Style channels that a ranking is asked for: its first three.
inline constexpr std::int64_t channels_asked = 3;

/// The property with which each channel goes within classes, by the size of the correlation.
inline std::set<std::string> names_of_channels(const fl::Problem& problem, std::span<const std::int64_t> channels) {
  std::set<std::string> names;
  const fl::Population& split = problem.discovery;
  if (split.properties.cols() == 0) return names;
  const auto about_class_means = [&](fl::Matrix<double> values) {
    fl::Matrix<double> sums(problem.classes, values.cols());
    std::vector<double> count(static_cast<std::size_t>(problem.classes), 0.0);
    for (std::int64_t i = 0; i < values.rows(); ++i) {
      const std::int64_t c = split.label[static_cast<std::size_t>(i)];
      sums.row(c) += values.row(i);
      count[static_cast<std::size_t>(c)] += 1.0;
    }
    for (std::int64_t i = 0; i < values.rows(); ++i) {
      const std::int64_t c = split.label[static_cast<std::size_t>(i)];
      values.row(i) -= sums.row(c) / count[static_cast<std::size_t>(c)];
    }
    return values;
  };
  const fl::Matrix<double> properties = about_class_means(split.properties.cast<double>());
  const Eigen::VectorXd lengths = properties.colwise().norm().transpose();
  fl::Matrix<double> rows(static_cast<std::int64_t>(channels.size()), problem.style_matrix.cols());
  for (std::size_t k = 0; k < channels.size(); ++k)
    rows.row(static_cast<Eigen::Index>(k)) = problem.style_matrix.row(channels[k]);
  const fl::Matrix<double> styles = about_class_means(fl::Matrix<double>(split.w.cast<double>() * rows.transpose()));
  const fl::Matrix<double> products(styles.transpose() * properties);  // [channels, properties]
  for (Eigen::Index k = 0; k < products.rows(); ++k) {
    Eigen::Index best = 0;
    double most = -1.0;
    for (Eigen::Index p = 0; p < products.cols(); ++p)
      if (const double size = lengths[p] > 0.0 ? std::abs(products(k, p)) / lengths[p] : 0.0; size > most)
        most = size, best = p;
    names.insert(problem.property_names[static_cast<std::size_t>(best)]);
  }
  return names;
}

/// Three style channels drawn at random.
inline std::set<std::string> random_channels(const fl::Problem& problem) {
  fl::core::CounterRandom random(problem.seed, fl::core::Stream::start_latents, 2'000'000'007);
  std::set<std::int64_t> drawn;
  while (static_cast<std::int64_t>(drawn.size()) < std::min(channels_asked, problem.layout.dimension()))
    drawn.insert(random.below(problem.layout.dimension()));
  const std::vector<std::int64_t> channels(drawn.begin(), drawn.end());
  return names_of_channels(problem, channels);
}

/// The paper's ranking: the three channels with the largest normalized difference.
inline std::set<std::string> paper_score(const fl::Problem& problem) {
  using fl::analysis::ChannelScore;
  if (problem.discovery.failures() == 0 || problem.discovery.failures() == problem.discovery.size()) return {};
  const auto scores =
      fl::analysis::channel_scores(problem, problem.discovery, ChannelScore::NormalizedDifferencePooled);
  const auto top = fl::analysis::top_channels(scores, ChannelScore::NormalizedDifferencePooled, channels_asked);
  return names_of_channels(problem, top);
}

/// AttFind: the first three channels of its greedy cover.
inline std::set<std::string> attfind(const fl::Problem& problem) {
  if (problem.discovery.failures() == 0 || problem.discovery.failures() == problem.discovery.size()) return {};
  const fl::paper::AttFindOptions options;
  const fl::paper::AttFindResult found =
      fl::paper::attfind(problem, fl::paper::attfind_channels(problem, options), options);
  std::vector<std::int64_t> channels;
  for (const fl::paper::AttFindPick& pick : found.cover)
    if (static_cast<std::int64_t>(channels.size()) < channels_asked) channels.push_back(pick.channel.flat);
  return names_of_channels(problem, channels);
}

/// A decision tree of depth 3 on the measured properties (Breiman et al. 1984, with the deviance as impurity): grown on
/// the discovery split, pruned on the confirmation split, where a split stays if what it takes off the deviance is two
/// standard errors or more. Its names are those of the splits that stay.
class DecisionTree {
 public:
  explicit DecisionTree(const fl::Problem& problem) : problem_(problem) {
    root_ = grow(all_rows(problem.discovery), depth);
    (void)prune(*root_, all_rows(problem.confirmation));
  }

  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    collect(*root_, names);
    return names;
  }

 private:
  static constexpr int depth = 3;
  static constexpr std::int64_t smallest_leaf = 20;

  struct Node {
    double rate = 0.0;
    std::int64_t property = -1;  // of the split; −1: a leaf
    float level = 0.0f;          // at most this goes to the first
    std::unique_ptr<Node> first, second;
  };
  using Rows = std::vector<std::int64_t>;

  static Rows all_rows(const fl::Population& split) {
    Rows rows(static_cast<std::size_t>(split.size()));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }
  /// −2 log likelihood of m failures among n at their own rate.
  static double impurity(double m, double n) {
    const auto part = [n](double count) { return count > 0.0 ? -2.0 * count * std::log(count / n) : 0.0; };
    return part(m) + part(n - m);
  }

  [[nodiscard]] std::unique_ptr<Node> grow(Rows rows, int levels) const {
    const fl::Population& split = problem_.discovery;
    auto node = std::make_unique<Node>();
    const auto n = static_cast<std::int64_t>(rows.size());
    std::int64_t failures = 0;
    for (const std::int64_t i : rows) failures += split.failed[static_cast<std::size_t>(i)];
    // a leaf that never fails is not certain never to
    node->rate = (static_cast<double>(failures) + 0.5) / (static_cast<double>(n) + 1.0);
    if (levels == 0 || failures == 0 || failures == n) return node;
    const double whole = impurity(static_cast<double>(failures), static_cast<double>(n));
    double best = 0.0;
    for (std::int64_t p = 0; p < split.properties.cols(); ++p) {
      const auto value = [&](std::int64_t i) { return split.properties(i, p); };
      std::sort(rows.begin(), rows.end(),
                [&](std::int64_t a, std::int64_t b) { return value(a) != value(b) ? value(a) < value(b) : a < b; });
      std::int64_t below = 0;
      for (std::int64_t k = 1; k < n; ++k) {
        const std::int64_t last = rows[static_cast<std::size_t>(k - 1)], next = rows[static_cast<std::size_t>(k)];
        below += split.failed[static_cast<std::size_t>(last)];
        if (k < smallest_leaf || n - k < smallest_leaf || value(last) == value(next)) continue;
        const double gain = whole - impurity(static_cast<double>(below), static_cast<double>(k)) -
                            impurity(static_cast<double>(failures - below), static_cast<double>(n - k));
        if (gain > best) best = gain, node->property = p, node->level = value(last);
      }
    }
    if (node->property < 0) return node;
    Rows sides[2];
    for (const std::int64_t i : rows) sides[split.properties(i, node->property) <= node->level ? 0 : 1].push_back(i);
    node->first = grow(std::move(sides[0]), levels - 1);
    node->second = grow(std::move(sides[1]), levels - 1);
    return node;
  }

  /// Prunes what lies below a node; the deviance of each row under what is left.
  std::vector<double> prune(Node& node, const Rows& rows) const {
    const fl::Population& split = problem_.confirmation;
    std::vector<double> own;
    for (const std::int64_t i : rows)
      own.push_back(-2.0 * std::log(split.failed[static_cast<std::size_t>(i)] != 0 ? node.rate : 1.0 - node.rate));
    if (node.property < 0) return own;
    Rows sides[2];
    std::vector<std::size_t> position[2];
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const int side = split.properties(rows[k], node.property) <= node.level ? 0 : 1;
      sides[side].push_back(rows[k]);
      position[side].push_back(k);
    }
    std::vector<double> below(rows.size());
    for (const int side : {0, 1}) {
      const std::vector<double> part = prune(side == 0 ? *node.first : *node.second, sides[side]);
      for (std::size_t k = 0; k < part.size(); ++k) below[position[side][k]] = part[k];
    }
    double sum = 0.0, squares = 0.0;
    for (std::size_t k = 0; k < own.size(); ++k) {
      sum += own[k] - below[k];
      squares += (own[k] - below[k]) * (own[k] - below[k]);
    }
    if (sum > 0.0 && sum * sum >= 4.0 * squares) return below;
    node.property = -1;
    node.first.reset();
    node.second.reset();
    return own;
  }

  void collect(const Node& node, std::set<std::string>& names) const {
    if (node.property < 0) return;
    names.insert(problem_.property_names[static_cast<std::size_t>(node.property)]);
    collect(*node.first, names);
    collect(*node.second, names);
  }

  const fl::Problem& problem_;
  std::unique_ptr<Node> root_;
};

inline constexpr std::size_t count = 4;
inline constexpr std::array<const char*, count> titles = {"random", "paper", "attfind", "tree"};

/// What each of them names.
inline std::array<std::set<std::string>, count> names(const fl::Problem& problem) {
  return {random_channels(problem), paper_score(problem), attfind(problem), DecisionTree(problem).names()};
}

}  // namespace baselines
