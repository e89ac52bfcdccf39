// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/random.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <boost/math/distributions/chi_squared.hpp>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace fl = faultline;
using faultline_tests::error_code;
using fl::ErrorCode;
using fl::core::CounterRandom;
using fl::core::Stream;

namespace {

constexpr double false_fail_rate = 1e-6;  // of every statistical check below, over seeds

/// Upper limit of Pearson's statistic for counts that should be equal.
double chi_squared_limit(std::size_t cells) {
  return quantile(complement(boost::math::chi_squared(static_cast<double>(cells - 1)), false_fail_rate));
}

double chi_squared(const std::vector<std::int64_t>& counts) {
  const double expected = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
                          static_cast<double>(counts.size());
  double sum = 0.0;
  for (const std::int64_t n : counts)
    sum += (static_cast<double>(n) - expected) * (static_cast<double>(n) - expected) / expected;
  return sum;
}

}  // namespace

// Printed by random_golden.py beside this file, which shares no code with the library.
TEST_CASE("Latents and labels have their golden values", "[random]") {
  struct Golden {
    std::int64_t seed, index;
    std::vector<float> z;
    std::int64_t label;
  };
  const std::vector<Golden> all = {
      {7, 0, {0.000291526318f, -0.304846913f, 1.78875732f, 1.06787241f, 0.55992192f, 1.04533327f}, 8},
      {7, 1099511627779, {-0.242264688f, 0.0848034546f, -1.74672759f, -0.157418698f, -1.23662841f, -1.08848727f}, 0},
      {-1, 8796093022208, {2.00772047f, -0.635210216f, -1.86451018f, 0.670475185f, 0.443922371f, -0.470018715f}, 5},
      {1099511627781,
       12345678901,
       {-0.104536705f, -0.660837114f, 0.244544834f, -0.150032818f, -1.17798948f, -0.54461205f},
       3},
  };
  for (const Golden& golden : all) {
    std::vector<float> z(golden.z.size());
    fl::core::fill_normals(golden.seed, Stream::latents, golden.index, z);
    CHECK(z == golden.z);
    CHECK(fl::core::draw_label(golden.seed, golden.index, 10) == golden.label);
  }
}

TEST_CASE("A reader yields the words of its blocks in order", "[random]") {
  CounterRandom random(123, Stream::start_latents, 99);
  std::vector<std::uint32_t> read(12);
  for (auto& word : read) word = random.next();
  for (std::uint32_t block = 0; block < 3; ++block) {
    const auto words = fl::core::philox4x32({99, 0, block, 5}, {123, 0});
    CHECK(std::equal(words.begin(), words.end(), read.begin() + 4 * block));
  }
  CounterRandom later(123, Stream::start_latents, 99, 2);
  CHECK(later.next() == read[8]);
}

TEST_CASE("Seed, stream and index all enter with their 64 bits", "[random]") {
  std::set<std::uint32_t> first;
  const std::vector<std::int64_t> numbers = {0, 1, -1, std::int64_t{1} << 32, (std::int64_t{1} << 32) + 1};
  for (const std::int64_t seed : numbers) {
    for (const std::int64_t index : numbers) {
      for (const Stream stream : {Stream::latents, Stream::labels, Stream::noise, Stream::corruptions,
                                  Stream::permutations, Stream::start_latents, Stream::subsets}) {
        first.insert(CounterRandom(seed, stream, index).next());
      }
    }
  }
  CHECK(first.size() == numbers.size() * numbers.size() * 7);
}

TEST_CASE("Index ranges of the purposes do not meet before 2^40 samples", "[random]") {
  const std::vector<std::int64_t> starts = {fl::core::discovery_first,    fl::core::confirmation_first,
                                            fl::core::intervention_first, fl::core::pilot_first,
                                            fl::core::gate_first,         fl::core::shrinking_first};
  for (std::size_t i = 1; i < starts.size(); ++i) CHECK(starts[i] - starts[i - 1] >= std::int64_t{1} << 40);
}

TEST_CASE("Sequential normals are the filled ones and a prefix is a prefix", "[random]") {
  std::vector<float> all(101);
  fl::core::fill_normals(3, Stream::noise, 17, all);
  CounterRandom random(3, Stream::noise, 17);
  for (const float value : all) CHECK(static_cast<float>(random.normal()) == value);
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{50}}) {
    std::vector<float> part(length);
    fl::core::fill_normals(3, Stream::noise, 17, part);
    CHECK(std::equal(part.begin(), part.end(), all.begin()));
  }
}

TEST_CASE("The second normal of a pair takes no word", "[random]") {
  CounterRandom pair(5, Stream::noise, 1);
  CounterRandom words(5, Stream::noise, 1);
  (void)pair.normal();
  (void)words.next();
  (void)words.next();
  const std::uint32_t third = words.next();
  CHECK(pair.next() == third);
  CounterRandom fresh(5, Stream::noise, 1);
  (void)fresh.normal();
  const double second = fresh.normal();
  CHECK(pair.normal() == second);  // still pending after the word in between
}

TEST_CASE("Uniform numbers stay strictly inside the unit interval", "[random]") {
  CHECK(fl::core::detail::open_unit(0) == 0x1p-25);
  CHECK(fl::core::detail::open_unit(0xffffffffu) == 1.0 - 0x1p-25);
  const auto [largest, other] = fl::core::detail::normal_pair(0, 0);
  CHECK(largest == Approx(std::sqrt(50.0 * std::log(2.0))));  // the most extreme normal: 5.89
  CHECK(std::abs(other) < 1e-5);
}

TEST_CASE("Uniform numbers are uniform", "[random]") {
  std::vector<std::int64_t> counts(64);
  CounterRandom random(11, Stream::permutations, 0);
  for (int i = 0; i < 100'000; ++i) ++counts[static_cast<std::size_t>(random.uniform() * 64.0)];
  CHECK(chi_squared(counts) < chi_squared_limit(counts.size()));
}

TEST_CASE("Normals have the moments of the standard normal and pairs are uncorrelated", "[random]") {
  const int n = 400'000;
  std::vector<float> z(n);
  fl::core::fill_normals(21, Stream::latents, 5, z);
  double mean = 0.0, square = 0.0, fourth = 0.0, lagged = 0.0;
  for (int i = 0; i < n; ++i) {
    const double v = z[static_cast<std::size_t>(i)];
    mean += v / n;
    square += v * v / n;
    fourth += v * v * v * v / n;
    if (i > 0) lagged += v * z[static_cast<std::size_t>(i - 1)] / n;
  }
  // Each bound is 5 standard errors, a false-fail rate of 6e-7; Var z^2 = 2, Var z^4 = 96.
  const double error = 5.0 / std::sqrt(static_cast<double>(n));
  CHECK(std::abs(mean) < error);
  CHECK(std::abs(square - 1.0) < error * std::sqrt(2.0));
  CHECK(std::abs(fourth - 3.0) < error * std::sqrt(96.0));
  CHECK(std::abs(lagged) < error);
}

TEST_CASE("Labels are uniform over the classes and independent of the latents' stream", "[random]") {
  std::vector<std::int64_t> counts(10);
  for (std::int64_t i = 0; i < 50'000; ++i)
    ++counts[static_cast<std::size_t>(fl::core::draw_label(9, fl::core::confirmation_first + i, 10))];
  CHECK(chi_squared(counts) < chi_squared_limit(counts.size()));
  CHECK(fl::core::draw_label(9, 0, 1) == 0);
}

TEST_CASE("A range is refused unless it has 1 to 2^32 values", "[random]") {
  CounterRandom random(1, Stream::labels, 0);
  CHECK(error_code([&] { (void)random.below(0); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)random.below(-3); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)random.below((std::int64_t{1} << 32) + 1); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)fl::core::draw_label(1, 0, 0); }) == ErrorCode::invalid_argument);
  CounterRandom words(1, Stream::labels, 0);
  CHECK(random.below(std::int64_t{1} << 32) == words.next());
}

TEST_CASE("An address that is used up says so instead of starting again", "[random]") {
  CounterRandom random(1, Stream::subsets, 0, 0xffffffffu);
  for (int i = 0; i < 4; ++i) (void)random.next();
  CHECK(error_code([&] { (void)random.next(); }) == ErrorCode::invalid_argument);
}

TEST_CASE("Shuffling yields every order equally often", "[random]") {
  std::vector<std::int64_t> counts(24);
  CounterRandom random(31, Stream::permutations, 7);
  for (int run = 0; run < 24'000; ++run) {
    std::vector<int> order = {0, 1, 2, 3};
    fl::core::shuffle(std::span(order), random);
    std::size_t rank = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto smaller = std::count_if(order.begin() + static_cast<std::ptrdiff_t>(i), order.end(),
                                         [&](int v) { return v < order[i]; });
      rank = rank * (4 - i) + static_cast<std::size_t>(smaller);
    }
    ++counts[rank];
  }
  CHECK(std::count(counts.begin(), counts.end(), 0) == 0);
  CHECK(chi_squared(counts) < chi_squared_limit(counts.size()));
}
