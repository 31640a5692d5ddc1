#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include "proxytune/core/hash.h"
#include "search/controllers.h"
#include "search/gaussian_process.h"
#include "search/halton.h"

namespace proxytune::search {
namespace {

/// Rewards of order 1, the median at 0. The bottom does not matter: a diverged trial counts as
/// far below the median as this times the distance from median to best.
constexpr double depth = 2;

std::vector<double> standardised(const std::vector<double>& rewards) {
  std::vector<double> sorted = rewards;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  const double least = median - depth * (sorted.back() - median);
  std::vector<double> values;
  double squares = 0;
  for (const double reward : rewards) {
    values.push_back((sorted.back() > median ? std::max(reward, least) : reward) - median);
    squares += values.back() * values.back() / static_cast<double>(rewards.size());
  }
  if (squares > 0)
    for (double& value : values)
      value /= std::sqrt(squares);
  return values;
}

/// How much a place is expected to exceed `best` (Jones et al. 1998, Eq. 15).
double expected_improvement(const GaussianProcess& process, const Place& place, double best) {
  const auto [mean, deviation] = process.at(place);
  if (deviation <= 0)
    return std::max(mean - best, 0.0);
  const double z = (mean - best) / deviation;
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
  return deviation * (z * 0.5 * std::erfc(-z / std::numbers::sqrt2) + density);
}

/// Expected improvement under a Gaussian process. The first proposals are evenly spread; then
/// each goes where the reward is expected to exceed the best place known by most. Trials that
/// are still open count as ended as expected (kriging believer, Ginsbourger et al. 2010), so
/// that those proposed together are apart.
class BayesianController : public Controller {
 public:
  BayesianController(const SearchSpace& space, const core::RandomKey& key)
      : choices_(choices_of(space)),
        key_(key.with("bayesian search")),
        halton_(static_cast<int>(choices_.size()), key_),
        spread_out_(2 * (std::ssize(choices_) + 1)) {}

  std::vector<double> propose(int index) override {
    const bool too_few = index < spread_out_ || known() < choices_.size() + 1;
    places_.push_back(too_few ? place_of(halton_.point(index)) : most_promising(index));
    return unit_point(places_.back());
  }

  void report(int, double reward) override { rewards_.push_back(reward); }

  void observe(const std::vector<double>& unit_point, double reward) override {
    others_.push_back(place_of(unit_point));
    others_rewards_.push_back(reward);
  }

  std::optional<std::vector<double>> policy_mean() const override {
    if (known() == 0)
      return unit_point(place_of(std::vector<double>(choices_.size(), 0.5)));
    return unit_point(best_known(conditioned()));
  }

  std::string state_hash() const override {
    core::ContentHasher hasher;
    for (const Place& place : places_)
      hasher.add(std::as_bytes(std::span(place)));
    hasher.add(std::as_bytes(std::span(rewards_)));
    for (const Place& place : others_)
      hasher.add(std::as_bytes(std::span(place)));
    hasher.add(std::as_bytes(std::span(others_rewards_)));
    return hasher.hexadecimal();
  }

 private:
  std::size_t known() const { return others_rewards_.size() + rewards_.size(); }

  /// Whose rewards are known, those of others first.
  std::vector<Place> known_places() const {
    std::vector<Place> known = others_;
    known.insert(known.end(), places_.begin(), places_.begin() + std::ssize(rewards_));
    return known;
  }

  GaussianProcess conditioned() const {
    const std::vector<Place> seen = known_places();
    std::vector<double> rewards = others_rewards_;
    rewards.insert(rewards.end(), rewards_.begin(), rewards_.end());
    const std::vector<double> values = standardised(rewards);
    GaussianProcess process(choices_, likeliest_similarity(choices_, seen, values));
    process.condition_on(seen, values);
    return process;
  }

  /// Of the places whose trials have ended, the one expected to be best.
  Place best_known(const GaussianProcess& process) const {
    const std::vector<Place> known = known_places();
    return *std::max_element(known.begin(), known.end(), [&](const Place& a, const Place& b) {
      return process.at(a).mean < process.at(b).mean;
    });
  }

  Place most_promising(int index) const {
    GaussianProcess process = conditioned();
    const Place known = best_known(process);
    const double best = process.at(known).mean;
    for (std::size_t open = rewards_.size(); open < places_.size(); ++open)
      process.believe(places_[open]);
    core::Random random(key_.with("candidates").with(static_cast<std::uint64_t>(index)));
    Place found = known;
    double promise = -1;
    const auto consider = [&](const Place& candidate) {
      const double there = expected_improvement(process, candidate, best);
      if (there > promise) {
        promise = there;
        found = candidate;
        return true;
      }
      return false;
    };
    for (int i = 0; i < everywhere; ++i)
      consider(anywhere(random));
    for (int i = 0; i < nearby; ++i)
      consider(near(known, i % 2 == 0 ? 0.1 : 0.02, random));
    for (double step = 0.05; step > 0.002; step /= 2)
      climb(found, step, consider);
    return found;
  }

  /// Steps along each range while that is an improvement; `consider` moves `found`.
  template <class Consider>
  void climb(const Place& found, double step, const Consider& consider) const {
    for (std::size_t i = 0; i < choices_.size(); ++i)
      for (const double direction : {-step, step}) {
        Place candidate = found;
        candidate[i] = std::clamp(candidate[i] + direction, 0.0, 1.0);
        if (choices_[i] == 0)
          consider(candidate);
      }
  }

  Place anywhere(core::Random& random) const {
    std::vector<double> point;
    for (std::size_t i = 0; i < choices_.size(); ++i)
      point.push_back(random.uniform());
    return place_of(point);
  }

  Place near(const Place& place, double distance, core::Random& random) const {
    Place moved = place;
    for (std::size_t i = 0; i < choices_.size(); ++i) {
      const double step = distance * random.normal();
      const double other = random.uniform();
      if (choices_[i] == 0)
        moved[i] = std::clamp(moved[i] + step, 0.0, 1.0);
      else if (other < 0.2)
        moved[i] = choice_at(other / 0.2, choices_[i]);
    }
    return moved;
  }

  Place place_of(std::vector<double> point) const {
    for (std::size_t i = 0; i < choices_.size(); ++i)
      if (choices_[i] > 0)
        point[i] = choice_at(point[i], choices_[i]);
    return point;
  }

  std::vector<double> unit_point(Place place) const {
    for (std::size_t i = 0; i < choices_.size(); ++i)
      if (choices_[i] > 0)
        place[i] = unit_of_choice(static_cast<int>(place[i]), choices_[i]);
    return place;
  }

  static constexpr int everywhere = 400;  // candidates
  static constexpr int nearby = 200;
  std::vector<int> choices_;
  core::RandomKey key_;
  Halton halton_;
  std::ptrdiff_t spread_out_;  // proposals
  std::vector<Place> places_;
  std::vector<double> rewards_;
  std::vector<Place> others_;  // observed, and not proposed here
  std::vector<double> others_rewards_;
};

}  // namespace

std::unique_ptr<Controller> make_bayesian_controller(const SearchSpace& space,
                                                     const core::RandomKey& key) {
  return std::make_unique<BayesianController>(space, key);
}

}  // namespace proxytune::search
