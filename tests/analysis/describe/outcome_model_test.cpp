// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the failures of generated images predict for other images, against the rule that made them.

#include <support/catch2.hpp>

#include <faultline/analysis/describe/outcome_model.hpp>
#include <faultline/core/random.hpp>
#include <faultline/error.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace fl = faultline;

constexpr std::int64_t classes = 3;

/// P(failure) by class, by a property that matters in a straight line and by one that matters at both ends.
double risk(std::int64_t label, double a, double b) {
  return 1.0 / (1.0 + std::exp(2.0 - 0.5 * static_cast<double>(label) - 1.2 * a - 0.5 * (b * b - 1.0)));
}

/// Images with properties whose unit is far from a normal score; every one in nine is not valid and fails.
fl::Population generated(std::int64_t first, std::int64_t count) {
  fl::Population population;
  population.properties.resize(count, 3);
  for (std::int64_t i = 0; i < count; ++i) {
    fl::core::CounterRandom random(3, fl::core::Stream::start_latents, first + i);
    const double a = random.normal(), b = random.normal();
    const std::int64_t label = (first + i) % classes;
    population.index.push_back(first + i);
    population.label.push_back(label);
    population.valid.push_back(i % 9 != 0 ? 1 : 0);
    population.failed.push_back(i % 9 == 0 || random.uniform() < risk(label, a, b) ? 1 : 0);
    population.properties(i, 0) = static_cast<float>(std::exp(a) + static_cast<double>(10 * label));
    population.properties(i, 1) = static_cast<float>(random.normal());
    population.properties(i, 2) = static_cast<float>(b * b * b);
  }
  return population;
}

fl::Problem problem() {
  fl::Problem problem;
  problem.classes = classes;
  problem.property_names = {"a", "nothing", "b"};
  problem.has_judge = true;
  problem.discovery = generated(0, 9000);
  problem.confirmation = generated(1'000'000, 9000);
  return problem;
}

/// Other images of which more have a high a: columns in another order.
fl::LabelledTable shifted(std::int64_t count, double by, std::vector<double>& truth) {
  fl::LabelledTable table;
  table.property_names = {"b", "a"};
  table.classes = classes;
  table.properties.resize(count, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    fl::core::CounterRandom random(4, fl::core::Stream::start_latents, i);
    const double a = by + 0.5 * random.normal(), b = random.normal();
    const std::int64_t label = i % classes;
    table.index.push_back(i);
    table.label.push_back(label);
    table.prediction.push_back(label);
    table.failed.push_back(0);
    table.probability.push_back(0.9f);
    table.margin.push_back(0.8f);
    table.properties(i, 0) = static_cast<float>(b * b * b);
    table.properties(i, 1) = static_cast<float>(std::exp(a) + static_cast<double>(10 * label));
    truth.push_back(risk(label, a, b));
  }
  return table;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

fl::ErrorCode code_of(const fl::OutcomeModel& model, const fl::LabelledTable& table) {
  try {
    (void)model.predict(table);
  } catch (const fl::Error& error) {
    return error.code();
  }
  return static_cast<fl::ErrorCode>(0);
}

}  // namespace

TEST_CASE("images of another mix fail as the rule says that made the generated ones", "[analysis][describe]") {
  const fl::OutcomeModel model(problem(), {"a", "b"});
  for (const double by : {-1.0, 0.0, 1.0}) {
    std::vector<double> truth;
    const fl::LabelledTable table = shifted(3000, by, truth);
    const std::vector<double> predicted = model.predict(table);
    REQUIRE(predicted.size() == truth.size());
    CHECK(mean(predicted) == Approx(mean(truth)).margin(0.02));
    double error = 0.0;
    for (std::size_t i = 0; i < truth.size(); ++i) error += std::abs(predicted[i] - truth[i]);
    CHECK(error / static_cast<double>(truth.size()) < 0.03);
  }
}

TEST_CASE("a model of outcomes refuses what it cannot predict", "[analysis][describe][errors]") {
  std::vector<double> truth;
  fl::LabelledTable table = shifted(30, 0.0, truth);
  const fl::Problem known = problem();
  CHECK_THROWS_WITH(fl::OutcomeModel(known, {"c"}), ContainsSubstring("generated images were not measured for \"c\""));
  CHECK(code_of(fl::OutcomeModel(known, {"nothing"}), table) == fl::ErrorCode::invalid_argument);
  const fl::OutcomeModel model(known, {"a"});
  table.classes = 9;
  table.label[3] = 8;
  CHECK(code_of(model, table) == fl::ErrorCode::incompatible_models);
  CHECK_THROWS_AS(fl::OutcomeModel(fl::Problem{}, {}), fl::Error);
}
