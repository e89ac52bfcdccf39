// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The classifier that people have, as a word on the command line: a file of this library, an ONNX or TorchScript file,
// a command that reads images and writes scores, or a table of scores that were made elsewhere; what it wants its
// images to look like, and what its classes mean.

#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/input_spec_text.hpp>
#include <faultline/classify/mapped_classes.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/interop/child_process.hpp>
#include <faultline/interop/score_file.hpp>
#if __has_include(<opencv2/dnn.hpp>)  // with faultline::opencv, which brings the folder of OpenCV's headers
#include <faultline/interop/opencv_dnn.hpp>
#endif

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace program {

namespace fl = faultline;

/// What the command line says of classifiers that do not say it themselves.
struct ClassifierChoice {
  std::string input;    ///< words, see `classify::input_spec_from_text`
  std::string classes;  ///< map, see `ClassMap::from_text`
  std::string scores;   ///< "logits" or "probabilities"; empty: as the classifier states
  std::string name;     ///< for reports; empty: the command, or the file's name
};

/// --input, --classes, --score-kind and --name.
inline void add_classifier_options(CLI::App& app, ClassifierChoice& choice) {
  app.add_option(
      "--input", choice.input,
      "what an ONNX or TorchScript file, a command or a table of scores wants its images to look like: \"28x28 grey "
      "mean=.1307 std=.3081\"; "
      "words are HEIGHTxWIDTH, grey, rgb, bgr, crop, resize, range=0:255, mean=, std=, chw, hwc");
  app.add_option("--classes", choice.classes,
                 "for each class of the images, generated or your own, the class of the classifier that means it: \"1, "
                 "0, 2\", or several: "
                 "\"281+282, 207\"; an answer that means none of them is a failure");
  app.add_option("--score-kind", choice.scores,
                 "what scores are that do not say it themselves: logits or probabilities")
      ->check(CLI::IsMember({"logits", "probabilities"}));
  app.add_option("--name", choice.name, "what reports call a classifier that is no file of this library");
}

/// What help texts say of --classifier.
inline constexpr const char* classifier_help =
    "classifier: a file of this library (faultline.classifier/1), an ONNX or TorchScript file (.onnx, .pt), "
    "command:PROGRAM, which reads images and writes scores, or scores:FILE, a table of scores that are made elsewhere: "
    "images without scores are written "
    "into FILE.images (docs/how-to/score_files.md)";

namespace detail {

inline constexpr std::string_view command_prefix = "command:", table_prefix = "scores:";

inline bool is_command(const std::string& text) { return text.rfind(command_prefix, 0) == 0; }
inline bool is_table(const std::string& text) { return text.rfind(table_prefix, 0) == 0; }
inline bool is_onnx(const std::string& text) {
  return !is_command(text) && !is_table(text) && std::filesystem::path(text).extension() == ".onnx";
}

inline bool is_torchscript(const std::string& text) {
  const std::filesystem::path extension = std::filesystem::path(text).extension();
  return !is_command(text) && !is_table(text) && (extension == ".pt" || extension == ".pth");
}

/// A word that the shell takes as it is.
inline std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

inline fl::Scores scores_of(const ClassifierChoice& choice) {
  return choice.scores.empty() ? fl::Scores::undeclared : *fl::core::enumerator_from<fl::Scores>(choice.scores);
}

/// A table that may not be there yet: it has as many classes as are shown, or as the map names.
inline fl::AnyClassifier open_table(const std::string& file, const ClassifierChoice& choice, const fl::ClassMap& map,
                                    std::int64_t classes) {
  for (const std::vector<std::int64_t>& meaning : map.meanings())
    for (const std::int64_t own : meaning) classes = std::max(classes, own + 1);
  return fl::AnyClassifier(fl::ScoreFileClassifier(file, {.scores = scores_of(choice),
                                                          .input = fl::classify::input_spec_from_text(choice.input),
                                                          .name = choice.name,
                                                          .expected_classes = std::max<std::int64_t>(classes, 2)}));
}

inline void require_file(const std::string& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown))
    throw fl::Error(fl::ErrorCode::cannot_open, "classifier", "there is no file '" + file + "'");
}

inline fl::AnyClassifier open_onnx([[maybe_unused]] const std::string& file,
                                   [[maybe_unused]] const ClassifierChoice& choice) {
#if __has_include(<opencv2/dnn.hpp>)
  require_file(file);
  if (choice.scores.empty())
    throw fl::Error(fl::ErrorCode::scores_undeclared, "classifier",
                    "an ONNX file does not say what its scores are; add --score-kind logits or probabilities");
  return fl::AnyClassifier(fl::load_opencv_classifier(
      file,
      {.scores = scores_of(choice), .input = fl::classify::input_spec_from_text(choice.input), .name = choice.name}));
#else
  throw fl::Error(fl::ErrorCode::invalid_argument, "classifier",
                  "'" + file +
                      "' is an ONNX file, and this program was built without OpenCV's dnn module "
                      "(libopencv-dnn-dev); build it with that, or use command:PROGRAM");
#endif
}

/// A TorchScript file, run by the program beside this one that has LibTorch behind it.
inline fl::AnyClassifier open_torchscript(const std::string& file, const ClassifierChoice& choice) {
  require_file(file);
  std::error_code unknown;
  const fl::InputSpec input = fl::classify::input_spec_from_text(choice.input);
  if (choice.scores.empty() || input.height < 1 || input.width < 1 || input.channels < 1)
    throw fl::Error(choice.scores.empty() ? fl::ErrorCode::scores_undeclared : fl::ErrorCode::invalid_argument,
                    "classifier",
                    "a TorchScript file says neither what its images look like nor what its scores are; add --input "
                    "\"28x28 grey\" or the like, and --score-kind logits or probabilities");
  const std::filesystem::path helper =
      std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path() / "score_torchscript";
  if (unknown || !std::filesystem::exists(helper, unknown))
    throw fl::Error(
        fl::ErrorCode::invalid_argument, "classifier",
        "'" + file +
            "' is a TorchScript file, and the program score_torchscript, which runs it, does not lie beside "
            "this one; it is built where LibTorch is found (./bootstrap libtorch)");
  std::string command = "exec " + shell_word(helper.string()) + " " + shell_word(file) + " --height " +
                        std::to_string(input.height) + " --width " + std::to_string(input.width) + " --channels " +
                        std::to_string(input.channels) + " --score-kind " + choice.scores;
  if (input.layout == fl::PixelLayout::channels_last) command += " --channels-last";
  return fl::AnyClassifier(fl::ChildProcessClassifier(
      command, {.scores = scores_of(choice),
                .input = input,
                .name = choice.name.empty() ? std::filesystem::path(file).stem().string() : choice.name}));
}

inline fl::AnyClassifier open_one(const std::string& text, const ClassifierChoice& choice, const fl::ClassMap& map,
                                  std::int64_t shown) {
  if (is_command(text))
    return fl::AnyClassifier(fl::ChildProcessClassifier(
        text.substr(command_prefix.size()),
        {.scores = scores_of(choice), .input = fl::classify::input_spec_from_text(choice.input), .name = choice.name}));
  if (is_table(text)) return open_table(text.substr(table_prefix.size()), choice, map, shown);
  if (is_onnx(text)) return open_onnx(text, choice);
  if (is_torchscript(text)) return open_torchscript(text, choice);
  const std::string ending = std::filesystem::path(text).extension().string();
  if (ending == ".py" || ending == ".sh" || ending == ".exe")
    throw fl::Error(fl::ErrorCode::foreign_format, "classifier",
                    "'" + text + "' is a program, not a model; give the command that runs it: \"command:" +
                        (ending == ".py"   ? "python3 "
                         : ending == ".sh" ? "sh "
                                           : "") +
                        text + "\"");
  return fl::AnyClassifier(fl::load_classifier(text));
}

}  // namespace detail

/// The classifiers that texts name: "model.safetensors", "model.onnx", "model.pt", "command:python3 model.py",
/// "scores:FILE". `shown` is the number of classes of what they are shown.
///
/// **Throws** what opening them throws; `invalid_argument` for --input, --score-kind or --name where all are files of
/// this library, which say these themselves, and for --name where there are several.
inline std::vector<fl::AnyClassifier> open_classifiers(const std::vector<std::string>& texts,
                                                       const ClassifierChoice& choice, std::int64_t shown) {
  const bool asks = std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
    return detail::is_command(text) || detail::is_table(text) || detail::is_onnx(text) || detail::is_torchscript(text);
  });
  if (!asks && (!choice.input.empty() || !choice.scores.empty()))
    throw fl::Error(fl::ErrorCode::invalid_argument, "classifier",
                    "'" + texts.front() + "' says itself what its images look like and what its scores are; leave " +
                        (choice.input.empty() ? "--score-kind" : "--input") + " away");
  if (!choice.name.empty() && (!asks || texts.size() > 1))
    throw fl::Error(fl::ErrorCode::invalid_argument, "classifier",
                    (asks ? "several classifiers cannot all be called '" + choice.name + "'"
                          : "'" + texts.front() + "' is called after its file") +
                        "; leave --name away");
  std::vector<fl::AnyClassifier> classifiers;
  for (const std::string& text : texts) {
    const fl::ClassMap map = choice.classes.empty() ? fl::ClassMap() : fl::ClassMap::from_text(choice.classes);
    const fl::AnyClassifier own = detail::open_one(text, choice, map, shown);
    const bool is_mapped = !map.is_identity() || own.num_classes() == 1;
    classifiers.push_back(is_mapped ? fl::AnyClassifier(fl::MappedClassifier(own, map)) : own);
  }
  return classifiers;
}

/// One of them.
inline fl::AnyClassifier open_classifier(const std::string& text, const ClassifierChoice& choice, std::int64_t shown) {
  return open_classifiers({text}, choice, shown).front();
}

}  // namespace program
