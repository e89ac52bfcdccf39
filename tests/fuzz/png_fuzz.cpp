// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libFuzzer target of the PNG reader: any bytes give a picture or an Error, and a picture survives writing and reading
// again. The input is tried as it is and once more with every chunk checksum repaired, because a fuzzer does not find a
// CRC by itself.
// Build: clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
// -Iinclude tests/fuzz/png_fuzz.cpp -o png_fuzz -lpng -lz
// Run: ./png_fuzz -max_total_time=60 -max_len=4096 corpus/
// tests/fuzz/png_corpus/
#include <faultline/data/detail/png_stream.hpp>
#include <faultline/data/png.hpp>

#include <cstdlib>
#include <cstring>

namespace {

void try_bytes(std::span<const std::byte> bytes) {
  using namespace faultline;
  using namespace faultline::data;
  try {
    const Picture picture = decode_png(bytes, {.max_file_bytes = 1 << 20, .max_pixels = 1 << 20});
    if (decode_png(encode_png(picture)) != picture) std::abort();
  } catch (const Error& error) {
    if (error.family() != 3) std::abort();
  }
}

void repair_checksums(std::vector<std::byte>& bytes) {
  std::size_t at = 8;
  while (at + 12 <= bytes.size()) {
    const std::size_t length = faultline::data::detail::big_endian(bytes.data() + at);
    if (length > bytes.size() - at - 12) return;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + at + 4), static_cast<uInt>(length + 4));
    for (std::size_t i = 0; i < 4; ++i)
      bytes[at + 8 + length + i] = static_cast<std::byte>((crc >> (24 - 8 * i)) & 255u);
    at += 12 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  try_bytes(bytes);
  repair_checksums(bytes);
  try_bytes(bytes);
  return 0;
}
