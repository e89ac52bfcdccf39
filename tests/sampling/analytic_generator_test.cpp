// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The known truth is true: what is read from an image is what drew it, factors are independent normals, and nothing
// else matters.

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <cstring>
#include <set>
#include <vector>

namespace fl = faultline;

namespace {

bool same_pixels(const fl::ImageBatch& a, const fl::ImageBatch& b) {
  return a.count() == b.count() &&
         std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<std::size_t>(a.count() * a.shape().elements())) ==
             0;
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

/// Labels and factors of `count` samples, read from their images and compared with styles and labels.
bool reads_back(const fl::AnalyticGenerator& known, std::int64_t count, double truncation = 1.0) {
  const fl::StyleSpaceSampler sampler(known, {.seed = 5, .truncation = truncation});
  for (const auto& batch : sampler.batches(0, count)) {
    const fl::Matrix<float> truth = known.factors(batch.s);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const fl::AnalyticReading reading = known.read(batch.images, i);
      if (reading.label != batch.label[static_cast<std::size_t>(i)]) return false;
      for (std::int64_t j = 0; j < known.num_factors(); ++j)
        if (reading.factors[static_cast<std::size_t>(j)] != truth(i, j)) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("label and factors are read back bit for bit") {
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 6, .channels = 512, .classes = 4, .seed = 1}), 2000));
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 1, .channels = 19, .classes = 2, .seed = 3}), 200));
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 64, .channels = 82, .classes = 10, .seed = 4}), 200));
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 3, .channels = 100, .classes = 1000, .seed = 5}), 1000));
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 3, .channels = 100, .classes = 1, .seed = 6}), 100));
  CHECK(reads_back(fl::AnalyticGenerator({.factors = 3, .channels = 100, .classes = 0, .seed = 7}), 100));
  CHECK(reads_back(fl::AnalyticGenerator(), 500, 0.3));
  for (std::int64_t seed = 10; seed < 30; ++seed)
    CHECK(reads_back(fl::AnalyticGenerator({.factors = 5, .channels = 64, .classes = 7, .seed = seed}), 100));
}

TEST_CASE("factors are the independent normals z, and the standardised values of their channels") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known, {.seed = 11});
  const std::int64_t n = 20'000;
  const std::int64_t m = known.num_factors();
  fl::Matrix<double> products(m + 1, m + 1);
  for (const auto& batch : sampler.batches(0, n)) {
    const fl::Matrix<float> f = known.factors(batch.s);
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      for (std::int64_t a = 0; a <= m; ++a)
        for (std::int64_t b = 0; b <= m; ++b)
          products(a, b) += (a < m ? static_cast<double>(f(i, a)) : 1.0) * (b < m ? static_cast<double>(f(i, b)) : 1.0);
      for (std::int64_t a = 0; a < m; ++a)
        REQUIRE(static_cast<double>(f(i, a)) == Approx(static_cast<double>(batch.z(i, a))).margin(2e-5));
    }
  }
  // 6 means, 6 variances, 15 correlations at 5.5 standard errors: false alarm below 27 * 4e-8 = 1e-6, and the seed is
  // fixed.
  const double bound = 5.5 / std::sqrt(static_cast<double>(n));
  for (std::int64_t a = 0; a < m; ++a) {
    CHECK(std::abs(products(a, m) / static_cast<double>(n)) < bound);
    CHECK(std::abs(products(a, a) / static_cast<double>(n) - 1.0) < bound * std::sqrt(2.0));
    for (std::int64_t b = 0; b < a; ++b) CHECK(std::abs(products(a, b) / static_cast<double>(n)) < bound);
  }
}

TEST_CASE("a factor channel follows its factor exactly, every other channel at most with .8") {
  const fl::AnalyticGenerator known;
  // Exact correlations from s = A w + b: columns of z are those of w turned back, so ask the generator for the styles
  // of unit latents.
  const std::int64_t latents = known.latent_dim();
  fl::Matrix<float> z(latents + 1, latents);
  for (std::int64_t j = 0; j < latents; ++j) z(j, j) = 1.0f;
  const fl::Matrix<float> s =
      known.styles(known.map(z, std::vector<std::int64_t>(static_cast<std::size_t>(latents + 1), 2)));
  std::set<std::int64_t> factor_channels;
  for (std::int64_t j = 0; j < known.num_factors(); ++j) factor_channels.insert(known.factor_channel(j));
  CHECK(factor_channels.size() == 6);
  double strongest = 0.0;
  for (std::int64_t k = 0; k < s.cols(); ++k) {
    double variance = 0.0;
    for (std::int64_t j = 0; j < latents; ++j)
      variance += std::pow(static_cast<double>(s(j, k)) - static_cast<double>(s(latents, k)), 2);
    for (std::int64_t j = 0; j < known.num_factors(); ++j) {
      const double correlation =
          (static_cast<double>(s(j, k)) - static_cast<double>(s(latents, k))) / std::sqrt(variance);
      if (k == known.factor_channel(j)) CHECK(correlation == Approx(1.0).epsilon(1e-5));
      else strongest = std::max(strongest, std::abs(correlation));
    }
  }
  CHECK(strongest < 0.801);
  CHECK(strongest > 0.5);  // they do follow
}

TEST_CASE("moving a factor channel moves its factor, moving any other channel changes no pixel") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known, {.seed = 2});
  const auto batch = sampler.sample(0, 3);
  std::vector<std::int64_t> factor_of(512, -1);
  for (std::int64_t j = 0; j < 6; ++j) factor_of[static_cast<std::size_t>(known.factor_channel(j))] = j;
  for (std::int64_t k = 0; k < 512; ++k) {
    for (const float shift : {-100.0f, 3.0f, 1e6f}) {
      fl::Matrix<float> s = batch.s;
      for (std::int64_t i = 0; i < 3; ++i) s(i, k) += shift;
      const fl::ImageBatch images = known.synthesize(s);
      if (factor_of[static_cast<std::size_t>(k)] < 0) {
        REQUIRE(same_pixels(images, batch.images));
      } else if (std::abs(shift) < 50.0f) {
        const auto moved = known.read(images, 1);
        const auto before = known.read(batch.images, 1);
        for (std::int64_t j = 0; j < 6; ++j)
          REQUIRE((moved.factors[static_cast<std::size_t>(j)] > before.factors[static_cast<std::size_t>(j)]) ==
                  (j == factor_of[static_cast<std::size_t>(k)]));
        REQUIRE(moved.label == before.label);
      }
    }
  }
}

TEST_CASE("ten channels moved together keep the class") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known, {.seed = 2});
  const auto batch = sampler.sample(0, 8);
  fl::core::CounterRandom random(1, fl::core::Stream::start_latents, 0);
  for (int repeat = 0; repeat < 200; ++repeat) {
    fl::Matrix<float> s = batch.s;
    for (int c = 0; c < 10; ++c) {
      const std::int64_t k = random.below(512);
      for (std::int64_t i = 0; i < 8; ++i) s(i, k) += static_cast<float>(100.0 * random.normal());
    }
    const fl::ImageBatch images = known.synthesize(s);
    for (std::int64_t i = 0; i < 8; ++i)
      REQUIRE(known.read(images, i).label == batch.label[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("factors are exact to 32 standard deviations and cut off beyond") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known);
  const auto batch = sampler.sample(0, 1);
  const double scale = (static_cast<double>(batch.s(0, known.factor_channel(2))) -
                        static_cast<double>(known.style_bias()(known.factor_channel(2), 0))) /
                       static_cast<double>(known.factors(batch.s)(0, 2));
  for (const double sigma : {-31.9, -12.3, -0.001, 0.0, 1.0 / 3.0, 12.0, 31.9}) {
    fl::Matrix<float> s = batch.s;
    s(0, known.factor_channel(2)) =
        static_cast<float>(static_cast<double>(known.style_bias()(known.factor_channel(2), 0)) + sigma * scale);
    const fl::ImageBatch images = known.synthesize(s);
    CHECK(known.read(images, 0).factors[2] == known.factors(s)(0, 2));
    CHECK(static_cast<double>(known.read(images, 0).factors[2]) == Approx(sigma).margin(1e-5));
    for (const float pixel : images.image(0)) CHECK((pixel >= 0.0f && pixel <= 1.0f));
  }
  fl::Matrix<float> s = batch.s;
  s(0, known.factor_channel(2)) += 1000.0f;
  CHECK(known.read(known.synthesize(s), 0).factors[2] == 32.0f);
}

TEST_CASE("styles are affine in w") {
  const fl::AnalyticGenerator known({.factors = 4, .channels = 200, .classes = 3, .seed = 9});
  const fl::StyleSpaceSampler sampler(known, {.seed = 1});
  const auto batch = sampler.sample(10, 5);
  for (std::int64_t k = 0; k < 200; ++k) {
    double sum = static_cast<double>(known.style_bias()(k, 0));
    for (std::int64_t j = 0; j < known.w_dim(); ++j)
      sum += static_cast<double>(known.style_matrix()(k, j)) * static_cast<double>(batch.w(4, j));
    CHECK(static_cast<double>(batch.s(4, k)) == Approx(sum).margin(1e-5));
  }
}

TEST_CASE("the pullback is the exact gradient") {
  const fl::AnalyticGenerator known({.factors = 4, .channels = 60, .classes = 3, .seed = 9});
  const fl::StyleSpaceSampler sampler(known, {.seed = 1});
  const auto batch = sampler.sample(0, 16);
  fl::ImageBatch g(16, known.image_shape());
  fl::core::CounterRandom random(3, fl::core::Stream::start_latents, 1);
  for (std::int64_t i = 0; i < 16; ++i)
    for (float& value : g.image(i)) value = static_cast<float>(random.normal());
  const fl::Matrix<float> pulled = known.pullback(batch.s, g);
  const float step = 0x1p-9f;
  for (std::int64_t k = 0; k < 60; ++k) {
    fl::Matrix<float> up = batch.s;
    fl::Matrix<float> down = batch.s;
    for (std::int64_t i = 0; i < 16; ++i) up(i, k) += step, down(i, k) -= step;
    const fl::Matrix<float> f = known.factors(batch.s);
    const fl::ImageBatch above = known.synthesize(up);
    const fl::ImageBatch below = known.synthesize(down);
    for (std::int64_t i = 0; i < 16; ++i) {
      bool kink = false;  // a bar that ends within a step of a pixel's edge
      for (std::int64_t j = 0; j < 4; ++j)
        kink = kink || (k == known.factor_channel(j) && std::abs(f(i, j) - std::round(f(i, j))) < 0.02f);
      if (kink) continue;
      double difference = 0.0;
      for (std::size_t p = 0; p < g.image(i).size(); ++p)
        difference += static_cast<double>(g.image(i)[p]) *
                      (static_cast<double>(above.image(i)[p]) - static_cast<double>(below.image(i)[p]));
      REQUIRE(static_cast<double>(pulled(i, k)) ==
              Approx(difference / (2 * static_cast<double>(step))).epsilon(2e-3).margin(1e-3));
    }
  }
}

TEST_CASE("measures that do not see left and right do not see the sign of a factor") {
  const fl::AnalyticGenerator known;
  const fl::StyleSpaceSampler sampler(known);
  const auto batch = sampler.sample(0, 4);
  fl::Matrix<float> mirrored = batch.s;
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = 0; j < 6; ++j)
      mirrored(i, known.factor_channel(j)) =
          2 * known.style_bias()(known.factor_channel(j), 0) - mirrored(i, known.factor_channel(j));
  const fl::ImageBatch images = known.synthesize(mirrored);
  for (std::int64_t y = 2; y < 16; ++y)
    for (std::int64_t x = 0; x < 16; ++x)
      CHECK(images.view()(2, 0, y, x) == Approx(batch.images.view()(2, 0, y, 15 - x)).margin(1e-5));
}

TEST_CASE("the digest tells models apart and equal ones together") {
  const fl::AnalyticGenerator first({.factors = 6, .channels = 512, .classes = 4, .seed = 1});
  CHECK(first.digest().size() == 64);
  CHECK(first.digest() == fl::AnalyticGenerator().digest());
  std::set<std::string> digests{first.digest()};
  digests.insert(fl::AnalyticGenerator({.factors = 5}).digest());
  digests.insert(fl::AnalyticGenerator({.channels = 511}).digest());
  digests.insert(fl::AnalyticGenerator({.classes = 3}).digest());
  digests.insert(fl::AnalyticGenerator({.seed = 2}).digest());
  CHECK(digests.size() == 5);
  CHECK(fl::AnalyticGenerator({.seed = 2}).factor_channel(0) != first.factor_channel(0));
}

TEST_CASE("classes occupy different regions of style space") {
  const fl::AnalyticGenerator known;
  const fl::Matrix<float> s = known.styles(known.map(fl::Matrix<float>(4, known.latent_dim()), {0, 1, 2, 3}));
  std::int64_t apart = 0;
  for (std::int64_t k = 0; k < 512; ++k) apart += std::abs(s(0, k) - s(2, k)) > 0.5f;
  CHECK(apart > 256);
  for (std::int64_t j = 0; j < 6; ++j)
    CHECK(s(0, known.factor_channel(j)) == Approx(s(2, known.factor_channel(j))).margin(1e-6));
}

TEST_CASE("the analytic generator refuses what it cannot do") {
  using enum fl::ErrorCode;
  CHECK(refusal([] { fl::AnalyticGenerator({.factors = 0}); }) == invalid_argument);
  CHECK(refusal([] { fl::AnalyticGenerator({.factors = 65}); }) == invalid_argument);
  CHECK(refusal([] { fl::AnalyticGenerator({.factors = 6, .channels = 23}); }) == invalid_argument);
  CHECK(refusal([] { fl::AnalyticGenerator({.classes = -1}); }) == invalid_argument);
  CHECK(refusal([] { fl::AnalyticGenerator({.classes = 1001}); }) == invalid_argument);
  const fl::AnalyticGenerator known({.factors = 2, .channels = 60, .classes = 3});
  const fl::AnalyticGenerator plain({.factors = 2, .channels = 60, .classes = 0});
  const fl::Matrix<float> z(2, known.latent_dim());
  CHECK(refusal([&] { (void)known.factor_channel(2); }) == invalid_argument);
  CHECK(refusal([&] { (void)known.factor_channel(-1); }) == invalid_argument);
  CHECK(refusal([&] { (void)known.map(z, {0, 3}); }) == label_out_of_range);
  CHECK(refusal([&] { (void)known.map(z, {0, -1}); }) == label_out_of_range);
  CHECK(refusal([&] { (void)known.map(z, {0}); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.map(z, {}); }) == shape_mismatch);
  CHECK(refusal([&] { (void)plain.map(z, {0, 0}); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.map(fl::Matrix<float>(2, 3), {0, 0}); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.map(z, {0, 0}, {.truncation = 2.5}); }) == invalid_argument);
  CHECK(refusal([&] { (void)known.map(z, {0, 0}, {.truncation = std::nan("")}); }) == invalid_argument);
  CHECK(refusal([&] { (void)known.map(z, {0, 0}, {.cutoff = 99}); }) == invalid_argument);
  CHECK(refusal([&] { (void)known.styles(fl::Matrix<float>(1, 3)); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.synthesize(fl::Matrix<float>(1, 59)); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.pullback(fl::Matrix<float>(1, 60), fl::ImageBatch(2, known.image_shape())); }) ==
        shape_mismatch);
  CHECK(refusal([&] { (void)known.read(fl::ImageBatch(1, {1, 8, 8}), 0); }) == shape_mismatch);
  CHECK(refusal([&] { (void)known.read(fl::ImageBatch(1, known.image_shape()), 1); }) == invalid_argument);
}
