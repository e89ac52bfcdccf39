// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table that an analysis without a generator starts from: what is refused, parts of it, and its random split.
#include <faultline/analysis/problem/labelled_table.hpp>
#include <faultline/core/random.hpp>

#include <core/temporary_directory.hpp>
#include <support/catch2.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace fl = faultline;
using faultline_tests::error_code;
using fl::ErrorCode;
using fl::LabelledTable;
using fl::analysis::check_table;
using fl::analysis::select_rows;

namespace {

/// n rows, row i with the index 100 + i.
LabelledTable table_of(std::int64_t n) {
  LabelledTable table{.property_names = {"noise level", "blur"}, .classes = 3};
  table.properties.resize(n, 2);
  for (std::int64_t i = 0; i < n; ++i) {
    table.index.push_back(100 + i);
    table.label.push_back(i % 3);
    table.prediction.push_back((i + 1) % 3);
    table.failed.push_back(static_cast<std::uint8_t>(i % 2));
    table.probability.push_back(0.01f * static_cast<float>(i));
    table.margin.push_back(-0.01f * static_cast<float>(i));
    table.image_names.push_back("image-" + std::to_string(i));
    table.properties(i, 0) = static_cast<float>(i);
    table.properties(i, 1) = -static_cast<float>(i);
  }
  return table;
}

}  // namespace

TEST_CASE("A table whose parts do not belong together is refused", "[labelled_table]") {
  check_table(table_of(7), "test");
  struct Wrong {
    const char* what;
    std::function<void(LabelledTable&)> change;
    ErrorCode code;
  };
  const std::vector<Wrong> all = {
      {"no rows", [](LabelledTable& t) { t = {}; }, ErrorCode::empty_input},
      {"index", [](LabelledTable& t) { t.index.pop_back(); }, ErrorCode::shape_mismatch},
      {"prediction", [](LabelledTable& t) { t.prediction.push_back(0); }, ErrorCode::shape_mismatch},
      {"failed", [](LabelledTable& t) { t.failed.clear(); }, ErrorCode::shape_mismatch},
      {"probability", [](LabelledTable& t) { t.probability.pop_back(); }, ErrorCode::shape_mismatch},
      {"margin", [](LabelledTable& t) { t.margin.pop_back(); }, ErrorCode::shape_mismatch},
      {"property rows", [](LabelledTable& t) { t.properties.resize(3, 2); }, ErrorCode::shape_mismatch},
      {"property names", [](LabelledTable& t) { t.property_names.pop_back(); }, ErrorCode::shape_mismatch},
      {"image names", [](LabelledTable& t) { t.image_names.pop_back(); }, ErrorCode::shape_mismatch},
      {"class names", [](LabelledTable& t) { t.class_names = {"a"}; }, ErrorCode::shape_mismatch},
      {"group",
       [](LabelledTable& t) {
         t.group = {1, 2};
       },
       ErrorCode::shape_mismatch},
      {"label", [](LabelledTable& t) { t.label[4] = 3; }, ErrorCode::label_out_of_range},
      {"prediction of no class", [](LabelledTable& t) { t.prediction[4] = -1; }, ErrorCode::label_out_of_range},
      {"outcome", [](LabelledTable& t) { t.failed[4] = 2; }, ErrorCode::invalid_argument},
      {"NaN", [](LabelledTable& t) { t.properties(4, 1) = std::nanf(""); }, ErrorCode::invalid_argument},
      {"infinite margin", [](LabelledTable& t) { t.margin[4] = std::numeric_limits<float>::infinity(); },
       ErrorCode::invalid_argument},
  };
  for (const Wrong& wrong : all) {
    INFO(wrong.what);
    LabelledTable table = table_of(7);
    wrong.change(table);
    CHECK(error_code([&] { check_table(table, "test"); }) == wrong.code);
    CHECK(error_code([&] { (void)fl::split_table(table, 1); }) == wrong.code);
  }
}

TEST_CASE("Rows are taken with all that belongs to them", "[labelled_table]") {
  LabelledTable table = table_of(6);
  table.group = {5, 5, 4, 4, 3, 3};
  table.class_names = {"a", "b", "c"};
  const LabelledTable part = select_rows(table, std::vector<std::int64_t>{4, 1});
  check_table(part, "test");
  CHECK(part.size() == 2);
  CHECK(part.property_names == table.property_names);
  CHECK(part.class_names == table.class_names);
  CHECK(part.classes == 3);
  CHECK(part.index == std::vector<std::int64_t>{104, 101});
  CHECK(part.label == std::vector<std::int64_t>{1, 1});
  CHECK(part.prediction == std::vector<std::int64_t>{2, 2});
  CHECK(part.failed == std::vector<std::uint8_t>{0, 1});
  CHECK(part.failures() == 1);
  CHECK(part.probability == std::vector<float>{0.01f * 4, 0.01f});
  CHECK(part.margin == std::vector<float>{-0.01f * 4, -0.01f});
  CHECK(part.image_names == std::vector<std::string>{"image-4", "image-1"});
  CHECK(part.group == std::vector<std::int64_t>{3, 5});
  CHECK(part.properties(0, 0) == 4.0f);
  CHECK(part.properties(1, 1) == -1.0f);
  CHECK(error_code([&] { (void)select_rows(table, std::vector<std::int64_t>{6}); }) == ErrorCode::invalid_argument);
  CHECK(error_code([&] { (void)select_rows(table, std::vector<std::int64_t>{-1}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("The split is the stated shuffle, and every row is in one part", "[labelled_table]") {
  for (const std::int64_t n : {2, 7, 100}) {
    for (const double share : {0.5, 0.3}) {
      const LabelledTable table = table_of(n);
      const auto first = static_cast<std::int64_t>(std::ceil(share * static_cast<double>(n)));
      const auto [discovery, confirmation] = fl::split_table(table, 9, share);
      CHECK(discovery.size() == first);
      CHECK(confirmation.size() == n - first);
      CHECK(std::is_sorted(discovery.index.begin(), discovery.index.end()));
      CHECK(std::is_sorted(confirmation.index.begin(), confirmation.index.end()));

      std::vector<std::int64_t> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), std::int64_t{100});
      fl::core::CounterRandom random(9, fl::core::Stream{7}, std::int64_t{1} << 40);
      fl::core::shuffle(std::span<std::int64_t>(order), random);
      order.resize(static_cast<std::size_t>(first));
      std::sort(order.begin(), order.end());
      CHECK(discovery.index == order);
      std::set<std::int64_t> all(discovery.index.begin(), discovery.index.end());
      all.insert(confirmation.index.begin(), confirmation.index.end());
      CHECK(static_cast<std::int64_t>(all.size()) == n);
    }
  }
  const LabelledTable table = table_of(100);
  CHECK(fl::split_table(table, 9).discovery.index == fl::split_table(table, 9).discovery.index);
  CHECK(fl::split_table(table, 9).discovery.index != fl::split_table(table, 10).discovery.index);
  CHECK(error_code([] { (void)fl::split_table(table_of(1), 1); }) == ErrorCode::empty_input);
  for (const double share : {0.0, 1.0, -0.5, std::nan("")})
    CHECK(error_code([&] { (void)fl::split_table(table_of(9), 1, share); }) == ErrorCode::invalid_argument);
}

TEST_CASE("Every row is as likely in discovery as any other, and pairs are as independent as splits allow",
          "[labelled_table]") {
  // 4 000 splits of 20 rows. A row is in discovery Binomial(4 000, .5) times, two given ones together
  // Binomial(4 000, 9/38); normal limits of 5.5 and 210 comparisons: false-fail rate below 1e-5.
  const int splits = 4'000;
  const LabelledTable table = table_of(20);
  std::vector<double> single(20, 0.0);
  fl::Matrix<double> pairs(20, 20);
  for (int seed = 0; seed < splits; ++seed) {
    const fl::analysis::TableSplit split = fl::split_table(table, seed);
    for (const std::int64_t a : split.discovery.index) {
      single[static_cast<std::size_t>(a - 100)] += 1.0;
      for (const std::int64_t b : split.discovery.index) pairs(a - 100, b - 100) += 1.0;
    }
  }
  const auto deviates = [&](double count, double p) {
    return std::abs(count - splits * p) > 5.5 * std::sqrt(splits * p * (1.0 - p));
  };
  for (std::int64_t a = 0; a < 20; ++a) {
    CHECK_FALSE(deviates(single[static_cast<std::size_t>(a)], 0.5));
    for (std::int64_t b = 0; b < a; ++b) CHECK_FALSE(deviates(pairs(a, b), 9.0 / 38.0));
  }
}

TEST_CASE("Rows of one group stay together, and their number does not move others", "[labelled_table]") {
  LabelledTable table = table_of(60);
  for (std::int64_t i = 0; i < 60; ++i) table.group.push_back(1'000 - i % 20);  // 20 groups of three
  for (int seed = 0; seed < 50; ++seed) {
    const auto [discovery, confirmation] = fl::split_table(table, seed);
    CHECK(discovery.size() == 30);
    const std::set<std::int64_t> found(discovery.group.begin(), discovery.group.end()),
        tested(confirmation.group.begin(), confirmation.group.end());
    CHECK(found.size() == 10);
    CHECK(tested.size() == 10);
    std::vector<std::int64_t> both;
    std::set_intersection(found.begin(), found.end(), tested.begin(), tested.end(), std::back_inserter(both));
    CHECK(both.empty());
  }
  // One row more in a group that is there: the other rows stay where they were
  LabelledTable more = select_rows(table, [] {
    std::vector<std::int64_t> rows(61);
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    rows[60] = 7;
    return rows;
  }());
  const auto before = fl::split_table(table, 3).discovery.group, after = fl::split_table(more, 3).discovery.group;
  CHECK(std::set<std::int64_t>(before.begin(), before.end()) == std::set<std::int64_t>(after.begin(), after.end()));
  std::fill(table.group.begin(), table.group.end(), 1);
  CHECK(error_code([&] { (void)fl::split_table(table, 1); }) == ErrorCode::empty_input);
}
