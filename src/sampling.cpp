// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The compiled form of sampling/.
#include <faultline/sampling/detail/any_generator_impl.hpp>
