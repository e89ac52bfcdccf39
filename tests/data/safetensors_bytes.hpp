// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Builds safetensors files byte by byte, without the library's writer, so that broken ones can be made.

#include <faultline/core/sha256.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace faultline_tests {

inline std::vector<std::byte> bytes_of(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// Length, header as given, data as given.
inline std::vector<std::byte> raw_safetensors(std::string_view header, std::string_view data, std::uint64_t stated_length) {
  std::string text(8, '\0');
  std::memcpy(text.data(), &stated_length, 8);
  return bytes_of(text.append(header).append(data));
}
inline std::vector<std::byte> raw_safetensors(std::string_view header, std::string_view data) { return raw_safetensors(header, data, header.size()); }

/// Puts the right digest where the header has 64 zeros, so that only the intended defect is left.
inline std::vector<std::byte> sealed_safetensors(std::string header, std::string_view data) {
  const std::string zeros(64, '0');
  const std::size_t position = header.find(zeros);
  if (position != std::string::npos) header.replace(position, 64, faultline::sha256_hex(header + std::string(data)));
  return raw_safetensors(header, data);
}

inline std::string floats(std::initializer_list<float> values) {
  std::string text;
  for (const float value : values) {
    char four[4];
    std::memcpy(four, &value, 4);
    text.append(four, 4);
  }
  return text;
}

}  // namespace faultline_tests
