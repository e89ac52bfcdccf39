// expect: faultline: a FailureCriterion needs `bool operator()(std::span<const float> probabilities, std::int64_t label) const`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>

#ifdef FAULTLINE_CONTROL
#define QUALIFIER const
#else
#define QUALIFIER
#endif
struct Mine {
  bool operator()(std::span<const float>, std::int64_t) QUALIFIER;
};
static_assert(faultline::explain_failure_criterion<Mine>());
