// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/atomic_file.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/data/mnist.hpp>

#include <data/malformed.hpp>
#include <support/catch2.hpp>
#include <support/skip.hpp>

#include <cstdlib>
#include <optional>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;
using fl::MnistPart;

namespace {

/// Writes a complete little set: three training images, two test images, 2 x 4 pixels.
void write_set(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  fl::core::write_file_atomically(directory / "train-images-idx3-ubyte.gz",
                                  gzip(idx_header({3, 2, 4}) + "abcdefghijklmnopqrstuvwx"));
  fl::core::write_file_atomically(directory / "train-labels-idx1-ubyte.gz", gzip(idx_header({3}) + "\3\1\11"));
  fl::core::write_file_atomically(directory / "t10k-images-idx3-ubyte", idx_header({2, 2, 4}) + "ABCDEFGHIJKLMNOP");
  fl::core::write_file_atomically(directory / "t10k-labels-idx1-ubyte", idx_header({2}) + std::string("\0\5", 2));
}

/// Sets environment variables and working directory for a scope.
class Surroundings {
 public:
  Surroundings() : directory_(std::filesystem::current_path()) {
    for (const char* name : names) {
      const char* value = std::getenv(name);
      values_.push_back(value != nullptr ? std::optional<std::string>(value) : std::nullopt);
      unsetenv(name);
    }
  }
  ~Surroundings() {
    for (std::size_t i = 0; i < values_.size(); ++i)
      values_[i] ? setenv(names[i], values_[i]->c_str(), 1) : unsetenv(names[i]);
    std::filesystem::current_path(directory_);
  }

 private:
  static constexpr const char* names[] = {"FAULTLINE_MNIST_DIR", "FAULTLINE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
  std::vector<std::optional<std::string>> values_;
  std::filesystem::path directory_;
};

}  // namespace

TEST_CASE("A set is read from plain and packed files", "[mnist]") {
  const TemporaryDirectory directory;
  write_set(directory.path());
  const fl::LabelledImages train = fl::load_mnist(directory.path(), MnistPart::train);
  CHECK(train.count == 3);
  CHECK(train.shape() == fl::ImageShape{1, 2, 4});
  CHECK(train.classes == 10);
  CHECK(train.label(2) == 9);
  CHECK(std::string(train.image(1).begin(), train.image(1).end()) == "ijklmnop");
  const fl::LabelledImages test = fl::load_mnist(directory.path(), MnistPart::test);
  CHECK(test.count == 2);
  CHECK(test.label(1) == 5);
}

TEST_CASE("Files that do not belong together are refused", "[mnist]") {
  const TemporaryDirectory directory;
  const auto images = directory / "t10k-images-idx3-ubyte";
  const auto labels = directory / "t10k-labels-idx1-ubyte";
  const auto load = [&] { (void)fl::load_mnist(directory.path(), MnistPart::test); };
  CHECK(error_code(load) == ErrorCode::data_unavailable);
  write_set(directory.path());
  CHECK(error_code(load) == std::nullopt);

  fl::core::write_file_atomically(labels, idx_header({3}) + "\1\2\3");
  CHECK(error_code(load) == ErrorCode::inconsistent_files);
  CHECK(error_text(load).find("2 images but 3 labels: '" + images.string() + "' and '" + labels.string() + "'") !=
        std::string::npos);
  fl::core::write_file_atomically(labels, idx_header({2}) + "\1\12");
  CHECK(error_code(load) == ErrorCode::label_out_of_range);
  CHECK(error_text(load).find("'" + labels.string() + "': image 1 of 2 has the label 10, expected 0 to 9") !=
        std::string::npos);
  fl::core::write_file_atomically(labels, idx_header({2, 1}) + "\1\2");
  CHECK(error_code(load) == ErrorCode::inconsistent_files);
  fl::core::write_file_atomically(labels, idx_header({2, 2, 4}) + "ABCDEFGHIJKLMNOP");  // images in place of labels
  CHECK(error_code(load) == ErrorCode::inconsistent_files);
  CHECK(error_text(load).find("expected '" + labels.string() + "' to hold labels [N], got an array [2, 2, 4]") !=
        std::string::npos);
  fl::core::write_file_atomically(labels, idx_header({2}) + "\1");
  CHECK(error_code(load) == ErrorCode::truncated);
  fl::core::write_file_atomically(labels, idx_header({0}));
  fl::core::write_file_atomically(images, idx_header({0, 2, 4}));
  CHECK(error_code(load) == ErrorCode::inconsistent_files);
  std::filesystem::remove(labels);
  CHECK(error_code(load) == ErrorCode::data_unavailable);
}

TEST_CASE("The names of every mirror are read, and two forms of one file must agree", "[mnist]") {
  const TemporaryDirectory directory;
  write_set(directory.path());
  const auto load = [&] { return fl::load_mnist(directory.path(), MnistPart::test); };
  const std::string bytes = idx_header({2}) + std::string("\0\5", 2);
  const auto labels = directory / "t10k-labels-idx1-ubyte";
  std::filesystem::rename(directory / "t10k-images-idx3-ubyte", directory / "t10k-images.idx3-ubyte");
  std::filesystem::create_directory(directory / "t10k-images-idx3-ubyte");  // some archives unpack to such folders
  CHECK(load().image(1)[0] == 'I');
  for (const char* other : {"t10k-labels-idx1-ubyte.gz", "t10k-labels.idx1-ubyte", "t10k-labels.idx1-ubyte.gz"}) {
    INFO(other);
    fl::core::write_file_atomically(directory / other, gzip(bytes));
    CHECK(load().label(1) == 5);
    fl::core::write_file_atomically(directory / other, gzip(idx_header({2}) + "\1\2"));
    CHECK(error_code([&] { (void)load(); }) == ErrorCode::inconsistent_files);
    CHECK(error_text([&] {
            (void)load();
          }).find("'" + labels.string() + "' and '" + (directory / other).string() + "'") != std::string::npos);
    std::filesystem::remove(labels);
    CHECK(load().label(1) == 2);
    std::filesystem::remove(directory / other);
    fl::core::write_file_atomically(labels, bytes);
  }
}

TEST_CASE("Links to files are followed and a link to nowhere is named", "[mnist]") {
  const TemporaryDirectory directory;
  write_set(directory / "real");
  std::filesystem::create_directory(directory / "linked");
  for (const std::string& name : {std::string("t10k-images-idx3-ubyte"), std::string("t10k-labels-idx1-ubyte")})
    std::filesystem::create_symlink("../real/" + name, directory / "linked" / name);
  const auto load = [&] { return fl::load_mnist(directory / "linked", MnistPart::test); };
  CHECK(load().count == 2);
  std::filesystem::remove(directory / "real" / "t10k-labels-idx1-ubyte");
  CHECK(error_code([&] { (void)load(); }) == ErrorCode::cannot_open);
  CHECK(error_text([&] {
          (void)load();
        }).find("t10k-labels-idx1-ubyte' is a link to '../real/t10k-labels-idx1-ubyte', where there is no file") !=
        std::string::npos);
}

TEST_CASE("The data directory is found in the documented order", "[mnist]") {
  const TemporaryDirectory directory;
  const Surroundings restored;
  std::filesystem::create_directories(directory / "project");
  std::filesystem::current_path(directory / "project");
  CHECK(error_code([] { (void)fl::find_mnist(); }) == ErrorCode::data_unavailable);
  CHECK(error_text([] { (void)fl::find_mnist(); }).find("FAULTLINE_MNIST_DIR") != std::string::npos);

  // From the last place to the first, so that each one has to win over those below it.
  setenv("HOME", (directory / "home").c_str(), 1);
  write_set(directory.path() / "home" / ".cache" / "faultline" / "mnist");
  CHECK(fl::find_mnist() == directory.path() / "home" / ".cache" / "faultline" / "mnist");
  setenv("XDG_CACHE_HOME", (directory / "xdg").c_str(), 1);
  write_set(directory.path() / "xdg" / "faultline" / "mnist");
  CHECK(fl::find_mnist() == directory.path() / "xdg" / "faultline" / "mnist");
  setenv("FAULTLINE_CACHE_DIR", (directory / "cache").c_str(), 1);
  write_set(directory.path() / "cache" / "mnist");
  CHECK(fl::find_mnist() == directory.path() / "cache" / "mnist");
  write_set("data/mnist");
  CHECK(fl::find_mnist() == "data/mnist");
  write_set("../shared/data/mnist");
  CHECK(fl::find_mnist() == "../shared/data/mnist");
  setenv("FAULTLINE_MNIST_DIR", (directory / "mine").c_str(), 1);
  // a wrong choice is not silently replaced by another
  CHECK(error_code([] { (void)fl::find_mnist(); }) == ErrorCode::data_unavailable);
  write_set(directory.path() / "mine");
  CHECK(fl::find_mnist() == directory.path() / "mine");
  std::filesystem::remove(directory.path() / "mine" / "t10k-labels-idx1-ubyte");
  CHECK(error_code([] { (void)fl::find_mnist(); }) == ErrorCode::data_unavailable);
}

TEST_CASE("The real MNIST is the known one", "[.data]") {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(FAULTLINE_SOURCE_DIR);
  std::filesystem::path directory;
  try {
    directory = std::filesystem::absolute(fl::find_mnist());
  } catch (const fl::Error& error) {
    if (error.code() != fl::ErrorCode::data_unavailable) throw;
    skip_program(error.what());
  }
  std::filesystem::current_path(before);
  const fl::LabelledImages train = fl::load_mnist(directory, MnistPart::train);
  const fl::LabelledImages test = fl::load_mnist(directory, MnistPart::test);
  CHECK(train.count == 60'000);
  CHECK(test.count == 10'000);
  CHECK(train.shape() == fl::ImageShape{1, 28, 28});
  CHECK(train.label(0) == 5);
  CHECK(test.label(0) == 7);
  fl::core::Sha256 unpacked;  // of the file with its 16 bytes of header
  unpacked.update(bytes_of(idx_header({60'000, 28, 28})));
  unpacked.update(std::as_bytes(std::span(train.pixels)));
  CHECK(unpacked.hex() == "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
}
