// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// What the words of the pages mean: one text for reports and for docs/reference/glossary.md, which a test compares with
// it.

#include <faultline/render/detail/html_parts.hpp>

#include <array>
#include <string>
#include <string_view>

namespace faultline {
inline namespace v1 {
namespace render {
namespace detail {

/// The pages that explain a word, to be combined.
enum class WordPage : unsigned { report = 1, comparison = 2, conditions = 4 };

struct Word {
  std::string_view term, meaning;
  unsigned pages;
};

inline constexpr unsigned on_report = static_cast<unsigned>(WordPage::report),
                          on_comparison = static_cast<unsigned>(WordPage::comparison),
                          on_conditions = static_cast<unsigned>(WordPage::conditions),
                          on_all = on_report | on_comparison | on_conditions;

// clang-format off
inline constexpr std::array page_words{
    Word{"Failure", "An answer that the criterion rejects; unless stated otherwise, the most probable class is not the class of the image: the one it was generated for, or its label.", on_all},
    Word{"Valid image, judge", "A second, stronger classifier, the judge, still gives the image its class. Failures on images that it cannot read either are the generator's. Conditions and causes are about valid images. Without a judge every image counts as valid. A judge that is itself compared never agrees with its own failures.", on_report | on_comparison},
    Word{"Condition", "What failures go with: a measured property of the image, two of them together, or a direction of the generator that no property explains. Chosen on one split of the samples, then frozen and tested on the other (held-out samples), corrected for how many were tested.", on_all},
    Word{"Goes with", "Images that fail have more, or less, of the property. Another property that comes along with it and was not measured may be what matters. Only changing an image on purpose can tell.", on_conditions},
    Word{"Cause", "A condition that changes the failure rate when it is moved on purpose while the other conditions are held, on images that nobody selected by outcome.", on_report},
    Word{"Would not occur at the usual level (attributable fraction)", "The share of the failures that are gone when every image has the condition at the level that is usual for well-classified images of its class. What the change breaks counts against it.", on_report},
    Word{"Usual level", "The median of the images of the class that the classifier gets right, the other conditions held.", on_report | on_comparison},
    Word{"Change of the failure rate, points", "Failure rate two standard deviations towards failure minus failure rate two standard deviations the other way, of the same images (where both ends fail: the ends against the middle), in percentage points. The bounds hold however often one looks, and for all conditions together. What counts as a change is half the usual failure rate, at least half a point and at most two and a half.", on_report},
    Word{"Random directions", "The same images moved as far in directions that have nothing to do with any condition: what a change of that size does, whatever its direction.", on_report},
    Word{"On what one is right and the other wrong", "Conditions that set apart the images on which the one is right and the other wrong from those that both get right. They are chosen on one split of the samples and tested on the other (p, adjusted for all conditions of all pairs and orders), and then images are moved: a condition is listed first only if moving it brings about this outcome, and changes the failure rate of the one that is wrong more than that of the other. A fault that both share separates nobody.", on_comparison},
    Word{"Would not be so at its usual level", "The share of the images on which the one is right and the other wrong that would no longer be so if every image had the condition at the level that is usual where both are right.", on_comparison},
    Word{"Improves the prediction, understood (deviance)", "How much better one can tell on held-out samples which image fails: 0 % is guessing with the failure rate of the class, 100 % is knowing every outcome.", on_report},
    Word{"Share of the deviance", "How much of what can be known of the outcomes a condition tells beyond the class and the conditions before it: 0 is nothing, 100 % is everything. With its 95 % interval, on the test images.", on_conditions},
    Word{"Found again in half-samples", "The search is repeated on random halves of its samples: the share in which the condition comes up again. Below one half, take its name with care: another one may stand for the same thing.", on_report | on_conditions},
    Word{"Start image, latent, w, direction", "The generator draws an image from a list of numbers called w, its latent. A direction is a way to change these numbers together. Its unit is one standard deviation (sd) within a class: an edit of 1 sd is an everyday difference between two images of a class, an edit of 4 sd is a rare one.", on_report | on_comparison},
    Word{"Distance to failure", "How far a well-classified image must be moved until the answer changes (the flip), or until p(y), the probability given to the right class, falls to .5. Medians over start images; those that never get there count as infinitely far. Beside it the property itself, as measured on the images that flip, which compares with real images.", on_report},
    Word{"Distance to the flip", "How far an image that all classifiers get right has to be moved until this classifier's answer becomes a failure. Medians over the images; images that never get there within 10 sd count as infinitely far, and ratios with them are bounds. Where the judge agrees with few of the flipped images, the image has changed rather than the classifier given way.", on_comparison},
    Word{"Unusual images (off the manifold)", "The flip lies where fewer than 1 in 1000 generated images lie: such images may not look like anything the classifier will meet.", on_report},
    Word{"Common to all classes", "How much of the (squared) difference between failures and passes along a direction is the same in every class, with its 95 % interval. Near 100 %: it sets failures apart in all classes alike; near 0 %: in some only.", on_report},
    Word{"p, adjusted", "The chance of so clear a result if there were nothing to find, corrected for the number of questions of its kind (Holm).", on_all},
    Word{"Style channel, carrier", "The generator turns w into several thousand numbers, the style channels, each of which steers one feature of the image. Carriers are those that go along with a direction most.", on_report},
};
// clang-format on

/// The section of a page with the words that it explains.
inline std::string words_section(WordPage page) {
  std::string out = "<section id=\"words\">\n<h2>What the words mean</h2>\n<dl class=\"words\">\n";
  for (const Word& word : page_words)
    if (word.pages & static_cast<unsigned>(page))
      out += "<dt>" + html(word.term) + "</dt><dd>" + html(word.meaning) + "</dd>\n";
  return out + "</dl></section>\n";
}

}  // namespace detail
}  // namespace render
}  // namespace v1
}  // namespace faultline
