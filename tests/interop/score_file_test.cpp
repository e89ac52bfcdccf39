// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables of scores as classifiers: what is asked for, that a run goes on from its answers, and every refusal.

#include <faultline/analysis/characterize.hpp>
#include <faultline/analysis/compare/compare.hpp>
#include <faultline/analysis/properties/measure_labelled_images.hpp>
#include <faultline/classify/any_classifier.hpp>
#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/mapped_classes.hpp>
#include <faultline/classify/score_request.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/data/image_scores.hpp>
#include <faultline/interop/score_file.hpp>
#include <faultline/render/json_report.hpp>
#include <faultline/sampling/analytic_generator.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>
#include <support/skip.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace fl = faultline;
using namespace faultline_tests;
using fl::ErrorCode;

namespace {

using Table = fl::ScoreFileClassifier;

static_assert(fl::Classifier<Table> && fl::HasInputSpec<Table> && fl::HasName<Table> && fl::StatesDigest<Table>);
static_assert(fl::DefersScores<Table> && fl::DefersScores<fl::AnyClassifier> &&
              fl::DefersScores<fl::MappedClassifier<Table>>);
static_assert(!fl::StatesThreadSafety<Table> && !fl::DifferentiableClassifier<Table>);

constexpr fl::ImageShape shape{1, 2, 3};

fl::ImageBatch images_of(std::int64_t count, std::int64_t first = 0, fl::ImageShape size = shape) {
  fl::ImageBatch images(count, size);
  for (std::int64_t i = 0; i < count; ++i) {
    std::fill(images.image(i).begin(), images.image(i).end(), 0.25f);
    images.image(i)[0] = static_cast<float>(first + i);
  }
  return images;
}

const std::string header = fl::data::image_scores_header(3, fl::Scores::logits);

std::string row_of(const fl::ImageBatch& images, std::int64_t i, const std::string& scores = "1.5,-2,0.25") {
  return fl::data::image_digest(images.image(i)) + "," + scores + "\n";
}

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }
void append(const std::filesystem::path& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

/// Images and digests of a round.
struct Round {
  fl::ImageBatch images;
  std::vector<std::string> digests;
  std::string sha256;
};
Round round_in(const std::filesystem::path& folder, const std::string& name) {
  Round round;
  std::ifstream file(folder / (name + ".csv"));
  std::string line;
  std::getline(file, line);
  round.sha256 = line.substr(line.find("sha256=") + 7, 64);
  std::vector<std::int64_t> axes;
  for (char* at = line.data() + line.find("shape=") + 6;; ++at) {
    axes.push_back(std::strtoll(at, &at, 10));
    if (*at == '\0') break;
  }
  std::getline(file, line);
  CHECK(line == "digest");
  while (std::getline(file, line)) round.digests.push_back(line);
  const std::string npy = text_of(folder / (name + ".npy"));
  CHECK(fl::sha256_hex(npy) == round.sha256);
  CHECK(npy.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t head = 10 + static_cast<unsigned char>(npy[8]) + 256u * static_cast<unsigned char>(npy[9]);
  CHECK(head % 64 == 0);
  round.images = fl::ImageBatch(static_cast<std::int64_t>(round.digests.size()), {axes[0], axes[1], axes[2]});
  const std::size_t bytes =
      round.digests.size() * sizeof(float) * static_cast<std::size_t>(axes[0] * axes[1] * axes[2]);
  REQUIRE(npy.size() == head + bytes);
  std::memcpy(round.images.data(), npy.data() + head, bytes);
  for (std::int64_t i = 0; i < round.images.count(); ++i)
    CHECK(fl::data::image_digest(round.images.image(i)) == round.digests[static_cast<std::size_t>(i)]);
  return round;
}

std::vector<std::string> rounds_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".csv") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Appends what `model` says of the images of the last round.
template <class Model>
void answer_last_round(const std::filesystem::path& table, Model& model) {
  const std::filesystem::path folder = table.string() + ".images";
  const Round round = round_in(folder, rounds_in(folder).back());
  fl::ScoreMatrix scores;
  model.score(round.images, scores);
  std::string text = fl::data::image_scores_header(model.num_classes(), model.score_kind());
  text.insert(text.find('\n'), " images=" + round.sha256);
  for (std::int64_t i = 0; i < scores.rows(); ++i) {
    text += round.digests[static_cast<std::size_t>(i)];
    for (const float score : scores.row_span(i)) text += "," + fl::number_text(static_cast<double>(score));
    text += "\n";
  }
  append(table, text);
}

constexpr std::int64_t classes = 4;

/// Answers wrongly where the first factor is large.
auto rule(const fl::AnalyticGenerator& known, fl::Scores kind = fl::Scores::logits, double from = 1.2) {
  return fl::make_classifier(
      [&known, kind, from](fl::ImageView images, fl::ScoreMatrix& scores) {
        scores.resize(images.count(), classes);
        for (std::int64_t i = 0; i < images.count(); ++i) {
          const auto reading = known.read(images, i);
          const double excess = static_cast<double>(reading.factors[0]) - from;
          const std::int64_t answer = excess > 0.0 ? (reading.label + 1) % classes : reading.label;
          for (std::int64_t k = 0; k < classes; ++k) {
            const double top = 4.0 * std::abs(excess) + 0.001, logit = k == answer ? top : 0.0;
            scores(i, k) = static_cast<float>(
                kind == fl::Scores::logits ? logit : std::exp(logit) / (std::exp(top) + classes - 1.0));
          }
        }
      },
      {.classes = classes, .scores = kind, .name = "scores.csv", .digest = "model-1"});
}

fl::CharacterizeOptions quick(std::int64_t samples) {
  fl::CharacterizeOptions options{.samples = samples, .seed = 3};
  options.method.permutations = 199;
  options.method.half_samples = 2;
  options.method.fraction_latents = 128;
  options.method.placebo_directions = 2;
  return options;
}

}  // namespace

TEST_CASE("scores are found by what an image contains, whatever its batch") {
  const TemporaryDirectory directory;
  const auto path = directory / "scores.csv";
  const fl::ImageBatch images = images_of(3);
  write(path, header + row_of(images, 2, "7,8,9") + row_of(images, 0) + row_of(images, 1, "0,1e-3,+2"));
  Table table(path, {.input = {.height = 2, .width = 3}});
  CHECK(table.num_classes() == 3);
  CHECK(table.score_kind() == fl::Scores::logits);
  CHECK(table.input_spec().width == 3);
  CHECK(table.name() == "scores.csv");
  CHECK(table.digest() == fl::sha256_hex(text_of(path)));
  fl::ScoreMatrix scores;
  table.score(images, scores);
  REQUIRE((scores.rows() == 3 && scores.cols() == 3));
  CHECK((scores(0, 0) == 1.5f && scores(0, 1) == -2.0f && scores(1, 2) == 2.0f && scores(2, 2) == 9.0f));

  Table moved = std::move(table);
  moved.score(images_of(1, 2), scores);
  CHECK((scores.rows() == 1 && scores(0, 0) == 7.0f));
  moved.score(images_of(0), scores);
  CHECK((scores.rows() == 0 && scores.cols() == 3));
  CHECK(directory.names() == std::vector<std::string>{"scores.csv"});  // nothing was asked for
}

TEST_CASE("what a table lacks is written once, with its digests") {
  const TemporaryDirectory directory;
  const auto path = directory / "scores.csv", folder = directory / "scores.csv.images";
  const auto ask = [&](const fl::ImageBatch& images) {
    return error_text([&] {
      fl::ScoreMatrix scores;
      Table(path, {.expected_classes = 3}).score(images, scores);
    });
  };
  const std::string first = ask(images_of(4));
  CHECK_THAT(first, ContainsSubstring("[F209]") && ContainsSubstring("there is no table '" + path.string() + "' yet") &&
                        ContainsSubstring("4 images") && ContainsSubstring("round-001.npy (all of its 4 images)"));
  const std::string npy = text_of(folder / "round-001.npy"), csv = text_of(folder / "round-001.csv");
  const Round round = round_in(folder, "round-001");
  const fl::ImageBatch images = images_of(4);
  REQUIRE(round.images.count() == 4);
  CHECK(std::equal(images.data(), images.data() + 24, round.images.data()));

  CHECK(ask(images_of(4)) == first);  // asked again, it says the same and leaves the same
  CHECK(text_of(folder / "round-001.npy") == npy);
  CHECK(text_of(folder / "round-001.csv") == csv);
  CHECK(rounds_in(folder).size() == 1);

  // Part of the scores: nothing new has to be written
  write(path, header + row_of(images, 0) + row_of(images, 3));
  CHECK_THAT(ask(images),
             ContainsSubstring("2 images have no scores in") && ContainsSubstring("round-001.npy (2 of its 4 images)"));
  CHECK(rounds_in(folder).size() == 1);
  // Old and new ones
  CHECK_THAT(ask(images_of(6)),
             ContainsSubstring("4 images have no scores") &&
                 ContainsSubstring("round-001.npy (2 of its 4 images), round-002.npy (all of its 2"));
  CHECK(round_in(folder, "round-002").images.image(1)[0] == 5.0f);
  // One image alone
  append(path, row_of(images, 1) + row_of(images, 2) + row_of(images_of(6), 4));
  CHECK_THAT(ask(images_of(6)),
             ContainsSubstring("1 image has no scores") && ContainsSubstring("round-002.npy (1 of its 2"));
  append(path, row_of(images_of(6), 5));
  CHECK(ask(images_of(6)).empty());
}

TEST_CASE("an image that comes often is asked for once") {
  const TemporaryDirectory directory;
  fl::ImageBatch images = images_of(5);
  std::ranges::copy(images.image(0), images.image(4).begin());
  fl::ScoreMatrix scores;
  Table table(directory / "t", {.expected_classes = 2});
  CHECK(error_code([&] { table.score(images, scores); }) == ErrorCode::scores_missing);
  CHECK(round_in(directory / "t.images", "round-001").images.count() == 4);
}

TEST_CASE("damaged rounds are written again, and files of others are refused") {
  const TemporaryDirectory directory;
  const auto folder = directory / "t.images";
  const auto ask = [&] {
    return error_text([&] {
      fl::ScoreMatrix scores;
      Table(directory / "t", {.expected_classes = 2}).score(images_of(3), scores);
    });
  };
  CHECK_THAT(ask(), ContainsSubstring("round-001.npy"));
  std::filesystem::resize_file(folder / "round-001.npy", 100);
  CHECK_THAT(ask(), ContainsSubstring("round-002.npy (all of its 3 images)"));
  std::filesystem::remove(folder / "round-002.csv");  // as if it had died between the two
  CHECK_THAT(ask(), ContainsSubstring("round-002.npy (all of its 3 images)"));
  std::filesystem::remove(folder / "round-002.npy");
  CHECK_THAT(ask(), ContainsSubstring("round-003.npy (all of its 3 images)"));
  write(folder / "round-004.csv", "mine\n");
  CHECK_THAT(ask(), ContainsSubstring("[F304]") && ContainsSubstring("round-004.csv") && ContainsSubstring("line 1: "));
  std::string cut = text_of(folder / "round-003.csv");
  write(folder / "round-004.csv", "");
  CHECK_THAT(ask(), ContainsSubstring("[F304]") && ContainsSubstring("is cut off"));
  std::filesystem::remove(folder / "round-004.csv");
  write(folder / "notes.csv", "of no matter\n");
  write(folder / "round-x.csv", "of no matter\n");
  CHECK_THAT(ask(), ContainsSubstring("round-003.npy"));
}

TEST_CASE("what cannot be written is said, and nothing is left half") {
  const TemporaryDirectory directory;
  write(directory / "t.images", "a file where the folder should be");
  fl::ScoreMatrix scores;
  Table table(directory / "t", {.expected_classes = 2});
  CHECK(error_code([&] { table.score(images_of(2), scores); }) == ErrorCode::cannot_write);
  std::filesystem::remove(directory / "t.images");
  CHECK(error_code([&] { table.score(images_of(2), scores); }) == ErrorCode::scores_missing);
  CHECK(round_in(directory / "t.images", "round-001").images.count() == 2);
}

TEST_CASE("more images than a file holds go into several, each of one shape") {
  const TemporaryDirectory directory;
  fl::ScoreMatrix scores;
  Table table(directory / "t", {.expected_classes = 2, .images = directory / "here", .file_bytes = 3 * 24});
  CHECK(table.images() == directory / "here");
  CHECK_THAT(error_text([&] { table.score(images_of(7), scores); }),
             ContainsSubstring("7 images need scores") &&
                 ContainsSubstring("round-001.npy (all of its 3 images), round-002.npy (all of its 3 images), "
                                   "round-003.npy (all of its 1 images)"));
  CHECK(error_code([&] { table.score(images_of(16), scores); }) == ErrorCode::scores_missing);
  CHECK_THAT(error_text([&] { table.score(images_of(16), scores); }), ContainsSubstring("and 2 files more"));

  Table shapes(directory / "u", {.expected_classes = 2});
  {
    fl::classify::ScoreRequest request(shapes);
    shapes.score(images_of(2), scores);
    shapes.score(images_of(2, 0, {3, 1, 1}), scores);
    CHECK(request.missing() == 4);
    CHECK(error_code([&] { request.end(); }) == ErrorCode::scores_missing);
  }
  CHECK(round_in(directory / "u.images", "round-002").images.shape() == fl::ImageShape{3, 1, 1});
}

TEST_CASE("images are stored in the layout that the model wants") {
  const TemporaryDirectory directory;
  fl::ScoreMatrix scores;
  Table table(directory / "t", {.input = {.layout = fl::PixelLayout::channels_last}, .expected_classes = 2});
  CHECK(error_code([&] { table.score(images_of(2, 0, {3, 2, 5}), scores); }) == ErrorCode::scores_missing);
  CHECK_THAT(text_of(directory / "t.images/round-001.npy"), ContainsSubstring("'shape': (2, 2, 5, 3)"));
  CHECK_THAT(text_of(directory / "t.images/round-001.csv"), ContainsSubstring(" shape=2x5x3\n"));
}

TEST_CASE("a request collects, the outermost one ends, and one that is given up asks for nothing") {
  const TemporaryDirectory directory;
  fl::ScoreMatrix scores, again;
  for (const auto kind : {fl::Scores::logits, fl::Scores::probabilities}) {
    Table own(directory / "t", {.scores = kind, .expected_classes = 3});
    const fl::AnyClassifier table = fl::AnyClassifier(fl::MappedClassifier(std::move(own), fl::ClassMap()));
    {
      fl::classify::ScoreRequest outer(table);
      {
        fl::classify::ScoreRequest inner(table);
        table.score(images_of(3), scores);
        table.score(images_of(3), again);
        CHECK(std::equal(scores.data(), scores.data() + 9, again.data()));
        CHECK(scores(0, 0) != scores(1, 0));
        fl::classify::validate_scores(scores, 3, 3, table.score_kind(), 3, "test", [](std::int64_t) { return ""; });
        inner.end();
      }
      CHECK(outer.missing() == 3);
      table.score(images_of(2, 2), scores);
      CHECK(outer.missing() == 4);
    }
    CHECK_FALSE(std::filesystem::exists(directory / "t.images"));
    fl::classify::ScoreRequest empty(table);
    empty.end();  // what was given up is forgotten
  }
  Table one(directory / "one", {.expected_classes = 2}), two(directory / "two", {.expected_classes = 2});
  fl::classify::ScoreRequest request(one, two);
  one.score(images_of(1), scores);
  two.score(images_of(2), scores);
  CHECK_THAT(error_text([&] { request.end(); }),
             ContainsSubstring("[F209] ScoreRequest: there is no table") && ContainsSubstring("one.images") &&
                 ContainsSubstring("; and there") && ContainsSubstring("two.images"));
}

TEST_CASE("both splits of a characterisation are asked for at once, and its answers make the same report") {
  const TemporaryDirectory directory;
  const auto path = directory / "scores.csv";
  const fl::AnalyticGenerator known({.factors = 4, .channels = 60, .classes = classes, .seed = 2});
  const auto options = quick(600);
  auto model = rule(known, fl::Scores::probabilities);
  const fl::FailureReport direct = fl::characterize(known, model, options);
  REQUIRE_FALSE(direct.findings.empty());

  int rounds = 0;
  std::optional<fl::FailureReport> report;
  while (!report) {
    REQUIRE(rounds < 100);
    Table table(path, {.digest = "model-1", .expected_classes = classes});
    try {
      report = fl::characterize(known, table, options);
    } catch (const fl::Error& error) {
      REQUIRE(error.code() == ErrorCode::scores_missing);
      ++rounds;
      answer_last_round(path, model);
    }
    if (rounds == 1 && !report)
      CHECK(round_in(path.string() + ".images", "round-001").images.count() == 2 * options.samples + 16);
  }
  CHECK(rounds <= 30);
  CHECK(rounds == static_cast<int>(rounds_in(path.string() + ".images").size()));
  CHECK(fl::to_json(*report) == fl::to_json(direct));
}

TEST_CASE("a forecast asks for nothing, and a caller's request covers several steps") {
  const TemporaryDirectory directory;
  const fl::AnalyticGenerator known({.factors = 4, .channels = 60, .classes = classes, .seed = 2});
  const fl::StyleSpaceSampler<fl::AnalyticGenerator> sampler(known, {.seed = 3});
  Table table(directory / "t", {.expected_classes = classes});
  fl::FailureAnalyzer analyzer(sampler, table, fl::Misclassified{}, {.samples = 100});
  CHECK(analyzer.forecast().most_images > 0);
  CHECK_FALSE(std::filesystem::exists(directory / "t.images"));
  {
    fl::classify::ScoreRequest request(table);
    CHECK(analyzer.problem().discovery.size() == 100);
    CHECK(request.missing() == 216);
    fl::ScoreMatrix scores;
    table.score(images_of(2), scores);
    CHECK(error_code([&] { request.end(); }) == ErrorCode::scores_missing);
  }
  CHECK(round_in(directory / "t.images", "round-001").images.count() == 216);
  CHECK(round_in(directory / "t.images", "round-002").images.count() == 2);  // of another shape
  CHECK(error_code([&] { (void)analyzer.problem(); }) ==
        ErrorCode::scores_missing);  // provisional answers were not kept
  CHECK(error_code([&] { (void)analyzer.run(); }) == ErrorCode::scores_missing);
}

TEST_CASE("a comparison asks for the images of all its tables in one error") {
  const TemporaryDirectory directory;
  const fl::AnalyticGenerator known({.factors = 4, .channels = 60, .classes = classes, .seed = 2});
  const std::vector<fl::AnyClassifier> both{fl::AnyClassifier(Table(directory / "one", {.expected_classes = classes})),
                                            fl::AnyClassifier(Table(directory / "two", {.expected_classes = classes}))};
  CHECK_THAT(error_text([&] { (void)fl::compare(known, both, {.samples = 100, .seed = 3}); }),
             ContainsSubstring("[F209]") && ContainsSubstring("one.images") && ContainsSubstring("two.images"));
  CHECK(round_in(directory / "one.images", "round-001").images.count() == 216);
  CHECK(round_in(directory / "two.images", "round-001").images.count() == 216);
}

TEST_CASE("labelled images are asked for at once, prepared as the model wants them") {
  const TemporaryDirectory directory;
  fl::LabelledImages images;
  images.count = 200;
  images.height = images.width = 4;
  images.classes = 2;
  for (std::int64_t i = 0; i < 200; ++i) {
    images.labels.push_back(static_cast<std::uint8_t>(i % 2));
    for (std::int64_t p = 0; p < 16; ++p) images.pixels.push_back(static_cast<std::uint8_t>((i * 31 + p * 7) % 256));
  }
  fl::AnyClassifier table(Table(directory / "t", {.input = {.height = 2, .width = 2}, .expected_classes = 2}));
  CHECK(error_code([&] {
          (void)fl::measure_labelled_images(images, table, fl::Misclassified{}, {.fit = fl::Fit::resize});
        }) == ErrorCode::scores_missing);
  const Round round = round_in(directory / "t.images", "round-001");
  CHECK(round.images.shape() == fl::ImageShape{1, 2, 2});
  CHECK(round.images.count() > 64);
}

TEST_CASE("a table of another run is ignored, and the message says so") {
  const TemporaryDirectory directory;
  const auto path = directory / "t";
  write(path, header + row_of(images_of(3), 0) + row_of(images_of(3), 1));
  fl::ScoreMatrix scores;
  Table table(path);
  CHECK_THAT(error_text([&] { table.score(images_of(3, 10), scores); }),
             ContainsSubstring("3 images have no scores") && ContainsSubstring("none of the 2 images of the table"));
  table.score(images_of(1), scores);
  CHECK(error_text([&] { table.score(images_of(3, 10), scores); }).find("none of the") == std::string::npos);
}

TEST_CASE("rows that were made from other images than they are about are refused") {
  const TemporaryDirectory directory;
  const auto path = directory / "t";
  fl::ScoreMatrix scores;
  const fl::ImageBatch images = images_of(2), others = images_of(2, 7);
  const auto begin = [&](const std::string& sha256) {
    std::string text = header;
    return text.insert(text.find('\n'), " images=" + sha256);
  };
  for (const auto* batch : {&images, &others})
    CHECK(error_code([&] { Table(path, {.expected_classes = 3}).score(*batch, scores); }) == ErrorCode::scores_missing);
  const std::string first = round_in(directory / "t.images", "round-001").sha256;
  write(path, begin(first) + row_of(images, 0) + row_of(images, 1));
  Table(path).score(images, scores);
  CHECK(scores(1, 0) == 1.5f);
  write(path, begin(first) + row_of(images, 0) + header + row_of(others, 0));  // the second header states no images
  CHECK_NOTHROW(Table(path));
  write(path, header + row_of(images, 1) + begin(first) + row_of(images, 0) + row_of(others, 0));
  CHECK_THAT(error_text([&] { Table{path}; }), ContainsSubstring("[F313]") && ContainsSubstring("line 4 says") &&
                                                   ContainsSubstring("is in round-002.npy"));
  write(path, begin(first) + row_of(images_of(1, 20), 0));
  CHECK_THAT(error_text([&] { Table{path}; }), ContainsSubstring("[F313]") && ContainsSubstring("is not in that file"));
  write(path, begin(std::string(64, '0')) + row_of(images, 0));
  CHECK_THAT(error_text([&] { Table{path}; }), ContainsSubstring("[F313]") && ContainsSubstring("is in round-001.npy"));
  write(path, begin(std::string(64, '0')) + row_of(images_of(1, 20), 0));  // of another run
  CHECK_NOTHROW(Table(path));
}

TEST_CASE("options and table must agree, and one of them must say it") {
  const TemporaryDirectory directory;
  const auto path = directory / "t";
  const auto code = [&](const fl::ScoreFileOptions& options) { return error_code([&] { Table(path, options); }); };
  CHECK_THAT(error_text([&] { Table{path}; }), ContainsSubstring("[F101]") && ContainsSubstring("there is no table"));
  CHECK(code({.classes = 3}) == std::nullopt);
  CHECK(Table(path, {.classes = 3, .expected_classes = 9}).num_classes() == 3);
  CHECK(Table(path, {.expected_classes = 9}).num_classes() == 9);
  CHECK(Table(path, {.expected_classes = 9}).digest().empty());
  CHECK(code({.classes = -1}) == ErrorCode::invalid_argument);
  CHECK(code({.expected_classes = -1}) == ErrorCode::invalid_argument);
  CHECK(code({.classes = 2, .file_bytes = 0}) == ErrorCode::invalid_argument);
  CHECK(code({.classes = 2, .max_bytes = 0}) == ErrorCode::invalid_argument);
  CHECK(code({.classes = 2, .probability_tolerance = 0.5}) == ErrorCode::invalid_argument);
  CHECK(error_code([] { Table(""); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { Table{directory.path()}; }) == ErrorCode::cannot_open);
  write(path, header);
  CHECK(Table(path, {.expected_classes = 9}).num_classes() == 3);
  CHECK(code({.classes = 4}) == ErrorCode::wrong_score_shape);
  CHECK(code({.scores = fl::Scores::probabilities}) == ErrorCode::not_probabilities);
  write(path, fl::data::image_scores_header(2, fl::Scores::probabilities));
  CHECK(code({.scores = fl::Scores::logits}) == ErrorCode::not_logits);
  write(path, "# faultline.scores/1 classes=3 scores=logits model=v:4.2_b-c\n" + header.substr(header.find("digest")));
  CHECK(Table(path).digest() == "v:4.2_b-c");
  CHECK(Table(path, {.name = "mine", .digest = "d"}).digest() == "d");
}

TEST_CASE("the page on score files shows the example as it is") {
  const std::filesystem::path source = FAULTLINE_SOURCE_DIR;
  const std::string example = text_of(source / "examples/score_images.py");
  const std::string shown = "```python\n" + example.substr(example.find('\n') + 1) + "```\n";
  CHECK(text_of(source / "docs/how-to/score_files.md").find(shown) != std::string::npos);
}

TEST_CASE("the example in Python scores what waits, once", "[.data]") {
  if (std::system("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null") != 0)
    skip_program("there is no python3 of 3.8 or newer");
  const TemporaryDirectory directory;
  const auto path = directory / "scores.csv";
  const std::string command = "python3 '" FAULTLINE_SOURCE_DIR "/examples/score_images.py' '" + path.string() + "'";
  fl::ImageBatch images(20, {1, 10, 10});
  for (std::int64_t i = 0; i < 20; ++i)
    for (std::int64_t k = 0; k < 100; ++k)
      images.image(i)[static_cast<std::size_t>(k)] = k / 10 == i % 10 ? 1.0f + static_cast<float>(i) : 0.25f;
  fl::ScoreMatrix scores;
  CHECK(error_code([&] { Table(path, {.expected_classes = 10}).score(images, scores); }) == ErrorCode::scores_missing);
  REQUIRE(std::system(command.c_str()) == 0);
  const std::string once = text_of(path);
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(text_of(path) == once);
  Table(path).score(images, scores);
  for (std::int64_t i = 0; i < 20; ++i)
    CHECK(std::max_element(scores.row_span(i).begin(), scores.row_span(i).end()) - scores.row_span(i).begin() ==
          i % 10);
}
