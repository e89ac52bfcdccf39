// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Provenance: the one description of a run, which report, renderer, comparison and replay lines all read.

#include <faultline/concepts/generator_options.hpp>
#include <faultline/core/describe.hpp>
#include <faultline/sampling/label_policy.hpp>
#include <faultline/sampling/sampler_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// Stands for the digest of a classifier that states none, among those of a comparison.
inline constexpr const char* not_stated = "not stated";

/// An option of a run as C++ text: "alpha", "0.05".
struct OptionValue {
  std::string name;
  std::string value;
};
FAULTLINE_MEMBERS(OptionValue, name, value)

/// How a run came about: everything that decided its result, and with what it was made.
struct Provenance {
  std::string library_version;
  std::string generator_digest;
  std::string classifier_name;  ///< of a comparison: all names
  std::string criterion;        ///< see `criterion_name`
  std::string torch_version;    ///< of the generator; empty for one without LibTorch
  std::string cpu;
  std::int64_t seed = 0;
  std::int64_t samples_per_split = 0;  ///< of a gate: samples drawn
  std::int64_t batch_size = 64;
  double truncation = 1.0;
  Noise noise = Noise::constant;
  LabelPolicy labels;
  double alpha = 0.05;
  /// What the generator's backend says it ran (device, precision, kernels); empty if nothing
  std::string backend = {};
  std::optional<std::int64_t> cutoff = std::nullopt;  ///< layers that are truncated; empty: all of them
  /// See `criterion_expression`; empty for a criterion of the user's own
  std::string criterion_expression = {};
  /// As the classifier states it; of a comparison: all of them
  std::optional<std::string> classifier_digest = std::nullopt;
  std::optional<std::string> judge_name = std::nullopt;
  std::optional<std::string> judge_digest = std::nullopt;
  std::string compiler = {};  ///< "GCC 12.2.0"
  /// The command line of a program; empty for a call from other code
  std::string command = {};
  std::vector<OptionValue> method = {};  ///< numbers of `MethodOptions`, in its order; empty for a gate
  /// Numbers of the call's own options beside samples, sampler and method
  std::vector<OptionValue> options = {};
  std::vector<std::string> properties = {};  ///< names of the image properties asked for
};
FAULTLINE_MEMBERS(Provenance, library_version, generator_digest, classifier_name, criterion, torch_version, cpu, seed,
                  samples_per_split, batch_size, truncation, noise, labels, alpha, backend, cutoff,
                  criterion_expression, classifier_digest, judge_name, judge_digest, compiler, command, method, options,
                  properties)

/// The sampler of the run, whole: with the same generator it draws the same samples.
[[nodiscard]] SamplerOptions sampler_options(const Provenance& run);

}  // namespace analysis

using analysis::Provenance;

}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/detail/provenance_impl.hpp>
#endif
