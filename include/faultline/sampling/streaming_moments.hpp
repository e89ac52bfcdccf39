// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// First and second moments of a streamed population per group (class and outcome), in constant memory and the same for
// any split into shards.

#include <faultline/core/matrix.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/error.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace sampling {

/// Number of samples, their mean, and the sum of the outer products of their deviations from it.
struct Moments {
  std::int64_t count = 0;
  std::vector<double> mean;  ///< [dimension]
  Matrix<double> scatter;    ///< [dimension, dimension]; divided by count - 1 it is the covariance

  Moments() = default;
  explicit Moments(std::int64_t dimension)
      : mean(static_cast<std::size_t>(dimension), 0.0), scatter(dimension, dimension) {}

  /// Takes one more sample in (Welford 1962).
  void add(std::span<const float> x) {
    ++count;
    const auto n = static_cast<double>(count);
    const std::size_t dimension = mean.size();
    std::vector<double> before(dimension);
    for (std::size_t i = 0; i < dimension; ++i) {
      before[i] = static_cast<double>(x[i]) - mean[i];
      mean[i] += before[i] / n;
    }
    const double weight = (n - 1.0) / n;
    for (std::size_t i = 0; i < dimension; ++i) {
      const std::span<double> row = scatter.row_span(static_cast<std::int64_t>(i));
      const double scaled = weight * before[i];
      for (std::size_t j = 0; j < dimension; ++j) row[j] += scaled * before[j];
    }
  }

  /// Takes another set of samples in (Chan, Golub, LeVeque 1983).
  void merge(const Moments& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const auto a = static_cast<double>(count);
    const auto b = static_cast<double>(other.count);
    std::vector<double> apart(mean.size());
    for (std::size_t i = 0; i < mean.size(); ++i) apart[i] = other.mean[i] - mean[i];
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += apart[i] * (b / (a + b));
      const auto at = static_cast<std::int64_t>(i);
      for (std::size_t j = 0; j < mean.size(); ++j) {
        const auto to = static_cast<std::int64_t>(j);
        scatter(at, to) += other.scatter(at, to) + apart[i] * apart[j] * (a * b / (a + b));
      }
    }
    count += other.count;
  }
};

/// Moments of vectors that arrive by sample index, per group.
///
/// Samples are gathered in leaves of 4 096 consecutive indices, and leaves are joined in the binary tree that their
/// indices define. So a population split into shards that begin on leaf boundaries gives, merged in any order, the same
/// bits as one pass over all of it. Memory is one set of moments per level of the tree.
/// **Throws** invalid_argument when indices are not consecutive, a shard does not begin on a leaf boundary or shards
/// overlap; shape_mismatch.
/// **Cost**: dimension^2 operations per sample; groups * dimension^2 * 8 bytes per level.
/// Example: `StreamingMoments moments(sampler.generator().w_dim(), 2 * classes); moments.add(index, w, 2 * label +
/// failed);`
class StreamingMoments {
 public:
  static constexpr std::int64_t leaf_size = 4096;

  StreamingMoments(std::int64_t dimension, std::int64_t groups) : dimension_(dimension), groups_(groups) {
    core::require_in("StreamingMoments", "dimension", dimension, 1, limits::latents);
    core::require_in("StreamingMoments", "groups", groups, 1, limits::latents);
    core::require_elements("StreamingMoments", {groups, dimension, dimension});
  }

  /// Adds sample `index`, the successor of the one before, as a member of `group`.
  void add(std::int64_t index, std::span<const float> x, std::int64_t group) {
    if (static_cast<std::int64_t>(x.size()) != dimension_)
      throw Error(ErrorCode::shape_mismatch, "StreamingMoments",
                  "expected vectors of " + std::to_string(dimension_) + " values, got " + std::to_string(x.size()));
    require(group >= 0 && group < groups_,
            "group must lie in [0, " + std::to_string(groups_) + "), got " + std::to_string(group));
    if (open_.empty()) {
      require(index >= 0 && index % leaf_size == 0, "a run of samples must begin at a multiple of " +
                                                        std::to_string(leaf_size) + ", got " + std::to_string(index));
      require(!holds(index / leaf_size), "sample " + std::to_string(index) + " is there already");
      open_.assign(static_cast<std::size_t>(groups_), Moments(dimension_));
    } else {
      require(index == next_, "expected sample " + std::to_string(next_) + ", got " + std::to_string(index));
    }
    open_[static_cast<std::size_t>(group)].add(x);
    next_ = index + 1;
    if (next_ % leaf_size == 0) close();
  }

  /// Takes in another shard. An unfinished leaf of either counts as it is and cannot be added to afterwards.
  void merge(StreamingMoments other) {
    require(other.dimension_ == dimension_ && other.groups_ == groups_, "shards must agree in dimension and groups");
    close();
    other.close();
    for (const auto& [node, moments] : other.nodes_) {
      const std::int64_t first = node.second << node.first;
      require(!overlaps(first, first + (std::int64_t{1} << node.first)), "shards overlap");
    }
    for (auto& [node, moments] : other.nodes_) insert(node, std::move(moments));
  }

  /// Moments of one group over everything so far.
  [[nodiscard]] Moments group(std::int64_t g) const {
    require(g >= 0 && g < groups_, "group must lie in [0, " + std::to_string(groups_) + "), got " + std::to_string(g));
    StreamingMoments closed = *this;
    closed.close();
    std::vector<std::pair<std::int64_t, const Moments*>> parts;
    for (const auto& [node, moments] : closed.nodes_)
      parts.emplace_back(node.second << node.first, &moments[static_cast<std::size_t>(g)]);
    std::sort(parts.begin(), parts.end());
    Moments result(dimension_);
    for (const auto& part : parts) result.merge(*part.second);
    return result;
  }

  /// Samples so far.
  [[nodiscard]] std::int64_t count() const {
    std::int64_t sum = 0;
    for (const Moments& moments : open_) sum += moments.count;
    for (const auto& [node, groups] : nodes_)
      for (const Moments& moments : groups) sum += moments.count;
    return sum;
  }

 private:
  /// (level, position): leaves position * 2^level and the 2^level - 1 after it
  using Node = std::pair<std::int64_t, std::int64_t>;

  static void require(bool ok, const std::string& message) {
    if (!ok) throw Error(ErrorCode::invalid_argument, "StreamingMoments", message);
  }

  [[nodiscard]] bool overlaps(std::int64_t first, std::int64_t end) const {
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& entry) {
      const std::int64_t begin = entry.first.second << entry.first.first;
      return begin < end && first < begin + (std::int64_t{1} << entry.first.first);
    });
  }
  [[nodiscard]] bool holds(std::int64_t leaf) const { return overlaps(leaf, leaf + 1); }

  void close() {
    if (open_.empty()) return;
    insert({0, (next_ - 1) / leaf_size}, std::move(open_));
    open_.clear();
  }

  /// Joins a node with its sibling, and the pair with its own, as long as there are both.
  void insert(Node node, std::vector<Moments> moments) {
    for (;;) {
      const auto sibling = nodes_.find({node.first, node.second ^ 1});
      if (sibling == nodes_.end()) break;
      std::vector<Moments> left = std::move(sibling->second);
      nodes_.erase(sibling);
      if (node.second % 2 == 0) std::swap(left, moments);
      for (std::size_t g = 0; g < left.size(); ++g) left[g].merge(moments[g]);
      moments = std::move(left);
      node = {node.first + 1, node.second / 2};
    }
    nodes_.emplace(node, std::move(moments));
  }

  std::int64_t dimension_;
  std::int64_t groups_;
  std::int64_t next_ = 0;
  std::vector<Moments> open_;
  std::map<Node, std::vector<Moments>> nodes_;
};

}  // namespace sampling

using sampling::StreamingMoments;

}  // namespace v1
}  // namespace faultline
