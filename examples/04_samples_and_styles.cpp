// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Samples by index, streamed in batches: sample i depends on the seed and i alone, so a population of any size needs
// the memory of one batch.
#include "program.hpp"

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/streaming_moments.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <cmath>
#include <cstdio>

namespace fl = faultline;

static int show() {
  const fl::AnalyticGenerator generator({.factors = 6, .channels = 128, .classes = 4, .seed = 1});
  const fl::StyleSpaceSampler sampler(generator, {.seed = 7, .labels = fl::LabelPolicy::uniform()});

  // Moments of w for every class, in one pass; those of every style follow from s = A w + b.
  fl::StreamingMoments moments(generator.w_dim(), generator.num_classes());
  for (const auto& batch : sampler.batches(/*first*/ 0, /*count*/ 20'000))
    for (std::int64_t i = 0; i < batch.size(); ++i)
      moments.add(batch.index[static_cast<std::size_t>(i)], batch.w.row_span(i),
                  batch.label[static_cast<std::size_t>(i)]);
  for (std::int64_t c = 0; c < generator.num_classes(); ++c)
    std::printf("class %lld: %lld samples\n", static_cast<long long>(c),
                static_cast<long long>(moments.group(c).count));

  // A style channel has a name, and a value in every sample.
  const fl::StyleChannel channel = generator.layout().locate(generator.factor_channel(0));
  std::printf("factor 0 is %s:%lld, style %lld of %lld\n",
              generator.layout().layers()[static_cast<std::size_t>(channel.layer)].name.c_str(),
              static_cast<long long>(channel.channel), static_cast<long long>(channel.flat),
              static_cast<long long>(generator.layout().dimension()));

  // Any sample can be made again by its index, alone; and its image can be made again with one style changed.
  const auto again = sampler.sample(/*first*/ 12'345, /*count*/ 1);
  const std::vector<float> shift{1.0f};
  const fl::ImageBatch edited = sampler.synthesize_edited(again.w, channel.flat, shift);
  const float before = generator.read(again.images, 0).factors[0], after = generator.read(edited, 0).factors[0];
  std::printf("sample 12345: factor 0 is %.3f, and %.3f with that style raised by 1\n", static_cast<double>(before),
              static_cast<double>(after));
  return after > before ? 0 : 1;
}

int main() { return program::run("samples_and_styles", show); }
