// expect: faultline: a StyleGenerator needs `style_type styles(w) const`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>
#include <faultline/sampling/analytic_generator.hpp>

struct Mine : faultline::AnalyticGenerator {
#ifndef FAULTLINE_CONTROL
  void styles() const;  // hides the real one
#endif
};
static_assert(faultline::explain_style_generator<Mine>());
