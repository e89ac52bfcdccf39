// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Do rankings of style channels agree? Every pair of them, over the channels that both ranked.

#include <faultline/core/describe.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Scores of some style channels by one method. The size of a score is the rank, its sign the direction of failure; 0
/// is neutral.
struct ChannelRanking {
  std::string name;
  std::vector<std::int64_t> channels;  ///< flat style indices, each once
  std::vector<double> scores;          ///< [channels]
};

/// How far two rankings agree over the channels that both ranked.
struct RankingAgreement {
  std::string first;
  std::string second;
  std::int64_t channels = 0;  ///< number of channels that both ranked
  double jaccard = 0.0;       ///< overlap of the first k of each, ranked among these channels
  /// Kendall's tau-b of the sizes of their scores; empty where one of them tells no two channels apart
  std::optional<double> tau = std::nullopt;
  /// Share with the same direction of failure among the channels to which both give one; empty without any
  std::optional<double> same_sign = std::nullopt;
};
FAULTLINE_MEMBERS(RankingAgreement, first, second, channels, jaccard, tau, same_sign)

/// Agreement of every pair of rankings, in their order.
///
/// **Formula**: Jaccard's overlap of the k strongest (`jaccard_top`, equal strengths in flat order) and tau-b of the
/// strengths |score| (`kendall_tau_b`), both over the channels in common, so that a method that examined a part is
/// compared on that part.
/// **Error rate**: descriptions; nothing is tested. **Throws** `shape_mismatch` where scores and channels differ in
/// number, `invalid_argument` for a channel twice, NaN or k < 1.
/// Example: `auto table = ranking_agreement(std::vector<ChannelRanking>{pooled, gradient, attfind}); table[0].jaccard;`
[[nodiscard]] inline std::vector<RankingAgreement> ranking_agreement(std::span<const ChannelRanking> rankings,
                                                                     std::int64_t k = 10) {
  std::vector<std::map<std::int64_t, double>> scores;
  for (const ChannelRanking& ranking : rankings) {
    if (ranking.channels.size() != ranking.scores.size())
      throw Error(ErrorCode::shape_mismatch, "ranking_agreement",
                  "the ranking \"" + ranking.name + "\" needs one score for each channel");
    auto& by_channel = scores.emplace_back();
    for (std::size_t i = 0; i < ranking.scores.size(); ++i)
      if (!by_channel.emplace(ranking.channels[i], ranking.scores[i]).second)
        throw Error(
            ErrorCode::invalid_argument, "ranking_agreement",
            "the ranking \"" + ranking.name + "\" names channel " + std::to_string(ranking.channels[i]) + " twice");
  }
  std::vector<RankingAgreement> table;
  for (std::size_t a = 0; a < rankings.size(); ++a) {
    for (std::size_t b = a + 1; b < rankings.size(); ++b) {
      std::vector<std::int64_t> channels;
      std::vector<double> first, second;
      double signs = 0.0, same = 0.0;
      for (const auto& [channel, score] : scores[a]) {
        const auto other = scores[b].find(channel);
        if (other == scores[b].end()) continue;
        channels.push_back(channel);
        first.push_back(std::abs(score));
        second.push_back(std::abs(other->second));
        if (score * other->second != 0.0) signs += 1.0;
        if (score * other->second > 0.0) same += 1.0;
      }
      const auto strongest = [&](const std::vector<double>& strengths) {
        std::vector<std::int64_t> order(strengths.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
          return strengths[static_cast<std::size_t>(i)] > strengths[static_cast<std::size_t>(j)];
        });
        return order;
      };
      RankingAgreement& row = table.emplace_back(RankingAgreement{rankings[a].name, rankings[b].name});
      row.channels = static_cast<std::int64_t>(channels.size());
      if (const double tau = statistics::kendall_tau_b(first, second); !std::isnan(tau)) row.tau = tau;
      row.jaccard = statistics::jaccard_top(strongest(first), strongest(second), k);
      if (signs > 0.0) row.same_sign = same / signs;
    }
  }
  return table;
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
