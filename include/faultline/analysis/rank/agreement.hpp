// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Do rankings of style channels agree? Every pair of them, over the channels that both ranked.

#include <faultline/core/describe.hpp>

#include <cstdint>
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
[[nodiscard]] std::vector<RankingAgreement> ranking_agreement(std::span<const ChannelRanking> rankings,
                                                              std::int64_t k = 10);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/rank/detail/agreement_impl.hpp>
#endif
