// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A failure corpus of the shipped digits: what `clean` answers wrongly is made small, the same classifier is caught at
// it again, and a stronger one is not.

#include <faultline/testing/failure_corpus.hpp>

#include <faultline/classify/any_classifier.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <filesystem>
#include <string>

namespace fl = faultline;

TEST_CASE("failures of the shipped classifier shrink to a few channels, return, and are gone for its judge") {
  const std::string assets = FAULTLINE_TEST_ASSETS_DIR;
  const auto generator = fl::Generator<fl::CpuBackend>::load(assets + "/digits.safetensors");
  auto clean = fl::load_classifier(assets + "/clean.safetensors");
  auto judge = fl::load_classifier(assets + "/judge.safetensors");
  const faultline_tests::TemporaryDirectory directory;
  const auto found = fl::testing::collect_failures(generator, clean,
                                                   {.count = 2, .seed = 7, .judge = fl::AnyClassifier::borrow(judge)});
  REQUIRE(found.size() == 2);
  for (const fl::testing::ShrunkFailure& shrunk : found) {
    INFO(shrunk.entry.name);
    CHECK(shrunk.minimal);
    CHECK(shrunk.entry.channels.size() < 100);  // of 1 024; how many exactly hangs on the kernels' last bits
    CHECK(shrunk.entry.answer != shrunk.entry.label);
    CHECK(shrunk.images_made < 1'500);
    fl::testing::write_corpus_entry(directory.path(), shrunk.entry, shrunk.images);
    CHECK(std::filesystem::file_size(directory.path() / (shrunk.entry.name + ".json")) < 8'192);
  }
  const fl::testing::NoKnownFailureReturns policy{.folder = directory.path()};
  const auto returned = fl::testing::gate(generator, clean, policy);
  CHECK(returned.failed());
  CHECK(returned.failures() == 2);
  CHECK(fl::testing::gate(generator, judge, policy).passed());
}
