// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A classifier of four classes that fails on half of class 2, a gate on its classes, and two known failures that
// return.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/testing/failure_corpus.hpp>
#include <faultline/testing/gate.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace planted {

namespace fl = faultline;

inline const fl::AnalyticGenerator& generator() {
  static const fl::AnalyticGenerator known({.factors = 3, .channels = 32, .classes = 4});
  return known;
}

inline auto classifier() {
  return fl::make_classifier(
      [](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), 4);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = generator().read(images, i);
          const bool fails = reading.label == 2 && reading.factors[0] > 0.0f;
          scores(i, fails ? 3 : reading.label) = 5.0f;
        }
      },
      {.classes = 4, .scores = fl::Scores::logits});
}

inline fl::testing::GateResult every_class() {
  auto mine = classifier();
  return gate(generator(), mine,
              fl::testing::FailureRateBelowPerClass{.bound = 0.2, .seed = 7, .stop_at_first_failure = false});
}

/// Written anew, in the working directory.
inline std::vector<fl::testing::CorpusEntry> corpus() {
  const std::filesystem::path folder = "planted_corpus";
  auto mine = classifier();
  auto found = fl::testing::collect_failures(generator(), mine, {.count = 2, .seed = 7});
  const char* const names[] = {"a.b-c", "plain"};
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i].entry.name = names[i];
    fl::testing::write_corpus_entry(folder, found[i].entry, found[i].images);
  }
  return fl::testing::read_corpus(folder);
}

inline fl::testing::GateResult every_known_failure() {
  static_cast<void>(corpus());
  auto mine = classifier();
  return gate(generator(), mine, fl::testing::NoKnownFailureReturns{.folder = "planted_corpus"});
}

}  // namespace planted
