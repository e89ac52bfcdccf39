// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of core/sha256.hpp.

#include <faultline/core/sha256.hpp>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace core {

FAULTLINE_INLINE std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

FAULTLINE_INLINE std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace core

}  // namespace v1
}  // namespace faultline
