// expect: faultline: a Classifier needs `faultline::Scores score_kind() const`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>

struct Mine {
  std::int64_t num_classes() const;
#ifdef FAULTLINE_CONTROL
  faultline::Scores score_kind() const;
#endif
  void score(faultline::ImageView, faultline::ScoreMatrix&);
};
static_assert(faultline::explain_classifier<Mine>());
