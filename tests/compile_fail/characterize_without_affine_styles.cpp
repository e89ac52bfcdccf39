// expect: AffineStyles
// characterize asks for what its body needs: styles that are affine in w.
#include <faultline/analysis/characterize.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>

namespace fl = faultline;

#ifdef FAULTLINE_CONTROL
using Generator = fl::AnalyticGenerator;
#else
struct Generator : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  fl::Matrix<float> style_matrix() const = delete;
};
#endif

void analyse(const Generator& generator);
void analyse(const Generator& generator) {
  auto mine =
      fl::make_classifier([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 4); },
                          {.classes = 4, .scores = fl::Scores::logits});
  (void)fl::characterize(generator, mine, {.samples = 100});
}
