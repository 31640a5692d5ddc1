#include "search/gaussian_process.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace proxytune::search {
namespace {

constexpr double believed_noise = 1e-4;
// What is expected of lengths and noise before anything is seen, as logarithms.
constexpr double usual_length = 0.5;
constexpr double usual_noise = 0.03;
constexpr double spread_of_length = 0.8;
constexpr double spread_of_noise = 1.5;
constexpr double least_length = 0.05, largest_length = 5;
constexpr double least_noise = 1e-4, largest_noise = 1;
/// Counts as so many values of variance 1: few values do not make a signal vanish.
constexpr double signal_prior = 1;

double square(double value) {
  return value * value;
}

double matern(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

double dot(const std::vector<double>& a, const std::vector<double>& b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    sum += a[i] * b[i];
  return sum;
}

/// Logarithms of the lengths, then of the noise.
using Logarithms = std::vector<double>;

Similarity similarity_of(const Logarithms& logarithms) {
  Similarity similarity;
  for (std::size_t i = 0; i + 1 < logarithms.size(); ++i)
    similarity.lengths.push_back(std::exp(logarithms[i]));
  similarity.noise = std::exp(logarithms.back());
  return similarity;
}

/// Log of how likely these are before any value is known, up to a constant.
double log_prior(const Logarithms& logarithms) {
  double sum = -0.5 * square((logarithms.back() - std::log(usual_noise)) / spread_of_noise);
  for (std::size_t i = 0; i + 1 < logarithms.size(); ++i)
    sum -= 0.5 * square((logarithms[i] - std::log(usual_length)) / spread_of_length);
  return sum;
}

Logarithms moved(Logarithms logarithms, std::size_t i, double step) {
  const bool noise = i + 1 == logarithms.size();
  logarithms[i] = std::clamp(logarithms[i] + step,
                             std::log(noise ? least_noise : least_length),
                             std::log(noise ? largest_noise : largest_length));
  return logarithms;
}

}  // namespace

GaussianProcess::GaussianProcess(std::vector<int> choices, Similarity similarity)
    : choices_(std::move(choices)), similarity_(std::move(similarity)) {
  for (const double length : similarity_.lengths)
    inverse_squares_.push_back(1 / square(length));
}

double GaussianProcess::correlation(const Place& a, const Place& b) const {
  double distance = 0;
  for (std::size_t i = 0; i < choices_.size(); ++i)
    distance += inverse_squares_[i] *
                (choices_[i] == 0 ? square(a[i] - b[i]) : static_cast<double>(a[i] != b[i]));
  return matern(distance);
}

void GaussianProcess::append(const Place& place, double noise) {
  std::vector<double> row;
  for (const Place& other : places_)
    row.push_back(correlation(place, other));
  forward(row);
  // Of places that coincide nothing but the noise is left.
  const double rest = 1 + noise - dot(row, row, row.size());
  row.push_back(std::sqrt(std::max(rest, 0.5 * noise)));
  factor_.push_back(std::move(row));
  places_.push_back(place);
}

void GaussianProcess::condition_on(const std::vector<Place>& places,
                                   const std::vector<double>& values) {
  places_.clear();
  factor_.clear();
  for (const Place& place : places)
    append(place, similarity_.noise);
  values_ = values;
  std::vector<double> ones(values.size(), 1.0);
  forward(ones);
  weights_ = values;
  forward(weights_);
  mean_ = dot(ones, weights_, ones.size()) / dot(ones, ones, ones.size());
  solve();
  const auto count = static_cast<double>(values_.size());
  variance_ =
      (dot(weights_, weights_, weights_.size()) + signal_prior) / (count + signal_prior);
  log_likelihood_ = -0.5 * (count + signal_prior) * std::log(variance_);
  for (std::size_t i = 0; i < factor_.size(); ++i)
    log_likelihood_ -= std::log(factor_[i][i]);
}

void GaussianProcess::solve() {
  weights_.clear();
  for (const double value : values_)
    weights_.push_back(value - mean_);
  forward(weights_);
}

void GaussianProcess::believe(const Place& place) {
  values_.push_back(at(place).mean);
  append(place, believed_noise);
  solve();
}

void GaussianProcess::forward(std::vector<double>& values) const {
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = (values[i] - dot(factor_[i], values, i)) / factor_[i][i];
}

GaussianProcess::Expectation GaussianProcess::at(const Place& place) const {
  std::vector<double> row;
  for (const Place& other : places_)
    row.push_back(correlation(place, other));
  forward(row);
  const double rest = std::max(1 - dot(row, row, row.size()), 0.0);
  return {mean_ + dot(row, weights_, row.size()), std::sqrt(variance_ * rest)};
}

Similarity likeliest_similarity(const std::vector<int>& choices,
                                const std::vector<Place>& places,
                                const std::vector<double>& values) {
  const auto score = [&](const Logarithms& logarithms) {
    GaussianProcess process(choices, similarity_of(logarithms));
    process.condition_on(places, values);
    return process.log_likelihood() + log_prior(logarithms);
  };
  Logarithms best(choices.size(), std::log(usual_length));
  best.push_back(std::log(usual_noise));
  double highest = score(best);
  const auto climb = [&](const Logarithms& candidate) {
    const double there = score(candidate);
    if (there <= highest)
      return false;
    highest = there;
    best = candidate;
    return true;
  };
  // Three rounds a step: more take longer than what they find is worth.
  for (const double step : {1.0, 0.5, 0.25}) {
    bool better = true;
    for (int round = 0; better && round < 3; ++round) {
      better = false;
      for (std::size_t i = 0; i < best.size(); ++i)
        better |= climb(moved(best, i, -step)) || climb(moved(best, i, step));
    }
  }
  return similarity_of(best);
}

}  // namespace proxytune::search
