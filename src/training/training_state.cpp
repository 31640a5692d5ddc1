#include "training/training_state.h"

#include <limits>

#include "proxytune/core/error.h"
#include "training/bytes.h"

namespace proxytune::training {
namespace {

work::Record head_of(const TrainingState& state) {
  work::Record head = trials::to_record(state.result);
  head.set("at_epoch", std::int64_t{state.at.epoch});
  head.set("at_step", std::int64_t{state.at.step});
  head.set("loss_sum", state.at.loss_sum);
  head.set("scored", state.at.scored);
  head.set("has_best", !state.best.empty());
  head.set("has_optimizer", state.optimizer.has_value());
  if (state.optimizer)
    head.set("optimizer_steps", state.optimizer->steps);
  return head;
}

int small(const work::Record& head, const std::string& name) {
  const std::int64_t value = head.integer(name);
  if (value < 0 || value > std::numeric_limits<int>::max())
    throw core::DataError(name + " is " + std::to_string(value));
  return static_cast<int>(value);
}

void add(BlockWriter& writer, const std::vector<network::NamedTensor>& tensors) {
  for (const network::NamedTensor& named : tensors) {
    const torch::Tensor tensor = named.tensor.contiguous();
    writer.add(tensor.data_ptr(), tensor.nbytes());
  }
}

std::vector<network::NamedTensor> next(BlockReader& reader,
                                       const std::vector<network::NamedTensor>& like) {
  std::vector<network::NamedTensor> tensors;
  for (const network::NamedTensor& named : like) {
    torch::Tensor tensor = torch::empty(named.tensor.sizes(), named.tensor.scalar_type());
    reader.next(tensor.data_ptr(), tensor.nbytes());
    tensors.push_back({named.name, std::move(tensor)});
  }
  return tensors;
}

std::vector<float> floats(BlockReader& reader) {
  const std::string_view block = reader.next();
  std::vector<float> values(block.size() / sizeof(float));
  if (!values.empty())
    std::memcpy(values.data(), block.data(), values.size() * sizeof(float));
  return values;
}

}  // namespace

std::string encode(const TrainingState& state) {
  BlockWriter writer;
  writer.add(work::to_json(head_of(state)));
  add(writer, state.weights);
  add(writer, state.best);
  if (state.optimizer) {
    writer.add(std::span(state.optimizer->first));
    writer.add(std::span(state.optimizer->second));
  }
  return writer.take();
}

TrainingState decode(const std::string& text, const std::vector<network::NamedTensor>& like) {
  BlockReader reader(text);
  const work::Record head = work::from_json(reader.next());
  TrainingState state;
  state.result = trials::result_from_record(head);
  state.at = {.epoch = small(head, "at_epoch"),
              .step = small(head, "at_step"),
              .loss_sum = head.number("loss_sum"),
              .scored = head.numbers("scored")};
  state.weights = next(reader, like);
  if (head.boolean("has_best"))
    state.best = next(reader, like);
  if (head.boolean("has_optimizer")) {
    std::vector<float> first = floats(reader);
    std::vector<float> second = floats(reader);
    state.optimizer = {head.integer("optimizer_steps"), std::move(first), std::move(second)};
  }
  if (!reader.at_end())
    throw core::DataError("it is longer than it should be");
  return state;
}

}  // namespace proxytune::training
