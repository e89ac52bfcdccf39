// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Releases held to the one before: the file, not worse than it, and no new condition of failure.

#include <faultline/statistics/paired_effect.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/baseline.hpp>
#include <faultline/testing/catch2.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fl = faultline;
using faultline_test::fewest_events;
using faultline_test::most_events;
using fl::testing::Baseline;
using fl::testing::gate;
using fl::testing::GateVerdict;
using fl::testing::make_baseline;
using fl::testing::NoNewCondition;
using fl::testing::NotWorseThanBaseline;

namespace {

fl::AnalyticGenerator release_world() {
  return fl::AnalyticGenerator({.factors = 3, .channels = 32, .classes = 4, .seed = 1});
}

// Wrong where factor 0 exceeds one limit or factor 1 another.
auto release(const fl::AnalyticGenerator& known, float first, float second, const std::string& name) {
  return fl::make_classifier(
      [&known, first, second](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto [label, factors] = known.read(images, i);
          scores(i, factors[0] > first || factors[1] > second ? (label + 1) % 4 : label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits, .name = name, .digest = "digest of " + name});
}

std::vector<fl::Property> factors(const fl::AnalyticGenerator& known) {
  std::vector<fl::Property> result;
  for (std::size_t f = 0; f < 3; ++f)
    result.push_back(
        {"factor " + std::to_string(f), [&known, f](std::span<const float> image, const fl::ImageShape& shape) {
           return static_cast<double>(known.read(fl::ImageView(image.data(), 1, shape), 0).factors[f]);
         }});
  return result;
}

template <class Call>
fl::ErrorCode code_of(const Call& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode{};
}

}  // namespace

TEST_CASE("a baseline keeps the outcomes of the samples that a gate would draw, in a small file") {
  const auto known = release_world();
  auto old = release(known, 2.0f, 9.0f, "1.0");
  const Baseline made = make_baseline(known, old, {.samples = 10'001, .seed = 7, .properties = factors(known)});
  CHECK(made.samples == 10'001);
  const auto same = gate(known, old, fl::testing::FailureRateBelow{.bound = 0.9, .seed = 7, .max_samples = 128});
  std::int64_t failures = 0;
  for (std::int64_t i = 0; i < 128; ++i) failures += made.failed(i) ? 1 : 0;
  CHECK(failures == same.failures());
  CHECK(std::abs(static_cast<double>(made.failures) / 10'001.0 - 0.0228) < 0.006);
  REQUIRE(made.properties.size() == 3);
  CHECK(std::abs(made.properties[0].low + 0.43) < 0.05);  // a normal's terciles
  CHECK(std::abs(made.properties[0].high - 0.43) < 0.05);

  // Of a property that has few values a third may be empty: it is left out.
  std::vector<fl::Property> few = factors(known);
  few[1].measure = [measure = few[1].measure](std::span<const float> image, const fl::ImageShape& shape) {
    return measure(image, shape) > -0.2 ? 1.0 : 0.0;
  };
  const Baseline tied = make_baseline(known, old, {.samples = 600, .seed = 7, .properties = few});
  REQUIRE(tied.properties.size() == 2);
  CHECK(tied.properties[1].name == "factor 2");

  const std::filesystem::path path = std::filesystem::temp_directory_path() / "faultline_release.baseline.json";
  write_baseline(path, made);
  CHECK(std::filesystem::file_size(path) < 10'000);
  const Baseline read = fl::testing::read_baseline(path);
  CHECK(read.outcomes == made.outcomes);
  CHECK(read.run == made.run);
  CHECK(read.properties == made.properties);
  CHECK(fl::testing::baseline_text(read) == fl::testing::baseline_text(made));
  std::filesystem::remove(path);
}

TEST_CASE("a baseline that is no baseline is refused with a code") {
  const auto known = release_world();
  auto old = release(known, 2.0f, 9.0f, "1.0");
  const std::string text = fl::testing::baseline_text(make_baseline(known, old, {.samples = 300, .properties = {}}));
  const auto code = [](const std::string& edited) {
    return code_of([&] { (void)fl::testing::baseline_from_text(edited, "here"); });
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.substr(0, at) + to + text.substr(at + from.size());
  };
  CHECK(code(text) == fl::ErrorCode{});
  CHECK(code("") == fl::ErrorCode::malformed_header);
  CHECK(code("{}") == fl::ErrorCode::foreign_format);
  CHECK(code(text.substr(0, text.size() / 2)) == fl::ErrorCode::malformed_header);  // cut short
  CHECK(code(replaced("faultline.baseline/1", "faultline.baseline/9")) == fl::ErrorCode::foreign_format);
  CHECK(code(replaced("\"samples\": 300", "\"samples\": 301")) == fl::ErrorCode::malformed_header);
  CHECK(code(replaced("\"samples\": 300", "\"samples\": -1")) == fl::ErrorCode::malformed_header);
  CHECK(code(replaced("\"samples\": 300", "\"samples\": 299")) == fl::ErrorCode::digest_mismatch);
  CHECK(code(replaced("\"classifier_name\": \"1.0\"", "\"classifier_name\": \"2.0\"")) ==
        fl::ErrorCode::digest_mismatch);
  CHECK(code(replaced("\"outcomes\": \"", "\"outcomes\": \"Z")) == fl::ErrorCode::malformed_header);
  CHECK(code_of([] { (void)fl::testing::read_baseline("/nowhere/baseline.json"); }) == fl::ErrorCode::cannot_open);
}

TEST_CASE("the same release is not worse than itself, a worse one is found out") {
  const auto known = release_world();
  auto old = release(known, 2.0f, 9.0f, "1.0");  // 2.3 %
  const Baseline baseline = make_baseline(known, old, {.samples = 10'000, .seed = 7, .properties = factors(known)});
  const auto same = gate(known, old, NotWorseThanBaseline{.baseline = baseline, .margin = 0.005});
  CHECK(same.passed());
  CHECK(same.samples() < 3'000);  // no pair differs
  auto better = release(known, 2.4f, 9.0f, "1.1");
  CHECK(gate(known, better, NotWorseThanBaseline{.baseline = baseline, .margin = 0.005}).passed());
  auto worse = release(known, 1.5f, 9.0f, "1.2");  // 6.7 %
  const auto found = gate(known, worse, NotWorseThanBaseline{.baseline = baseline, .margin = 0.005});
  CHECK(found.failed());
  CHECK(found.explain().find("at least 0.5 points higher than that of the baseline (1.0, digest of 1") !=
        std::string::npos);
  CHECK(found.statements().front().interval.lower > 0.005);
  CHECK(found.replay().find("fl::testing::NotWorseThanBaseline{.baseline = baseline") != std::string::npos);

  // A smoke run says so in its line, with the budget that decided it.
  const auto smoke =
      gate(known, old,
           NotWorseThanBaseline{.baseline = baseline, .smoke_samples = 200, .mode = fl::testing::GateMode::smoke});
  CHECK(smoke.undecided());
  CHECK(smoke.holds());
  CHECK(smoke.replay().find(".smoke_samples = 200, .mode = fl::testing::GateMode::smoke}") != std::string::npos);

  // As bad in another place: overall within a wide margin, but not where factor 1 is high.
  auto elsewhere = release(known, 2.4f, 2.4f, "1.3");
  const auto by_property = gate(known, elsewhere,
                                NotWorseThanBaseline{.baseline = baseline,
                                                     .margin = 0.02,
                                                     .by_property = true,
                                                     .property_margin = 0.005,
                                                     .properties = factors(known)});
  CHECK_FALSE(by_property.passed());
  CHECK(by_property.statements().size() == 10);
  CHECK(by_property.explain().find("where factor 1 is above 0.") != std::string::npos);
}

TEST_CASE("what was not made with this generator, preparation or criterion is refused") {
  const auto known = release_world();
  auto old = release(known, 2.0f, 9.0f, "1.0");
  const Baseline baseline = make_baseline(known, old, {.samples = 256, .properties = factors(known)});
  const fl::AnalyticGenerator other({.factors = 3, .channels = 32, .classes = 4, .seed = 2});
  auto there = release(other, 2.0f, 9.0f, "1.0");
  CHECK(code_of([&] { (void)gate(other, there, NotWorseThanBaseline{.baseline = baseline}); }) ==
        fl::ErrorCode::incompatible_models);
  CHECK(code_of([&] { (void)gate(known, old, NotWorseThanBaseline{.baseline = baseline}, fl::TrueClassBelow{0.5}); }) ==
        fl::ErrorCode::incompatible_models);
  Baseline prepared = baseline;
  prepared.input = "9x9 grey";
  CHECK(code_of([&] { (void)gate(known, old, NotWorseThanBaseline{.baseline = prepared}); }) ==
        fl::ErrorCode::incompatible_models);
  CHECK(code_of([&] { (void)gate(known, old, NotWorseThanBaseline{}); }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)gate(known, old, NotWorseThanBaseline{.baseline = baseline, .max_samples = 257}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)gate(known, old, NotWorseThanBaseline{.baseline = baseline, .margin = 0.0}); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] {
          (void)gate(known, old,
                     NotWorseThanBaseline{.baseline = baseline, .by_property = true});  // no measure of factors
        }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)make_baseline(known, old, {.samples = 0}); }) == fl::ErrorCode::invalid_argument);
}

TEST_CASE("a new condition of failure is named, the same one as before is not") {
  const auto known = release_world();
  auto old = release(known, 1.8f, 9.0f, "1.0");
  const Baseline baseline = make_baseline(known, old, {.samples = 10'000, .seed = 7, .properties = factors(known)});
  const NoNewCondition policy{.baseline = baseline, .margin = 0.02, .properties = factors(known)};
  const auto same = gate(known, old, policy);
  CHECK(same.passed());
  auto other = release(known, 9.0f, 1.8f, "2.0");  // as often, elsewhere
  const auto found = gate(known, other, policy);
  CHECK(found.failed());
  CHECK(found.statements().front().name.find("where factor 1 is above") == 0);
  CHECK(found.statements().front().verdict == GateVerdict::fail);
  CHECK(found.explain().find("new conditions of failure") != std::string::npos);
  // Too few samples to see it
  const Baseline few = make_baseline(known, old, {.samples = 300, .seed = 7, .properties = factors(known)});
  const auto blind = gate(known, old, NoNewCondition{.baseline = few, .margin = 0.02, .properties = factors(known)});
  CHECK(blind.undecided());
  CHECK(blind.explain().find("samples would do") != std::string::npos);
}

TEST_CASE("swapping within pairs: exact by brute force") {
  using fl::statistics::PairedCounts;
  using fl::statistics::swap_test;
  for (const PairedCounts inside :
       {PairedCounts{5, 3, 1, 1}, PairedCounts{3, 0, 4, 0}, PairedCounts{0, 5, 0, 0}, PairedCounts{6, 0, 0, 0}})
    for (const PairedCounts outside :
         {PairedCounts{15, 2, 3, 0}, PairedCounts{9, 0, 0, 0}, PairedCounts{20, 6, 1, 4}}) {
      const std::int64_t m = inside.only_first_fails + inside.only_second_fails,
                         k = outside.only_first_fails + outside.only_second_fails;
      const double seen = fl::statistics::paired_difference(inside) - fl::statistics::paired_difference(outside);
      std::int64_t as_large = 0;
      for (std::int64_t signs = 0; signs < (std::int64_t{1} << (m + k)); ++signs) {
        std::int64_t in = 0, out = 0;
        for (std::int64_t b = 0; b < m + k; ++b) (b < m ? in : out) += ((signs >> b) & 1) != 0 ? 1 : -1;
        const double difference = static_cast<double>(in) / static_cast<double>(inside.total()) -
                                  static_cast<double>(out) / static_cast<double>(outside.total());
        as_large += difference >= seen - 1e-12 ? 1 : 0;
      }
      CHECK(std::abs(swap_test(inside, outside) -
                     static_cast<double>(as_large) / static_cast<double>(std::int64_t{1} << (m + k))) < 1e-12);
    }
  CHECK(swap_test({}, {8, 1, 1}) == 1.0);
  CHECK_THROWS_AS(swap_test({3, -2, 2}, {10, 1, 1}), fl::Error);
}

namespace {

struct PairRates {
  double only_new = 0.0;
  double only_old = 0.0;
};

/// Runs a gate's watcher on outcomes drawn pair by pair; `inside` says which third of the one property a pair is in.
template <class Policy>
fl::testing::GateResult watched(Policy policy, std::int64_t samples, std::int64_t trial,
                                const std::array<PairRates, 3>& rates) {
  fl::core::CounterRandom random(19, fl::core::Stream::subsets, trial);
  Baseline& baseline = policy.baseline;
  baseline.run.generator_digest = "g";
  baseline.run.criterion = fl::criterion_name(fl::Misclassified{});
  baseline.properties = {{"third", 0.5, 1.5}};
  policy.properties = {{"third", [](std::span<const float>, const fl::ImageShape&) { return 0.0; }}};
  std::vector<std::uint8_t> now;
  std::vector<float> third;
  for (std::int64_t i = 0; i < samples; ++i) {
    third.push_back(static_cast<float>(i % 3));
    const PairRates& rate = rates[static_cast<std::size_t>(i % 3)];
    const double u = random.uniform();
    const bool only_new = u < rate.only_new, only_old = !only_new && u < rate.only_new + rate.only_old;
    now.push_back(only_new ? 1 : 0);
    if (i % 4 == 0) baseline.outcomes += '0';
    if (only_old) {
      const std::string digits = "0123456789abcdef";
      baseline.outcomes.back() = digits[digits.find(baseline.outcomes.back()) | (std::size_t{1} << (3 - i % 4))];
    }
  }
  baseline.samples = samples;
  const auto watcher = watch(policy, fl::classify::AnyCriterion(fl::Misclassified{}));
  watcher->begin({.classes = 2, .generator_digest = "g"});
  const std::vector<std::string> names{"third"};
  watcher->bind(names);
  const std::vector<float> right{1, 0}, wrong{0, 1};
  for (std::int64_t n = 0; n < watcher->budget() && !watcher->known(); ++n)
    watcher->add({.number = n,
                  .label = 0,
                  .prediction = 0,
                  .probabilities = now[static_cast<std::size_t>(n)] != 0 ? wrong : right,
                  .properties = {&third[static_cast<std::size_t>(n)], 1}});
  return watcher->conclude({});
}

}  // namespace

TEST_CASE("ten thousand comparisons at the margin err as seldom as they say", "[.slow]") {
  // The difference is the margin: neither verdict is right. 2 % and 1 % alone: .01.
  const PairRates at_margin{0.02, 0.01};
  std::int64_t passed = 0, failed = 0;
  for (std::int64_t trial = 0; trial < 10'000; ++trial) {
    const auto verdict = watched(NotWorseThanBaseline{.margin = 0.01}, 4'000, trial, {at_margin, at_margin, at_margin});
    passed += verdict.passed() ? 1 : 0;
    failed += verdict.failed() ? 1 : 0;
  }
  INFO(passed << " passed, " << failed << " failed");
  CHECK(passed <= most_events(10'000, 0.025));
  CHECK(failed <= most_events(10'000, 0.025));
}

TEST_CASE("without a difference half of the comparisons decide within 1.3 times the fixed number of samples") {
  // Failure rates of 2 % that have nothing to do with each other: .0196 alone on each side, variance .0392. A test of
  // fixed size with power .9 at a margin of .005 takes (1.96 + 1.28)² .0392 / .005² = 16 470 samples.
  const PairRates independent{0.0196, 0.0196};
  const std::int64_t allowed = static_cast<std::int64_t>(1.3 * 16'470);
  int decided = 0, wrong = 0;
  for (std::int64_t trial = 0; trial < 120; ++trial) {
    const auto verdict =
        watched(NotWorseThanBaseline{.margin = 0.005}, allowed, trial, {independent, independent, independent});
    decided += verdict.passed() ? 1 : 0;
    wrong += verdict.failed() ? 1 : 0;
  }
  INFO(decided << " of 120 decided");
  CHECK(decided >= 72);  // where the median is at the limit, 60 on average, and 72 once in fifty times
  CHECK(wrong == 0);
}

TEST_CASE("new conditions: false ones within the stated rate, and those of the stated size four times in five") {
  const PairRates same{0.02, 0.02};
  std::int64_t alarms = 0, found = 0;
  double detectable = 0.0;
  {
    const auto one = watched(NoNewCondition{.margin = 0.9}, 3'000, 0, {same, same, same});
    // what the texts state, from the counts: 20 + 20 of 1 000 pairs inside, 40 + 40 of 2 000 outside
    detectable = fl::statistics::detectable_effect({960, 20, 20}, {1'920, 40, 40}, 0.05 / 3.0);
    CHECK(one.statements().size() == 3);
  }
  const PairRates worse{0.02 + detectable / 2.0, 0.02 - detectable / 2.0};  // as many pairs that differ
  for (std::int64_t trial = 0; trial < 1'000; ++trial) {
    alarms += watched(NoNewCondition{.margin = 0.9}, 3'000, trial, {same, same, same}).failed() ? 1 : 0;
    found += watched(NoNewCondition{.margin = 0.9}, 3'000, trial, {same, worse, same}).failed() ? 1 : 0;
  }
  INFO(alarms << " alarms, " << found << " found of 1 000, " << detectable);
  CHECK(alarms <= most_events(1'000, 0.05));
  CHECK(found >= fewest_events(1'000, 0.75));
}
