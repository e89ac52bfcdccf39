// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <analysis/synthetic_problem.hpp>

#include <faultline/analysis/compare/accuracy_distance.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/compare/detail/paired_distances.hpp>
#include <faultline/analysis/compare/detail/separations.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <statistics/support.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

using Rule = std::function<double(const std::vector<double>& u, std::int64_t label, std::int64_t hash)>;

/// Classifiers that follow these rules, on the same synthetic samples.
struct Classifiers {
  fl::analysis::ComparisonProblem problem;
  std::shared_ptr<std::vector<synthetic::Setup>> setups = std::make_shared<std::vector<synthetic::Setup>>();
  /// Made in all, however many classifiers saw them
  std::shared_ptr<std::int64_t> images = std::make_shared<std::int64_t>(0);

  [[nodiscard]] const synthetic::Setup& world() const { return setups->front(); }
};

Classifiers make_classifiers(synthetic::World world, const std::vector<Rule>& rules, std::int64_t samples,
                             std::int64_t seed = 1) {
  Classifiers classifiers;
  for (std::size_t k = 0; k < rules.size(); ++k) {
    world.probability = rules[k];
    classifiers.setups->push_back(synthetic::make(world, samples, seed));
    const fl::Problem& own = classifiers.setups->back().problem;
    classifiers.problem.names.push_back("rule " + std::to_string(k));
    classifiers.problem.discovery.push_back(own.discovery);
    classifiers.problem.confirmation.push_back(own.confirmation);
  }
  classifiers.problem.common = classifiers.setups->front().problem;
  classifiers.problem.sample = [setups = classifiers.setups](std::int64_t first, std::int64_t count) {
    std::vector<fl::Population> all;
    for (const auto& setup : *setups) all.push_back(setup.problem.sample(first, count));
    return all;
  };
  classifiers.problem.common.answer_edits = [setups = classifiers.setups, images = classifiers.images](
                                                std::span<const fl::analysis::EditedLatent> edits,
                                                const fl::analysis::WantedAnswers& wanted) {
    *images += static_cast<std::int64_t>(edits.size());
    std::vector<std::size_t> asked = wanted.classifiers;
    if (asked.empty())
      for (std::size_t c = 0; c < setups->size(); ++c) asked.push_back(c);
    fl::analysis::EditAnswers all = (*setups)[asked.front()].problem.answer_edits(edits, wanted);
    for (std::size_t k = 1; k < asked.size(); ++k)
      all.classifiers.push_back((*setups)[asked[k]].problem.answer_edits(edits, wanted).first());
    return all;
  };
  return classifiers;
}

fl::ComparisonOptions quick() {
  fl::ComparisonOptions options;
  options.method.permutations = 999;
  options.method.half_samples = 0;
  options.method.intervention_latents = 1024;
  options.method.fraction_latents = 1024;
  options.method.properties.clear();
  options.bootstrap_replicates = 499;
  options.accuracy_channels = 10;
  return options;
}

/// Uniform in (0, 1), a function of the sample and of the classifier.
double chance(std::int64_t hash, std::int64_t classifier) {
  return fl::core::CounterRandom(500 + classifier, fl::core::Stream::subsets, hash).uniform();
}

Rule above(std::size_t factor, double level) {
  return [=](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(u[factor] - level);
  };
}
Rule random_errors(std::int64_t classifier, double rate) {
  return [=](const auto&, std::int64_t, std::int64_t hash) { return chance(hash, classifier) < rate ? 0.1 : 0.9; };
}
double never(const std::vector<double>&, std::int64_t, std::int64_t) { return 0.9; }

template <class Call>
fl::ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return static_cast<fl::ErrorCode>(0);
}

}  // namespace

/// Images are valid where a factor lies below a level, whatever the classifiers say.
void add_judge(Classifiers& classifiers, std::size_t factor, double level) {
  const auto setups = classifiers.setups;
  const auto valid = [setups, factor, level](std::span<const float> w, std::int64_t label) -> std::uint8_t {
    return setups->front().factors(w, label)[factor] < level ? 1 : 0;
  };
  const auto judged = [valid](fl::Population& population) {
    for (std::int64_t i = 0; i < population.size(); ++i)
      population.valid.push_back(valid(population.w.row_span(i), population.label[static_cast<std::size_t>(i)]));
  };
  classifiers.problem.common.has_judge = true;
  for (auto* split : {&classifiers.problem.discovery, &classifiers.problem.confirmation})
    for (fl::Population& own : *split) judged(own);
  classifiers.problem.sample = [sample = classifiers.problem.sample, judged](std::int64_t first, std::int64_t count) {
    auto all = sample(first, count);
    for (fl::Population& own : all) judged(own);
    return all;
  };
  classifiers.problem.common.answer_edits = [answer = classifiers.problem.common.answer_edits, valid](
                                                std::span<const fl::analysis::EditedLatent> edits,
                                                const fl::analysis::WantedAnswers& wanted) {
    fl::analysis::EditAnswers answers = answer(edits, wanted);
    if (!wanted.judge) return answers;
    const fl::analysis::EditBatch batch = fl::analysis::lay_out(edits);
    for (std::int64_t i = 0; i < batch.w.rows(); ++i)
      answers.judge_agrees.push_back(valid(batch.w.row_span(i), batch.label[static_cast<std::size_t>(i)]));
    return answers;
  };
}

bool within(const fl::analysis::Attributable& measured, double truth) {
  return measured.fraction && *measured.lower <= truth && truth <= *measured.upper;
}

TEST_CASE("a fault that only one of two classifiers has is what separates them", "[analysis][compare]") {
  synthetic::World world;
  world.properties = 5;
  const Rule shared = above(0, 1.2);
  const Rule more = [&](const std::vector<double>& u, std::int64_t label, std::int64_t hash) {
    return std::min(shared(u, label, hash), synthetic::fails_above(-u[3] - 1.3));
  };
  const Classifiers classifiers = make_classifiers(world, {shared, more}, 2500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());

  REQUIRE(report.classifiers.size() == 2);
  CHECK(report.classifiers[0].verdict == fl::Verdict::systematic_causes);
  REQUIRE(report.classifiers[0].findings.size() == 1);
  CHECK(report.classifiers[0].findings.front().title == "property 0");
  CHECK(report.classifiers[0].findings.front().headline.find("With property 0 at its usual level, ") == 0);
  CHECK(within(report.classifiers[0].findings.front().attributable, 1.0));
  REQUIRE(report.classifiers[1].findings.size() == 2);
  CHECK(report.classifiers[0].failure_rate.n == 5000);
  CHECK(!report.classifiers[0].blame);  // nobody judges

  REQUIRE(report.pairs.size() == 1);
  const fl::analysis::PairComparison& pair = report.pairs.front();
  CHECK(pair.test.counts.only_first_fails == 0);  // the second has every fault of the first
  CHECK(pair.test.counts.only_second_fails > 200);
  CHECK(pair.test.counts.total() == 5000);
  CHECK(pair.test.p < 1e-6);
  CHECK(pair.test.upper < -0.05);
  CHECK(pair.test.difference ==
        Approx(report.classifiers[0].failure_rate.estimate - report.classifiers[1].failure_rate.estimate));

  REQUIRE(pair.orders.size() == 2);
  const fl::analysis::OrderedComparison& better = pair.orders[0];
  CHECK(better.right == 0);
  CHECK(better.wrong == 1);
  CHECK(better.verdict == fl::Verdict::systematic_causes);
  CHECK(better.rate.failures == pair.test.counts.only_second_fails);
  CHECK(better.rate.n == pair.test.counts.only_second_fails + pair.test.counts.both_right);
  REQUIRE(better.class_rates.size() == 3);
  // property 3 alone: the fault that they share parts nobody
  REQUIRE(better.conditions.size() == 1);
  CHECK(better.others.empty());
  const fl::analysis::SeparatingCondition& first = better.conditions.front();
  INFO(first.finding.headline);
  CHECK(first.finding.title == "property 3");
  CHECK(first.finding.condition.sign == -1);
  CHECK(classifiers.world().along(first.finding.direction.w, 3) < -0.9);
  CHECK(std::abs(classifiers.world().along(first.finding.direction.w, 0)) < 0.2);
  CHECK(first.finding.confirmation.p_adjusted <= 0.05);
  CHECK(first.finding.intervention.decision == fl::Decision::changes);
  CHECK(within(first.finding.attributable, 1.0));
  REQUIRE(first.difference);
  // between −2 and +2: the other fails from u3 < −1.3 on where u0 < 1.2, that is Φ(.7) − Φ(−3.3) of .885
  const double wrong = 0.885 * 0.7575;
  CHECK(first.wrong_change->lower <= wrong);
  CHECK(first.wrong_change->upper >= wrong);
  CHECK(std::abs(first.right_change->estimate) < 0.05);
  CHECK(first.right_change->lower <= 0.0);
  CHECK(first.right_change->upper >= 0.0);
  CHECK(first.difference->estimate == Approx(first.wrong_change->estimate - first.right_change->estimate));
  CHECK(first.difference->lower > 0.0);
  CHECK(first.latents >= 128);
  REQUIRE(!first.finding.side_effects.empty());
  CHECK(first.finding.side_effects.front().name == "property 3");
  CHECK(first.finding.side_effects.front().strength < -2.0);
  REQUIRE(first.finding.response.size() == 1);
  const auto& bins = first.finding.response.front().bins;
  REQUIRE(bins.size() > 3);
  CHECK(bins.front().rate.estimate > 0.5);  // of what the one gets right, the other fails
  CHECK(bins.back().rate.estimate < 0.05);
  std::int64_t samples = 0;
  for (const auto& bin : bins) samples += bin.rate.n;
  CHECK(samples == better.rate.n);
  CHECK(first.finding.headline.find("rule 0 is right and rule 1 wrong with less property 3: moving it changes the "
                                    "failure rate of rule 1 by ") == 0);
  CHECK(better.reason.find("with less property 3") != std::string::npos);

  CHECK(pair.orders[1].verdict == fl::Verdict::too_few_failures);
  CHECK(pair.orders[1].conditions.empty());
  CHECK(pair.orders[1].reason == "There is no sample on which rule 1 is right and rule 0 is wrong.");

  // The same latents at the usual level of each cause: what either classifier loses, in closed form.
  const double both = 0.115070, single = 0.096800, all = both + single - both * single;
  REQUIRE(report.fractions.size() == 3);
  for (const fl::analysis::PairedFraction& fraction : report.fractions) {
    INFO(fraction.title << " of " << fraction.source);
    const bool common = fraction.title == "property 0";
    REQUIRE(fraction.fractions.size() == 2);
    CHECK(fraction.fractions[0].latents == 1024);
    CHECK(within(fraction.fractions[0], common ? 1.0 : 0.0));
    CHECK(within(fraction.fractions[1], common ? 1.0 - single / all : 1.0 - both / all));
    REQUIRE(fraction.differences.size() == 1);
    REQUIRE(fraction.differences[0].difference);
    const fl::analysis::Share& difference = *fraction.differences[0].difference;
    CHECK(difference.estimate == Approx(*fraction.fractions[0].fraction - *fraction.fractions[1].fraction));
    const double truth = common ? single / all : both / all - 1.0;
    CHECK(difference.lower <= truth);
    CHECK(difference.upper >= truth);
    CHECK((common ? difference.lower > 0.2 : difference.upper < -0.2));
  }
  CHECK(report.fractions[0].source == "rule 0");
  CHECK(report.fractions[2].source == "rule 1");
}

TEST_CASE("a fault of the one does not become a fault of the other in the opposite direction", "[analysis][compare]") {
  // Compared with all other samples, "rule 1 right and rule 0 wrong" would lie where rule 1 does not fail, although
  // rule 0 errs at random.
  synthetic::World world;
  world.properties = 3;
  const Classifiers classifiers = make_classifiers(world, {random_errors(0, 0.12), above(1, 0.5)}, 2500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  const auto& orders = report.pairs.front().orders;
  CHECK(orders[1].right == 1);
  CHECK(orders[1].verdict == fl::Verdict::none_found);
  CHECK(orders[1].conditions.empty());
  CHECK(orders[1].others.empty());
  REQUIRE(orders[1].smallest_detectable);
  CHECK(orders[1].smallest_detectable->effect > 0.02);
  CHECK(orders[1].smallest_detectable->effect < 0.5);
  REQUIRE(orders[0].conditions.size() == 1);
  CHECK(orders[0].conditions.front().finding.title == "property 1");
  CHECK(classifiers.world().along(orders[0].conditions.front().finding.direction.w, 1) > 0.9);
}

TEST_CASE("a shared fault with a blurred border parts nobody", "[analysis][compare]") {
  const auto noisy = [](std::int64_t classifier) -> Rule {
    return [=](const std::vector<double>& u, std::int64_t, std::int64_t hash) {
      return synthetic::fails_above(u[2] + 1.2 * (chance(hash, classifier) - 0.5) - 1.0);
    };
  };
  synthetic::World world;
  world.properties = 3;
  const Classifiers classifiers = make_classifiers(world, {noisy(0), noisy(1)}, 3000);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  for (const auto& order : report.pairs.front().orders) {
    INFO(order.reason);
    CHECK(order.conditions.empty());
    CHECK(order.verdict == fl::Verdict::systematic_without_cause);
    REQUIRE(!order.others.empty());  // such samples do lie near the border
    const auto& other = order.others.front();
    INFO(other.finding.headline);
    CHECK(other.finding.title == "property 2");
    REQUIRE(other.difference);
    CHECK(other.difference->lower <= 0.0);
    CHECK(other.right_change->estimate == Approx(other.wrong_change->estimate).margin(0.1));
  }
}

TEST_CASE("a fault in one class separates two classifiers in that class, and a class that one alone fails is said",
          "[analysis][compare]") {
  synthetic::World world;
  world.properties = 3;
  const Rule one_class = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label == 1 ? synthetic::fails_above(u[0] - 0.7) : 0.9;
  };
  const Rule no_twos = [](const std::vector<double>&, std::int64_t label, std::int64_t) {
    return label == 2 ? 0.1 : 0.9;
  };
  const Classifiers classifiers = make_classifiers(world, {never, one_class, no_twos}, 2500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  REQUIRE(report.pairs.size() == 3);
  const auto& class_one = report.pairs[0].orders[0];
  REQUIRE(class_one.conditions.size() == 1);
  const fl::Finding& finding = class_one.conditions.front().finding;
  CHECK(finding.condition.class_label == std::optional<std::int64_t>(1));
  CHECK(finding.title == "property 0 in class 1");
  CHECK(class_one.class_rates[1].lower > 0.15);
  CHECK(class_one.class_rates[0].failures == 0);

  const auto& twos = report.pairs[1].orders[0];
  CHECK(twos.verdict == fl::Verdict::systematic_without_cause);
  CHECK(twos.conditions.empty());
  REQUIRE(twos.class_findings.size() == 1);
  CHECK(twos.class_findings.front().class_label == 2);
  CHECK(twos.reason.find("Where rule 0 is right, of rule 2: Class 2 is always answered 0") != std::string::npos);
}

TEST_CASE("what the judge cannot read parts nobody, and is no failure of a classifier", "[analysis][compare]") {
  synthetic::World world;
  world.properties = 4;
  // the second fails where u1 is high, which the judge does not read either, and where u0 is
  const Rule unreadable = [](const std::vector<double>& u, std::int64_t, std::int64_t) {
    return synthetic::fails_above(std::max(u[0] - 1.2, u[1] - 1.0));
  };
  Classifiers classifiers = make_classifiers(world, {never, unreadable}, 2500);
  add_judge(classifiers, 1, 1.0);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  REQUIRE(report.classifiers[1].blame);
  const double own = 0.841345 * 0.115070, unread = 0.158655;
  CHECK(report.classifiers[1].blame->classifier.lower <= own / (own + unread));
  CHECK(report.classifiers[1].blame->classifier.upper >= own / (own + unread));
  CHECK(!report.classifiers[0].blame);  // never fails
  REQUIRE(report.classifiers[1].findings.size() == 1);
  CHECK(report.classifiers[1].findings.front().title == "property 0");
  const auto& order = report.pairs.front().orders[0];
  REQUIRE(order.conditions.size() == 1);
  CHECK(order.conditions.front().finding.title == "property 0");
  CHECK(order.others.empty());
  CHECK(order.rate.lower <= 0.115070);  // among valid images
  CHECK(order.rate.upper >= 0.115070);
  CHECK(report.pairs.front().test.difference < -0.2);  // the rates count every failure
  for (const auto& along : report.distances) {
    const fl::analysis::ComparedDistance& second = along.distances[1];
    if (along.title == "more property 1") {
      REQUIRE(second.validity.agreement);
      CHECK(second.validity.agreement->estimate < 0.2);  // both give way at once
      CHECK(second.validity.decision == fl::analysis::ValidityDecision::mostly_invalid);
    }
    if (along.title == "more property 0") CHECK(second.validity.agreement->estimate == 1.0);
  }
}

TEST_CASE("conditions of all orders are tested together", "[analysis][compare]") {
  using fl::analysis::detail::OrderTest;
  const auto test = [](std::vector<double> p, double share) {
    OrderTest order;
    for (const double value : p) {
      auto& condition = order.tested.conditions.emplace_back();
      condition.test.p = value;
      condition.test.gain.share = share;
      condition.confirmed = true;  // as it was by itself
    }
    return order;
  };
  fl::analysis::ConditionOptions options;
  std::vector<OrderTest> alone = {test({0.02, 0.004}, 0.1)};
  fl::analysis::detail::adjust_together(alone, options);
  CHECK(alone[0].confirmed() == 2);
  CHECK(alone[0].tested.conditions[1].test.p_adjusted == Approx(0.008));
  std::vector<OrderTest> together = {test({0.02, 0.004}, 0.1), test({0.5, 0.3}, 0.1), test({0.001}, 0.001)};
  together[1].tested.interactions.emplace_back().test.p = 0.9;
  fl::analysis::detail::adjust_together(together, options);
  CHECK(together[0].tested.conditions[1].test.p_adjusted == Approx(5 * 0.004));
  CHECK(together[0].tested.conditions[0].test.p_adjusted == Approx(4 * 0.02));
  CHECK(together[0].confirmed() == 1);
  CHECK(together[1].confirmed() == 0);
  CHECK(together[2].confirmed() == 0);  // explains too little
  CHECK(together[2].tested.conditions[0].test.p_adjusted == Approx(6 * 0.001));

  // The exact test of the first condition can reach its share of the error, however many orders there are.
  fl::analysis::MethodOptions method;
  CHECK(fl::analysis::detail::order_permutations(method, 2) == 9'999);
  CHECK(fl::analysis::detail::order_permutations(method, 380) == 76'000);
}

TEST_CASE("a condition that was not moved because it is minor is not said to be out of the generator's reach",
          "[analysis][compare]") {
  fl::analysis::SeparatingCondition condition;
  condition.finding.title = "width";
  const auto headline = [&] { return fl::analysis::detail::separating_headline(condition, "A", "B", false); };
  CHECK(headline() ==
        "A is right and B wrong with width, but this generator does not move it: whether it separates them cannot be "
        "told.");
  condition.finding.condition.is_minor = true;
  CHECK(headline() ==
        "A is right and B wrong with width a little: it explains less than a fortieth of what all conditions explain, "
        "and was not moved.");
}

TEST_CASE("distances are paired, and one image serves all classifiers", "[analysis][compare]") {
  synthetic::World world;
  world.properties = 3;
  const Classifiers classifiers = make_classifiers(world, {above(0, 1.0), above(0, 2.0), never}, 2500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  REQUIRE(report.distances.size() >= 7);  // three properties either way, and the causes of two classifiers
  const fl::analysis::PairedDistance& more = report.distances.front();
  CHECK(more.title == "more property 0");
  CHECK(more.source == "property");
  CHECK(more.latents == 64);
  REQUIRE(more.distances.size() == 3);
  const double unit = classifiers.world().along(more.direction.w, 0);
  CHECK(unit == Approx(1.0).margin(0.05));
  CHECK(more.distances[0].sigmas == Approx(1.2).margin(0.45));  // the median of a normal below 1 is −.2
  CHECK(more.distances[1].sigmas - more.distances[0].sigmas == Approx(1.0 / unit).margin(0.021));
  CHECK(more.distances[0].crossed_share == 1.0);
  // the property itself at the flip is the level of either rule
  for (const std::size_t c : {std::size_t{0}, std::size_t{1}}) {
    REQUIRE(more.distances[c].at_flip.size() == 1);
    const fl::analysis::PropertyAtFlip& at_flip = more.distances[c].at_flip.front();
    CHECK(at_flip.name == "property 0");
    CHECK(at_flip.flips == 64);
    CHECK(at_flip.median == Approx(c == 0 ? 1.0 : 2.0).margin(0.2));  // measured with noise of .3
    CHECK(at_flip.quartile_low < at_flip.median);
    CHECK(at_flip.quartile_high > at_flip.median);
  }
  CHECK(more.distances[2].at_flip.empty());
  CHECK(std::isinf(more.distances[2].sigmas));
  CHECK(more.distances[2].crossed_share == 0.0);
  REQUIRE(more.ratios.size() == 3);
  REQUIRE(more.ratios[0].ratio);
  CHECK(*more.ratios[0].ratio == Approx(more.distances[1].sigmas / more.distances[0].sigmas));
  CHECK(more.ratios[0].lower > 1.3);
  CHECK(more.ratios[0].lower <= *more.ratios[0].ratio);
  CHECK(more.ratios[0].upper >= *more.ratios[0].ratio);
  CHECK(more.ratios[0].upper < 3.0);
  CHECK(more.ratios[0].second_farther == 64);
  CHECK(more.ratios[0].first_farther == 0);
  CHECK(more.ratios[0].p_adjusted < 1e-6);
  CHECK(!more.ratios[1].ratio);  // the third never fails: at least ten standard deviations
  CHECK(more.ratios[1].lower > 5.0);
  CHECK(std::isinf(more.ratios[1].upper));
  CHECK(report.distances[1].title == "less property 0");
  CHECK(std::isinf(report.distances[1].distances[0].sigmas));
  CHECK(!report.distances[1].ratios[0].ratio);
  CHECK(report.distances[1].ratios[0].lower == 0.0);
  CHECK(report.distances[1].ratios[0].p == 1.0);
  const auto cause = std::find_if(report.distances.begin(), report.distances.end(),
                                  [](const auto& d) { return d.source == "rule 1"; });
  REQUIRE(cause != report.distances.end());
  CHECK(cause->title == "property 0");
  CHECK(cause->distances[0].sigmas == Approx(more.distances[0].sigmas).margin(0.15));

  // Every classifier that was asked saw the same images; the grid and its refinements alone are 7 directions of 64
  // latents.
  CHECK((*classifiers.setups)[0].model->evaluated < *classifiers.images);
  CHECK(*classifiers.images < (*classifiers.setups)[0].model->evaluated + (*classifiers.setups)[1].model->evaluated +
                                  (*classifiers.setups)[2].model->evaluated);
}

TEST_CASE("identical classifiers are a result: nothing tells them apart", "[analysis][compare]") {
  synthetic::World world;
  world.properties = 2;
  const Classifiers classifiers = make_classifiers(world, {above(0, 1.2), above(0, 1.2)}, 1500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  const auto& pair = report.pairs.front();
  CHECK(pair.test.p == 1.0);
  CHECK(pair.p_adjusted == 1.0);
  CHECK(pair.test.difference == 0.0);
  CHECK(pair.test.lower > -0.01);
  CHECK(pair.test.upper < 0.01);
  for (const auto& order : pair.orders) {
    CHECK(order.verdict == fl::Verdict::too_few_failures);
    CHECK(order.reason.find("There is no sample on which") == 0);
  }
  bool finite = false;
  for (const auto& distance : report.distances) {
    CHECK(distance.ratios.front().second_farther + distance.ratios.front().first_farther == 0);
    CHECK(distance.ratios.front().p == 1.0);
    if (!distance.ratios.front().ratio) continue;
    finite = true;
    CHECK(*distance.ratios.front().ratio == 1.0);
  }
  CHECK(finite);
}

TEST_CASE("classes and classifiers without failures leave the rest of the result alone", "[analysis][compare]") {
  const Rule spares = [](const std::vector<double>& u, std::int64_t label, std::int64_t) {
    return label == 1 ? 0.9 : synthetic::fails_above(u[0] - 1.0);
  };
  const Classifiers classifiers = make_classifiers({}, {spares, never}, 1500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  CHECK(report.classifiers[0].class_rates[1].failures == 0);
  CHECK(report.classifiers[0].verdict == fl::Verdict::systematic_causes);
  CHECK(report.classifiers[1].verdict == fl::Verdict::too_few_failures);
  CHECK(report.classifiers[1].reason.find("None of 3000 samples failed") == 0);
  REQUIRE(!report.pairs.front().orders[1].conditions.empty());
  CHECK(classifiers.world().along(report.pairs.front().orders[1].conditions.front().finding.direction.w, 0) > 0.9);
  REQUIRE(report.accuracy.size() == 2 + 2 * 3);
  for (const auto& curve : report.accuracy) {
    if (curve.class_label != std::optional<std::int64_t>(1)) continue;
    for (const auto& bin : curve.bins) CHECK(bin.rate.failures == 0);
  }
  CHECK(report.warnings.empty());

  const Classifiers perfect = make_classifiers({}, {never, never}, 300);
  const auto nothing = fl::analysis::compare_outcomes(perfect.problem, quick());
  CHECK(nothing.accuracy.empty());
  REQUIRE(nothing.warnings.size() == 1);
  CHECK(nothing.warnings[0].find("[F601]") == 0);
  CHECK(nothing.pairs.front().test.p == 1.0);

  const Classifiers tiny = make_classifiers({}, {above(0, 0.0), never}, 1);  // nothing varies
  const auto rates = fl::analysis::compare_outcomes(tiny.problem, quick());
  CHECK(rates.classifiers.size() == 2);
  CHECK(rates.pairs.front().test.counts.total() == 2);
  REQUIRE(rates.warnings.size() == 1);
  CHECK(rates.warnings[0].find("[F601]") == 0);
  CHECK(rates.distances.empty());

  const Classifiers hopeless =
      make_classifiers({}, {never, [](const auto&, std::int64_t, std::int64_t) { return 0.1; }}, 300);
  const auto all = fl::analysis::compare_outcomes(hopeless.problem, quick());
  CHECK(all.classifiers[1].failure_rate.estimate == 1.0);
}

TEST_CASE("too few discordant samples are a verdict with the size that would do", "[analysis][compare]") {
  const Classifiers classifiers = make_classifiers({}, {above(0, 1.0), above(0, 0.95)}, 1500);
  const auto report = fl::analysis::compare_outcomes(classifiers.problem, quick());
  const auto& order = report.pairs.front().orders[0];
  CHECK(order.verdict == fl::Verdict::too_few_failures);
  CHECK(order.samples_needed > 1500);
  CHECK(order.reason.find("samples per split would be enough") != std::string::npos);
}

TEST_CASE("accuracy against distance is what the styles say, bin by bin", "[analysis][compare]") {
  const Classifiers classifiers = make_classifiers({}, {above(0, 1.0), random_errors(1, 0.2)}, 1200);
  const fl::analysis::AccuracyAxis axis = fl::analysis::accuracy_axis(classifiers.problem, 7);
  CHECK(axis.channels.size() >= 7);
  CHECK(axis.channels.size() <= 14);
  CHECK(std::is_sorted(axis.channels.begin(), axis.channels.end()));

  // The same from the styles themselves, in double.
  const fl::Problem& common = classifiers.problem.common;
  const fl::Population& discovery = classifiers.problem.discovery[0];
  const fl::Population& confirmation = classifiers.problem.confirmation[0];
  const auto style = [&](const fl::Population& split, std::int64_t i, std::int64_t channel) {
    double s = common.style_bias[static_cast<std::size_t>(channel)];
    for (std::int64_t j = 0; j < split.w.cols(); ++j)
      s += common.style_matrix(channel, j) * static_cast<double>(split.w(i, j));
    return s;
  };
  std::vector<double> expected(static_cast<std::size_t>(confirmation.size()), 0.0);
  for (const std::int64_t channel : axis.channels) {
    std::vector<double> mean(3, 0.0), size(3, 0.0), centre(3, 0.0), right(3, 0.0);
    for (std::int64_t i = 0; i < discovery.size(); ++i) {
      const auto at = static_cast<std::size_t>(i), c = static_cast<std::size_t>(discovery.label[at]);
      mean[c] += style(discovery, i, channel);
      size[c] += 1.0;
      if (discovery.failed[at] != 0 || classifiers.problem.discovery[1].failed[at] != 0) continue;
      centre[c] += style(discovery, i, channel);
      right[c] += 1.0;
    }
    double squares = 0.0;
    for (std::int64_t i = 0; i < discovery.size(); ++i) {
      const auto c = static_cast<std::size_t>(discovery.label[static_cast<std::size_t>(i)]);
      squares += std::pow(style(discovery, i, channel) - mean[c] / size[c], 2);
    }
    const double variance = squares / (static_cast<double>(discovery.size()) - 3.0);
    for (std::int64_t i = 0; i < confirmation.size(); ++i) {
      const auto c = static_cast<std::size_t>(confirmation.label[static_cast<std::size_t>(i)]);
      expected[static_cast<std::size_t>(i)] += std::pow(style(confirmation, i, channel) - centre[c] / right[c], 2) /
                                               variance / static_cast<double>(axis.channels.size());
    }
  }
  for (std::size_t i = 0; i < expected.size(); i += 7)
    CHECK(axis.distances[i] == Approx(std::sqrt(expected[i])).epsilon(1e-6));

  const auto curves = fl::analysis::accuracy_curves(classifiers.problem, axis, 6);
  REQUIRE(curves.size() == 2 + 2 * 3);
  for (const auto& curve : curves) {
    REQUIRE(curve.bins.size() == 6);
    CHECK(curve.bins.front().lower == 0.0);
    CHECK(std::isinf(curve.bins.back().upper));
    std::int64_t n = 0, failures = 0;
    for (std::size_t b = 0; b < curve.bins.size(); ++b) {
      CHECK(curve.bins[b].lower == curves.front().bins[b].lower);  // one shared axis
      if (b > 0) CHECK(curve.bins[b].lower == curve.bins[b - 1].upper);
      n += curve.bins[b].rate.n;
      failures += curve.bins[b].rate.failures;
      CHECK(curve.bins[b].rate.lower <= curve.bins[b].rate.estimate);
    }
    const auto& split = classifiers.problem.confirmation[curve.name == "rule 0" ? 0 : 1];
    std::int64_t samples = 0, failed = 0;
    for (std::size_t i = 0; i < split.label.size(); ++i) {
      if (curve.class_label && split.label[i] != *curve.class_label) continue;
      ++samples;
      failed += split.failed[i];
    }
    CHECK(n == samples);
    CHECK(failures == failed);
  }
  // The fault of the first lies far from the centre; the second errs everywhere alike.
  CHECK(curves[0].bins.back().rate.lower > curves[0].bins.front().rate.upper);
  CHECK(curves[1].bins.back().rate.lower < curves[1].bins.front().rate.upper);
  CHECK(code_of([&] { (void)fl::analysis::accuracy_axis(classifiers.problem, 0); }) == fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::analysis::accuracy_curves(classifiers.problem, axis, 0); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(code_of([&] { (void)fl::analysis::accuracy_curves(classifiers.problem, {}, 3); }) ==
        fl::ErrorCode::shape_mismatch);
}

TEST_CASE("classifiers that err at random, equally often, get a condition in at most one run in twenty",
          "[analysis][compare]") {
  constexpr std::int64_t runs = 300;
  std::int64_t confirmed = 0, separated = 0;
  fl::ComparisonOptions options = quick();
  options.method.permutations = 399;
  options.method.intervention_latents = 128;
  options.method.fraction_latents = 0;
  options.method.threshold_latents = 1;
  options.method.property_distances = false;
  options.bootstrap_replicates = 39;
  synthetic::World world;
  world.dimension = 4;
  world.channels = 8;
  world.classes = 2;
  world.properties = 2;
  for (std::int64_t run = 0; run < runs; ++run) {
    const Classifiers classifiers =
        make_classifiers(world, {random_errors(2 * run, 0.25), random_errors(2 * run + 1, 0.25)}, 500, 100 + run);
    const auto report = fl::analysis::compare_outcomes(classifiers.problem, options);
    std::size_t all = 0, found = 0;
    for (const auto& order : report.pairs.front().orders) {
      REQUIRE(order.verdict != fl::Verdict::too_few_failures);
      found += order.conditions.size();
      all += order.conditions.size() + order.others.size();
    }
    confirmed += all > 0 ? 1 : 0;
    separated += found > 0 ? 1 : 0;
  }
  // A right implementation shows more with probability below 1e-6; the intervention only lowers the rate.
  CHECK(confirmed <= faultline_test::most_events(runs, 0.05));
  CHECK(separated <= confirmed);
  INFO("confirmed in " << confirmed << ", separated in " << separated << " of " << runs);
  CHECK(confirmed < 60);  // (shown with -s)
}

TEST_CASE("the interval of a ratio of medians covers it, and says nothing about what was not measured",
          "[analysis][compare]") {
  constexpr std::int64_t runs = 400;
  std::int64_t covered = 0;
  const double inf = std::numeric_limits<double>::infinity();
  for (std::int64_t run = 0; run < runs; ++run) {
    fl::core::CounterRandom random(31, fl::core::Stream::subsets, run);
    std::vector<double> first, second;
    for (int i = 0; i < 64; ++i) {
      const double common = random.normal();
      first.push_back(std::exp(0.4 * common + 0.2 * random.normal()));
      second.push_back(1.7 * std::exp(0.4 * common + 0.3 * random.normal()));
    }
    const auto ratio = fl::analysis::detail::ratio_of_medians(first, second, 10.0, {.replicates = 299, .seed = run});
    covered += ratio.lower <= 1.7 && 1.7 <= ratio.upper ? 1 : 0;
  }
  CHECK(covered >= faultline_test::fewest_events(runs, 0.92));

  const std::vector<double> near{1, 1, 2, 2, 2, 3, 3}, never_flips(7, inf);
  const auto beyond = fl::analysis::detail::ratio_of_medians(near, never_flips, 10.0, {.replicates = 199});
  CHECK(!beyond.ratio);
  CHECK(beyond.lower == Approx(10.0 / 3.0));
  CHECK(beyond.upper == inf);
  CHECK(beyond.second_farther == 7);
  const auto reverse = fl::analysis::detail::ratio_of_medians(never_flips, near, 10.0, {.replicates = 199});
  CHECK(reverse.lower == 0.0);
  CHECK(reverse.upper == Approx(0.3));
  const auto neither = fl::analysis::detail::ratio_of_medians(never_flips, never_flips, 10.0, {.replicates = 199});
  CHECK(!neither.ratio);
  CHECK(neither.lower == 0.0);
  CHECK(neither.upper == inf);
  CHECK(neither.p == 1.0);
}

TEST_CASE("what does not belong together is refused", "[analysis][compare]") {
  Classifiers classifiers = make_classifiers({}, {above(0, 1.0), never}, 300);
  const auto with = [&](auto change) {
    fl::ComparisonOptions options = quick();
    fl::analysis::ComparisonProblem problem = classifiers.problem;
    change(problem, options);
    return code_of([&] { (void)fl::analysis::compare_outcomes(problem, options); });
  };
  CHECK(with([](auto& p, auto&) { p.names.resize(1); }) == fl::ErrorCode::invalid_argument);
  CHECK(with([](auto& p, auto&) { p.discovery.resize(1); }) == fl::ErrorCode::shape_mismatch);
  CHECK(with([](auto& p, auto&) { ++p.confirmation[1].index[5]; }) == fl::ErrorCode::shape_mismatch);
  CHECK(with([](auto& p, auto&) { p.discovery[0] = {}; }) == fl::ErrorCode::empty_input);
  CHECK(with([](auto&, auto& o) { o.accuracy_bins = 0; }) == fl::ErrorCode::invalid_argument);
  CHECK(with([](auto&, auto& o) { o.bootstrap_replicates = 1; }) == fl::ErrorCode::invalid_argument);
  CHECK(with([](auto&, auto& o) { o.method.alpha = 0.0; }) == fl::ErrorCode::invalid_argument);
}

namespace {

constexpr std::int64_t classes = 4;

fl::AnyClassifier fails_beyond(const fl::AnalyticGenerator& known, double level, const std::string& name,
                               std::int64_t answers = classes) {
  return fl::AnyClassifier(fl::make_classifier(
      [&known, level, answers](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), answers);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const bool wrong = static_cast<double>(reading.factors[0]) > level;
          scores(i, wrong ? (reading.label + 1) % classes : reading.label) = 3.0f;
        }
      },
      {.classes = answers, .scores = fl::Scores::logits, .name = name}));
}

}  // namespace

TEST_CASE("compare makes one pass over the population, whatever the number of classifiers", "[analysis][compare]") {
  const fl::AnalyticGenerator known({.factors = 3, .channels = 60, .classes = classes, .seed = 5});
  fl::ComparisonOptions options = quick();
  options.samples = 1200;
  options.seed = 3;
  options.method.properties = {{"first factor", [&](std::span<const float> image, const fl::ImageShape& shape) {
                                  return static_cast<double>(
                                      known.read(fl::ImageView(image.data(), 1, shape), 0).factors[0]);
                                }}};
  const std::vector<fl::AnyClassifier> three{fails_beyond(known, 0.9, "early"), fails_beyond(known, 1.6, "late"),
                                             fails_beyond(known, 1.6, "late")};
  options.method.judge = fails_beyond(known, 100.0, "judge");
  const auto report = fl::compare(known, three, options);
  CHECK(report.population_cost.generator_images == 2400);
  CHECK(report.population_cost.classifier_images == 3 * 2400);
  CHECK(report.population_cost.property_images == 2400);
  CHECK(report.cost.generator_images > 2400);
  CHECK(report.classifiers[2].name == "late (2)");
  CHECK(report.provenance.classifier_name == "early, late, late (2)");
  CHECK(report.provenance.generator_digest == known.digest());
  CHECK(report.classes == classes);
  CHECK(report.schema == "faultline.comparison/2");

  REQUIRE(report.pairs.size() == 3);
  CHECK(report.pairs[0].test.counts.only_second_fails == 0);
  CHECK(report.pairs[2].test.p == 1.0);  // late against late
  REQUIRE(!report.pairs[0].orders[1].conditions.empty());
  CHECK(report.pairs[0].orders[1].conditions.front().finding.title == "first factor");
  CHECK(report.fractions.size() == 3);  // the one cause of each
  const fl::analysis::PairedDistance& more = report.distances.front();
  CHECK(more.title == "more first factor");
  CHECK(more.distances[1].sigmas - more.distances[0].sigmas == Approx(0.7).margin(0.1));
  REQUIRE(more.distances[0].validity.agreement);
  CHECK(more.distances[0].validity.agreement->estimate == 1.0);
  REQUIRE(!more.distances[0].at_flip.empty());
  CHECK(more.distances[0].at_flip.front().median == Approx(0.9).margin(0.02));
  CHECK(more.distances[1].at_flip.front().median == Approx(1.6).margin(0.02));
  REQUIRE(more.ratios[2].ratio);
  CHECK(*more.ratios[2].ratio == 1.0);

  // Two classifiers cost the generator the same, and find the same about each other.
  const auto two = fl::compare(known, std::span(three).first(2), options);
  CHECK(two.population_cost.generator_images == 2400);
  CHECK(two.population_cost.classifier_images == 2 * 2400);
  CHECK(two.pairs[0].test.counts == report.pairs[0].test.counts);
  CHECK(two.distances.front().distances[0].sigmas == more.distances[0].sigmas);
  const auto again = fl::compare(known, std::span(three).first(2), options);
  CHECK(again.distances.front().ratios.front().lower == two.distances.front().ratios.front().lower);
  CHECK(again == two);

  // A property that only gives names is no direction here either.
  options.method.properties[0].candidate = false;
  for (const fl::analysis::PairedDistance& distance : fl::compare(known, std::span(three).first(2), options).distances)
    CHECK(distance.source != "property");
}

TEST_CASE("compare refuses what it cannot compare", "[analysis][compare]") {
  const fl::AnalyticGenerator known({.factors = 3, .channels = 60, .classes = classes, .seed = 5});
  fl::ComparisonOptions options = quick();
  options.samples = 100;
  const auto code = [&](const std::vector<fl::AnyClassifier>& classifiers) {
    return code_of([&] { (void)fl::compare(known, classifiers, options); });
  };
  const auto good = fails_beyond(known, 1.0, "good");
  CHECK(code({}) == fl::ErrorCode::invalid_argument);
  CHECK(code({good}) == fl::ErrorCode::invalid_argument);
  CHECK(code({good, fails_beyond(known, 1.0, "more classes", 6)}) == fl::ErrorCode::incompatible_models);
  try {
    (void)fl::compare(known, std::vector{good, fails_beyond(known, 1.0, "more classes", 6)}, options);
  } catch (const fl::Error& error) {
    CHECK(std::string(error.what()).find("\"good\" knows 4 classes, \"more classes\" knows 6") != std::string::npos);
  }
  const auto broken = fl::AnyClassifier(
      fl::make_classifier([](fl::ImageView images, fl::ScoreMatrix& scores) { scores.resize(images.count(), 3); },
                          {.classes = classes, .scores = fl::Scores::logits}));
  CHECK(code({good, broken}) == fl::ErrorCode::wrong_score_shape);
  options.samples = 0;
  CHECK(code({good, good}) == fl::ErrorCode::empty_input);
  options.samples = -1;
  CHECK(code({good, good}) == fl::ErrorCode::invalid_argument);
}
