// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Memory that the system refuses, as an error of the library.

#include <faultline/error.hpp>

#include <new>
#include <stdexcept>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace core {

/// What `work` returns. Memory that cannot be had becomes out_of_resources; everything else that `work` throws passes.
template <class Work>
decltype(auto) within_memory(std::string_view where, Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_resources, where,
                "this machine has not enough memory for it; ask for fewer samples or a smaller batch");
  } catch (const std::length_error&) {
    throw Error(ErrorCode::out_of_resources, where,
                "an array would be larger than any memory; ask for fewer samples or a smaller batch");
  }
}

}  // namespace core
}  // namespace v1
}  // namespace faultline
