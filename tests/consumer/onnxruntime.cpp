// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A user's file with an ONNX classifier: onnxruntime_program model.onnx.
#include <faultline/interop/onnxruntime.hpp>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto classifier = faultline::load_onnxruntime_classifier(argv[1], {.scores = faultline::Scores::logits});
  return classifier.num_classes() == 10 ? 0 : 1;
}
