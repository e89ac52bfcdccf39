// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/failure_pictures.hpp.

#include <faultline/testing/failure_pictures.hpp>

#include <faultline/data/png.hpp>
#include <faultline/error.hpp>
#include <faultline/render/canvas.hpp>
#include <faultline/render/sheet.hpp>

#include <algorithm>
#include <string>
#include <system_error>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

FAULTLINE_INLINE std::string draw_failures(const std::vector<FailedSample>& failures, const GateResult& result,
                                           const std::vector<std::string>& class_names,
                                           const std::filesystem::path& folder, const std::string& name) {
  constexpr std::size_t columns = 8;
  const auto class_name = [&](std::int64_t label) {
    return label < static_cast<std::int64_t>(class_names.size()) ? class_names[static_cast<std::size_t>(label)]
                                                                 : std::to_string(label);
  };
  render::Sheet sheet;
  sheet.title = name + ": the first " + std::to_string(failures.size()) + " failures";
  sheet.explanation = result.findings().headline +
                      " Above each image: its class, what it was answered, and the "
                      "probability of its class.";
  sheet.columns.resize(std::min(columns, failures.size()));
  sheet.rows.resize((failures.size() + columns - 1) / columns);
  for (const FailedSample& failure : failures) {
    render::SheetCell cell;
    cell.picture = render::to_picture(failure.image.image(0), failure.image.shape(), 96);
    cell.probability = failure.probability;
    cell.prediction = class_name(failure.prediction);
    cell.failed = true;
    cell.caption = "class " + class_name(failure.label);
    sheet.cells.push_back(std::move(cell));
  }
  sheet.cells.resize(sheet.columns.size() * sheet.rows.size());
  if (!sheet.explanation.empty() && sheet.explanation.front() >= 'a' && sheet.explanation.front() <= 'z')
    sheet.explanation.front() = static_cast<char>(sheet.explanation.front() - 'a' + 'A');
  std::string file = name;
  std::ranges::replace_if(
      file, [](char c) { return c == '/' || c == ' ' || static_cast<unsigned char>(c) < 32; }, '_');
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  const std::filesystem::path path = folder / (file + ".png");
  if (failed)
    throw Error(ErrorCode::cannot_write, "with_pictures",
                "cannot make the folder '" + folder.string() + "': " + failed.message());
  write_png(path, render::draw_sheet(sheet));
  return path.string();
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
