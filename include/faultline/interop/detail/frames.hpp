// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The frames between a ChildProcessClassifier and its child.

#include <faultline/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

static_assert(std::endian::native == std::endian::little, "frames are little endian, and so must the machine be");

namespace faultline {
inline namespace v1 {
namespace detail {

/// Frames begin with four letters each; all else in their heads are 32-bit numbers.
namespace frames {
inline constexpr std::string_view hello = "FLTH", batch = "FLTB", answer = "FLTS";
inline constexpr std::uint32_t version = 1;
inline constexpr std::size_t hello_bytes = 20, batch_bytes = 24, answer_bytes = 12;
inline constexpr std::uint32_t most_digest_bytes = 256;
}  // namespace frames

/// Number i behind the four letters of a head.
[[nodiscard]] inline std::uint32_t number_at(std::span<const std::byte> head, std::size_t i) {
  std::uint32_t value = 0;
  std::memcpy(&value, head.data() + 4 * (i + 1), 4);
  return value;
}

}  // namespace detail
}  // namespace v1
}  // namespace faultline
