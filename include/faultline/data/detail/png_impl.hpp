// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/png.hpp. Pictures are read through libpng's row interface, which gives the stored values, and
// written through its simplified one.

#include <faultline/data/png.hpp>
#include <faultline/data/detail/png_stream.hpp>

#include <png.h>
#include <zlib.h>
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace data {

FAULTLINE_INLINE std::vector<std::byte> encode_png(const Picture& picture) {
  constexpr std::int64_t longest = 1'000'000;  // libpng's own default limit
  if (picture.height > longest || picture.width > longest)
    throw Error(ErrorCode::oversized, "encode_png", "expected at most 1000000 pixels a side");
  constexpr std::int64_t most_bytes = (std::int64_t{1} << 31) - 1;  // it counts them in 32 bits
  if (picture.height > 0 && picture.width > 0 && picture.height * picture.width > most_bytes / 3) {
    throw Error(ErrorCode::oversized, "encode_png",
                "expected at most " + std::to_string(most_bytes / 3) + " pixels, got " +
                    std::to_string(picture.height) + " x " + std::to_string(picture.width));
  }
  if (picture.height < 1 || picture.width < 1 || (picture.channels != 1 && picture.channels != 3) ||
      picture.height * picture.width * picture.channels != static_cast<std::int64_t>(picture.pixels.size())) {
    throw Error(ErrorCode::shape_mismatch, "encode_png",
                "expected height x width x (1 or 3) values, got " + std::to_string(picture.pixels.size()) + " for " +
                    std::to_string(picture.height) + " x " + std::to_string(picture.width) + " x " +
                    std::to_string(picture.channels));
  }
  detail::PngImage png;
  png.image.height = static_cast<png_uint_32>(picture.height);
  png.image.width = static_cast<png_uint_32>(picture.width);
  png.image.format = picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  const auto row_stride = static_cast<png_int_32>(picture.width * picture.channels);
  // One pass into a buffer of the largest possible size instead of libpng's two (measure, then write).
  std::vector<std::byte> bytes(PNG_IMAGE_PNG_SIZE_MAX(png.image));
  png_alloc_size_t size = bytes.size();
  if (png_image_write_to_memory(&png.image, bytes.data(), &size, 0, picture.pixels.data(), row_stride, nullptr) == 0) {
    throw Error(ErrorCode::invalid_argument, "encode_png",
                std::string("libpng refused the picture: ") + png.image.message);
  }
  bytes.resize(size);
  return bytes;
}

FAULTLINE_INLINE void write_png(const std::filesystem::path& path, const Picture& picture) {
  core::write_file_atomically(path, encode_png(picture));
}

FAULTLINE_INLINE Picture decode_png(std::span<const std::byte> bytes, const PngLimits& limits,
                                    std::string_view file_name) {
  const std::string name(file_name);
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    return Error(code, "read_png", "'" + name + "' " + what);
  };
  if (static_cast<std::int64_t>(bytes.size()) > limits.max_file_bytes)
    throw refuse(ErrorCode::oversized, "has more than " + std::to_string(limits.max_file_bytes) + " bytes");
  const detail::PngChunks chunks = detail::pixel_chunks(bytes, name);
  const detail::PngHeader& header = chunks.header;
  const std::string stated = std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels";
  if (header.width < 1 || header.height < 1) throw refuse(ErrorCode::malformed_header, "has no pixels");
  if (header.width > limits.max_pixels / header.height)
    throw refuse(ErrorCode::oversized, "states " + stated + ", allowed are " + std::to_string(limits.max_pixels) +
                                           "; PngLimits can be raised");
  if (header.width > PNG_UINT_31_MAX || header.height > PNG_UINT_31_MAX)
    throw refuse(ErrorCode::malformed_header, "states " + stated + ", a PNG file has at most 2147483647 a side");
  if (!header.exists()) {
    throw refuse(ErrorCode::malformed_header, "states colour type " + std::to_string(header.colour_type) + " with " +
                                                  std::to_string(header.depth) + " bits, which PNG does not have");
  }
  // Deflate shrinks at most 1032-fold.
  const std::int64_t most_bits = 8 * 1040 * static_cast<std::int64_t>(bytes.size());
  if (header.width * header.height > most_bits / (header.samples() * header.depth))
    throw refuse(ErrorCode::truncated, "is too short for the " + stated + " that it states");
  if (header.depth == 16)
    throw refuse(ErrorCode::foreign_format, "has 16 bits per channel, expected at most 8; convert it");

  Picture picture{header.height, header.width, header.colour() ? 3 : 1, {}};
  const auto channels = static_cast<std::size_t>(picture.channels);
  const std::size_t samples = header.palette() ? 1 : channels + (header.alpha() ? 1 : 0);
  picture.pixels.resize(static_cast<std::size_t>(header.height * header.width) * samples);
  detail::PngJob job{.piece = chunks.pieces.data(),
                     .end = chunks.pieces.data() + chunks.pieces.size(),
                     .pixels = picture.pixels.data(),
                     .row_bytes = static_cast<std::size_t>(header.width) * samples};
  detail::read_png_rows(job);
  // A warning alone is no damage: bytes may follow the rows or their stream. But a wrong checksum is a warning, too.
  if (!job.complete || (job.complaint[0] != '\0' && !detail::pixel_stream_is_whole(chunks)))
    throw refuse(ErrorCode::corrupt_compression, std::string("is damaged: ") + job.complaint.data());
  const auto at = [&](std::size_t pixel) {
    const auto index = static_cast<std::int64_t>(pixel);
    return "at row " + std::to_string(index / header.width) + ", column " + std::to_string(index % header.width);
  };
  const auto require_opaque = [&](bool opaque, std::size_t pixel) {
    if (!opaque)
      throw refuse(ErrorCode::foreign_format,
                   "is transparent " + at(pixel) + ", expected opaque pixels; flatten it onto a background");
  };
  if (header.palette()) {
    const std::vector<std::uint8_t> indices = std::exchange(picture.pixels, {});
    picture.pixels.reserve(3 * indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] >= job.colours) {
        throw refuse(ErrorCode::corrupt_compression, "has colour " + std::to_string(indices[i]) + " " + at(i) +
                                                         ", but its palette has " + std::to_string(job.colours));
      }
      require_opaque(indices[i] >= chunks.transparency.size() || chunks.transparency[indices[i]] == std::byte{255}, i);
      const png_color& colour = job.palette[indices[i]];
      picture.pixels.insert(picture.pixels.end(), {colour.red, colour.green, colour.blue});
    }
  } else if (samples > channels) {
    const std::size_t count = picture.pixels.size() / samples;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t* const pixel = picture.pixels.data() + i * samples;
      require_opaque(pixel[channels] == 255, i);
      std::copy_n(pixel, channels, picture.pixels.data() + i * channels);
    }
    picture.pixels.resize(count * channels);
    picture.pixels.shrink_to_fit();
  } else if (!chunks.transparency.empty()) {
    const unsigned most = (1u << header.depth) - 1;
    std::array<std::uint8_t, 3> transparent{};  // two bytes a channel are stored, of which the lowest bits count
    for (std::size_t c = 0; c < channels; ++c) {
      const auto value = std::to_integer<unsigned>(chunks.transparency[2 * c + 1]) & most;
      transparent[c] = static_cast<std::uint8_t>(value * (255 / most));
    }
    for (std::size_t i = 0; i < picture.pixels.size() / channels; ++i)
      require_opaque(!std::equal(transparent.begin(), transparent.begin() + picture.channels,
                                 picture.pixels.begin() + static_cast<std::ptrdiff_t>(i * channels)),
                     i);
  }
  return picture;
}

FAULTLINE_INLINE Picture read_png(const std::filesystem::path& path, const PngLimits& limits) {
  return decode_png(core::read_file(path, limits.max_file_bytes), limits, path.string());
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
