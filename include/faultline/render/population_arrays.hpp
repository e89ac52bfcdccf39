// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The samples behind a report as NPY arrays, for one's own questions in other tools.

#include <faultline/analysis/problem/problem.hpp>

#include <filesystem>

namespace faultline {
inline namespace v1 {
namespace render {

/// Writes the arrays of both splits below `directory`, which is created if need be: for each split ("discovery",
/// "confirmation") `<split>.w.npy` [N, w_dim], `.s.npy` [N, D], `.index.npy`, `.label.npy`, `.prediction.npy` [N]
/// int64, `.failed.npy` [N] uint8, `.probability.npy`, `.margin.npy` [N] and `.properties.npy` [N, P]; reals are
/// float32.
///
/// **Throws** `cannot_write`, `not_durable`; each file is complete or absent.
/// **Cost**: N x D floats in memory for s, twice while they are written.
/// Example: `FailureAnalyzer analyzer(sampler, mine); write_arrays(analyzer.problem(), "out/arrays");`
void write_arrays(const Problem& problem, const std::filesystem::path& directory);

}  // namespace render

using render::write_arrays;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/render/detail/population_arrays_impl.hpp>
#endif
