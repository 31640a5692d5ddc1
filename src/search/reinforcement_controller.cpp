#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "proxytune/core/hash.h"
#include "search/controllers.h"
#include "search/halton.h"
#include "search/policy.h"

namespace proxytune::search {
namespace {

/// A moving average and spread of rewards, as if every earlier reward had been seen with
/// weights falling by `decay`. Outliers, such as the reward of a failed trial, count as three
/// spreads.
class Baseline {
 public:
  explicit Baseline(double decay) : decay_(decay) {}

  /// How much better the reward is than the average so far, in spreads, in [-3, 3]; 0 for the
  /// first. Then takes the reward in.
  double advantage_of(double reward) {
    if (weight_ == 0) {
      take(reward, 0);
      return 0;
    }
    const double deviation = reward - mean();
    const double spread = std::sqrt(square_sum_ / weight_);
    const double advantage = deviation == 0 ? 0
                             : spread == 0  ? std::copysign(1.0, deviation)
                                            : std::clamp(deviation / spread, -3.0, 3.0);
    const double counted = spread == 0 ? deviation : advantage * spread;
    take(mean() + counted, counted);
    return advantage;
  }

  std::vector<double> state() const { return {sum_, square_sum_, weight_}; }

 private:
  double mean() const { return sum_ / weight_; }
  void take(double reward, double deviation) {
    sum_ = decay_ * sum_ + (1 - decay_) * reward;
    square_sum_ = decay_ * square_sum_ + (1 - decay_) * deviation * deviation;
    weight_ = decay_ * weight_ + (1 - decay_);
  }

  double decay_;
  double sum_ = 0, square_sum_ = 0, weight_ = 0;
};

/// Adam (Kingma and Ba 2015) going up a gradient.
class Ascent {
 public:
  Ascent(std::size_t count, double learning_rate)
      : learning_rate_(learning_rate), first_(count, 0.0), second_(count, 0.0) {}

  void step(std::vector<double>& parameters, std::span<const double> gradient) {
    power_ *= beta;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      first_[i] = beta * first_[i] + (1 - beta) * gradient[i];
      second_[i] = beta * second_[i] + (1 - beta) * gradient[i] * gradient[i];
      const double direction = first_[i] / (1 - power_);
      const double scale = std::sqrt(second_[i] / (1 - power_)) + epsilon;
      parameters[i] += learning_rate_ * direction / scale;
    }
  }

  const std::vector<double>& first() const { return first_; }
  const std::vector<double>& second() const { return second_; }

 private:
  static constexpr double beta = 0.7;  // both, as in Auto-FedRL
  static constexpr double epsilon = 1e-8;
  double learning_rate_;
  std::vector<double> first_, second_;
  double power_ = 1;
};

/// The recurrent controller of Yang et al. 2019: REINFORCE on every reward against a moving
/// average, with an entropy bonus. Trials are dear, so each reward is used in a few passes.
/// After the first, and where results come late, the policy has moved on since the proposal:
/// the gradient then carries the ratio of probabilities, and stops beyond the clip (PPO,
/// Schulman et al. 2017, Eq. 7); in the first pass of a result that is not late the ratio is 1.
/// Beyond the paper: after the first proposal, the centre, some are evenly spread, and with
/// each reward the likelihood of the best trials so far goes up as well (self-imitation, Oh et
/// al. 2018), since one reward at a time moves the policy too little in so few trials; where
/// many are open, so that fewer rewards come before the last proposals, it does so repeatedly.
class ReinforcementController : public Controller {
 public:
  ReinforcementController(const SearchOptions& options,
                          const SearchSpace& space,
                          const core::RandomKey& key)
      : options_(options),
        choices_(choices_of(space)),
        key_(key.with("reinforcement search")),
        halton_(static_cast<int>(choices_.size()), key_),
        policy_(choices_, options.hidden, options.spread, key_),
        ascent_(policy_.parameters().size(), options.controller_learning_rate),
        baseline_(options.baseline_decay) {}

  std::vector<double> propose(int index) override {
    Sample sample{context_, policy_.mode(context_), 0};
    core::Random random(key_.with("proposal").with(static_cast<std::uint64_t>(index)));
    if (index > 0)
      sample.action = is_spread_out(index) ? action_at(halton_.point(index))
                                           : policy_.sample(context_, random);
    sample.log_probability = policy_.log_probability(sample.context, sample.action);
    samples_.push_back(sample);
    return unit_point(sample.action);
  }

  void report(int index, double reward) override {
    const Sample& sample = samples_.at(static_cast<std::size_t>(index));
    const double advantage = baseline_.advantage_of(reward);
    // The first is the centre, which was not drawn: there is nothing to learn from it yet.
    for (int pass = 0; index > 0 && pass < options_.passes; ++pass)
      update(sample, advantage, index);
    context_ = {sample.action, advantage};
    remember(index, reward);
    const auto open = std::ssize(samples_) - 1 - index;
    for (std::ptrdiff_t round = 0; round <= open / open_a_round; ++round)
      for (const std::size_t elite : elites_)
        step(policy_.score(context_, samples_[elite].action), 1, index);
  }

  /// As if the present policy had drawn it.
  void observe(const std::vector<double>& unit_point, double reward) override {
    Sample sample{context_, action_of(unit_point), 0};
    sample.log_probability = policy_.log_probability(sample.context, sample.action);
    const double advantage = baseline_.advantage_of(reward);
    for (int pass = 0; pass < options_.passes; ++pass)
      update(sample, advantage, 0);
    context_ = {sample.action, advantage};
  }

  std::optional<std::vector<double>> policy_mean() const override {
    return unit_point(policy_.mode(context_));
  }

  std::string state_hash() const override {
    core::ContentHasher hasher;
    const auto add = [&](const std::vector<double>& numbers) {
      hasher.add(std::as_bytes(std::span(numbers)));
    };
    add(policy_.parameters());
    add(ascent_.first());
    add(ascent_.second());
    add(baseline_.state());
    add(context_.previous);
    add({context_.advantage});
    add(rewards_);
    for (const Sample& sample : samples_) {
      add(sample.action);
      add({sample.log_probability});
    }
    return hasher.hexadecimal();
  }

 private:
  struct Sample {
    Context context;
    Action action;
    double log_probability = 0;
  };

  /// One step for the reward of a sample.
  void update(const Sample& sample, double advantage, int index) {
    const Policy::Score score = policy_.score(sample.context, sample.action);
    const double ratio = std::exp(score.log_probability - sample.log_probability);
    const bool clipped =
        advantage > 0 ? ratio > 1 + options_.ratio_clip : ratio < 1 - options_.ratio_clip;
    const double pull = clipped ? 0 : ratio * advantage;
    step(score, pull, index);
  }

  /// The best trials so far, best first, the earliest of equals.
  void remember(int index, double reward) {
    rewards_.push_back(reward);
    elites_.push_back(static_cast<std::size_t>(index));
    std::stable_sort(elites_.begin(), elites_.end(), [&](std::size_t a, std::size_t b) {
      return rewards_[a] > rewards_[b];
    });
    // No more than a quarter of what has been seen is a model.
    const std::size_t most =
        std::min<std::size_t>(static_cast<std::size_t>(options_.elites), rewards_.size() / 4);
    if (elites_.size() > most)
      elites_.resize(most);
  }

  /// Makes the action that was scored likelier, by `pull`, and the policy a little wider.
  void step(const Policy::Score& score, double pull, int index) {
    const double bonus = options_.entropy * std::pow(options_.entropy_decay, index);
    std::vector<double> gradient(score.log_probability_gradient.size());
    for (std::size_t i = 0; i < gradient.size(); ++i)
      gradient[i] =
          pull * score.log_probability_gradient[i] + bonus * score.entropy_gradient[i];
    ascent_.step(policy_.parameters(), gradient);
  }

  /// The first proposals after the centre, and all before the first reward: there is nothing
  /// yet that a draw from the policy could know better.
  bool is_spread_out(int index) const {
    const bool nothing_known = context_.previous.empty();
    return options_.elites > 0 &&
           (nothing_known || index <= static_cast<int>(2 * choices_.size() + 1));
  }

  Action action_at(const std::vector<double>& point) const {
    Action action;
    for (std::size_t i = 0; i < point.size(); ++i)
      action.push_back(choices_[i] == 0 ? point[i] - 0.5 : choice_at(point[i], choices_[i]));
    return action;
  }

  std::vector<double> unit_point(const Action& action) const {
    std::vector<double> point;
    for (std::size_t i = 0; i < action.size(); ++i)
      point.push_back(choices_[i] == 0
                          ? std::clamp(action[i] + 0.5, 0.0, 1.0)
                          : unit_of_choice(static_cast<int>(action[i]), choices_[i]));
    return point;
  }

  Action action_of(const std::vector<double>& unit_point) const {
    Action action;
    for (std::size_t i = 0; i < unit_point.size(); ++i)
      action.push_back(choices_[i] == 0 ? unit_point[i] - 0.5
                                        : choice_at(unit_point[i], choices_[i]));
    return action;
  }

  static constexpr int open_a_round = 12;  // trials
  SearchOptions options_;
  std::vector<int> choices_;
  core::RandomKey key_;
  Halton halton_;
  Policy policy_;
  Ascent ascent_;
  Baseline baseline_;
  Context context_;
  std::vector<Sample> samples_;
  std::vector<double> rewards_;
  std::vector<std::size_t> elites_;  // by index
};

}  // namespace

std::unique_ptr<Controller> make_reinforcement_controller(const SearchOptions& options,
                                                          const SearchSpace& space,
                                                          const core::RandomKey& key) {
  return std::make_unique<ReinforcementController>(options, space, key);
}

}  // namespace proxytune::search
