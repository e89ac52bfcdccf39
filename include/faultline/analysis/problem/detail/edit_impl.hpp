// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/problem/edit.hpp.

#include <faultline/analysis/problem/edit.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace faultline {
inline namespace v1 {
namespace analysis {

FAULTLINE_INLINE EditBatch lay_out(std::span<const EditedLatent> edits) {
  EditBatch batch;
  if (edits.empty()) return batch;
  std::map<std::int64_t, std::int64_t> columns;  // of each channel that is shifted
  for (const EditedLatent& edited : edits)
    for (const std::int64_t channel : edited.edit.channels()) columns[channel] = 0;
  for (auto& [channel, column] : columns) {
    column = static_cast<std::int64_t>(batch.channels.size());
    batch.channels.push_back(channel);
  }
  const auto rows = static_cast<std::int64_t>(edits.size());
  const std::size_t dimension = edits.front().start.w.size();
  batch.w.resize(rows, static_cast<std::int64_t>(dimension));
  batch.shifts.resize(rows, static_cast<std::int64_t>(columns.size()));
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto& [start, edit] = edits[static_cast<std::size_t>(i)];
    const std::span<const double> step = edit.step();
    if (start.w.size() != dimension || (!step.empty() && step.size() != dimension))
      throw Error(ErrorCode::shape_mismatch, "Edit",
                  "a latent has " + std::to_string(start.w.size()) + " entries and its step " +
                      std::to_string(step.empty() ? dimension : step.size()) + ", expected " +
                      std::to_string(dimension));
    const auto row = batch.w.row_span(i);
    std::copy(start.w.begin(), start.w.end(), row.begin());
    for (std::size_t j = 0; j < step.size(); ++j)
      row[j] = static_cast<float>(static_cast<double>(row[j]) + edit.amount() * step[j]);
    for (std::size_t j = 0; j < edit.channels().size(); ++j)
      batch.shifts(i, columns[edit.channels()[j]]) += static_cast<float>(edit.amount() * edit.shifts()[j]);
    batch.label.push_back(start.label);
  }
  return batch;
}

}  // namespace analysis

}  // namespace v1
}  // namespace faultline
