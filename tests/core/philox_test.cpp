// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/philox.hpp>

#include <support/catch2.hpp>

#include <bit>
#include <set>

using Words = std::array<std::uint32_t, 4>;

// The three vectors for philox4x32-10 that Random123 publishes (kat_vectors): counter and key all zeros, all ones,
// digits of pi.
TEST_CASE("Philox4x32-10 gives the known answers of Random123", "[philox]") {
  CHECK(faultline::core::philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(faultline::core::philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(faultline::core::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Philox can be evaluated by the compiler", "[philox]") {
  static_assert(faultline::core::philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
  SUCCEED();
}

TEST_CASE("Philox changes about half of its bits when any bit of its input changes", "[philox]") {
  const Words base = faultline::core::philox4x32({1, 2, 3, 4}, {5, 6});
  int least = 128;
  int most = 0;
  for (int bit = 0; bit < 192; ++bit) {
    Words counter{1, 2, 3, 4};
    std::array<std::uint32_t, 2> key{5, 6};
    (bit < 128 ? counter[static_cast<std::size_t>(bit / 32)] : key[static_cast<std::size_t>(bit / 32 - 4)]) ^=
        1u << (bit % 32);
    const Words changed = faultline::core::philox4x32(counter, key);
    int distance = 0;
    for (std::size_t i = 0; i < 4; ++i) distance += std::popcount(changed[i] ^ base[i]);
    least = std::min(least, distance);
    most = std::max(most, distance);
  }
  // Binomial(128, 1/2) leaves [32, 96] with probability 1.3e-8; 192 tries, so a good generator fails this with
  // probability below 3e-6.
  CHECK(least >= 32);
  CHECK(most <= 96);
}
