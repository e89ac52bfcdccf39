// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/png.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

fl::Picture pattern(std::int64_t height, std::int64_t width, int channels) {
  fl::Picture picture{height, width, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>((i * 2654435761u) >> 24);
  return picture;
}

}  // namespace

TEST_CASE("A picture that is written is read back, grey and colour, at odd sizes", "[png]") {
  const TemporaryDirectory directory;
  for (const int channels : {1, 3}) {
    for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 9}, {7, 1}, {31, 33}, {200, 300}}) {
      const fl::Picture picture = pattern(height, width, channels);
      fl::write_png(directory / "a.png", picture);
      CHECK(fl::read_png(directory / "a.png") == picture);
      CHECK(fl::encode_png(picture) == fl::read_file(directory / "a.png"));
    }
  }
  CHECK(directory.names() == std::vector<std::string>{"a.png"});
  CHECK(error_code([&] { (void)fl::read_png(directory / "b.png"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::read_png(directory / "a.png", {.max_pixels = 59'999}); }) == ErrorCode::oversized);
  CHECK(error_code([&] { (void)fl::read_png(directory / "a.png", {.max_file_bytes = 100}); }) == ErrorCode::oversized);
}

TEST_CASE("A picture that contradicts itself is not written", "[png]") {
  CHECK(error_code([] { (void)fl::encode_png({.height = 2, .width = 2, .pixels = {1, 2, 3}}); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::encode_png({.height = 1, .width = 1, .channels = 2, .pixels = {1, 2}}); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::encode_png({.height = 0, .width = 2, .pixels = {}}); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::encode_png({.height = -1, .width = -1, .pixels = {1}}); }) == ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::encode_png({.height = 1, .width = 1'000'001, .pixels = {}}); }) == ErrorCode::oversized);
}

TEST_CASE("Every flipped bit of a picture file is noticed", "[png]") {
  std::vector<std::byte> bytes = fl::encode_png(pattern(5, 7, 3));
  std::size_t unnoticed = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    const auto code = error_code([&] { (void)fl::decode_png(bytes); });
    if (!code || static_cast<int>(*code) / 100 != 3) ++unnoticed;
    bytes[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  CHECK(unnoticed == 0);
}

TEST_CASE("Every picture file that is cut short is truncated and nothing else", "[png]") {
  const std::vector<std::byte> bytes = fl::encode_png(pattern(3, 3, 1));
  std::size_t otherwise = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    otherwise += error_code([&] { (void)fl::decode_png(std::span(bytes).first(length)); }) == ErrorCode::truncated ? 0 : 1;
  }
  CHECK(otherwise == 0);
}

namespace {

std::string chunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())));
  const auto number = [](std::uint32_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>((value >> shift) & 255u);
    return text;
  };
  return number(static_cast<std::uint32_t>(data.size())) + checked + number(crc);
}

std::string zlib_packed(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()), static_cast<uLong>(text.size()));
  packed.resize(size);
  return packed;
}

const std::string signature("\x89PNG\r\n\x1a\n", 8);

std::string header_chunk(std::uint32_t width, std::uint32_t height, int depth = 8, int colour = 0, int compression = 0, int filter = 0, int interlace = 0) {
  const std::string sizes = idx_header({width, height}).substr(4);
  return chunk("IHDR", sizes + std::string{static_cast<char>(depth), static_cast<char>(colour), static_cast<char>(compression), static_cast<char>(filter), static_cast<char>(interlace)});
}

/// A picture with the given header and scan lines.
Bytes picture(const std::string& header, const std::string& lines) { return bytes_of(signature + header + chunk("IDAT", zlib_packed(lines)) + chunk("IEND", "")); }

}  // namespace

TEST_CASE("Palettes and few bits per pixel are expanded", "[png]") {
  const fl::Picture bits = fl::decode_png(picture(header_chunk(4, 1, 1), std::string("\0\xa0", 2)));
  CHECK(bits.pixels == std::vector<std::uint8_t>{255, 0, 255, 0});
  const std::string palette = chunk("PLTE", std::string("\1\2\3\xff\0\x10", 6));
  const fl::Picture coloured = fl::decode_png(bytes_of(signature + header_chunk(2, 1, 8, 3) + palette + chunk("IDAT", zlib_packed(std::string("\0\1\0", 3))) + chunk("IEND", "")));
  CHECK(coloured.channels == 3);
  CHECK(coloured.pixels == std::vector<std::uint8_t>{255, 0, 16, 1, 2, 3});
}

TEST_CASE("Malformed PNG files are refused, each for its own reason", "[malformed]") {
  const auto cut = ErrorCode::truncated;
  const auto large = ErrorCode::oversized;
  const auto corrupt = ErrorCode::corrupt_compression;
  const std::string lines("\0ab\0cd", 6);
  const std::string ihdr = header_chunk(2, 2);
  const std::string idat = chunk("IDAT", zlib_packed(lines));
  const std::string iend = chunk("IEND", "");
  const std::string good = signature + ihdr + idat + iend;
  REQUIRE(fl::decode_png(bytes_of(good)).pixels == std::vector<std::uint8_t>{'a', 'b', 'c', 'd'});
  REQUIRE(fl::decode_png(bytes_of(signature + ihdr + chunk("tEXt", std::string("k\0v", 3)) + idat + iend)).width == 2);
  std::string rot = zlib_packed(lines);
  rot.back() = static_cast<char>(rot.back() ^ 1);
  check_all(
      {
          {"empty", {}, cut},
          {"half a signature", bytes_of(good.substr(0, 4)), cut},
          {"only a signature", bytes_of(signature), cut},
          {"signature with a changed line end", bytes_of(with_byte(good, 5, 7)), ErrorCode::bad_magic},
          {"a JPEG file", bytes_of("\xff\xd8\xff\xe0 and so on"), ErrorCode::bad_magic},
          {"a text file", bytes_of("no picture"), ErrorCode::bad_magic},
          {"header cut", bytes_of(good.substr(0, 20)), cut},
          {"data cut", bytes_of(good.substr(0, good.size() - 20)), cut},
          {"end chunk missing", bytes_of(signature + ihdr + idat), cut},
          {"last byte missing", bytes_of(good.substr(0, good.size() - 1)), cut},
          {"bytes after the end", bytes_of(good + "z"), large},
          {"two pictures", bytes_of(good + good), large},
          {"header CRC wrong", bytes_of(with_byte(good, 8 + 8 + 13, 1)), corrupt},
          {"data CRC wrong", bytes_of(with_byte(good, 8 + ihdr.size() + idat.size() - 1, 1)), corrupt},
          {"end CRC wrong", bytes_of(with_byte(good, good.size() - 1, 1)), corrupt},
          {"CRC of a text chunk wrong", bytes_of(signature + ihdr + with_byte(chunk("tEXt", std::string("k\0v", 3)), 9, 1) + idat + iend), corrupt},
          {"Adler checksum of the pixels wrong", bytes_of(signature + ihdr + chunk("IDAT", rot) + iend), corrupt},
          {"pixels are no zlib stream", bytes_of(signature + ihdr + chunk("IDAT", "garbage!") + iend), corrupt},
          {"pixel stream cut inside a sound chunk", bytes_of(signature + ihdr + chunk("IDAT", zlib_packed(lines).substr(0, 5)) + iend), corrupt},
          {"fewer lines than stated", picture(ihdr, lines.substr(0, 3)), corrupt},
          {"more lines than stated", picture(ihdr, lines + lines), corrupt},
          {"unknown filter", picture(ihdr, std::string("\7ab\0cd", 6)), corrupt},
          {"no data chunk", bytes_of(signature + ihdr + iend), corrupt},
          {"no header chunk", bytes_of(signature + idat + iend), ErrorCode::malformed_header},
          {"text before the header", bytes_of(signature + chunk("tEXt", std::string("k\0v", 3)) + ihdr + idat + iend), ErrorCode::malformed_header},
          {"short header", bytes_of(signature + chunk("IHDR", "abcd") + idat + iend), ErrorCode::malformed_header},
          {"long header", bytes_of(signature + chunk("IHDR", std::string(14, '\1')) + idat + iend), ErrorCode::malformed_header},
          {"two headers", bytes_of(signature + ihdr + ihdr + idat + iend), corrupt},
          {"unknown critical chunk", bytes_of(signature + ihdr + chunk("ABCD", "") + idat + iend), corrupt},
          {"chunk longer than the file", bytes_of(signature + std::string("\x7f\xff\xff\xff", 4) + ihdr.substr(4) + idat + iend), cut},
          {"chunk length of 2^32 - 1", bytes_of(signature + std::string("\xff\xff\xff\xff", 4) + ihdr.substr(4) + idat + iend), cut},
          {"width zero", picture(header_chunk(0, 2), lines), ErrorCode::malformed_header},
          {"height zero", picture(header_chunk(2, 0), lines), ErrorCode::malformed_header},
          {"width above 2^31", picture(header_chunk(0x80000001u, 2), lines), large},
          {"four billion by four billion", picture(header_chunk(0xffffffffu, 0xffffffffu), lines), large},
          {"65 megapixels", picture(header_chunk(1 << 20, 65), lines), large},
          {"60 megapixels in a hundred bytes", picture(header_chunk(7680, 8192), lines), cut},
          {"one pixel wide, 60 million high", picture(header_chunk(1, 60'000'000), lines), cut},
          {"depth 3", picture(header_chunk(2, 2, 3), lines), corrupt},
          {"depth 0", picture(header_chunk(2, 2, 0), lines), corrupt},
          {"colour type 5", picture(header_chunk(2, 2, 8, 5), lines), corrupt},
          {"unknown compression", picture(header_chunk(2, 2, 8, 0, 1), lines), corrupt},
          {"unknown filter method", picture(header_chunk(2, 2, 8, 0, 0, 1), lines), corrupt},
          {"unknown interlacing", picture(header_chunk(2, 2, 8, 0, 0, 0, 2), lines), corrupt},
          {"palette missing", picture(header_chunk(2, 2, 8, 3), lines), corrupt},
          {"16 bits per channel", picture(header_chunk(1, 2, 16), lines), ErrorCode::foreign_format},
          {"grey with alpha", picture(header_chunk(1, 2, 8, 4), lines), ErrorCode::foreign_format},
          {"colour with alpha", picture(header_chunk(1, 1, 8, 6), std::string("\0abcd", 5)), ErrorCode::foreign_format},
          {"transparent colour", bytes_of(signature + ihdr + chunk("tRNS", std::string("\0a", 2)) + idat + iend), ErrorCode::foreign_format},
      },
      [](const Bytes& bytes) { (void)fl::decode_png(bytes); });
}
