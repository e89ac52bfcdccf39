// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Fills the description of a run: the one place where provenance is written.

#include <faultline/analysis/problem/detail/cpu_name.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/concepts/classifier.hpp>
#include <faultline/concepts/failure_criterion.hpp>
#include <faultline/concepts/style_generator.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {

/// "GCC 12.2.0", "Clang 14.0.6".
[[nodiscard]] std::string compiler_name();

/// What can be said of any run: versions, machine, generator, sampling and criterion.
template <StyleGenerator G, FailureCriterion F>
[[nodiscard]] Provenance describe_sampling(const StyleSpaceSampler<G>& sampler, const F& criterion,
                                           std::int64_t samples) {
  const G& generator = sampler.generator();
  const SamplerOptions& sampling = sampler.options();
  Provenance run;
  run.library_version = version_string;
  run.generator_digest = generator.digest();
  run.criterion = criterion_name(criterion);
  run.criterion_expression = criterion_expression(criterion);
  if constexpr (requires {
                  { generator.torch_version() } -> std::convertible_to<std::string>;
                })
    run.torch_version = generator.torch_version();
  run.cpu = detail::cpu_name();
  run.compiler = compiler_name();
  if constexpr (requires {
                  { generator.backend_description() } -> std::convertible_to<std::string>;
                })
    run.backend = generator.backend_description();
  run.seed = sampling.seed;
  run.samples_per_split = samples;
  run.batch_size = sampling.batch_size;
  run.truncation = sampling.truncation;
  run.cutoff = sampling.cutoff;
  run.noise = sampling.noise;
  run.labels = sampling.labels;
  return run;
}

/// Adds the classifier.
template <Classifier C>
void describe_classifier(Provenance& run, const C& classifier) {
  run.classifier_name = name_of(classifier);
  run.classifier_digest = digest_of(classifier);
}

/// What a backend has to warn of.
template <StyleGenerator G>
[[nodiscard]] std::vector<std::string> backend_warnings_of(const G& generator) {
  if constexpr (requires {
                  { generator.backend_warnings() } -> std::convertible_to<std::vector<std::string>>;
                })
    return generator.backend_warnings();
  else return {};
}

/// Names of the generator's classes, if it has any.
template <StyleGenerator G>
[[nodiscard]] std::vector<std::string> class_names_of(const G& generator) {
  if constexpr (requires {
                  { generator.class_names() } -> std::convertible_to<std::vector<std::string>>;
                })
    return generator.class_names();
  else return {};
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline

#ifndef FAULTLINE_COMPILED
#include <faultline/analysis/problem/detail/describe_run_impl.hpp>
#endif
