// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Labelled rows whose failures have a known logit.

#include <faultline/analysis/labelled_conditions.hpp>
#include <faultline/core/random.hpp>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace labelled_world {

namespace fl = faultline;
namespace an = faultline::analysis;

/// Standard normal properties "a", "b", "c", "d", of which "b" is correlated with "a" by .7; a row fails with the
/// probability that `logit` of its label and properties says.
using Logit = std::function<double(std::int64_t label, const double* properties)>;
inline fl::LabelledTable world(std::int64_t n, std::int64_t seed, const Logit& logit, std::int64_t classes = 3) {
  fl::LabelledTable table{.property_names = {"a", "b", "c", "d"}, .classes = classes};
  table.properties.resize(n, 4);
  fl::core::CounterRandom random(seed, fl::core::Stream::permutations, 77);
  for (std::int64_t i = 0; i < n; ++i) {
    double z[4];
    for (double& value : z) value = random.normal();
    z[1] = 0.7 * z[0] + std::sqrt(1.0 - 0.49) * z[1];
    const std::int64_t label = random.below(classes);
    const bool failed = random.uniform() < 1.0 / (1.0 + std::exp(-logit(label, z)));
    for (std::int64_t k = 0; k < 4; ++k) table.properties(i, k) = static_cast<float>(z[k]);
    table.index.push_back(i);
    table.label.push_back(label);
    table.prediction.push_back(failed ? (label + 1) % classes : label);
    table.failed.push_back(failed ? 1 : 0);
    table.probability.push_back(0.5f);
    table.margin.push_back(0.0f);
  }
  return table;
}

inline std::vector<std::string> names(const std::vector<an::LabelledCondition>& conditions) {
  std::vector<std::string> list;
  for (const auto& own : conditions) list.push_back(own.name);
  return list;
}
using Names = std::vector<std::string>;

inline fl::LabelledConditions quick(const fl::LabelledTable& table, std::int64_t seed = 1) {
  return fl::find_labelled_conditions(table, {.seed = seed, .conditions = {.permutations = 999, .half_samples = 4}});
}

}  // namespace labelled_world
