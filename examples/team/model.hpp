// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Stands for the team's own model and knows nothing of gates: normalised pixels through a small network. The network is
// the library's shipped one here; a real one would be the team's.

#include <faultline/classify/network_classifier.hpp>
#include <faultline/data/assets.hpp>
#include <faultline/data/classifier_file.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace team {

#ifdef TEAM_BROKEN
inline const std::string version = "2.0";
#else
inline const std::string version = "1.0";
#endif

class Model {
 public:
  Model() : network_(faultline::load_classifier(faultline::find_asset("robust.safetensors"))) {
    const faultline::InputSpec input = network_.input_spec();
    if (!input.mean.empty()) mean_ = static_cast<float>(input.mean.front());
    if (!input.std.empty()) deviation_ = static_cast<float>(input.std.front());
  }

  /// Grey images of 28x28 pixels in [0, 1], one after the other, into ten scores each.
  void classify(const float* pixels, std::int64_t count, faultline::ScoreMatrix& scores) {
    const faultline::ImageShape shape{1, 28, 28};
    faultline::ImageBatch prepared(count, shape);
    for (std::int64_t i = 0; i < count * shape.elements(); ++i) {
      float value = pixels[i];
#ifdef TEAM_BROKEN
      value = value > 0.5f ? 1.0f : 0.0f;  // release 2.0 takes images for black and white ones
#endif
      prepared.data()[i] = (value - mean_) / deviation_;
    }
    network_.score(prepared.view(), scores);
  }

 private:
  faultline::AnyClassifier network_;
  float mean_ = 0.0f, deviation_ = 1.0f;
};

}  // namespace team
