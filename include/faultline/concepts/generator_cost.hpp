// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the calls of a generator cost, in numbers that no clock and no machine changes.

#include <faultline/concepts/style_generator.hpp>

#include <concepts>
#include <cstdint>

namespace faultline {
inline namespace v1 {

/// The work of a generator: of one row, and of one call. A count that follows from the model's sizes and the way it is
/// run, not a measurement.
struct GeneratorCost {
  std::int64_t mapping_macs = 0;     ///< multiply-accumulates of `map`, per row
  std::int64_t styles_macs = 0;      ///< of `styles`, per row
  std::int64_t synthesis_macs = 0;   ///< of `synthesize`, per image
  std::int64_t synthesis_bytes = 0;  ///< activations that `synthesize` reads and writes, per image
  /// Kernels that one call of `synthesize` starts on a device, whatever its number of rows; 0 on the CPU
  std::int64_t launches = 0;
  friend bool operator==(const GeneratorCost&, const GeneratorCost&) = default;
};

/// Refinement: the generator states its cost, `cost()`, and reports then count its multiply-accumulates, bytes and
/// launches. *Law*: the same answer for the whole life of the generator.
template <class G>
concept StatesCost = StyleGenerator<G> && requires(const G& g) {
  { g.cost() } -> std::same_as<GeneratorCost>;
};

/// The cost that a generator states; all 0 when it states none.
template <StyleGenerator G>
[[nodiscard]] GeneratorCost cost_of(const G& generator) {
  if constexpr (StatesCost<G>) return generator.cost();
  else return {};
}

}  // namespace v1
}  // namespace faultline
