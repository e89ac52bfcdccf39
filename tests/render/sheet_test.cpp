// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/sheet.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

fl::render::Sheet sheet_of(std::size_t rows, std::size_t columns, const std::string& name) {
  fl::render::Sheet sheet;
  sheet.title = name;
  sheet.explanation = "Words. " + name;
  for (std::size_t c = 0; c < columns; ++c)
    sheet.columns.push_back({c < 2 ? "first " + name : "second", name, name, name});
  for (std::size_t r = 0; r < rows; ++r) sheet.rows.push_back({name, name, name});
  for (std::size_t i = 0; i < rows * columns; ++i)
    sheet.cells.push_back({fl::Picture{96, 96, 1, std::vector<std::uint8_t>(96 * 96, 40)}, 0.5, name, i % 3 == 0, {}});
  return sheet;
}

std::size_t pixels_of(const fl::Picture& picture, fl::render::Colour colour) {
  std::size_t n = 0;
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3)
    n += picture.pixels[i] == colour.red && picture.pixels[i + 1] == colour.green &&
         picture.pixels[i + 2] == colour.blue;
  return n;
}

}  // namespace

TEST_CASE("failures have a frame and a cross, other images have neither") {
  fl::render::Sheet sheet = sheet_of(1, 2, "8");
  sheet.cells[0].failed = false;
  const auto before = pixels_of(fl::render::draw_sheet(sheet), fl::render::palette::failure);
  sheet.cells[1].failed = true;
  const fl::Picture drawn = fl::render::draw_sheet(sheet);
  const auto frame = 4 * 96 * 3, cross = 60;
  CHECK(pixels_of(drawn, fl::render::palette::failure) >= before + frame + cross);
  CHECK(before < 600);  // the legend alone
}

TEST_CASE("headings and answers of any length leave the space between columns free") {
  for (const std::string& name :
       {std::string("8"), std::string("a class with quite a long name"), std::string(300, 'W')}) {
    const fl::render::Sheet sheet = sheet_of(2, 4, name);
    const fl::Picture drawn = fl::render::draw_sheet(sheet);
    REQUIRE(drawn.channels == 3);
    // The image columns are where a row of pixels crosses the images: dark runs of 96 pixels.
    const auto at = [&](std::int64_t x, std::int64_t y) {
      return drawn.pixels[static_cast<std::size_t>(3 * (y * drawn.width + x))];
    };
    std::vector<std::int64_t> starts;
    std::int64_t image_row = drawn.height - 40;
    for (std::int64_t x = 1; x < drawn.width - 96; ++x) {
      bool run = at(x - 1, image_row) != 40;
      for (std::int64_t i = 0; i < 96 && run; ++i) run = at(x + i, image_row) == 40;
      if (run) starts.push_back(x);
    }
    REQUIRE(starts.size() == 4);
    CHECK(starts.back() + 96 < drawn.width);
    std::int64_t first_row = 0;  // below the line under the group headings, which may span columns
    for (std::int64_t y = 0; y < drawn.height; ++y)
      if (at(starts[1] - 8, y) == fl::render::palette::quiet.red &&
          at(starts[1] - 5, y) == fl::render::palette::quiet.red && at(starts[0], y) == fl::render::palette::quiet.red)
        first_row = y + 1;
    REQUIRE(first_row > 0);
    CHECK(first_row < image_row - 96);
    for (std::size_t c = 1; c < 4; ++c)
      for (std::int64_t y = first_row; y < drawn.height; ++y)
        for (std::int64_t x = starts[c] - 8; x < starts[c] - 4; ++x) REQUIRE(at(x, y) == 255);
    for (std::int64_t y = 0; y < drawn.height; ++y) REQUIRE(at(drawn.width - 4, y) == 255);
  }
}

TEST_CASE("empty cells, captions and images of any size have a place") {
  fl::render::Sheet sheet = sheet_of(2, 2, "x");
  sheet.cells[3] = {};
  sheet.cells[0].caption = "label 3";
  sheet.cells[1].picture = {10, 300, 3, std::vector<std::uint8_t>(9000, 5)};
  const fl::Picture drawn = fl::render::draw_sheet(sheet);
  CHECK(drawn.width > 2 * 300);
  CHECK(drawn == fl::render::draw_sheet(sheet));
}

TEST_CASE("a sheet that does not add up is refused") {
  CHECK(error_code([] { (void)fl::render::draw_sheet({}); }) == fl::ErrorCode::empty_input);
  fl::render::Sheet sheet = sheet_of(2, 3, "x");
  sheet.cells.pop_back();
  CHECK(error_code([&] { (void)fl::render::draw_sheet(sheet); }) == fl::ErrorCode::shape_mismatch);
}
