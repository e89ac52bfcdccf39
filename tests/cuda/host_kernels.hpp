// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The text of the CUDA kernels compiled as host code, and a launch that runs it block by block, thread by thread.

#include <array>
#include <string>

namespace test {

/// Runs one kernel to its end. `parameters` are those of a real launch; throws std::invalid_argument for a name that is
/// not a kernel.
void run_on_host(const std::string& kernel, std::array<unsigned, 3> grid, unsigned block, void** parameters);

/// The kernels' own rounding to bfloat16.
unsigned short host_bf16(float value);

}  // namespace test
