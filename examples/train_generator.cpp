// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Trains a StyleGAN2 on MNIST with blur and noise, or on a folder of PNG pictures. Stop it at any time; the same
// command goes on where it stopped.
//
//   train_generator --out run --kimg 1000          writes run/generator.safetensors, run/samples-*.png,
//   run/checkpoint-*.safetensors train_generator --out run --export digits.safetensors   writes the averaged generator
//   of the newest checkpoint and ends train_generator --out pets-run --data pets --ada        on the pictures in the
//   folder pets, labelled by pets/dataset.json or pets/labels.csv
//
// test: --help
// test(2): --kimg many
// test(2): --preset unknown --out @out@
// test(2): --mix unknown --out @out@
// test(3): --data @out@ --out @out@
// test(2): --seed 9223372036854775808 --out @out@
// test(2): --parts 0 --out @out@
// test(2): --kimg nan --out @out@

#include "options.hpp"

#include <faultline/core/parallel_for.hpp>
#include <faultline/data/image_folder.hpp>
#include <faultline/data/mnist.hpp>
#include <faultline/torch/training/checkpoint.hpp>
#include <faultline/stylegan2/model_file.hpp>
#include <faultline/stylegan2/sample_sheet.hpp>
#include <faultline/torch/training/training_images.hpp>
#include <faultline/version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <malloc.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fl = faultline;
namespace ft = faultline::training;
namespace sg = faultline::stylegan2;

namespace {

volatile std::sig_atomic_t stop_requested = 0;

struct Arguments {
  std::string preset = "digits";
  std::string out = "run";
  std::string data;
  std::string mix;
  std::int64_t resolution = 0;
  std::string export_path;
  double kimg = 1000.0;
  std::int64_t seed = 1;
  std::optional<std::int64_t> max_steps;
  std::int64_t threads = 0;
  double checkpoint_minutes = 5.0;
  std::int64_t sheet_kimg = 20;
  std::vector<std::function<void(ft::GanOptions&)>> changes;  // those given on the command line
};

/// Where the images come from and how they are seen; told once, because the folder may change while a run goes on.
struct Source {
  bool pictures = false;
  std::string name = "MNIST, 28x28 padded to 32x32";
  fl::CorruptionMix mix = fl::CorruptionMix::independent;
};

Source source_of(const Arguments& arguments) {
  Source source;
  if (!arguments.data.empty()) {
    source.pictures = fl::image_set_kind(arguments.data) == fl::ImageSetKind::png_pictures;
    source.name = (source.pictures ? "pictures in " : "IDX files in ") +
                  std::filesystem::weakly_canonical(arguments.data).filename().string();
  }
  if (arguments.data.empty() && !arguments.export_path.empty())
    source = {.name = "data not stated when exporting",
              .mix = fl::CorruptionMix::none};  // a checkpoint does not know it
  if (!source.pictures && arguments.resolution != 0)
    throw fl::Error(fl::ErrorCode::invalid_argument, "train_generator",
                    "--resolution is for PNG pictures; IDX files are padded to the network's size");
  const std::string& mix = arguments.mix;
  if (source.pictures) source.mix = fl::CorruptionMix::none;
  if (!mix.empty())
    source.mix = mix == "none"    ? fl::CorruptionMix::none
                 : mix == "paper" ? fl::CorruptionMix::paper
                                  : fl::CorruptionMix::independent;
  return source;
}

std::string describe(const Source& source) {
  return source.name + (source.mix == fl::CorruptionMix::none    ? ""
                        : source.mix == fl::CorruptionMix::paper ? ", blur and noise together"
                                                                 : ", independent blur and noise");
}

fl::LabelledImages load(const Arguments& arguments, const Source& source) {
  if (source.pictures) return fl::load_image_folder(arguments.data, {.resolution = arguments.resolution});
  return fl::load_mnist(arguments.data.empty() ? fl::find_mnist() : std::filesystem::path(arguments.data),
                        fl::MnistPart::train);
}

/// A preset for digits, made to fit other pictures.
void fit(ft::GanPreset& preset, const fl::LabelledImages& images) {
  auto& [generator, discriminator, options] = preset;
  generator.img_channels = discriminator.img_channels = images.channels;
  generator.img_resolution = discriminator.img_resolution = images.height;
  generator.c_dim = discriminator.c_dim = images.classes;
  generator.class_names.clear();
  for (std::int64_t label = 0; label < images.classes; ++label) generator.class_names.push_back(std::to_string(label));
}

std::string sizes(std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t classes) {
  return std::to_string(height) + "x" + std::to_string(width) + (channels == 1 ? ", grey, " : ", RGB, ") +
         (classes == 0 ? "without labels" : std::to_string(classes) + " classes");
}

/// Refuses images that the networks cannot be trained on, before anything is written.
void require_fit(const Arguments& arguments, const ft::GanPreset& preset, const fl::LabelledImages& images,
                 const Source& source, bool going_on) {
  const auto& generator = preset.generator;
  const std::int64_t resolution = generator.img_resolution;
  const bool sound = images.height == images.width && images.height <= resolution &&
                     (resolution - images.height) % 2 == 0 && images.channels == generator.img_channels &&
                     images.classes == generator.c_dim;
  if (sound) return;
  throw fl::Error(fl::ErrorCode::inconsistent_files, "train_generator",
                  (going_on ? "the run in '" + arguments.out + "'" : "the preset '" + arguments.preset + "'") +
                      " is for images of " + sizes(resolution, resolution, generator.img_channels, generator.c_dim) +
                      " (or smaller squares by an even difference), " + source.name + " are " +
                      sizes(images.height, images.width, images.channels, images.classes) + "; " +
                      (going_on ? "give the --data and --resolution that it began with, or another --out"
                                : "convert them to PNG pictures, or choose another preset"));
}

sg::GeneratorModel averaged(const Source& source, const ft::GanPreset& preset, const ft::GanState& state) {
  const std::string provenance = nlohmann::json{{"data", describe(source)},
                                                {"images_seen", state.images_seen},
                                                {"steps", state.step},
                                                {"seed", preset.options.seed},
                                                {"library", std::string("faultline ") + fl::version_string}}
                                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return {preset.generator, sg::to_arrays(state.average), provenance, {}};
}

void print_progress(const ft::GanTrainer& trainer, const ft::GanLosses& losses, double images_per_second,
                    double target_kimg) {
  const double seen = static_cast<double>(trainer.state().images_seen) / 1000.0;
  const double eta = images_per_second > 0.0 ? (target_kimg - seen) * 1000.0 / images_per_second : 0.0;
  std::fprintf(stderr,
               "kimg %.2f/%.0f  %.1f images/s  ETA %dh%02dm  G %.3f  D %.3f  real %+.2f  fake %+.2f  mismatch %.4f  R1 "
               "%.4f  path %.3f",
               seen, target_kimg, images_per_second, static_cast<int>(eta / 3600.0), static_cast<int>(eta / 60.0) % 60,
               losses.generator, losses.discriminator, losses.real_logit, losses.fake_logit, losses.mismatch, losses.r1,
               losses.path_length);
  if (trainer.preset().options.ada)
    std::fprintf(stderr, "  signs %+.2f  p %.4f", losses.real_sign, trainer.state().augmentation);
  std::fputc('\n', stderr);
}

int train(const Arguments& arguments) {
  std::vector<std::string> skipped;
  auto stored = ft::latest_checkpoint(arguments.out, &skipped);
  for (const auto& reason : skipped) std::fprintf(stderr, "skipping a checkpoint: %s\n", reason.c_str());
  ft::GanPreset preset = stored ? stored->preset : ft::gan_preset(arguments.preset);
  const Source source = source_of(arguments);
  std::optional<fl::LabelledImages> images;
  if (arguments.export_path.empty()) images = load(arguments, source);
  if (!stored) {
    preset.options.seed = arguments.seed;
    if (images && source.pictures) fit(preset, *images);
  }
  if (images) require_fit(arguments, preset, *images, source, stored.has_value());
  // Options given on the command line hold from here on; those not given keep what the run began with.
  for (const auto& change : arguments.changes) change(preset.options);
  ft::GanTrainer trainer = stored ? ft::GanTrainer(preset, std::move(stored->state)) : ft::GanTrainer(preset);

  if (!arguments.export_path.empty()) {
    const std::string digest =
        sg::save_generator_model(arguments.export_path, averaged(source, preset, trainer.state()));
    std::printf("{\"generator\": \"%s\", \"images_seen\": %lld, \"sha256\": \"%s\"}\n", arguments.export_path.c_str(),
                static_cast<long long>(trainer.state().images_seen), digest.c_str());
    return 0;
  }

  std::error_code failed;
  std::filesystem::create_directories(arguments.out, failed);
  if (failed)
    throw fl::Error(fl::ErrorCode::cannot_write, "train_generator",
                    "cannot make the folder '" + arguments.out + "': " + failed.message() + "; choose another --out");
  ft::TrainingImages data(*images, {.mix = source.mix,
                                    .seed = preset.options.seed,
                                    .padding = (preset.generator.img_resolution - images->height) / 2});
  std::fprintf(stderr, "read %lld images of %s, from %s\n", static_cast<long long>(images->count),
               sizes(images->height, images->width, images->channels, images->classes).c_str(), source.name.c_str());
  std::fprintf(stderr, "%s at kimg %.2f, %d threads\n", trainer.state().step > 0 ? "going on" : "starting",
               static_cast<double>(trainer.state().images_seen) / 1000.0, at::get_num_threads());

  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  auto last_line = Clock::now();
  auto last_checkpoint = Clock::now();
  std::int64_t images_at_line = trainer.state().images_seen;
  const std::int64_t target = static_cast<std::int64_t>(arguments.kimg * 1000.0);
  std::int64_t steps = 0;
  while (trainer.state().images_seen < target && stop_requested == 0 &&
         (!arguments.max_steps || steps < *arguments.max_steps)) {
    const ft::GanLosses losses = trainer.step(
        data.batch(trainer.state().step * preset.options.batch, preset.options.batch, preset.generator.value_range));
    ++steps;
    if (seconds_since(last_line) > 10.0) {
      print_progress(trainer, losses,
                     static_cast<double>(trainer.state().images_seen - images_at_line) / seconds_since(last_line),
                     arguments.kimg);
      last_line = Clock::now();
      images_at_line = trainer.state().images_seen;
    }
    const std::int64_t sheet_every = arguments.sheet_kimg * 1000;
    if (sheet_every > 0 && trainer.state().images_seen / sheet_every !=
                               (trainer.state().images_seen - preset.options.batch) / sheet_every) {
      char name[64];
      std::snprintf(name, sizeof name, "samples-%06lld.png",
                    static_cast<long long>(trainer.state().images_seen / 1000));
      fl::write_png(std::filesystem::path(arguments.out) / name,
                    sg::sample_sheet(averaged(source, preset, trainer.state())));
    }
    if (seconds_since(last_checkpoint) > arguments.checkpoint_minutes * 60.0) {
      ft::rotate_checkpoint(arguments.out, preset, trainer.state());
      last_checkpoint = Clock::now();
    }
  }
  ft::rotate_checkpoint(arguments.out, preset, trainer.state());
  const auto path = std::filesystem::path(arguments.out) / "generator.safetensors";
  const std::string digest = sg::save_generator_model(path, averaged(source, preset, trainer.state()));
  std::fprintf(stderr, "stopped at kimg %.2f; the same command goes on from here\n",
               static_cast<double>(trainer.state().images_seen) / 1000.0);
  std::printf("{\"generator\": \"%s\", \"images_seen\": %lld, \"sha256\": \"%s\"}\n", path.c_str(),
              static_cast<long long>(trainer.state().images_seen), digest.c_str());
  return 0;
}

int answer(int argc, char** argv) {
  // glibc gives large blocks back to the system at every step; keeping them is worth a good part of the speed.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 64 << 20);
  std::signal(SIGINT, [](int) { stop_requested = 1; });
  std::signal(SIGTERM, [](int) { stop_requested = 1; });

  Arguments arguments;
  CLI::App app(
      "Trains a StyleGAN2 on MNIST with blur and noise, or on a folder of PNG pictures; the same command resumes.");
  app.add_option("--preset", arguments.preset, "digits, paper or auto32");
  app.add_option("--out", arguments.out, "run directory: checkpoints, sample sheets, generator.safetensors");
  app.add_option("--data", arguments.data,
                 "directory of the four MNIST files, or of PNG pictures with dataset.json or labels.csv");
  program::option(app, "--resolution", arguments.resolution, 0, 8'192,
                  "pad or crop PNG pictures to this size; 0: they have the right one");
  app.add_option("--mix", arguments.mix,
                 "none, independent or paper; not given: independent for MNIST, none for pictures")
      ->check(CLI::IsMember({"none", "independent", "paper"}));
  program::option(app, "--kimg", arguments.kimg, 0.0, 1e9, "stop after this many thousand images");
  program::option(app, "--steps", arguments.max_steps, 0, 1'000'000'000, "stop after this many further steps");
  program::option(app, "--seed", arguments.seed, program::least, program::most, "seed of a new run");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "threads, no more than cores; 0: as many");
  program::option(app, "--checkpoint-minutes", arguments.checkpoint_minutes, 0.0, 1e6, "time between checkpoints");
  program::option(app, "--sheet-kimg", arguments.sheet_kimg, 0, 1'000'000'000,
                  "thousand images between sample sheets; 0: none");
  const auto changeable = [&](const char* name, auto ft::GanOptions::*option, const char* text, double lower = 0.0,
                              double upper = 1e9) {
    using Value = std::remove_reference_t<decltype(std::declval<ft::GanOptions&>().*option)>;
    const std::function<void(Value)> take = [&arguments, option](Value value) {
      arguments.changes.push_back([option, value](ft::GanOptions& options) { options.*option = value; });
    };
    program::option<Value>(app, name, take, static_cast<Value>(lower), static_cast<Value>(upper), text);
  };
  changeable("--learning-rate", &ft::GanOptions::learning_rate, "of both networks", 1e-9, 1e3);
  changeable("--learning-rate-hold-kimg", &ft::GanOptions::learning_rate_hold_kimg,
             "thousand images at the full learning rate");
  changeable("--learning-rate-fade-kimg", &ft::GanOptions::learning_rate_fade_kimg,
             "thousand images over which it then falls to 0");
  changeable("--parts", &ft::GanOptions::parts, "parts of a batch, each computed by one thread", 1.0,
             static_cast<double>(fl::limits::batch));
  changeable("--r1-gamma", &ft::GanOptions::r1_gamma, "weight of the R1 penalty");
  changeable("--mismatch-weight", &ft::GanOptions::mismatch_weight, "weight of the matching-aware term");
  changeable("--mismatch-hold-kimg", &ft::GanOptions::mismatch_hold_kimg,
             "thousand images with the full weight of that term");
  changeable("--mismatch-fade-kimg", &ft::GanOptions::mismatch_fade_kimg, "thousand images over which it then fades");
  changeable("--path-length-weight", &ft::GanOptions::path_length_weight, "weight of path-length regularisation");
  changeable("--ada-target", &ft::GanOptions::ada_target,
             "mean sign of the real logits that adaptive augmentation aims at", -1.0, 1.0);
  changeable("--ada-kimg", &ft::GanOptions::ada_kimg, "thousand images over which its strength could rise from 0 to 1",
             1e-3, 1e9);
  app.add_flag_function(
      "--ada,!--no-ada",
      [&](std::int64_t given) {
        arguments.changes.push_back([given](ft::GanOptions& options) { options.ada = given > 0; });
      },
      "augment adaptively what the discriminator sees, or no longer");
  changeable("--ema-kimg", &ft::GanOptions::ema_kimg, "half-life of the averaged generator");
  app.add_option("--export", arguments.export_path,
                 "write the averaged generator of the newest checkpoint to this file and end");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
  return fl::within_threads(arguments.threads, [&] { return train(arguments); });
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("train_generator", [&] { return answer(argc, argv); });
}
