// expect: deleted
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#ifdef FAULTLINE_CONTROL
const faultline::AnalyticGenerator generator{faultline::AnalyticOptions{}};
const faultline::StyleSpaceSampler sampler(generator);
#else
const faultline::StyleSpaceSampler sampler(faultline::AnalyticGenerator{faultline::AnalyticOptions{}});
#endif
