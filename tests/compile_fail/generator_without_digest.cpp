// expect: faultline: a StyleGenerator needs `std::string digest() const`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>
#include <faultline/sampling/analytic_generator.hpp>

struct Mine : faultline::AnalyticGenerator {
#ifndef FAULTLINE_CONTROL
  void digest() const;
#endif
};
static_assert(faultline::explain_style_generator<Mine>());
