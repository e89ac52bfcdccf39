// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The paper's figures from a generator and one or more classifiers, each as PNG and SVG.
//
//   make_figures --generator digits.safetensors --classifier clean.safetensors --out figures
//
// test: --help
// test(2): --generator @assets@/digits.safetensors
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --points 80
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --label 10
// test(3): --generator @source@/LICENSE --classifier @assets@/clean.safetensors --out @out@/refused
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --data @out@ --samples 100 --points 100 --out @out@/figures
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --classifier @assets@/robust.safetensors --samples 400 --points 120 --out @out@/figures

#include "options.hpp"

#include <faultline/analysis/compare/accuracy_distance.hpp>
#include <faultline/analysis/paper/corner_cases.hpp>
#include <faultline/analysis/paper/predictability.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/data/corrupted_images.hpp>
#include <faultline/faultline.hpp>
#include <faultline/render/figure_data.hpp>
#include <faultline/statistics/tsne.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string generator, data, out = "faultline-figures";
  std::vector<std::string> classifiers;
  std::int64_t samples = 5'000, seed = 0, points = 2'000, threads = 0;
  std::optional<std::int64_t> label;
};

constexpr std::int64_t image_pixels = 96, ranked_channels = 10, shown_channels = 3, samples_per_class = 3;

/// The first `count` rows.
template <class T>
fl::Matrix<T> first_rows(const fl::Matrix<T>& m, std::int64_t count) {
  fl::Matrix<T> out(count, m.cols());
  std::copy_n(m.data(), count * m.cols(), out.data());
  return out;
}

std::string class_name(const std::vector<std::string>& names, std::int64_t label) {
  return label < static_cast<std::int64_t>(names.size()) ? names[static_cast<std::size_t>(label)]
                                                         : std::to_string(label);
}

/// Positions of the first images of each class, class by class in columns: row r holds the r-th image of every class.
std::vector<std::int64_t> first_of_each_class(std::int64_t classes, std::int64_t count,
                                              const std::function<std::int64_t(std::int64_t)>& label) {
  std::vector<std::vector<std::int64_t>> found(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < count; ++i)
    if (auto& own = found[static_cast<std::size_t>(label(i))];
        static_cast<std::int64_t>(own.size()) < samples_per_class)
      own.push_back(i);
  std::vector<std::int64_t> order;
  for (std::size_t r = 0; r < samples_per_class; ++r)
    for (const auto& own : found)
      if (r < own.size()) order.push_back(own[r]);
  return order;
}

/// Real test images as the generator's training data were made, and the first generated ones.
fl::Drawing figure_2(const fl::LabelledImages& test, const fl::Problem& problem, std::int64_t seed,
                     const std::vector<std::string>& names) {
  const fl::CorruptionOptions options{.seed = seed};
  fl::render::SampleBlock real{
      "MNIST test images, padded to 32 x 32, with blur and noise switched on independently (severities 1 to 3)",
      test.classes,
      {}};
  std::vector<float> image(static_cast<std::size_t>(fl::data::canvas_shape(test, options).elements()));
  for (const std::int64_t i :
       first_of_each_class(test.classes, test.count, [&](std::int64_t k) { return test.label(k); })) {
    fl::data::make_corrupted_image(test, i, options, image);
    const fl::data::CorruptionDraw draw = fl::data::draw_corruption(options.mix, options.seed, i);
    std::string note = draw.blur_severity > 0 ? "blur " + std::to_string(draw.blur_severity) : "";
    if (draw.noise_severity > 0) note += (note.empty() ? "noise " : ", noise ") + std::to_string(draw.noise_severity);
    real.tiles.push_back({fl::render::to_picture(image, fl::data::canvas_shape(test, options), image_pixels),
                          class_name(names, test.label(i)), note.empty() ? "clean" : note});
  }
  fl::render::SampleBlock made{
      "Generated samples; the class is the one given to the generator, which decides on blur and noise itself",
      problem.classes,
      {}};
  const fl::Population& split = problem.discovery;
  const auto order = first_of_each_class(problem.classes, split.size(),
                                         [&](std::int64_t k) { return split.label[static_cast<std::size_t>(k)]; });
  std::vector<fl::analysis::EditedLatent> unmoved;
  for (const std::int64_t i : order)
    unmoved.push_back({{split.w.row_span(i), split.label[static_cast<std::size_t>(i)]}});
  const fl::ImageBatch images = problem.answer_edits(unmoved, {.images = true}).images;
  for (std::size_t i = 0; i < order.size(); ++i)
    made.tiles.push_back(
        {fl::render::to_picture(images.image(static_cast<std::int64_t>(i)), images.shape(), image_pixels),
         class_name(names, unmoved[i].start.label),
         {}});
  return fl::render::samples_figure(real, made);
}

/// Corner cases of every class: ten channels drawn from the hundred most influential, shifted together from the WELL
/// centre until the classifier fails.
fl::Drawing figure_6(const fl::Problem& problem, const std::vector<std::string>& names,
                     const fl::ProgressCallback& follow) {
  std::vector<fl::paper::ChannelShift> pool;
  for (const fl::analysis::RankedChannel& channel :
       fl::analysis::paper_table(problem, problem.discovery, fl::paper::CornerCaseOptions{}.pool, 0))
    pool.push_back({channel.channel.flat, channel.sign < 0 ? -channel.sigma_total : channel.sigma_total});
  std::vector<fl::render::CornerCasePanel> panels;
  fl::ImageShape shape;
  for (const fl::paper::CornerCase& found : fl::paper::corner_cases(problem, pool, {}, follow)) {
    shape = found.images.shape();
    if (!found.failed) continue;  // never gives way within reach
    const auto start = found.images.image(0), image = found.images.image(1);
    panels.push_back({found.class_label,
                      found.channels,
                      found.signs,
                      found.sigmas,
                      found.probability,
                      found.prediction,
                      {image.begin(), image.end()},
                      {start.begin(), start.end()}});
  }
  return fl::render::corner_case_figure(panels, shape, names, fl::paper::CornerCaseOptions{}.cases);
}

/// The latents of both splits in one space, and the map of the first of the confirmation split.
struct Space {
  std::string title;
  fl::Matrix<float> discovery, confirmation;
  fl::Matrix<double> map;
};

int make_figures(const Arguments& arguments) {
  program::Progress progress;
  const auto follow = [&progress](const fl::Progress& p) { progress(p); };
  if (arguments.points > arguments.samples)
    throw fl::Error(fl::ErrorCode::invalid_argument, "make_figures", "--points must not exceed --samples");
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  if (arguments.label.value_or(0) >= std::max<std::int64_t>(1, generator.num_classes()))
    throw fl::Error(fl::ErrorCode::label_out_of_range, "make_figures",
                    "--label " + std::to_string(*arguments.label) + " is no class of the generator, which knows " +
                        std::to_string(generator.num_classes()));
  std::vector<decltype(fl::load_classifier(std::string()))> classifiers;
  for (const std::string& path : arguments.classifiers) classifiers.push_back(fl::load_classifier(path));
  std::optional<fl::LabelledImages> test;
  std::string no_data;
  try {
    test = fl::load_mnist(arguments.data.empty() ? fl::find_mnist() : std::filesystem::path(arguments.data),
                          fl::MnistPart::test);
  } catch (const fl::Error& error) {
    if (!arguments.data.empty() || error.code() != fl::ErrorCode::data_unavailable) throw;
    no_data = error.what();
  }
  const std::filesystem::path out = arguments.out;
  std::error_code failed;
  std::filesystem::create_directories(out, failed);  // before the work, not after it
  if (failed || ::access(out.c_str(), W_OK) != 0)
    throw fl::Error(fl::ErrorCode::cannot_write, "make_figures",
                    "cannot write into '" + out.string() + "'; choose another --out");

  const fl::StyleSpaceSampler sampler(generator, {.seed = arguments.seed});
  const std::vector<std::string> names = generator.class_names();
  std::vector<Space> spaces;
  const auto write = [&](const std::string& name, const fl::Drawing& drawing) {
    fl::write_drawing(drawing, out / name);
    std::printf("%s\n", (out / name).c_str());
  };
  const auto skip = [&](const std::string& name, const std::string& why) {
    std::printf("%s skipped: %s\n", (out / name).c_str(), why.c_str());
  };
  fl::analysis::ComparisonProblem comparison;
  for (std::size_t c = 0; c < classifiers.size(); ++c) {
    const std::string suffix =
        c == 0 ? ""
               : "-" + std::to_string(c + 1) + "-" + std::filesystem::path(arguments.classifiers[c]).stem().string();
    fl::AnalyzerOptions options{.samples = arguments.samples};
    options.method.properties = {};
    options.method.progress = follow;
    fl::FailureAnalyzer analyzer(sampler, classifiers[c], fl::Misclassified{}, options);
    const fl::Problem& problem = analyzer.problem();
    if (c == 0) {
      if (test) write("figure-2", figure_2(*test, problem, arguments.seed, names));
      else skip("figure-2", no_data);
      spaces.push_back({"z, the noise that is put in",
                        sampler.latents_z(fl::core::discovery_first, arguments.samples),
                        sampler.latents_z(fl::core::confirmation_first, arguments.samples),
                        {}});
      spaces.push_back({"w, the mapped latent", problem.discovery.w, problem.confirmation.w, {}});
      spaces.push_back({"s, the styles",
                        fl::render::styles_of(problem, problem.discovery.w),
                        fl::render::styles_of(problem, problem.confirmation.w),
                        {}});
      for (Space& space : spaces) {
        space.title += " (" + std::to_string(space.confirmation.cols()) + " coordinates)";
        fl::statistics::TsneOptions map{.threads = arguments.threads};
        map.progress = [&](const fl::Progress& p) { progress({"mapping " + space.title, p.done, p.total}); };
        space.map = fl::statistics::embed_tsne(first_rows(space.confirmation, arguments.points), map).points;
      }
    }
    const std::string name = std::filesystem::path(arguments.classifiers[c]).stem().string();
    comparison.names.push_back(std::find(comparison.names.begin(), comparison.names.end(), name) ==
                                       comparison.names.end()
                                   ? name
                                   : arguments.classifiers[c]);
    comparison.discovery.push_back(problem.discovery);
    comparison.confirmation.push_back(problem.confirmation);
    if (c == 0) {
      comparison.common.layout = problem.layout;
      comparison.common.classes = problem.classes;
      comparison.common.style_matrix = problem.style_matrix;
      comparison.common.style_bias = problem.style_bias;
    }
    const std::int64_t failures = problem.discovery.failures(), fresh_failures = problem.confirmation.failures();
    if (failures == 0 || fresh_failures == 0 || failures == problem.discovery.size() ||
        fresh_failures == problem.confirmation.size()) {
      for (const char* figure : {"figure-3", "figure-4", "figure-5", "figure-6"})
        skip(figure + suffix,
             "the classifier fails on none or on all of the samples, so there is nothing to compare; raise --samples");
      continue;
    }
    std::vector<fl::render::ScatterPanel> panels;
    for (const Space& space : spaces) {
      progress({"predicting failure from " + space.title, 0, 0});
      panels.push_back({space.title, space.map,
                        fl::paper::predictability(space.discovery, problem.discovery, space.confirmation,
                                                  problem.confirmation, problem.classes)});
    }
    write("figure-3" + suffix,
          fl::render::embedding_figure(
              panels, std::span(problem.confirmation.failed).first(static_cast<std::size_t>(arguments.points))));

    const std::vector<fl::analysis::RankedChannel> ranked =
        fl::analysis::paper_table(problem, problem.discovery, ranked_channels, 0);
    std::vector<std::int64_t> top;
    for (const fl::analysis::RankedChannel& channel :
         std::span(ranked).first(std::min<std::size_t>(shown_channels, ranked.size())))
      top.push_back(channel.channel.flat);
    write("figure-4" + suffix,
          fl::render::histogram_figure(
              fl::render::channel_histograms(problem, problem.confirmation, top),
              fl::render::channel_histograms(problem, problem.confirmation,
                                             fl::render::random_channels(problem, ranked, shown_channels))));

    progress({"moving the centre along ten channels", 0, 0});
    const std::optional<std::int64_t> label =
        arguments.label ? arguments.label : fl::render::degradation_class(problem);
    if (label) {
      const fl::render::DegradationOptions degradation{.class_label = *label, .image_pixels = image_pixels};
      write("figure-5" + suffix,
            fl::render::degradation_figure("the WELL centre of class " + class_name(names, *label), degradation.shares,
                                           fl::render::degradation_columns(problem, ranked, degradation, names)));
    } else {
      skip("figure-5" + suffix, "the classifier is sure of the WELL centre of no class");
    }
    try {
      write("figure-6" + suffix, figure_6(problem, names, follow));
    } catch (const fl::Error& error) {
      if (error.code() != fl::ErrorCode::empty_input) throw;
      skip("figure-6" + suffix, "no shift of ten channels within reach makes the classifier fail");
    }
  }
  try {
    write("figure-7", fl::render::accuracy_figure(
                          fl::analysis::accuracy_curves(comparison, fl::analysis::accuracy_axis(comparison)), names));
  } catch (const fl::Error& error) {
    if (error.code() != fl::ErrorCode::degenerate_statistics) throw;
    skip("figure-7", error.what());
  }
  progress.finish();
  std::fprintf(stderr, "done after %.0f s\n", progress.seconds());
  return 0;
}

int answer(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between batches
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app(
      "Draws the paper's figures: real and generated samples (2), maps of z, w and s (3), histograms of style channels "
      "(4),\nthe degradation grid (5), corner cases (6), accuracy against distance (7).\n"
      "A figure whose input is missing is skipped with a sentence on stdout. With several classifiers, figures 3 to 6 "
      "are drawn for each.\n"
      "Exit codes: 0 done, 2 usage, 3 bad input, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file (faultline.stylegan2/1)")->required();
  app.add_option("--classifier", arguments.classifiers,
                 "classifier file (faultline.classifier/1); may be given several times")
      ->required()
      ->expected(1)
      ->take_all();
  app.add_option("--data", arguments.data,
                 "directory of the four MNIST files; without it, where `./bootstrap mnist` puts them");
  program::option(app, "--samples", arguments.samples, 1, fl::limits::samples, "samples per split");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "decides every draw");
  program::option(app, "--points", arguments.points, 91, fl::statistics::tsne_samples,
                  "samples on the maps of figure 3");
  program::option(app, "--label", arguments.label, 0, fl::limits::latents,
                  "class of figure 5; without it, the one that fails most");
  app.add_option("--out", arguments.out, "folder of the figures")->capture_default_str();
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  return fl::within_threads(arguments.threads, [&] { return make_figures(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("make_figures", [&] { return answer(argc, argv); });
}
