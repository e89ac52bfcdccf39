// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A report as the call that made it.

#include <faultline/analysis/compare/comparison_problem.hpp>
#include <faultline/analysis/compare/comparison_report.hpp>
#include <faultline/analysis/problem/describe_method.hpp>
#include <faultline/analysis/problem/options.hpp>
#include <faultline/analysis/problem/property.hpp>
#include <faultline/analysis/problem/replay_text.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/analysis/report.hpp>
#include <faultline/concepts/generator_options.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/sampling/label_policy.hpp>

#include <concepts>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Adds an option unless it is among `defaults`.
void add_changed(ReplayText& to, const OptionValue& option, const std::vector<OptionValue>& defaults);

/// Adds the budget of a run to its options, if it had one; one in seconds ends elsewhere on another machine.
void add_budget(ReplayText& to, ReplayText& notes, const Provenance& run);

/// `call(generator, models, {...}, criterion)` for characterize and compare, whose options begin alike and end in
/// `options`; only what differs from the defaults is written.
template <class Options>
[[nodiscard]] std::string replay_call(const std::string& call, const Provenance& run, const std::string& models,
                                      ReplayText text = {}) {
  const Options standard;
  text.write(call + "(" + text.model("generator", "", run.generator_digest) + ", " + models + ", {");
  text.add("samples", run.samples_per_split);
  text.add("seed", run.seed);
  if (run.labels.kind != LabelPolicy::Kind::uniform) text.add("labels", text.labels(run.labels));
  if (run.truncation != 1.0) text.add("truncation", number_text(run.truncation));
  if (run.noise != Noise::constant) text.add("noise", "fl::Noise::" + std::string(core::enumerator_of(run.noise)));

  // In the line `.method = {...}` starts from MethodOptions{}, whatever a call's own default is.
  const MethodOptions fresh;
  ReplayText method;
  method.write("{");
  const std::vector<OptionValue> usual = option_values(fresh);
  bool as_the_call_has_it = run.method == option_values(standard.method);
  for (const OptionValue& option : run.method) {
    if (option.name == "batch_size") {  // where the two options belong that are no numbers
      std::vector<std::string> names;
      for (const Property& property : fresh.properties) names.push_back(property.name);
      if (run.properties != names || run.judge_name) as_the_call_has_it = false;
      if (run.properties != names) {
        method.add("properties", run.properties.empty() ? "{}" : "properties");
        std::string list;
        for (const std::string& name : run.properties) list += (list.empty() ? "" : ", ") + name;
        if (!run.properties.empty()) text.supply("properties, those called " + list);
      }
      if (run.judge_name)
        method.add("judge", "fl::AnyClassifier(" + text.model("judge", *run.judge_name, run.judge_digest) + ")");
    }
    if (option.name.rfind("budget.", 0) != 0) add_changed(method, option, usual);
  }
  add_budget(method, text, run);  // the last member of the options
  if (!as_the_call_has_it) text.add("method", method.text() + "}");
  if constexpr (std::same_as<Options, ComparisonOptions>)
    for (const OptionValue& option : run.options) add_changed(text, option, option_values(standard));
  if (run.cutoff) text.add("cutoff", *run.cutoff);
  text.write("}");
  for (const OptionValue& option : run.method)
    if (option.name == "batch_size" && option.value != std::to_string(run.batch_size))
      text.supply("a sampler of batch size " + std::to_string(run.batch_size));
  text.criterion(run);
  text.write(")");
  return text.text();
}

/// The call of `characterize` that gives this report again, as one line of C++ (`fl` is `faultline`), made from its
/// provenance. Options at their defaults are left out; behind `//` comes what a line cannot carry and whoever repeats
/// the run has to supply: a criterion or properties of one's own, a long list of labels, a model that states no digest.
/// Example: `std::puts(replay(report).c_str());`
[[nodiscard]] std::string replay(const FailureReport& report);

/// The call of `compare` that gives this report again, likewise.
[[nodiscard]] std::string replay(const ComparisonReport& report);

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/detail/replay_impl.hpp>
#endif
