// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/within_memory.hpp>
#include <faultline/core/image.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/ranges.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <vector>

namespace fl = faultline;

namespace {

template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const fl::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a value outside its range is refused with the range and the value, and both ends belong to it") {
  CHECK(refusal([] { fl::core::require_in("Options", "batch", std::int64_t{0}, 1, 64); }) ==
        "[F101] Options: batch must lie in [1, 64], got 0");
  CHECK(refusal([] { fl::core::require_in("Options", "batch", std::numeric_limits<std::int64_t>::max(), 1, 64); }) ==
        "[F101] Options: batch must lie in [1, 64], got 9223372036854775807");
  CHECK(refusal([] { fl::core::require_in("Options", "batch", std::int64_t{1}, 1, 64); }).empty());
  CHECK(refusal([] { fl::core::require_in("Options", "batch", std::int64_t{64}, 1, 64); }).empty());
  CHECK(refusal([] { fl::core::require_in("Options", "rate", std::nan(""), 0.0, 1.0); }) ==
        "[F101] Options: rate must lie in [0, 1], got nan");
  CHECK(refusal([] { fl::core::require_in("Options", "rate", 1.0, 0.0, 1.0); }).empty());
  CHECK(refusal([] { fl::core::require_between("Options", "alpha", 1.0, 0.0, 1.0); }) ==
        "[F101] Options: alpha must lie strictly between 0 and 1, got 1");
  CHECK(refusal([] { fl::core::require_between("Options", "alpha", std::nan(""), 0.0, 1.0); }) ==
        "[F101] Options: alpha must lie strictly between 0 and 1, got nan");
  CHECK(refusal([] { fl::core::require_between("Options", "alpha", 0.05, 0.0, 1.0); }).empty());
}

TEST_CASE("sizes that are negative or overflow are refused, and a matrix without rows keeps its columns") {
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK(refusal([&] { fl::Matrix<float> m(huge, 8); }).find("[F101] Matrix") == 0);
  CHECK(refusal([&] { fl::Matrix<float> m(-1, 8); }).find("got [-1, 8]") != std::string::npos);
  CHECK(refusal([&] { fl::Matrix<float> m(-2, -4); }).find("got [-2, -4]") != std::string::npos);
  CHECK(refusal([&] { fl::ImageBatch b(huge, {4, 2, 2}); }).find("[F101] ImageBatch") == 0);
  CHECK(refusal([&] { fl::ImageBatch b(2, {1, -3, 5}); }).find("got [2, 1, -3, 5]") != std::string::npos);
  const fl::Matrix<double> none(0, 7);
  CHECK(none.rows() == 0);
  CHECK(none.cols() == 7);
}

TEST_CASE("memory that cannot be had is an error of the library, and other exceptions pass") {
  CHECK(refusal([] { fl::core::within_memory("work", [] { throw std::bad_alloc(); }); }).find("[F502] work") == 0);
  CHECK(refusal([] {
          fl::core::within_memory("work", [] { std::vector<double> v(std::vector<double>().max_size() + 1); });
        }).find("[F502] work") == 0);
  CHECK_THROWS_AS(fl::core::within_memory("work", [] { throw 5; }), int);
  CHECK(fl::core::within_memory("work", [] { return 3; }) == 3);
}
