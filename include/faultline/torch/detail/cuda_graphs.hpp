// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// One captured graph per batch size and kind of noise: a whole synthesis is queued with one call.

#include <faultline/torch/detail/cuda_torch_functions.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace faultline {
inline namespace v1 {
namespace stylegan2 {
namespace detail {

/// Runs a function of styles through captured graphs. Not thread-safe: the backend holds its lock.
///
/// The first call with a key runs the function itself, the second captures it (after one run on the capturing stream),
/// later ones replay. Memory: a graph keeps its intermediate results.
class CudaGraphs {
 public:
  using Key = std::pair<std::int64_t, int>;  // rows, kind of noise
  using Body = std::function<at::Tensor(const at::Tensor& styles)>;
  static constexpr std::size_t most = 8;  // graphs kept; further batch sizes run without

  CudaGraphs(const TorchDevice& torch, at::Device device) : torch_(&torch), device_(device) {}

  [[nodiscard]] std::size_t size() const noexcept { return captured_.size(); }

  /// The images, in memory of their own. Throws PieceMissing when the capture fails, what `body` throws otherwise.
  [[nodiscard]] at::Tensor operator()(const Key& key, const at::Tensor& s, const Body& body) {
    auto found = captured_.find(key);
    if (found == captured_.end()) {
      const bool first = ++calls_[key] == 1;
      if (first || captured_.size() >= most) return body(s);
      found = captured_.emplace(key, capture(s, body)).first;
    }
    Captured& run = found->second;
    const c10::Stream current = torch_->current_stream(device_);
    torch_->order(run.last, current);
    run.last = current;
    run.styles.copy_(s);
    torch_->graph_replay(run.graph.get());
    return run.images.clone();
  }

 private:
  struct Captured {
    at::Tensor styles;
    at::Tensor images;
    std::shared_ptr<void> graph;  // dies first: it points into the two
    c10::Stream last;
  };

  [[nodiscard]] Captured capture(const at::Tensor& s, const Body& body) const {
    const c10::Stream current = torch_->current_stream(device_);
    const c10::Stream side = torch_->side_stream(device_);
    at::Tensor styles = s.clone();
    torch_->order(current, side);
    struct Exchange {
      const TorchDevice& torch;
      c10::Stream before;
      ~Exchange() { torch.exchange_stream(before); }
    } exchange{*torch_, torch_->exchange_stream(side)};
    (void)body(styles);  // what the first run on a stream sets up must not be captured
    at::Tensor images;
    std::shared_ptr<void> graph;
    try {
      graph = torch_->graph_create();
      torch_->graph_begin(graph.get());
      try {
        images = body(styles);
      } catch (...) {
        try {
          torch_->graph_end(graph.get());  // the stream must leave its capture, whatever became of it
        } catch (const std::exception&) {}
        throw;
      }
      torch_->graph_end(graph.get());
    } catch (const PieceMissing&) {
      throw;
    } catch (const std::exception& error) {
      throw PieceMissing{"capture failed: " + first_line(error.what())};
    }
    torch_->order(side, current);
    return {std::move(styles), std::move(images), std::move(graph), current};
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  const TorchDevice* torch_;
  at::Device device_;
  std::map<Key, std::int64_t> calls_;
  std::map<Key, Captured> captured_;
};

}  // namespace detail
}  // namespace stylegan2
}  // namespace v1
}  // namespace faultline
