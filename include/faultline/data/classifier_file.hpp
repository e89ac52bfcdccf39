// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Classifier files, and `load_classifier`, which makes a classifier of one.

#include <faultline/classify/classifier_network.hpp>
#include <faultline/classify/network_classifier.hpp>
#include <faultline/data/safetensors.hpp>

#include <filesystem>
#include <string>

namespace faultline {
inline namespace v1 {
namespace classify {

/// The `format` of classifier files.
inline constexpr const char* classifier_format = "faultline.classifier/1";

/// Reads a classifier file: config, weights, provenance and digest.
///
/// **Throws** what `read_safetensors` throws; `foreign_format` for another format or an unknown architecture;
/// `malformed_header` for a config that is not one, unknown metadata, sizes outside 1 .. 65 536 and an input that is
/// too small for the architecture; `missing_tensor`, `unexpected_tensor`, `wrong_tensor_shape`. **Cost**: twice the
/// file in memory.
/// Example: `ClassifierModel model = load_classifier_model("clean.safetensors");`
[[nodiscard]] ClassifierModel load_classifier_model(const std::filesystem::path& path,
                                                    Integrity integrity = Integrity::checked);

/// Writes a classifier file, all or nothing, and returns its digest. The same model gives the same bytes; `digest` of
/// the model is not stored, but found again.
///
/// **Throws** what `write_safetensors` throws. Whether the model is whole is the reader's question.
/// Example: `std::string digest = save_classifier("mine.safetensors", model);`
std::string save_classifier(const std::filesystem::path& path, const ClassifierModel& model);

}  // namespace classify

/// Reads a classifier file (`faultline.classifier/1`); the name in reports is the file's stem.
///
/// **Throws** as `classify::load_classifier_model`.
/// Example: `auto classifier = fl::load_classifier("clean.safetensors");`
[[nodiscard]] classify::NetworkClassifier load_classifier(const std::filesystem::path& path,
                                                          Integrity integrity = Integrity::checked);

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/data/detail/classifier_file_impl.hpp>
#endif
