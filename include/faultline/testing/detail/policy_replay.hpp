// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// The parts that the replay lines of all gates have in common.

#include <faultline/analysis/problem/replay_text.hpp>
#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/analysis/provenance.hpp>
#include <faultline/core/enum_text.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/sampling/sampler_options.hpp>
#include <faultline/testing/detail/mode_of.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// The options that every sampled policy has, as a replay line has them.
template <class Policy>
void add_sampling(analysis::ReplayText& text, const Policy& policy) {
  const Policy standard;
  text.add("seed", policy.seed);
  text.add("max_samples", policy.max_samples);
  if (policy.labels.kind != LabelPolicy::Kind::uniform) text.add("labels", text.labels(policy.labels));
  if (policy.truncation != standard.truncation) text.add("truncation", number_text(policy.truncation));
  text.add("batch_size", policy.batch_size);
  if (policy.cutoff) text.add("cutoff", *policy.cutoff);
  if constexpr (requires { policy.noise; })
    if (policy.noise != standard.noise)
      text.add("noise", "fl::Noise::" + std::string(core::enumerator_of(policy.noise)));
  if (policy.probability_tolerance != standard.probability_tolerance)
    text.add("probability_tolerance", number_text(policy.probability_tolerance));
  if (policy.gates != standard.gates) text.add("gates", policy.gates);
}

/// The rest of them, which say nothing about which samples are drawn.
template <class Policy>
void add_mode(analysis::ReplayText& text, const Policy& policy) {
  const Policy standard;
  if (mode_of(policy) == GateMode::smoke) {
    text.add("smoke_samples", policy.smoke_samples);
    text.add("mode", "fl::testing::GateMode::smoke");
  }
  if (policy.allow_undecided != standard.allow_undecided) text.add("allow_undecided", std::string("true"));
}

/// `fl::property_named("blur")`; one of the caller's own is to be supplied.
[[nodiscard]] inline std::string replayed_property(analysis::ReplayText& text, const std::string& name) {
  const std::vector<Property> standard = default_properties();
  if (std::ranges::find(standard, name, &Property::name) != standard.end())
    return "fl::property_named(\"" + name + "\")";
  text.supply("property \"" + name + "\", a function of your own");
  return "property";
}

/// "fl::testing::gate(generator /* digest */, classifier /* name, digest */, fl::testing::Name{".
inline void begin_replay(analysis::ReplayText& text, const Provenance& run, const std::string& policy) {
  text.write("fl::testing::gate(" + text.model("generator", "", run.generator_digest) + ", ");
  text.write(text.model("classifier", run.classifier_name, run.classifier_digest));
  text.write(", fl::testing::" + policy + "{");
}

inline std::string end_replay(analysis::ReplayText& text, const Provenance& run) {
  text.write("}");
  text.criterion(run);
  text.write(")");
  return text.text();
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
