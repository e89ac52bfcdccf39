// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// PNG pictures of 8 bits per channel, grey or RGB, through libpng.

#include <faultline/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace data {

/// A picture: `pixels` is `[height, width, channels]` in 0 .. 255; one channel is grey, three are red, green, blue.
struct Picture {
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 1;
  std::vector<std::uint8_t> pixels = {};

  friend bool operator==(const Picture&, const Picture&) = default;
};

/// What a reader accepts before it takes memory for pixels.
struct PngLimits {
  std::int64_t max_file_bytes = std::int64_t{256} << 20;
  std::int64_t max_pixels = std::int64_t{64} << 20;
};

/// The picture as a PNG file. The same picture gives the same bytes with the same libpng and zlib.
///
/// **Throws** `shape_mismatch` when `pixels` is not height x width x channels, or channels is neither 1 nor 3;
/// `oversized` above 1 000 000 pixels a side or 715 827 882 in all.
/// Example: `std::vector<std::byte> file = encode_png({.height = 2, .width = 2, .pixels = {0, 255, 255, 0}});`
[[nodiscard]] std::vector<std::byte> encode_png(const Picture& picture);

/// Writes `encode_png(picture)` all or nothing. **Throws** also `cannot_write`, `not_durable`.
void write_png(const std::filesystem::path& path, const Picture& picture);

/// Reads a PNG file: the stored values, with palettes and fewer than 8 bits expanded (a bit to 0 or 255), and
/// interlaced files like others.
///
/// Only what the pixels depend on is read: the critical chunks and transparent colours (tRNS), whose checksums must be
/// right. Colour profiles, gamma, significant bits, times, texts and the further frames of an animation change nothing,
/// damaged or not; neither does a tRNS that is misplaced, repeated or of a length that PNG does not allow, nor what
/// follows the last row, the end of the pixel stream or the end chunk. An alpha channel and transparent colours are
/// accepted where no pixel makes use of them.
/// **Throws** `cannot_open`; `bad_magic`; `truncated`; `oversized` for sizes beyond `limits`; `malformed_header` for
/// sizes and colour types that PNG does not have; `corrupt_compression` when rows are missing, the palette of indexed
/// pixels is missing or wrong, a critical chunk is unknown, or a checksum or the pixel stream is wrong;
/// `foreign_format` for 16 bits per channel, and for a pixel that is not opaque, with its position.
/// **Cost**: file and pixels in memory, the pixels up to twice where there is a palette or alpha; a size that the file
/// cannot possibly hold is refused first.
/// Example: `Picture picture = read_png("case-17.png");`
[[nodiscard]] Picture read_png(const std::filesystem::path& path, const PngLimits& limits = {});

/// The same from memory; `name` stands for the file in messages.
[[nodiscard]] Picture decode_png(std::span<const std::byte> bytes, const PngLimits& limits = {},
                                 std::string_view name = "memory");

}  // namespace data

using data::Picture;
using data::read_png;
using data::write_png;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/png_impl.hpp>
#endif
