// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/canvas.hpp>
#include <faultline/render/detail/text.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <limits>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

std::size_t inked(const fl::Picture& picture) {
  std::size_t n = 0;
  for (const std::uint8_t pixel : picture.pixels) n += pixel != 255;
  return n;
}

}  // namespace

TEST_CASE("every printable character has its own drawing") {
  std::vector<fl::Picture> drawings;
  for (char c = '!'; c <= '~'; ++c) {
    fl::render::Canvas canvas(40, 40);
    canvas.text(10, 28, std::string(1, c), {.height = 16});
    CHECK(inked(canvas.picture()) > 0);
    for (const fl::Picture& other : drawings) CHECK_FALSE(canvas.picture() == other);
    drawings.push_back(canvas.picture());
  }
  fl::render::Canvas unknown(40, 40);
  unknown.text(10, 28, "\u4E2D", {.height = 16});
  CHECK(inked(unknown.picture()) > 0);
}

TEST_CASE("text stays within the width that is stated for it, and shortened text within the width asked for") {
  const fl::render::TextStyle style{.height = 10, .colour = {0, 0, 0}};
  const std::string text = "stroke thickness (class 3) 0.97 \u2192 8";
  fl::render::Canvas canvas(600, 40);
  canvas.text(20, 25, text, style);
  const double end = 20 + fl::render::Canvas::text_width(text, style);
  const fl::Picture picture = canvas.picture();
  REQUIRE(picture.channels == 1);
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x)
      if (x < 18 || static_cast<double>(x) > end + 2)
        REQUIRE(picture.pixels[static_cast<std::size_t>(y * picture.width + x)] == 255);
  for (const double width : {0.0, 5.0, 30.0, 80.0, 150.0, 1000.0})
    CHECK(fl::render::Canvas::text_width(fl::render::Canvas::shortened(text, width, style), style) <= width);
  CHECK(fl::render::Canvas::shortened(text, 1000, style) == text);
  CHECK(fl::render::Canvas::shortened(text, 80, style).substr(0, 3) == "str");
  CHECK(fl::render::Canvas::shortened(text, 1, style).empty());
  const std::string endless(1'000'000, 'w');  // in no time that grows with the square of its length
  CHECK(fl::render::Canvas::text_width(fl::render::Canvas::shortened(endless, 300, style), style) > 270);
}

TEST_CASE("what lies outside the canvas is clipped") {
  fl::render::Canvas canvas(20, 20);
  canvas.fill(-5, -5, 8, 8, fl::render::palette::ink);
  canvas.frame(15, 15, 20, 20, 3, fl::render::palette::failure);
  canvas.line(-50, 10, 70, 10, 2, fl::render::palette::ink);
  canvas.line(-50, -10, -70, -10, 2, fl::render::palette::ink);
  canvas.text(-100, 15, "far to the left and far to the right of a small canvas", {});
  canvas.text(5, -100, "above", {});
  canvas.picture(18, 18, {.height = 5, .width = 5, .channels = 1, .pixels = std::vector<std::uint8_t>(25, 7)});
  const fl::Picture picture = canvas.picture();
  CHECK(picture.channels == 3);
  CHECK(picture.pixels.size() == 3 * 20 * 20);
  CHECK(picture.pixels[0] == fl::render::palette::ink.red);
  CHECK(error_code([] { fl::render::Canvas(0, 5); }) == fl::ErrorCode::invalid_argument);
  CHECK(error_code([] { fl::render::Canvas(5, 20'001); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("a canvas without colour becomes a grey picture") {
  fl::render::Canvas canvas(3, 2);
  canvas.fill(1, 0, 1, 1, {9, 9, 9});
  CHECK(canvas.picture() == fl::Picture{2, 3, 1, {255, 9, 255, 255, 255, 255}});
}

TEST_CASE("images are enlarged by whole numbers without smoothing") {
  const std::vector<float> values = {0.0f, 1.0f, 0.5f, std::numeric_limits<float>::quiet_NaN()};
  const fl::Picture picture = fl::render::to_picture(values, {1, 2, 2}, 7);
  REQUIRE(picture.width == 6);
  REQUIRE(picture.height == 6);
  CHECK(picture.channels == 1);
  for (std::int64_t y = 0; y < 6; ++y)
    for (std::int64_t x = 0; x < 6; ++x)
      CHECK(picture.pixels[static_cast<std::size_t>(6 * y + x)] == (y < 3 ? (x < 3 ? 0 : 255) : (x < 3 ? 128 : 0)));
}

TEST_CASE("large images are averaged in blocks, values outside 0 to 1 are clamped") {
  std::vector<float> values(5 * 4, 0.0f);
  for (int x = 0; x < 4; ++x)
    values[static_cast<std::size_t>(x)] = 2.0f, values[static_cast<std::size_t>(4 + x)] = -1.0f;
  const fl::Picture picture = fl::render::to_picture(values, {1, 5, 4}, 3);
  CHECK(picture.height == 3);
  CHECK(picture.width == 2);
  CHECK(picture.pixels == std::vector<std::uint8_t>{128, 128, 0, 0, 0, 0});
  CHECK(fl::render::picture_shape({1, 5, 4}, 3) == fl::ImageShape{1, 3, 2});
  CHECK(fl::render::picture_shape({3, 1024, 512}, 96).height <= 96);
}

TEST_CASE("three channels are colours, more show the first three, two are averaged") {
  CHECK(fl::render::to_picture(std::vector<float>{1, 0, 0.2f}, {3, 1, 1}, 1).pixels ==
        std::vector<std::uint8_t>{255, 0, 51});
  CHECK(fl::render::to_picture(std::vector<float>{1, 0, 0.2f, 0.7f, 0.1f}, {5, 1, 1}, 1).pixels ==
        std::vector<std::uint8_t>{255, 0, 51});
  CHECK(fl::render::to_picture(std::vector<float>{1, 0}, {2, 1, 1}, 1).pixels == std::vector<std::uint8_t>{128});
  CHECK(error_code([] {
          (void)fl::render::to_picture(std::vector<float>{1, 0}, {1, 1, 1}, 1);
        }) == fl::ErrorCode::shape_mismatch);
  CHECK(error_code([] { (void)fl::render::to_picture({}, {1, 0, 1}, 1); }) == fl::ErrorCode::empty_input);
}

TEST_CASE("numbers for readers") {
  using namespace fl::render;
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(fixed(-0.001, 2) == "0.00");
  CHECK(fixed(1234.5, 1) == "1234.5");
  CHECK(shown(-1.25, 2) == "−1.25");
  CHECK(shown(infinity, 2) == "∞");
  CHECK(shown(-1.7e308, 2) == "−1.7e+308");
  CHECK(shown(123456789.25, 1) == "123456789.2");
  CHECK(measured(3.4217) == "3.42");
  CHECK(measured(-0.03419) == "−0.0342");
  CHECK(measured(1234.5) == "1234");
  CHECK(measured(0.0) == "0");
  CHECK(measured(1e-9) == "0.000000");
  CHECK(measured(infinity) == "∞");
  CHECK(points(0.412) == "+41 points");
  CHECK(points(-0.01) == "−1 point");
  CHECK(points(0.0, 1) == "0.0 points");
  CHECK(points(infinity) == "n/a");
  CHECK(signed_shown(0.001, 2) == "0.00");
  CHECK(signed_shown(0.25, 2) == "+0.25");
  CHECK(percent(0.364) == "36\u00A0%");
  CHECK(percent(0.0123) == "1.2\u00A0%");
  CHECK(percent(0.0) == "0\u00A0%");
  CHECK(count(1234567) == "1\u00A0234\u00A0567");
  CHECK(count(-1234) == "−1\u00A0234");
  CHECK(count(12) == "12");
  CHECK(count(std::numeric_limits<std::int64_t>::min()) == "−9\u00A0223\u00A0372\u00A0036\u00A0854\u00A0775\u00A0808");
  CHECK(p_value(0.00004) == "< 0.0001");
  CHECK(p_value(0.0012) == "0.0012");
  CHECK(p_value(0.25) == "0.250");
  CHECK(exact(0.1) == "0.1");
  CHECK(exact(infinity).empty());
  CHECK(escape("<a href='x'>\"&\"</a>\x01") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
  CHECK(valid_utf8("a\xFFz\xC3\xA9\xE2\x82") == "a\uFFFDz\u00E9\uFFFD\uFFFD");
  // RFC 4648, section 10
  const std::string vectors[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors)
    CHECK(base64(std::as_bytes(std::span(plain.data(), plain.size()))) == coded);
}
