// expect: faultline: a Classifier needs `std::int64_t num_classes() const`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>

struct Mine {
#ifdef FAULTLINE_CONTROL
  std::int64_t num_classes() const;
#endif
  faultline::Scores score_kind() const;
  void score(faultline::ImageView, faultline::ScoreMatrix&);
};
static_assert(faultline::explain_classifier<Mine>());
