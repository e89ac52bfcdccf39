// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Is each image property fit to name directions? Corrupts real MNIST digits one way at a time and prints how every default property responds.
//
//   property_admission [directory of the four MNIST files] [images]
//
// The rule: a property separates its own corruption from clean images with AUC of at least .9, and responds to each of the others at most half as much.
// Numbers are standardised responses, (mean corrupted - mean clean) / standard deviation over all corruptions together; the AUC of the own corruption is in brackets.
//
// test(3): @out@/no-such-directory

#include <faultline/analysis/properties/measure.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/data/mnist.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

struct Corruption {
  std::string name;
  std::string own;  // the property it is the own corruption of
  std::function<void(std::span<float> image, std::int64_t index)> apply;
};

constexpr std::int64_t side = 32;

void brush(std::span<float> image, int reach) {  // every stroke grows by `reach` pixels to the right and downwards
  const std::vector<float> before(image.begin(), image.end());
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x)
      for (std::int64_t dy = 0; dy <= reach; ++dy)
        for (std::int64_t dx = 0; dx <= reach; ++dx)
          if (y >= dy && x >= dx) image[static_cast<std::size_t>(y * side + x)] = std::max(image[static_cast<std::size_t>(y * side + x)], before[static_cast<std::size_t>((y - dy) * side + x - dx)]);
}

std::vector<Corruption> corruptions() {
  std::vector<Corruption> all;
  for (int severity = 1; severity <= 3; ++severity) {
    all.push_back({"noise " + std::to_string(severity), "noise level", [severity](std::span<float> image, std::int64_t i) { fl::corrupt(image, side, side, {0, severity}, 1, i); }});
    all.push_back({"blur " + std::to_string(severity), "blur", [severity](std::span<float> image, std::int64_t i) { fl::corrupt(image, side, side, {severity, 0}, 1, i); }});
  }
  all.push_back({"fade", "contrast", [](std::span<float> image, std::int64_t) {
                   double mean = 0.0;
                   for (const float v : image) mean += v / static_cast<double>(image.size());
                   for (float& v : image) v = static_cast<float>(mean + 0.4 * (v - mean));  // brightness stays, as in ImageNet-C
                 }});
  all.push_back({"brighten", "mean intensity", [](std::span<float> image, std::int64_t) { for (float& v : image) v = std::min(1.0f, v + 0.15f); }});
  all.push_back({"brush", "stroke thickness", [](std::span<float> image, std::int64_t) { brush(image, 2); }});
  return all;
}

double mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double auc(const std::vector<double>& clean, const std::vector<double>& corrupted) {
  double sum = 0.0;
  for (const double a : clean)
    for (const double b : corrupted) sum += b > a ? 1.0 : b == a ? 0.5 : 0.0;
  sum /= static_cast<double>(clean.size() * corrupted.size());
  return std::max(sum, 1.0 - sum);  // lower counts as separated, too
}

std::vector<double> measure(const fl::LabelledImages& digits, std::int64_t count, const fl::Property& property, const Corruption* corruption) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    std::vector<float> image(static_cast<std::size_t>(side * side), 0.0f);
    for (std::int64_t y = 0; y < digits.height; ++y)
      for (std::int64_t x = 0; x < digits.width; ++x) image[static_cast<std::size_t>((y + 2) * side + x + 2)] = static_cast<float>(digits.image(i)[static_cast<std::size_t>(y * digits.width + x)]) / 255.0f;
    if (corruption != nullptr) corruption->apply(image, i);
    values.push_back(property.measure(image, {1, side, side}));
  }
  return values;
}

void print_table(const fl::LabelledImages& digits, std::int64_t count) {
  const auto all = corruptions();
  std::printf("%-17s", "property");
  for (const Corruption& c : all) std::printf("%16s", c.name.c_str());
  std::printf("\n");
  for (const fl::Property& property : fl::default_properties()) {
    const auto clean = measure(digits, count, property, nullptr);
    std::vector<std::vector<double>> corrupted;
    std::vector<double> everything = clean;
    for (const Corruption& c : all) {
      corrupted.push_back(measure(digits, count, property, &c));
      everything.insert(everything.end(), corrupted.back().begin(), corrupted.back().end());
    }
    const double centre = mean(everything);
    double squares = 0.0;
    for (const double v : everything) squares += (v - centre) * (v - centre);
    const double deviation = std::sqrt(squares / static_cast<double>(everything.size()));
    std::printf("%-17s", property.name.c_str());
    for (std::size_t c = 0; c < all.size(); ++c) {
      const bool own = all[c].own == property.name || (property.name == "ink area" && all[c].own == "stroke thickness");
      std::printf("  %7.2f", (mean(corrupted[c]) - mean(clean)) / deviation);
      if (own) std::printf(" (%.2f)", auc(clean, corrupted[c]));
      else std::printf("       ");
    }
    std::printf("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto directory = argc > 1 ? std::filesystem::path(argv[1]) : fl::find_mnist();
    const fl::LabelledImages digits = fl::load_mnist(directory, fl::MnistPart::test);
    const std::int64_t count = argc > 2 ? std::atoll(argv[2]) : 400;
    if (count < 2 || count > digits.count) {
      std::fprintf(stderr, "property_admission: expected 2 to %lld images\n", static_cast<long long>(digits.count));
      return 2;
    }
    print_table(digits, count);
  } catch (const fl::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
  return 0;
}
