// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/png.hpp: libpng's simplified interface, which never jumps across C++ frames.

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/png.hpp>

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>

namespace faultline {
inline namespace v1 {
namespace detail {

/// Frees what libpng allocated, whichever way a function is left.
struct PngImage {
  png_image image{};
  PngImage() { image.version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(&image); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

inline constexpr std::array<std::byte, 8> png_signature = {std::byte{0x89}, std::byte{'P'},  std::byte{'N'},  std::byte{'G'},
                                                           std::byte{'\r'}, std::byte{'\n'}, std::byte{0x1a}, std::byte{'\n'}};

[[nodiscard]] inline std::uint32_t big_endian(const std::byte* p) noexcept {
  return (std::to_integer<std::uint32_t>(p[0]) << 24) | (std::to_integer<std::uint32_t>(p[1]) << 16) | (std::to_integer<std::uint32_t>(p[2]) << 8) | std::to_integer<std::uint32_t>(p[3]);
}

/// Walks the chunks from IHDR to IEND and checks every length and CRC, also of chunks that libpng would skip with a shrug.
inline void require_sound_chunks(std::span<const std::byte> bytes, const std::string& name) {
  const auto refuse = [&](ErrorCode code, const std::string& what) { return Error(code, "read_png", "'" + name + "' " + what); };
  const auto present = bytes.first(std::min(bytes.size(), png_signature.size()));
  if (!std::equal(present.begin(), present.end(), png_signature.begin())) throw refuse(ErrorCode::bad_magic, "is no PNG file");
  if (bytes.size() < png_signature.size()) throw refuse(ErrorCode::truncated, "ends within its signature");
  std::span<const std::byte> rest = bytes.subspan(png_signature.size());
  for (bool first = true;; first = false) {
    if (rest.size() < 12) throw refuse(ErrorCode::truncated, "ends before its last chunk");
    const std::size_t length = big_endian(rest.data());
    if (length > rest.size() - 12) throw refuse(ErrorCode::truncated, "ends within a chunk of " + std::to_string(length) + " bytes");
    const auto checked = rest.subspan(4, 4 + length);
    const std::string type(reinterpret_cast<const char*>(checked.data()), 4);
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    if (crc != big_endian(rest.data() + 8 + length)) throw refuse(ErrorCode::corrupt_compression, "is damaged: the checksum of a chunk is wrong");
    if (first && (type != "IHDR" || length != 13)) throw refuse(ErrorCode::malformed_header, "does not begin with its header chunk");
    rest = rest.subspan(12 + length);
    if (type == "IEND") break;
  }
  if (!rest.empty()) throw refuse(ErrorCode::oversized, "has " + std::to_string(rest.size()) + " bytes after its end");
}

}  // namespace detail

inline std::vector<std::byte> encode_png(const Picture& picture) {
  constexpr std::int64_t longest = 1'000'000;  // libpng's own default limit
  if (picture.height > longest || picture.width > longest) throw Error(ErrorCode::oversized, "encode_png", "expected at most 1000000 pixels a side");
  if (picture.height < 1 || picture.width < 1 || (picture.channels != 1 && picture.channels != 3) ||
      picture.height * picture.width * picture.channels != static_cast<std::int64_t>(picture.pixels.size())) {
    throw Error(ErrorCode::shape_mismatch, "encode_png", "expected height x width x (1 or 3) values, got " + std::to_string(picture.pixels.size()) + " for " + std::to_string(picture.height) + " x " +
                                                             std::to_string(picture.width) + " x " + std::to_string(picture.channels));
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
    throw Error(ErrorCode::invalid_argument, "encode_png", std::string("libpng refused the picture: ") + png.image.message);
  }
  bytes.resize(size);
  return bytes;
}

inline void write_png(const std::filesystem::path& path, const Picture& picture) { write_file_atomically(path, encode_png(picture)); }

inline Picture decode_png(std::span<const std::byte> bytes, const PngLimits& limits, std::string_view file_name) {
  const std::string name(file_name);
  const auto refuse = [&](ErrorCode code, const std::string& what) { return Error(code, "read_png", "'" + name + "' " + what); };
  if (static_cast<std::int64_t>(bytes.size()) > limits.max_file_bytes) throw refuse(ErrorCode::oversized, "has more than " + std::to_string(limits.max_file_bytes) + " bytes");
  detail::require_sound_chunks(bytes, name);

  const std::byte* const header = bytes.data() + 16;
  const std::int64_t width = detail::big_endian(header);
  const std::int64_t height = detail::big_endian(header + 4);
  const int depth = std::to_integer<int>(header[8]);
  if (width < 1 || height < 1) throw refuse(ErrorCode::malformed_header, "has no pixels");
  if (width > limits.max_pixels / height) throw refuse(ErrorCode::oversized, "states " + std::to_string(width) + " x " + std::to_string(height) + " pixels");
  // Deflate shrinks at most 1032-fold, and a row takes a filter byte and at least one bit per pixel.
  if (height * ((width + 7) / 8 + 1) / 1040 > static_cast<std::int64_t>(bytes.size())) throw refuse(ErrorCode::truncated, "is too short for the size that it states");
  if (depth == 16) throw refuse(ErrorCode::foreign_format, "has 16 bits per channel, expected at most 8; convert it");

  detail::PngImage png;
  if (png_image_begin_read_from_memory(&png.image, bytes.data(), bytes.size()) == 0 || PNG_IMAGE_FAILED(png.image)) {
    throw refuse(ErrorCode::corrupt_compression, std::string("is no sound PNG file: ") + png.image.message);
  }
  if ((png.image.format & PNG_FORMAT_FLAG_ALPHA) != 0) throw refuse(ErrorCode::foreign_format, "has transparency; flatten it");
  const bool colour = (png.image.format & PNG_FORMAT_FLAG_COLOR) != 0;
  png.image.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  Picture picture{height, width, colour ? 3 : 1, {}};
  picture.pixels.resize(static_cast<std::size_t>(height * width * picture.channels));
  if (png_image_finish_read(&png.image, nullptr, picture.pixels.data(), static_cast<png_int_32>(width * picture.channels), nullptr) == 0 || png.image.warning_or_error != 0) {
    throw refuse(ErrorCode::corrupt_compression, std::string("is damaged: ") + png.image.message);
  }
  return picture;
}

inline Picture read_png(const std::filesystem::path& path, const PngLimits& limits) { return decode_png(read_file(path, limits.max_file_bytes), limits, path.string()); }

}  // namespace v1
}  // namespace faultline
