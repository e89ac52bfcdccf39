// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/mnist.hpp.

#include <faultline/data/mnist.hpp>

#include <faultline/data/detail/data_files.hpp>
#include <faultline/data/idx.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace data {
namespace detail {

inline bool has_mnist(const std::filesystem::path& directory) {
  for (const char* file : {"train-images", "train-labels", "t10k-images", "t10k-labels"}) {
    if (mnist_files(directory, file).empty()) return false;
  }
  return true;
}

/// One of MNIST's files, and which one it was.
struct MnistFile {
  std::string name;  ///< in quotes
  IdxArray array;

  [[nodiscard]] std::string shape() const {
    std::string text;
    for (const std::int64_t extent : array.shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
    return "[" + text + "]";
  }
};

inline MnistFile read_mnist_file(const std::filesystem::path& directory, const std::string& part_and_contents) {
  const std::vector<std::filesystem::path> files = mnist_files(directory, part_and_contents);
  if (files.empty()) {
    throw Error(ErrorCode::data_unavailable, "load_mnist",
                "expected '" + mnist_names(part_and_contents).front() +
                    "' (or with '.gz', or with '.idx' in place of '-idx') in '" + directory.string() +
                    "'; find_mnist() says how to get it");
  }
  MnistFile first;
  for (const std::filesystem::path& file : files) {
    require_readable_kind(file, "load_mnist");
    IdxArray array = read_idx(file);
    const std::string name = "'" + file.string() + "'";
    if (first.name.empty()) {
      first = {name, std::move(array)};
    } else if (array.shape != first.array.shape || array.values != first.array.values) {
      throw Error(
          ErrorCode::inconsistent_files, "load_mnist",
          first.name + " and " + name + " should be one file in two forms, but their contents differ; remove one");
    }
  }
  return first;
}

}  // namespace detail

FAULTLINE_INLINE LabelledImages load_mnist(const std::filesystem::path& directory, MnistPart part) {
  constexpr std::int64_t classes = 10;
  const auto refuse = [](ErrorCode code, const std::string& what) { return Error(code, "load_mnist", what); };
  const std::string prefix = part == MnistPart::train ? "train" : "t10k";
  detail::MnistFile images = detail::read_mnist_file(directory, prefix + "-images");
  detail::MnistFile labels = detail::read_mnist_file(directory, prefix + "-labels");
  std::vector<std::int64_t>& shape = images.array.shape;
  if (shape.size() != 3)
    throw refuse(ErrorCode::inconsistent_files,
                 "expected " + images.name + " to hold images [N, H, W], got an array " + images.shape());
  if (labels.array.shape.size() != 1)
    throw refuse(ErrorCode::inconsistent_files,
                 "expected " + labels.name + " to hold labels [N], got an array " + labels.shape());
  if (shape[0] != labels.array.shape[0]) {
    throw refuse(ErrorCode::inconsistent_files, std::to_string(shape[0]) + " images but " +
                                                    std::to_string(labels.array.shape[0]) + " labels: " + images.name +
                                                    " and " + labels.name + " do not belong together");
  }
  if (images.array.values.empty())
    throw refuse(ErrorCode::inconsistent_files, images.name + " holds no pixels, its array is " + images.shape());
  const std::vector<std::uint8_t>& values = labels.array.values;
  const auto stranger = std::find_if(values.begin(), values.end(), [](std::uint8_t label) { return label >= classes; });
  if (stranger != values.end()) {
    const auto beyond =
        std::count_if(values.begin(), values.end(), [](std::uint8_t label) { return label >= classes; });
    throw refuse(ErrorCode::label_out_of_range,
                 labels.name + ": image " + std::to_string(stranger - values.begin()) + " of " +
                     std::to_string(values.size()) + " has the label " + std::to_string(*stranger) +
                     ", expected 0 to 9 as in MNIST (labels above 9: " + std::to_string(beyond) +
                     "); a set with other classes has to be given as PNG pictures with labels.csv");
  }
  return {shape[0], shape[1], shape[2], classes, std::move(images.array.values), std::move(labels.array.values)};
}

FAULTLINE_INLINE std::filesystem::path find_mnist() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  const std::string advice =
      "; put the four MNIST files (*-ubyte or *-ubyte.gz) into a directory and set FAULTLINE_MNIST_DIR to it, or run "
      "./bootstrap mnist, which fetches them";
  if (const auto chosen = variable("FAULTLINE_MNIST_DIR"); !chosen.empty()) {
    if (detail::has_mnist(chosen)) return chosen;
    throw Error(
        ErrorCode::data_unavailable, "find_mnist",
        "FAULTLINE_MNIST_DIR is '" + chosen.string() + "', which lacks at least one of the four MNIST files" + advice);
  }
  std::vector<std::filesystem::path> places = {"../shared/data/mnist", "data/mnist"};
  if (const auto cache = variable("FAULTLINE_CACHE_DIR"); !cache.empty()) {
    places.push_back(cache / "mnist");
  } else if (const auto shared_cache = variable("XDG_CACHE_HOME"); !shared_cache.empty()) {
    places.push_back(shared_cache / "faultline" / "mnist");
  } else if (const auto home = variable("HOME"); !home.empty()) {
    places.push_back(home / ".cache" / "faultline" / "mnist");
  }
  std::string looked;
  for (const auto& place : places) {
    if (detail::has_mnist(place)) return place;
    looked += (looked.empty() ? "'" : ", '") + place.string() + "'";
  }
  throw Error(ErrorCode::data_unavailable, "find_mnist", "no MNIST in " + looked + advice);
}

}  // namespace data
}  // namespace v1
}  // namespace faultline
