// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes the model of onnx_tests.cpp: a linear discriminant analysis of 20 000 generated digits on the means of 2x2
// pixels, written as an ONNX file (AveragePool, Flatten, Gemm).
//
//   make_onnx small.onnx
#include <faultline/faultline.hpp>

#include "digits.hpp"

#include <Eigen/Cholesky>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace fl = faultline;

namespace {

constexpr Eigen::Index cells = 14 * 14, classes = 10;
constexpr std::int64_t samples = 20'000;

struct LinearModel {
  Eigen::MatrixXd weight = Eigen::MatrixXd::Zero(classes, cells);
  Eigen::VectorXd bias = Eigen::VectorXd::Zero(classes);
};

// Means of 2x2 pixels of an image of 28x28.
Eigen::VectorXd cell_means(std::span<const float> image) {
  Eigen::VectorXd means = Eigen::VectorXd::Zero(cells);
  for (std::size_t y = 0; y < 28; ++y)
    for (std::size_t x = 0; x < 28; ++x)
      means[static_cast<Eigen::Index>(y / 2 * 14 + x / 2)] += static_cast<double>(image[28 * y + x]) / 4.0;
  return means;
}

LinearModel discriminant() {
  Eigen::MatrixXd sums = Eigen::MatrixXd::Zero(classes, cells), products = Eigen::MatrixXd::Zero(cells, cells);
  Eigen::VectorXd counts = Eigen::VectorXd::Zero(classes);
  const fl::StyleSpaceSampler sampler(team::digits(), {.seed = 1});
  for (const auto& batch : sampler.batches(0, samples)) {
    const fl::ImageBatch images =
        fl::prepare_images(batch.images, team::digits().value_range(), {.height = 28, .width = 28});
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const Eigen::VectorXd x = cell_means(images.image(i));
      const std::int64_t label = batch.label[static_cast<std::size_t>(i)];
      sums.row(label) += x.transpose();
      counts[label] += 1.0;
      products += x * x.transpose();
    }
  }
  const Eigen::MatrixXd means = counts.cwiseInverse().asDiagonal() * sums;
  Eigen::MatrixXd covariance = (products - means.transpose() * counts.asDiagonal() * means) / counts.sum();
  covariance.diagonal().array() += 0.01 * covariance.trace() / static_cast<double>(cells);
  LinearModel model;
  model.weight = covariance.ldlt().solve(means.transpose()).transpose();
  model.bias = -0.5 * (means.cwiseProduct(model.weight)).rowwise().sum();
  return model;
}

// The encoding of onnx.proto (https://github.com/onnx/onnx, IR version 7, operator set 13), as far as it is needed.
std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value > 127; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
  return bytes + static_cast<char>(value);
}
std::string number(std::uint64_t field, std::int64_t value) {
  return varint(field << 3) + varint(static_cast<std::uint64_t>(value));
}
std::string block(std::uint64_t field, std::string_view bytes) {
  return varint((field << 3) | 2) + varint(bytes.size()) + std::string(bytes);
}

std::string tensor(const std::string& name, const std::vector<std::int64_t>& shape, const Eigen::MatrixXd& values) {
  std::string bytes, data;
  for (const std::int64_t extent : shape) bytes += number(1, extent);
  for (Eigen::Index r = 0; r < values.rows(); ++r)
    for (Eigen::Index c = 0; c < values.cols(); ++c) {
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(values(r, c)));
      for (int shift = 0; shift < 32; shift += 8) data += static_cast<char>((bits >> shift) & 255);
    }
  return bytes + number(2, /*float*/ 1) + block(8, name) + block(9, data);
}
std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
  std::string bytes = block(1, name);
  for (const std::int64_t value : values) bytes += number(8, value);
  return block(5, bytes + number(20, /*ints*/ 7));
}
std::string integer(const std::string& name, std::int64_t value) {
  return block(5, block(1, name) + number(3, value) + number(20, /*int*/ 2));
}
std::string node(const std::string& kind, const std::vector<std::string>& inputs, const std::string& output,
                 const std::string& attributes) {
  std::string bytes;
  for (const std::string& input : inputs) bytes += block(1, input);
  return block(1, bytes + block(2, output) + block(3, output) + block(4, kind) + attributes);
}
// A name with its axes; the first, the batch, is open.
std::string value(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::string axes = block(1, block(2, "N"));
  for (const std::int64_t extent : shape) axes += block(1, number(1, extent));
  return block(1, name) + block(2, block(1, number(1, /*float*/ 1) + block(2, axes)));
}

std::string onnx_file(const LinearModel& model) {
  const std::string graph =
      node("AveragePool", {"image"}, "pooled", integers("kernel_shape", {2, 2}) + integers("strides", {2, 2})) +
      node("Flatten", {"pooled"}, "cells", integer("axis", 1)) +
      node("Gemm", {"cells", "weight", "bias"}, "scores", integer("transB", 1)) + block(2, "small") +
      block(5, tensor("weight", {classes, cells}, model.weight)) + block(5, tensor("bias", {classes}, model.bias)) +
      block(11, value("image", {1, 28, 28})) + block(12, value("scores", {classes}));
  return number(1, 7) + block(2, "make_onnx.cpp") + block(7, graph) + block(8, block(1, "") + number(2, 13));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "make_onnx: expected the name of the file to write\n");
    return 2;
  }
  fl::core::write_file_atomically(argv[1], onnx_file(discriminant()));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "make_onnx: %s\n", error.what());
  return 5;
}
