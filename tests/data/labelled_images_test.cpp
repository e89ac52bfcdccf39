// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Labelled sets of every kind: label files elsewhere, classes as folders, pictures of any one size, parts of a set.
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/labelled_images.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

/// Pictures of 3 rows and 5 columns, grey, filled with 10, 20, 30 ...
void fill(const TemporaryDirectory& folder, const std::vector<std::string>& names) {
  std::uint8_t value = 0;
  for (const std::string& name : names) {
    value = static_cast<std::uint8_t>(value + 10);
    std::filesystem::create_directories((folder / name).parent_path());
    fl::write_png(folder / name, {3, 5, 1, std::vector<std::uint8_t>(15, value)});
  }
}

void write(const TemporaryDirectory& folder, const std::string& name, std::string_view text) {
  fl::core::write_file_atomically(folder / name, text);
}

}  // namespace

TEST_CASE("Pictures in folders have those as classes", "[labelled_images]") {
  const TemporaryDirectory folder;
  fill(folder, {"dog/2.png", "cat/1.png", "cat/3.png"});
  const fl::LabelledImages pets = fl::load_labelled_images(folder.path());
  CHECK(pets.shape() == fl::ImageShape{1, 3, 5});
  CHECK(pets.classes == 2);
  CHECK(pets.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(pets.names == std::vector<std::string>{"cat/1.png", "cat/3.png", "dog/2.png"});
  CHECK(pets.labels == std::vector<std::uint8_t>{0, 0, 1});
  CHECK(pets.image(1)[0] == 30);
  CHECK(fl::load_labelled_images(folder.path(), {.classes = 5}).classes == 5);
  CHECK(error_code([&] { (void)fl::load_labelled_images(folder.path(), {.classes = 1}); }) ==
        ErrorCode::label_out_of_range);
  // A plain reader asks for squares, and takes no folder for a class
  CHECK(fl::load_image_folder(folder.path(), {.any_size = true}).classes == 0);
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path()); }) == ErrorCode::shape_mismatch);
  const fl::LabelledImages square = fl::load_labelled_images(folder.path(), {.resolution = 4});
  CHECK(square.shape() == fl::ImageShape{1, 4, 4});

  write(folder, "labels.csv", "file,label\ncat/1.png,1\ncat/3.png,2\ndog/2.png,0\n");  // a label file decides
  CHECK(fl::load_labelled_images(folder.path()).labels == std::vector<std::uint8_t>{1, 2, 0});
  CHECK(fl::load_labelled_images(folder.path()).class_names.empty());
}

TEST_CASE("Folders that are numbers are the classes of those numbers", "[labelled_images]") {
  const TemporaryDirectory folder;
  std::vector<std::string> names;
  for (int k = 0; k <= 10; ++k) names.push_back(std::to_string(k) + "/x.png");
  fill(folder, names);
  const fl::LabelledImages images = fl::load_labelled_images(folder.path());
  REQUIRE(images.count == 11);
  CHECK(images.class_names[10] == "10");
  for (std::int64_t i = 0; i < images.count; ++i)
    CHECK(images.image(i)[0] == 10 * (images.label(i) + 1));  // "10" comes after "1" among the paths
  std::filesystem::remove_all(folder / "4");
  CHECK(error_code([&] { (void)fl::load_labelled_images(folder.path()); }) == ErrorCode::inconsistent_files);
}

TEST_CASE("Folders that are no classes are refused", "[labelled_images]") {
  const auto refused = [](const std::vector<std::string>& names, const std::string& part) {
    const TemporaryDirectory folder;
    fill(folder, names);
    CHECK(error_code([&] { (void)fl::load_labelled_images(folder.path()); }) == ErrorCode::inconsistent_files);
    const std::string message = error_text([&] { (void)fl::load_labelled_images(folder.path()); });
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
  };
  refused({"a.png", "b.png"}, "'a.png' does not lie in the folder of its class");
  refused({"cat/a.png", "b.png"}, "'b.png'");
  refused({"train/cat/a.png", "train/dog/b.png", "test/cat/c.png"}, "'test/cat/c.png'");
  refused({"images/a.png", "images/b.png"}, "all pictures lie in the one folder 'images'");
  const TemporaryDirectory folder;
  fill(folder, {"cat/a.png", "dog/b.png"});
  write(folder, "dataset.json", R"({"labels": null})");  // which says that there are none
  CHECK(error_code([&] { (void)fl::load_labelled_images(folder.path()); }) == ErrorCode::inconsistent_files);
}

TEST_CASE("A label file may stand anywhere and be of any of the three kinds", "[labelled_images]") {
  const TemporaryDirectory folder, elsewhere;
  fill(folder, {"a.png", "b.png", "c.png"});
  write(folder, "labels.csv", "file,label\na.png,0\nb.png,0\nc.png,1\n");
  write(elsewhere, "truth.txt", "label,file\n1,a.png\n0,b.png\n2,c.png\n");
  write(elsewhere, "truth.json", R"({"labels": [["a.png", 1], ["b.png", 0], ["c.png", 2]]})");
  const std::string idx = idx_header({3}) + std::string("\1\0\2", 3);
  write(elsewhere, "truth", idx);
  write(elsewhere, "truth.gz", gzip(idx));
  for (const char* name : {"truth.txt", "truth.json", "truth", "truth.gz"}) {
    INFO(name);
    const fl::LabelledImages images = fl::load_labelled_images(folder.path(), {.labels = elsewhere / name});
    CHECK(images.labels == std::vector<std::uint8_t>{1, 0, 2});
    CHECK(images.classes == 3);
  }
  const auto code = [&](const std::string& name, std::int64_t classes = 0) {
    return error_code(
        [&] { (void)fl::load_labelled_images(folder.path(), {.labels = elsewhere / name, .classes = classes}); });
  };
  CHECK(code("truth", 2) == ErrorCode::label_out_of_range);
  CHECK(code("none.csv") == ErrorCode::cannot_open);
  write(elsewhere, "short", idx_header({2}) + std::string("\1\0", 2));
  CHECK(code("short") == ErrorCode::inconsistent_files);
  write(elsewhere, "square", idx_header({1, 3}) + std::string("\1\0\2", 3));
  CHECK(code("square") == ErrorCode::inconsistent_files);
  write(elsewhere, "cut", idx_header({3}) + std::string("\1", 1));
  CHECK(code("cut") == ErrorCode::truncated);
  write(elsewhere, "few.csv", "file,label\na.png,0\n");
  CHECK(code("few.csv") == ErrorCode::inconsistent_files);
}

TEST_CASE("IDX files are read as a labelled set and bring all that there is", "[labelled_images]") {
  const std::filesystem::path segments = std::filesystem::path(FAULTLINE_SOURCE_DIR) / "tests/fixtures/segments";
  const fl::LabelledImages test = fl::load_labelled_images(segments),
                           train = fl::load_labelled_images(segments, {.part = fl::MnistPart::train});
  CHECK(test.count == 80);
  CHECK(train.count == 160);
  CHECK(test.names.empty());
  CHECK(test.classes == 10);
  CHECK(error_code([&] { (void)fl::load_labelled_images(segments, {.labels = "x.csv"}); }) ==
        ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)fl::load_labelled_images(segments, {.resolution = 32}); }) ==
        ErrorCode::invalid_argument);
}

TEST_CASE("A part of a set keeps pixels, labels and names together", "[labelled_images]") {
  const TemporaryDirectory folder;
  fill(folder, {"cat/a.png", "dog/b.png", "dog/c.png"});
  const fl::LabelledImages all = fl::load_labelled_images(folder.path());
  const std::vector<std::int64_t> positions = {2, 0, 2};
  const fl::LabelledImages part = fl::select_images(all, positions);
  CHECK(part.count == 3);
  CHECK(part.shape() == all.shape());
  CHECK(part.classes == 2);
  CHECK(part.class_names == all.class_names);
  CHECK(part.labels == std::vector<std::uint8_t>{1, 0, 1});
  CHECK(part.names == std::vector<std::string>{"dog/c.png", "cat/a.png", "dog/c.png"});
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto own = part.image(i), from = all.image(positions[static_cast<std::size_t>(i)]);
    CHECK(std::equal(own.begin(), own.end(), from.begin(), from.end()));
  }
  CHECK(fl::select_images(all, {}).count == 0);
  for (const std::int64_t outside : {std::int64_t{-1}, std::int64_t{3}})
    CHECK(error_code([&] { (void)fl::select_images(all, std::vector{outside}); }) == ErrorCode::invalid_argument);
}
