// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A user's file that knows faultline::core only.
#ifndef CONSUMER_LIGHT
#include <faultline/core.hpp>
#endif
#include <faultline/testing.hpp>

#if FAULTLINE_VERSION_MAJOR < 0
#error "no version"
#endif

int main() {
  const faultline::AnalyticGenerator generator({.factors = 2, .channels = 64, .classes = 2, .seed = 1});
  return generator.layout().dimension() == 64 ? 0 : 1;
}
