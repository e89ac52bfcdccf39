// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of render/failing_images.hpp.

#include <faultline/render/failing_images.hpp>

#include <faultline/core/atomic_file.hpp>
#include <faultline/data/png.hpp>
#include <faultline/render/canvas.hpp>
#include <faultline/render/detail/text.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

FAULTLINE_INLINE void write_failing_images(const std::filesystem::path& folder,
                                           std::span<const analysis::FailingSample> samples,
                                           std::span<const std::string> properties, const ImageShape& shape,
                                           const std::function<std::vector<float>(std::size_t)>& image) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    throw Error(ErrorCode::cannot_write, "write_failing_images",
                "could not create '" + folder.string() + "': " + failed.message());
  // what an earlier call left is replaced; pictures of anybody else would be mistaken for failures
  std::vector<std::filesystem::path> earlier;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".png") continue;
    const std::string name = entry.path().filename().string();
    if (name.find("-label-") != std::string::npos && name.find("-answer-") != std::string::npos)
      earlier.push_back(entry.path());
    else
      throw Error(ErrorCode::inconsistent_files, "write_failing_images",
                  "'" + folder.string() +
                      "' holds other pictures, which a reader would take for failures; name "
                      "another folder");
  }
  for (const std::filesystem::path& path : earlier) std::filesystem::remove(path, failed);
  std::string labels = "file,label\r\n", table = "file,label,prediction,probability,sample,score";
  for (const std::string& name : properties) table += "," + csv_cell(valid_utf8(name));
  table += "\r\n";
  const std::size_t digits = std::max<std::size_t>(4, std::to_string(samples.size()).size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const analysis::FailingSample& sample = samples[i];
    std::string number = std::to_string(i + 1);
    number.insert(0, digits - number.size(), '0');
    const std::string label = std::to_string(sample.label), answer = std::to_string(sample.prediction);
    const std::string file = number + "-label-" + label + "-answer-" + answer + ".png";
    data::write_png(folder / file, to_picture(image(i), shape, std::max(shape.height, shape.width)));
    labels += file + "," + label + "\r\n";
    table += file + "," + label + "," + answer + "," + exact(sample.probability) + "," + std::to_string(sample.index) +
             "," + exact(sample.score);
    for (std::size_t p = 0; p < properties.size(); ++p)
      table += "," + (p < sample.properties.size() ? exact(sample.properties[p]) : std::string());
    table += "\r\n";
  }
  core::write_file_atomically(folder / "failures.csv", table);
  core::write_file_atomically(folder / "labels.csv", labels);
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
