// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The generator of the images that releases are tried on.

#include <faultline/faultline.hpp>

namespace team {

inline const faultline::Generator<faultline::CpuBackend>& digits() {
  static const auto generator =
      faultline::Generator<faultline::CpuBackend>::load(faultline::find_asset("digits.safetensors"));
  return generator;
}

}  // namespace team
