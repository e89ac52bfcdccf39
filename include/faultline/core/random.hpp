// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Random draws addressed by (seed, stream, index): sample i is the same whatever the batch size, thread, shard or
// order.

#include <faultline/core/philox.hpp>
#include <faultline/error.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace core {

/// What a draw is for; two streams of one run never share a random word. The numbers are part of the file formats and
/// never change.
enum class Stream : std::uint32_t {
  latents = 0,        ///< z of a sample
  labels = 1,         ///< class label of a sample
  noise = 2,          ///< noise images of the synthesis network
  corruptions = 3,    ///< blur and noise of data sets
  permutations = 4,   ///< permutation tests
  start_latents = 5,  ///< choice of start latents and placebo directions
  subsets = 6,        ///< subset simulation
  augmentations = 7,  ///< augmentation of training images
  splits = 7,         ///< splits and half-samples of images that are there; no run draws these and augmentations
};

/// First sample index of each purpose, so that samples used to choose are never used to measure.
inline constexpr std::int64_t discovery_first = 0;
inline constexpr std::int64_t confirmation_first = std::int64_t{1} << 40;
inline constexpr std::int64_t start_first = std::int64_t{1} << 41;  ///< of searches for a distance to failure
inline constexpr std::int64_t intervention_first = start_first + (std::int64_t{1} << 40);
inline constexpr std::int64_t pilot_first = std::int64_t{1} << 42;
inline constexpr std::int64_t fraction_first = pilot_first + (std::int64_t{1} << 41);  ///< of attributable fractions
inline constexpr std::int64_t gate_first = std::int64_t{1} << 43;
inline constexpr std::int64_t shrinking_first = gate_first + (std::int64_t{1} << 42);  ///< starts of shrunk failures

namespace detail {

/// Words 4 * block .. 4 * block + 3 of (seed, stream, index).
[[nodiscard]] constexpr std::array<std::uint32_t, 4> random_block(std::int64_t seed, Stream stream, std::int64_t index,
                                                                  std::uint32_t block) noexcept {
  const auto s = static_cast<std::uint64_t>(seed);
  const auto i = static_cast<std::uint64_t>(index);
  return philox4x32(
      {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), block, static_cast<std::uint32_t>(stream)},
      {static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(s >> 32)});
}

/// 24 bits as a number strictly between 0 and 1: both ends are kept out so that its logarithm is finite.
[[nodiscard]] constexpr double open_unit(std::uint32_t word) noexcept {
  return (static_cast<double>(word >> 8) + 0.5) * 0x1p-24;
}

/// Two independent standard normals from two words (Box and Muller 1958).
[[nodiscard]] inline std::pair<double, double> normal_pair(std::uint32_t first, std::uint32_t second) noexcept {
  const double radius = std::sqrt(-2.0 * std::log(open_unit(first)));
  const double angle = 2.0 * std::numbers::pi * open_unit(second);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace detail

/// Reads the random words of one (seed, stream, index) in order: block 0, 1, 2, ..., four words each.
///
/// Two readers with the same address yield the same sequence; readers with different addresses are independent. There
/// is no other state. `first_block` starts later in the sequence; four words are one block.
/// **Throws** `invalid_argument` from a draw when all 2^34 words of the address are used up, and from `below` when `n`
/// is not in 1 .. 2^32.
/// **Cost**: one `philox4x32` for every four words.
/// Example: `CounterRandom random(7, Stream::corruptions, 41); if (random.below(2) == 1) { ... }`
class CounterRandom {
 public:
  CounterRandom(std::int64_t seed, Stream stream, std::int64_t index, std::uint32_t first_block = 0) noexcept
      : seed_(seed), index_(index), stream_(stream), block_(first_block) {}

  /// The next 32 random bits.
  [[nodiscard]] std::uint32_t next() {
    if (used_ == 4) refill();
    return words_[used_++];
  }

  /// Uniform in the open interval (0, 1), a multiple of 2^-25: ((word >> 8) + 0.5) 2^-24. Takes one word.
  [[nodiscard]] double uniform() { return detail::open_unit(next()); }

  /// Standard normal. Draws come in pairs: the first of a pair takes two words, the second takes none, so a fresh
  /// reader yields what `fill_normals` writes.
  [[nodiscard]] double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const std::uint32_t first = next();
    const auto [value, spare] = detail::normal_pair(first, next());
    spare_ = spare;
    has_spare_ = true;
    return value;
  }

  /// Uniform integer in 0 .. n - 1: (word * n) >> 32, biased by at most n 2^-32. Takes one word.
  [[nodiscard]] std::int64_t below(std::int64_t n) {
    if (n < 1 || n > (std::int64_t{1} << 32)) {
      throw Error(ErrorCode::invalid_argument, "CounterRandom::below",
                  "expected a range of 1 .. 2^32 values, got " + std::to_string(n));
    }
    return static_cast<std::int64_t>((std::uint64_t{next()} * static_cast<std::uint64_t>(n)) >> 32);
  }

 private:
  void refill() {
    if (exhausted_)
      throw Error(ErrorCode::invalid_argument, "CounterRandom",
                  "all 2^34 random words of one (seed, stream, index) are used up; use further indices");
    words_ = detail::random_block(seed_, stream_, index_, block_);
    exhausted_ = ++block_ == 0;
    used_ = 0;
  }

  std::int64_t seed_;
  std::int64_t index_;
  Stream stream_;
  std::uint32_t block_;
  std::uint32_t used_ = 4;
  bool exhausted_ = false;
  bool has_spare_ = false;
  double spare_ = 0.0;
  std::array<std::uint32_t, 4> words_{};
};

/// Writes standard normals: block b of (seed, stream, index) gives `out[4 b]` to `out[4 b + 3]`, computed in
/// double and rounded to float last.
///
/// A prefix of a longer request is the shorter request. With `Stream::latents` this is z of sample `index`.
/// **Throws** `invalid_argument` when `out` has more than 2^34 elements.
/// **Cost**: per four values one `philox4x32`, two logarithms and square roots, four sines or cosines.
/// Example: `std::vector<float> z(64); fill_normals(7, Stream::latents, confirmation_first + 3, z);`
inline void fill_normals(std::int64_t seed, Stream stream, std::int64_t index, std::span<float> out) {
  CounterRandom random(seed, stream, index);
  for (float& value : out) value = static_cast<float>(random.normal());
}

/// The class label of sample `index`, uniform over 0 .. classes - 1: (word * classes) >> 32 with the first word of
/// `Stream::labels`.
///
/// **Throws** `invalid_argument` when `classes` is not in 1 .. 2^32.
[[nodiscard]] inline std::int64_t draw_label(std::int64_t seed, std::int64_t index, std::int64_t classes) {
  return CounterRandom(seed, Stream::labels, index).below(classes);
}

/// Puts `values` into a uniformly random order (Fisher and Yates), the same with every standard library, unlike
/// `std::shuffle`. Takes one word per element but the last.
template <class T>
void shuffle(std::span<T> values, CounterRandom& random) {
  for (std::size_t left = values.size(); left > 1; --left) {
    using std::swap;
    swap(values[left - 1], values[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(left)))]);
  }
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
