// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Claim: a characterisation of the shipped generator with 10 000 + 10 000 samples and all defaults takes at most 45 s
// on two cores. Usage: characterize_speed [--quick] [generator] [classifier] [judge or -] [samples per split]. Prints
// one JSON object; what was found goes to stderr. --quick: 2 000 + 2 000 samples, a fifth of the time.

#include <program.hpp>
#include <support/figures.hpp>
#include <support/measured_backends.hpp>

#include <faultline/core.hpp>
#include <faultline/data/classifier_file.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Adds the time of a call to a sum.
template <class Call>
auto timed(double& sum, Call call) {
  const auto start = Clock::now();
  auto result = call();
  sum += seconds_since(start);
  return result;
}

using Model = bench::FastGenerator;

/// The generator with a stopwatch.
class TimedGenerator {
 public:
  using latent_type = Model::latent_type;
  using style_type = Model::style_type;
  using label_type = Model::label_type;
  using image_type = Model::image_type;

  static constexpr bool batch_invariant = Model::batch_invariant;

  TimedGenerator(const Model& model, double& seconds) : model_(&model), seconds_(&seconds) {}

  std::int64_t latent_dim() const { return model_->latent_dim(); }
  std::int64_t w_dim() const { return model_->w_dim(); }
  std::int64_t num_classes() const { return model_->num_classes(); }
  fl::ImageShape image_shape() const { return model_->image_shape(); }
  fl::ValueRange value_range() const { return model_->value_range(); }
  const fl::StyleLayout& layout() const { return model_->layout(); }
  std::string digest() const { return model_->digest(); }
  latent_type latent_from_host(const fl::Matrix<float>& rows) const { return model_->latent_from_host(rows); }
  style_type style_from_host(const fl::Matrix<float>& rows) const { return model_->style_from_host(rows); }
  label_type label_from_host(std::span<const std::int64_t> labels) const { return model_->label_from_host(labels); }
  fl::Matrix<float> latent_to_host(const latent_type& latent) const { return model_->latent_to_host(latent); }
  fl::Matrix<float> style_to_host(const style_type& style) const { return model_->style_to_host(style); }
  fl::ImageBatch image_to_host(const image_type& images) const { return model_->image_to_host(images); }
  latent_type map(const latent_type& z, const label_type& labels, const fl::MapOptions& options) const {
    return timed(*seconds_, [&] { return model_->map(z, labels, options); });
  }
  style_type styles(const latent_type& w) const {
    return timed(*seconds_, [&] { return model_->styles(w); });
  }
  image_type synthesize(const style_type& s, const fl::SynthesisOptions& options) const {
    return timed(*seconds_, [&] { return model_->synthesize(s, options); });
  }
  fl::Matrix<float> pullback(const style_type& s, const fl::ImageBatch& gradient) const {
    return timed(*seconds_, [&] { return model_->pullback(s, gradient); });
  }
  fl::Matrix<float> style_matrix() const { return model_->style_matrix(); }
  fl::Matrix<float> style_bias() const { return model_->style_bias(); }

 private:
  const Model* model_;
  double* seconds_;
};

/// The classifier with a stopwatch.
template <class C>
class TimedClassifier {
 public:
  TimedClassifier(C classifier, double& seconds) : classifier_(std::move(classifier)), seconds_(&seconds) {}

  std::int64_t num_classes() const { return classifier_.num_classes(); }
  fl::Scores score_kind() const { return classifier_.score_kind(); }
  fl::InputSpec input_spec() const { return classifier_.input_spec(); }
  std::string name() const { return fl::name_of(classifier_); }
  void score(fl::ImageView images, fl::ScoreMatrix& scores) {
    (void)timed(*seconds_, [&] {
      classifier_.score(images, scores);
      return 0;
    });
  }
  void probability_gradient(fl::ImageView images, std::span<const std::int64_t> labels,
                            fl::ImageBatch& gradient) requires fl::DifferentiableClassifier<C> {
    (void)timed(*seconds_, [&] {
      classifier_.probability_gradient(images, labels, gradient);
      return 0;
    });
  }

 private:
  C classifier_;
  double* seconds_;
};

/// Wall time between the reports of each stage.
class Stages {
 public:
  void operator()(const std::string& stage) {
    seconds_[current_] += seconds_since(last_);
    last_ = Clock::now();
    if (stage != current_) std::fprintf(stderr, "%7.1f s  %s\n", seconds_since(start_), stage.c_str());
    current_ = stage;
  }
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  std::map<std::string, double> seconds_;
  std::string current_ = "start";
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

void describe(const fl::FailureReport& report) {
  std::fprintf(stderr, "failure rate %.4f, %s\n", report.failure_rate.estimate, report.reason.c_str());
  if (report.explained && report.ceiling)
    std::fprintf(stderr, "explained %.2f of %.2f\n", report.explained->estimate, report.ceiling->estimate);
  const auto list = [](const char* what, const std::vector<fl::Finding>& findings) {
    for (const auto& f : findings)
      std::fprintf(stderr, "%-10s %-22s D2 %.3f p %.4f stable %.2f  effect %.3f after %lld  fraction %.2f  flip %.2f\n",
                   what, f.title.c_str(), f.condition.deviance_share.estimate, f.confirmation.p_adjusted,
                   f.condition.stability, f.intervention.effect.value_or(0.0),
                   static_cast<long long>(f.intervention.latents), f.attributable.fraction.value_or(0.0),
                   f.threshold.flip ? f.threshold.flip->sigmas : -1.0);
  };
  list("cause", report.findings);
  list("undecided", report.undecided);
  list("not moved", report.not_movable);
  list("associated", report.associated);
  list("generator", report.generators);
  for (std::size_t p = 0; p < report.property_r2.size(); ++p)
    std::fprintf(stderr, "  %s R2 %.2f\n", report.property_names[p].c_str(), report.property_r2[p]);
  for (const auto& warning : report.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
}

}  // namespace

static int benchmark(int argc, char** argv) {
  const bool quick = bench::quick(argc, argv);
  if (quick && argc > 1 && std::string(argv[1]) == "--quick") --argc, ++argv;
  const auto model_file = [&](int i, const char* shipped) {
    return argc > i ? std::filesystem::path(argv[i]) : fl::find_asset(shipped);
  };
  try {
    const std::int64_t samples = argc > 4 ? program::number<std::int64_t>("samples", argv[4], 1, fl::limits::samples)
                                 : quick  ? 2'000
                                          : 10'000;
    const bool judged = !(argc > 3 && std::string(argv[3]) == "-");
    double generator_seconds = 0.0;
    double classifier_seconds = 0.0;
    const auto model = Model::load(model_file(1, "digits.safetensors"));
    const TimedGenerator generator(model, generator_seconds);
    TimedClassifier classifier(fl::load_classifier(model_file(2, "clean.safetensors")), classifier_seconds);
    fl::CharacterizeOptions options{.samples = samples, .seed = 7};
    Stages stages;
    options.method.progress = [&](const fl::Progress& progress) { stages(progress.stage); };
    if (judged)
      options.method.judge = fl::AnyClassifier(
          TimedClassifier(fl::load_classifier(model_file(3, "judge.safetensors")), classifier_seconds));

    const auto start = Clock::now();
    const fl::FailureReport report = fl::characterize(generator, classifier, options);
    const double total = seconds_since(start);
    stages("end");
    describe(report);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::string more =
        "\"samples_per_split\": " + std::to_string(samples) +
        ", \"generator_seconds\": " + bench::number(generator_seconds) +
        ", \"classifier_seconds\": " + bench::number(classifier_seconds) +
        ", \"model_share\": " + bench::number((generator_seconds + classifier_seconds) / total) +
        ", \"cpu_seconds\": " + bench::number(static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)) +
        ", \"peak_mib\": " + bench::number(static_cast<double>(usage.ru_maxrss) / 1024.0) +
        ", \"generator_images\": " + std::to_string(report.cost.generator_images) + ", \"stages\": {";
    const char* separator = "\"";
    for (const auto& [stage, seconds] : stages.seconds()) {
      more += separator + stage + "\": " + bench::number(seconds);
      separator = ", \"";
    }
    const bool usual = samples == 10'000;
    bench::print("characterize_speed",
                 {{"characterize", total, usual ? 45.0 : std::nan(""), true, "s",
                   usual ? "" : std::to_string(samples) + " per split"}},
                 more + "}");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  return program::run("characterize_speed", [&] { return benchmark(argc, argv); });
}
