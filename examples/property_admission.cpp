// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Is each image property fit to name directions? Corrupts real images one way at a time, prints how every default
// property responds, and says which are admitted.
//
//   property_admission [data] [images]
//
// `data` is a folder of labelled images, grey or RGB, from 16 pixels a side: the four MNIST files, which are looked for
// without it, or PNG pictures with their labels (docs/how-to/labelled_images.md). The images should be clean.
//
// The rule: a property separates each of its own corruptions from clean images of the same class with AUC of at least
// .9, and its response to any other is at most half of the smallest response to its own. Responses are standardised:
// mean (corrupted - clean) / standard deviation within classes over all corruptions together. A response that follows
// from what the two words mean is no confusion ("+": more ink makes a brighter image) and is left out of the
// comparison; all of those are listed in admission_corruptions.hpp. A property that has no corruption of its own among
// those that suit the images is not tried. Exit codes: 0 all that are tried are admitted, 1 one is not, 2 usage, 3 no
// images.
//
// Where the folder has a factors.csv (docs/how-to/worlds.md), a second table says which of the factors that the
// pictures were made from each property follows. It is about the images as they are, and is meant for disturbed ones;
// the exit code is that of the rule.
//
// test(3): @out@/no-such-directory
// test(2): @out@ 99999999999999999999
// test(2): @out@ 400images
// test: --help
// full: --help

#include "admission_corruptions.hpp"
#include "admission_factors.hpp"
#include "program.hpp"

#include <faultline/analysis/properties/default_properties.hpp>
#include <faultline/data/labelled_images.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/statistics/rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

using admission::Corruption;
using admission::Picture;

/// Clean and corrupted values of one property on the images that a corruption changes.
struct Measured {
  std::vector<double> values;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> corrupted;
  double shift = 0.0;  ///< mean corrupted - mean clean

  double auc(std::int64_t classes) const {  // lower counts as separated, too
    const double area = fl::statistics::stratified_auc(values, labels, corrupted,
                                                       fl::statistics::count_outcomes(labels, corrupted, classes))
                            .auc;
    return std::max(area, 1.0 - area);
  }
};

double deviation_within_classes(const std::vector<Measured>& all, std::int64_t classes) {
  std::vector<double> sum(static_cast<std::size_t>(classes), 0.0), size(sum);
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

/// Image i in [0, 1]; IDX files hold 28x28 pixels, which get two more on each side, repeated from the edge.
Picture picture(const fl::LabelledImages& images, std::int64_t i) {
  const std::int64_t margin = images.names.empty() ? 2 : 0;
  Picture result{{images.channels, images.height + 2 * margin, images.width + 2 * margin}, {}};
  for (std::int64_t c = 0; c < images.channels; ++c)
    for (std::int64_t y = 0; y < result.shape.height; ++y)
      for (std::int64_t x = 0; x < result.shape.width; ++x) {
        const std::int64_t row = std::clamp<std::int64_t>(y - margin, 0, images.height - 1),
                           column = std::clamp<std::int64_t>(x - margin, 0, images.width - 1);
        result.values.push_back(static_cast<float>(images.image(
                                    i)[static_cast<std::size_t>((c * images.height + row) * images.width + column)]) /
                                255.0f);
      }
  return result;
}

struct Responses {
  std::vector<std::vector<double>> clean;       ///< `[property][image]`
  std::vector<std::vector<Measured>> measured;  ///< `[property][corruption]`
};

Responses respond(const std::vector<Picture>& clean, const std::vector<std::int64_t>& labels,
                  const std::vector<Corruption>& corruptions, const std::vector<fl::Property>& properties) {
  Responses result;
  for (const fl::Property& property : properties) {
    result.clean.emplace_back();
    for (const Picture& image : clean) result.clean.back().push_back(property.measure(image.values, image.shape));
  }
  result.measured.assign(properties.size(), std::vector<Measured>(corruptions.size()));
  for (std::size_t c = 0; c < corruptions.size(); ++c) {
    for (std::size_t i = 0; i < clean.size(); ++i) {
      Picture changed = clean[i];
      corruptions[c].apply(changed, static_cast<std::int64_t>(i));
      if (changed == clean[i]) continue;  // nothing to cut
      for (std::size_t p = 0; p < properties.size(); ++p) {
        Measured& to = result.measured[p][c];
        const double before = result.clean[p][i], after = properties[p].measure(changed.values, changed.shape);
        for (const double value : {before, after}) to.values.push_back(value), to.labels.push_back(labels[i]);
        to.corrupted.insert(to.corrupted.end(), {0, 1});
        to.shift += after - before;
      }
    }
    for (auto& of_property : result.measured)
      of_property[c].shift /= std::max(1.0, static_cast<double>(of_property[c].values.size() / 2));
  }
  return result;
}

/// One line for each property; what is to be said of those that are not admitted comes back.
std::string print_table(const std::vector<fl::Property>& properties, const std::vector<Corruption>& corruptions,
                        const Responses& responses, std::int64_t classes) {
  std::printf("%-20s %5s %6s %6s  %-9s", "property", "AUC", "own", "other", "");
  for (const Corruption& c : corruptions) std::printf("%9s", c.name.c_str());
  std::printf("\n");
  std::string refused;
  for (std::size_t p = 0; p < properties.size(); ++p) {
    const std::string& name = properties[p].name;
    const double deviation = deviation_within_classes(responses.measured[p], classes);
    double auc = 1.0, own = std::numeric_limits<double>::infinity(), other = 0.0;
    std::string cells, confused;  // with what
    for (std::size_t c = 0; c < corruptions.size(); ++c) {
      const Measured& measured = responses.measured[p][c];
      const double response = deviation > 0.0 ? measured.shift / deviation : 0.0;
      const auto among = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      const char mark = among(corruptions[c].own) ? '*' : among(corruptions[c].implied) ? '+' : ' ';
      if (mark == '*') own = std::min(own, std::abs(response)), auc = std::min(auc, measured.auc(classes));
      if (mark == ' ' && std::abs(response) > other) other = std::abs(response), confused = corruptions[c].name;
      char cell[32];
      std::snprintf(cell, sizeof cell, "%8.2f%c", response, mark);
      cells += cell;
    }
    if (!std::isfinite(own)) {
      std::printf("%-20s %5s %6s %6.2f  %-9s%s\n", name.c_str(), "", "", other, "not tried", cells.c_str());
      continue;
    }
    const bool separates = auc >= 0.9, fit = separates && other <= 0.5 * own;
    std::printf("%-20s %5.3f %6.2f %6.2f  %-9s%s\n", name.c_str(), auc, own, other, fit ? "admitted" : "NOT",
                cells.c_str());
    if (fit) continue;
    char line[256];
    std::snprintf(line, sizeof line,
                  "not admitted: %s answers its own corruption by %.2f standard deviations (AUC %.3f%s) and \"%s\" by "
                  "%.2f, %.0f %% of that\n",
                  name.c_str(), own, auc, separates ? "" : ", below .9", confused.c_str(), other, 100.0 * other / own);
    refused += line;
  }
  std::printf(
      "* its own corruption; + moves with it by definition. AUC, own: smallest over its own corruptions; other: "
      "largest over the rest, at most half of own. Not tried here: no corruption that suits these images is its "
      "own.\n");
  return refused;
}

bool all_admitted(const fl::LabelledImages& images, std::int64_t count, const std::filesystem::path& factors) {
  std::vector<std::int64_t> labels;
  std::vector<Picture> clean;
  std::int64_t dark = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(images.label(i));
    clean.push_back(picture(images, i));
    dark += admission::has_dark_ground(clean.back()) ? 1 : 0;
  }
  const auto corruptions = admission::corruptions(images.channels, 10 * dark >= 9 * count);
  const auto properties = fl::applicable_properties(fl::default_properties(), clean.front().shape);
  const Responses responses = respond(clean, labels, corruptions, properties);
  const std::string refused = print_table(properties, corruptions, responses, images.classes);
  std::fputs(refused.c_str(), stdout);
  if (std::filesystem::exists(factors)) {
    std::vector<std::string> names;
    for (const fl::Property& property : properties) names.push_back(property.name);
    admission::print_factors(admission::read_factors(factors, images, count), names, responses.clean, labels);
  }
  return refused.empty();
}

int answer(int argc, char** argv) {
  const bool help = argc == 2 && std::string(argv[1]) == "--help";
  if (help || argc > 3) {
    std::fputs(
        "usage: property_admission [folder of the four MNIST files, or of labelled PNG pictures] "
        "[images, 100 to 10000]\n",
        help ? stdout : stderr);
    return help ? 0 : 2;
  }
  const std::int64_t count =
      argc > 2 ? program::number<std::int64_t>("property_admission: images", argv[2], 100, 10'000) : 400;
  const auto directory = argc > 1 ? std::filesystem::path(argv[1]) : fl::find_mnist();
  const fl::LabelledImages images = fl::load_labelled_images(directory);
  if (count > images.count || std::min(images.height, images.width) < 16) {
    std::fprintf(stderr,
                 "property_admission: the set has %lld images of %lld x %lld pixels, asked for %lld of at least 16 x "
                 "16\n",
                 static_cast<long long>(images.count), static_cast<long long>(images.height),
                 static_cast<long long>(images.width), static_cast<long long>(count));
    return 2;
  }
  return all_admitted(images, count, directory / "factors.csv") ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("property_admission", [&] { return answer(argc, argv); });
}
