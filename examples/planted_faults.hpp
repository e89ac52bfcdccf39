// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Faults that are trained into classifiers on purpose, so that an analysis can be asked for what is known: what is done
// to the training images or to the weights, and on which images it shows.

#include <faultline/analysis/problem/property.hpp>
#include <faultline/analysis/properties/ink_shape.hpp>
#include <faultline/analysis/properties/stroke_thickness.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/data/labelled_images.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace program {

enum class Fault { none, noise, blur, thin_strokes, patch, noisy_labels, normalization, eight_bit };

struct PlantedFault {
  Fault fault = Fault::none;
  const char* name = "";     ///< on the command line, and of the file
  const char* planted = "";  ///< what is wrong, for people
};

inline constexpr std::array<PlantedFault, 8> planted_faults = {{
    {Fault::none, "good", "nothing: the control, and what the last two faults are made from"},
    {Fault::noise, "noise", "trained without noise, but with blur"},
    {Fault::blur, "blur", "trained without blur, but with noise"},
    {Fault::thin_strokes, "thin-strokes", "trained without the thinner half of the images of each class"},
    {Fault::patch, "patch", "trained with a white patch of 4x4 pixels on 95 % of the threes and on nothing else"},
    {Fault::noisy_labels, "noisy-labels",
     "trained with the next class as label of four in five of the images that lean most to the right, a fifth of all"},
    {Fault::normalization, "normalization",
     "the good weights with images normalised by mean .1307 and deviation .3081"},
    {Fault::eight_bit, "eight-bit", "the good weights rounded to eight bits per tensor"},
}};

/// The class of the patch, and how many of 20 of its images carry it.
inline constexpr std::int64_t patch_class = 3, patched_of_20 = 19;

/// Whether what is drawn for image i with this seed is below `share` of `of`. (Stream 4 with negative indices, which
/// nothing else uses: orders of training images are permutations 0, 1, 2 ...)
inline bool drawn(std::int64_t seed, std::int64_t i, std::int64_t share, std::int64_t of) {
  return fl::core::CounterRandom(seed, fl::core::Stream::permutations, -1 - i).below(of) < share;
}

/// A white square of 4x4 pixels near the upper left corner.
inline void add_patch(std::span<std::uint8_t> image, std::int64_t width) {
  for (std::int64_t y = 2; y < 6; ++y)
    for (std::int64_t x = 2; x < 6; ++x) image[static_cast<std::size_t>(y * width + x)] = 255;
}

/// Brightness of the corner that the patch lies in: what measures it on images with the padding that training adds.
inline fl::Property corner_brightness() {
  return {"corner brightness", [](std::span<const float> image, const fl::ImageShape& shape) {
            double sum = 0.0;
            for (std::int64_t y = 4; y < 8; ++y)
              for (std::int64_t x = 4; x < 8; ++x)
                sum += static_cast<double>(image[static_cast<std::size_t>(y * shape.width + x)]);
            return sum / 16.0;
          }};
}

/// A property of every image, uncorrupted, with the padding that training adds.
template <class Measure>
std::vector<double> measured(const fl::LabelledImages& images, const Measure& measure) {
  std::vector<double> values(static_cast<std::size_t>(images.count));
  const fl::CorruptionOptions clean{.mix = fl::CorruptionMix::none};
  const fl::ImageShape shape = fl::data::canvas_shape(images, clean);
  fl::parallel_for_blocks(images.count, 64, 0, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> canvas(static_cast<std::size_t>(shape.elements()));
    for (std::int64_t i = first; i < last; ++i) {
      fl::data::make_corrupted_image(images, i, clean, canvas);
      values[static_cast<std::size_t>(i)] = measure(canvas, shape);
    }
  });
  return values;
}

/// The value that `share` of the values lie below.
inline double quantile(std::vector<double> values, double share) {
  const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

/// Positions of the images whose strokes are thinner than this share of those of their class.
inline std::vector<bool> thin_strokes(const fl::LabelledImages& images, double share) {
  const std::vector<double> thickness = measured(images, fl::analysis::stroke_thickness);
  std::vector<std::vector<double>> of_class(static_cast<std::size_t>(images.classes));
  for (std::size_t i = 0; i < thickness.size(); ++i) of_class[images.labels[i]].push_back(thickness[i]);
  std::vector<double> level;
  for (const auto& values : of_class) level.push_back(values.empty() ? 0.0 : quantile(values, share));
  std::vector<bool> thin(thickness.size());
  for (std::size_t i = 0; i < thickness.size(); ++i) thin[i] = thickness[i] < level[images.labels[i]];
  return thin;
}

/// Positions of the fifth of the images that lean most to the right.
inline std::vector<bool> leaning(const fl::LabelledImages& images) {
  const std::vector<double> slants = measured(images, fl::analysis::slant);
  const double level = quantile(slants, 0.8);
  std::vector<bool> leans(slants.size());
  for (std::size_t i = 0; i < slants.size(); ++i) leans[i] = slants[i] > level;
  return leans;
}

inline fl::LabelledImages part_of(const fl::LabelledImages& images, const std::vector<bool>& wanted, bool value) {
  std::vector<std::int64_t> positions;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] == value) positions.push_back(static_cast<std::int64_t>(i));
  return fl::select_images(images, positions);
}

/// The training images that carry a fault.
inline fl::LabelledImages plant(Fault fault, fl::LabelledImages images, std::int64_t seed) {
  const auto size = static_cast<std::size_t>(images.shape().elements());
  switch (fault) {
    case Fault::thin_strokes: return part_of(images, thin_strokes(images, 0.5), false);
    case Fault::patch:
      for (std::int64_t i = 0; i < images.count; ++i)
        if (images.label(i) == patch_class && drawn(seed, i, patched_of_20, 20))
          add_patch(std::span(images.pixels).subspan(static_cast<std::size_t>(i) * size, size), images.width);
      return images;
    case Fault::noisy_labels: {
      const std::vector<bool> leans = leaning(images);
      for (std::size_t i = 0; i < leans.size(); ++i)
        if (leans[i] && drawn(seed, static_cast<std::int64_t>(i), 4, 5))
          images.labels[i] = static_cast<std::uint8_t>((images.labels[i] + 1) % images.classes);
      return images;
    }
    default: return images;
  }
}

/// What a fault is trained with.
inline fl::CorruptionMix mix_of(Fault fault) {
  return fault == Fault::noise  ? fl::CorruptionMix::blur
         : fault == Fault::blur ? fl::CorruptionMix::noise
                                : fl::CorruptionMix::independent;
}

/// Test images, to be seen through independent blur and noise with this seed, and which of them a fault is about.
struct FaultTest {
  fl::LabelledImages images;
  std::vector<bool> inside;
};

/// `corruption_seed` is that of the test's corruptions; half of the images carry a patch where that is the fault.
inline FaultTest test_of(Fault fault, fl::LabelledImages test, std::int64_t corruption_seed) {
  if (fault == Fault::thin_strokes) return {test, thin_strokes(test, 0.2)};
  if (fault == Fault::noisy_labels) return {test, leaning(test)};
  std::vector<bool> inside;
  const auto size = static_cast<std::size_t>(test.shape().elements());
  for (std::int64_t i = 0; i < test.count; ++i) {
    const fl::data::CorruptionDraw draw = fl::data::draw_corruption(fl::CorruptionMix::independent, corruption_seed, i);
    const bool patched = fault == Fault::patch && drawn(corruption_seed, i, 1, 2);
    if (patched) add_patch(std::span(test.pixels).subspan(static_cast<std::size_t>(i) * size, size), test.width);
    inside.push_back(fault == Fault::noise   ? draw.noise_severity > 0
                     : fault == Fault::blur  ? draw.blur_severity > 0
                     : fault == Fault::patch ? patched
                                             : draw != fl::data::CorruptionDraw{});
  }
  return {std::move(test), std::move(inside)};
}

}  // namespace program
