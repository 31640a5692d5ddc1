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

std::tuple<Tensor, Tensor> call(const Tensor& logits,
                                const Tensor& labels,
                                bool cross_entropy,
                                bool background,
                                double smooth) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::softmax_dice_loss", "")
                                    .typed<std::tuple<Tensor, Tensor>(
                                        const Tensor&, const Tensor&, bool, bool, double)>();
  return operation.call(logits, labels, cross_entropy, background, smooth);
}

class SoftmaxDiceLoss : public torch::autograd::Function<SoftmaxDiceLoss> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const Tensor& logits,
                                                const Tensor& labels,
                                                bool cross_entropy,
                                                bool background,
                                                double smooth) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    auto [loss, gradient] = call(logits, labels, cross_entropy, background, smooth);
    context->save_for_backward({gradient});
    context->mark_non_differentiable({gradient});
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
    return {root ? gradient : gradient * outer.to(gradient.scalar_type()),
            Tensor(),
            Tensor(),
            Tensor(),
            Tensor()};
  }
};

std::tuple<Tensor, Tensor> forward_autograd(const Tensor& logits,
                                            const Tensor& labels,
                                            bool cross_entropy,
                                            bool background,
                                            double smooth) {
  const auto outputs =
      SoftmaxDiceLoss::apply(logits, labels, cross_entropy, background, smooth);
  return {outputs[0], outputs[1]};
}

}  // namespace

Tensor softmax_dice_loss(const Tensor& logits,
                         const Tensor& labels,
                         const SoftmaxDiceOptions& options) {
  return std::get<0>(
      call(logits, labels, options.cross_entropy, options.background, options.smooth));
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def(
      "softmax_dice_loss(Tensor logits, Tensor labels, bool cross_entropy, bool background, "
      "float smooth) -> (Tensor loss, Tensor gradient)");
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("softmax_dice_loss", &forward_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("softmax_dice_loss", &forward_autograd);
}

}  // namespace proxytune::ops
