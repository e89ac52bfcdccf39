// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conditions of failure on labelled rows without a generator: planted ones are heard and said as they are.
#include <faultline/analysis/detail/labelled_condition_parts.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/make_classifier.hpp>

#include <analysis/labelled_world.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fl = faultline;
namespace an = faultline::analysis;
using an::FailingValues;
using labelled_world::Logit;
using labelled_world::Names;
using labelled_world::names;
using labelled_world::quick;
using labelled_world::world;

TEST_CASE("two planted conditions are heard on labelled rows, and their bystander is not") {
  const fl::LabelledTable table =
      world(6000, 1, [](std::int64_t, const double* z) { return -2.0 + 1.6 * z[0] - 0.9 * z[2]; });
  const fl::LabelledConditions result = quick(table);
  CHECK(result.verdict == an::ConditionsVerdict::conditions_found);
  REQUIRE(names(result.conditions) == Names{"a", "c"});  // not b, which failures go with by itself
  const an::LabelledCondition &a = result.conditions[0], &c = result.conditions[1];
  CHECK(a.failing == FailingValues::more);
  CHECK(c.failing == FailingValues::less);
  CHECK(a.kind == an::ConditionKind::property);
  CHECK(a.properties == Names{"a"});
  CHECK(!a.class_label);
  CHECK(a.confirmed);
  CHECK(a.stability == 1.0);
  CHECK(a.share > c.share);
  CHECK(a.share_lower < a.share);
  CHECK(a.share < a.share_upper);
  CHECK(a.p == Approx(1.0 / 1000.0));  // of 999 permutations none is as large
  CHECK(a.p_adjusted <= 0.05);
  CHECK(result.reason == "2 conditions, chosen on 3000 images and confirmed on 3000 others: a, c.");
  CHECK(result.discovery.images == 3000);
  CHECK(result.confirmation.images == 3000);
  CHECK(result.discovery.failures + result.confirmation.failures == table.failures());
  CHECK(result.failure_rate.failures == table.failures());
  CHECK(result.share > a.share);

  // the curve of a: all rows, twelve bins, the truth in each within its interval
  REQUIRE(a.curves.size() == 1);
  const fl::ResponseCurve& curve = a.curves.front();
  REQUIRE(curve.bins.size() == 12);
  std::int64_t rows = 0;
  for (const an::ResponseBin& bin : curve.bins) rows += bin.rate.n;
  CHECK(rows == 6000);
  CHECK(curve.bins.front().rate.upper < 0.05);
  CHECK(curve.bins.back().rate.lower > 0.5);
  // b follows a: by itself it goes with failures, among images alike in a it does not; what a does, c leaves as it is
  double least = 1.0, most = 0.0;
  for (const an::ResponseBin& bin : curve.bins) {
    REQUIRE(bin.adjusted);
    CHECK(*bin.adjusted == Approx(bin.rate.estimate).margin(0.05));
    least = std::min(least, *bin.adjusted), most = std::max(most, *bin.adjusted);
  }
  CHECK(most - least > 0.6);
  CHECK(a.sentence.rfind("Failures go with high a: among images alike in the other conditions, ", 0) == 0);
  CHECK(c.sentence.rfind("Failures go with low c: among images alike in the other conditions, ", 0) == 0);

  // the same again is the same, another seed another split
  CHECK(quick(table) == result);
  CHECK(!(quick(table, 2) == result));
}

TEST_CASE("an adjusted curve is what it is where the other condition does not come along") {
  // b comes along with a, so that the plain curve of b mixes the two, and even turns it round
  const fl::LabelledConditions result =
      quick(world(20'000, 12, [](std::int64_t, const double* z) { return -1.0 + 2.0 * z[0] - 1.0 * z[1]; }));
  REQUIRE(names(result.conditions) == Names{"a", "b"});
  const an::LabelledCondition& b = result.conditions[1];
  CHECK(b.failing == FailingValues::less);
  const auto& bins = b.curves.front().bins;
  CHECK(bins.back().rate.estimate > bins.front().rate.estimate + 0.05);
  for (const an::ResponseBin& bin : bins) {
    // the truth by integration over a, which is independent of the b that is set
    double truth = 0.0, weight = 0.0;
    for (double a = -5.0; a <= 5.0; a += 0.05) {
      const double density = std::exp(-0.5 * a * a);
      truth += density / (1.0 + std::exp(1.0 - 2.0 * a + 1.0 * *bin.median)), weight += density;
    }
    REQUIRE(bin.adjusted);
    CHECK(*bin.adjusted == Approx(truth / weight).margin(0.04));
  }
}

TEST_CASE("shapes of labelled conditions are said as they are") {
  struct Shape {
    const char* what;
    Logit logit;
    FailingValues failing;
    Names found;
  };
  const std::vector<Shape> shapes = {
      {"both ends",
       [](std::int64_t, const double* z) { return -2.5 + 1.2 * z[2] * z[2]; },
       FailingValues::both_ends,
       {"c"}},
      {"in between",
       [](std::int64_t, const double* z) { return std::abs(z[2]) < 0.5 ? 0.5 : -3.0; },
       FailingValues::in_between,
       {"c"}},
      {"alike",
       [](std::int64_t, const double* z) { return -1.5 + 1.5 * z[2] * z[3]; },
       FailingValues::alike,
       {"c with d"}},
      {"opposite",
       [](std::int64_t, const double* z) { return -1.5 - 1.5 * z[2] * z[3]; },
       FailingValues::opposite,
       {"c with d"}},
  };
  for (const Shape& shape : shapes) {
    INFO(shape.what);
    const fl::LabelledConditions result = quick(world(6000, 3, shape.logit));
    REQUIRE(names(result.conditions) == shape.found);
    const an::LabelledCondition& own = result.conditions.front();
    CHECK(own.failing == shape.failing);
    const bool pair = own.kind == an::ConditionKind::pair;
    REQUIRE(own.curves.size() == (pair ? 2 : 1));
    if (!pair) continue;
    // of a pair, the first property turns its direction with the second
    const auto slope = [](const fl::ResponseCurve& curve) {
      return curve.bins.back().rate.estimate - curve.bins.front().rate.estimate;
    };
    const double sign = shape.failing == FailingValues::alike ? 1.0 : -1.0;
    CHECK(sign * slope(own.curves[0]) < -0.2);
    CHECK(sign * slope(own.curves[1]) > 0.2);
    CHECK(own.curves[0].among.rfind("d up to ", 0) == 0);
    CHECK(own.curves[1].among.rfind("d above ", 0) == 0);
    CHECK(own.curves[0].property == "c");
  }
}

TEST_CASE("a condition of one class is said to be that class's") {
  fl::LabelledTable table = world(
      8000, 4, [](std::int64_t label, const double* z) { return label == 2 ? -1.0 + 2.0 * z[3] : -2.0; }, 4);
  table.class_names = {"cat", "dog", "cow", "hen"};
  const fl::LabelledConditions result = quick(table);
  REQUIRE(names(result.conditions) == Names{"d in class 2"});
  const an::LabelledCondition& own = result.conditions.front();
  CHECK(own.class_label == std::int64_t{2});
  CHECK(own.sentence.rfind("In class cow, failures go with high d: ", 0) == 0);
  CHECK(!own.curves.front().bins.front().adjusted);  // there is no other condition
  std::int64_t rows = 0;
  for (const an::ResponseBin& bin : own.curves.front().bins) rows += bin.rate.n;
  CHECK(rows == std::count(table.label.begin(), table.label.end(), 2));
  CHECK(own.curves.front().class_label == std::int64_t{2});
}

TEST_CASE("from images to conditions, a classifier that noise blinds is found out") {
  // a bar that stands or lies, of 3 to 6 pixels somewhere in 28 x 28, under noise of a deviation of 0 to .2
  constexpr std::int64_t side = 28, count = 1500;
  fl::LabelledImages images{.count = count, .height = side, .width = side, .classes = 2};
  fl::core::CounterRandom random(5, fl::core::Stream::permutations, 3);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = random.below(2), thick = 3 + random.below(4), at = 4 + random.below(14);
    const double noise = 0.2 * random.uniform();
    images.labels.push_back(static_cast<std::uint8_t>(label));
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        const std::int64_t across = label == 0 ? x : y, along = label == 0 ? y : x;
        const double ink = across >= at && across < at + thick && along > 3 && along < 24 ? 0.9 : 0.05;
        images.pixels.push_back(static_cast<std::uint8_t>(255.0 * std::clamp(ink + noise * random.normal(), 0.0, 1.0)));
      }
  }
  // sees which way the bar runs, but where neighbours in the frame of two pixels differ much it answers the other way
  auto blinded = fl::make_classifier(
      [](fl::ImageView view, fl::ScoreMatrix& scores) {
        scores.resize(view.count(), 2);
        for (std::int64_t i = 0; i < view.count(); ++i) {
          const auto pixels = view.image(i);
          const auto pixel = [&](std::int64_t x, std::int64_t y) {
            return static_cast<double>(pixels[static_cast<std::size_t>(y * side + x)]);
          };
          double rows = 0.0, columns = 0.0, rough = 0.0;
          for (std::int64_t a = 0; a < side; ++a) {
            double row = 0.0, column = 0.0;
            for (std::int64_t b = 0; b < side; ++b) row += pixel(b, a), column += pixel(a, b);
            rows += row * row, columns += column * column;
            rough += std::abs(pixel(a, 0) - pixel(a, 1));
          }
          const bool lies = rows > columns, wrong = rough > 0.11 * side;
          scores(i, 0) = lies == wrong ? 1.0f : -1.0f;
          scores(i, 1) = -scores(i, 0);
        }
      },
      {.classes = 2, .scores = fl::Scores::logits, .input = {.height = side, .width = side}});
  const fl::LabelledTable table = fl::measure_labelled_images(images, blinded);
  CHECK(table.property_units[0] == "");
  CHECK(table.property_units[1] == "px");  // blur
  CHECK(table.failures() > 200);
  CHECK(table.failures() < 1200);
  const fl::LabelledConditions result = quick(table);
  REQUIRE(!result.conditions.empty());
  CHECK(result.conditions.front().name == "noise level");
  // what noise bends a little, such as the slant of a bar, may say more of the noise than the property does
  for (std::size_t k = 1; k < result.conditions.size(); ++k) CHECK(result.conditions[k].share < 0.05);
  CHECK(result.conditions.front().failing == FailingValues::more);
  CHECK(result.conditions.front().share > 0.4);
  const auto& bins = result.conditions.front().curves.front().bins;
  CHECK(bins.front().rate.failures == 0);
  CHECK(bins.back().rate.lower > 0.5);
}

TEST_CASE("two conditions that are worse together are said to be an interaction") {
  const fl::LabelledConditions result = quick(world(
      12'000, 13, [](std::int64_t, const double* z) { return -2.0 + 1.2 * z[2] + 1.2 * z[3] + 0.9 * z[2] * z[3]; }));
  std::vector<std::string> found = names(result.conditions);
  std::sort(found.begin(), found.end());
  REQUIRE(found == Names{"c", "d"});
  REQUIRE(result.interactions.size() == 1);
  const an::LabelledInteraction& both = result.interactions.front();
  CHECK(both.confirmed);
  CHECK(Names{std::min(both.first, both.second), std::max(both.first, both.second)} == Names{"c", "d"});
  CHECK(both.share > 0.005);
  CHECK(both.p_adjusted <= 0.05);
}

TEST_CASE("a pair that fails at one corner is said to fail there") {
  struct Corner {
    double c, d;
    FailingValues failing;
  };
  for (const Corner& corner : {Corner{1, 1, FailingValues::both_more}, Corner{1, -1, FailingValues::more_less},
                               Corner{-1, 1, FailingValues::less_more}, Corner{-1, -1, FailingValues::both_less}}) {
    an::Condition pair{.kind = an::ConditionKind::pair, .properties = {2, 3}, .terms = {}};
    pair.terms = {{.kind = an::TermKind::pair, .property = 2, .other = 3},
                  {.kind = an::TermKind::value, .property = 2},
                  {.kind = an::TermKind::value, .property = 3}};
    // c d plus c and d themselves, each towards its corner
    const std::vector<double> coefficients = {corner.c * corner.d, 0.7 * corner.c, 0, 0, 0, 0.7 * corner.d, 0, 0, 0};
    CHECK(an::detail::failing_corners(pair, coefficients) == corner.failing);
  }
}
