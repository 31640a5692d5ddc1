#include "proxytune/ops/softmax_dice_loss.h"

#include <tuple>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/refuse_double_backward.h"
#include "ops/softmax_dice_kernel.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

void check_operands(const Tensor& logits, const Tensor& labels, bool background) {
  TORCH_CHECK(logits.dim() == 5, "softmax_dice_loss takes logits (batch, classes, z, y, x)");
  TORCH_CHECK(logits.size(1) > (background ? 0 : 1), "there is no class to take the Dice of");
  TORCH_CHECK(labels.scalar_type() == torch::kUInt8, "softmax_dice_loss takes uint8 labels");
  TORCH_CHECK(labels.dim() == 4 && labels.size(0) == logits.size(0) &&
                  labels.sizes().slice(1) == logits.sizes().slice(2),
              "logits and labels differ in shape");
}

std::tuple<Tensor, Tensor> forward_cpu(const Tensor& any_logits,
                                       const Tensor& any_labels,
                                       bool cross_entropy,
                                       bool background,
                                       double smooth) {
  check_operands(any_logits, any_labels, background);
  const Tensor logits = channels_last(any_logits);
  const Tensor labels = any_labels.contiguous();
  const LossShape shape{logits.size(0), labels[0].numel(), static_cast<int>(logits.size(1))};
  const SoftmaxDiceOptions options{cross_entropy, background, smooth};
  Tensor gradient = torch::empty_like(logits);
  double loss = 0;
  AT_DISPATCH_FLOATING_TYPES(logits.scalar_type(), "softmax_dice_loss", [&] {
    loss = softmax_dice(shape,
                        options,
                        logits.const_data_ptr<scalar_t>(),
                        labels.const_data_ptr<std::uint8_t>(),
                        gradient.mutable_data_ptr<scalar_t>());
  });
  return {torch::full({}, loss, torch::kFloat64), gradient};
}

/// Of two classes, from the difference of their logits.
std::tuple<Tensor, Tensor> forward_of_odds_cpu(const Tensor& any_odds,
                                               const Tensor& any_labels,
                                               bool cross_entropy,
                                               bool background,
                                               double smooth) {
  TORCH_CHECK(any_odds.dim() == 5 && any_odds.size(1) == 1,
              "softmax_dice_loss_of_odds takes odds (batch, 1, z, y, x)");
  if (any_odds.scalar_type() != torch::kFloat32) {
    const Tensor logits = torch::cat({torch::zeros_like(any_odds), any_odds}, 1);
    auto [loss, gradient] = forward_cpu(logits, any_labels, cross_entropy, background, smooth);
    return {loss, channels_last(gradient.narrow(1, 1, 1))};
  }
  check_operands(any_odds.expand({-1, 2, -1, -1, -1}), any_labels, background);
  const Tensor odds = channels_last(any_odds);
  const Tensor labels = any_labels.contiguous();
  const LossShape shape{odds.size(0), labels[0].numel(), 2};
  Tensor gradient = torch::empty_like(odds);
  const double loss = softmax_dice_of_odds(shape,
                                           {cross_entropy, background, smooth},
                                           odds.const_data_ptr<float>(),
                                           labels.const_data_ptr<std::uint8_t>(),
                                           gradient.mutable_data_ptr<float>());
  return {torch::full({}, loss, torch::kFloat64), gradient};
}

using Operation = c10::TypedOperatorHandle<std::tuple<Tensor, Tensor>(
    const Tensor&, const Tensor&, bool, bool, double)>;

Operation operation(const char* name) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow(name, "")
      .typed<std::tuple<Tensor, Tensor>(const Tensor&, const Tensor&, bool, bool, double)>();
}

/// Which of the two operations it is.
enum class From { logits, odds };

std::tuple<Tensor, Tensor> call(From from,
                                const Tensor& logits,
                                const Tensor& labels,
                                bool cross_entropy,
                                bool background,
                                double smooth) {
  static const Operation of_logits = operation("proxytune::softmax_dice_loss");
  static const Operation of_odds = operation("proxytune::softmax_dice_loss_of_odds");
  const Operation& chosen = from == From::odds ? of_odds : of_logits;
  return chosen.call(logits, labels, cross_entropy, background, smooth);
}

class SoftmaxDiceLoss : public torch::autograd::Function<SoftmaxDiceLoss> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                From from,
                                                const Tensor& logits,
                                                const Tensor& labels,
                                                bool cross_entropy,
                                                bool background,
                                                double smooth) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [loss, gradient] = call(from, logits, labels, cross_entropy, background, smooth);
    context->save_for_backward({gradient});
    context->mark_non_differentiable({gradient});
    context->set_materialize_grads(false);  // zeros as large as the logits, for nothing
    return {loss, gradient};
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("softmax_dice_loss");
    const Tensor gradient = context->get_saved_variables()[0];
    const Tensor& outer = gradients[0];
    // The loss itself is nearly always the root: spare a pass over the logits.
    const bool root = outer.is_cpu() && outer.item<double>() == 1;
    return {Tensor(),
            root ? gradient : gradient * outer.to(gradient.scalar_type()),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

template <From Logits>
std::tuple<Tensor, Tensor> forward_autograd(const Tensor& logits,
                                            const Tensor& labels,
                                            bool cross_entropy,
                                            bool background,
                                            double smooth) {
  const auto outputs =
      SoftmaxDiceLoss::apply(Logits, logits, labels, cross_entropy, background, smooth);
  return {outputs[0], outputs[1]};
}

}  // namespace

Tensor softmax_dice_loss(const Tensor& logits,
                         const Tensor& labels,
                         const SoftmaxDiceOptions& options) {
  return std::get<0>(call(
      From::logits, logits, labels, options.cross_entropy, options.background, options.smooth));
}

Tensor softmax_dice_loss_of_odds(const Tensor& odds,
                                 const Tensor& labels,
                                 const SoftmaxDiceOptions& options) {
  return std::get<0>(call(
      From::odds, odds, labels, options.cross_entropy, options.background, options.smooth));
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "softmax_dice_loss(Tensor logits, Tensor labels, bool cross_entropy, bool background, "
      "float smooth) -> (Tensor loss, Tensor gradient)");
  library.def(
      "softmax_dice_loss_of_odds(Tensor odds, Tensor labels, bool cross_entropy, "
      "bool background, float smooth) -> (Tensor loss, Tensor gradient)");
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("softmax_dice_loss", &forward_cpu);
  library.impl("softmax_dice_loss_of_odds", &forward_of_odds_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("softmax_dice_loss", &forward_autograd<From::logits>);
  library.impl("softmax_dice_loss_of_odds", &forward_autograd<From::odds>);
}

}  // namespace proxytune::ops
