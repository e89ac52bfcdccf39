// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The words that say what a classifier wants its images to look like.

#include <support/catch2.hpp>

#include <faultline/classify/input_spec_text.hpp>
#include <faultline/error.hpp>

#include <string>
#include <vector>

namespace fl = faultline;
using fl::classify::input_spec_from_text;

TEST_CASE("an input is read word by word, and written as it is read") {
  const fl::InputSpec spec = input_spec_from_text("28x30, bgr resize range=0:255 mean=.485/.456/.406 std=0.2 hwc");
  CHECK(spec.height == 28);
  CHECK(spec.width == 30);
  CHECK(spec.channels == 3);
  CHECK(spec.order == fl::ChannelOrder::reversed);
  CHECK(spec.fit == fl::Fit::resize);
  CHECK(spec.range == fl::ValueRange{0.0, 255.0});
  CHECK(spec.mean == std::vector<double>{0.485, 0.456, 0.406});
  CHECK(spec.std == std::vector<double>{0.2});
  CHECK(spec.layout == fl::PixelLayout::channels_last);
  const std::string text = fl::classify::input_spec_text(spec);
  CHECK(text == "28x30 bgr resize range=0:255 mean=0.485/0.456/0.406 std=0.2 hwc");
  CHECK(fl::classify::input_spec_text(input_spec_from_text(text)) == text);

  const fl::InputSpec usual = input_spec_from_text(" ");
  CHECK(usual.height == 0);
  CHECK(usual.channels == 0);
  CHECK(usual.fit == fl::Fit::centre_crop);
  CHECK(fl::classify::input_spec_text(usual).empty());
  CHECK(input_spec_from_text("grey").channels == 1);
  CHECK(input_spec_from_text("gray crop chw").channels == 1);
}

TEST_CASE("a word that cannot be read is named") {
  for (const char* wrong :
       {"28", "28x", "x28", "0x28", "28x28x1", "28x99999999", "mean=", "mean=a", "mean=1//2", "std=0", "std=-1",
        "range=1", "range=255:0", "range=0:1:2", "RGB", "28x28 14x14", "grey rgb", "mean=1 mean=1"}) {
    CAPTURE(wrong);
    try {
      (void)input_spec_from_text(wrong);
      FAIL("it was read");
    } catch (const fl::Error& error) {
      CHECK(error.code() == fl::ErrorCode::invalid_argument);
    }
  }
  CHECK_THROWS_WITH(input_spec_from_text("28x28 sepia"), ContainsSubstring("\"sepia\" is not understood"));
}
