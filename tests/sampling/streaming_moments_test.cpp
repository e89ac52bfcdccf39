// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Streamed moments against two passes over stored data; the same bits for any shards; a million samples in little
// memory.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/streaming_moments.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

constexpr std::int64_t dimension = 3;
constexpr std::int64_t leaf = fl::StreamingMoments::leaf_size;

std::vector<float> vector_of(std::int64_t index) {
  std::vector<float> x(dimension);
  fl::core::fill_normals(1, fl::core::Stream::latents, index, x);
  x[1] = 1000.0f + 0.01f * x[1] + 0.01f * x[0];  // a large mean with a small spread
  return x;
}

void add(fl::StreamingMoments& moments, std::int64_t first, std::int64_t count) {
  for (std::int64_t i = first; i < first + count; ++i) moments.add(i, vector_of(i), i % 2);
}

bool same(const fl::sampling::Moments& a, const fl::sampling::Moments& b) {
  return a.count == b.count && a.mean == b.mean &&
         std::equal(a.scatter.values().begin(), a.scatter.values().end(), b.scatter.values().begin());
}

template <class F>
fl::ErrorCode refusal(F&& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode::not_converged;
}

}  // namespace

TEST_CASE("streamed moments equal two passes over stored samples") {
  const std::int64_t n = 2 * leaf + 1000;
  fl::StreamingMoments moments(dimension, 2);
  add(moments, 0, n);
  CHECK(moments.count() == n);
  for (std::int64_t g = 0; g < 2; ++g) {
    std::vector<double> mean(dimension);
    double count = 0.0;
    for (std::int64_t i = g; i < n; i += 2, count += 1.0)
      for (std::size_t d = 0; d < dimension; ++d) mean[d] += static_cast<double>(vector_of(i)[d]);
    for (double& m : mean) m /= count;
    fl::Matrix<double> scatter(dimension, dimension);
    for (std::int64_t i = g; i < n; i += 2) {
      const std::vector<float> x = vector_of(i);
      for (std::int64_t a = 0; a < dimension; ++a)
        for (std::int64_t b = 0; b < dimension; ++b)
          scatter(a, b) += (static_cast<double>(x[static_cast<std::size_t>(a)]) - mean[static_cast<std::size_t>(a)]) *
                           (static_cast<double>(x[static_cast<std::size_t>(b)]) - mean[static_cast<std::size_t>(b)]);
    }
    const fl::sampling::Moments result = moments.group(g);
    CHECK(static_cast<double>(result.count) == count);
    for (std::int64_t a = 0; a < dimension; ++a) {
      CHECK(result.mean[static_cast<std::size_t>(a)] == Approx(mean[static_cast<std::size_t>(a)]).margin(1e-10));
      for (std::int64_t b = 0; b < dimension; ++b)
        CHECK(result.scatter(a, b) == Approx(scatter(a, b)).epsilon(1e-9).margin(1e-6));
    }
  }
}

TEST_CASE("shards merged in any order give the bits of one pass") {
  const std::int64_t n = 11 * leaf + 77;
  fl::StreamingMoments whole(dimension, 2);
  add(whole, 0, n);
  const std::vector<std::vector<std::int64_t>> cuts{
      {0, 1, 11}, {0, 3, 4, 9, 11}, {0, 8}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}};
  for (const auto& cut : cuts) {
    std::vector<fl::StreamingMoments> shards;
    for (std::size_t c = 0; c < cut.size(); ++c) {
      shards.emplace_back(dimension, 2);
      const std::int64_t first = cut[c] * leaf;
      add(shards.back(), first, (c + 1 < cut.size() ? cut[c + 1] * leaf : n) - first);
    }
    for (const bool backwards : {false, true}) {
      fl::StreamingMoments merged(dimension, 2);
      for (std::size_t c = 0; c < shards.size(); ++c) merged.merge(shards[backwards ? shards.size() - 1 - c : c]);
      CHECK(merged.count() == n);
      CHECK(same(merged.group(0), whole.group(0)));
      CHECK(same(merged.group(1), whole.group(1)));
    }
  }
}

TEST_CASE("streamed moments refuse gaps, overlaps and wrong shapes") {
  fl::StreamingMoments moments(dimension, 2);
  const std::vector<float> x = vector_of(0);
  CHECK(refusal([&] { moments.add(5, x, 0); }) == fl::ErrorCode::invalid_argument);
  moments.add(0, x, 0);
  CHECK(refusal([&] { moments.add(2, x, 0); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { moments.add(1, x, 2); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { moments.add(1, std::span<const float>(x).first(2), 0); }) == fl::ErrorCode::shape_mismatch);
  CHECK(refusal([&] { moments.merge(moments); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { moments.merge(fl::StreamingMoments(2, 2)); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { moments.add(0, x, 0); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { (void)moments.group(2); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([] { fl::StreamingMoments(0, 1); }) == fl::ErrorCode::invalid_argument);
  CHECK(fl::StreamingMoments(2, 1).group(0).count == 0);
}

#if defined(__linux__)
namespace {
/// Peak resident memory of this process in MiB.
double peak_mebibytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmHWM:") continue;
    double kibibytes = 0.0;
    status >> kibibytes;
    return kibibytes / 1024.0;
  }
  return 1e9;
}
}  // namespace

TEST_CASE("a million samples with streaming statistics stay under 300 MiB", "[.slow]") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known, {.seed = 1});
  auto rule = fl::make_classifier(
      [&](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const fl::AnalyticReading reading = known.read(images, i);
          scores(i, reading.factors[0] > 1.5f ? (reading.label + 1) % 4 : reading.label) = 4.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
  fl::classify::Scorer scorer(rule, known.image_shape(), known.value_range(), 4);
  fl::StreamingMoments moments(known.w_dim(), 8);
  for (const auto& batch : sampler.batches(0, 1'000'000)) {
    const fl::classify::ScoredImages said = scorer(batch.images, batch.label, {.index = batch.index, .seed = 1});
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      moments.add(batch.index[at], batch.w.row_span(i),
                  2 * batch.label[at] + (said.prediction[at] != batch.label[at] ? 1 : 0));
    }
  }
  double failures = 0.0;
  for (std::int64_t c = 0; c < 4; ++c) failures += static_cast<double>(moments.group(2 * c + 1).count);
  CHECK(moments.count() == 1'000'000);
  // 1 - Phi(1.5); false alarm 4e-8, seed fixed
  CHECK(std::abs(failures / 1e6 - 0.0668072) < 5.5 * std::sqrt(0.0668 * 0.9332 / 1e6));
  CHECK(peak_mebibytes() < 300.0);
}
#endif
