// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The tables that `characterize --method paper` prints.

#include <faultline/analysis/paper/paper_report.hpp>
#include <faultline/render/paper_json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

inline std::string text_of(const faultline::paper::PaperDistance& distance) {
  char text[32];
  std::snprintf(text, sizeof text, "%6.2f", distance.sigmas.value_or(0.0));
  return distance.status == faultline::paper::PaperCrossing::crossed         ? text
         : distance.status == faultline::paper::PaperCrossing::never_crosses ? "  >100"
                                                                             : "    <0";
}

inline std::string name_in(const faultline::PaperReport& report, const faultline::StyleChannel& channel) {
  return report.layers[static_cast<std::size_t>(channel.layer)].name + ":" + std::to_string(channel.channel);
}

inline void print_paper(const faultline::PaperReport& report) {
  const auto& rate = report.failure_rate;
  std::printf("failure rate %.2f %% (95 %% interval %.2f to %.2f %%, %lld of %lld)\n", 100 * rate.estimate,
              100 * rate.lower, 100 * rate.upper, static_cast<long long>(rate.failures),
              static_cast<long long>(rate.n));
  if (!report.note.empty()) std::printf("%s\n", report.note.c_str());
  if (!report.top.empty()) {
    std::printf("\n%-18s %4s %9s %10s %7s %9s %8s   %s\n", "channel", "sign", "pooled d", "stratified", "AUC",
                "gradient", "theta", "moved alone by -2 and +2 sd: failures, at least");
    for (const auto& row : report.top)
      std::printf("%-18s %4s %9.3f %10.3f %7.3f %9.4f %8.3f   %+.3f %+.3f\n",
                  name_in(report, row.ranked.channel).c_str(), row.ranked.sign > 0 ? "+" : "-",
                  row.ranked.normalized_difference, row.ranked.stratified, row.ranked.auc, row.ranked.gradient,
                  row.theta, row.effect.effect, row.effect.lower);
    if (report.together)
      std::printf("%-72s   %+.3f %+.3f\n", "all of them together", report.together->effect, report.together->lower);
    auto random = report.random_channel_effects;
    for (double& value : random) value = std::abs(value);
    std::sort(random.begin(), random.end());
    if (!random.empty())
      std::printf("%-72s   median %.3f, largest %.3f of %zu in size\n", "random channels alone",
                  random[random.size() / 2], random.back(), random.size());
    std::printf("first by gradient:");
    for (const auto& row : report.top_by_gradient) std::printf(" %s", name_in(report, row.channel).c_str());
    std::printf("%s\n\n%-6s %8s %6s  standard deviations to p(y) = .5, each channel alone, then all\n",
                report.top_by_gradient.empty() ? " no gradient" : "", "class", "failures", "p(y)");
  }
  for (const auto& one : report.classes) {
    const auto label = static_cast<std::size_t>(one.class_label);
    std::printf("%-6s %8lld %6.3f ",
                label < report.class_names.size() ? report.class_names[label].c_str() : std::to_string(label).c_str(),
                static_cast<long long>(one.failures), one.probability);
    for (const auto& distance : one.distances) std::printf(" %s", text_of(distance).c_str());
    if (one.together) std::printf("  | %s", text_of(*one.together).c_str());
    std::printf("  corner cases:");
    for (const auto& found : one.corner_cases)
      found.failed ? std::printf(" %.1f->%lld", found.sigmas, static_cast<long long>(found.prediction))
                   : std::printf(" none");
    std::printf("\n");
  }
  for (const auto& one : report.classes)
    if (!one.note.empty()) std::printf("class %lld: %s\n", static_cast<long long>(one.class_label), one.note.c_str());
  if (report.attfind) {
    std::printf("\nAttFind: %lld images, %zu channels, %lld passes; greedy cover:\n",
                static_cast<long long>(report.attfind->images), report.attfind->channels.size(),
                static_cast<long long>(report.attfind->cost));
    for (const auto& pick : report.attfind->cover)
      std::printf("  %-18s to its %-8s loss of log odds %6.3f, flips %lld\n", name_in(report, pick.channel).c_str(),
                  pick.sign > 0 ? "largest" : "smallest", pick.effect, static_cast<long long>(pick.explained));
    std::printf("  flipped by none of them: %lld\n", static_cast<long long>(report.attfind->unexplained));
  }
  if (!report.agreement.empty())
    std::printf("\n%-22s %-22s %8s %8s %8s %9s\n", "ranking", "and", "channels", "Jaccard", "tau", "same sign");
  for (const auto& row : report.agreement)
    std::printf("%-22s %-22s %8lld %8.2f %8.2f %9.2f\n", row.first.c_str(), row.second.c_str(),
                static_cast<long long>(row.channels), row.jaccard, row.tau.value_or(std::nan("")),
                row.same_sign.value_or(std::nan("")));
  if (!report.properties.empty())
    std::printf("\n%-18s %8s %7s %8s  failures minus successes in each class, sd\n", "property", "common", "error",
                "spread");
  for (const auto& row : report.properties) {
    std::printf("%-18s %+8.2f %7.2f %8.2f ", row.name.c_str(), row.common, row.error, row.spread);
    for (const auto& value : row.by_class) value ? std::printf(" %+.2f", *value) : std::printf("     -");
    std::printf("\n");
  }
}
