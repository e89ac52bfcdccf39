// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the caller's process and thread have set before they call: forks, inference mode, autocast, default type,
// threads. None of it may change a result, hang, or put the blame on the wrong party.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/classify/scoring.hpp>
#include <faultline/data/classifier_file.hpp>
#include <faultline/sampling/analytic_generator.hpp>
#include <faultline/statistics/tsne.hpp>
#include <faultline/stylegan2/cpu_backend.hpp>
#include <faultline/stylegan2/generator.hpp>
#include <faultline/testing/gate.hpp>
#include <faultline/torch/reference_backend.hpp>
#include <faultline/torch/torch_module.hpp>

#include <support/catch2.hpp>

#include <ATen/autocast_mode.h>
#include <c10/core/DefaultDtype.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fl = faultline;
namespace sg = faultline::stylegan2;

namespace {

using Cpu = fl::Generator<fl::CpuBackend>;
using Reference = fl::Generator<fl::ReferenceBackend>;

const std::string assets = FAULTLINE_TEST_ASSETS_DIR;

/// Exit code of `call` in a child process; -1 when it hangs (two minutes) or crashes.
int in_child(const std::function<int()>& call) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);
    int code = 99;
    try {
      code = call();
    } catch (...) {}
    _exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

/// Code of the error that `call` throws, 0 without one, 99 for something else.
int code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return static_cast<int>(error.code());
  } catch (...) {
    return 99;
  }
  return 0;
}

std::string text_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.what();
  }
  return "no error";
}

/// Everything a generator and a classifier of the shipped kind answer for three latents.
struct Answers {
  std::vector<std::vector<float>> all;

  static std::vector<float> values(const fl::Matrix<float>& rows) {
    return {rows.values().begin(), rows.values().end()};
  }
  static std::vector<float> values(const fl::ImageBatch& images) {
    return {images.data(), images.data() + images.count() * images.shape().elements()};
  }

  template <class G>
  Answers(const G& generator, const fl::classify::NetworkClassifier& classifier) {
    fl::Matrix<float> z(3, generator.latent_dim());
    for (std::int64_t i = 0; i < 3; ++i) fl::core::fill_normals(5, fl::core::Stream::latents, i, z.row_span(i));
    const std::vector<std::int64_t> labels{3, 1, 4};
    const auto w = generator.map(generator.latent_from_host(z), generator.label_from_host(labels), {.truncation = 0.7});
    const auto s = generator.styles(w);
    const auto images = generator.synthesize(s),
               noisy = generator.synthesize(s, {.noise = fl::Noise::random, .seed = 2, .first = 9});
    auto edits = generator.begin_edits(s);
    const std::vector<fl::StyleEdit> edit{{0, 5, 2.0f}, {2, 200, -1.0f}};
    fl::classify::Scorer scorer(classifier, generator.image_shape(), generator.value_range(), 10, 64);
    const fl::ImageBatch host = generator.image_to_host(images);
    const fl::classify::ScoredImages said = scorer(host, labels);
    const fl::ImageBatch small = fl::ImageBatch(3, {1, 28, 28});
    fl::ImageBatch slope;
    classifier.probability_gradient(small, labels, slope);
    const auto image = [&](const auto& made) { return values(generator.image_to_host(made)); };
    all = {values(generator.latent_to_host(w)),
           values(generator.style_to_host(s)),
           values(host),
           image(noisy),
           image(edits.images(edit)),
           values(said.probabilities),
           values(slope),
           values(generator.pullback(s, host))};
  }
};

void check_equal(const Answers& one, const Answers& other) {
  for (std::size_t i = 0; i < one.all.size(); ++i) {
    CAPTURE(i);
    const std::vector<float>&a = one.all[i], &b = other.all[i];
    REQUIRE(a.size() == b.size());
    float largest = 0.0f, difference = 0.0f;
    for (std::size_t k = 0; k < a.size(); ++k) {
      largest = std::max(largest, std::abs(a[k]));
      difference = std::max(difference, std::abs(a[k] - b[k]));
    }
    CHECK(difference <= 1e-5f * (1.0f + largest));
  }
}

/// A bare forward pass, small enough for the first child.
int synthesize_in_child() {
  const Reference generator = Reference::load(assets + "/digits.safetensors");
  fl::Matrix<float> z(64, generator.latent_dim());
  const std::vector<std::int64_t> labels(64, 1);
  const at::Tensor images = generator.synthesize(
      generator.styles(generator.map(generator.latent_from_host(z), generator.label_from_host(labels))));
  return images.size(0) == 64 ? 0 : 1;
}

// Before main(), so that nothing in this program can have called LibTorch through the library yet: a child, and one
// that forks after its own first call.
const int forked_before_the_first_call = in_child(synthesize_in_child);
const int forked_by_a_forked_user = in_child([] {
  return synthesize_in_child() == 0 ? in_child([] { return code_of([] { (void)synthesize_in_child(); }); }) : 98;
});

}  // namespace

TEST_CASE("a process forked before the first call runs LibTorch, and one forked after it is told so") {
  CHECK(forked_before_the_first_call == 0);
  CHECK(forked_by_a_forked_user == 106);

  const Reference generator = Reference::load(assets + "/digits.safetensors");
  const auto classifier = fl::load_classifier(assets + "/clean.safetensors");
  auto module = fl::make_torch_classifier([](const at::Tensor& x) { return x.flatten(1).narrow(1, 0, 3).contiguous(); },
                                          {.classes = 3, .scores = fl::Scores::logits});
  const Answers before(generator, classifier);  // every parallel loop of this process has run
  const fl::Matrix<float> z(2, generator.latent_dim());
  const std::vector<std::int64_t> labels{0, 1};
  const at::Tensor latents = generator.latent_from_host(z), digits = generator.label_from_host(labels),
                   w = generator.map(latents, digits), s = generator.styles(w), made = generator.synthesize(s);
  const fl::ImageBatch images(2, {1, 28, 28}), gradient(2, generator.image_shape());
  fl::ScoreMatrix scores;
  fl::ImageBatch slope;
  const std::vector<std::function<void()>> calls{
      [&] { (void)Reference::load(assets + "/digits.safetensors"); },
      [&] { (void)Reference(generator.model()); },
      [&] { (void)generator.latent_from_host(z); },
      [&] { (void)generator.map(latents, digits); },
      [&] { (void)generator.styles(w); },
      [&] { (void)generator.synthesize(s); },
      [&] { (void)generator.pullback(s, gradient); },
      [&] { (void)generator.begin_edits(s); },
      [&] { (void)generator.image_to_host(made); },
      [&] { module.score(images, scores); },
      [&] { module.probability_gradient(images, labels, slope); },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CAPTURE(i);
    CHECK(in_child([&] { return code_of(calls[i]); }) == 106);
  }
  CHECK(in_child([&] {
          return text_of(calls[3]).find("fork before the first call, or exec") != std::string::npos ? 0 : 1;
        }) == 0);
  check_equal(before, Answers(generator, classifier));  // the parent goes on
}

TEST_CASE("generator and classifier on the CPU work in a process forked after anything, with the same answers") {
  const Cpu generator = Cpu::load(assets + "/digits.safetensors");
  const auto classifier = fl::load_classifier(assets + "/clean.safetensors");
  (void)Reference::load(assets + "/digits.safetensors").w_average();  // LibTorch has run
  const Answers before(generator, classifier);
  CHECK(in_child([&] { return Answers(generator, classifier).all == before.all ? 0 : 1; }) == 0);
  CHECK(in_child([&] {
          const auto again = fl::load_classifier(assets + "/clean.safetensors");
          return Answers(Cpu::load(assets + "/digits.safetensors"), again).all == before.all ? 0 : 1;
        }) == 0);
}

TEST_CASE("what needs no LibTorch works in a process forked after LibTorch had run") {
  const Cpu generator = Cpu::load(assets + "/digits.safetensors");
  const Answers before(generator, fl::load_classifier(assets + "/clean.safetensors"));
  const auto gated = [] {
    const fl::AnalyticGenerator analytic;
    auto always = fl::make_classifier(
        [&](fl::ImageView images) {
          return std::vector<float>(static_cast<std::size_t>(images.count() * analytic.num_classes()), 1.0f);
        },
        {.classes = analytic.num_classes(), .scores = fl::Scores::logits});
    fl::Matrix<float> points(300, 4);  // enough for threads of its own
    for (std::int64_t i = 0; i < points.rows(); ++i)
      for (std::int64_t k = 0; k < 4; ++k) points(i, k) = static_cast<float>((i * 37 + k * 11) % 101);
    const bool embedded = fl::statistics::embed_tsne(points, {.iterations = 300, .threads = 4}).points.rows() == 300;
    const fl::ImageBatch images(4, analytic.image_shape());
    fl::ScoreMatrix scores;
    always.score(images, scores);
    return embedded && scores.rows() == 4 ? 0 : 1;
  };
  CHECK(gated() == 0);
  CHECK(in_child(gated) == 0);
}

TEST_CASE("inference mode, autocast, default type, threads and gradient mode of the caller change no answer") {
  const Cpu generator = Cpu::load(assets + "/digits.safetensors");
  const Reference reference = Reference::load(assets + "/digits.safetensors");
  const auto classifier = fl::load_classifier(assets + "/clean.safetensors");
  const Answers expected(generator, classifier), plain(reference, classifier);
  const auto with_type = [](const std::function<void()>& call) {
    const auto before = c10::get_default_dtype();
    c10::set_default_dtype(caffe2::TypeMeta::Make<double>());
    call();
    c10::set_default_dtype(before);
  };
  const auto with_autocast = [](const std::function<void()>& call) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    call();
    CHECK(at::autocast::is_autocast_enabled(at::kCPU));
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
  };
  const auto with_one_thread = [](const std::function<void()>& call) {
    const int before = at::get_num_threads();
    at::set_num_threads(1);
    call();
    at::set_num_threads(before);
  };
  const auto in_inference_mode = [](const std::function<void()>& call) {
    const c10::InferenceMode mode;
    call();
    CHECK(c10::InferenceMode::is_enabled());
    CHECK_FALSE(c10::GradMode::is_enabled());
  };
  const auto without_gradients = [](const std::function<void()>& call) {
    const c10::AutoGradMode mode(false);
    call();
    CHECK_FALSE(c10::GradMode::is_enabled());
  };
  const auto look = [&] { check_equal(expected, Answers(generator, classifier)); };
  const auto look_everywhere = [&] {
    look();
    check_equal(plain, Answers(reference, classifier));
    check_equal(expected,
                Answers(Cpu::load(assets + "/digits.safetensors"), fl::load_classifier(assets + "/clean.safetensors")));
  };
  INFO("inference mode");
  in_inference_mode(look_everywhere);
  INFO("no gradients");
  without_gradients(look);
  INFO("default type double");
  with_type(look_everywhere);
  INFO("autocast");
  with_autocast(look_everywhere);
  INFO("one thread");
  with_one_thread(look);
  INFO("another thread, in inference mode");
  std::thread([&] { in_inference_mode(look); }).join();
  INFO("all of it");
  with_type([&] { with_autocast([&] { with_one_thread([&] { in_inference_mode(look_everywhere); }); }); });
}

TEST_CASE("a generator loaded in inference mode has gradients outside it") {
  at::Tensor made;
  const auto load = [&] {
    const c10::InferenceMode mode;
    Reference loaded = Reference::load(assets + "/digits.safetensors");
    made = loaded.label_from_host(std::vector<std::int64_t>{7});
    return loaded;
  };
  const Reference generator = load();
  at::Tensor z = at::ones({1, generator.latent_dim()}, at::kFloat).requires_grad_(true);
  const at::Tensor images = generator.synthesize(generator.styles(generator.map(z, made)));
  const at::Tensor slope = torch::autograd::grad({images.sum()}, {z}).front();
  CHECK(slope.abs().sum().item<double>() > 0.0);
}

TEST_CASE("tensors made in inference mode are arguments like any other, inside it and outside") {
  const Reference generator = Reference::load(assets + "/digits.safetensors");
  at::Tensor z = at::ones({2, generator.latent_dim()}, at::kFloat), labels = at::ones({2}, at::kLong),
             s = generator.styles(generator.map(z, labels));
  fl::ImageBatch gradient(2, generator.image_shape());
  std::fill_n(gradient.data(), 2 * 32 * 32, 0.01f);
  const auto answers = [&] {
    return std::pair{generator.synthesize(generator.styles(generator.map(z, labels))), generator.pullback(s, gradient)};
  };
  const auto expected = answers();
  const auto check = [&] {
    const auto said = answers();
    CHECK((said.first - expected.first).abs().max().item<double>() < 1e-5);
    for (std::int64_t i = 0; i < said.second.rows() * said.second.cols(); ++i)
      REQUIRE(said.second.data()[i] == Approx(expected.second.data()[i]).margin(1e-5));
    CHECK(generator.begin_edits(s).images(std::vector<fl::StyleEdit>{{1, 3, 0.5f}}).size(0) == 1);
  };
  {
    const c10::InferenceMode mode;
    z = z.clone();
    labels = labels.clone();
    s = s.clone();
    REQUIRE(z.is_inference());
    check();
  }
  check();
}

TEST_CASE("a LibTorch model of the user's has scores and gradients in inference mode") {
  const at::Tensor weight = at::arange(12, at::kFloat).view({4, 3}).sub(5).square().mul(0.05);
  auto classifier = fl::make_torch_classifier([&](const at::Tensor& x) { return x.flatten(1).matmul(weight); },
                                              {.classes = 3, .scores = fl::Scores::logits});
  fl::ImageBatch images(2, {1, 2, 2});
  for (std::int64_t i = 0; i < 8; ++i) images.data()[i] = static_cast<float>(i) / 8.0f;
  const std::vector<std::int64_t> labels{0, 2};
  fl::ScoreMatrix expected, scores;
  fl::ImageBatch slope, same;
  classifier.score(images, expected);
  classifier.probability_gradient(images, labels, slope);
  const c10::InferenceMode mode;
  classifier.score(images, scores);
  classifier.probability_gradient(images, labels, same);
  CHECK(c10::InferenceMode::is_enabled());
  for (std::int64_t i = 0; i < 6; ++i) CHECK(scores.data()[i] == expected.data()[i]);
  for (std::int64_t i = 0; i < 8; ++i) CHECK(same.data()[i] == slope.data()[i]);
}

TEST_CASE("what LibTorch throws is told in one line") {
  const auto fails = [](const at::Tensor& x) { return x.flatten(1).matmul(at::ones({5, 3}, at::kFloat)); };
  auto module = fl::make_torch_classifier(fails, {.classes = 3, .scores = fl::Scores::logits});
  auto bare = fl::make_classifier([&](fl::ImageView images) { return fails(fl::as_tensor(images)); },
                                  {.classes = 3, .scores = fl::Scores::logits});
  auto script = fl::make_classifier(
      [](fl::ImageView) -> std::vector<float> {
        throw std::runtime_error(
            "The following operation failed in the TorchScript interpreter.\nTraceback of TorchScript (most recent "
            "call last):\n  File \"m.py\", line 3\nRuntimeError: the sizes differ\n");
      },
      {.classes = 3, .scores = fl::Scores::logits});
  const fl::ImageBatch images(2, {1, 2, 2});
  const std::vector<std::int64_t> labels{0, 1};
  fl::ScoreMatrix scores;
  fl::ImageBatch slope;
  const auto scored = [&](auto& classifier) {
    return text_of([&] {
      fl::classify::Scorer scorer(classifier, {1, 2, 2}, {0, 1}, 3, 2);
      (void)scorer(images, labels);
    });
  };
  for (const std::string& text : {text_of([&] { module.score(images, scores); }),
                                  text_of([&] { module.probability_gradient(images, labels, slope); }), scored(module),
                                  scored(bare), scored(script)}) {
    CAPTURE(text);
    CHECK(text.rfind("[F202] ", 0) == 0);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(text.find("Exception raised") == std::string::npos);
    CHECK(text.find("frame #") == std::string::npos);
  }
  CHECK(scored(bare).find("2x4") != std::string::npos);
  CHECK(scored(script).find("the sizes differ") != std::string::npos);

  const Reference generator = Reference::load(assets + "/digits.safetensors");
  // A tensor of the meta device has no values that could be read.
  const std::string text = text_of([&] {
    (void)generator.image_to_host(at::empty({1, 1, 32, 32}, at::TensorOptions().dtype(at::kFloat).device(at::kMeta)));
  });
  CHECK(text.rfind("[F503] Generator::image_to_host: LibTorch refused: ", 0) == 0);
  CHECK(text.find('\n') == std::string::npos);
}
