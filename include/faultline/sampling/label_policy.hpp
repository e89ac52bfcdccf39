// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which class label sample i gets.

#include <faultline/config.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Uniform over classes (from stream 1), one fixed class, or labels given per sample.
///
/// Example: `SamplerOptions{.seed = 7, .labels = LabelPolicy::fixed(3)}`
struct LabelPolicy {
  enum class Kind { uniform, fixed, given };
  Kind kind = Kind::uniform;
  std::int64_t label = 0;            ///< of `fixed`
  std::vector<std::int64_t> labels = {};  ///< of `given`: sample index i gets labels[i mod size]

  static LabelPolicy uniform() { return {}; }
  static LabelPolicy fixed(std::int64_t label) { return {Kind::fixed, label, {}}; }
  static LabelPolicy given(std::vector<std::int64_t> labels) { return {Kind::given, 0, std::move(labels)}; }
};

}  // namespace v1
}  // namespace faultline
