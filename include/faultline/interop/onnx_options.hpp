// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What an ONNX file does not say about the classifier in it.

#include <faultline/concepts/classifier.hpp>

#include <cstdint>
#include <string>

namespace faultline {
inline namespace v1 {

/// How to use an ONNX file as a classifier. Sizes that the file states need not be repeated; repeated, they are
/// checked.
struct OnnxOptions {
  std::int64_t classes = 0;            ///< K; 0: as many as the output has
  Scores scores = Scores::undeclared;  ///< must be declared
  /// What the images must look like. `channels`, `height` and `width` of 0: as the file says
  InputSpec input = {};
  std::string name = "";    ///< for reports; empty: the file's name without its ending
  std::string output = "";  ///< which output has the scores; empty where the file has only one
  /// Images of every forward pass; 0: as many as the file says, 64 where it leaves that open
  std::int64_t batch_size = 0;
  std::int64_t threads = 0;  ///< of a forward pass, at most those of the caller; 0: as the engine is set
};

}  // namespace v1
}  // namespace faultline
