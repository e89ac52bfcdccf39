// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// May this release go out? Holds a classifier to bounds and to the release before it, on generated images, and says by
// its exit code what came out: for a build that runs programs rather than unit tests.
//
//   gate --generator digits.safetensors --classifier robust.safetensors --failure-rate 0.1 --per-class 0.2
//   gate --generator digits.safetensors --classifier robust.safetensors --write-baseline release.json
//   gate --generator digits.safetensors --classifier candidate.safetensors --baseline release.json --no-new-condition
//
// test: --help
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors
// test: --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --write-baseline @out@/release.json --samples 600 --seed 7
// test: --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --failure-rate 0.2 --seed 7 --junit @out@/gates.xml --json @out@/gates.json --markdown @out@/gates.md
// test(1): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --failure-rate 0.1 --where "blur 2.5 to 9" --seed 7
// test(1): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --judge @assets@/judge.safetensors --withstands "blur by 3" --share 0.95 --max-samples 256 --seed 7
// test: --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --failure-rate 0.3 --along "slant by 1 sd" --max-samples 256 --seed 7
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --withstands "blur"
// test(4): --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --failure-rate 0.05 --max-samples 128 --seed 7
// test: --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --failure-rate 0.05 --smoke-samples 128 --mode smoke --seed 7
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --judge @assets@/judge.safetensors --write-corpus @out@/corpus --count 2 --seed 7
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --failure-rate 0.05 --where "colour of hat 1 to 2"
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/robust.safetensors --baseline @source@/LICENSE

#include "classifier_choice.hpp"
#include "options.hpp"

#include <faultline/core/atomic_file.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/faultline.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/baseline.hpp>
#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/gate_report.hpp>
#include <faultline/testing/moved_gates.hpp>
#include <faultline/testing/shrink_failure.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string generator, classifier, judge, baseline, write_baseline, corpus, write_corpus, junit, json, markdown, mode;
  program::ClassifierChoice choice;
  std::vector<double> failure_rate, per_class;
  std::vector<std::string> where, withstands, along;
  double confidence = 0.95, share = 0.9, margin = 0.005, condition_margin = 0.05, truncation = 1.0;
  std::int64_t samples = 10'000, max_samples = 4'000, smoke_samples = 1'000, seed = 0, count = 8, threads = 0;
  bool by_property = false, no_new_condition = false, allow_undecided = false;
};

/// "blur 2.5 to 9", "blur 2.5 to", "blur to 9".
fl::testing::PropertyRange range_from(const std::string& text) {
  const auto misuse = [&] {
    return CLI::ValidationError(
        "--where", "expected \"PROPERTY FROM to UNTIL\", of which one number may be left out, got \"" + text + "\"");
  };
  std::istringstream words(text);
  std::vector<std::string> list;
  for (std::string word; words >> word;) list.push_back(word);
  const auto to = std::ranges::find(list, "to");
  if (to == list.end() || list.end() - to > 2) throw misuse();
  const auto number = [&](const std::string& word) -> std::optional<double> {
    std::size_t used = 0;
    try {
      const double value = std::stod(word, &used);
      if (used == word.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {}
    return std::nullopt;
  };
  fl::testing::PropertyRange range;
  if (list.end() - to == 2) {
    const auto upper = number(list.back());
    if (!upper) throw misuse();
    range.upper = *upper;
  }
  auto name_end = to;
  if (name_end != list.begin())
    if (const auto lower = number(*(name_end - 1))) range.lower = *lower, --name_end;
  if (name_end == list.begin()) throw misuse();
  std::string name;
  for (auto word = list.begin(); word != name_end; ++word) name += (name.empty() ? "" : " ") + *word;
  try {
    range.property = fl::property_named(name);
  } catch (const fl::Error& error) {
    throw CLI::ValidationError("--where", error.what());
  }
  return range;
}

/// "blur by 1.5", "less contrast by 0.2", "slant by 2 sd".
struct AskedEdit {
  std::string text = {}, property = {};
  fl::testing::Towards towards = fl::testing::Towards::more;
  double amount = 0.0;
  fl::testing::EditUnit unit = fl::testing::EditUnit::property;
};

AskedEdit edit_from(const std::string& option, const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> list;
  for (std::string word; words >> word;) list.push_back(word);
  AskedEdit edit{.text = text};
  if (!list.empty() && list.back() == "sd") edit.unit = fl::testing::EditUnit::standard_deviations, list.pop_back();
  if (!list.empty() && (list.front() == "less" || list.front() == "more")) {
    if (list.front() == "less") edit.towards = fl::testing::Towards::less;
    list.erase(list.begin());
  }
  std::size_t used = 0;
  try {
    if (list.size() >= 3 && list[list.size() - 2] == "by") edit.amount = std::stod(list.back(), &used);
  } catch (const std::exception&) {}
  if (used == 0 || used != list.back().size())
    throw CLI::ValidationError(option,
                               "expected \"PROPERTY by AMOUNT\", with \"less\" before it or \"sd\" behind it "
                               "where it is meant, got \"" +
                                   text + "\"");
  for (std::size_t i = 0; i + 2 < list.size(); ++i) edit.property += (i == 0 ? "" : " ") + list[i];
  try {
    (void)fl::property_named(edit.property);
  } catch (const fl::Error& error) {
    throw CLI::ValidationError(option, error.what());
  }
  return edit;
}

template <class Policy>
Policy with_options(Policy policy, const Arguments& arguments) {
  policy.confidence = arguments.confidence;
  policy.smoke_samples = arguments.smoke_samples;
  policy.allow_undecided = arguments.allow_undecided;
  if (!arguments.mode.empty()) policy.mode = *fl::core::enumerator_from<fl::testing::GateMode>(arguments.mode);
  if constexpr (requires { policy.seed; }) {
    policy.seed = arguments.seed;
    policy.truncation = arguments.truncation;
    policy.max_samples = arguments.max_samples;
  }
  return policy;
}

/// A policy on samples that are moved.
template <class Policy>
Policy moved(Policy policy, const AskedEdit& edit, const Arguments& arguments) {
  policy = with_options(std::move(policy), arguments);
  policy.property = edit.property;
  policy.towards = edit.towards;
  if (!arguments.judge.empty()) policy.judge = fl::AnyClassifier(fl::load_classifier(arguments.judge));
  return policy;
}

struct Asked {
  std::vector<fl::testing::PropertyRange> where;
  std::vector<AskedEdit> withstands, along;
};

int gate(const Arguments& arguments, const Asked& asked) {
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  fl::AnyClassifier classifier =
      program::open_classifiers({arguments.classifier}, arguments.choice, generator.num_classes()).front();
  if (!arguments.write_baseline.empty()) {
    const fl::testing::Baseline made = fl::testing::make_baseline(
        generator, classifier,
        {.samples = arguments.samples, .seed = arguments.seed, .truncation = arguments.truncation});
    fl::testing::write_baseline(arguments.write_baseline, made);
    std::printf("%lld of %lld samples failed; baseline in %s\n", static_cast<long long>(made.failures),
                static_cast<long long>(made.samples), arguments.write_baseline.c_str());
    return 0;
  }
  if (!arguments.write_corpus.empty()) {
    fl::testing::CollectOptions options{.count = arguments.count, .seed = arguments.seed};
    if (!arguments.judge.empty()) options.judge = fl::AnyClassifier(fl::load_classifier(arguments.judge));
    const auto failures = fl::testing::collect_failures(generator, classifier, options);
    for (const auto& shrunk : failures)
      fl::testing::write_corpus_entry(arguments.write_corpus, shrunk.entry, shrunk.images);
    std::printf("%zu failures in %s\n", failures.size(), arguments.write_corpus.c_str());
    return 0;
  }
  std::string region;
  for (const std::string& range : arguments.where) region += (region.empty() ? " where " : " and ") + range;
  fl::testing::GateSuite suite(arguments.confidence);
  for (const double bound : arguments.failure_rate) {
    if (asked.along.empty())
      suite.add("failure rate" + region + " below " + fl::number_text(bound), generator, classifier,
                with_options(fl::testing::FailureRateBelow{.bound = bound, .where = asked.where}, arguments));
    for (const AskedEdit& edit : asked.along)
      suite.add("failure rate below " + fl::number_text(bound) + " with " + edit.text, generator, classifier,
                moved(fl::testing::FailureRateAlongBelow{.shift = edit.amount, .bound = bound}, edit, arguments));
  }
  for (const AskedEdit& edit : asked.withstands)
    suite.add("withstands " + edit.text, generator, classifier,
              moved(fl::testing::DistanceAtLeast{.distance = edit.amount, .unit = edit.unit, .share = arguments.share},
                    edit, arguments));
  for (const double bound : arguments.per_class)
    suite.add("failure rate of every class below " + fl::number_text(bound), generator, classifier,
              with_options(fl::testing::FailureRateBelowPerClass{.bound = bound}, arguments));
  if (!arguments.baseline.empty()) {
    const fl::testing::Baseline baseline = fl::testing::read_baseline(arguments.baseline);
    suite.add("not worse than " + arguments.baseline, generator, classifier,
              with_options(
                  fl::testing::NotWorseThanBaseline{
                      .baseline = baseline, .margin = arguments.margin, .by_property = arguments.by_property},
                  arguments));
    if (arguments.no_new_condition)
      suite.add("no new condition against " + arguments.baseline, generator, classifier,
                with_options(fl::testing::NoNewCondition{.baseline = baseline, .margin = arguments.condition_margin},
                             arguments));
  }
  if (!arguments.corpus.empty())
    suite.add(
        "no known failure of " + arguments.corpus + " returns", generator, classifier,
        fl::testing::NoKnownFailureReturns{.folder = arguments.corpus, .allow_undecided = arguments.allow_undecided});
  std::optional<fl::testing::SuiteResult> result;
  std::exception_ptr error;
  try {
    result = suite.run();
  } catch (const fl::Interrupted<fl::testing::SuiteResult>& met) {
    result = met.found();
    error = std::current_exception();
  }
  if (!arguments.junit.empty()) fl::core::write_file_atomically(arguments.junit, fl::testing::junit_xml(*result));
  if (!arguments.json.empty()) fl::core::write_file_atomically(arguments.json, fl::testing::to_json(*result));
  if (!arguments.markdown.empty())
    fl::core::write_file_atomically(arguments.markdown, fl::testing::markdown_summary(*result));
  std::printf("%s\n", result->explain().c_str());
  if (error) std::rethrow_exception(error);
  return result->failed() ? 1 : result->holds() ? 0 : 4;
}

int answer(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Holds a classifier to bounds on its failure rate and to the release before it, on generated images.\n"
      "Exit codes: 0 all gates hold, 1 a bound is violated, 2 usage, 3 bad input, 4 undecided, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file (faultline.stylegan2/1)")->required();
  app.add_option("--classifier", arguments.classifier, program::classifier_help)->required();
  program::add_classifier_options(app, arguments.choice);
  const auto several = CLI::MultiOptionPolicy::TakeAll;
  app.add_option("--failure-rate", arguments.failure_rate, "the failure rate is below this")
      ->check(CLI::Range(1e-9, 1.0 - 1e-9))
      ->multi_option_policy(several)
      ->allow_extra_args(false);
  app.add_option("--where", arguments.where,
                 "with --failure-rate: among images whose property lies in a range, \"blur 2.5 to 9\", \"slant to 0\"; "
                 "several must all hold")
      ->multi_option_policy(several)
      ->allow_extra_args(false);
  app.add_option(
         "--along", arguments.along,
         "with --failure-rate: while all images are moved along a property by up to so many standard deviations, "
         "\"blur by 2 sd\", \"less contrast by 1 sd\"")
      ->multi_option_policy(several)
      ->allow_extra_args(false);
  app.add_option(
         "--withstands", arguments.withstands,
         "no fewer than --share of the images can be moved so far along a property without failing, in its unit "
         "or in standard deviations: \"blur by 1.5\", \"less contrast by 0.2\", \"slant by 2 sd\"")
      ->multi_option_policy(several)
      ->allow_extra_args(false);
  program::option(app, "--share", arguments.share, 1e-6, 1.0 - 1e-6, "of --withstands");
  app.add_option("--per-class", arguments.per_class, "the failure rate of every class is below this")
      ->check(CLI::Range(1e-9, 1.0 - 1e-9))
      ->multi_option_policy(several)
      ->allow_extra_args(false);
  app.add_option("--baseline", arguments.baseline,
                 "the failure rate is not higher than that of this baseline, by --margin");
  program::option(app, "--margin", arguments.margin, 1e-6, 1.0 - 1e-6, "of --baseline, as a share");
  app.add_flag("--by-property", arguments.by_property, "with --baseline: in every third of every property, too");
  app.add_flag("--no-new-condition", arguments.no_new_condition,
               "with --baseline: no third of a property becomes a condition of failure");
  program::option(app, "--condition-margin", arguments.condition_margin, 1e-6, 1.0 - 1e-6, "of --no-new-condition");
  app.add_option("--write-baseline", arguments.write_baseline,
                 "write the outcomes of this classifier to a file, for the releases after it");
  program::option(app, "--samples", arguments.samples, 1, 1'000'000, "of --write-baseline");
  app.add_option("--corpus", arguments.corpus, "no failure kept in this folder fails again");
  app.add_option("--write-corpus", arguments.write_corpus,
                 "find failures of this classifier, make them small and keep them in this folder");
  program::option(app, "--count", arguments.count, 1, 1'000, "failures of --write-corpus");
  app.add_option("--judge", arguments.judge,
                 "with --write-corpus, --withstands and --along: a stronger classifier that says whether images still "
                 "show their class");
  program::option(app, "--max-samples", arguments.max_samples, 128, fl::limits::samples, "budget of a gate on a rate");
  program::option(app, "--smoke-samples", arguments.smoke_samples, 128, fl::limits::samples, "budget in a smoke run");
  app.add_option("--mode", arguments.mode, "smoke or full; not given: as FAULTLINE_MODE says, else full")
      ->check(CLI::IsMember({"smoke", "full"}));
  program::option(app, "--confidence", arguments.confidence, 0.5, 1.0 - 1e-9, "of all gates together");
  app.add_flag("--allow-undecided", arguments.allow_undecided, "undecided gates do not stop the build");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "decides every draw");
  program::option(app, "--truncation", arguments.truncation, -2.0, 2.0, "psi of the generator");
  app.add_option("--junit", arguments.junit, "write JUnit XML to this file");
  app.add_option("--json", arguments.json, "write everything as JSON to this file");
  app.add_option("--markdown", arguments.markdown, "write a summary for a pull request to this file");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  Asked asked;
  app.callback([&] {
    for (const std::string& text : arguments.where) asked.where.push_back(range_from(text));
    for (const std::string& text : arguments.withstands) asked.withstands.push_back(edit_from("--withstands", text));
    for (const std::string& text : arguments.along) asked.along.push_back(edit_from("--along", text));
    const bool gates = !arguments.failure_rate.empty() || !arguments.per_class.empty() || !arguments.baseline.empty() ||
                       !arguments.corpus.empty() || !asked.withstands.empty();
    const bool writes = !arguments.write_baseline.empty() || !arguments.write_corpus.empty();
    if (gates == writes || (!arguments.write_baseline.empty() && !arguments.write_corpus.empty()))
      throw CLI::ValidationError("gate",
                                 "give --failure-rate, --per-class, --withstands, --baseline or --corpus, or either "
                                 "--write-baseline or --write-corpus alone");
    if (!asked.where.empty() && arguments.failure_rate.empty())
      throw CLI::ValidationError("--where", "wants --failure-rate");
    if (!asked.along.empty() && arguments.failure_rate.empty())
      throw CLI::ValidationError("--along", "wants --failure-rate");
    if (!asked.along.empty() && !asked.where.empty()) throw CLI::ValidationError("--along", "excludes --where");
    for (const AskedEdit& edit : asked.along)
      if (edit.unit != fl::testing::EditUnit::standard_deviations)
        throw CLI::ValidationError("--along", "is in standard deviations: \"" + edit.text + " sd\"");
    if ((arguments.no_new_condition || arguments.by_property) && arguments.baseline.empty())
      throw CLI::ValidationError("--baseline", "is missing");
  });
  if (const auto code = program::parse(app, argc, argv)) return *code;
  return fl::within_threads(arguments.threads, [&] { return gate(arguments, asked); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("gate", [&] { return answer(argc, argv); });
}
