// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/render/population_arrays.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cstring>

namespace fl = faultline;

TEST_CASE("the arrays of both splits are complete, and styles follow from w") {
  fl::Problem problem;
  problem.style_matrix = fl::Matrix<double>(3, 2);
  problem.style_matrix(0, 0) = 1, problem.style_matrix(1, 1) = 2, problem.style_matrix(2, 0) = -1,
                          problem.style_matrix(2, 1) = 0.5;
  problem.style_bias = {10, 20, 30};
  problem.discovery.index = {5, 6};
  problem.discovery.label = {1, 0};
  problem.discovery.prediction = {1, 1};
  problem.discovery.failed = {0, 1};
  problem.discovery.probability = {0.9f, 0.3f};
  problem.discovery.margin = {0.8f, -0.4f};
  problem.discovery.w = fl::Matrix<float>(2, 2);
  problem.discovery.w(0, 0) = 3, problem.discovery.w(0, 1) = 4, problem.discovery.w(1, 1) = 1;
  problem.confirmation = problem.discovery;
  problem.confirmation.s = fl::Matrix<float>(2, 3, 7.0f);
  problem.confirmation.properties = fl::Matrix<float>(2, 1, 0.5f);

  const faultline_tests::TemporaryDirectory directory;
  fl::write_arrays(problem, directory / "a" / "b");
  const auto floats = [&](const std::string& name) {
    const std::string bytes = faultline_tests::text_of(directory / "a" / "b" / name);
    CHECK(bytes.find("'descr': '<f4'") != std::string::npos);
    const std::size_t header = 10 + static_cast<unsigned char>(bytes[8]) +
                               256 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[9]));
    std::vector<float> values((bytes.size() - header) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + header, values.size() * sizeof(float));
    return values;
  };
  CHECK(floats("discovery.s.npy") == std::vector<float>{13, 28, 29, 10, 22, 30.5f});
  CHECK(floats("confirmation.s.npy") == std::vector<float>(6, 7.0f));
  CHECK(floats("discovery.w.npy") == std::vector<float>{3, 4, 0, 1});
  CHECK(floats("confirmation.properties.npy") == std::vector<float>{0.5f, 0.5f});
  for (const char* split : {"discovery", "confirmation"})
    for (const char* what : {"index", "label", "prediction", "failed", "probability", "margin"})
      CHECK(std::filesystem::exists(directory / "a" / "b" / (std::string(split) + "." + what + ".npy")));
  CHECK_FALSE(std::filesystem::exists(directory / "a" / "b" / "discovery.properties.npy"));
  fl::core::write_file_atomically(directory / "file", std::string_view("in the way"));
  CHECK(faultline_tests::error_code([&] { fl::write_arrays(problem, directory / "file" / "x"); }) ==
        fl::ErrorCode::cannot_write);
}
