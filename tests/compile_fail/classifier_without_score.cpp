// expect: faultline: a Classifier needs `void score(faultline::ImageView images, faultline::ScoreMatrix& scores)`
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/concepts/explain.hpp>

struct Mine {
  std::int64_t num_classes() const;
  faultline::Scores score_kind() const;
#ifdef FAULTLINE_CONTROL
  void score(faultline::ImageView, faultline::ScoreMatrix&);
#else
  faultline::ScoreMatrix score(faultline::ImageView);
#endif
};
static_assert(faultline::explain_classifier<Mine>());
