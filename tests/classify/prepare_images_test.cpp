// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Generator image to classifier input: each step against numbers worked out by hand, and the gradient against
// differences.

#include <faultline/classify/prepare_images.hpp>
#include <faultline/core/random.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace fl = faultline;

namespace {

fl::ImageBatch batch(fl::ImageShape shape, const std::vector<float>& values) {
  fl::ImageBatch images(static_cast<std::int64_t>(values.size()) / shape.elements(), shape);
  std::copy(values.begin(), values.end(), images.data());
  return images;
}

std::vector<float> values(const fl::ImageBatch& images) {
  return {images.data(), images.data() + images.count() * images.shape().elements()};
}

fl::ErrorCode refusal(fl::ImageShape shape, fl::ValueRange range, fl::InputSpec spec) {
  try {
    fl::ImagePreparation prepare(shape, range, std::move(spec));
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode::not_converged;
}

}  // namespace

TEST_CASE("the generator's range becomes 0 to 1, what leaves it is cut off") {
  CHECK(values(fl::to_unit_range(batch({1, 1, 5}, {-2, -1, 0, 1, 3}), {-1, 1})) ==
        std::vector<float>{0, 0, 0.5f, 1, 1});
  const std::vector<float> exact{0.1f, 1e-20f, 0.7f, 0.99999994f};
  CHECK(values(fl::prepare_images(batch({1, 2, 2}, exact), {0, 1}, {})) == exact);  // the default spec changes no bit
}

TEST_CASE("a 28 x 28 crop of 32 x 32 is pixels 2 to 29") {
  fl::ImageBatch images(2, {1, 32, 32});
  for (std::int64_t p = 0; p < 2 * 1024; ++p) images.data()[p] = static_cast<float>(p) / 4096.0f;
  const fl::ImageBatch cropped = fl::prepare_images(images, {0, 1}, {.height = 28, .width = 28});
  REQUIRE(cropped.shape() == fl::ImageShape{1, 28, 28});
  CHECK(cropped.view()(0, 0, 0, 0) == images.view()(0, 0, 2, 2));
  CHECK(cropped.view()(1, 0, 27, 5) == images.view()(1, 0, 29, 7));
}

TEST_CASE("bilinear resizing uses half-pixel centres") {
  const fl::InputSpec spec{.height = 1, .width = 4, .fit = fl::Fit::resize};
  CHECK(values(fl::prepare_images(batch({1, 1, 2}, {0, 1}), {0, 1}, spec)) == std::vector<float>{0, 0.25f, 0.75f, 1});
  CHECK(values(fl::prepare_images(batch({1, 2, 2}, {0, 1, 0.5f, 0.5f}), {0, 1},
                                  {.height = 1, .width = 1, .fit = fl::Fit::resize})) == std::vector<float>{0.5f});
}

TEST_CASE("channels are averaged, repeated and reversed") {
  const fl::ImageBatch colour = batch({3, 1, 1}, {0.2f, 0.4f, 0.9f});
  CHECK(values(fl::prepare_images(colour, {0, 1}, {.channels = 1})).front() == Approx(0.5));
  CHECK(values(fl::prepare_images(batch({1, 1, 1}, {0.3f}), {0, 1}, {.channels = 3})) ==
        std::vector<float>{0.3f, 0.3f, 0.3f});
  CHECK(values(fl::prepare_images(colour, {0, 1}, {.order = fl::ChannelOrder::reversed})) ==
        std::vector<float>{0.9f, 0.4f, 0.2f});
}

TEST_CASE("range, mean and standard deviation per channel, then channels last") {
  const fl::ImageBatch colour = batch({3, 1, 2}, {0, 1, 0.5f, 0.5f, 1, 0});
  const fl::InputSpec spec{
      .range = {0, 255}, .mean = {0, 100, 55}, .std = {1, 2, 100}, .layout = fl::PixelLayout::channels_last};
  CHECK(values(fl::prepare_images(colour, {0, 1}, spec)) == std::vector<float>{0, 13.75f, 2, 255, 13.75f, -0.55f});
  CHECK(values(fl::prepare_images(colour, {0, 1}, {.mean = {0.5}, .std = {0.5}})) ==
        std::vector<float>{-1, 1, 0, 0, 1, -1});
}

TEST_CASE("specs that cannot be met are refused with a reason") {
  CHECK(refusal({1, 16, 16}, {0, 1}, {.height = 28, .width = 28}) == fl::ErrorCode::incompatible_models);
  CHECK(refusal({2, 16, 16}, {0, 1}, {.channels = 3}) == fl::ErrorCode::incompatible_models);
  CHECK(refusal({1, 16, 16}, {1, 1}, {}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 16, 16}, {0, std::numeric_limits<double>::infinity()}, {}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 16, 16}, {0, 1}, {.range = {1, 0}}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 16, 16}, {0, 1}, {.std = {0}}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({3, 16, 16}, {0, 1}, {.mean = {0, 0}}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 16, 16}, {0, 1}, {.height = -1}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 0, 16}, {0, 1}, {}) == fl::ErrorCode::shape_mismatch);
  const fl::ImagePreparation prepare({1, 2, 2}, {0, 1}, {});
  CHECK_THROWS_AS(prepare(batch({1, 1, 4}, {0, 0, 0, 0})), fl::Error);
  CHECK_THROWS_AS(prepare(batch({1, 2, 2}, {0, 0, std::nanf(""), 0})), fl::Error);
  CHECK_THROWS_AS(prepare.pull_gradient(batch({1, 2, 2}, {0, 0, 0, 0}), batch({1, 2, 2}, {0, 0, 0, 0, 0, 0, 0, 0})),
                  fl::Error);
}

TEST_CASE("a specification is checked at both ends of every range, before any image") {
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  const fl::ImageShape rgb{3, 8, 8};
  for (const fl::InputSpec& spec :
       {fl::InputSpec{.mean = {0.1, 0.2}}, fl::InputSpec{.mean = {0.1, 0.2, 0.3, 0.4}}, fl::InputSpec{.mean = {nan}},
        fl::InputSpec{.mean = {0.0, infinity, 0.0}}, fl::InputSpec{.std = {0.0}}, fl::InputSpec{.std = {-1.0}},
        fl::InputSpec{.std = {infinity}}, fl::InputSpec{.std = {nan}}, fl::InputSpec{.std = {1.0, 1.0}},
        fl::InputSpec{.std = {1.0, 1.0, 1.0, 1.0}}, fl::InputSpec{.range = {1.0, 0.0}},
        fl::InputSpec{.range = {0.5, 0.5}}, fl::InputSpec{.range = {nan, 1.0}}, fl::InputSpec{.range = {0.0, infinity}},
        fl::InputSpec{.channels = -1}, fl::InputSpec{.height = huge, .fit = fl::Fit::resize},
        fl::InputSpec{.height = 100'000, .width = 100'000, .fit = fl::Fit::resize}})
    CHECK(refusal(rgb, {-1, 1}, spec) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, 8, 8}, {0, 1}, {.mean = {0.1, 0.2, 0.3}}) == fl::ErrorCode::invalid_argument);
  CHECK(refusal({1, huge, huge}, {0, 1}, {}) == fl::ErrorCode::invalid_argument);
  CHECK(fl::ImagePreparation(rgb, {-1, 1}, {.mean = {0.1, 0.2, 0.3}, .std = {1.0, 2.0, 3.0}}).shape() == rgb);
  CHECK(fl::ImagePreparation(rgb, {-1, 1}, {.mean = {0.5}, .std = {0.5}}).shape() == rgb);
}

TEST_CASE("the gradient of every step is its adjoint") {
  // <g, d prepare(x)> against central differences; x keeps clear of the ends of the range, where the clamp has a kink.
  const std::vector<fl::InputSpec> specs{{},
                                         {.height = 5, .width = 4},
                                         {.channels = 1, .height = 9, .width = 3, .fit = fl::Fit::resize},
                                         {.order = fl::ChannelOrder::reversed, .range = {0, 255}, .std = {2, 3, 4}},
                                         {.mean = {0.1, 0.2, 0.3}, .layout = fl::PixelLayout::channels_last}};
  const fl::ImageShape shape{3, 6, 7};
  for (const fl::InputSpec& spec : specs) {
    const fl::ImagePreparation prepare(shape, {-1, 1}, spec);
    fl::core::CounterRandom random(5, fl::core::Stream::start_latents, 0);
    fl::ImageBatch x(1, shape);
    for (float& value : x.image(0)) value = static_cast<float>(1.6 * random.uniform() - 0.8);
    x.image(0)[3] = 1.5f;  // outside: no gradient
    fl::ImageBatch g(1, prepare.shape());
    for (float& value : g.image(0)) value = static_cast<float>(random.normal());
    const fl::ImageBatch pulled = prepare.pull_gradient(g, x);
    CHECK(pulled.image(0)[3] == 0.0f);
    for (const std::size_t p :
         {std::size_t{0}, std::size_t{8}, std::size_t{24}, std::size_t{50}, std::size_t{71}, std::size_t{110}}) {
      const float step = 0.0625f;
      fl::ImageBatch up = x;
      fl::ImageBatch down = x;
      up.image(0)[p] += step;
      down.image(0)[p] -= step;
      const fl::ImageBatch above = prepare(up);
      const fl::ImageBatch below = prepare(down);
      double difference = 0.0;
      for (std::size_t q = 0; q < g.image(0).size(); ++q)
        difference += static_cast<double>(g.image(0)[q]) *
                      (static_cast<double>(above.image(0)[q]) - static_cast<double>(below.image(0)[q]));
      CHECK(static_cast<double>(pulled.image(0)[p]) == Approx(difference / 0.125).epsilon(1e-3).margin(2e-3));
    }
  }
}

TEST_CASE("one channel repeated to three gathers the gradient of all three") {
  const fl::ImageBatch pulled =
      fl::pull_gradient(batch({3, 1, 1}, {1, 2, 4}), batch({1, 1, 1}, {0.5f}), {-1, 1}, {.channels = 3});
  CHECK(values(pulled) == std::vector<float>{3.5f});
}
