// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A user's file that needs the LibTorch half: compiles, links and starts.
#ifdef CONSUMER_LIGHT
#include <faultline/torch/libtorch.hpp>
#else
#include <faultline/torch.hpp>
#endif

int main() { return at::ones({2, 3}).numel() == 6 ? 0 : 1; }
