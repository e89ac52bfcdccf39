// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/data/corruptions.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <boost/math/distributions/chi_squared.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

namespace fl = faultline;
using faultline_tests::error_code;
using fl::CorruptionMix;
using fl::ErrorCode;
using fl::data::BlurAxis;
using fl::data::CorruptionDraw;

namespace {

std::vector<float> impulse(std::int64_t height, std::int64_t width, std::int64_t y, std::int64_t x) {
  std::vector<float> image(static_cast<std::size_t>(height * width));
  image[static_cast<std::size_t>(y * width + x)] = 1.0f;
  return image;
}

std::vector<float> texture(std::int64_t height, std::int64_t width) {
  std::vector<float> image(static_cast<std::size_t>(height * width));
  fl::core::fill_normals(1, fl::core::Stream::start_latents, 0, image);
  for (float& v : image) v = std::clamp(0.5f + 0.2f * v, 0.0f, 1.0f);
  return image;
}

/// The blur as the definition says it: one sum over the square, every coordinate clamped, no use of separability.
std::vector<float> blurred_by_definition(const std::vector<float>& image, std::int64_t height, std::int64_t width,
                                         double sigma, bool rows_too) {
  const auto radius = static_cast<std::int64_t>(std::floor(4.0 * sigma + 0.5));
  std::vector<float> out(image.size());
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      double sum = 0.0, weights = 0.0;
      for (std::int64_t dy = -radius; dy <= radius; ++dy) {
        for (std::int64_t dx = rows_too ? -radius : 0; dx <= (rows_too ? radius : 0); ++dx) {
          const double weight = std::exp(-static_cast<double>(dy * dy + dx * dx) / (2.0 * sigma * sigma));
          const std::int64_t v = std::clamp<std::int64_t>(y + dy, 0, height - 1),
                             u = std::clamp<std::int64_t>(x + dx, 0, width - 1);
          sum += weight * static_cast<double>(image[static_cast<std::size_t>(v * width + u)]);
          weights += weight;
        }
      }
      out[static_cast<std::size_t>(y * width + x)] = static_cast<float>(sum / weights);
    }
  }
  return out;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace

TEST_CASE("The strengths are those of ImageNet-C", "[corruptions]") {
  CHECK(fl::data::blur_sigmas == std::array<double, 5>{1, 2, 3, 4, 6});
  CHECK(fl::data::noise_deviations == std::array<double, 5>{.08, .12, .18, .26, .38});
}

TEST_CASE("A blurred impulse stays in its column in vertical mode and spreads evenly otherwise", "[corruptions]") {
  for (const double sigma : fl::data::blur_sigmas) {
    auto vertical = impulse(64, 64, 30, 17);
    fl::data::gaussian_blur(vertical, 64, 64, sigma, BlurAxis::vertical);
    double column = 0.0;
    for (std::int64_t y = 0; y < 64; ++y) {
      for (std::int64_t x = 0; x < 64; ++x) {
        const float v = vertical[static_cast<std::size_t>(y * 64 + x)];
        if (x == 17) column += static_cast<double>(v);
        else if (v != 0.0f) FAIL("value outside the column");
      }
    }
    CHECK(column == Approx(1.0).epsilon(1e-6));
    CHECK(vertical[30 * 64 + 17] < 1.0f);

    auto both = impulse(64, 64, 31, 32);
    fl::data::gaussian_blur(both, 64, 64, sigma);
    CHECK(std::accumulate(both.begin(), both.end(), 0.0) == Approx(1.0).epsilon(1e-6));
    for (std::int64_t d = 1; d <= 20; ++d) {
      const float right = both[static_cast<std::size_t>(31 * 64 + 32 + d)];
      CHECK(right == both[static_cast<std::size_t>(31 * 64 + 32 - d)]);
      CHECK(static_cast<double>(right) ==
            Approx(static_cast<double>(both[static_cast<std::size_t>((31 + d) * 64 + 32)])).epsilon(1e-6));
    }
  }
}

TEST_CASE("The blur is cut off at four standard deviations", "[corruptions]") {
  for (const double sigma : {1.0, 2.0, 1.4}) {
    auto image = impulse(41, 1, 20, 0);
    fl::data::gaussian_blur(image, 41, 1, sigma, BlurAxis::vertical);
    const auto radius = static_cast<std::size_t>(4.0 * sigma + 0.5);
    CHECK(image[20 + radius] > 0.0f);
    CHECK(image[20 + radius + 1] == 0.0f);
  }
}

TEST_CASE("The blur agrees with its definition, borders included", "[corruptions]") {
  for (const auto& [height, width] : {std::pair<std::int64_t, std::int64_t>{32, 32}, {5, 40}, {1, 7}, {3, 1}}) {
    const auto image = texture(height, width);
    for (const double sigma : {0.3, 1.0, 3.0, 6.0}) {
      for (const bool rows_too : {true, false}) {
        auto blurred = image;
        fl::data::gaussian_blur(blurred, height, width, sigma, rows_too ? BlurAxis::both : BlurAxis::vertical);
        // One rounding to float between the two passes and one after: two units in the last place of 1.
        CHECK(largest_difference(blurred, blurred_by_definition(image, height, width, sigma, rows_too)) < 2.5e-7);
      }
    }
  }
}

TEST_CASE("Planes are blurred one by one", "[corruptions]") {
  const auto first = texture(6, 7);
  auto second = first;
  std::reverse(second.begin(), second.end());
  std::vector<float> stacked = first;
  stacked.insert(stacked.end(), second.begin(), second.end());
  fl::data::gaussian_blur(stacked, 6, 7, 2.0);
  auto alone = first;
  fl::data::gaussian_blur(alone, 6, 7, 2.0);
  CHECK(std::equal(alone.begin(), alone.end(), stacked.begin()));
  alone = second;
  fl::data::gaussian_blur(alone, 6, 7, 2.0);
  CHECK(std::equal(alone.begin(), alone.end(), stacked.begin() + 42));
}

TEST_CASE("Noise has the stated standard deviation before clipping", "[corruptions]") {
  for (std::size_t severity = 0; severity < 5; ++severity) {
    const std::size_t n = 200'000;
    std::vector<float> image(n, 0.5f);
    fl::core::CounterRandom random(4, fl::core::Stream::corruptions, static_cast<std::int64_t>(severity));
    fl::data::gaussian_noise(image, fl::data::noise_deviations[severity], random);
    double mean = 0.0, square = 0.0;
    for (const float v : image) {
      mean += (static_cast<double>(v) - 0.5) / static_cast<double>(n);
      square += (static_cast<double>(v) - 0.5) * (static_cast<double>(v) - 0.5) / static_cast<double>(n);
    }
    // Five standard errors each: false-fail rate 6e-7 per check over seeds.
    const double deviation = fl::data::noise_deviations[severity];
    CHECK(std::abs(mean) < 5.0 * deviation / std::sqrt(static_cast<double>(n)));
    CHECK(std::abs(std::sqrt(square) - deviation) < 5.0 * deviation / std::sqrt(2.0 * static_cast<double>(n)));
    // Nothing was clipped: P(no value that far) < 1e-19
    CHECK(*std::max_element(image.begin(), image.end()) > 0.5f + 3.5f * static_cast<float>(deviation));
  }
}

TEST_CASE("Draws follow the documented words", "[corruptions]") {
  for (std::int64_t index = 0; index < 200; ++index) {
    const auto words = fl::core::philox4x32({static_cast<std::uint32_t>(index), 0, 0, 3}, {77, 0});
    const bool blurred = words[0] >= 0x80000000u, noisy = words[1] >= 0x80000000u;
    const auto severity = [](std::uint32_t word) { return 1 + static_cast<int>((std::uint64_t{word} * 3) >> 32); };
    CHECK(fl::data::draw_corruption(CorruptionMix::none, 77, index) == CorruptionDraw{});
    CHECK(fl::data::draw_corruption(CorruptionMix::independent, 77, index) ==
          CorruptionDraw{blurred ? severity(words[2]) : 0, noisy ? severity(words[3]) : 0});
    CHECK(fl::data::draw_corruption(CorruptionMix::paper, 77, index) ==
          (blurred ? CorruptionDraw{severity(words[2]), severity(words[3])} : CorruptionDraw{}));
    CHECK(fl::data::draw_corruption(CorruptionMix::blur, 77, index) ==
          CorruptionDraw{blurred ? severity(words[2]) : 0, 0});
    CHECK(fl::data::draw_corruption(CorruptionMix::noise, 77, index) ==
          CorruptionDraw{0, noisy ? severity(words[3]) : 0});
  }
}

TEST_CASE("Both mixes have their stated proportions", "[corruptions]") {
  const int n = 36'000;
  for (const CorruptionMix mix : {CorruptionMix::independent, CorruptionMix::paper}) {
    std::map<std::pair<int, int>, int> counts;
    for (int i = 0; i < n; ++i) {
      const CorruptionDraw draw = fl::data::draw_corruption(mix, 5, i);
      ++counts[{draw.blur_severity, draw.noise_severity}];
    }
    double statistic = 0.0;
    int cells = 0, seen = 0;
    for (int blur = 0; blur <= 3; ++blur) {
      for (int noise = 0; noise <= 3; ++noise) {
        const auto share = [](int severity) { return severity == 0 ? 0.5 : 0.5 / 3.0; };
        double expected = share(blur) * share(noise);
        if (mix == CorruptionMix::paper)
          expected = blur == 0 && noise == 0 ? 0.5 : blur > 0 && noise > 0 ? 0.5 / 9.0 : 0.0;
        if (expected == 0.0) continue;
        const int count = counts[{blur, noise}];
        statistic += (count - n * expected) * (count - n * expected) / (n * expected);
        seen += count;
        ++cells;
      }
    }
    CHECK(seen == n);  // no other cell
    // false-fail rate 1e-6 over seeds
    CHECK(statistic < quantile(complement(boost::math::chi_squared(cells - 1), 1e-6)));
  }
}

TEST_CASE("Corruption is blur, then noise, then clipping, reproducible from seed and index", "[corruptions]") {
  const auto clean = texture(8, 8);
  const CorruptionDraw draw{2, 3};
  auto corrupted = clean;
  fl::data::corrupt(corrupted, 8, 8, draw, 9, 123);

  auto expected = clean;
  fl::data::gaussian_blur(expected, 8, 8, 2.0);
  std::vector<float> noise(68);
  fl::core::fill_normals(9, fl::core::Stream::corruptions, 123,
                         noise);  // the first four belong to the block of the draw
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = std::clamp(expected[i] + 0.18f * noise[i + 4], 0.0f, 1.0f);
  CHECK(largest_difference(corrupted, expected) < 1e-6);

  auto again = clean;
  fl::data::corrupt(again, 8, 8, draw, 9, 123);
  CHECK(again == corrupted);
  fl::data::corrupt(again = clean, 8, 8, draw, 9, 124);
  CHECK(again != corrupted);
  fl::data::corrupt(again = clean, 8, 8, draw, 10, 123);
  CHECK(again != corrupted);
  fl::data::corrupt(again = clean, 8, 8, draw, 9, 123, BlurAxis::vertical);
  CHECK(again != corrupted);
  fl::data::corrupt(again = clean, 8, 8, {}, 9, 123);
  CHECK(again == clean);
  std::vector<float> loud(64, 1.0f);
  fl::data::corrupt(loud, 8, 8, {0, 5}, 9, 123);
  CHECK(*std::max_element(loud.begin(), loud.end()) == 1.0f);
  CHECK(*std::min_element(loud.begin(), loud.end()) >= 0.0f);
  CHECK(std::count(loud.begin(), loud.end(), 1.0f) < 64);
}

TEST_CASE("Corruptions refuse arguments outside their ranges and leave the image alone", "[corruptions]") {
  const auto clean = texture(4, 4);
  auto image = clean;
  for (const double sigma : {0.0, -1.0, 1001.0, std::nan(""), HUGE_VAL})
    CHECK(error_code([&] { fl::data::gaussian_blur(image, 4, 4, sigma); }) == ErrorCode::invalid_argument);
  for (const auto& size : {std::pair<std::int64_t, std::int64_t>{4, 5}, {0, 4}, {-4, -4}, {std::int64_t{1} << 62, 8}}) {
    CHECK(error_code([&] { fl::data::gaussian_blur(image, size.first, size.second, 1.0); }) ==
          ErrorCode::shape_mismatch);
    CHECK(error_code([&] {
            fl::data::corrupt(image, size.first, size.second, {0, 1}, 1, 1);
          }) == ErrorCode::shape_mismatch);
  }
  fl::core::CounterRandom random(1, fl::core::Stream::corruptions, 1);
  for (const double deviation : {-0.1, std::nan(""), HUGE_VAL})
    CHECK(error_code([&] { fl::data::gaussian_noise(image, deviation, random); }) == ErrorCode::invalid_argument);
  for (const CorruptionDraw draw : {CorruptionDraw{6, 1}, {1, 6}, {-1, 0}, {0, -1}})
    CHECK(error_code([&] { fl::data::corrupt(image, 4, 4, draw, 1, 1); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)fl::data::draw_corruption(static_cast<CorruptionMix>(9), 1, 1); }) ==
        ErrorCode::invalid_argument);
  CHECK(image == clean);
}
