#include "network/pickle_writer.h"

#include <array>
#include <stdexcept>
#include <utility>

namespace proxytune::network {
namespace {

constexpr std::array<std::pair<const char*, torch::ScalarType>, 8> storages{{
    {"FloatStorage", torch::kFloat32},
    {"DoubleStorage", torch::kFloat64},
    {"HalfStorage", torch::kFloat16},
    {"BFloat16Storage", torch::kBFloat16},
    {"LongStorage", torch::kInt64},
    {"IntStorage", torch::kInt32},
    {"ByteStorage", torch::kUInt8},
    {"BoolStorage", torch::kBool},
}};

/// Opcodes of Python's pickle protocol 2, as pickletools names them.
class Emitter {
 public:
  void code(char opcode) { bytes_ += opcode; }
  void global(const char* module, const char* name) {
    bytes_ += std::string("c") + module + "\n" + name + "\n";
  }
  void text(const std::string& text) {
    code('X');
    little_endian(text.size(), 4);
    bytes_ += text;
  }
  void integer(std::int64_t value) {
    code('\x8a');  // LONG1
    code(8);
    little_endian(static_cast<std::uint64_t>(value), 8);
  }
  void tuple(c10::IntArrayRef values) {
    code('(');
    for (const std::int64_t value : values)
      integer(value);
    code('t');
  }
  std::string take() { return std::move(bytes_); }

 private:
  void little_endian(std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i)
      bytes_ += static_cast<char>((value >> (8 * i)) & 0xff);
  }
  std::string bytes_;
};

/// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)
void emit_tensor(Emitter& emit, const torch::Tensor& tensor, const std::string& record) {
  emit.global("torch._utils", "_rebuild_tensor_v2");
  emit.code('(');
  emit.code('(');
  emit.text("storage");
  emit.global("torch", storage_of_type(tensor.scalar_type()).c_str());
  emit.text(record);
  emit.text("cpu");
  emit.integer(tensor.numel());
  emit.code('t');
  emit.code('Q');  // BINPERSID
  emit.integer(0);
  emit.tuple(tensor.sizes());
  emit.tuple(tensor.strides());
  emit.code('\x89');  // False
  emit.global("collections", "OrderedDict");
  emit.code(')');
  emit.code('R');
  emit.code('t');
  emit.code('R');
}

}  // namespace

std::string pickle_state(const std::vector<NamedTensor>& state) {
  Emitter emit;
  emit.code('\x80');
  emit.code(2);
  emit.code('}');
  emit.code('(');
  for (std::size_t i = 0; i < state.size(); ++i) {
    emit.text(state[i].name);
    emit_tensor(emit, state[i].tensor.contiguous(), std::to_string(i));
  }
  emit.code('u');  // SETITEMS
  emit.code('.');
  return emit.take();
}

torch::ScalarType type_of_storage(const std::string& storage_class) {
  for (const auto& [name, type] : storages)
    if (storage_class == name)
      return type;
  throw std::invalid_argument("no element type is known for torch." + storage_class);
}

std::string storage_of_type(torch::ScalarType type) {
  for (const auto& [name, known] : storages)
    if (type == known)
      return name;
  throw std::invalid_argument("no torch storage is known for this element type");
}

}  // namespace proxytune::network
