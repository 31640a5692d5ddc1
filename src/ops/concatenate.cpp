#include "proxytune/ops/concatenate.h"

#include <cstring>
#include <tuple>

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/refuse_double_backward.h"
#include "proxytune/ops/instance_norm_prelu.h"

namespace proxytune::ops {
namespace {

using torch::Tensor;

/// Copies pieces of `length` bytes, `from_step` and `to_step` bytes apart.
template <std::size_t Length>
void copy_pieces(const std::byte* from,
                 std::int64_t from_step,
                 std::byte* to,
                 std::int64_t to_step,
                 std::int64_t count,
                 std::size_t length) {
  for (std::int64_t i = 0; i < count; ++i, from += from_step, to += to_step)
    std::memcpy(to, from, Length > 0 ? Length : length);
}

void copy(const std::byte* from,
          std::int64_t from_step,
          std::byte* to,
          std::int64_t to_step,
          std::int64_t count,
          std::size_t length) {
  const auto pieces = [&]<std::size_t Length>() {
    copy_pieces<Length>(from, from_step, to, to_step, count, length);
  };
  switch (length) {
    case 8:
      return pieces.operator()<8>();
    case 16:
      return pieces.operator()<16>();
    case 32:
      return pieces.operator()<32>();
    case 64:
      return pieces.operator()<64>();
    default:
      return pieces.operator()<0>();
  }
}

std::int64_t voxels_of(const Tensor& tensor) {
  return tensor.size(0) * tensor.size(2) * tensor.size(3) * tensor.size(4);
}

Tensor empty_with_channels(const Tensor& like, std::int64_t channels) {
  std::vector<std::int64_t> sizes = like.sizes().vec();
  sizes[1] = channels;
  return torch::empty_strided(sizes, c10::get_channels_last_strides_3d(sizes), like.options());
}

/// Between all channels of `part` and those from `first` on of `whole`.
template <class Copy>
void with_both(const Tensor& part, const Tensor& whole, std::int64_t first, const Copy& copy) {
  constexpr std::int64_t grain = 16384;
  const std::int64_t part_step = part.size(1) * part.element_size();
  const std::int64_t whole_step = whole.size(1) * whole.element_size();
  const std::int64_t offset = first * whole.element_size();
  at::parallel_for(0, voxels_of(part), grain, [&](std::int64_t begin, std::int64_t end) {
    copy(begin * part_step, part_step, begin * whole_step + offset, whole_step, end - begin);
  });
}

void check_operands(const Tensor& first, const Tensor& second) {
  TORCH_CHECK(first.dim() == 5 && second.dim() == 5, "concatenate takes five dimensions");
  TORCH_CHECK(
      first.size(0) == second.size(0) && first.sizes().slice(2) == second.sizes().slice(2),
      "what is concatenated differs in batch or grid");
  TORCH_CHECK(first.scalar_type() == second.scalar_type(),
              "what is concatenated differs in type");
}

Tensor forward_cpu(const Tensor& first, const Tensor& second) {
  check_operands(first, second);
  Tensor whole = empty_with_channels(first, first.size(1) + second.size(1));
  auto* const to = static_cast<std::byte*>(whole.mutable_data_ptr());
  const auto put = [&](const Tensor& any_part, std::int64_t channel) {
    const Tensor part = channels_last(any_part);
    const auto* const from = static_cast<const std::byte*>(part.const_data_ptr());
    with_both(part, whole, channel, [&](auto at, auto step, auto there, auto far, auto count) {
      copy(from + at, step, to + there, far, count, static_cast<std::size_t>(step));
    });
  };
  put(first, 0);
  put(second, first.size(1));
  return whole;
}

std::tuple<Tensor, Tensor> split_cpu(const Tensor& any_whole, std::int64_t channels) {
  const Tensor whole = channels_last(any_whole);
  const auto* const from = static_cast<const std::byte*>(whole.const_data_ptr());
  const auto take = [&](std::int64_t channel, std::int64_t count_of_channels) {
    Tensor part = empty_with_channels(whole, count_of_channels);
    auto* const to = static_cast<std::byte*>(part.mutable_data_ptr());
    with_both(part, whole, channel, [&](auto at, auto step, auto there, auto far, auto count) {
      copy(from + there, far, to + at, step, count, static_cast<std::size_t>(step));
    });
    return part;
  };
  return {take(0, channels), take(channels, whole.size(1) - channels)};
}

Tensor forward_anywhere(const Tensor& first, const Tensor& second) {
  check_operands(first, second);
  return channels_last(at::cat({first, second}, 1));
}

std::tuple<Tensor, Tensor> split_anywhere(const Tensor& whole, std::int64_t channels) {
  return {channels_last(whole.narrow(1, 0, channels)),
          channels_last(whole.narrow(1, channels, whole.size(1) - channels))};
}

Tensor call_forward(const Tensor& first, const Tensor& second) {
  static const auto operation = c10::Dispatcher::singleton()
                                    .findSchemaOrThrow("proxytune::concatenate", "")
                                    .typed<Tensor(const Tensor&, const Tensor&)>();
  return operation.call(first, second);
}

std::tuple<Tensor, Tensor> call_split(const Tensor& whole, std::int64_t channels) {
  static const auto operation =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("proxytune::split_channels", "")
          .typed<std::tuple<Tensor, Tensor>(const Tensor&, std::int64_t)>();
  return operation.call(whole, channels);
}

class Concatenate : public torch::autograd::Function<Concatenate> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context,
                        const Tensor& first,
                        const Tensor& second) {
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    context->saved_data["channels"] = first.size(1);
    return call_forward(first, second);
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context,
      const torch::autograd::variable_list& gradients) {
    refuse_double_backward("concatenate");
    const auto [first, second] =
        call_split(gradients[0], context->saved_data["channels"].toInt());
    return {first, second};
  }
};

Tensor forward_autograd(const Tensor& first, const Tensor& second) {
  return Concatenate::apply(first, second);
}

}  // namespace

Tensor concatenate(const Tensor& first, const Tensor& second) {
  return call_forward(first, second);
}

TORCH_LIBRARY_FRAGMENT(proxytune, library) {
  library.def("concatenate(Tensor first, Tensor second) -> Tensor");
  library.def("split_channels(Tensor whole, int channels) -> (Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(proxytune, CompositeExplicitAutograd, library) {
  library.impl("concatenate", &forward_anywhere);
  library.impl("split_channels", &split_anywhere);
}

TORCH_LIBRARY_IMPL(proxytune, CPU, library) {
  library.impl("concatenate", &forward_cpu);
  library.impl("split_channels", &split_cpu);
}

TORCH_LIBRARY_IMPL(proxytune, Autograd, library) {
  library.impl("concatenate", &forward_autograd);
}

}  // namespace proxytune::ops
