// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claims: a smoke gate on the shipped models is decided 1 s after its process started; a suite of ten gates costs at
// most 1.3 times the one of them that needs most; a further entry of a failure corpus is replayed in 5 ms. Usage:
// gate_cost [--quick | --once]. Prints one JSON object; with --once it is one smoke gate.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>
#include <support/rounds.hpp>

#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/testing.hpp>
#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/shrink_failure.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fl = faultline;

namespace {

fl::testing::FailureRateBelow smoke_gate(double bound = 0.1) {
  return {.bound = bound, .seed = 7, .mode = fl::testing::GateMode::smoke};
}

int once() {
  const auto generator = bench::FastGenerator::load(fl::find_asset("digits.safetensors"));
  auto classifier = fl::load_classifier(fl::find_asset("robust.safetensors"));
  const auto result = fl::testing::gate(generator, classifier, smoke_gate());
  std::fprintf(stderr, "%s\n", result.explain().c_str());
  return result.passed() ? 0 : 1;
}

/// Ten statements about one population: rates of regions of five properties, both sides.
std::vector<fl::testing::FailureRateBelow> ten_gates() {
  std::vector<fl::testing::FailureRateBelow> gates;
  const auto add = [&](const char* name, double edge) {
    for (const bool above : {false, true}) {
      fl::testing::PropertyRange range{.property = fl::property_named(name)};
      (above ? range.lower : range.upper) = edge;
      gates.push_back({.bound = 0.2, .seed = 7, .max_samples = 2'000, .where = {range}});
    }
  };
  add("blur", 2.5);
  add("noise level", 0.04);
  add("slant", 0.1);
  add("width", 16.0);
  add("height", 20.0);
  return gates;
}

}  // namespace

static int benchmark(int argc, char** argv) try {
  if (argc > 1 && std::string_view(argv[1]) == "--once") return once();
  const bool quick = bench::quick(argc, argv);
  const auto generator = bench::FastGenerator::load(fl::find_asset("digits.safetensors"));
  auto classifier = fl::load_classifier(fl::find_asset("clean.safetensors"));
  auto robust = fl::load_classifier(fl::find_asset("robust.safetensors"));

  const std::filesystem::path corpus = std::filesystem::temp_directory_path() / "faultline-gate-cost";
  std::filesystem::remove_all(corpus);
  const auto kept = fl::testing::collect_failures(generator, classifier, {.count = 8, .seed = 7, .class_samples = 16});
  for (const auto& shrunk : kept) fl::testing::write_corpus_entry(corpus, shrunk.entry, shrunk.images);
  const fl::testing::NoKnownFailureReturns replay{.folder = corpus};
  fl::testing::NoKnownFailureReturns first = replay;  // what there is to load and to check before the first answer
  if (!kept.empty()) first.only = {kept.front().entry.name};

  const std::vector<fl::testing::FailureRateBelow> gates = ten_gates();
  const auto run = [&](const std::vector<fl::testing::FailureRateBelow>& policies) {
    fl::testing::GateSuite suite;
    for (std::size_t i = 0; i < policies.size(); ++i)
      suite.add("gate " + std::to_string(i), generator, robust, policies[i]);
    (void)suite.run();
  };
  const auto each = [&] {
    for (const auto& policy : gates) run({policy});
  };
  // that one of the ten which needs most samples: by itself and all together take turns
  std::size_t longest = 0;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    const std::int64_t drawn = fl::testing::gate(generator, robust, gates[i]).run().samples_per_split;
    if (drawn > most) most = drawn, longest = i;
  }
  const std::string command = "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' --once";
  bool worked = !kept.empty();
  const bench::Rounds rounds = bench::take_turns(
      {[&] { return bench::seconds([&] { run(gates); }); },
       [&] { return bench::seconds([&] { run({gates[longest]}); }); }, [&] { return bench::seconds(each); },
       [&] { return bench::seconds([&] { (void)fl::testing::gate(generator, classifier, replay); }); },
       [&] { return bench::seconds([&] { (void)fl::testing::gate(generator, robust, replay); }); },
       [&] { return bench::seconds([&] { (void)fl::testing::gate(generator, classifier, first); }); },
       [&] { return bench::seconds([&] { (void)fl::testing::gate(generator, robust, first); }); },
       [&] { return bench::seconds([&] { worked = worked && std::system(command.c_str()) == 0; }); }},
      quick ? 3 : 7);
  std::filesystem::remove_all(corpus);
  const auto further = static_cast<double>(std::max<std::size_t>(kept.size(), 2) - 1);
  bench::print("gate_cost",
               {{"suite of ten / its longest gate", rounds.ratio(0, 1), 1.3, true, "times"},
                {"ten gates by themselves / suite", rounds.ratio(2, 0), 1.0, false, "times"},
                {"further corpus entry that fails again, asked alone too",
                 1e3 * (rounds.middle(3) - rounds.middle(5)) / further, 5.0, true, "ms"},
                {"further corpus entry that is right, of a batch",
                 1e3 * std::max(0.0, rounds.middle(4) - rounds.middle(6)) / further, 5.0, true, "ms"},
                {"corpus of one entry, load and preflight included", 1e3 * rounds.middle(6), 100.0, true, "ms"},
                {"smoke gate, from the start", worked ? rounds.middle(7) : std::nan(""), 1.0, true, "s"}});
  return worked ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}

int main(int argc, char** argv) {
  return program::run("gate_cost", [&] { return benchmark(argc, argv); });
}
