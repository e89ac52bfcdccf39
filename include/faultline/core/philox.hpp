// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Philox4x32-10, the counter-based random bits under every draw of the library (Salmon, Moraes, Dror, Shaw: Parallel
// random numbers: as easy as 1, 2, 3; SC 2011).

#include <faultline/config.hpp>

#include <array>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace core {

/// Four random 32-bit words that are a pure function of `counter` and `key`: no state, no order, the same on every
/// machine.
///
/// **Formula**: ten rounds of Philox4x32 with the published multipliers and Weyl constants; the tests hold the known
/// answers of Random123.
/// **Cost**: 20 multiplications, no memory.
/// Example: `auto words = philox4x32({index_low, index_high, block, stream}, {seed_low, seed_high});`
[[nodiscard]] constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                                std::array<std::uint32_t, 2> key) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
