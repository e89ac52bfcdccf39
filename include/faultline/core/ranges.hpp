// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What options may hold: the limits that many of them share, and the one sentence that refuses a value outside its
// range.

#include <faultline/config.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {

/// Upper ends of ranges, chosen far above what anybody needs and far below what overflows: products of two of them and
/// a row of w stay countable, and refusing comes before any work.
namespace limits {

/// Samples of one split, whose latents are held in memory
inline constexpr std::int64_t samples = 100'000'000;
inline constexpr std::int64_t batch = 65'536;  ///< rows of one generator or classifier call
/// And other replicates; random streams keep room for 2^24
inline constexpr std::int64_t permutations = 1'000'000;
/// Samples that are edited: starts of interventions and of distances
inline constexpr std::int64_t latents = 1'000'000;
inline constexpr std::int64_t directions = 10'000;  ///< candidates, placebos, entries of a ranking
inline constexpr std::int64_t classes = 1 << 20;
inline constexpr std::int64_t threads = 1'024;
inline constexpr double seconds = 1e9;           ///< three decades
inline constexpr std::int64_t pixels = 1 << 26;  ///< values of one image: channels x height x width

}  // namespace limits

namespace core {

/// "200", or "0.05" without needless digits.
[[nodiscard]] std::string range_text(std::int64_t value);
[[nodiscard]] std::string range_text(double value);

/// Throws invalid_argument unless lower <= value <= upper: "where: name must lie in [lower, upper], got value". NaN
/// lies nowhere.
void require_in(std::string_view where, std::string_view name, std::int64_t value, std::int64_t lower,
                std::int64_t upper);
void require_in(std::string_view where, std::string_view name, double value, double lower, double upper);

/// The same without the ends.
void require_between(std::string_view where, std::string_view name, double value, double lower, double upper);

/// Throws invalid_argument for a negative length, or for axes whose product no memory holds: multiplied as doubles,
/// which do not wrap.
void require_elements(std::string_view where, std::initializer_list<std::int64_t> axes);

}  // namespace core
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/core/detail/ranges_impl.hpp>
#endif
