// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Is each image property fit to name directions? Corrupts real MNIST digits one way at a time, prints how every default
// property responds, and says which are admitted.
//
//   property_admission [directory of the four MNIST files] [images]
//
// The rule: a property separates each of its own corruptions from clean images of the same class with AUC of at least
// .9, and its response to any other is at most half of the smallest response to its own. Responses are standardised:
// mean (corrupted - clean) / standard deviation within classes over all corruptions together. A response that follows
// from what the two words mean is no confusion ("+": more ink makes a brighter image) and is left out of the
// comparison; all of those are listed in `corruptions()`. Exit codes: 0 all admitted, 1 one is not, 2 usage, 3 no
// MNIST.
//
// test(3): @out@/no-such-directory
// test(2): @out@ 99999999999999999999
// test(2): @out@ 400images
// test: --help
// full: --help

#include "program.hpp"

#include <faultline/analysis/properties/measure.hpp>
#include <faultline/data/corruptions.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

constexpr std::int64_t side = 32;
using Image = std::vector<float>;

float& pixel(Image& image, std::int64_t x, std::int64_t y) { return image[static_cast<std::size_t>(y * side + x)]; }

/// The image read at (x, y) -> source(x, y), both from the middle of the image with y upwards; bilinear, black outside.
template <class Source>
void warp(Image& image, Source source) {
  Image before = image;
  constexpr double middle = 0.5 * (side - 1);
  const auto at = [&](std::int64_t x, std::int64_t y) {
    return x < 0 || y < 0 || x >= side || y >= side ? 0.0 : static_cast<double>(pixel(before, x, y));
  };
  for (std::int64_t row = 0; row < side; ++row)
    for (std::int64_t column = 0; column < side; ++column) {
      const auto [sx, sy] = source(static_cast<double>(column) - middle, middle - static_cast<double>(row));
      const double x = sx + middle, y = middle - sy, fx = std::floor(x), fy = std::floor(y), a = x - fx, b = y - fy;
      const auto i = static_cast<std::int64_t>(fx), j = static_cast<std::int64_t>(fy);
      pixel(image, column, row) = static_cast<float>((1 - b) * ((1 - a) * at(i, j) + a * at(i + 1, j)) +
                                                     b * ((1 - a) * at(i, j + 1) + a * at(i + 1, j + 1)));
    }
}

/// Every stroke grows by two pixels to the right and downwards.
void brush(Image& image) {
  Image before = image;
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x)
      for (std::int64_t dy = 0; dy <= std::min<std::int64_t>(2, y); ++dy)
        for (std::int64_t dx = 0; dx <= std::min<std::int64_t>(2, x); ++dx)
          pixel(image, x, y) = std::max(pixel(image, x, y), pixel(before, x - dx, y - dy));
}

/// Opens every loop: from each dark pixel that ink encloses, a bridge three pixels wide to the left is wiped out as far
/// as the next background outside.
void cut(Image& image) {
  Image outside(image.size(), 0.0f);
  for (int round = 0; round < side * side; ++round) {  // dark pixels joined to the border, by growth from it
    bool grown = false;
    for (std::int64_t y = 0; y < side; ++y)
      for (std::int64_t x = 0; x < side; ++x) {
        if (pixel(image, x, y) > 0.5f || pixel(outside, x, y) > 0.0f) continue;
        const bool joins =
            x == 0 || y == 0 || x == side - 1 || y == side - 1 ||
            pixel(outside, x - 1, y) + pixel(outside, x + 1, y) + pixel(outside, x, y - 1) + pixel(outside, x, y + 1) >
                0.0f;
        if (joins) pixel(outside, x, y) = 1.0f, grown = true;
      }
    if (!grown) break;
  }
  for (std::int64_t y = 1; y + 1 < side; ++y) {
    std::int64_t x = 1;
    while (x + 1 < side && (pixel(image, x, y) > 0.5f || pixel(outside, x, y) > 0.0f)) ++x;
    if (x + 1 == side) continue;  // this row meets no loop
    std::int64_t below = y;
    while (below + 1 < side && pixel(image, x, below + 1) <= 0.5f && pixel(outside, x, below + 1) == 0.0f) ++below;
    const std::int64_t middle = (y + below) / 2;
    for (std::int64_t left = x; left >= 0 && pixel(outside, left, middle) == 0.0f; --left)
      for (std::int64_t j = middle - 1; j <= middle + 1; ++j) pixel(image, left, j) = 0.0f;
    return cut(image);
  }
}

struct Corruption {
  std::string name;
  std::vector<std::string> own;      ///< the properties that must see it
  std::vector<std::string> implied;  ///< the properties that move with it by what they mean
  std::function<void(Image&, std::int64_t index)> apply;
};

std::vector<Corruption> corruptions() {
  std::vector<Corruption> all;
  for (int severity = 1; severity <= 3; ++severity)
    all.push_back({"noise " + std::to_string(severity), {"noise level"}, {}, [severity](Image& image, std::int64_t i) {
                     fl::data::corrupt(image, side, side, {0, severity}, 1, i);
                   }});
  for (int severity = 1; severity <= 3; ++severity)
    all.push_back({"blur " + std::to_string(severity), {"blur"}, {}, [severity](Image& image, std::int64_t i) {
                     fl::data::corrupt(image, side, side, {severity, 0}, 1, i);
                   }});
  all.push_back({"fade", {"contrast"}, {}, [](Image& image, std::int64_t) {
                   float mean = 0.0f;
                   for (const float v : image) mean += v / static_cast<float>(image.size());
                   for (float& v : image) v = mean + 0.4f * (v - mean);  // brightness stays, as in ImageNet-C
                 }});
  // Light on black ground takes contrast
  all.push_back({"veil", {"mean intensity"}, {"contrast"}, [](Image& image, std::int64_t) {
                   for (float& v : image) v = std::min(1.0f, v + 0.15f);
                 }});
  all.push_back({"brush", {"ink area", "stroke thickness"}, {"mean intensity"}, [](Image& image, std::int64_t) {
                   brush(image);
                 }});
  all.push_back({"shear", {"slant"}, {}, [](Image& image, std::int64_t) {
                   warp(image, [](double x, double y) { return std::pair(x - 0.6 * y, y); });
                 }});
  all.push_back({"squeeze", {"width"}, {}, [](Image& image, std::int64_t) {
                   warp(image, [](double x, double y) { return std::pair(x / 0.6, y); });
                 }});
  all.push_back({"squash", {"height"}, {}, [](Image& image, std::int64_t) {
                   warp(image, [](double x, double y) { return std::pair(x, y / 0.6); });
                 }});
  all.push_back({"right", {"horizontal position"}, {}, [](Image& image, std::int64_t) {
                   warp(image, [](double x, double y) { return std::pair(x - 4.0, y); });
                 }});
  all.push_back({"up", {"vertical position"}, {}, [](Image& image, std::int64_t) {
                   warp(image, [](double x, double y) { return std::pair(x, y - 4.0); });
                 }});
  all.push_back({"cut", {"loops"}, {}, [](Image& image, std::int64_t) { cut(image); }});
  return all;
}

/// Clean and corrupted values of one property on the digits that a corruption changes.
struct Measured {
  std::vector<double> values;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> corrupted;
  double shift = 0.0;  ///< mean corrupted - mean clean

  double auc() const {  // lower counts as separated, too
    const double area =
        fl::statistics::stratified_auc(values, labels, corrupted, fl::statistics::count_outcomes(labels, corrupted, 10))
            .auc;
    return std::max(area, 1.0 - area);
  }
};

Measured measure(const std::vector<Image>& clean, const std::vector<Image>& changed,
                 const std::vector<std::int64_t>& labels, const fl::Property& property) {
  Measured result;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    if (changed[i] == clean[i]) continue;  // nothing to cut
    const double before = property.measure(clean[i], {1, side, side}),
                 after = property.measure(changed[i], {1, side, side});
    for (const double value : {before, after}) result.values.push_back(value), result.labels.push_back(labels[i]);
    result.corrupted.insert(result.corrupted.end(), {0, 1});
    result.shift += after - before;
  }
  result.shift /= static_cast<double>(result.values.size() / 2);
  return result;
}

double deviation_within_classes(const std::vector<Measured>& all) {
  std::vector<double> sum(10, 0.0), size(10, 0.0);
  for (const Measured& m : all)
    for (std::size_t i = 0; i < m.values.size(); ++i)
      sum[static_cast<std::size_t>(m.labels[i])] += m.values[i], size[static_cast<std::size_t>(m.labels[i])] += 1.0;
  double squares = 0.0, count = 0.0;
  for (const Measured& m : all)
    for (std::size_t i = 0; i < m.values.size(); ++i) {
      const double off =
          m.values[i] - sum[static_cast<std::size_t>(m.labels[i])] / size[static_cast<std::size_t>(m.labels[i])];
      squares += off * off, count += 1.0;
    }
  return std::sqrt(squares / count);
}

bool print_table(const fl::LabelledImages& digits, std::int64_t count) {
  const auto all = corruptions();
  std::vector<std::int64_t> labels;
  std::vector<Image> clean;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(digits.label(i));
    clean.emplace_back(static_cast<std::size_t>(side * side), 0.0f);
    for (std::int64_t y = 0; y < digits.height; ++y)
      for (std::int64_t x = 0; x < digits.width; ++x)
        pixel(clean.back(), x + 2, y + 2) =
            static_cast<float>(digits.image(i)[static_cast<std::size_t>(y * digits.width + x)]) / 255.0f;
  }
  std::vector<std::vector<Image>> changed(all.size(), clean);
  for (std::size_t c = 0; c < all.size(); ++c)
    for (std::int64_t i = 0; i < count; ++i) all[c].apply(changed[c][static_cast<std::size_t>(i)], i);

  std::printf("%-20s %5s %6s %6s  %-9s", "property", "AUC", "own", "other", "");
  for (const Corruption& c : all) std::printf("%9s", c.name.c_str());
  std::printf("\n");
  std::string refused;
  for (const fl::Property& property : fl::applicable_properties(fl::default_properties(), {1, side, side})) {
    std::vector<Measured> measured;
    for (std::size_t c = 0; c < all.size(); ++c) measured.push_back(measure(clean, changed[c], labels, property));
    const double deviation = deviation_within_classes(measured);
    double auc = 1.0, own = std::numeric_limits<double>::infinity(), other = 0.0;
    std::string cells, confused;  // with what
    for (std::size_t c = 0; c < all.size(); ++c) {
      const double response = deviation > 0.0 ? measured[c].shift / deviation : 0.0;
      const auto among = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), property.name) != names.end();
      };
      const char mark = among(all[c].own) ? '*' : among(all[c].implied) ? '+' : ' ';
      if (mark == '*') own = std::min(own, std::abs(response)), auc = std::min(auc, measured[c].auc());
      if (mark == ' ' && std::abs(response) > other) other = std::abs(response), confused = all[c].name;
      char cell[32];
      std::snprintf(cell, sizeof cell, "%8.2f%c", response, mark);
      cells += cell;
    }
    const bool fit = std::isfinite(own) && auc >= 0.9 && other <= 0.5 * own;
    if (!fit) {
      char line[256];
      std::snprintf(line, sizeof line,
                    "not admitted: %s answers its own corruption by %.2f standard deviations (AUC %.3f) and \"%s\" by "
                    "%.2f, %.0f %% of that\n",
                    property.name.c_str(), own, auc, confused.c_str(), other, 100.0 * other / own);
      refused += line;
    }
    std::printf("%-20s %5.3f %6.2f %6.2f  %-9s%s\n", property.name.c_str(), auc, own, other, fit ? "admitted" : "NOT",
                cells.c_str());
  }
  std::printf(
      "* its own corruption; + moves with it by definition. AUC, own: smallest over its own corruptions; other: "
      "largest over the rest, at most half of own.\n");
  std::fputs(refused.c_str(), stdout);
  return refused.empty();
}

int answer(int argc, char** argv) {
  const bool help = argc == 2 && std::string(argv[1]) == "--help";
  if (help || argc > 3) {
    std::fputs("usage: property_admission [directory of the four MNIST files] [images, 100 to 10000]\n",
               help ? stdout : stderr);
    return help ? 0 : 2;
  }
  const std::int64_t count =
      argc > 2 ? program::number<std::int64_t>("property_admission: images", argv[2], 100, 10'000) : 400;
  const auto directory = argc > 1 ? std::filesystem::path(argv[1]) : fl::find_mnist();
  const fl::LabelledImages digits = fl::load_mnist(directory, fl::MnistPart::test);
  if (count > digits.count) {
    std::fprintf(stderr, "property_admission: the set has %lld images, asked for %lld\n",
                 static_cast<long long>(digits.count), static_cast<long long>(count));
    return 2;
  }
  return print_table(digits, count) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("property_admission", [&] { return answer(argc, argv); });
}
