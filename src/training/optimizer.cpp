#include "proxytune/training/optimizer.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "proxytune/core/error.h"
#include "training/vectorise.h"

namespace proxytune::training {
namespace {

constexpr float epsilon = 1e-8F;

/// What one pass needs besides the arrays; `rate` includes the bias correction of the first
/// moment where the method has one. A decay of 0 changes no bit.
struct Pass {
  float rate = 0;
  float decay = 0;
  float beta1 = 0.9F;
  float one_minus_beta1 = 0.1F;
  float beta2 = 0;
  float one_minus_beta2 = 0;
  float root_of_correction2 = 1;
};

PROXYTUNE_VECTORISE void adam(const Pass pass,
                              std::size_t count,
                              float* __restrict value,
                              const float* __restrict gradient,
                              float* __restrict m,
                              float* __restrict v) {
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] + pass.decay * value[i];
    m[i] = m[i] + pass.one_minus_beta1 * (g - m[i]);
    v[i] = pass.beta2 * v[i] + pass.one_minus_beta2 * (g * g);
    value[i] -= pass.rate * (m[i] / (std::sqrt(v[i]) / pass.root_of_correction2 + epsilon));
  }
}

PROXYTUNE_VECTORISE void rmsprop(const Pass pass,
                                 std::size_t count,
                                 float* __restrict value,
                                 const float* __restrict gradient,
                                 float* __restrict s) {
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] + pass.decay * value[i];
    s[i] = pass.beta2 * s[i] + pass.one_minus_beta2 * (g * g);
    value[i] -= pass.rate * (g / (std::sqrt(s[i]) + epsilon));
  }
}

PROXYTUNE_VECTORISE void adamax(const Pass pass,
                                std::size_t count,
                                float* __restrict value,
                                const float* __restrict gradient,
                                float* __restrict m,
                                float* __restrict u) {
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] + pass.decay * value[i];
    const float now = std::fabs(g) + epsilon;
    const float before = pass.beta2 * u[i];
    m[i] = m[i] + pass.one_minus_beta1 * (g - m[i]);
    u[i] = before > now ? before : now;
    value[i] -= pass.rate * (m[i] / u[i]);
  }
}

PROXYTUNE_VECTORISE double squared_norm(std::size_t count, const float* __restrict gradient) {
  double sums[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      const double g = gradient[i + static_cast<std::size_t>(lane)];
      sums[lane] += g * g;
    }
  for (; i < count; ++i)
    sums[0] += static_cast<double>(gradient[i]) * gradient[i];
  double sum = 0;
  for (const double part : sums)
    sum += part;
  return sum;
}

PROXYTUNE_VECTORISE void novograd(const Pass pass,
                                  float denominator,
                                  std::size_t count,
                                  float* __restrict value,
                                  const float* __restrict gradient,
                                  float* __restrict m) {
  for (std::size_t i = 0; i < count; ++i) {
    const float step = gradient[i] / denominator + pass.decay * value[i];
    m[i] = pass.beta1 * m[i] + step;
    value[i] -= pass.rate * m[i];
  }
}

Pass pass_of(trials::Optimizer kind,
             double learning_rate,
             double weight_decay,
             std::int64_t step) {
  const double beta1 = 0.9;
  const double beta2 = kind == trials::Optimizer::rmsprop    ? 0.99
                       : kind == trials::Optimizer::novograd ? 0.98
                                                             : 0.999;
  const bool corrected = kind == trials::Optimizer::adam || kind == trials::Optimizer::adamax;
  const double t = static_cast<double>(step);
  Pass pass;
  pass.rate =
      static_cast<float>(corrected ? learning_rate / (1 - std::pow(beta1, t)) : learning_rate);
  pass.decay = static_cast<float>(weight_decay);
  pass.beta1 = static_cast<float>(beta1);
  pass.one_minus_beta1 = static_cast<float>(1 - beta1);
  pass.beta2 = static_cast<float>(beta2);
  pass.one_minus_beta2 = static_cast<float>(1 - beta2);
  pass.root_of_correction2 = static_cast<float>(std::sqrt(1 - std::pow(beta2, t)));
  return pass;
}

}  // namespace

Optimizer::Optimizer(trials::Optimizer kind,
                     double learning_rate,
                     std::vector<ParameterRange> tensors,
                     double weight_decay,
                     Schedule schedule)
    : kind_(kind),
      learning_rate_(learning_rate),
      weight_decay_(weight_decay),
      schedule_(schedule),
      tensors_(std::move(tensors)) {
  std::size_t end = 0;
  for (const ParameterRange& tensor : tensors_)
    end = std::max(end, tensor.begin + tensor.size);
  if (kind != trials::Optimizer::rmsprop)
    state_.first.assign(end, 0.0F);
  state_.second.assign(kind == trials::Optimizer::novograd ? tensors_.size() : end, 0.0F);
}

void Optimizer::restore(State state) {
  if (state.first.size() != state_.first.size() || state.second.size() != state_.second.size())
    throw core::DataError("the moments are another optimizer's, or another network's");
  state_ = std::move(state);
}

void Optimizer::step(std::span<float> values, std::span<const float> gradients) {
  if (values.size() != gradients.size())
    throw std::invalid_argument("parameters and gradients differ in number");
  const std::size_t held =
      kind_ == trials::Optimizer::rmsprop ? state_.second.size() : state_.first.size();
  if (values.size() < held)
    throw std::invalid_argument("fewer parameters than the optimizer has");
  const std::int64_t number = ++state_.steps;
  double rate = learning_rate_ * schedule_.factor;
  if (number < schedule_.warmup_steps)
    rate *= static_cast<double>(number) / static_cast<double>(schedule_.warmup_steps);
  const Pass pass = pass_of(kind_, rate, weight_decay_, number);
  float* const value = values.data();
  const float* const gradient = gradients.data();
  switch (kind_) {
    case trials::Optimizer::adam:
      return adam(pass, held, value, gradient, state_.first.data(), state_.second.data());
    case trials::Optimizer::rmsprop:
      return rmsprop(pass, held, value, gradient, state_.second.data());
    case trials::Optimizer::adamax:
      return adamax(pass, held, value, gradient, state_.first.data(), state_.second.data());
    case trials::Optimizer::novograd:
      for (std::size_t t = 0; t < tensors_.size(); ++t) {
        const auto [begin, size] = tensors_[t];
        const auto norm = static_cast<float>(squared_norm(size, gradient + begin));
        float& v = state_.second[t];
        v = v == 0 ? norm : pass.beta2 * v + pass.one_minus_beta2 * norm;
        novograd(pass,
                 std::sqrt(v) + epsilon,
                 size,
                 value + begin,
                 gradient + begin,
                 state_.first.data() + begin);
      }
  }
}

}  // namespace proxytune::training
