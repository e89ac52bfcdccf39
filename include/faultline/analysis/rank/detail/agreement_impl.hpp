// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/rank/agreement.hpp.

#include <faultline/analysis/rank/agreement.hpp>

#include <faultline/error.hpp>
#include <faultline/statistics/rank_agreement.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<RankingAgreement> ranking_agreement(std::span<const ChannelRanking> rankings,
                                                                 std::int64_t k) {
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
