// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the words of the page mean.

#include <faultline/config.hpp>

#include <string_view>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

inline constexpr std::string_view definitions = R"html(<section id="words">
<h2>What the words mean</h2>
<dl class="words">
<dt>Failure</dt><dd>An answer that the criterion rejects; unless stated otherwise, the most probable class is not the class the image was generated for.</dd>
<dt>Valid image, judge</dt><dd>A second, stronger classifier, the judge, still gives the image its label. Failures on images that it cannot read either are the generator's. Conditions and causes are about valid images.</dd>
<dt>Condition</dt><dd>What failures go with: a measured property of the image, two of them together, or a direction of the generator that no property explains. Found on one half of the samples, then frozen and tested on the other half (fresh samples), corrected for how many were tested.</dd>
<dt>Cause</dt><dd>A condition that changes the failure rate when it is moved on purpose while the other conditions are held, on images that nobody selected by outcome.</dd>
<dt>Would not occur at the usual level (attributable fraction)</dt><dd>The share of the failures that are gone when every image has the condition at the level that is usual for well-classified images of its class. What the change breaks counts against it.</dd>
<dt>Change of the failure rate, points</dt><dd>Failure rate two standard deviations towards failure minus failure rate two standard deviations the other way, of the same images (where both ends fail: the ends against the middle), in percentage points. The bounds hold however often one looks, and for all conditions together. What counts as a change is half the usual failure rate, at least half a point and at most five.</dd>
<dt>Random directions</dt><dd>The same images moved as far in directions that have nothing to do with any condition: what a move by itself does.</dd>
<dt>Improves the prediction, understood (deviance)</dt><dd>How much better one can tell on fresh samples which image fails: 0 % is guessing with the failure rate of the class, 100 % is knowing every outcome.</dd>
<dt>Found again in half-samples</dt><dd>The search is repeated on random halves of its samples: the share in which the condition comes up again. Below one half, take its name with care: another one may stand for the same thing.</dd>
<dt>Start image, latent, w, direction</dt><dd>The generator draws an image from a list of numbers called w, its latent. A direction is a way to change these numbers together. Its unit is one standard deviation (sd) within a class: a move of 1 sd is an everyday difference between two images of a class, a move of 4 sd is a rare one.</dd>
<dt>Distance to failure</dt><dd>How far a well-classified image must be moved until the answer changes (the flip), or until p(y), the probability given to the right class, falls to .5. Medians over start images; those that never get there count as infinitely far. Beside it the property itself, as measured on the images that flip, which compares with real images.</dd>
<dt>Unusual images (off the manifold)</dt><dd>The flip lies where fewer than 1 in 1000 generated images lie: such images may not look like anything the classifier will meet.</dd>
<dt>Common to all classes</dt><dd>How much of the (squared) effect of a direction is the same in every class, 95 % interval behind it. Near 100 %: it hurts all classes alike; near 0 %: it belongs to some.</dd>
<dt>p, adjusted</dt><dd>The chance of so clear a relation if the condition had nothing to do with failure, corrected for the number of conditions tested (Holm).</dd>
<dt>Style channel, carrier</dt><dd>The generator turns w into several thousand numbers, the style channels, each of which steers one feature of the image. Carriers are those that go along with a direction most.</dd>
</dl></section>
)html";

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
