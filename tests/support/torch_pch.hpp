// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Precompiled for test programs of three and more LibTorch files: what all of them parse first. No test includes it itself.
#include <faultline/training/torch.hpp>

#include <support/catch2.hpp>
