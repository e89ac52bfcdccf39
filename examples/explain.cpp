// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which finding of a characterisation is this failing image an instance of? Projects the image onto the generator,
// reads it along every finding, and repairs each in turn.
//
//   explain --generator digits.safetensors --classifier clean.safetensors --judge judge.safetensors --report
//   report/report.json --image case-17.png --label 3
//
// test: --help
// test(2): --generator @assets@/digits.safetensors
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --report @source@/README.md
// test(3): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --report @source@/README.md --image @source@/docs/images/degradation.png
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --report @characterize.5@/report/report.json --index 6 --steps 40 --references 0 --out @out@/why
// test: --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --judge @assets@/judge.safetensors --report @characterize.5@/report/report.json --image @explain.5@/why/sample-6.png --label 3 --steps 40 --references 2 --json --out @out@/why
// test(2): --generator @assets@/digits.safetensors --classifier @assets@/clean.safetensors --report @source@/README.md --index 18446744073709551616

#include "classifier_choice.hpp"
#include "options.hpp"

#include <faultline/core/parallel_for.hpp>
#include <faultline/faultline.hpp>
#include <faultline/render/read_report.hpp>
#include <faultline/render/sheet.hpp>
#include <faultline/render/report_labels.hpp>
#include <faultline/torch/projector.hpp>
#include <faultline/torch/reference_backend.hpp>
#include <faultline/torch/training/judge_features.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string generator, classifier, report, judge, out = "faultline-explanation";
  program::ClassifierChoice choice;
  std::vector<std::string> images;
  std::vector<std::int64_t> labels, indices;
  std::int64_t steps = 100, references = 12, threads = 0;
  bool json = false;
};

/// The image at its own size, in [0, 1], with the generator's channels. Grey pictures saved as RGB are grey.
fl::ImageBatch read_image(const std::string& path, const fl::ImageShape& made, const fl::ImageShape& seen) {
  const auto refuse = [&path](const std::string& what) {
    return fl::Error(fl::ErrorCode::inconsistent_files, "explain", "'" + path + "' " + what);
  };
  const fl::Picture picture = fl::read_png(path);
  const auto size = [](std::int64_t height, std::int64_t width) {
    return std::to_string(height) + " x " + std::to_string(width);
  };
  const auto has = [&picture](const fl::ImageShape& shape) {
    return picture.height == shape.height && picture.width == shape.width;
  };
  if (!has(made) && !has(seen))
    throw refuse("has " + size(picture.height, picture.width) + " pixels; expected those of the classifier, " +
                 size(seen.height, seen.width) + ", or of the generator, " + size(made.height, made.width));
  fl::ImageBatch image(1, {made.channels, picture.height, picture.width});
  const std::int64_t plane = picture.height * picture.width;
  for (std::int64_t i = 0; i < plane; ++i)
    for (std::int64_t c = 0; c < std::max<std::int64_t>(made.channels, picture.channels); ++c) {
      const auto value =
          picture
              .pixels[static_cast<std::size_t>(i * picture.channels + std::min<std::int64_t>(c, picture.channels - 1))];
      if (c >= made.channels && value != picture.pixels[static_cast<std::size_t>(i * picture.channels)])
        throw refuse("is in colour, the generator makes grey images; convert it to grey");
      if (c < made.channels)
        image.image(0)[static_cast<std::size_t>(c * plane + i)] = static_cast<float>(value) / 255.0f;
    }
  return image;
}

/// In the middle of a black image of the generator's size, from which the classifier takes it again.
fl::ImageBatch on_canvas(const fl::ImageBatch& image, const fl::ImageShape& made) {
  fl::ImageBatch canvas(1, made);
  const fl::ImageShape& own = image.shape();
  const std::int64_t top = (made.height - own.height) / 2, left = (made.width - own.width) / 2;
  for (std::int64_t c = 0; c < own.channels; ++c)
    for (std::int64_t y = 0; y < own.height; ++y)
      for (std::int64_t x = 0; x < own.width; ++x)
        canvas.image(0)[static_cast<std::size_t>((c * made.height + y + top) * made.width + x + left)] =
            image.image(0)[static_cast<std::size_t>((c * own.height + y) * own.width + x)];
  return canvas;
}

/// What is to be explained: an image, where it comes from, and its class where that is known.
struct Subject {
  std::string name;
  fl::ImageBatch image;
  std::optional<std::int64_t> label;
};

struct Seen {
  std::int64_t prediction = 0;
  double probability = 0.0;  ///< of the label
};

fl::render::Sheet make_sheet(const fl::FailureReport& report, const fl::ImageBatch& canvas, const Seen& seen,
                             const fl::Projection& projection, const fl::Explanation& why,
                             const std::vector<fl::analysis::KnownCause>& causes) {
  constexpr std::int64_t size = 128;
  const auto picture = [](const fl::ImageBatch& batch, std::int64_t i) {
    return fl::render::to_picture(batch.image(i), batch.shape(), size);
  };
  const auto number = [](const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return std::string(text);
  };
  fl::render::Sheet sheet;
  sheet.title = "Label " + fl::render::class_name(report, why.label) + ": which finding is this image an instance of?";
  sheet.explanation =
      "The image, what the generator makes of its latent, and that latent with its coordinate along each finding set "
      "to the median of well-classified images of the class. "
      "Only what becomes right is a repair.";
  sheet.rows.push_back({});
  sheet.columns.push_back({"", "image", "", ""});
  sheet.cells.push_back({picture(canvas, 0), seen.probability, fl::render::class_name(report, seen.prediction),
                         seen.prediction != why.label, ""});
  sheet.columns.push_back({"", "reconstruction", "RMS difference " + number("%.3f", projection.rms), ""});
  sheet.cells.push_back(
      {picture(why.images, 0), why.probability, fl::render::class_name(report, why.prediction), why.failed, ""});
  for (std::size_t k = 0; k < why.causes.size(); ++k) {
    const fl::analysis::ExplainedCause& cause = why.causes[k];
    sheet.columns.push_back({"set to the success median", causes[cause.cause].title,
                             number("%+.1f sd", cause.success_median - cause.coordinate), ""});
    sheet.cells.push_back({picture(why.images, static_cast<std::int64_t>(k) + 1), cause.probability,
                           fl::render::class_name(report, cause.prediction), cause.prediction != why.label, ""});
  }
  if (why.causes.size() > 1) {
    sheet.columns.push_back({"set to the success median", "all together", "", ""});
    sheet.cells.push_back({picture(why.images, why.images.count() - 1), why.together_probability,
                           fl::render::class_name(report, why.together_prediction),
                           why.together_prediction != why.label, ""});
  }
  return sheet;
}

nlohmann::ordered_json as_json(const std::string& path, const Seen& seen, const fl::Projection& projection,
                               const fl::Explanation& why, const std::vector<fl::analysis::KnownCause>& causes) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const fl::analysis::ExplainedCause& cause : why.causes)
    list.push_back({{"finding", cause.cause},
                    {"title", causes[cause.cause].title},
                    {"coordinate", cause.coordinate},
                    {"percentile", cause.percentile},
                    {"success_median", cause.success_median},
                    {"failing_side", cause.failing_side},
                    {"repaired", cause.repaired},
                    {"probability", cause.probability},
                    {"prediction", cause.prediction},
                    {"gain", cause.gain},
                    {"random_repaired", cause.random_repaired ? Json(*cause.random_repaired) : Json(nullptr)},
                    {"flip", cause.flip ? Json(*cause.flip) : Json(nullptr)}});
  const fl::ProjectionLoss& loss = projection.loss;
  return {{"image", path},
          {"label", why.label},
          {"prediction_image", seen.prediction},
          {"probability_image", seen.probability},
          {"prediction_reconstruction", why.prediction},
          {"probability_reconstruction", why.probability},
          {"same_answer", seen.prediction == why.prediction},
          {"projection",
           {{"rms", projection.rms},
            {"pixel", loss.pixel},
            {"detail", loss.detail},
            {"feature", loss.feature},
            {"prior", loss.prior},
            {"mahalanobis", projection.mahalanobis},
            {"percentile", projection.percentile},
            {"likeness_percentile", projection.likeness_percentile},
            {"good", projection.good ? Json(*projection.good) : Json(nullptr)},
            {"w", projection.w}}},
          {"causes", list},
          {"together",
           {{"repaired", why.together_repaired},
            {"probability", why.together_probability},
            {"prediction", why.together_prediction}}}};
}

void print_table(const std::string& path, const fl::FailureReport& report, const Seen& seen,
                 const fl::Projection& projection, const fl::Explanation& why,
                 const std::vector<fl::analysis::KnownCause>& causes) {
  std::printf("%s\nlabel %s   image: class %s, p(y) %.2f   reconstruction: class %s, p(y) %.2f   RMS difference %.3f\n",
              path.c_str(), fl::render::class_name(report, why.label).c_str(),
              fl::render::class_name(report, seen.prediction).c_str(), seen.probability,
              fl::render::class_name(report, why.prediction).c_str(), why.probability, projection.rms);
  std::printf("its latent lies %.1f standard deviations from its class mean, further than %.0f %% of the population\n",
              projection.mahalanobis, projection.percentile);
  if (projection.good && !*projection.good)
    std::printf("note: the image is met worse than 95 %% of generated ones; read the explanation with care\n");
  if (seen.prediction != why.prediction)
    std::printf(
        "note: the classifier answers otherwise on the reconstruction, so what follows explains the reconstruction "
        "only\n");
  if (!why.failed)
    std::printf("the reconstruction does not fail; flip is how far each finding is from making it fail\n");
  std::printf("%-36s %10s %10s %8s %9s %6s %8s %8s\n", "finding", "coordinate", "percentile", "success", "repaired",
              "p(y)", "random", "flip");
  for (const fl::analysis::ExplainedCause& cause : why.causes) {
    char flip[32] = "-";
    char random[32] = "-";
    if (cause.flip) std::snprintf(flip, sizeof flip, "%+.2f", *cause.flip);
    if (cause.random_repaired) std::snprintf(random, sizeof random, "%.0f %%", 100 * *cause.random_repaired);
    std::printf("%-36s %+10.2f %10.0f %+8.2f %9s %6.2f %8s %8s\n", causes[cause.cause].title.c_str(), cause.coordinate,
                cause.percentile, cause.success_median,
                cause.repaired ? "yes"
                : why.failed   ? "no"
                               : "-",
                cause.probability, random, flip);
  }
  if (why.failed && why.causes.size() > 1)
    std::printf("%-36s %10s %10s %8s %9s %6.2f\n", "all together", "", "", "", why.together_repaired ? "yes" : "no",
                why.together_probability);
}

int explain(const Arguments& arguments) {
  const auto generator = fl::Generator<fl::CpuBackend>::load(arguments.generator);
  fl::AnyClassifier classifier =
      program::open_classifier(arguments.classifier, arguments.choice, generator.num_classes());
  const fl::FailureReport report = fl::read_report(arguments.report);
  const auto misfit = [](const std::string& what) {
    return fl::Error(fl::ErrorCode::incompatible_models, "explain", what);
  };
  if (report.provenance.generator_digest != generator.digest())
    throw misfit("the report is about another generator than '" + arguments.generator + "'");
  const std::optional<fl::CriterionFunction> criterion = fl::criterion_from(report.provenance.criterion_expression);
  if (!criterion)
    throw misfit("the report's criterion \"" + report.provenance.criterion +
                 "\" is a function of its author's own, which a file cannot carry; only the library's criteria can be "
                 "explained here");
  if (report.provenance.classifier_name != classifier.name())
    std::fprintf(stderr, "note: the report is about the classifier \"%s\", this one is called \"%s\"\n",
                 report.provenance.classifier_name.c_str(), classifier.name().c_str());
  if (report.provenance.classifier_digest && report.provenance.classifier_digest != classifier.digest())
    std::fprintf(
        stderr,
        "note: the report is about another version of the classifier: its digest is %.12s, this one's is %.12s\n",
        report.provenance.classifier_digest->c_str(), classifier.digest().value_or("unknown").c_str());
  const fl::ImageShape made = generator.image_shape();
  const fl::ImagePreparation preparation(made, {0.0, 1.0}, classifier.input_spec());
  if (arguments.labels.size() > 1 && arguments.labels.size() != arguments.images.size())
    throw fl::Error(
        fl::ErrorCode::invalid_argument, "explain",
        "give one --label for all images, or one for each of the " + std::to_string(arguments.images.size()));
  for (const std::int64_t label : arguments.labels)
    if (label >= generator.num_classes())
      throw fl::Error(fl::ErrorCode::label_out_of_range, "explain",
                      "got label " + std::to_string(label) + ", the generator makes " +
                          std::to_string(generator.num_classes()) + " classes");
  std::vector<Subject> subjects;
  for (std::size_t i = 0; i < arguments.images.size(); ++i) {
    subjects.push_back({arguments.images[i], read_image(arguments.images[i], made, preparation.shape()), std::nullopt});
    if (!arguments.labels.empty()) subjects.back().label = arguments.labels[arguments.labels.size() == 1 ? 0 : i];
  }

  fl::ProjectionOptions options{.steps = arguments.steps, .references = arguments.references};
  if (!arguments.judge.empty()) options.features = fl::training::judge_features(fl::load_classifier(arguments.judge));
  const auto reference = fl::Generator<fl::ReferenceBackend>::load(arguments.generator);  // it has gradients in w
  fl::Projector projector(reference, options);
  std::error_code failed;
  std::filesystem::create_directories(arguments.out, failed);
  if (failed)
    throw fl::Error(fl::ErrorCode::cannot_write, "explain",
                    "cannot write into '" + arguments.out + "'; choose another --out");

  std::fprintf(stderr, "drawing the report's %lld samples again\n",
               static_cast<long long>(report.provenance.samples_per_split));
  const fl::Provenance& from = report.provenance;
  const fl::StyleSpaceSampler sampler(generator, fl::analysis::sampler_options(from));
  for (const std::int64_t index : arguments.indices) {
    const auto sample = sampler.sample(index, 1);
    const std::filesystem::path path =
        std::filesystem::path(arguments.out) / ("sample-" + std::to_string(index) + ".png");
    subjects.push_back({path.string(),
                        fl::to_unit_range(generator.image_to_host(sample.images), generator.value_range()),
                        sample.label.front()});
    fl::write_png(path,
                  fl::render::to_picture(subjects.back().image.image(0), made, std::max(made.height, made.width)));
  }
  const fl::Problem problem = fl::analysis::discovery_problem(sampler, classifier, *criterion, from.samples_per_split,
                                                              {.batch_size = from.batch_size});
  const fl::Explainer explainer(problem, fl::render::known_causes(report));
  fl::classify::Scorer scorer(classifier, made, {0.0, 1.0}, problem.classes, from.batch_size);
  if (options.references > 0)
    std::fprintf(stderr, "projecting %lld images for comparison\n", static_cast<long long>(options.references));

  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const auto& [name, image, known] : subjects) {
    const fl::Projection projection = projector.project(image, known);
    const fl::ImageBatch canvas = on_canvas(image, made);
    const std::vector<std::int64_t> label{projection.label};
    const fl::classify::ScoredImages scored = scorer(canvas, label);
    const Seen seen{scored.prediction[0], static_cast<double>(scored.probability[0])};
    const fl::Explanation why = explainer(projection.w, projection.label);
    const std::filesystem::path sheet =
        std::filesystem::path(arguments.out) / (std::filesystem::path(name).stem().string() + "-explained.png");
    fl::write_png(sheet, fl::render::draw_sheet(make_sheet(report, canvas, seen, projection, why, explainer.causes())));
    if (arguments.json) all.push_back(as_json(name, seen, projection, why, explainer.causes()));
    else print_table(name, report, seen, projection, why, explainer.causes());
    std::fprintf(stderr, "picture in %s\n", sheet.c_str());
  }
  if (arguments.json)
    std::printf("%s\n", all.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace).c_str());
  return 0;
}

int answer(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // keep large blocks between batches
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  Arguments arguments;
  CLI::App app(
      "Says which finding of a characterisation a failing image is an instance of, by repairing each finding in what "
      "the generator makes of the image.\n"
      "Exit codes: 0 done (whatever was found), 2 usage, 3 bad input, 5 internal error.");
  app.add_option("--generator", arguments.generator, "generator file (faultline.stylegan2/1)")->required();
  app.add_option("--classifier", arguments.classifier, program::classifier_help)->required();
  program::add_classifier_options(app, arguments.choice);
  app.add_option("--report", arguments.report, "report.json of a characterisation of this classifier on this generator")
      ->required();
  CLI::Option_group* subjects = app.add_option_group("What to explain");
  subjects->add_option("--image", arguments.images,
                       "PNG, grey or RGB, of the classifier's or the generator's size; several share the preparation");
  program::option(*subjects, "--index", arguments.indices, 0, program::most - 1,
                  "samples of the report by index, written to --out as PNG");
  subjects->require_option(1, 2);
  program::option(app, "--label", arguments.labels, 0, fl::limits::latents,
                  "true class of the images (a sample's is known), one for all or one each; otherwise every class is "
                  "tried and the nearest is taken");
  app.add_option("--judge", arguments.judge, "an independent classifier in whose features images are compared too");
  program::option(app, "--steps", arguments.steps, 1, fl::limits::permutations, "steps of the projection");
  program::option(app, "--references", arguments.references, 0, fl::limits::latents,
                  "generated images that say what a good reconstruction is; 0: no verdict");
  app.add_option("--out", arguments.out, "folder of the pictures")->capture_default_str();
  app.add_flag("--json", arguments.json, "print JSON instead of tables");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  return fl::within_threads(arguments.threads, [&] { return explain(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("explain", [&] { return answer(argc, argv); });
}
