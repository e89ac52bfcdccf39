// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The sections of the page on how a run came about: the paper's ranking of it, how to repeat it, what it cost.

#include <faultline/analysis/replay.hpp>
#include <faultline/render/detail/html_numbers.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline std::string paper_section(const FailureReport& report, const std::vector<ReportPicture>& pictures) {
  if (report.paper_top.empty()) return {};
  std::string out =
      "<section id=\"paper\">\n<h2>The paper's top channels</h2>\n<p>The pooled ranking of single style channels of Le "
      "Coz, Herbin and Adjed (2022), without error control: it says where failures differ, not why. ";
  out += report.verdict == Verdict::too_few_failures ? "With so few failures it is mostly noise.</p>\n"
         : report.findings.empty() ? "Some channel always comes first, even when failures are random.</p>\n"
                                   : "It is printed for comparison with the causes above.</p>\n";
  const bool gradients = std::any_of(report.paper_top.begin(), report.paper_top.end(),
                                     [](const analysis::RankedChannel& c) { return c.gradient != 0; });
  HtmlTable table({{"#", true},
                   {"Style channel"},
                   {"Flat index", true},
                   {"Sign", true},
                   {"d, pooled", true},
                   {"d, within classes", true},
                   {"AUC", true},
                   {"Gradient score", true},
                   {"σ, all samples", true},
                   {"σ, within classes", true},
                   {"Common to all classes", true}});
  for (std::size_t i = 0; i < report.paper_top.size(); ++i) {
    const analysis::RankedChannel& c = report.paper_top[i];
    table.row({std::to_string(i + 1), html(channel_name(report, c.channel)), std::to_string(c.channel.flat),
               c.sign < 0 ? "−" : "+", signed_shown(c.normalized_difference, 2), signed_shown(c.stratified, 2),
               shown(c.auc, 3), gradients ? signed_shown(c.gradient, 4) : "—", shown(c.sigma_total, 3),
               shown(c.sigma_within, 3), html(share_text(c.class_split))});
  }
  out += std::move(table).finish();
  return out + picture_figure(pictures, "paper-top", "The same channels, each moved alone from one start image.") +
         "</section>\n";
}

/// The rows that say how a run came about, for the page of a report and of a comparison alike.
inline std::vector<std::pair<std::string, std::string>> run_facts(const Provenance& p) {
  std::string labels(core::enumerator_of(p.labels.kind));
  if (p.labels.kind == LabelPolicy::Kind::fixed) labels += " (class " + std::to_string(p.labels.label) + ")";
  if (!p.labels.labels.empty())
    labels += ", from a list of " + count(static_cast<std::int64_t>(p.labels.labels.size()));
  std::vector<std::pair<std::string, std::string>> list = {
      {"Seed", std::to_string(p.seed)},
      {"Samples", count(p.samples_per_split) + " per split"},
      {"Labels", labels},
      {"Truncation",
       exact(p.truncation) + (p.cutoff ? " in the first " + std::to_string(*p.cutoff) + " layers" : std::string())},
      {"Noise", std::string(core::enumerator_of(p.noise))},
      {"Batch size", std::to_string(p.batch_size)},
      {"Criterion of failure", p.criterion},
      {"Classifier", p.classifier_name},
      {"Classifier, digest", p.classifier_digest.value_or("not stated")}};
  if (p.judge_name)
    list.insert(list.end(), {{"Judge", *p.judge_name}, {"Judge, digest", p.judge_digest.value_or("not stated")}});
  list.insert(list.end(), {{"Generator, digest", p.generator_digest},
                           {"Family-wise error rate", exact(p.alpha)},
                           {"Faultline", p.library_version}});
  if (!p.compiler.empty()) list.emplace_back("Compiler", p.compiler);
  if (!p.torch_version.empty()) list.emplace_back("LibTorch", p.torch_version);
  if (!p.cpu.empty()) list.emplace_back("Processor", p.cpu);
  if (!p.backend.empty()) list.emplace_back("Generator runs on", p.backend);
  return list;
}

inline std::string repeat_section(const FailureReport& report) {
  const Provenance& p = report.provenance;
  std::string out = "<section id=\"repeat\">\n<h2>How to repeat this</h2>\n";
  if (!p.command.empty()) out += "<pre>" + html(p.command) + "</pre>\n";
  out += "<pre>" + html(analysis::replay(report)) + "</pre>\n";
  const auto list = run_facts(p);
  const analysis::CostCounters& c = report.cost;
  out += facts(list) + "<h4 id=\"cost\">Cost</h4>\n";
  std::vector<std::pair<std::string, std::string>> cost = {
      {"Images generated", count(c.generator_images) + " in " + count(c.generator_batches) + " batches"},
      {"Images classified", count(c.classifier_images) + " in " + count(c.classifier_batches) + " batches"},
      {"Gradients", count(c.gradient_images) + " images"},
      {"Properties measured", count(c.property_images) + " images"},
      {"Asked of the judge", count(c.judge_images) + " images"}};
  if (c.generator_macs > 0)
    cost.emplace_back("Work of the generator", count(c.generator_macs) + " multiply-accumulates");
  if (c.generator_bytes > 0) cost.emplace_back("Activations moved", count(c.generator_bytes) + " bytes");
  if (c.generator_launches > 0) cost.emplace_back("Kernels launched", count(c.generator_launches));
  out += facts(cost);
  if (!report.property_names.empty() && report.property_r2.size() == report.property_names.size()) {
    HtmlTable table({{"Image property"}, {"Predicted by w, R²", true}},
                    "How well w predicts each measured property within a class. What w predicts by less than .1 is "
                    "hardly moved by it.");
    for (std::size_t i = 0; i < report.property_names.size(); ++i)
      table.row({html(report.property_names[i]), shown(report.property_r2[i], 2)});
    out += "<h4>Measured properties</h4>\n" + std::move(table).finish();
  }
  return out + "</section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
