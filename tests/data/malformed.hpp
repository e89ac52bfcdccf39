// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Builds files byte by byte, without the library's writers, so that broken ones can be made, and checks what becomes of
// them.

#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace faultline_tests {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  Bytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// Length, header as given, data as given.
inline Bytes raw_safetensors(std::string_view header, std::string_view data, std::uint64_t stated_length) {
  std::string text(8, '\0');
  std::memcpy(text.data(), &stated_length, 8);
  return bytes_of(text.append(header).append(data));
}
inline Bytes raw_safetensors(std::string_view header, std::string_view data) {
  return raw_safetensors(header, data, header.size());
}

/// Puts the right digest where the header has 64 zeros, so that only the intended defect is left.
inline Bytes sealed_safetensors(std::string header, std::string_view data) {
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

/// A broken file, what is broken, and the error that it has to get.
struct Malformed {
  std::string name;
  Bytes bytes;
  faultline::ErrorCode code;
};

inline void check_all(const std::vector<Malformed>& files, const std::function<void(const Bytes&)>& read) {
  for (const Malformed& file : files) {
    INFO(file.name);
    const auto code = error_code([&] { read(file.bytes); });
    CHECK(code == file.code);
  }
}

/// The bytes 0, 0, type, rank and big-endian extents.
inline std::string idx_header(std::initializer_list<std::uint32_t> extents, int rank = -1, char type = 8) {
  std::string text = {0, 0, type, static_cast<char>(rank < 0 ? static_cast<int>(extents.size()) : rank)};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>((extent >> shift) & 255u);
  }
  return text;
}

inline std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, static_cast<uLong>(text.size())) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// The text with some bits of one byte flipped.
inline std::string with_byte(std::string text, std::size_t position, int change) {
  text.at(position) = static_cast<char>(text.at(position) ^ change);
  return text;
}

}  // namespace faultline_tests
