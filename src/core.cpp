// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of core/.
#include <faultline/core/detail/atomic_file_impl.hpp>
#include <faultline/core/detail/number_text_impl.hpp>
#include <faultline/core/detail/parallel_for_impl.hpp>
#include <faultline/core/detail/progress_impl.hpp>
#include <faultline/core/detail/ranges_impl.hpp>
#include <faultline/core/detail/sha256_impl.hpp>
