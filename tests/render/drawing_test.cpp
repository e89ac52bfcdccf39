// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/drawing.hpp>

#include <core/temporary_directory.hpp>
#include <render/markup.hpp>
#include <support/catch2.hpp>

#include <limits>

namespace fl = faultline;
using faultline_tests::error_code;

namespace {

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

fl::render::Colour pixel(const fl::Picture& picture, std::int64_t x, std::int64_t y) {
  const std::uint8_t* p = picture.pixels.data() + picture.channels * (y * picture.width + x);
  return picture.channels == 1 ? fl::render::Colour{p[0], p[0], p[0]} : fl::render::Colour{p[0], p[1], p[2]};
}

std::size_t inked(const fl::Picture& picture) {
  std::size_t n = 0;
  for (std::int64_t y = 0; y < picture.height; ++y)
    for (std::int64_t x = 0; x < picture.width; ++x) n += pixel(picture, x, y) == fl::render::palette::paper ? 0 : 1;
  return n;
}

constexpr fl::render::Mark all_marks[] = {
    fl::render::Mark::disc,     fl::render::Mark::ring,     fl::render::Mark::square,
    fl::render::Mark::triangle, fl::render::Mark::diamond,  fl::render::Mark::cross,
    fl::render::Mark::plus,     fl::render::Mark::arrow_up, fl::render::Mark::arrow_down};

}  // namespace

TEST_CASE("a drawing is the same twice, as sound SVG and as pixels") {
  const auto draw = [] {
    fl::Drawing drawing(200, 120, "a <test> & \"more\" \xFF");
    drawing.line(10, 10, 190, 10, {fl::render::palette::ink, 2});
    drawing.polyline({{10, 20}, {50, 30}, {90, 20}}, {fl::render::palette::success, 1.5, 6});
    drawing.rectangle(10, 40, 20, 20, fl::render::palette::failure);
    drawing.frame(40, 40, 20, 20, 2, fl::render::palette::judge);
    double x = 10;
    for (const fl::render::Mark mark : all_marks) drawing.mark(x += 18, 80, mark, 6, fl::render::palette::accent);
    drawing.text(100, 50, "x < 3 & \"y\" \xFF", {.align = fl::render::Align::centre});
    drawing.text(150, 70, "upwards", {}, fl::render::Turn::upwards);
    drawing.picture(150, 90, {.height = 2, .width = 2, .channels = 1, .pixels = {0, 255, 255, 0}});
    return drawing;
  };
  const fl::Drawing drawing = draw();
  CHECK(drawing.svg() == draw().svg());
  CHECK(drawing.raster() == draw().raster());
  const auto markup = render_test::read_markup(drawing.svg(), false);
  CHECK(markup.complaint == "");
  CHECK(markup.tags.front() == "svg");
  for (const std::string& attribute : markup.attributes)
    if (attribute.substr(0, 5) == "href=") CHECK(attribute.substr(0, 27) == "href=data:image/png;base64,");
  CHECK(count_of(drawing.svg(), "<image ") == 1);
  CHECK(drawing.raster().width == 200);
  CHECK(drawing.raster().height == 120);
}

TEST_CASE("both forms of a drawing show the same parts at the same places") {
  fl::Drawing drawing(60, 40, "places");
  drawing.rectangle(5.4, 5.4, 10, 8, fl::render::palette::success);
  drawing.picture(30, 20, {.height = 2, .width = 3, .channels = 1, .pixels = {10, 20, 30, 40, 50, 60}});
  drawing.mark(45, 10, fl::render::Mark::disc, 4, fl::render::palette::failure);
  const fl::Picture picture = drawing.raster();
  CHECK(pixel(picture, 5, 5) == fl::render::palette::success);
  CHECK(pixel(picture, 14, 12) == fl::render::palette::success);
  CHECK(pixel(picture, 15, 12) == fl::render::palette::paper);
  CHECK(pixel(picture, 4, 5) == fl::render::palette::paper);
  CHECK(pixel(picture, 32, 21) == fl::render::Colour{60, 60, 60});
  CHECK(pixel(picture, 44, 9) == fl::render::palette::failure);
  CHECK(pixel(picture, 50, 10) == fl::render::palette::paper);
  const std::string svg = drawing.svg();
  CHECK(svg.find("<rect x=\"5\" y=\"5\" width=\"10\" height=\"8\" fill=\"#0072b2\"/>") != std::string::npos);
  CHECK(svg.find("<image x=\"30\" y=\"20\" width=\"3\" height=\"2\"") != std::string::npos);
  CHECK(svg.find("<circle cx=\"45\" cy=\"10\" r=\"4\" fill=\"#d55e00\"/>") != std::string::npos);
}

TEST_CASE("every mark has its own shape, of about its size") {
  std::vector<fl::Picture> seen;
  std::vector<std::string> texts;
  for (const fl::render::Mark mark : all_marks) {
    fl::Drawing drawing(40, 40, "");
    drawing.mark(20, 20, mark, 8, fl::render::palette::ink);
    const fl::Picture picture = drawing.raster();
    CHECK(inked(picture) > 20);
    for (std::int64_t y = 0; y < 40; ++y)
      for (std::int64_t x = 0; x < 40; ++x)
        if (x < 8 || x > 31 || y < 8 || y > 31) CHECK(pixel(picture, x, y) == fl::render::palette::paper);
    for (const fl::Picture& other : seen) CHECK_FALSE(other == picture);
    for (const std::string& other : texts) CHECK_FALSE(other == drawing.svg());
    seen.push_back(picture);
    texts.push_back(drawing.svg());
  }
}

TEST_CASE("arrows point where they say") {
  const auto upper_ink = [](fl::render::Mark mark) {
    fl::Drawing drawing(40, 40, "");
    drawing.mark(20, 20, mark, 8, fl::render::palette::ink);
    const fl::Picture picture = drawing.raster();
    std::size_t above = 0;
    for (std::int64_t y = 0; y < 20; ++y)
      for (std::int64_t x = 0; x < 40; ++x) above += pixel(picture, x, y) == fl::render::palette::paper ? 0 : 1;
    return static_cast<double>(above) / static_cast<double>(inked(picture));
  };
  CHECK(upper_ink(fl::render::Mark::arrow_up) > 0.6);
  CHECK(upper_ink(fl::render::Mark::arrow_down) < 0.4);
}

TEST_CASE("dashes have gaps, whatever the pieces of the line") {
  fl::Drawing whole(120, 20, ""), dashed(120, 20, ""), pieces(120, 20, "");
  whole.line(10, 10, 110, 10, {fl::render::palette::ink, 2});
  dashed.line(10, 10, 110, 10, {fl::render::palette::ink, 2, 8});
  std::vector<std::pair<double, double>> points;
  for (int i = 0; i <= 100; ++i) points.emplace_back(10 + i, 10);
  pieces.polyline(points, {fl::render::palette::ink, 2, 8});
  CHECK(inked(dashed.raster()) < inked(whole.raster()));
  CHECK(inked(dashed.raster()) > inked(whole.raster()) / 2);
  for (std::int64_t x = 0; x < 120; ++x)
    CHECK((pixel(pieces.raster(), x, 10) == fl::render::palette::paper) ==
          (pixel(dashed.raster(), x, 10) == fl::render::palette::paper));
}

TEST_CASE("dots stay apart, though a pen is as wide as they are long") {
  fl::Drawing drawing(120, 20, "");
  drawing.line(10.5, 10.5, 110.5, 10.5, {fl::render::palette::ink, 2, 2, 3});
  CHECK(drawing.svg().find("stroke-dasharray=\"2 3\" stroke-linecap=\"butt\"") != std::string::npos);
  const fl::Picture picture = drawing.raster();
  std::size_t gaps = 0;
  for (std::int64_t x = 10; x < 110; ++x)
    gaps += pixel(picture, x, 10) == fl::render::palette::paper &&
                    !(pixel(picture, x + 1, 10) == fl::render::palette::paper)
                ? 1
                : 0;
  CHECK(gaps >= 19);
}

TEST_CASE("an area lets what is below it shine through, in both forms") {
  fl::Drawing drawing(40, 40, "");
  const std::vector<std::pair<double, double>> square{{10, 10}, {30, 10}, {30, 30}, {10, 30}};
  drawing.polygon(square, {0, 0, 0}, 0.2);
  CHECK(pixel(drawing.raster(), 20, 20) == fl::render::Colour{204, 204, 204});
  drawing.polygon(square, {0, 0, 0}, 0.5);
  CHECK(pixel(drawing.raster(), 20, 20) == fl::render::Colour{102, 102, 102});
  CHECK(pixel(drawing.raster(), 31, 20) == fl::render::palette::paper);
  CHECK(drawing.svg().find("<polygon points=\"10,10 30,10 30,30 10,30\" fill=\"#000000\" fill-opacity=\"0.2\"/>") !=
        std::string::npos);
}

TEST_CASE("a label is cut to its room and keeps its whole text as a tooltip") {
  fl::Drawing drawing(200, 40, "");
  CHECK(drawing.text(10, 12, "short") == fl::render::Canvas::text_width("short"));
  CHECK(drawing.label(10, 12, "short", 150) == fl::render::Canvas::text_width("short"));
  CHECK(count_of(drawing.svg(), "<title>") == 0);
  const double width = drawing.label(10, 30, "<b>a long name & \xFF that does not fit</b>", 100);
  CHECK(width <= 100);
  CHECK(width > 60);
  const std::string svg = drawing.svg();
  CHECK(count_of(svg, "\u2026<title>&lt;b&gt;a long name &amp; \uFFFD that does not fit&lt;/b&gt;</title></text>") ==
        1);
  CHECK(render_test::read_markup(svg, false).complaint == "");
}

TEST_CASE("text that runs upwards is the text turned to the left, at the same anchor") {
  for (const fl::render::Align align : {fl::render::Align::left, fl::render::Align::centre, fl::render::Align::right}) {
    fl::Drawing flat(120, 120, ""), turned(120, 120, "");
    flat.text(60, 60, "Faultline", {.height = 10, .align = align});
    turned.text(60, 60, "Faultline", {.height = 10, .align = align}, fl::render::Turn::upwards);
    const auto middle = [](const fl::Picture& picture) {
      double x_sum = 0, y_sum = 0, n = 0;
      for (std::int64_t y = 0; y < picture.height; ++y)
        for (std::int64_t x = 0; x < picture.width; ++x)
          if (!(pixel(picture, x, y) == fl::render::palette::paper))
            x_sum += static_cast<double>(x), y_sum += static_cast<double>(y), n += 1;
      return std::pair{x_sum / n - 59.5, y_sum / n - 59.5};
    };
    const auto [fx, fy] = middle(flat.raster());
    const auto [tx, ty] = middle(turned.raster());
    CHECK(tx == Approx(fy).margin(1.0));
    CHECK(ty == Approx(-fx).margin(1.0));
  }
}

TEST_CASE("what is not finite, empty or outside leaves no trace") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  fl::Drawing drawing(30, 30, "");
  const std::string blank = drawing.svg();
  drawing.line(0, 0, infinity, 3);
  drawing.polyline({{1, 1}});
  drawing.mark(nan, 3, fl::render::Mark::disc, 3, fl::render::palette::ink);
  drawing.rectangle(3, 3, -5, 4, fl::render::palette::ink);
  drawing.rectangle(nan, 3, 5, 4, fl::render::palette::ink);
  drawing.rectangle(3, 3, infinity, 4, fl::render::palette::ink);
  drawing.polygon({{1, 1}, {nan, 3}, {5, 5}}, fl::render::palette::ink);
  drawing.text(3, 3, "");
  drawing.text(nan, 3, "nowhere");
  drawing.picture(1, 1, {});
  CHECK(drawing.svg() == blank);
  drawing.line(100, 100, 200, 200);
  drawing.text(-200, 20, "far away");
  drawing.picture(29, 29, {.height = 5, .width = 5, .channels = 1, .pixels = std::vector<std::uint8_t>(25, 255)});
  CHECK(inked(drawing.raster()) == 0);
  CHECK(error_code([] { fl::Drawing(0, 10, ""); }) == fl::ErrorCode::invalid_argument);
  CHECK(error_code([] { fl::Drawing(10, 20'001, ""); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("a drawing is written as both files") {
  const faultline_tests::TemporaryDirectory directory;
  fl::Drawing drawing(30, 20, "small");
  drawing.rectangle(2, 2, 10, 10, fl::render::palette::failure);
  fl::write_drawing(drawing, directory / "v1.2");
  CHECK(directory.names() == std::vector<std::string>{"v1.2.png", "v1.2.svg"});
  CHECK(fl::read_png(directory / "v1.2.png") == drawing.raster());
  CHECK(faultline_tests::text_of(directory / "v1.2.svg") == drawing.svg());
  CHECK(error_code([&] { fl::write_drawing(drawing, directory / "missing" / "figure"); }) ==
        fl::ErrorCode::cannot_write);
}

TEST_CASE("a polygon covers its area") {
  fl::render::Canvas canvas(60, 60);
  const std::vector<std::pair<double, double>> triangle{{10, 10}, {50, 10}, {10, 50}};
  canvas.polygon(triangle, fl::render::Colour{0, 0, 0});
  double area = 0;
  for (const std::uint8_t value : canvas.picture().pixels) area += (255.0 - value) / 255.0;
  CHECK(area == Approx(800).epsilon(0.01));
  // Clipped
  canvas.polygon(std::vector<std::pair<double, double>>{{-100, -100}, {200, -100}, {200, 200}, {-100, 200}},
                 fl::render::Colour{0, 0, 0});
  for (const std::uint8_t value : canvas.picture().pixels) CHECK(value == 0);
}
