// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folders of PNG pictures: what they hold, and every way in which folder, labels and pictures can disagree.
#include <faultline/core/atomic_file.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/image_folder.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>

#include <array>
#include <filesystem>
#include <functional>

#include <sys/stat.h>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

fl::Picture pattern(std::int64_t height, std::int64_t width, int channels, int first) {
  fl::Picture picture{height, width, channels,
                      std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * channels))};
  for (std::size_t i = 0; i < picture.pixels.size(); ++i)
    picture.pixels[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(first) + i);
  return picture;
}

/// a.png, below/b.PNG and c.png of 4x4 pixels, and files that are no pictures.
void fill(const TemporaryDirectory& folder, int channels = 1) {
  std::filesystem::create_directories(folder / "below");
  fl::write_png(folder / "a.png", pattern(4, 4, channels, 0));
  fl::write_png(folder / "below/b.PNG", pattern(4, 4, channels, 100));
  fl::write_png(folder / "c.png", pattern(4, 4, channels, 200));
  fl::core::write_file_atomically(folder / "notes.txt", std::string_view("no picture"));
}

void write(const TemporaryDirectory& folder, const std::string& name, std::string_view text) {
  fl::core::write_file_atomically(folder / name, text);
}

constexpr const char* good_json = R"({"labels": [["c.png", 1], ["a.png", 0], ["below/b.PNG", 2]]})";
constexpr const char* good_csv = "file,label\nc.png,1\na.png,0\nbelow/b.PNG,2\n";

}  // namespace

TEST_CASE("A folder of pictures is read in the order of paths, with or without labels", "[image_folder]") {
  for (const int channels : {1, 3}) {
    const TemporaryDirectory folder;
    fill(folder, channels);
    CHECK(fl::image_set_kind(folder.path()) == fl::ImageSetKind::png_pictures);
    const fl::LabelledImages plain = fl::load_image_folder(folder.path());
    CHECK(plain.count == 3);
    CHECK(plain.shape() == fl::ImageShape{channels, 4, 4});
    CHECK(plain.classes == 0);
    CHECK(plain.labels.empty());
    const std::array<int, 3> first = {0, 100, 200};
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        for (std::size_t p = 0; p < 16; ++p)
          REQUIRE(plain.image(static_cast<std::int64_t>(i))[c * 16 + p] ==
                  static_cast<std::uint8_t>(static_cast<std::size_t>(first[i]) +
                                            p * static_cast<std::size_t>(channels) + c));

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

TEST_CASE("A table of labels is read as spreadsheets and scripts write it", "[image_folder]") {
  const TemporaryDirectory folder;
  fill(folder);
  const std::vector<std::string> tables = {
      "\xef\xbb\xbf"
      "file,label\r\na.png,0\r\nbelow/b.PNG,2\r\nc.png,1\r\n",
      "\xef\xbb\xbf"
      "\"file\",\"label\"\n\"a.png\",\"0\"\n\"below/b.PNG\",\"2\"\n\"c.png\",\"1\"",
      "label,file\n0,a.png\n2,below/b.PNG\n1,c.png\n",
      "File , Label\n a.png , 0\n\tbelow/b.PNG\t,\t2\n \"c.png\" ,1 \n\n  \n",
      "file,label\ra.png,0\rbelow/b.PNG,2\rc.png,1\r",
      "\nfile,label\na.png,000\nbelow/b.PNG,02\nc.png,1\na.png,0\n\r\n\r\n",
  };
  for (const std::string& table : tables) {
    INFO(table);
    write(folder, "labels.csv", table);
    CHECK(fl::load_image_folder(folder.path()).labels == std::vector<std::uint8_t>{0, 2, 1});
  }
  std::filesystem::remove(folder / "labels.csv");
  write(folder, "dataset.json", std::string("\xef\xbb\xbf") + good_json);
  CHECK(fl::load_image_folder(folder.path()).labels == std::vector<std::uint8_t>{0, 2, 1});
  std::filesystem::remove(folder / "dataset.json");
  fl::write_png(folder / " d\n\"e\", f.png ", pattern(4, 4, 1, 0));
  std::filesystem::rename(folder / " d\n\"e\", f.png ", folder / " d\n\"e\", f.png");
  write(folder, "labels.csv", "file,label\nbelow/b.PNG,2\n\" d\n\"\"e\"\", f.png\",3\na.png,0\nc.png,1\n");
  CHECK(fl::load_image_folder(folder.path()).labels == std::vector<std::uint8_t>{3, 0, 2, 1});
}

TEST_CASE("Names with commas and quotes are read from either label file", "[image_folder]") {
  const TemporaryDirectory folder;
  fl::write_png(folder / "a, \"b\".png", pattern(4, 4, 1, 0));
  write(folder, "labels.csv", "file,label\n\"a, \"\"b\"\".png\",0\n");
  CHECK(fl::load_image_folder(folder.path()).labels == std::vector<std::uint8_t>{0});
  std::filesystem::remove(folder / "labels.csv");
  write(folder, "dataset.json", R"({"labels": [["a, \"b\".png", 0]]})");
  CHECK(fl::load_image_folder(folder.path()).classes == 1);
}

TEST_CASE("With a resolution pictures are padded and cropped about their centre", "[image_folder]") {
  const TemporaryDirectory folder;
  fl::write_png(folder / "a.png", pattern(2, 6, 1, 1));  // rows 1..6 and 7..12
  fl::write_png(folder / "b.png", pattern(4, 4, 1, 1));
  const fl::LabelledImages images = fl::load_image_folder(folder.path(), {.resolution = 4});
  CHECK(images.shape() == fl::ImageShape{1, 4, 4});
  CHECK(std::vector<std::uint8_t>(images.image(0).begin(), images.image(0).end()) ==
        std::vector<std::uint8_t>{0, 0, 0, 0, 2, 3, 4, 5, 8, 9, 10, 11, 0, 0, 0, 0});
  CHECK(std::vector<std::uint8_t>(images.image(1).begin(), images.image(1).end()) == pattern(4, 4, 1, 1).pixels);
  const fl::LabelledImages odd = fl::load_image_folder(folder.path(), {.resolution = 3});
  CHECK(std::vector<std::uint8_t>(odd.image(0).begin(), odd.image(0).end()) ==
        std::vector<std::uint8_t>{2, 3, 4, 8, 9, 10, 0, 0, 0});
  CHECK(error_code([&] { (void)fl::load_image_folder(folder.path()); }) == ErrorCode::shape_mismatch);
}

TEST_CASE("Label files that are broken or disagree are refused and named", "[image_folder]") {
  const auto malformed = ErrorCode::malformed_header, range = ErrorCode::label_out_of_range,
             inconsistent = ErrorCode::inconsistent_files;
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
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["d.png", 0]]})", inconsistent,
       "d.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["../a.png", 0]]})", inconsistent,
       "../a.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["notes.txt", 0]]})",
       inconsistent, "notes.txt"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 0], ["below/b.PNG", 0], ["a.png", 1]]})", inconsistent,
       "a.png"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 3], ["below/b.PNG", 1]]})", inconsistent, "label 2"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 1.0]]})", malformed,
       R"(entry 2 of 'labels': expected a pair ["file.png", class] with a whole number from 0 to 255)"},
      {"dataset.json", R"({"labels": [["a.png", 0], ["c.png", 300]]})", range,
       "dataset.json' gives 'c.png' the label 300, expected 0 to 255"},
      {"dataset.json", R"({"labels": [["below\\b.PNG", 0]]})", inconsistent,
       "paths are written with '/', as in 'below/b.PNG'"},
      {"dataset.json", R"({"labels": [["/data/a.png", 0]]})", inconsistent, "paths are relative to the folder"},
      {"dataset.json", R"({"labels": [["._a.png", 0]]})", inconsistent, "are skipped"},
      {"labels.csv", "", malformed, "line 1: expected the columns 'file' and 'label', got an empty file"},
      {"labels.csv", "\xef\xbb\xbf", malformed, "line 1"},
      {"labels.csv", "\n\na.png,0\n", malformed,
       "line 3: expected the columns 'file' and 'label' and a comma between them, got 'a.png', '0'"},
      {"labels.csv", "file;label\na.png;0\n", malformed, "got 'file;label'"},
      {"labels.csv", "file\tlabel\na.png\t0\n", malformed, "got 'file\\x09label'"},
      {"labels.csv", "file,label,split\na.png,0,train\n", malformed, "got 'file', 'label', 'split'"},
      {"labels.csv", "file,file\na.png,0\n", malformed, "got 'file', 'file'"},
      {"labels.csv",
       std::string("\xff\xfe"
                   "f\0i\0l\0e\0",
                   10),
       malformed, "UTF-16"},
      {"labels.csv", "file,label\na.png\n", malformed, "line 2: expected a file and a class, got 1 field: 'a.png'"},
      {"labels.csv", "file,label\na, b.png,0\n", malformed,
       "line 2: expected a file and a class, got 3 fields: 'a', 'b.png', '0'; a name with a comma has to be put in "
       "double quotes"},
      {"labels.csv", "file,label\n,0\n", malformed, "line 2: expected a file beside the class '0'"},
      {"labels.csv", "file,label\na.png,\n", malformed,
       "line 2: expected a whole number from 0 to 255 as class of 'a.png', got ''"},
      {"labels.csv", "file,label\na.png,1x\n", malformed, "got '1x'"},
      {"labels.csv", "file,label\na.png,+1\n", malformed, "got '+1'"},
      {"labels.csv", "file,label\na.png,1 2\n", malformed, "got '1 2'"},
      {"labels.csv", "file,label\na.png,0x1\n", malformed, "got '0x1'"},
      {"labels.csv", "file,label\n\na.png,1.0\n", malformed,
       "line 3: expected a whole number from 0 to 255 as class of 'a.png', got '1.0'"},
      {"labels.csv", "file,label\n\"a.png,1\n\nb.png,2\n", malformed, "line 2: a double quote is not closed"},
      {"labels.csv", "file,label\n\"a.png\"x,1\n", malformed,
       "line 2: expected a comma or the end of the line after 'a.png' in double quotes, got 'x'"},
      {"labels.csv", "file,label\na.png,-2\n", range, "line 2 of '"},
      {"labels.csv", "file,label\na.png,-2\n", range, "labels.csv' gives 'a.png' the label '-2', expected 0 to 255"},
      {"labels.csv", "file,label\na.png,256\n", range, "the label '256'"},
      {"labels.csv", "file,label\na.png,99999999999999999999\n", range, "the label '99999999999999999999'"},
      {"labels.csv", "file,label\na.png,18446744073709551616\n", range, "a.png"},
      {"labels.csv", "file,label\na.png,0\r\n./a.png,1\r\n", inconsistent, "line 3 of '"},
      {"labels.csv", "label,file\n0,a.png\n0,d.png\n", inconsistent, "line 3 of '"},
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
  const auto refused = [](const std::string& name, const std::function<void(const TemporaryDirectory&)>& spoil,
                          const fl::data::ImageFolderOptions& options = {}) {
    const TemporaryDirectory folder;
    fill(folder);
    spoil(folder);
    const auto load = [&] { (void)fl::load_image_folder(folder.path(), options); };
    CHECK(error_text(load).find(name) != std::string::npos);
    return error_code(load);
  };
  CHECK(refused("c.png", [](const auto& folder) { fl::write_png(folder / "c.png", pattern(4, 4, 3, 0)); }) ==
        ErrorCode::inconsistent_files);
  CHECK(refused("c.png", [](const auto& folder) { fl::write_png(folder / "c.png", pattern(8, 8, 1, 0)); }) ==
        ErrorCode::inconsistent_files);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(4, 8, 1, 0)); }) ==
        ErrorCode::shape_mismatch);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(6, 6, 1, 0)); }) ==
        ErrorCode::shape_mismatch);
  CHECK(refused("a.png", [](const auto& folder) { fl::write_png(folder / "a.png", pattern(2, 2, 1, 0)); }) ==
        ErrorCode::shape_mismatch);
  CHECK(refused("b.PNG", [](const auto& folder) { write(folder, "below/b.PNG", "no picture"); }) ==
        ErrorCode::bad_magic);
  CHECK(refused("b.PNG", [](const auto& folder) { std::filesystem::resize_file(folder / "below/b.PNG", 40); }) ==
        ErrorCode::truncated);
  CHECK(refused("b.PNG", [](const auto& folder) {
          std::vector<std::byte> bytes = fl::core::read_file(folder / "below/b.PNG");
          bytes[24] = std::byte{16};  // bits per channel
          const auto crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + 12), 17);
          for (std::size_t i = 0; i < 4; ++i) bytes[29 + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
          fl::core::write_file_atomically(folder / "below/b.PNG", bytes);
        }) == ErrorCode::foreign_format);
  CHECK_FALSE(refused("", [](const auto&) {}, {.max_bytes = 48}));
  CHECK(refused("16 bytes", [](const auto&) {}, {.max_bytes = 47}) == ErrorCode::oversized);
  using Options = fl::data::ImageFolderOptions;
  for (const Options& options : {Options{.resolution = -1}, Options{.resolution = 4097}, Options{.classes = -1},
                                 Options{.classes = 257}, Options{.max_bytes = 0}, Options{.max_bytes = -1}})
    CHECK(refused(
              "load_image_folder", [](const auto&) {}, options) == ErrorCode::invalid_argument);
  CHECK(refused("links.png", [](const auto& folder) {
          std::filesystem::create_symlink("nowhere", folder / "links.png");
        }) == ErrorCode::cannot_open);
  CHECK(refused("links.png", [](const auto& folder) {
          std::filesystem::create_symlink("links.png", folder / "links.png");
        }) == ErrorCode::cannot_open);
}

TEST_CASE("A folder without pictures and a folder that is not there are told apart", "[image_folder]") {
  const TemporaryDirectory folder;
  write(folder, "notes.txt", "no picture");
  const auto load = [&] { (void)fl::load_image_folder(folder.path()); };
  CHECK(error_code(load) == ErrorCode::data_unavailable);
  CHECK(error_text(load).find(folder.path().string()) != std::string::npos);
  CHECK(error_code([&] { (void)fl::load_image_folder(folder / "absent"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::load_image_folder(folder / "notes.txt"); }) == ErrorCode::cannot_open);
  CHECK(error_code([&] { (void)fl::image_set_kind(folder.path()); }) == ErrorCode::data_unavailable);
  CHECK(error_code([&] { (void)fl::image_set_kind(folder / "absent"); }) == ErrorCode::cannot_open);
}

TEST_CASE("What begins with a dot, what systems leave behind and what is there to be read by people is skipped",
          "[image_folder]") {
  const TemporaryDirectory folder;
  fill(folder);
  const fl::LabelledImages before = fl::load_image_folder(folder.path());
  for (const char* name : {".ipynb_checkpoints", ".Trash-1000", ".thumbnails", "below/.git", "__MACOSX", "below/@eaDir",
                           "$RECYCLE.BIN", "System Volume Information", "lost+found"}) {
    std::filesystem::create_directories(folder / name);
    fl::write_png(folder / name / "other.png", pattern(8, 8, 3, 0));
    write(folder, std::string(name) + "/broken.png", "no picture");
    write(folder, std::string(name) + "/photo.jpg", "no picture");
  }
  for (const char* name :
       {"._a.png", "below/._b.PNG", ".DS_Store", ".hidden", "Thumbs.db", "below/thumbs.db", "desktop.ini", "README",
        "README.md", "LICENSE", "LICENCE.txt", "below/citation.cff", "a.png~", "labels.csv~", "paper.pdf"}) {
    write(folder, name, "no picture");
  }
  std::filesystem::create_symlink("user@host.1234", folder / ".#labels.csv");  // an editor's lock
  const fl::LabelledImages after = fl::load_image_folder(folder.path());
  CHECK(after.count == 3);
  CHECK(after.pixels == before.pixels);
  CHECK(fl::image_set_kind(folder.path()) == fl::ImageSetKind::png_pictures);
  // The folder's own name, and those above it, may begin with a dot.
  std::filesystem::rename(folder / "below", folder / ".cache");
  CHECK(fl::load_image_folder(folder / ".cache").count == 1);
}

TEST_CASE("A file that is neither read nor skipped is refused by name", "[image_folder]") {
  for (const char* name : {"photo.jpg", "below/photo.JPEG", "a.webp", "scan.tiff", "picture", "a.png.part", "a.png.gz",
                           "pictures.zip", "model.safetensors", "make.py", "train-images-idx3-ubyte.gz"}) {
    INFO(name);
    const TemporaryDirectory folder;
    fill(folder);
    write(folder, name, "no picture");
    const auto load = [&] { (void)fl::load_image_folder(folder.path()); };
    CHECK(error_code(load) == (std::string(name).find("idx") == std::string::npos ? ErrorCode::foreign_format
                                                                                  : ErrorCode::inconsistent_files));
    CHECK(error_text(load).find(name) != std::string::npos);
    CHECK(error_text(load).find("png") != std::string::npos);
  }
}

TEST_CASE("A table that may hold labels is not passed over", "[image_folder]") {
  for (const char* name : {"below/labels.csv", "Labels.csv", "labels.txt", "label.csv", "below/dataset.json",
                           "annotations.json", "train.tsv"}) {
    INFO(name);
    const TemporaryDirectory folder;
    fill(folder);
    write(folder, name, good_csv);
    const auto load = [&] { return fl::load_image_folder(folder.path()); };
    CHECK(error_code([&] { (void)load(); }) == ErrorCode::foreign_format);
    CHECK(error_text([&] { (void)load(); })
              .find("'" + (folder / name).string() +
                    "' is not read: labels are read from 'labels.csv' or 'dataset.json'") != std::string::npos);
    write(folder, "dataset.json", R"({"labels": null})");  // says that there are none
    CHECK(load().classes == 0);
    std::filesystem::remove(folder / "dataset.json");
    write(folder, "labels.csv", good_csv);
    CHECK(load().classes == 3);
  }
}

TEST_CASE("Links to folders and files are followed, those that lead nowhere or in circles are named",
          "[image_folder]") {
  const TemporaryDirectory elsewhere;
  fl::write_png(elsewhere / "one.png", pattern(4, 4, 1, 50));
  std::filesystem::create_directories(elsewhere / "deep");
  fl::write_png(elsewhere / "deep/two.png", pattern(4, 4, 1, 60));
  write(elsewhere, "table.csv",
        "file,label\na.png,0\nbelow/b.PNG,1\nc.png,2\nclass/one.png,3\nclass/deep/two.png,4\nsingle.png,5\n");
  const auto spoiled = [&](const std::filesystem::path& target, const std::string& name, bool into_folder = false) {
    const TemporaryDirectory folder;
    fill(folder);
    if (into_folder) std::filesystem::create_directory_symlink(target, folder / name);
    else std::filesystem::create_symlink(target, folder / name);
    const auto load = [&] { (void)fl::load_image_folder(folder.path()); };
    CHECK(error_text(load).find((folder / name).string()) != std::string::npos);
    return error_code(load);
  };
  const TemporaryDirectory folder;
  fill(folder);
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "class");
  std::filesystem::create_symlink(elsewhere / "one.png", folder / "single.png");
  std::filesystem::create_symlink(elsewhere / "table.csv", folder / "labels.csv");
  std::filesystem::rename(elsewhere / "table.csv", elsewhere / ".table.csv");
  std::filesystem::remove(folder / "labels.csv");
  std::filesystem::create_symlink(elsewhere / ".table.csv", folder / "labels.csv");
  const fl::LabelledImages images = fl::load_image_folder(folder.path());
  CHECK(images.count == 6);
  CHECK(images.labels == std::vector<std::uint8_t>{0, 1, 2, 4, 3, 5});
  CHECK(images.image(3)[0] == 60);
  CHECK(images.image(4)[0] == 50);
  CHECK(images.image(5)[0] == 50);
  const TemporaryDirectory link;
  std::filesystem::create_directory_symlink(folder.path(), link / "set");
  CHECK(fl::load_image_folder(link / "set").pixels == images.pixels);

  CHECK(spoiled("nowhere.png", "d.png") == ErrorCode::cannot_open);
  CHECK(spoiled("nowhere", "class") == ErrorCode::cannot_open);
  CHECK(spoiled("d.png", "d.png") == ErrorCode::cannot_open);
  CHECK(spoiled("nowhere.csv", "labels.csv") == ErrorCode::cannot_open);
  CHECK(spoiled("/dev/zero", "d.png") == ErrorCode::cannot_open);
  CHECK(mkfifo((folder / "pipe.png").c_str(), 0600) == 0);  // reading it would wait for ever
  CHECK(error_text([&] {
          (void)fl::load_image_folder(folder.path());
        }).find("pipe.png' is neither a file nor a folder") != std::string::npos);
  CHECK(spoiled(".", "again", true) == ErrorCode::cannot_open);
  CHECK(spoiled("..", "again", true) == ErrorCode::cannot_open);
  CHECK(spoiled("/", "again", true) == ErrorCode::cannot_open);
  CHECK(spoiled("../below", "below/again", true) == ErrorCode::cannot_open);
  const TemporaryDirectory crossed;
  std::filesystem::create_directories(crossed / "one");
  std::filesystem::create_directories(crossed / "two");
  std::filesystem::create_directory_symlink("../two", crossed / "one/two");
  std::filesystem::create_directory_symlink("../one", crossed / "two/one");
  fl::write_png(crossed / "one/a.png", pattern(4, 4, 1, 0));
  CHECK(error_code([&] { (void)fl::load_image_folder(crossed.path()); }) == ErrorCode::cannot_open);
}

TEST_CASE("Which kind of data set a folder holds is told from its files, and never guessed", "[image_folder]") {
  const auto kind = [](const TemporaryDirectory& folder) { return fl::image_set_kind(folder.path()); };
  const auto text = [&](const TemporaryDirectory& folder) { return error_text([&] { (void)kind(folder); }); };
  const TemporaryDirectory folder;
  CHECK(error_code([&] { (void)kind(folder); }) == ErrorCode::data_unavailable);
  write(folder, "photo.jpg", "");
  CHECK(text(folder).find("photo.jpg") != std::string::npos);
  for (const char* name : {"train-images-idx3-ubyte.gz", "train-labels.idx1-ubyte", "t10k-images-idx3-ubyte",
                           "t10k-labels-idx1-ubyte", "README.md", "._a.png", "Thumbs.db"})
    write(folder, name, "");
  CHECK(kind(folder) == fl::ImageSetKind::idx_files);
  std::filesystem::create_directories(folder / "figures");
  for (const char* stray : {"stray.png", "figures/stray.PNG"}) {
    fl::write_png(folder / stray, pattern(4, 4, 1, 0));
    CHECK(error_code([&] { (void)kind(folder); }) == ErrorCode::inconsistent_files);
    CHECK(text(folder).find(stray) != std::string::npos);
    CHECK(text(folder).find("t10k-images-idx3-ubyte") != std::string::npos);
    std::filesystem::remove(folder / stray);
  }
  CHECK(kind(folder) == fl::ImageSetKind::idx_files);
  const TemporaryDirectory above;
  std::filesystem::create_directories(above / "MNIST/raw");
  write(above, "MNIST/raw/train-images-idx3-ubyte", "");
  CHECK(error_code([&] { (void)kind(above); }) == ErrorCode::data_unavailable);
  CHECK(text(above).find("'" + (above / "MNIST/raw").string() + "' holds IDX files; name that folder") !=
        std::string::npos);
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
    const fl::data::CorruptionDraw draw = fl::data::draw_corruption(fl::CorruptionMix::independent, 0, i);
    if (draw.noise_severity > 0) continue;
    std::vector<float> plane(16);
    for (std::size_t p = 0; p < 16; ++p) plane[p] = static_cast<float>(images.image(0)[32 + p]) / 255.0f;  // blue alone
    fl::data::corrupt(plane, 4, 4, draw, 0, i);
    CHECK(std::equal(plane.begin(), plane.end(), batch.image(i).begin() + 32));
  }
}
