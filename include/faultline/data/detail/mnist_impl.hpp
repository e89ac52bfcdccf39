// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of data/mnist.hpp.

#include <faultline/data/idx.hpp>
#include <faultline/data/mnist.hpp>

#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace detail {

/// The file in its plain or packed form, or an empty path.
inline std::filesystem::path plain_or_gzip(const std::filesystem::path& directory, const std::string& name) {
  std::error_code ignored;
  for (const char* ending : {"", ".gz"}) {
    std::filesystem::path candidate = directory / (name + ending);
    if (std::filesystem::is_regular_file(candidate, ignored)) return candidate;
  }
  return {};
}

inline bool has_mnist(const std::filesystem::path& directory) {
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    if (plain_or_gzip(directory, name).empty()) return false;
  }
  return true;
}

inline IdxArray read_mnist_file(const std::filesystem::path& directory, const std::string& name) {
  const std::filesystem::path file = plain_or_gzip(directory, name);
  if (file.empty()) throw Error(ErrorCode::data_unavailable, "load_mnist", "expected '" + name + "' or '" + name + ".gz' in '" + directory.string() + "'; find_mnist() says how to get them");
  return read_idx(file);
}

}  // namespace detail

inline LabelledImages load_mnist(const std::filesystem::path& directory, MnistPart part) {
  constexpr std::int64_t classes = 10;
  const std::string prefix = part == MnistPart::train ? "train" : "t10k";
  IdxArray images = detail::read_mnist_file(directory, prefix + "-images-idx3-ubyte");
  IdxArray labels = detail::read_mnist_file(directory, prefix + "-labels-idx1-ubyte");
  const auto refuse = [&](ErrorCode code, const std::string& what) { return Error(code, "load_mnist", "files of the part '" + prefix + "' in '" + directory.string() + "': " + what); };
  if (images.shape.size() != 3 || labels.shape.size() != 1) throw refuse(ErrorCode::inconsistent_files, "expected images [N, H, W] and labels [N]");
  if (images.shape[0] != labels.shape[0]) {
    throw refuse(ErrorCode::inconsistent_files, std::to_string(images.shape[0]) + " images but " + std::to_string(labels.shape[0]) + " labels");
  }
  if (images.values.empty()) throw refuse(ErrorCode::inconsistent_files, "no images");
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] >= classes) throw refuse(ErrorCode::label_out_of_range, "image " + std::to_string(i) + " has the label " + std::to_string(labels.values[i]));
  }
  return {images.shape[0], images.shape[1], images.shape[2], classes, std::move(images.values), std::move(labels.values)};
}

inline std::filesystem::path find_mnist() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value != nullptr ? value : "");
  };
  const std::string advice = "; put the four MNIST files (*-ubyte or *-ubyte.gz) into a directory and set FAULTLINE_MNIST_DIR to it, or run ./bootstrap mnist, which fetches them";
  if (const auto chosen = variable("FAULTLINE_MNIST_DIR"); !chosen.empty()) {
    if (detail::has_mnist(chosen)) return chosen;
    throw Error(ErrorCode::data_unavailable, "find_mnist", "FAULTLINE_MNIST_DIR is '" + chosen.string() + "', which lacks at least one of the four MNIST files" + advice);
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

}  // namespace v1
}  // namespace faultline
