#include "store/layout.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace proxytune::store {
namespace {

/// What is held in memory of a column at once, whatever its size.
constexpr std::size_t part_bytes = std::size_t{16} << 20U;

static_assert(std::endian::native == std::endian::little, "the file's bytes are ours");

template <class Numbers>
std::vector<std::byte> bytes_of_some(const Numbers& numbers,
                                     std::size_t first,
                                     std::size_t count) {
  std::vector<std::byte> bytes(count * sizeof(typename Numbers::value_type));
  if (count > 0)
    std::memcpy(bytes.data(), numbers.data() + first, bytes.size());
  return bytes;
}

template <class Number>
std::vector<Number> numbers_of(const std::vector<std::byte>& bytes) {
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  if (!numbers.empty())
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

}  // namespace

h5::ElementType element_of(const core::Column& column) {
  if (std::holds_alternative<core::Doubles>(column.values))
    return {h5::Kind::float64, 8};
  if (std::holds_alternative<std::vector<std::int64_t>>(column.values))
    return {h5::Kind::int64, 8};
  std::size_t width = 1;
  for (const std::string& text : std::get<std::vector<std::string>>(column.values))
    width = std::max(width, text.size());
  return {h5::Kind::text, width};
}

std::size_t rows_of(const core::Column& column) {
  return column.shape.front();
}

std::vector<Rows> parts_of(const core::Column& column, const Rows& rows) {
  std::size_t width = element_of(column).width;
  for (std::size_t axis = 1; axis < column.shape.size(); ++axis)
    width *= column.shape[axis];
  const std::size_t step =
      std::max<std::size_t>(1, part_bytes / std::max<std::size_t>(1, width));
  std::vector<Rows> parts;
  for (std::size_t done = 0; done < rows.count; done += step)
    parts.push_back({rows.first + done, std::min(step, rows.count - done)});
  return parts;
}

std::vector<std::byte> bytes_of(const core::Column& column, const Rows& rows) {
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < column.shape.size(); ++axis)
    width *= column.shape[axis];
  const std::size_t first = rows.first * width;
  const std::size_t count = rows.count * width;
  if (const auto* numbers = std::get_if<core::Doubles>(&column.values))
    return bytes_of_some(*numbers, first, count);
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values))
    return bytes_of_some(*integers, first, count);
  const auto& texts = std::get<std::vector<std::string>>(column.values);
  const std::size_t length = element_of(column).width;
  std::vector<std::byte> bytes(count * length, std::byte{0});
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(bytes.data() + i * length, texts[first + i].data(), texts[first + i].size());
  return bytes;
}

core::Column::Values values_of(h5::ElementType element, const std::vector<std::byte>& bytes) {
  if (element.kind == h5::Kind::float64)
    return numbers_of<double>(bytes);
  if (element.kind == h5::Kind::int64)
    return numbers_of<std::int64_t>(bytes);
  std::vector<std::string> texts;
  for (std::size_t begin = 0; begin < bytes.size(); begin += element.width) {
    std::string text(reinterpret_cast<const char*>(bytes.data()) + begin, element.width);
    text.resize(std::min(text.size(), text.find('\0')));
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace proxytune::store
