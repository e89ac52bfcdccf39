// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/replay.hpp.

#include <faultline/analysis/replay.hpp>

#include <faultline/analysis/properties/default_properties.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE void add_changed(ReplayText& to, const OptionValue& option, const std::vector<OptionValue>& defaults) {
  for (const OptionValue& usual : defaults)
    if (usual == option) return;
  to.add(option.name, option.value);
}

FAULTLINE_INLINE void add_budget(ReplayText& to, ReplayText& notes, const Provenance& run) {
  std::string budget;
  for (const OptionValue& option : run.method) {
    if (option.name.rfind("budget.", 0) != 0 || option.value == "0") continue;
    budget +=
        (budget.empty() ? "." : ", .") + option.name.substr(std::string_view("budget.").size()) + " = " + option.value;
    if (option.name == "budget.seconds") notes.supply("a machine of the same pace, as the budget was in seconds");
  }
  if (!budget.empty()) to.add("budget", "{" + budget + "}");
}

FAULTLINE_INLINE std::string replay(const FailureReport& report) {
  const Provenance& run = report.provenance;
  ReplayText text;
  const std::string classifier = text.model("classifier", run.classifier_name, run.classifier_digest);
  return replay_call<CharacterizeOptions>("fl::characterize", run, classifier, std::move(text));
}

FAULTLINE_INLINE std::string replay(const ComparisonReport& report) {
  const Provenance& run = report.provenance;
  ReplayText text;
  std::string digests = run.classifier_digest.value_or(""), models;
  for (const ComparedClassifier& classifier : report.classifiers) {
    const std::size_t end = std::min(digests.find(", "), digests.size());
    const std::string digest = digests.substr(0, end);
    digests.erase(0, end + (end < digests.size() ? 2 : 0));
    const bool stated = !digest.empty() && digest != not_stated;
    models += (models.empty() ? "" : "; ") +
              text.model_note("classifier", classifier.name, stated ? std::optional(digest) : std::nullopt);
  }
  return replay_call<ComparisonOptions>("fl::compare", run, "classifiers /* " + models + " */", std::move(text));
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
