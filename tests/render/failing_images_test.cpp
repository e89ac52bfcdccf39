// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Failing samples as labelled pictures: what a training program reads back is what was sampled.
#include <faultline/render/failing_images.hpp>

#include <faultline/analysis/problem/describe_run.hpp>
#include <faultline/data/image_folder.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

fl::Provenance run_of(const fl::AnalyticGenerator& known) {
  const fl::StyleSpaceSampler sampler(known, {.seed = 5});
  return fl::analysis::describe_sampling(sampler, fl::Misclassified{}, 100);
}

}  // namespace

TEST_CASE("failing samples are pictures with a label table that data sets are read from") {
  const fl::AnalyticGenerator known({.factors = 2, .channels = 32, .classes = 4, .seed = 1});
  const fl::StyleSpaceSampler sampler(known, {.seed = 5});
  std::vector<fl::FailingSample> samples;
  for (const std::int64_t index : std::vector<std::int64_t>{7, 3, 3'000'000'000}) {
    const auto batch = sampler.sample(index, 1);
    samples.push_back({index, batch.label[0], (batch.label[0] + 1) % 4, 0.125, 1.5, {0.25}});
  }
  const faultline_tests::TemporaryDirectory folder;
  const std::vector<std::string> names{"slant, \"signed\""};
  fl::write_failing_images(known, run_of(known), samples, names, folder.path() / "failures");

  const fl::LabelledImages read = fl::load_image_folder(folder.path() / "failures", {.classes = 4, .any_size = true});
  REQUIRE(read.labels.size() == 3);
  const fl::ImageShape shape = known.image_shape();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    CHECK(read.labels[i] == samples[i].label);
    const auto batch = sampler.sample(samples[i].index, 1);
    const fl::ImageBatch images = fl::to_unit_range(batch.images, known.value_range());
    const auto pixels = static_cast<std::size_t>(shape.elements());
    for (std::size_t k = 0; k < pixels; ++k)
      CHECK(std::abs(static_cast<float>(read.pixels[i * pixels + k]) / 255.0f - images.image(0)[k]) <=
            0.5f / 255.0f + 1e-6f);
  }
  const std::string table = faultline_tests::text_of(folder.path() / "failures/failures.csv");
  CHECK(table.find("file,label,prediction,probability,sample,score,\"slant, \"\"signed\"\"\"\r\n") == 0);
  const std::string label = std::to_string(samples[2].label), answer = std::to_string(samples[2].prediction);
  CHECK(table.find("0003-label-" + label + "-answer-" + answer + ".png," + label + "," + answer +
                   ",0.125,3000000000,1.5,0.25\r\n") != std::string::npos);
}

TEST_CASE("failing samples of another generator, and folders with other pictures, are refused") {
  const fl::AnalyticGenerator known({.factors = 2, .channels = 32, .classes = 4, .seed = 1}),
      other({.factors = 2, .channels = 32, .classes = 4, .seed = 2});
  const std::vector<fl::FailingSample> samples{{7, 1, 2, 0.1, 1.0, {}}};
  const faultline_tests::TemporaryDirectory folder;
  const auto code = [&](const fl::AnalyticGenerator& generator) {
    try {
      fl::write_failing_images(generator, run_of(known), samples, {}, folder.path());
    } catch (const fl::Error& error) {
      return error.code();
    }
    return static_cast<fl::ErrorCode>(0);
  };
  CHECK(code(other) == fl::ErrorCode::inconsistent_files);
  CHECK(code(known) == static_cast<fl::ErrorCode>(0));
  CHECK(code(known) == static_cast<fl::ErrorCode>(0));  // again: the same pictures
  const auto pictures = [&] {
    const auto names_there = folder.names();
    return std::count_if(names_there.begin(), names_there.end(),
                         [](const std::string& name) { return name.ends_with(".png"); });
  };
  CHECK(pictures() == 1);
  fl::write_png(folder / "holiday.png", {.height = 1, .width = 1, .channels = 1, .pixels = {0}});
  CHECK(code(known) == fl::ErrorCode::inconsistent_files);
  CHECK(pictures() == 2);  // and nothing was taken away
}
