// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of testing/shrink_failure.hpp.

#include <faultline/testing/shrink_failure.hpp>

#include <faultline/analysis/problem/answer_edits.hpp>
#include <faultline/analysis/problem/edit.hpp>
#include <faultline/config.hpp>
#include <faultline/core/matrix.hpp>
#include <faultline/core/number_text.hpp>
#include <faultline/core/ranges.hpp>
#include <faultline/core/sha256.hpp>
#include <faultline/error.hpp>
#include <faultline/sampling/population.hpp>
#include <faultline/testing/detail/corpus_edit.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace testing {
namespace detail {

/// Makes failing samples small, one after the other.
class FailureShrinker {
 public:
  FailureShrinker(std::string who, const ShrinkSource& source, const ShrinkOptions& options)
      : who_(std::move(who)), source_(source), options_(options) {}

  [[nodiscard]] ShrunkFailure operator()(std::int64_t index) {
    const std::int64_t before = made();
    const auto [latent, label] = source_.latent(index);
    const std::vector<float> failing(latent.row_span(0).begin(), latent.row_span(0).end());
    require_failure(failing, label, index);

    ShrunkFailure result;
    result.entry = source_.common;
    result.entry.index = index;
    result.entry.label = label;
    const ClassSamples& fresh = samples_of(label);
    if (const std::optional<std::vector<double>> start = start_of(fresh, failing, label)) {
      result.entry.w = *start;
      start_ = as_floats(*start);
      label_ = label;
      last_image_ = before + options_.max_images;
      list_shifts(fresh, failing);
      const Kept kept = fewest_channels(result.minimal);
      for (const std::size_t k : ascending(kept)) {
        result.entry.channels.push_back(shifts_[k].channel);
        result.entry.shifts.push_back(shifts_[k].shift);
      }
      result.entry.amount = smallest_amount(kept);
    } else {
      for (const float value : failing) result.entry.w.push_back(with_digits(static_cast<double>(value), 9));
      result.entry.note += std::string(result.entry.note.empty() ? "" : " ") +
                           "No sample of its class was answered rightly, so this one is kept as it was drawn.";
    }
    verify(result, failing);
    result.images_made = made() - before;
    return result;
  }

 private:
  /// A style channel and how far the failing sample is from the start there.
  struct ChannelShift {
    std::int64_t channel = 0;
    double shift = 0.0;
    double deviations = 0.0;  ///< |shift| in standard deviations within the class
  };
  using Kept = std::vector<std::size_t>;  ///< positions in `shifts_`

  /// Fresh samples of a class, and which of them are successes.
  struct ClassSamples {
    Matrix<float> w;
    std::vector<std::int64_t> right;
    std::vector<double> deviations;             ///< of every style channel
    std::optional<std::vector<double>> centre;  ///< mean of the successes, where that is one
  };

  /// What became of edits that were asked about together.
  struct Outcomes {
    std::vector<std::uint8_t> fails;  ///< on a valid image
    std::vector<std::uint8_t> right;  ///< no failure, on a valid image
    std::vector<float> log_odds;      ///< of the label
  };

  [[nodiscard]] std::int64_t made() const { return source_.any.cost().generator_images; }

  [[nodiscard]] Outcomes ask(std::span<const analysis::EditedLatent> edits) const {
    Outcomes outcomes;
    analysis::answer_in_blocks(source_.any.problem.answer_edits, edits, {.judge = source_.any.problem.has_judge},
                               [&](std::size_t, const analysis::EditAnswers& answers) {
                                 const analysis::ClassifierAnswers& said = answers.first();
                                 for (std::size_t i = 0; i < said.failed.size(); ++i) {
                                   const bool valid = answers.judge_agrees.empty() || answers.judge_agrees[i] != 0;
                                   outcomes.fails.push_back(valid && said.failed[i] != 0 ? 1 : 0);
                                   outcomes.right.push_back(valid && said.failed[i] == 0 ? 1 : 0);
                                   outcomes.log_odds.push_back(said.log_odds[i]);
                                 }
                               });
    return outcomes;
  }
  [[nodiscard]] Outcomes ask_latents(const Matrix<float>& w, std::int64_t label) const {
    std::vector<analysis::EditedLatent> edits;
    for (std::int64_t i = 0; i < w.rows(); ++i) edits.push_back({{w.row_span(i), label}});
    return ask(edits);
  }
  /// The start with these channels shifted, for each of the lists.
  [[nodiscard]] Outcomes ask_kept(std::span<const Kept> lists) const {
    std::vector<analysis::EditedLatent> edits;
    for (const Kept& kept : lists) edits.push_back({{start_, label_}, edit_with(kept, 1.0)});
    return ask(edits);
  }

  [[nodiscard]] analysis::Edit edit_with(const Kept& kept, double amount) const {
    std::vector<std::int64_t> channels;
    std::vector<double> shifts;
    for (const std::size_t k : kept) {
      channels.push_back(shifts_[k].channel);
      shifts.push_back(shifts_[k].shift);
    }
    return analysis::Edit::of_channels(std::move(channels), std::move(shifts), amount);
  }
  [[nodiscard]] Kept ascending(Kept kept) const {
    std::ranges::sort(kept, {}, [&](std::size_t k) { return shifts_[k].channel; });
    return kept;
  }

  void require_failure(std::span<const float> w, std::int64_t label, std::int64_t index) const {
    const Outcomes said = ask(std::vector<analysis::EditedLatent>{{{w, label}}});
    if (said.fails.front() != 0) return;
    throw Error(ErrorCode::invalid_argument, who_,
                "sample " + std::to_string(index) + " of the seed " + std::to_string(options_.seed) + " (label " +
                    std::to_string(label) + ") " +
                    (said.right.front() != 0 ? "does not fail, so there is nothing to make small"
                                             : "has another label by the judge, so it is no known failure") +
                    "; give the index of a failing sample, or let collect_failures look for some");
  }

  const ClassSamples& samples_of(std::int64_t label) {
    const auto [entry, is_new] = classes_.try_emplace(label);
    ClassSamples& fresh = entry->second;
    if (!is_new) return fresh;
    fresh.w = source_.class_latents(label, options_.class_samples);
    const Outcomes said = ask_latents(fresh.w, label);
    for (std::int64_t i = 0; i < fresh.w.rows(); ++i)
      if (said.right[static_cast<std::size_t>(i)] != 0) fresh.right.push_back(i);

    const Matrix<double> w = fresh.w.cast<double>();
    const Matrix<double> centred = w.rowwise() - w.colwise().mean();
    const Matrix<double> styles = source_.any.problem.style_matrix * centred.transpose();
    for (std::int64_t k = 0; k < styles.rows(); ++k)
      fresh.deviations.push_back(styles.row(k).norm() / std::sqrt(static_cast<double>(w.rows() - 1)));

    if (fresh.right.empty()) return fresh;
    std::vector<double> mean(static_cast<std::size_t>(w.cols()), 0.0);
    for (std::int64_t j = 0; j < w.cols(); ++j) {
      double sum = 0.0;
      for (const std::int64_t i : fresh.right) sum += w(i, j);
      mean[static_cast<std::size_t>(j)] = with_digits(sum / static_cast<double>(fresh.right.size()), 6);
    }
    const std::vector<float> at = as_floats(mean);
    if (ask(std::vector<analysis::EditedLatent>{{{at, label}}}).right.front() != 0) fresh.centre = mean;
    return fresh;
  }

  /// The mean of the successes, or the success next to the failing sample; nothing without successes.
  [[nodiscard]] std::optional<std::vector<double>> start_of(const ClassSamples& fresh, std::span<const float> failing,
                                                            std::int64_t label) const {
    if (fresh.centre) return fresh.centre;
    const auto distance = [&](std::int64_t i) {
      double sum = 0.0;
      for (std::size_t j = 0; j < failing.size(); ++j) {
        const double step =
            static_cast<double>(fresh.w(i, static_cast<std::int64_t>(j))) - static_cast<double>(failing[j]);
        sum += step * step;
      }
      return sum;
    };
    std::vector<std::int64_t> nearest = fresh.right;
    std::ranges::stable_sort(nearest, {}, distance);
    nearest.resize(std::min<std::size_t>(nearest.size(), 8));  // rounding may take the rightness of one, not of eight
    std::vector<std::vector<double>> starts;
    std::vector<std::vector<float>> latents;
    std::vector<analysis::EditedLatent> edits;
    for (const std::int64_t i : nearest) {
      std::vector<double>& start = starts.emplace_back();
      for (const float value : fresh.w.row_span(i)) start.push_back(with_digits(static_cast<double>(value), 6));
      latents.push_back(as_floats(start));
    }
    for (const std::vector<float>& latent : latents) edits.push_back({{latent, label}});
    const Outcomes said = ask(edits);
    const auto first = std::ranges::find_if(said.right, [](std::uint8_t right) { return right != 0; });
    if (first == said.right.end()) return std::nullopt;
    return starts[static_cast<std::size_t>(first - said.right.begin())];
  }

  /// All channels that differ, those that differ by the most standard deviations first: s = A w + b.
  void list_shifts(const ClassSamples& fresh, std::span<const float> failing) {
    const Matrix<double>& a = source_.any.problem.style_matrix;
    shifts_.clear();
    for (std::int64_t k = 0; k < a.rows(); ++k) {
      double shift = 0.0;
      for (std::size_t j = 0; j < failing.size(); ++j)
        shift +=
            a(k, static_cast<std::int64_t>(j)) * (static_cast<double>(failing[j]) - static_cast<double>(start_[j]));
      shift = with_digits(shift, 6);
      if (shift == 0.0) continue;
      const double deviation = fresh.deviations[static_cast<std::size_t>(k)];
      shifts_.push_back({k, shift, deviation > 0.0 ? std::abs(shift) / deviation : 0.0});
    }
    std::ranges::stable_sort(shifts_, std::ranges::greater{}, &ChannelShift::deviations);
  }

  /// Leaves channels out as long as the image fails without them; `minimal`: none is left that could be.
  [[nodiscard]] Kept fewest_channels(bool& minimal) const {
    Kept kept = shortest_prefix();
    // Coarser groups would be cheaper, and cost channels: strong ones go with weak ones that are shifted as far
    for (std::size_t groups = 256; made() < last_image_; groups *= 4) {
      groups = std::min(groups, kept.size());
      const bool single = groups == kept.size();
      minimal = kept.size() == 1;  // without it the start is left, which is right
      if (minimal || (!leave_groups_out(kept, groups) && single)) {
        minimal = true;
        break;
      }
    }
    return kept;
  }

  /// Cuts the list into groups and leaves out as many as it can, each of them asked about by itself first; false where
  /// none can be missed.
  bool leave_groups_out(Kept& kept, std::size_t groups) const {
    std::vector<std::uint8_t> gone(groups, 0);
    std::size_t left = groups;
    const auto without = [&](std::span<const std::size_t> more) {
      std::vector<std::uint8_t> missing = gone;
      for (const std::size_t g : more) missing[g] = 1;
      Kept list;
      for (std::size_t i = 0; i < kept.size(); ++i)
        if (missing[i * groups / kept.size()] == 0) list.push_back(kept[i]);
      return list;
    };
    std::vector<std::size_t> candidates(groups);
    std::iota(candidates.begin(), candidates.end(), std::size_t{0});
    while (!candidates.empty() && left > 1 && (left == groups || made() < last_image_)) {
      std::vector<Kept> lists;
      for (const std::size_t g : candidates) lists.push_back(without(std::span(&g, 1)));
      const Outcomes said = ask_kept(lists);
      std::vector<std::size_t> order;  // positions among the candidates
      for (std::size_t c = 0; c < candidates.size(); ++c)
        if (said.fails[c] != 0) order.push_back(c);
      // First those without which the failure is clearest; among equals those that are shifted least
      std::ranges::stable_sort(order, [&](std::size_t x, std::size_t y) {
        return said.log_odds[x] != said.log_odds[y] ? said.log_odds[x] < said.log_odds[y] : x > y;
      });
      std::vector<std::size_t> dispensable;
      for (const std::size_t c : order) dispensable.push_back(candidates[c]);
      if (dispensable.empty()) break;
      const std::size_t most = std::min(dispensable.size(), left - 1);
      const std::size_t together =
          most_together(most, [&](std::size_t count) { return without(std::span(dispensable).first(count)); });
      for (std::size_t m = 0; m < together; ++m) gone[dispensable[m]] = 1;
      left -= together;
      candidates.assign(dispensable.begin() + static_cast<std::ptrdiff_t>(together), dispensable.end());
    }
    if (left == groups) return false;
    kept = without({});
    return true;
  }

  /// The largest count up to `most` whose list still fails, as 1 is known to; looked for in two rounds.
  template <class ListWithout>
  [[nodiscard]] std::size_t most_together(std::size_t most, const ListWithout& list_without) const {
    std::size_t fails = 1, beyond = most + 1;
    for (int round = 0; round < 2 && beyond > fails + 1; ++round) {
      constexpr std::size_t points = 8;
      const std::size_t gap = beyond - 1 - fails;  // counts that are open
      std::vector<std::size_t> counts;
      std::vector<Kept> lists;
      for (std::size_t i = 1; i <= std::min(gap, points); ++i) {
        counts.push_back(fails + i * gap / std::min(gap, points));
        lists.push_back(list_without(counts.back()));
      }
      const Outcomes said = ask_kept(lists);
      for (std::size_t i = counts.size(); i-- > 0;) {
        if (said.fails[i] != 0) {
          fails = counts[i];
          break;
        }
        beyond = counts[i];
      }
    }
    return fails;
  }

  /// The channels shifted most, as few as fail together, up to a factor of two.
  [[nodiscard]] Kept shortest_prefix() const {
    std::vector<Kept> prefixes;
    for (std::size_t size = 1;; size = std::min(2 * size, shifts_.size())) {
      Kept& prefix = prefixes.emplace_back(std::min(size, shifts_.size()));
      std::iota(prefix.begin(), prefix.end(), std::size_t{0});
      if (size >= shifts_.size()) break;
    }
    const Outcomes said = ask_kept(prefixes);
    for (std::size_t i = 0; i < prefixes.size(); ++i)
      if (said.fails[i] != 0) return prefixes[i];
    throw Error(ErrorCode::not_converged, who_,
                "the sample fails, but its styles, reached from a right answer, do not: the failure hangs on the last "
                "bits of its image; take another sample");
  }

  /// The smallest amount that fails, on a grid of 1/256, and 1/64 more where that fails too.
  [[nodiscard]] double smallest_amount(const Kept& kept) const {
    const auto first_failing = [&](std::span<const double> amounts) {
      std::vector<analysis::EditedLatent> edits;
      for (const double amount : amounts) edits.push_back({{start_, label_}, edit_with(kept, amount)});
      const Outcomes said = ask(edits);
      const auto found = std::ranges::find_if(said.fails, [](std::uint8_t fails) { return fails != 0; });
      return found == said.fails.end() ? std::optional<double>()
                                       : amounts[static_cast<std::size_t>(found - said.fails.begin())];
    };
    double smallest = 1.0;
    for (const double step : {1.0 / 16, 1.0 / 256}) {
      std::vector<double> amounts;
      const double from = smallest - 16.0 * step;
      for (int i = 1; i < 16; ++i) amounts.push_back(from + i * step);
      smallest = first_failing(amounts).value_or(smallest);
    }
    constexpr double step = 1.0 / 256;
    return first_failing(std::vector{smallest + 4 * step, smallest + 2 * step, smallest + step}).value_or(smallest);
  }

  /// Asks the entry as a later build will: among other images and alone; takes answer, pictures and name from that.
  void verify(ShrunkFailure& result, std::span<const float> failing) const {
    CorpusEntry& entry = result.entry;
    const std::vector<float> start = as_floats(entry.w);
    const std::vector<analysis::EditedLatent> edits{
        {{start, entry.label}}, {{start, entry.label}, edit_of(entry)}, {{failing, entry.label}}};
    analysis::EditAnswers among = source_.any.problem.answer_edits(edits, {.images = true});
    const analysis::EditAnswers alone =
        source_.any.problem.answer_edits(std::span(edits).subspan(1, 1), {.alone = true});
    entry.batch = among.first().failed[1] != 0;
    entry.alone = alone.first().failed[0] != 0;
    if (!entry.batch && !entry.alone)
      throw Error(
          ErrorCode::not_converged, who_,
          "sample " + std::to_string(entry.index) +
              " fails or not, depending on the other images of its batch, so that no later build could be asked "
              "about it; take another sample");
    entry.answer = entry.batch ? among.first().prediction[1] : alone.first().prediction[0];
    entry.probability =
        with_digits(static_cast<double>(entry.batch ? among.first().probability[1] : alone.first().probability[0]), 6);
    result.images = std::move(among.images);
    entry.name = options_.name;
    if (!entry.name.empty()) return;
    std::string edited = entry.generator_digest + number_text(entry.amount);
    for (const double value : entry.w) edited += " " + number_text(value);
    for (std::size_t j = 0; j < entry.channels.size(); ++j)
      edited += " " + std::to_string(entry.channels[j]) + " " + number_text(entry.shifts[j]);
    entry.name =
        std::to_string(entry.label) + "_as_" + std::to_string(entry.answer) + "_" + sha256_hex(edited).substr(0, 8);
  }

  std::string who_;
  const ShrinkSource& source_;
  const ShrinkOptions& options_;
  std::map<std::int64_t, ClassSamples> classes_;
  // Of the failure that is made small just now
  std::vector<float> start_;
  std::int64_t label_ = 0;
  std::vector<ChannelShift> shifts_;
  std::int64_t last_image_ = 0;
};

FAULTLINE_INLINE void check_shrinking(const std::string& who, Noise noise, std::int64_t class_samples,
                                      std::int64_t max_images) {
  if (noise == Noise::random)
    throw Error(
        ErrorCode::invalid_argument, who,
        "with random noise no image comes twice, so no failure can be kept; use Noise::constant or Noise::none");
  core::require_in(who, "class_samples", class_samples, 2, limits::latents);
  core::require_in(who, "max_images", max_images, 1, limits::samples);
}

FAULTLINE_INLINE std::vector<ShrunkFailure> shrink_failures(const std::string& who, const ShrinkSource& source,
                                                            const ShrinkOptions& options,
                                                            const std::vector<std::int64_t>& samples) {
  FailureShrinker shrink(who, source, options);
  std::vector<ShrunkFailure> result;
  for (const std::int64_t index : samples) result.push_back(shrink(index));
  return result;
}

FAULTLINE_INLINE std::vector<std::int64_t> failing_samples(const ShrinkSource& source, std::int64_t count,
                                                           std::int64_t max_samples, std::int64_t batch_size) {
  std::vector<std::int64_t> found;
  const std::int64_t block = 4 * batch_size;
  for (std::int64_t first = 0; first < max_samples && static_cast<std::int64_t>(found.size()) < count; first += block) {
    const Population drawn = source.any.sample(core::gate_first + first, std::min(block, max_samples - first), "");
    for (std::size_t i = 0; i < drawn.index.size() && static_cast<std::int64_t>(found.size()) < count; ++i)
      if (drawn.failed[i] != 0 && drawn.is_valid(i)) found.push_back(drawn.index[i]);
  }
  return found;
}

}  // namespace detail
}  // namespace testing
}  // namespace v1
}  // namespace faultline
