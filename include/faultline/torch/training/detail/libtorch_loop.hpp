// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Loops of training on LibTorch's own threads. They take turns with LibTorch's convolutions many times per step, and
// the threads of one pool go on spinning for a while on the cores that the other wants: two pools cost a tenth of the
// speed.

#include <faultline/torch/training/libtorch.hpp>

#include <algorithm>
#include <cstdint>

namespace faultline {
inline namespace v1 {
namespace training {
namespace detail {

/// Calls body(first, last) for consecutive ranges of at most `block` indices that cover 0 .. count − 1, on as many
/// threads as LibTorch has here: one inside another loop of LibTorch's.
///
/// at::parallel_for would need our code to be compiled with OpenMP; an elementwise pass over one byte for each block
/// goes through LibTorch's own. **Throws** what `body` throws.
template <class Body>
void libtorch_loop(std::int64_t count, std::int64_t block, const Body& body) {
  const std::int64_t blocks = (count + block - 1) / block;
  if (blocks <= 0) return;
  at::Tensor cells = at::empty({blocks}, at::kByte);
  auto pass = at::TensorIteratorConfig().add_output(cells).check_all_same_dtype(false).resize_outputs(false).build();
  const char* const base = static_cast<const char*>(cells.data_ptr());
  pass.for_each(
      [&](char** data, const std::int64_t* strides, std::int64_t inner, std::int64_t outer) {
        for (std::int64_t j = 0; j < outer; ++j)
          for (std::int64_t i = 0; i < inner; ++i) {
            const std::int64_t cell = (data[0] - base) + j * strides[1] + i * strides[0];
            body(cell * block, std::min(count, (cell + 1) * block));
          }
      },
      1);
}

}  // namespace detail
}  // namespace training
}  // namespace v1
}  // namespace faultline
