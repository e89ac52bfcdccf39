// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sample i depends on (seed, i) alone, labels follow their policy, truncation is folded as the generator itself applies
// it.

#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/sampling/style_space_sampler.hpp>

#include <support/catch2.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace fl = faultline;

namespace {

const fl::AnalyticGenerator known({.factors = 4, .channels = 120, .classes = 4, .seed = 3});
using Sampler = fl::StyleSpaceSampler<fl::AnalyticGenerator>;

std::vector<float> values(const fl::Matrix<float>& m) { return {m.values().begin(), m.values().end()}; }
std::vector<float> values(const fl::ImageBatch& b) { return {b.data(), b.data() + b.count() * b.shape().elements()}; }

/// Everything that a range of samples holds, in one row of numbers.
std::vector<float> everything(const Sampler& sampler, std::int64_t first, std::int64_t count) {
  std::vector<float> all;
  for (const auto& batch : sampler.batches(first, count)) {
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      all.push_back(static_cast<float>(batch.index[static_cast<std::size_t>(i)] - first));
      all.push_back(static_cast<float>(batch.label[static_cast<std::size_t>(i)]));
      const auto append = [&](std::span<const float> row) { all.insert(all.end(), row.begin(), row.end()); };
      append(batch.z.row_span(i));
      append(batch.w.row_span(i));
      append(batch.s.row_span(i));
      append(batch.images.image(i));
    }
  }
  return all;
}

template <class F>
fl::ErrorCode refusal(F&& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.code();
  }
  return fl::ErrorCode::not_converged;
}

}  // namespace

TEST_CASE("latents and labels are the specified words of Philox") {
  // From an implementation in another language that follows the format description alone.
  const fl::AnalyticGenerator four({.factors = 1, .channels = 19, .classes = 4});
  const fl::AnalyticGenerator ten({.factors = 1, .channels = 19, .classes = 10});
  const fl::Matrix<float> z = Sampler(four, {.seed = 7}).latents_z(fl::core::confirmation_first + 3, 1);
  const std::vector<double> expected{-0.24226468801498413, 0.08480345457792282, -1.7467275857925415,
                                     -0.15741869807243347, -1.2366284132003784, -1.0884872674942017};
  REQUIRE(z.cols() == 6);
  for (std::int64_t j = 0; j < 6; ++j)
    CHECK(static_cast<double>(z(0, j)) == Approx(expected[static_cast<std::size_t>(j)]).epsilon(2e-7));
  CHECK(Sampler(four, {.seed = 7}).labels(0, 12) == std::vector<std::int64_t>{3, 2, 3, 2, 1, 1, 1, 3, 0, 1, 3, 1});
  CHECK(Sampler(ten, {.seed = 7}).labels(fl::core::start_first, 6) == std::vector<std::int64_t>{6, 8, 7, 8, 8, 9});
}

TEST_CASE("a sample is the same bit for bit in whatever range it is asked for") {
  const Sampler sampler(known, {.seed = 21, .batch_size = 16});
  const std::vector<float> whole = everything(sampler, 100, 50);
  std::vector<float> pieces;
  for (std::int64_t first = 100, step = 1; first < 150; first += step, ++step) {
    std::vector<float> piece = everything(sampler, first, std::min<std::int64_t>(step, 150 - first));
    const std::size_t width = piece.size() / static_cast<std::size_t>(std::min<std::int64_t>(step, 150 - first));
    for (std::size_t i = 0; i < piece.size(); i += width) piece[i] += static_cast<float>(first - 100);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  CHECK(whole == pieces);
  CHECK(whole != everything(Sampler(known, {.seed = 22, .batch_size = 16}), 100, 50));
  // The analytic generator keeps its bits at any batch size; networks do so at one.
  for (const std::int64_t size : {1, 7, 64})
    CHECK(whole == everything(Sampler(known, {.seed = 21, .batch_size = size}), 100, 50));
}

TEST_CASE("threads that share a sampler draw the same samples") {
  const Sampler sampler(known, {.seed = 4, .batch_size = 8});
  std::vector<std::vector<float>> parts(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] { parts[t] = everything(sampler, static_cast<std::int64_t>(t) * 40, 40); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < 4; ++t) CHECK(parts[t] == everything(sampler, static_cast<std::int64_t>(t) * 40, 40));
}

TEST_CASE("a range streams its batches in order") {
  const Sampler sampler(known, {.batch_size = 8});
  std::vector<std::int64_t> sizes;
  std::int64_t next = 5;
  for (const auto& batch : sampler.batches(5, 20)) {
    sizes.push_back(batch.size());
    for (const std::int64_t index : batch.index) CHECK(index == next++);
    CHECK(batch.label.size() == batch.index.size());
    CHECK((batch.z.rows() == batch.size() && batch.w.rows() == batch.size() && batch.s.rows() == batch.size() &&
           batch.images.count() == batch.size()));
  }
  CHECK(sizes == std::vector<std::int64_t>{8, 8, 4});
  auto range = sampler.batches(0, 9);
  auto it = range.begin();
  const fl::SampleBatch<fl::AnalyticGenerator> kept = *it;
  ++it;
  CHECK(it->index.front() == 8);
  CHECK(kept.index.front() == 0);
  CHECK(values(kept.s) == values(sampler.sample(0, 8).s));
  it++;
  CHECK(it == range.end());
}

TEST_CASE("labels follow their policy") {
  CHECK(Sampler(known, {.labels = fl::LabelPolicy::fixed(3)}).labels(7, 4) == std::vector<std::int64_t>{3, 3, 3, 3});
  const Sampler walked(known, {.labels = fl::LabelPolicy::in_order({0, 2, 1})});
  CHECK(walked.labels(0, 5) == std::vector<std::int64_t>{0, 2, 1, 0, 2});
  CHECK(walked.labels(4, 2) == std::vector<std::int64_t>{2, 1});
  CHECK(walked.sample(4, 2).label == std::vector<std::int64_t>{2, 1});

  // A list that is drawn from: entry (x L) >> 32 of stream 1, wherever the samples begin.
  const std::vector<std::int64_t> list{3, 0, 0, 1, 0};
  const Sampler given(known, {.seed = 11, .labels = fl::LabelPolicy::given(list)});
  // Known answers, from another implementation of Philox, where a gate's samples begin and at the start.
  CHECK(given.labels(fl::core::gate_first, 12) == std::vector<std::int64_t>{1, 1, 0, 0, 0, 0, 1, 3, 0, 3, 3, 1});
  CHECK(given.labels(0, 12) == std::vector<std::int64_t>{3, 0, 3, 0, 1, 3, 0, 0, 0, 0, 1, 0});
  const auto drawn = given.labels(5, 20'000);
  std::vector<double> of(4);
  for (std::int64_t i = 0; i < 20'000; ++i) {
    const std::int64_t label = drawn[static_cast<std::size_t>(i)];
    of[static_cast<std::size_t>(label)] += 1.0;
    const std::uint64_t word = fl::core::CounterRandom(11, fl::core::Stream::labels, 5 + i).next();
    if (label != list[static_cast<std::size_t>((word * 5) >> 32)]) FAIL("label " << i);
  }
  for (const auto& [label, share] : {std::pair{0, 0.6}, std::pair{1, 0.2}, std::pair{2, 0.0}, std::pair{3, 0.2}})
    // False alarm below 3 * 4e-8, seed fixed
    CHECK(std::abs(of[static_cast<std::size_t>(label)] - 20'000 * share) <=
          5.5 * std::sqrt(20'000 * share * (1 - share)));
  const Sampler uniform(known, {.seed = 1});
  std::vector<double> counts(4);
  for (const std::int64_t label : uniform.labels(0, 40'000)) counts[static_cast<std::size_t>(label)] += 1.0;
  // False alarm below 4 * 4e-8, seed fixed
  for (const double count : counts) CHECK(std::abs(count - 10'000.0) < 5.5 * std::sqrt(40'000 * 0.25 * 0.75));
}

TEST_CASE("an unconditional generator gets no labels and reports class 0") {
  const fl::AnalyticGenerator plain({.factors = 2, .channels = 40, .classes = 0});
  const Sampler sampler(plain, {.seed = 1});
  CHECK(sampler.classes() == 1);
  CHECK(sampler.sample(0, 3).label == std::vector<std::int64_t>{0, 0, 0});
  CHECK_NOTHROW(Sampler(plain, {.labels = fl::LabelPolicy::fixed(0)}));
  CHECK(refusal([&] { Sampler(plain, {.labels = fl::LabelPolicy::fixed(1)}); }) == fl::ErrorCode::label_out_of_range);
}

TEST_CASE("truncation is folded in as the generator applies it, with and without a cutoff") {
  const auto layers = static_cast<std::int64_t>(known.layout().layers().size());
  REQUIRE(layers == 4);
  for (const std::optional<std::int64_t> cutoff :
       {std::optional<std::int64_t>(), std::optional<std::int64_t>(0), std::optional<std::int64_t>(2),
        std::optional<std::int64_t>(layers)}) {
    for (const double psi : {-0.5, 0.0, 0.7, 1.0, 1.5}) {
      const Sampler sampler(known, {.seed = 6, .truncation = psi, .cutoff = cutoff, .batch_size = 8});
      const auto batch = sampler.sample(0, 5);
      CHECK(values(batch.w) == values(known.map(batch.z, batch.label)));  // w is stored untruncated
      const fl::Matrix<float> own =
          known.styles(known.map(batch.z, batch.label, {.truncation = psi, .cutoff = cutoff}));
      const fl::Matrix<double> matrix = sampler.style_matrix();
      const std::vector<double> bias = sampler.style_bias();
      for (std::int64_t k = 0; k < 120; ++k) {
        double folded = bias[static_cast<std::size_t>(k)];
        for (std::int64_t j = 0; j < known.w_dim(); ++j) folded += matrix(k, j) * static_cast<double>(batch.w(3, j));
        REQUIRE(static_cast<double>(batch.s(3, k)) == Approx(static_cast<double>(own(3, k))).margin(1e-5));
        REQUIRE(static_cast<double>(batch.s(3, k)) == Approx(folded).margin(1e-5));
      }
      CHECK(values(sampler.styles(batch.w)) == values(batch.s));
    }
  }
}

TEST_CASE("truncation to nothing leaves the average style") {
  const fl::AnalyticGenerator one({.factors = 2, .channels = 40, .classes = 1});
  const Sampler sampler(one, {.truncation = 0.0});
  const auto batch = sampler.sample(0, 2);
  const fl::Matrix<float> centre = one.styles(one.w_average());
  for (std::int64_t i = 0; i < 2; ++i)
    CHECK(std::equal(batch.s.row_span(i).begin(), batch.s.row_span(i).end(), centre.values().begin()));
}

TEST_CASE("latents without images are those of the samples") {
  const Sampler sampler(known, {.seed = 3, .batch_size = 8});
  const fl::Matrix<float> w = sampler.latents_w(50, 21);
  std::vector<float> streamed;
  for (const auto& batch : sampler.batches(50, 21)) {
    const auto part = values(batch.w);
    streamed.insert(streamed.end(), part.begin(), part.end());
  }
  CHECK(values(w) == streamed);
}

TEST_CASE("images of unedited latents are the images of the samples, bit for bit") {
  for (const double psi : {1.0, 0.7}) {
    const Sampler sampler(known, {.seed = 3, .truncation = psi, .batch_size = 8});
    std::vector<float> streamed;
    for (const auto& batch : sampler.batches(0, 21)) {
      const auto part = values(batch.images);
      streamed.insert(streamed.end(), part.begin(), part.end());
    }
    CHECK(values(sampler.synthesize_edited(sampler.latents_w(0, 21))) == streamed);
  }
}

TEST_CASE("a channel edit shifts that channel of each row by its own amount") {
  const Sampler sampler(known, {.seed = 3, .batch_size = 4});
  const fl::Matrix<float> w = sampler.latents_w(0, 6);
  const std::vector<float> shift{0, 1, 2, -1, -2, 3};
  const fl::ImageBatch edited = sampler.synthesize_edited(w, known.factor_channel(1), shift);
  fl::Matrix<float> s = sampler.styles(w);
  for (std::int64_t i = 0; i < 6; ++i) s(i, known.factor_channel(1)) += shift[static_cast<std::size_t>(i)];
  CHECK(values(edited) == values(known.synthesize(s)));
  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, 120, shift); }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, 1, std::vector<float>(5)); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(refusal([&] { (void)sampler.synthesize_edited(fl::Matrix<float>(2, 3)); }) == fl::ErrorCode::shape_mismatch);
}

TEST_CASE("several channels are shifted at once, each row by its own amounts, and one alone as ever") {
  const Sampler sampler(known, {.seed = 3, .truncation = 0.8, .batch_size = 4});
  const fl::Matrix<float> w = sampler.latents_w(0, 6);
  const std::vector<std::int64_t> channels{known.factor_channel(1), 7, known.factor_channel(0)};
  fl::Matrix<float> shifts(6, 3), s = sampler.styles(w);
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t j = 0; j < 3; ++j) {
      shifts(i, j) = 0.3f * static_cast<float>(i) - 0.7f * static_cast<float>(j);
      s(i, channels[static_cast<std::size_t>(j)]) += shifts(i, j);
    }
  }
  CHECK(values(sampler.synthesize_edited(w, channels, shifts)) == values(known.synthesize(s)));

  const std::vector<float> shift{0, 1, 2, -1, -2, 3};
  fl::Matrix<float> column(6, 1);
  std::copy(shift.begin(), shift.end(), column.values().begin());
  CHECK(values(sampler.synthesize_edited(w, std::span(channels).first(1), column)) ==
        values(sampler.synthesize_edited(w, channels[0], shift)));
  CHECK(values(sampler.synthesize_edited(w, std::span<const std::int64_t>{}, fl::Matrix<float>(6, 0))) ==
        values(sampler.synthesize_edited(w)));

  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, channels, fl::Matrix<float>(6, 2)); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, channels, fl::Matrix<float>(5, 3)); }) ==
        fl::ErrorCode::shape_mismatch);
  CHECK(refusal([&] {
          (void)sampler.synthesize_edited(w, std::vector<std::int64_t>{1, 1}, fl::Matrix<float>(6, 2));
        }) == fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, std::vector<std::int64_t>{-1}, column); }) ==
        fl::ErrorCode::invalid_argument);
  CHECK(refusal([&] { (void)sampler.synthesize_edited(w, std::vector<std::int64_t>{120}, column); }) ==
        fl::ErrorCode::invalid_argument);
}

namespace {
/// Records the options and row counts that calls get, to see what a sampler asks of a generator.
struct Recording : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  fl::ImageBatch synthesize(const fl::Matrix<float>& s, const fl::SynthesisOptions& options) const {
    rows.push_back(s.rows());
    calls.push_back(options);
    return fl::AnalyticGenerator::synthesize(s, options);
  }
  mutable std::vector<std::int64_t> rows;
  mutable std::vector<fl::SynthesisOptions> calls;
};
}  // namespace

namespace {

/// Known truth that shifts styles where they lie, and counts the styles that are moved to the host.
struct ShiftingGenerator : fl::AnalyticGenerator {
  using fl::AnalyticGenerator::AnalyticGenerator;
  mutable std::int64_t moved = 0;
  [[nodiscard]] fl::Matrix<float> style_to_host(const fl::Matrix<float>& s) const {
    moved += s.rows();
    return s;
  }
  [[nodiscard]] fl::Matrix<float> shift_styles(fl::Matrix<float> s, std::span<const std::int64_t> channels,
                                               const fl::Matrix<float>& shifts) const {
    for (std::int64_t i = 0; i < shifts.rows(); ++i)
      for (std::size_t j = 0; j < channels.size(); ++j) s(i, channels[j]) += shifts(i, static_cast<std::int64_t>(j));
    return s;
  }
};
static_assert(fl::ShiftsStyles<ShiftingGenerator> && !fl::ShiftsStyles<fl::AnalyticGenerator>);

}  // namespace

TEST_CASE("a generator that shifts styles where they lie keeps edited ones there, with the same images") {
  const ShiftingGenerator device({.factors = 4, .channels = 120, .classes = 4, .seed = 3});
  const fl::StyleSpaceSampler<ShiftingGenerator> sampler(device, {.seed = 5, .batch_size = 4});
  const Sampler plain(known, {.seed = 5, .batch_size = 4});
  const fl::Matrix<float> w = plain.latents_w(0, 3);
  const std::vector<std::int64_t> channels = {known.factor_channel(2), known.factor_channel(0)};
  const std::vector<float> shifts = {0.5f, -1.0f, 0.0f, 0.25f, 2.0f, 0.0f};
  CHECK(values(sampler.edited_images(w, channels, shifts)) == values(plain.edited_images(w, channels, shifts)));
  CHECK(device.moved == 0);
}

TEST_CASE("every call has the full batch, and random noise belongs to the sample index") {
  const Recording generator(fl::AnalyticOptions{.factors = 2, .channels = 40, .classes = 2});
  const fl::StyleSpaceSampler sampler(generator, {.seed = 9, .noise = fl::Noise::random, .batch_size = 8});
  for (const auto& batch : sampler.batches(100, 12)) CHECK(batch.size() > 0);
  (void)sampler.synthesize_edited(sampler.latents_w(0, 10));
  CHECK(generator.rows == std::vector<std::int64_t>{8, 8, 8, 8});
  for (const fl::SynthesisOptions& call : generator.calls) CHECK((call.noise == fl::Noise::random && call.seed == 9));
  CHECK(generator.calls[0].first == 100);
  CHECK(generator.calls[1].first == 108);
  CHECK((generator.calls[2].first == 0 && generator.calls[3].first == 0));
}

TEST_CASE("a sampler refuses what it cannot draw") {
  using enum fl::ErrorCode;
  const Sampler sampler(known);
  CHECK(refusal([&] { (void)sampler.batches(0, 0); }) == empty_input);
  CHECK(refusal([&] { (void)sampler.batches(0, -1); }) == invalid_argument);
  CHECK(refusal([&] { (void)sampler.batches(-1, 5); }) == invalid_argument);
  CHECK(refusal([&] { (void)sampler.batches(std::numeric_limits<std::int64_t>::max(), 5); }) == invalid_argument);
  CHECK(refusal([&] { (void)sampler.sample(0, 65); }) == invalid_argument);
  CHECK(refusal([&] { (void)sampler.labels(0, 0); }) == empty_input);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::fixed(4)}); }) == label_out_of_range);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::fixed(-1)}); }) == label_out_of_range);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::given({0, 9})}); }) == label_out_of_range);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::given({})}); }) == empty_input);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::in_order({})}); }) == empty_input);
  CHECK(refusal([&] { Sampler(known, {.labels = fl::LabelPolicy::in_order({0, -1})}); }) == label_out_of_range);
  CHECK(refusal([&] { Sampler(known, {.truncation = 2.1}); }) == invalid_argument);
  CHECK(refusal([&] { Sampler(known, {.truncation = std::nan("")}); }) == invalid_argument);
  CHECK(refusal([&] { Sampler(known, {.truncation = 0.5, .cutoff = 77}); }) == invalid_argument);
  CHECK(refusal([&] { Sampler(known, {.batch_size = 0}); }) == invalid_argument);
}
