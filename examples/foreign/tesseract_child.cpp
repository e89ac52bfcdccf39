// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tesseract, an OCR engine, as a classifier of single characters: reads batches of images on standard input and writes
// probabilities on standard output (docs/how-to/child_process.md, docs/how-to/foreign_classifiers.md).
//
//   characterize --generator digits.safetensors --classifier "command:tesseract_child 0123456789"
//
// test: --help
// test(2): 0
// test(2): 0120
// test(3): 0123456789 --language nowhere

#include "../options.hpp"

#include <faultline/classify/make_classifier.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/interop/serve_classifier.hpp>

#include <CLI/CLI.hpp>

#include <leptonica/allheaders.h>
#include <tesseract/baseapi.h>
#include <tesseract/resultiterator.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace fl = faultline;

namespace {

struct Arguments {
  std::string characters, language = "eng", data;
  std::int64_t scale = 1, border = 6, threads = 0;
  bool dark_ink = false;
};

struct DestroyPicture {
  void operator()(Pix* picture) const { pixDestroy(&picture); }
};
using Picture = std::unique_ptr<Pix, DestroyPicture>;

/// One engine of Tesseract's, which reads one image at a time.
class Reader {
 public:
  explicit Reader(const Arguments& arguments) : arguments_(arguments) {
    const char* folder = arguments.data.empty() ? nullptr : arguments.data.c_str();
    setMsgSeverity(L_SEVERITY_NONE);  // of Leptonica, which Tesseract reads its images with
    engine_.SetVariable("debug_file", "/dev/null");
    if (engine_.Init(folder, arguments.language.c_str(), tesseract::OEM_LSTM_ONLY) != 0)
      throw fl::Error(fl::ErrorCode::cannot_open, "tesseract_child",
                      "Tesseract has no language '" + arguments.language + "' in '" + engine_.GetDatapath() +
                          "'; install it (Debian package tesseract-ocr-eng or the like), or say --data FOLDER");
    engine_.SetPageSegMode(tesseract::PSM_SINGLE_CHAR);
    // Alternatives are what a closed set of classes is read from. A whitelist instead makes the engine find nothing at
    // all where its first choice is no class.
    engine_.SetVariable("lstm_choice_mode", "2");
    engine_.SetVariable("lstm_choice_iterations", "20");
  }

  /// The engine's version and the SHA-256 of its weights.
  std::string digest() {
    std::ifstream file(std::string(engine_.GetDatapath()) + "/" + arguments_.language + ".traineddata",
                       std::ios::binary);
    const std::string weights(std::istreambuf_iterator<char>(file), {});
    return std::string(tesseract::TessBaseAPI::Version()) + ":" + fl::sha256_hex(weights);
  }

  /// Probabilities of the characters and, last, of none of them. The engine's confidences are the probabilities of
  /// those that it sees, and what they leave of 1 belongs to all characters alike; where it sees none of them, that is
  /// sure.
  void read(std::span<const float> image, const fl::ImageShape& shape, std::span<float> probabilities) {
    const Picture picture = prepare(image, shape);
    std::fill(probabilities.begin(), probabilities.end(), 0.0f);
    engine_.SetImage(picture.get());
    engine_.SetSourceResolution(300);
    if (engine_.Recognize(nullptr) == 0) {
      const std::unique_ptr<tesseract::ResultIterator> symbol(engine_.GetIterator());
      if (symbol && !symbol->Empty(tesseract::RIL_SYMBOL)) do {
          tesseract::ChoiceIterator choice(*symbol);
          do add(choice.GetUTF8Text(), choice.Confidence() / 100.0f, probabilities);
          while (choice.Next());
        } while (symbol->Next(tesseract::RIL_SYMBOL));
    }
    engine_.Clear();
    const std::span<float> seen = probabilities.first(arguments_.characters.size());
    float sum = 0.0f;
    for (const float probability : seen) sum += probability;
    if (sum <= 0.0f) {
      probabilities.back() = 1.0f;
      return;
    }
    const float rest = std::max(0.0f, 1.0f - sum) / static_cast<float>(seen.size());
    for (float& probability : seen) probability = sum > 1.0f ? probability / sum : probability + rest;
  }

 private:
  /// Grey values, light ground with dark ink as in print, larger where that is asked for, with a margin of the grey
  /// that the image's own edge has.
  Picture prepare(std::span<const float> image, const fl::ImageShape& shape) const {
    const auto height = static_cast<int>(shape.height), width = static_cast<int>(shape.width);
    const Picture grey(pixCreate(width, height, 8));
    double edge = 0.0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const float ink = std::clamp(luma(image, shape, static_cast<std::size_t>(y * width + x)), 0.0f, 1.0f);
        const auto value = std::lround(255.0f * (arguments_.dark_ink ? ink : 1.0f - ink));
        pixSetPixel(grey.get(), x, y, static_cast<l_uint32>(value));
        if (y == 0 || x == 0 || y == height - 1 || x == width - 1) edge += static_cast<double>(value);
      }
    const int outline = height < 2 || width < 2 ? height * width : 2 * (height + width) - 4;
    const auto scale = static_cast<float>(arguments_.scale);
    const Picture larger(arguments_.scale > 1 ? pixScaleGrayLI(grey.get(), scale, scale) : pixClone(grey.get()));
    return Picture(pixAddBorder(larger.get(), static_cast<l_int32>(arguments_.border),
                                static_cast<l_uint32>(std::lround(edge / outline))));
  }

  static float luma(std::span<const float> image, const fl::ImageShape& shape, std::size_t pixel) {
    const auto plane = static_cast<std::size_t>(shape.height * shape.width);
    if (shape.channels == 1) return image[pixel];
    return 0.299f * image[pixel] + 0.587f * image[plane + pixel] + 0.114f * image[2 * plane + pixel];
  }

  void add(const char* text, float confidence, std::span<float> probabilities) const {
    if (text == nullptr || text[0] == '\0' || text[1] != '\0') return;
    const std::size_t index = arguments_.characters.find(text[0]);
    if (index != std::string::npos) probabilities[index] = std::max(probabilities[index], confidence);
  }

  const Arguments& arguments_;
  tesseract::TessBaseAPI engine_;
};

int serve(const Arguments& arguments) {
  const auto classes = static_cast<std::int64_t>(arguments.characters.size()) + 1;
  const std::int64_t threads = arguments.threads > 0 ? arguments.threads : fl::available_threads();
  std::vector<std::unique_ptr<Reader>> readers;
  for (std::int64_t i = 0; i < threads; ++i) readers.push_back(std::make_unique<Reader>(arguments));
  const auto score = [&](fl::ImageView images, fl::ScoreMatrix& scores) {
    const fl::ImageShape& shape = images.shape();
    if (shape.channels != 1 && shape.channels != 3)
      throw fl::Error(fl::ErrorCode::shape_mismatch, "tesseract_child",
                      "expected images of one or three channels, got " + std::to_string(shape.channels));
    scores.resize(images.count(), classes);
    fl::parallel_for(images.count(), threads, [&](std::int64_t i, std::int64_t slot) {
      readers[static_cast<std::size_t>(slot)]->read(
          images.image(i), shape,
          scores.values().subspan(static_cast<std::size_t>(i * classes), static_cast<std::size_t>(classes)));
    });
  };
  const std::string options = arguments.characters + " " + std::to_string(arguments.scale) + " " +
                              std::to_string(arguments.border) + (arguments.dark_ink ? " dark" : "");
  auto classifier = fl::make_classifier(
      score, {.classes = classes,
              .scores = fl::Scores::probabilities,
              .digest = "tesseract-" + readers.front()->digest() + ":" + fl::sha256_hex(options).substr(0, 8)});
  fl::serve_classifier(classifier);
  return 0;
}

int answer(int argc, char** argv) {
  // Tesseract shares even one character among OpenMP's threads, which makes it slower; OpenMP reads this at the start.
  if (std::getenv("OMP_THREAD_LIMIT") == nullptr) {
    ::setenv("OMP_THREAD_LIMIT", "1", 1);
    ::execv("/proc/self/exe", argv);  // where that fails it is slower, and nothing else
  }
  Arguments arguments;
  CLI::App app(
      "Scores images of single characters with Tesseract: batches on standard input, probabilities on standard "
      "output.\n"
      "Exit codes: 0 the input has ended, 2 usage, 3 bad input, 5 internal error.");
  app.add_option("characters", arguments.characters,
                 "one for each class, in their order: 0123456789; one class more means none of them")
      ->required();
  app.add_option("--language", arguments.language, "of Tesseract's data")->capture_default_str();
  app.add_option("--data", arguments.data, "folder of Tesseract's data; empty: where Tesseract looks for it");
  program::option(app, "--scale", arguments.scale, 1, 16, "how many times larger the images are made");
  program::option(app, "--border", arguments.border, 0, 256, "pixels of ground that are added on every side");
  app.add_flag("--dark-ink", arguments.dark_ink, "characters are darker than their ground already");
  program::option(app, "--threads", arguments.threads, 0, fl::limits::threads,
                  "images at once, an engine for each; 0: as many as cores");
  if (const auto code = program::parse(app, argc, argv)) return *code;
  const std::string& characters = arguments.characters;
  for (std::size_t i = 0; i < characters.size(); ++i)
    if (characters[i] <= ' ' || characters[i] > '~' || characters.find(characters[i]) != i || characters.size() < 2) {
      std::fputs("tesseract_child: expected at least two different characters, each once and of ASCII\n", stderr);
      return 2;
    }
  return serve(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  return program::run("tesseract_child", [&] { return answer(argc, argv); });
}
