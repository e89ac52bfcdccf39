// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/compare/compare.hpp.

#include <faultline/analysis/compare/compare.hpp>

#include <faultline/analysis/properties/default_properties.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE std::vector<std::string> unique_names(std::span<const AnyClassifier> classifiers) {
  std::vector<std::string> names;
  for (const AnyClassifier& classifier : classifiers) {
    std::string name = classifier.name();
    for (int number = 2; std::find(names.begin(), names.end(), name) != names.end(); ++number)
      name = classifier.name() + " (" + std::to_string(number) + ")";
    names.push_back(std::move(name));
  }
  return names;
}

FAULTLINE_INLINE void check_same_classes(std::span<const AnyClassifier> classifiers) {
  for (const AnyClassifier& classifier : classifiers) {
    if (classifier.num_classes() == classifiers[0].num_classes()) continue;
    throw Error(ErrorCode::incompatible_models, "compare",
                "classifier \"" + classifiers[0].name() + "\" knows " + std::to_string(classifiers[0].num_classes()) +
                    " classes, \"" + classifier.name() + "\" knows " + std::to_string(classifier.num_classes()) +
                    "; compare classifiers of the same classes");
  }
}

FAULTLINE_INLINE void describe_classifiers(Provenance& run, std::span<const std::string> names,
                                           std::span<const AnyClassifier> classifiers) {
  std::string digests;
  for (std::size_t c = 0; c < names.size(); ++c) {
    run.classifier_name += (c == 0 ? "" : ", ") + names[c];
    const std::optional<std::string> digest = classifiers[c].digest();
    digests += (c == 0 ? "" : ", ") + digest.value_or(not_stated);
  }
  if (std::any_of(classifiers.begin(), classifiers.end(),
                  [](const AnyClassifier& c) { return c.digest().has_value(); }))
    run.classifier_digest = digests;
}

}  // namespace analysis

}  // namespace v1
}  // namespace faultline
