// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/number_text.hpp>

#include <support/catch2.hpp>

#include <clocale>
#include <cmath>
#include <limits>

namespace fl = faultline;

TEST_CASE("a number is written with the digits that read back exactly") {
  CHECK(fl::number_text(0.02) == "0.02");
  CHECK(fl::number_text(-3.0) == "-3");
  CHECK(fl::number_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(fl::number_text(std::numeric_limits<double>::infinity()) == "inf");
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.1 + 0.2, 1.0 / 3.0, -Limits::max(), Limits::min(), Limits::denorm_min(), 0.0, -7e22})
    CHECK(fl::number_from(fl::number_text(value)).value() == value);
  CHECK(fl::number_from("0.5 ") == std::nullopt);
  CHECK(fl::number_from("") == std::nullopt);
}

TEST_CASE("a number is rounded to so many digits or decimals") {
  CHECK(fl::rounded_text(1.0 / 3.0, 3) == "0.333");
  CHECK(fl::rounded_text(0.05, 10) == "0.05");
  CHECK(fl::rounded_text(1e6, 10) == "1000000");
  CHECK(fl::rounded_text(-std::numeric_limits<double>::max(), 17) == "-1.7976931348623157e+308");
  CHECK(fl::fixed_text(2.5, 2) == "2.50");
  CHECK(fl::fixed_text(-0.004, 2) == "-0.00");
  CHECK(fl::fixed_text(0.5, 0) == "0");
  CHECK(fl::fixed_text(-std::numeric_limits<double>::max(), 60).size() == 1 + 309 + 1 + 60);
}

TEST_CASE("numbers are written alike in every locale") {
  for (const char* locale : {"de_DE.UTF-8", "C.UTF-8"}) {
    if (!std::setlocale(LC_ALL, locale)) continue;
    CHECK(fl::number_text(0.5) == "0.5");
    CHECK(fl::rounded_text(0.25, 3) == "0.25");
    CHECK(fl::fixed_text(1234.5, 1) == "1234.5");
  }
  std::setlocale(LC_ALL, "C");
}
