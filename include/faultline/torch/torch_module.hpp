// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// A LibTorch model as a classifier with gradients, and tensors as scores.

#include <faultline/classify/make_classifier.hpp>
#include <faultline/torch/detail/torch_state.hpp>
#include <faultline/torch/libtorch.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {

/// Tensors `[N, K]` of any floating type on any device are scores.
template <>
struct ScoreReader<at::Tensor> {
  static void read(const at::Tensor& result, std::int64_t, ScoreMatrix& scores) {
    if (!result.defined() || result.dim() != 2) {
      throw Error(ErrorCode::wrong_score_shape, "ScoreReader",
                  "classifier returned " +
                      (result.defined() ? "a tensor with " + std::to_string(result.dim()) + " axes"
                                        : std::string("an undefined tensor")) +
                      ", expected 2 axes: images and classes");
    }
    const at::Tensor host = result.detach().to(at::kCPU, at::kFloat).contiguous();
    scores.resize(host.size(0), host.size(1));
    std::copy_n(host.const_data_ptr<float>(), host.numel(), scores.data());
  }
};

/// `at::Tensor f(const at::Tensor& images)`: a lambda, a `torch::nn::Sequential`, any module holder.
template <class M>
concept TensorFunction = requires(M& model, const at::Tensor& images) {
  { model(images) } -> std::convertible_to<at::Tensor>;
};

/// A pointer to something with `forward(images)`: `std::shared_ptr<MyModule>`.
template <class M>
concept TensorModule = !TensorFunction<M> && requires(M & model, const at::Tensor& images) {
  { model->forward(images) } -> std::convertible_to<at::Tensor>;
};

/// Host images as a tensor `[N, C, H, W]` (`[N, H, W, C]` for channels-last layout) without a copy; valid as long as
/// the images are.
[[nodiscard]] inline at::Tensor as_tensor(ImageView images, PixelLayout layout = PixelLayout::channels_first) {
  const ImageShape& s = images.shape();
  const std::vector<std::int64_t> sizes =
      layout == PixelLayout::channels_first ? std::vector<std::int64_t>{images.count(), s.channels, s.height, s.width}
                                            : std::vector<std::int64_t>{images.count(), s.height, s.width, s.channels};
  // LibTorch has no constant tensors
  return at::from_blob(const_cast<float*>(images.data()), sizes, at::TensorOptions().dtype(at::kFloat));
}

/// A DifferentiableClassifier made of a LibTorch model. Made by `make_torch_classifier`.
///
/// `score` runs without autograd on a copy of the images on the model's device. `probability_gradient` asks autograd
/// for the gradient with respect to the images alone: parameters keep their `.grad`. Either call leaves grad mode,
/// number of threads, default type and the CPU's random state of the process as they were. Inside inference mode
/// gradients are computed outside it. Running out of device memory becomes std::bad_alloc, which makes `Scorer` try a
/// smaller batch.
/// **Throws** what the model throws, errors of LibTorch as classifier_threw without their stack; wrong_score_shape;
/// forked_process in a process that was forked after LibTorch had run.
template <class M>
  requires TensorFunction<M> || TensorModule<M>
class TorchClassifier {
 public:
  TorchClassifier(M model, ClassifierOptions options, at::Device device)
      : model_(std::move(model)), options_(std::move(options)), device_(device) {
    if (options_.scores == Scores::undeclared) {
      throw Error(ErrorCode::scores_undeclared, "make_torch_classifier",
                  "the kind of scores is not declared; say .scores = Scores::logits or Scores::probabilities");
    }
    if (options_.classes < 1)
      throw Error(ErrorCode::invalid_argument, "make_torch_classifier",
                  "expected at least one class, got .classes = " + std::to_string(options_.classes));
    if constexpr (requires { model_->eval(); }) model_->eval();
  }

  [[nodiscard]] std::int64_t num_classes() const noexcept { return options_.classes; }
  [[nodiscard]] Scores score_kind() const noexcept { return options_.scores; }
  [[nodiscard]] const InputSpec& input_spec() const noexcept { return options_.input; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  /// What `options.digest` states; empty when it states nothing. (There is no thread_safe(): the state of the process
  /// that a call puts back is shared.)
  [[nodiscard]] const std::string& digest() const noexcept { return options_.digest; }

  void score(ImageView images, ScoreMatrix& scores) {
    const detail::TorchState state("TorchClassifier", false);
    translate([&] { ScoreReader<at::Tensor>::read(call(input(images)), images.count(), scores); });
  }

  void probability_gradient(ImageView images, std::span<const std::int64_t> labels, ImageBatch& gradient) {
    const detail::TorchState state("TorchClassifier", true);
    translate([&] {
      const at::Tensor x = input(images).requires_grad_(true);
      const at::Tensor scores = call(x);
      if (scores.dim() != 2 || scores.size(0) != images.count() || scores.size(1) != options_.classes) {
        throw Error(ErrorCode::wrong_score_shape, "TorchClassifier",
                    "expected scores [" + std::to_string(images.count()) + ", " + std::to_string(options_.classes) +
                        "]; does the model know all classes?");
      }
      if (!scores.requires_grad())
        throw std::runtime_error(
            "the model's scores carry no gradient: does it run under NoGradGuard, or detach its result?");
      const at::Tensor p = options_.scores == Scores::logits ? scores.softmax(1) : scores;
      at::Tensor own = at::zeros({images.count(), 1}, at::TensorOptions().dtype(at::kLong));
      std::copy(labels.begin(), labels.end(), own.mutable_data_ptr<std::int64_t>());
      const auto gradients = torch::autograd::grad({p.gather(1, own.to(p.device())).sum()}, {x});
      const at::Tensor host = gradients.front().to(at::kCPU, at::kFloat).contiguous();
      gradient = ImageBatch(images.count(), images.shape());
      std::copy_n(host.const_data_ptr<float>(), host.numel(), gradient.data());
    });
  }

 protected:
  [[nodiscard]] at::Tensor input(ImageView images) const {
    return as_tensor(images, options_.input.layout).to(device_, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }

  [[nodiscard]] at::Tensor call(const at::Tensor& images) {
    if constexpr (TensorFunction<M>) return model_(images);
    else return model_->forward(images);
  }

  template <class Call>
  static void translate(Call&& body) {
    try {
      body();
    } catch (const c10::Error&) {
      stylegan2::detail::rethrow_libtorch("TorchClassifier", ErrorCode::classifier_threw);
    }
  }

  [[nodiscard]] at::Device device() const noexcept { return device_; }

 private:
  M model_;
  ClassifierOptions options_;
  at::Device device_;
};

/// A DifferentiableClassifier from a LibTorch model: `torch::nn::Sequential`, another module holder, `std::shared_ptr`
/// of a module with `forward`, or any function from a tensor of images to a tensor of scores `[N, K]`.
///
/// Images come as float32 `[N, C, H, W]` on `device`, values as `options.input` asks (by default [0, 1]). A module is
/// shared, not copied, and put into evaluation mode here; its parameters must be on `device` already. A TorchScript
/// module goes through a lambda: `[m](const at::Tensor& x) mutable { return m.forward({x}).toTensor(); }`. It is
/// trusted code: whoever wrote the file decides what runs.
/// **Throws** scores_undeclared, invalid_argument.
/// Example: `auto mine = make_torch_classifier(network, {.classes = 10, .scores = Scores::logits, .input = {.height =
/// 28, .width = 28}});`
template <class M>
[[nodiscard]] auto make_torch_classifier(M&& model, ClassifierOptions options,
                                         at::Device device = at::Device(at::kCPU)) {
  using Model = std::decay_t<M>;
  static_assert(TensorFunction<Model> || TensorModule<Model>,
                "faultline::make_torch_classifier: the model must be callable with (at::Tensor), or point to something "
                "with forward(at::Tensor), and return an at::Tensor of scores");
  return TorchClassifier<Model>(std::forward<M>(model), std::move(options), device);
}

}  // namespace v1
}  // namespace faultline
