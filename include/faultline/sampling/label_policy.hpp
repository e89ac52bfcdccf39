// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Which class label sample i gets.

#include <faultline/config.hpp>
#include <faultline/core/describe.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Where labels come from: drawn uniformly from the classes, one fixed class, drawn from a list, or a list in its
/// order.
///
/// `given` draws: sample i gets entry (x · L) >> 32 of the list, x being the first word of (seed, stream 1, i), so that
/// the order of the list means nothing and a run may stop at any time; a class that is listed twice as often comes up
/// twice as often. `in_order` walks: sample i gets entry i mod L. What stops early or splits its samples would then see
/// a part of the list that its order chose, so gate, characterize and compare refuse it.
/// Example: `SamplerOptions{.seed = 7, .labels = LabelPolicy::fixed(3)}`
struct LabelPolicy {
  enum class Kind { uniform, fixed, given, in_order };
  Kind kind = Kind::uniform;
  std::int64_t label = 0;                 ///< of `fixed`
  std::vector<std::int64_t> labels = {};  ///< of `given` and `in_order`

  static LabelPolicy uniform() { return {}; }
  static LabelPolicy fixed(std::int64_t label) { return {Kind::fixed, label, {}}; }
  static LabelPolicy given(std::vector<std::int64_t> labels) { return {Kind::given, 0, std::move(labels)}; }
  static LabelPolicy in_order(std::vector<std::int64_t> labels) { return {Kind::in_order, 0, std::move(labels)}; }
};
FAULTLINE_MEMBERS(LabelPolicy, kind, label, labels)

}  // namespace v1
}  // namespace faultline
