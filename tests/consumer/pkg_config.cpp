// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A user's file that is built with what pkg-config says, headers alone. It calls into every library that has something
// to link.
#ifdef CONSUMER_LIGHT
#include <faultline/core/parallel_for.hpp>
#include <faultline/data/npy.hpp>
#include <faultline/data/png.hpp>
#include <faultline/data/strict_json.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/statistics/distributions.hpp>
#else
#include <faultline/core.hpp>
#endif

#include <atomic>
#include <cstdint>
namespace fl = faultline;

int main() {
  const fl::AnalyticGenerator generator({.factors = 2, .channels = 64, .classes = 2, .seed = 1});
  const fl::Picture picture{.height = 2, .width = 2, .pixels = {0, 255, 255, 0}};
  const bool same = fl::data::decode_png(fl::data::encode_png(picture)) == picture;  // libpng and zlib
  std::atomic<std::int64_t> sum = 0;
  fl::parallel_for(100, 0, [&](std::int64_t i) { sum += i; });  // oneTBB
  return generator.layout().dimension() == 64 && same && sum == 4950 ? 0 : 1;
}
