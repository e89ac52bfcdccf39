// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of interop/, as far as it needs no other library.
#include <faultline/interop/detail/child_process_impl.hpp>
#include <faultline/interop/detail/score_file_impl.hpp>
#include <faultline/interop/detail/serve_classifier_impl.hpp>
