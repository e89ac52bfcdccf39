// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks whose every dimension is as small as it can be: CpuBackend is the float64 reference, files read back, and
// the whole way ends in a report.

#include <faultline/analysis/characterize.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/concepts/style_edits.hpp>
#include <faultline/render/direction_renderer.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include "support.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

using namespace stylegan2_tests;

namespace {

struct Sizes {
  std::int64_t z, w, classes, side, colours, widest, mapping;
};

sg::GeneratorModel least_model(const Sizes& sizes) {
  sg::GeneratorConfig config;
  config.z_dim = sizes.z;
  config.w_dim = sizes.w;
  config.c_dim = sizes.classes;
  config.img_resolution = sizes.side;
  config.img_channels = sizes.colours;
  config.channel_base = 64;
  config.channel_max = sizes.widest;
  config.mapping_layers = sizes.mapping;
  return model_of(config);
}

std::string text_of(const Sizes& s) {
  std::string text;
  for (const std::int64_t n : {s.z, s.w, s.classes, s.side, s.colours, s.widest, s.mapping})
    text += std::to_string(n) + " ";
  return "z, w, classes, side, colours, channels, mapping layers: " + text;
}

}  // namespace

TEST_CASE("networks of dimension one and two are the float64 reference") {
  int gradients = 0;
  for (const std::int64_t z : {0, 1, 2})
    for (const std::int64_t w : {1, 2})
      for (const std::int64_t classes : {0, 1, 2})
        for (const std::int64_t side : {4, 8})
          for (const std::int64_t colours : {1, 2, 3, 4}) {
            if (z == 0 && classes == 0) continue;  // the mapping would have no input, which the config refuses
            const Sizes sizes{z, w, classes, side, colours, 1 + (z + colours) % 2, 1 + w % 2};
            INFO(text_of(sizes));
            const sg::GeneratorModel model = least_model(sizes);
            const Fast generator(model);
            const Rows latents = normals(3, z, 1);
            const std::vector<std::int64_t> labels = labels_of(model.config, 3);
            const Rows ws = generator.map(latents, labels), styles = generator.styles(ws);
            const sg::NoiseImages noise = constant_noise(model);
            CHECK(worst(ws, reference_mapping(model, latents, labels)) < 1e-5);
            CHECK(worst(styles, reference_styles(model, ws)) < 1e-5);
            const fl::ImageBatch images = generator.synthesize(styles);
            CHECK(worst(images, reference_images(model, styles, noise)) < 1e-4);
            CHECK(images.count() == 3);
            CHECK(images.shape() == fl::ImageShape{colours, side, side});
            // Gradients and edits of networks so small, too.
            fl::ImageBatch incoming(3, images.shape());
            std::fill_n(incoming.data(), 3 * images.shape().elements(), 1.0f);
            ref::Array exact;
            double kink = 1.0;
            for (std::int64_t i = 0; i < 3; ++i) {
              const ref::Pass pass = reference_pass(model, doubles(styles.row_span(i)), noise, i);
              const ref::Array one = ref::gradient(model.config, model.weights, pass, doubles(incoming.image(i)));
              exact.insert(exact.end(), one.begin(), one.end());
              kink = std::min(kink, pass.kink);
            }
            if (kink > 1e-6) {  // (elsewhere float32 may stand on the other side of a jump)
              CHECK(worst(generator.pullback(styles, incoming), exact) < 1e-5 * std::max(1.0, largest(exact)));
              ++gradients;
            }
            const std::vector<fl::StyleEdit> edits = {{2, styles.cols() - 1, 1.5f}, {0, 0, 1.5f}, {1, 1, 0.75f}};
            auto session = generator.begin_edits(styles);
            fl::WholeEdits<Fast> whole(generator, styles);
            const fl::ImageBatch edited = whole.images(edits);
            CHECK(worst(session.images(edits), edited) < 1e-4 * std::max(1.0, largest(doubles(values_of(edited)))));
          }
  CHECK(gradients > 120);  // of 128
}

TEST_CASE("the smallest networks are stored, read back and characterised") {
  const faultline_tests::TemporaryDirectory folder;
  int number = 0;
  for (const Sizes& sizes : {Sizes{1, 1, 0, 4, 1, 1, 1}, Sizes{1, 1, 1, 4, 1, 1, 1}, Sizes{2, 1, 2, 4, 2, 2, 1},
                             Sizes{1, 2, 2, 4, 3, 1, 2}, Sizes{4, 4, 2, 4, 1, 2, 2}, Sizes{2, 2, 1, 8, 4, 2, 1}}) {
    INFO(text_of(sizes));
    const auto path = folder.path() / ("least-" + std::to_string(++number) + ".safetensors");
    Fast(least_model(sizes)).save(path);
    const auto generator = Fast::load(path);
    CHECK(generator.image_shape() == fl::ImageShape{sizes.colours, sizes.side, sizes.side});

    // Sure of class 0 where the first pixel is bright; the criterion asks for a sure answer and needs no label.
    auto classifier = fl::make_classifier(
        [](fl::ImageView images, fl::ScoreMatrix& scores) {
          scores.resize(images.count(), 2);
          for (std::int64_t i = 0; i < images.count(); ++i) scores(i, 0) = 8.0f * (images.image(i)[0] - 0.5f);
        },
        {.classes = 2, .scores = fl::Scores::logits});
    const auto unsure = [](std::span<const float> p, std::int64_t) { return std::max(p[0], p[1]) < 0.8f; };
    fl::MethodOptions quick;
    quick.permutations = 99;
    quick.half_samples = 2;
    quick.intervention_images = 1'000;
    quick.fraction_latents = 64;
    quick.threshold_latents = 8;
    quick.placebo_directions = 8;
    const auto report = fl::characterize(generator, classifier, {.samples = 200, .seed = 3, .method = quick}, unsure);
    CHECK(report.failure_rate.n == 400);
    CHECK(report.classes == std::max<std::int64_t>(1, sizes.classes));
    for (const fl::Finding& finding : report.findings) {
      CHECK(finding.direction.w.size() == static_cast<std::size_t>(sizes.w));
      CHECK(std::isfinite(finding.intervention.effect.value()));
    }
    fl::DirectionRenderer(generator, classifier, {.criterion = unsure})
        .write_report(report, folder.path() / std::to_string(number));
    CHECK(std::filesystem::file_size(folder.path() / std::to_string(number) / "report.html") > 1000);
  }
}
