// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The classifier that people have, as a word on the command line: a file of this library, an ONNX file, or a command
// that reads images and writes scores; what it wants its images to look like, and what its classes mean.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/input_spec_text.hpp>
#include <faultline/classify/mapped_classes.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/interop/child_process.hpp>
#include <faultline/training/classifier.hpp>
#if __has_include(<opencv2/dnn.hpp>)  // with faultline::opencv, which brings the folder of OpenCV's headers
#include <faultline/interop/opencv_dnn.hpp>
#endif

#include <CLI/CLI.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace program {

namespace fl = faultline;

/// What the command line says of classifiers that do not say it themselves.
struct ClassifierChoice {
  std::string input;    ///< words, see `classify::input_spec_from_text`
  std::string classes;  ///< map, see `ClassMap::from_text`
  std::string scores;   ///< "logits" or "probabilities"; empty: as the classifier states
};

/// --input and --classes, which are about classifiers that do not say it themselves.
inline void add_input_options(CLI::App& app, ClassifierChoice& choice) {
  app.add_option("--input", choice.input,
                 "what an ONNX file or a command wants its images to look like: \"28x28 grey mean=.1307 std=.3081\"; "
                 "words are HEIGHTxWIDTH, grey, rgb, bgr, crop, resize, range=0:255, mean=, std=, chw, hwc");
  app.add_option("--classes", choice.classes,
                 "for each class of the generator the class of the classifier that means it: \"1, 0, 2\", or several: "
                 "\"281+282, 207\"; an answer that means none of them is a failure");
}

/// The same and --score-kind.
inline void add_classifier_options(CLI::App& app, ClassifierChoice& choice) {
  add_input_options(app, choice);
  app.add_option("--score-kind", choice.scores, "what an ONNX file or a command gives, where it does not say")
      ->check(CLI::IsMember({"logits", "probabilities"}));
}

/// What stands behind --classifier in help texts.
inline constexpr const char* classifier_help =
    "classifier: a file of this library (faultline.classifier/1), an ONNX file, or command:PROGRAM, which reads images "
    "and writes scores";

namespace detail {

inline fl::Scores scores_of(const ClassifierChoice& choice, fl::Scores otherwise) {
  return choice.scores.empty() ? otherwise : *fl::core::enumerator_from<fl::Scores>(choice.scores);
}

inline fl::AnyClassifier open_onnx([[maybe_unused]] const std::string& file,
                                   [[maybe_unused]] const ClassifierChoice& choice) {
#if __has_include(<opencv2/dnn.hpp>)
  if (choice.scores.empty())
    throw fl::Error(fl::ErrorCode::scores_undeclared, "classifier",
                    "an ONNX file does not say what its scores are; add --score-kind logits or probabilities");
  return fl::AnyClassifier(
      fl::load_opencv_classifier(file, {.scores = scores_of(choice, fl::Scores::undeclared),
                                        .input = fl::classify::input_spec_from_text(choice.input)}));
#else
  throw fl::Error(fl::ErrorCode::invalid_argument, "classifier",
                  "'" + file +
                      "' is an ONNX file, and this program was built without OpenCV's dnn module "
                      "(libopencv-dnn-dev); build it with that, or use command:PROGRAM");
#endif
}

}  // namespace detail

/// Whether there are other classifiers that --input and --score-kind may be meant for.
enum class Others { none, may_need_it };

/// The classifier that `text` names: "model.safetensors", "model.onnx", "command:python3 model.py".
///
/// **Throws** what opening it throws; `invalid_argument` for --input or --score-kind beside a file of this library,
/// which says both itself.
inline fl::AnyClassifier open_classifier(const std::string& text, const ClassifierChoice& choice,
                                         Others others = Others::none) {
  constexpr std::string_view command = "command:";
  const fl::AnyClassifier own = [&] {
    if (text.rfind(command, 0) == 0)
      return fl::AnyClassifier(fl::ChildProcessClassifier(text.substr(command.size()),
                                                          {.scores = detail::scores_of(choice, fl::Scores::undeclared),
                                                           .input = fl::classify::input_spec_from_text(choice.input)}));
    if (std::filesystem::path(text).extension() == ".onnx") return detail::open_onnx(text, choice);
    if (others == Others::none && (!choice.input.empty() || !choice.scores.empty()))
      throw fl::Error(fl::ErrorCode::invalid_argument, "classifier",
                      "'" + text + "' says itself what its images look like and what its scores are; leave " +
                          (choice.input.empty() ? "--score-kind" : "--input") + " away");
    return fl::AnyClassifier(fl::load_classifier(text));
  }();
  if (choice.classes.empty() && own.num_classes() > 1) return own;
  return fl::AnyClassifier(
      fl::MappedClassifier(own, choice.classes.empty() ? fl::ClassMap() : fl::ClassMap::from_text(choice.classes)));
}

}  // namespace program
