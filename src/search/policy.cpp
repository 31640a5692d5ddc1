#include "search/policy.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <utility>

#include <torch/torch.h>

namespace proxytune::search {
namespace {

constexpr int inputs = 3;
constexpr double least_spread = 0.02;
constexpr double largest_spread = 1.0;

/// In [-0.5, 0.5], whatever the kind of dimension.
double as_input(double action, int choices) {
  return choices == 0 ? std::clamp(action, -0.5, 0.5) : (action + 0.5) / choices - 0.5;
}

/// Numbers that a head of a dimension gives.
int outputs(int choices) {
  return choices == 0 ? 2 : choices;
}

/// Gradients on or off whatever the calling thread was doing.
struct GradientMode {
  explicit GradientMode(bool gradients) : inference(false), mode(gradients) {}
  c10::InferenceMode inference;
  torch::AutoGradMode mode;
};

}  // namespace

/// The parameters as tensors, and one pass over the dimensions.
struct Policy::Network {
  Network(const Policy& owner, const Context& look_back, bool gradients)
      : policy(owner), context(look_back) {
    const auto count = static_cast<std::int64_t>(policy.parameters_.size());
    flat = torch::empty({count}, torch::kFloat64);
    std::copy(policy.parameters_.begin(), policy.parameters_.end(), flat.data_ptr<double>());
    flat.set_requires_grad(gradients);
    const std::int64_t hidden = policy.hidden_;
    std::vector<std::vector<std::int64_t>> shapes{
        {4 * hidden, inputs}, {4 * hidden, hidden}, {4 * hidden}};
    for (const int choices : policy.choices_) {
      shapes.push_back({outputs(choices), hidden});
      shapes.push_back({outputs(choices)});
    }
    const std::vector<torch::Tensor> parts = cut(shapes);
    input_weight = parts[0];
    state_weight = parts[1];
    bias = parts[2];
    for (std::size_t i = 3; i < parts.size(); i += 2) {
      head_weights.push_back(parts[i]);
      head_biases.push_back(parts[i + 1]);
    }
    state = torch::zeros({hidden}, torch::kFloat64);
    cell = torch::zeros({hidden}, torch::kFloat64);
  }

  /// The flat parameters, one after the other in these shapes.
  std::vector<torch::Tensor> cut(const std::vector<std::vector<std::int64_t>>& shapes) const {
    std::vector<std::int64_t> counts;
    for (const auto& shape : shapes)
      counts.push_back(std::accumulate(
          shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<std::int64_t>()));
    std::vector<torch::Tensor> parts = flat.split_with_sizes(counts);
    for (std::size_t i = 0; i < parts.size(); ++i)
      parts[i] = parts[i].view(shapes[i]);
    return parts;
  }

  /// The head's numbers for dimension i, `chosen` having been chosen for the one before.
  torch::Tensor step(std::size_t i, double chosen) {
    const double before =
        context.previous.empty() ? 0.0 : as_input(context.previous[i], policy.choices_[i]);
    const auto input = torch::tensor({chosen, before, context.advantage}, torch::kFloat64);
    const auto gates = times(input_weight, input) + times(state_weight, state) + bias;
    const auto parts = gates.chunk(4);  // input, forget, candidate, output: LibTorch's order
    cell = torch::sigmoid(parts[1]) * cell + torch::sigmoid(parts[0]) * torch::tanh(parts[2]);
    state = torch::sigmoid(parts[3]) * torch::tanh(cell);
    return times(head_weights[i], state) + head_biases[i];
  }

  /// Matrix by vector without BLAS, whose threads cost more than these few numbers and may
  /// change their last bits: LibTorch does element-wise work of this size on the caller's
  /// thread.
  static torch::Tensor times(const torch::Tensor& matrix, const torch::Tensor& vector) {
    return (matrix * vector).sum(1);
  }

  torch::Tensor mean(const torch::Tensor& head) const { return 0.5 * torch::tanh(2 * head[0]); }

  torch::Tensor spread(const torch::Tensor& head) const {
    return torch::clamp(policy.spread_ * torch::exp(head[1]), least_spread, largest_spread);
  }

  /// Visits the dimensions in order; `choose(i, head)` returns the action.
  template <class Choose>
  void walk(const Choose& choose) {
    double chosen = 0;
    for (std::size_t i = 0; i < policy.choices_.size(); ++i)
      chosen = as_input(choose(i, step(i, chosen)), policy.choices_[i]);
  }

  struct Judgement {
    torch::Tensor log_probability, entropy;
  };

  Judgement judge(const Action& action) {
    auto log_probability = torch::zeros({}, torch::kFloat64);
    auto entropy = torch::zeros({}, torch::kFloat64);
    walk([&](std::size_t i, const torch::Tensor& head) {
      if (policy.choices_[i] == 0) {
        const auto deviation = spread(head);
        const auto z = (action[i] - mean(head)) / deviation;
        const double half_log_two_pi = 0.5 * std::log(2 * std::numbers::pi);
        log_probability =
            log_probability - 0.5 * z * z - torch::log(deviation) - half_log_two_pi;
        entropy = entropy + torch::log(deviation) + half_log_two_pi + 0.5;
      } else {
        const auto log_shares = torch::log_softmax(head, 0);
        log_probability = log_probability + log_shares[static_cast<std::int64_t>(action[i])];
        entropy = entropy - (torch::exp(log_shares) * log_shares).sum();
      }
      return action[i];
    });
    return {log_probability, entropy};
  }

  const Policy& policy;
  const Context& context;
  torch::Tensor flat, input_weight, state_weight, bias, state, cell;
  std::vector<torch::Tensor> head_weights, head_biases;
};

Policy::Policy(std::vector<int> choices, int hidden, double spread, const core::RandomKey& key)
    : choices_(std::move(choices)), hidden_(hidden), spread_(spread) {
  // As LibTorch starts an LSTM cell, but from keyed numbers.
  core::Random random(key.with("controller weights"));
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const std::size_t cell_parameters =
      4 * static_cast<std::size_t>(hidden) * static_cast<std::size_t>(inputs + hidden + 1);
  for (std::size_t i = 0; i < cell_parameters; ++i)
    parameters_.push_back(random.uniform(-bound, bound));
  std::size_t head_parameters = 0;
  for (const int count : choices_)
    head_parameters +=
        static_cast<std::size_t>(outputs(count)) * static_cast<std::size_t>(hidden + 1);
  parameters_.resize(cell_parameters + head_parameters, 0.0);
}

Action Policy::sample(const Context& context, core::Random& random) const {
  const GradientMode mode(false);
  Network network(*this, context, false);
  Action action;
  network.walk([&](std::size_t i, const torch::Tensor& head) {
    if (choices_[i] == 0) {
      const double mean = network.mean(head).item<double>();
      action.push_back(mean + network.spread(head).item<double>() * random.normal());
    } else {
      const auto shares = torch::softmax(head, 0);
      const double threshold = random.uniform();
      double sum = 0;
      int choice = 0;
      while (choice < choices_[i] - 1 && (sum += shares[choice].item<double>()) <= threshold)
        ++choice;
      action.push_back(choice);
    }
    return action.back();
  });
  return action;
}

Action Policy::mode(const Context& context) const {
  const GradientMode mode(false);
  Network network(*this, context, false);
  Action action;
  network.walk([&](std::size_t i, const torch::Tensor& head) {
    action.push_back(choices_[i] == 0
                         ? network.mean(head).item<double>()
                         : static_cast<double>(head.argmax().item<std::int64_t>()));
    return action.back();
  });
  return action;
}

double Policy::log_probability(const Context& context, const Action& action) const {
  const GradientMode mode(false);
  Network network(*this, context, false);
  return network.judge(action).log_probability.item<double>();
}

Policy::Score Policy::score(const Context& context, const Action& action) const {
  const GradientMode mode(true);
  Network network(*this, context, true);
  const auto [log_probability, entropy] = network.judge(action);
  const auto gradient = [&](const torch::Tensor& value) {
    const auto of_flat = torch::autograd::grad({value}, {network.flat}, {}, true)[0];
    const auto* begin = of_flat.data_ptr<double>();
    return std::vector<double>(begin, begin + of_flat.numel());
  };
  return {log_probability.item<double>(),
          entropy.item<double>(),
          gradient(log_probability),
          gradient(entropy)};
}

}  // namespace proxytune::search
