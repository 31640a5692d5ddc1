#include "network/pickle_reader.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

namespace proxytune::network {
namespace {

struct Value;
using Items = std::vector<Value>;

struct None {};
struct Mark {};
struct Global {
  std::string name;  // module.name
};
struct Tuple {
  std::shared_ptr<Items> items;
};
struct Dict {
  std::shared_ptr<std::vector<std::pair<Value, Value>>> items;
};
struct Storage {
  std::string storage_class;
  std::string record;
};

struct Value {
  std::variant<None,
               Mark,
               bool,
               std::int64_t,
               std::string,
               Global,
               Tuple,
               Dict,
               Storage,
               PickledTensor>
      is;
};

template <class T>
const T& as(const Value& value) {
  if (const T* found = std::get_if<T>(&value.is))
    return *found;
  throw std::invalid_argument("it is no dict from names to tensors");
}

std::vector<std::int64_t> integers(const Value& value) {
  std::vector<std::int64_t> result;
  for (const Value& item : *as<Tuple>(value).items)
    result.push_back(as<std::int64_t>(item));
  return result;
}

const Value& at(const Items& items, std::size_t index) {
  if (index >= items.size())
    throw std::invalid_argument("a tensor is described incompletely");
  return items[index];
}

/// Python's pickle machine, reduced to the opcodes of dicts of tensors.
class Machine {
 public:
  explicit Machine(std::string_view bytes) : bytes_(bytes) {}

  Value run() {
    while (true) {
      const char opcode = take(1).front();
      if (opcode == '.')
        return pop();
      if (!push_constant(opcode) && !keep(opcode))
        build(opcode);
    }
  }

 private:
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size())
      throw std::invalid_argument("its pickle ends early");
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(int count) {
    std::uint64_t value = 0;
    const std::string_view taken = take(static_cast<std::uint64_t>(count));
    for (int i = 0; i < count; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(taken[static_cast<std::size_t>(i)])}
               << (8 * i);
    return value;
  }
  std::int64_t signed_number(int count) {
    if (count < 0 || count > 8)
      throw std::invalid_argument("it holds an integer beyond 64 bits");
    if (count == 0)
      return 0;
    const int unused = 64 - 8 * count;
    return static_cast<std::int64_t>(number(count) << unused) >> unused;
  }
  std::string line() {
    const std::size_t end = bytes_.find('\n');
    if (end == std::string_view::npos)
      throw std::invalid_argument("its pickle ends early");
    std::string text(take(end));
    take(1);
    return text;
  }

  void push(Value value) { stack_.push_back(std::move(value)); }
  Value pop() {
    if (stack_.empty())
      throw std::invalid_argument("its pickle is malformed");
    Value value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  Items pop_to_mark() {
    std::size_t begin = stack_.size();
    while (begin > 0 && !std::holds_alternative<Mark>(stack_[begin - 1].is))
      --begin;
    if (begin == 0)
      throw std::invalid_argument("its pickle is malformed");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(begin);
    Items items(std::make_move_iterator(first), std::make_move_iterator(stack_.end()));
    stack_.resize(begin - 1);
    return items;
  }
  void push_tuple(Items items) { push({Tuple{std::make_shared<Items>(std::move(items))}}); }
  void push_tuple_of(int count) {
    Items items(static_cast<std::size_t>(count));
    for (int i = count; i-- > 0;)
      items[static_cast<std::size_t>(i)] = pop();
    push_tuple(std::move(items));
  }
  void push_dict() { push({Dict{std::make_shared<std::vector<std::pair<Value, Value>>>()}}); }

  bool push_constant(char opcode) {
    switch (opcode) {
      case '(':
        push({Mark{}});
        return true;
      case 'N':
        push({None{}});
        return true;
      case '\x88':
        push({true});
        return true;
      case '\x89':
        push({false});
        return true;
      case 'J':
        push({signed_number(4)});
        return true;
      case 'K':
        push({static_cast<std::int64_t>(number(1))});
        return true;
      case 'M':
        push({static_cast<std::int64_t>(number(2))});
        return true;
      case '\x8a':
        push({signed_number(static_cast<int>(number(1)))});
        return true;
      case 'X':
        push({std::string(take(number(4)))});
        return true;
      case '\x8c':
        push({std::string(take(number(1)))});
        return true;
      case '}':
        push_dict();
        return true;
      case ')':
        push_tuple({});
        return true;
      case 'c': {
        const std::string module = line();
        push({Global{module + "." + line()}});
        return true;
      }
      default:
        return false;
    }
  }

  /// Protocol, frames and the memo.
  bool keep(char opcode) {
    switch (opcode) {
      case '\x80':
        take(1);
        return true;
      case '\x95':
        take(8);
        return true;
      case 'q':
        memo_[number(1)] = top();
        return true;
      case 'r':
        memo_[number(4)] = top();
        return true;
      case '\x94':
        memo_[memo_.size()] = top();
        return true;
      case 'h':
        recall(number(1));
        return true;
      case 'j':
        recall(number(4));
        return true;
      default:
        return false;
    }
  }
  const Value& top() const {
    if (stack_.empty())
      throw std::invalid_argument("its pickle is malformed");
    return stack_.back();
  }
  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end())
      throw std::invalid_argument("its pickle is malformed");
    push(found->second);
  }

  void build(char opcode) {
    switch (opcode) {
      case 't':
        push_tuple(pop_to_mark());
        return;
      case '\x85':
        push_tuple_of(1);
        return;
      case '\x86':
        push_tuple_of(2);
        return;
      case '\x87':
        push_tuple_of(3);
        return;
      case 's': {
        Value value = pop();
        Value key = pop();
        as<Dict>(top()).items->emplace_back(std::move(key), std::move(value));
        return;
      }
      case 'u':
        set_items(pop_to_mark());
        return;
      case 'b':
        pop();
        return;  // attributes of a state_dict (_metadata) say nothing of tensors
      case '\x93': {
        const std::string name = as<std::string>(pop());
        push({Global{as<std::string>(pop()) + "." + name}});
        return;
      }
      case 'Q':
        push_storage(pop());
        return;
      case 'R': {
        const Value arguments = pop();
        call(as<Global>(pop()).name, *as<Tuple>(arguments).items);
        return;
      }
      default:
        throw std::invalid_argument("it holds more than a dict from names to tensors");
    }
  }
  void set_items(const Items& items) {
    if (items.size() % 2 != 0)
      throw std::invalid_argument("its pickle is malformed");
    for (std::size_t i = 0; i < items.size(); i += 2)
      as<Dict>(top()).items->emplace_back(items[i], items[i + 1]);
  }
  void push_storage(const Value& id) {
    const Items& parts = *as<Tuple>(id).items;
    const std::string& name = as<Global>(at(parts, 1)).name;
    if (!name.starts_with("torch."))
      throw std::invalid_argument("it holds " + name + ", which is no torch storage");
    push({Storage{name.substr(6), as<std::string>(at(parts, 2))}});
  }
  void call(const std::string& function, const Items& arguments) {
    if (function == "collections.OrderedDict") {
      push_dict();
    } else if (function == "torch._utils._rebuild_parameter") {
      push(at(arguments, 0));
    } else if (function == "torch._utils._rebuild_tensor_v2") {
      const Storage& storage = as<Storage>(at(arguments, 0));
      push({PickledTensor{"",
                          storage.storage_class,
                          storage.record,
                          as<std::int64_t>(at(arguments, 1)),
                          integers(at(arguments, 2)),
                          integers(at(arguments, 3))}});
    } else {
      throw std::invalid_argument("it calls " + function +
                                  ", which a dict of tensors does not");
    }
  }

  std::string_view bytes_;
  Items stack_;
  std::map<std::uint64_t, Value> memo_;
};

}  // namespace

std::vector<PickledTensor> read_pickled_state(std::string_view bytes) {
  const Value root = Machine(bytes).run();
  std::vector<PickledTensor> tensors;
  for (const auto& [key, value] : *as<Dict>(root).items) {
    tensors.push_back(as<PickledTensor>(value));
    tensors.back().name = as<std::string>(key);
  }
  return tensors;
}

}  // namespace proxytune::network
