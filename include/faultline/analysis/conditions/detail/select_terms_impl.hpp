// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
// Definitions of analysis/conditions/select_terms.hpp.

#include <faultline/analysis/conditions/select_terms.hpp>

#include <faultline/analysis/conditions/residual_directions.hpp>
#include <faultline/core/parallel_for.hpp>
#include <faultline/core/random.hpp>
#include <faultline/error.hpp>
#include <faultline/statistics/distributions.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace faultline {
inline namespace v1 {
namespace analysis {
namespace detail {

/// Columns of a matrix at some rows.
[[nodiscard]] inline Matrix<double> rows_at(const Matrix<double>& x, std::span<const std::int64_t> rows) {
  Matrix<double> part(static_cast<std::int64_t>(rows.size()), x.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::ranges::copy(x.row_span(rows[i]), part.row_span(static_cast<std::int64_t>(i)).begin());
  return part;
}

/// A candidate that passed the screen.
struct Screened {
  Term term;
  statistics::ScoreTest test;
};

/// What adding a term gains.
struct Gain {
  double deviance = 0.0;
  double z = 0.0;
};

class TermSelector {
 public:
  TermSelector(const ConditionSample& sample, const ReadingVectors& reading_vectors,
               std::span<const std::uint8_t> admitted, const SelectionOptions& options)
      : sample_(sample), reading_vectors_(reading_vectors), options_(options) {
    for (std::int64_t k = 0; k < sample.properties(); ++k)
      if (admitted.empty() || admitted[static_cast<std::size_t>(k)] != 0) properties_.push_back(k);
    count_outcomes();
    bases_.resize(2 * properties_.size());
    parallel_for(static_cast<std::int64_t>(properties_.size()), 0, [&](std::int64_t i) {
      const std::int64_t k = properties_[static_cast<std::size_t>(i)];
      bases_[static_cast<std::size_t>(2 * i)] = term_columns({.kind = TermKind::value, .property = k}, sample_);
      if (has_projection(k))
        bases_[static_cast<std::size_t>(2 * i + 1)] =
            term_columns({.kind = TermKind::projection, .property = k}, sample_);
    });
    columns_ = Matrix<double>(sample.size(), 0);
    selection_.fit = statistics::fit_logistic(columns_, sample.label, sample.failed, sample.classes);
    selection_.null_deviance = selection_.fit.deviance;
    make_folds();
  }

  [[nodiscard]] SelectedTerms run() {
    bool more = true;
    while (more) {
      while (add_property_term()) {}
      more = options_.directions && add_direction();
    }
    return std::move(selection_);
  }

 private:
  struct Fold {
    std::vector<std::int64_t> train, held;
    std::vector<std::int64_t> train_label, held_label;
    std::vector<std::uint8_t> train_failed, held_failed;
    statistics::LogisticFit fit;   // of the current model on `train`
    std::vector<double> deviance;  // of `held` under it
  };

  void count_outcomes() {
    std::vector<std::int64_t> failures(static_cast<std::size_t>(sample_.classes), 0), all = failures;
    for (std::size_t i = 0; i < sample_.label.size(); ++i) {
      const auto c = static_cast<std::size_t>(sample_.label[i]);
      ++all[c];
      failures[c] += sample_.failed[i] != 0 ? 1 : 0;
    }
    for (std::size_t c = 0; c < all.size(); ++c)
      if (failures[c] >= options_.class_outcomes && all[c] - failures[c] >= options_.class_outcomes)
        classes_.push_back(static_cast<std::int64_t>(c));
    if (sample_.classes == 1) classes_.clear();  // its own terms would be those of all
  }

  [[nodiscard]] bool has_projection(std::int64_t k) const {
    return sample_.whitened.cols() > 0 && reading_vectors_.r_squared[static_cast<std::size_t>(k)] >= least_r_squared;
  }

  /// Folds that share out the failures and the successes of every class.
  void make_folds() {
    folds_.resize(static_cast<std::size_t>(options_.folds));
    core::CounterRandom random(options_.seed, core::Stream::splits, 0);
    std::vector<std::int64_t> fold_of(sample_.label.size(), 0);
    std::int64_t next = 0;
    for (std::size_t first = 0; first < sample_.label.size();) {
      std::size_t last = first;
      while (last < sample_.label.size() && sample_.label[last] == sample_.label[first]) ++last;
      for (const int outcome : {1, 0}) {
        std::vector<std::size_t> members;
        for (std::size_t i = first; i < last; ++i)
          if ((sample_.failed[i] != 0 ? 1 : 0) == outcome) members.push_back(i);
        for (std::size_t i = 0; i + 1 < members.size(); ++i)
          std::swap(members[i],
                    members[i + static_cast<std::size_t>(random.below(static_cast<std::int64_t>(members.size() - i)))]);
        for (const std::size_t i : members) fold_of[i] = next++ % options_.folds;
      }
      first = last;
    }
    for (std::size_t f = 0; f < folds_.size(); ++f) {
      Fold& fold = folds_[f];
      for (std::size_t i = 0; i < fold_of.size(); ++i) {
        const bool held = fold_of[i] == static_cast<std::int64_t>(f);
        (held ? fold.held : fold.train).push_back(static_cast<std::int64_t>(i));
        (held ? fold.held_label : fold.train_label).push_back(sample_.label[i]);
        (held ? fold.held_failed : fold.train_failed).push_back(sample_.failed[i]);
      }
    }
    refit_folds();
  }

  /// Directions are always cross-validated, but most selections never come to one.
  void refit_folds() {
    if (options_.comparing != Comparing::cross_validation && !folds_wanted_) return;
    parallel_for(static_cast<std::int64_t>(folds_.size()), 0, [&](std::int64_t f) {
      Fold& fold = folds_[static_cast<std::size_t>(f)];
      const bool first = fold.fit.intercepts.empty();
      fold.fit = statistics::fit_logistic(rows_at(columns_, fold.train), fold.train_label, fold.train_failed,
                                          sample_.classes, {}, first ? nullptr : &fold.fit);
      fold.deviance = statistics::deviances(
          statistics::linear_predictor(fold.fit, rows_at(columns_, fold.held), fold.held_label), fold.held_failed);
    });
  }

  [[nodiscard]] Matrix<double> extended(const Matrix<double>& more) const {
    Matrix<double> columns(columns_.rows(), columns_.cols() + more.cols());
    columns.leftCols(columns_.cols()) = columns_;
    columns.rightCols(more.cols()) = more;
    return columns;
  }

  /// Cross-validated gain of candidates; `columns_in_fold(i, f)` are the candidate's columns on all samples when it is
  /// fitted without fold f.
  template <class Columns>
  [[nodiscard]] std::vector<Gain> cross_validated(std::size_t count, const Columns& columns_in_fold) const {
    const std::size_t folds = folds_.size();
    std::vector<std::vector<double>> gained(count * folds);
    parallel_for(static_cast<std::int64_t>(count * folds), 0, [&](std::int64_t piece) {
      const std::size_t i = static_cast<std::size_t>(piece) / folds, f = static_cast<std::size_t>(piece) % folds;
      const Fold& fold = folds_[f];
      const std::optional<Matrix<double>> more = columns_in_fold(i, f);
      std::vector<double>& gain = gained[static_cast<std::size_t>(piece)];
      gain.assign(fold.held.size(), 0.0);
      if (!more) return;
      const Matrix<double> columns = extended(*more);
      const statistics::LogisticFit fit = statistics::fit_logistic(rows_at(columns, fold.train), fold.train_label,
                                                                   fold.train_failed, sample_.classes, {}, &fold.fit);
      const std::vector<double> deviance = statistics::deviances(
          statistics::linear_predictor(fit, rows_at(columns, fold.held), fold.held_label), fold.held_failed);
      for (std::size_t k = 0; k < gain.size(); ++k) gain[k] = fold.deviance[k] - deviance[k];
    });
    std::vector<Gain> result(count);
    for (std::size_t i = 0; i < count; ++i) {
      double sum = 0.0, squares = 0.0, n = 0.0;
      for (std::size_t f = 0; f < folds; ++f)
        for (const double gain : gained[i * folds + f]) sum += gain, squares += gain * gain, n += 1.0;
      result[i].deviance = sum;
      const double variance = squares - sum * sum / std::max(1.0, n);
      result[i].z = variance > 0.0 ? sum / std::sqrt(variance) : 0.0;
    }
    return result;
  }

  [[nodiscard]] std::vector<Gain> gains_of(const std::vector<Screened>& candidates) const {
    if (options_.comparing == Comparing::score_test) {
      std::vector<Gain> gains;
      for (const Screened& candidate : candidates) {
        const double gain = candidate.test.statistic - 2.0 * static_cast<double>(column_count(candidate.term));
        gains.push_back({gain, gain > 0.0 ? 0.5 * std::sqrt(gain) : 0.0});
      }
      return gains;
    }
    std::vector<Matrix<double>> columns(candidates.size());
    parallel_for(static_cast<std::int64_t>(candidates.size()), 0, [&](std::int64_t i) {
      columns[static_cast<std::size_t>(i)] = term_columns(candidates[static_cast<std::size_t>(i)].term, sample_);
    });
    if (options_.comparing == Comparing::cross_validation)
      return cross_validated(candidates.size(),
                             [&](std::size_t i, std::size_t) -> std::optional<Matrix<double>> { return columns[i]; });
    std::vector<Gain> gains(candidates.size());
    parallel_for(static_cast<std::int64_t>(candidates.size()), 0, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      const statistics::LogisticFit fit = statistics::fit_logistic(extended(columns[at]), sample_.label, sample_.failed,
                                                                   sample_.classes, {}, &selection_.fit);
      const double gain = selection_.fit.deviance - fit.deviance - 2.0 * static_cast<double>(columns[at].cols());
      gains[at] = {gain, gain > 0.0 ? 0.5 * std::sqrt(gain) : 0.0};
    });
    return gains;
  }

  [[nodiscard]] bool selected(const Term& term) const {
    return std::find(selection_.terms.begin(), selection_.terms.end(), term) != selection_.terms.end();
  }
  [[nodiscard]] bool has_property(std::int64_t k) const {
    return std::any_of(selection_.terms.begin(), selection_.terms.end(),
                       [&](const Term& term) { return term.property == k || term.other == k; });
  }

  /// Every candidate of phase 1 with its score test.
  [[nodiscard]] std::vector<Screened> screen() {
    const statistics::ScoreScreen tests(selection_.fit, columns_, sample_.label, sample_.failed, sample_.classes);
    const auto count = static_cast<std::int64_t>(properties_.size());
    std::vector<std::vector<Screened>> found(static_cast<std::size_t>(3 * count));
    parallel_for(3 * count, 0, [&](std::int64_t piece) {
      const std::int64_t i = piece / 3, k = properties_[static_cast<std::size_t>(i)];
      std::vector<Screened>& own = found[static_cast<std::size_t>(piece)];
      if (piece % 3 == 2) {  // pairs with later properties; with many properties, only those with a selected member
        for (std::int64_t j = i + 1; j < count; ++j) {
          const std::int64_t other = properties_[static_cast<std::size_t>(j)];
          if (count > 30 && !has_property(k) && !has_property(other)) continue;
          Term term{.kind = TermKind::pair, .property = k, .other = other};
          if (selected(term)) continue;
          own.push_back({term, tests.test(tests.sums(term_columns(term, sample_)))});
        }
        return;
      }
      const Matrix<double>& basis = bases_[static_cast<std::size_t>(2 * i + piece % 3)];
      if (basis.rows() == 0) return;
      const auto sums = tests.sums(basis);
      Term term{.kind = piece % 3 == 0 ? TermKind::value : TermKind::projection, .property = k};
      if (!selected(term)) own.push_back({term, tests.test(sums)});
      for (const std::int64_t c : classes_) {
        term.class_label = c;
        if (!selected(term)) own.push_back({term, tests.test(sums[static_cast<std::size_t>(c)])});
      }
    });
    std::vector<Screened> all;
    for (std::vector<Screened>& part : found)
      for (Screened& candidate : part) all.push_back(std::move(candidate));
    return all;
  }

  /// 0 value, 1 projection, 2 of one class, 3 pair: simpler first.
  [[nodiscard]] static int complexity(const Term& term) {
    if (term.kind == TermKind::pair) return 3;
    if (term.class_label) return 2;
    return term.kind == TermKind::projection ? 1 : 0;
  }

  /// Whether `simpler` says less about the same property than `term`.
  [[nodiscard]] static bool simpler_than(const Term& simpler, const Term& term) {
    return complexity(simpler) < complexity(term) && simpler.property >= 0 &&
           (simpler.property == term.property || simpler.property == term.other);
  }

  bool add_property_term() {
    std::int64_t distinct = 0;
    for (const std::int64_t k : properties_) distinct += has_property(k) ? 1 : 0;
    std::vector<Screened> all = screen();
    if (selection_.terms.empty()) selection_.candidates = static_cast<std::int64_t>(all.size());
    const double critical = options_.alpha / std::max(1.0, static_cast<double>(all.size()));
    std::erase_if(all, [&](const Screened& candidate) {
      return !(candidate.test.p <= critical) ||
             (distinct >= options_.properties && !has_property(candidate.term.property));
    });
    if (all.empty()) return false;
    std::stable_sort(all.begin(), all.end(),
                     [](const Screened& a, const Screened& b) { return a.test.statistic > b.test.statistic; });
    // the best three, the best of each kind, and what is simpler about the best one's property
    std::vector<Screened> best;
    bool seen[4] = {};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const int kind = complexity(all[i].term);
      if (i < 3 || !seen[kind] || simpler_than(all[i].term, all[0].term)) best.push_back(all[i]);
      seen[kind] = true;
    }
    const std::vector<Gain> gains = gains_of(best);
    std::optional<std::size_t> chosen;
    for (std::size_t i = 0; i < best.size(); ++i)
      if (gains[i].z >= options_.least_z && (!chosen || gains[i].deviance > gains[*chosen].deviance)) chosen = i;
    if (!chosen) return false;
    const std::size_t strongest = *chosen;
    for (std::size_t i = 0; i < best.size(); ++i)
      if (gains[i].z >= options_.least_z && gains[i].deviance >= 0.7 * gains[strongest].deviance &&
          simpler_than(best[i].term, best[strongest].term) &&
          (chosen == strongest || complexity(best[i].term) < complexity(best[*chosen].term)))
        chosen = i;
    accept(best[*chosen].term, gains[*chosen].deviance);
    return true;
  }

  void accept(const Term& term, double gain) {
    columns_ = extended(term_columns(term, sample_));
    selection_.fit =
        statistics::fit_logistic(columns_, sample_.label, sample_.failed, sample_.classes, {}, &selection_.fit);
    selection_.terms.push_back(term);
    selection_.gains.push_back(gain);
    refit_folds();
  }

  [[nodiscard]] std::optional<Term> found_again(const Term& term, const ConditionSample& part, const Matrix<double>& x,
                                                const statistics::LogisticFit& fit, const Matrix<double>& held) const {
    if (term.kind == TermKind::direction) return residual_direction(part, x, fit, held, term.class_label);
    return residual_subspace(part, fit, held, options_.seed, term.class_label, term.directions.rows());
  }

  /// The omnibus test of a linear part of the residuals, in all classes or one.
  [[nodiscard]] std::vector<Screened> propose(const Matrix<double>& held) {
    std::vector<Screened> proposals;
    const statistics::ScoreScreen tests(selection_.fit, columns_, sample_.label, sample_.failed, sample_.classes);
    const std::int64_t free = sample_.whitened.cols() - held.rows();
    // an orthonormal basis of what is free would do; projected coordinates are simpler, and the ridge makes them
    // regular
    const auto sums = tests.sums(off_span(sample_.whitened, held));
    const auto omnibus = [&](const statistics::ScoreTest& test, double family) {
      return statistics::chi_squared_upper_tail(static_cast<double>(free), test.statistic) * family <= options_.alpha;
    };
    if (omnibus(tests.test(sums), 1.0))
      if (auto term = residual_direction(sample_, columns_, selection_.fit, held)) proposals.push_back({*term, {}});
    if (auto term = residual_subspace(sample_, selection_.fit, held, options_.seed)) proposals.push_back({*term, {}});
    std::int64_t in_class = 0;
    for (const Term& term : selection_.terms) in_class += !term.directions.empty() && term.class_label ? 1 : 0;
    if (in_class < options_.class_subspaces * static_cast<std::int64_t>(classes_.size())) {
      std::optional<std::int64_t> best;
      statistics::ScoreTest strongest;
      for (const std::int64_t c : classes_) {
        const statistics::ScoreTest test = tests.test(sums[static_cast<std::size_t>(c)]);
        if (!best || test.p < strongest.p) best = c, strongest = test;
      }
      if (best && omnibus(strongest, static_cast<double>(classes_.size())))
        if (auto term = residual_direction(sample_, columns_, selection_.fit, held, best))
          proposals.push_back({*term, {}});
    }
    return proposals;
  }

  bool add_direction() {
    std::int64_t subspaces = 0;
    for (const Term& term : selection_.terms) subspaces += term.directions.empty() ? 0 : 1;
    if (sample_.whitened.cols() == 0 || subspaces >= options_.subspaces) return false;
    const Matrix<double> held = spanned_by(selection_.terms, reading_vectors_);
    if (held.rows() >= sample_.whitened.cols()) return false;
    const std::vector<Screened> proposals = propose(held);
    if (proposals.empty()) return false;
    if (!folds_wanted_) {
      folds_wanted_ = true;
      refit_folds();
    }
    std::vector<ConditionSample> parts(folds_.size());
    std::vector<Matrix<double>> part_columns(folds_.size());
    parallel_for(static_cast<std::int64_t>(folds_.size()), 0, [&](std::int64_t f) {
      const auto at = static_cast<std::size_t>(f);
      parts[at] = subset(sample_, folds_[at].train);
      part_columns[at] = rows_at(columns_, folds_[at].train);
    });
    const std::vector<Gain> gains =
        cross_validated(proposals.size(), [&](std::size_t i, std::size_t f) -> std::optional<Matrix<double>> {
          const auto term = found_again(proposals[i].term, parts[f], part_columns[f], folds_[f].fit, held);
          if (!term) return std::nullopt;
          return term_columns(*term, sample_);
        });
    std::optional<std::size_t> chosen;
    const double explained = selection_.null_deviance - selection_.fit.deviance;
    for (std::size_t i = 0; i < proposals.size(); ++i)
      if (gains[i].z >= options_.least_z && gains[i].deviance >= options_.least_direction_gain * explained &&
          (!chosen || gains[i].deviance > gains[*chosen].deviance))
        chosen = i;
    if (!chosen) return false;
    accept(proposals[*chosen].term, gains[*chosen].deviance);
    return true;
  }

  const ConditionSample& sample_;
  const ReadingVectors& reading_vectors_;
  const SelectionOptions& options_;
  std::vector<std::int64_t> properties_;  // that are candidates
  std::vector<std::int64_t> classes_;     // that may have terms of their own
  std::vector<Matrix<double>> bases_;     // splines of value and projection of each
  Matrix<double> columns_;                // of the model
  std::vector<Fold> folds_;
  bool folds_wanted_ = false;
  SelectedTerms selection_;
};

}  // namespace detail

FAULTLINE_INLINE SelectedTerms select_terms(const ConditionSample& sample, const ReadingVectors& reading_vectors,
                                            std::span<const std::uint8_t> admitted, const SelectionOptions& options) {
  constexpr const char* where = "select_terms";
  if (sample.size() == 0) throw Error(ErrorCode::empty_input, where, "expected at least one sample");
  if (!(options.alpha > 0.0) || !(options.alpha < 1.0) || options.folds < 2 || options.class_outcomes < 1)
    throw Error(ErrorCode::invalid_argument, where, "options out of range");
  if (!admitted.empty() && static_cast<std::int64_t>(admitted.size()) != sample.properties())
    throw Error(ErrorCode::shape_mismatch, where, "expected one mark for each property");
  return detail::TermSelector(sample, reading_vectors, admitted, options).run();
}

}  // namespace analysis
}  // namespace v1
}  // namespace faultline
