// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folders of PNG pictures: what they hold, and every way in which folder, labels and pictures can disagree.
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/image_folder.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <array>
#include <filesystem>
#include <functional>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

fl::Picture pattern(std::int64_t height, std::int64_t width, int channels, int first) {
  fl::Picture picture{height, width, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) picture.pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(first) + i);
  return picture;
}

/// a.png, below/b.PNG and c.png of 4x4 pixels, and files that are no pictures.
void fill(const TemporaryDirectory& folder, int channels = 1) {
  std::filesystem::create_directories(folder / "below");
  fl::write_png(folder / "a.png", pattern(4, 4, channels, 0));
  fl::write_png(folder / "below/b.PNG", pattern(4, 4, channels, 100));
  fl::write_png(folder / "c.png", pattern(4, 4, channels, 200));
  fl::write_file_atomically(folder / "notes.txt", std::string_view("no picture"));
}

void write(const TemporaryDirectory& folder, const std::string& name, std::string_view text) { fl::write_file_atomically(folder / name, text); }

constexpr const char* good_json = R"({"labels": [["c.png", 1], ["a.png", 0], ["below/b.PNG", 2]]})";
constexpr const char* good_csv = "file,label\nc.png,1\na.png,0\nbelow/b.PNG,2\n";

}  // namespace

TEST_CASE("A folder of pictures is read in the order of paths, with or without labels", "[image_folder]") {
  for (const int channels : {1, 3}) {
    const TemporaryDirectory folder;
    fill(folder, channels);
    CHECK(fl::has_png_pictures(folder.path()));
    const fl::LabelledImages plain = fl::load_image_folder(folder.path());
    CHECK(plain.count == 3);
    CHECK(plain.shape() == fl::ImageShape{channels, 4, 4});
    CHECK(plain.classes == 0);
    CHECK(plain.labels.empty());
    const std::array<int, 3> first = {0, 100, 200};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        for (std::size_t p = 0; p < 16; ++p)
          REQUIRE(plain.image(static_cast<std::int64_t>(i))[c * 16 + p] == static_cast<std::uint8_t>(static_cast<std::size_t>(first[i]) + p * static_cast<std::size_t>(channels) + c));

    write(folder, "dataset.json", R"({"labels": null})");
    CHECK(fl::load_image_folder(folder.path()).classes == 0);
    write(folder, "dataset.json", good_json);
    const fl::LabelledImages labelled = fl::load_image_folder(folder.path());
    CHECK(labelled.pixels == plain.pixels);
    CHECK(labelled.classes == 3);
    CHECK(labelled.labels == std::vector<std::uint8_t>{0, 2, 1});
    write(folder, "labels.csv", good_csv);  // both, and they agree
    CHECK(fl::load_image_folder(folder.path()).labels == labelled.labels);
    std::filesystem::remove(folder / "dataset.json");
    CHECK(fl::load_image_folder(folder.path()).labels == labelled.labels);
    CHECK(fl::load_image_folder(folder.path(), {.classes = 7}).classes == 7);
    write(folder, "labels.csv", "file,label\r\n\"a.png\",0\r\n./c.png,1\r\n\r\nbelow/../below/b.PNG,2");
    CHECK(fl::load_image_folder(folder.path()).labels == labelled.labels);
  }
}

TEST_CASE("Names with commas and quotes are read from either label file", "[image_folder]") {
  const TemporaryDirectory folder;
  fl::write_png(folder / "a, \"b\".png", pattern(4, 4, 1, 0));
  for (const char* line : {"a, \"b\".png,0", "\"a, \"\"b\"\".png\",0"}) {
    write(folder, "labels.csv", std::string("file,label\n") + line + "\n");
    CHECK(fl::load_image_folder(folder.path()).labels == std::vector<std::uint8_t>{0});
  }
  write(folder, "dataset.json", R"({"labels": [["a, \"b\".png", 0]]})");
  CHECK(fl::load_image_folder(folder.path()).classes == 1);
}

TEST_CASE("With a resolution pictures are padded and cropped about their centre", "[image_folder]") {
  const TemporaryDirectory folder;
  fl::write_png(folder / "a.png", pattern(2, 6, 1, 1));  // rows 1..6 and 7..12
  fl::write_png(folder / "b.png", pattern(4, 4, 1, 1));
  const fl::LabelledImages images = fl::load_image_folder(folder.path(), {.resolution = 4});
  CHECK(images.shape() == fl::ImageShape{1, 4, 4});
  CHECK(std::vector<std::uint8_t>(images.image(0).begin(), images.image(0).end()) == std::vector<std::uint8_t>{0, 0, 0, 0, 2, 3, 4, 5, 8, 9, 10, 11, 0, 0, 0, 0});
  CHECK(std::vector<std::uint8_t>(images.image(1).begin(), images.image(1).end()) == pattern(4, 4, 1, 1).pixels);
  const fl::LabelledImages odd = fl::load_image_folder(folder.path(), {.resolution = 3});
  CHECK(std::vector<std::uint8_t>(odd.image(0).begin(), odd.image(0).end()) == std::vector<std::uint8_t>{2, 3, 4, 8, 9, 10, 0, 0, 0});
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path()); }) == ErrorCode::shape_mismatch);
}

TEST_CASE("Label files that are broken or disagree are refused and named", "[image_folder]") {
  const auto malformed = ErrorCode::malformed_header, range = ErrorCode::label_out_of_range, inconsistent = ErrorCode::inconsistent_files;
  struct Case {
    const char* file;
    std::string text;
    ErrorCode code;
    const char* named;
  };
  const std::vector<Case> cases = {
      {"dataset.json", "", malformed, "dataset.json"},
      {"dataset.json", "[]", malformed, "dataset.json"},
      {"dataset.json", "{}", malformed, "dataset.json"},
      {"dataset.json", R"({"labels": 3})", malformed, "dataset.json"},
      {"dataset.json", R"({"labels": [], "labels": []})", malformed, "dataset.json"},
      {"dataset.json", R"({"labels": [["a.png"]]})", malformed, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 1.5]]})", malformed, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", [0, 1]]]})", malformed, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", "1"]]})", malformed, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", -1]]})", range, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 256]]})", range, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 18446744073709551615]]})", range, "a.png"},
      {"dataset.json", R"({"labels": []})", inconsistent, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0]]})", inconsistent, "below/b.PNG"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["d.png", 0]]})", inconsistent, "d.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["../a.png", 0]]})", inconsistent, "../a.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["notes.txt", 0]]})", inconsistent, "notes.txt"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["a.png", 1]]})", inconsistent, "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 3], ["below/b.PNG", 1]]})", inconsistent, "label 2"},
      {"labels.csv", "", malformed, "line 1"},
      {"labels.csv", "a.png,0\n", malformed, "line 1"},
      {"labels.csv", "file,label\na.png\n", malformed, "line 2"},
      {"labels.csv", "file,label\n,0\n", malformed, "line 2"},
      {"labels.csv", "file,label\na.png,\n", malformed, "line 2"},
      {"labels.csv", "file,label\na.png,1x\n", malformed, "line 2"},
      {"labels.csv", "file,label\na.png, 1\n", malformed, "line 2"},
      {"labels.csv", "file,label\n\na.png,1.0\n", malformed, "line 3"},
      {"labels.csv", "file,label\na.png,-2\n", range, "a.png"},
      {"labels.csv", "file,label\na.png,99999999999999999999\n", range, "a.png"},
      {"labels.csv", "file,label\n", inconsistent, "a.png"},
      {"labels.csv", "file,label\na.png,0\n", inconsistent, "below/b.PNG"},
  };
  for (const Case& one : cases) {
    INFO(one.file << ": " << one.text);
    const TemporaryDirectory folder;
    fill(folder);
    write(folder, one.file, one.text);
    const auto load = [&] { (void)fl::load_image_folder(folder.path()); };
    CHECK(error_code(load) == one.code);
    CHECK(error_text(load).find(one.named) != std::string::npos);
    CHECK(error_text(load).find('\n') == std::string::npos);
  }
  const TemporaryDirectory folder;
  fill(folder);
  write(folder, "dataset.json", good_json);
  write(folder, "labels.csv", "file,label\na.png,0\nc.png,2\n");
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path()); }) == inconsistent);
  std::filesystem::remove(folder / "labels.csv");
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path(), {.classes = 2}); }) == range);
  std::filesystem::create_directories(folder / "labels.csv");
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path()); }) == ErrorCode::cannot_open);
}

TEST_CASE("Pictures that cannot be read or do not fit together are refused and named", "[image_folder]") {
  const auto refused = [](const std::string& name, const std::function<void(const TemporaryDirectory&)>& spoil, const fl::ImageFolderOptions& options = {}) {
    const TemporaryDirectory folder;
    fill(folder);
    spoil(folder);
    const auto load = [&] { (void)fl::load_image_folder(folder.path(), options); };
    CHECK(error_text(load).find(name) != std::string::npos);
    return error_code(load);
  };
  CHECK(refused("c.png", [](const auto& folder) { fl::write_png(folder / "c.png", pattern(4, 4, 3, 0)); }) == ErrorCode::inconsistent_files);
  CHECK(refused("c.png", [](const auto& folder) { fl::write_png(folder / "c.png", pattern(8, 8, 1, 0)); }) == ErrorCode::inconsistent_files);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(4, 8, 1, 0)); }) == ErrorCode::shape_mismatch);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(6, 6, 1, 0)); }) == ErrorCode::shape_mismatch);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(2, 2, 1, 0)); }) == ErrorCode::shape_mismatch);
  CHECK(refused("b.PNG", [](const auto& folder) { write(folder, "below/b.PNG", "no picture"); }) == ErrorCode::bad_magic);
  CHECK(refused("b.PNG", [](const auto& folder) { std::filesystem::resize_file(folder / "below/b.PNG", 40); }) == ErrorCode::truncated);
  CHECK(refused("b.PNG", [](const auto& folder) {
          std::vector<std::byte> bytes = fl::read_file(folder / "below/b.PNG");
          bytes[24] = std::byte{16};  // bits per channel
          const auto crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + 12), 17);
          for (std::size_t i = 0; i < 4; ++i) bytes[29 + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
          fl::write_file_atomically(folder / "below/b.PNG", bytes);
        }) == ErrorCode::foreign_format);
  CHECK_FALSE(refused("", [](const auto&) {}, {.max_bytes = 48}));
  CHECK(refused("16 bytes", [](const auto&) {}, {.max_bytes = 47}) == ErrorCode::oversized);
  using Options = fl::ImageFolderOptions;
  for (const Options& options : {Options{.resolution = -1}, Options{.resolution = 4097}, Options{.classes = -1}, Options{.classes = 257}})
    CHECK(refused("load_image_folder", [](const auto&) {}, options) == ErrorCode::invalid_argument);
  CHECK(refused("links.png", [](const auto& folder) { std::filesystem::create_symlink("nowhere", folder / "links.png"); }) == ErrorCode::cannot_open);
  CHECK(refused("links.png", [](const auto& folder) { std::filesystem::create_symlink("links.png", folder / "links.png"); }) == ErrorCode::cannot_open);
}

TEST_CASE("A folder without pictures and a folder that is not there are told apart", "[image_folder]") {
  const TemporaryDirectory folder;
  write(folder, "notes.txt", "no picture");
  const auto load = [&] { (void)fl::load_image_folder(folder.path()); };
  CHECK(error_code(load) == ErrorCode::data_unavailable);
  CHECK(error_text(load).find(folder.path().string()) != std::string::npos);
  CHECK(error_code([&] { (void)fl::load_image_folder(folder / "absent"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::load_image_folder(folder / "notes.txt"); }) == ErrorCode::cannot_open);
  CHECK_FALSE(fl::has_png_pictures(folder.path()));
  CHECK_FALSE(fl::has_png_pictures(folder / "absent"));
}

TEST_CASE("Colour pictures are padded and corrupted plane by plane", "[image_folder]") {
  const TemporaryDirectory folder;
  fl::write_png(folder / "a.png", pattern(4, 4, 3, 10));
  const fl::LabelledImages images = fl::load_image_folder(folder.path());
  const fl::ImageBatch clean = fl::corrupted_images(images, 0, 1, {.mix = fl::CorruptionMix::none, .padding = 1});
  CHECK(clean.shape() == fl::ImageShape{3, 6, 6});
  for (std::int64_t c = 0; c < 3; ++c) {
    CHECK(clean.view()(0, c, 0, 0) == 0.0f);
    CHECK(clean.view()(0, c, 2, 3) == static_cast<float>(10 + (1 * 4 + 2) * 3 + c) / 255.0f);
  }
  const fl::ImageBatch batch = fl::corrupted_images(images, 0, 40, {.padding = 0});
  for (std::int64_t i = 0; i < 40; ++i) {
    const fl::CorruptionDraw draw = fl::draw_corruption(fl::CorruptionMix::independent, 0, i);
    if (draw.noise_severity > 0) continue;
    std::vector<float> plane(16);
    for (std::size_t p = 0; p < 16; ++p) plane[p] = static_cast<float>(images.image(0)[32 + p]) / 255.0f;  // blue alone
    fl::corrupt(plane, 4, 4, draw, 0, i);
    CHECK(std::equal(plane.begin(), plane.end(), batch.image(i).begin() + 32));
  }
}
