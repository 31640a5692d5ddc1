#include "wire.h"

#include <bit>
#include <cstring>
#include <stdexcept>

namespace proxytune::work {
namespace {

/// Numbers as eight bytes, texts with their length in front. All ranks run the same program on
/// the same kind of machine, so no byte order is fixed.
class Writer {
 public:
  Writer& number(std::uint64_t value) {
    append(&value, sizeof value);
    return *this;
  }
  Writer& text(const std::string& value) {
    number(value.size());
    append(value.data(), value.size());
    return *this;
  }
  Writer& failure(const comm::Failure& value) {
    return number(static_cast<std::uint64_t>(value.code)).text(value.sentence);
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t length) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), begin, begin + length);
  }
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string text() {
    const auto bytes = take(number());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  comm::Failure failure() {
    const auto code = static_cast<core::ExitCode>(number());
    return {code, text()};
  }

 private:
  std::span<const std::byte> take(std::size_t length) {
    if (length > bytes_.size())
      throw std::logic_error("a control message is too short");
    const auto taken = bytes_.first(length);
    bytes_ = bytes_.subspan(length);
    return taken;
  }
  std::span<const std::byte> bytes_;
};

}  // namespace

std::vector<std::byte> encode(const Report& report) {
  return Writer()
      .number(static_cast<std::uint64_t>(report.kind))
      .text(report.key)
      .text(to_json(report.result))
      .failure(report.failure)
      .number(report.ready_too ? 1 : 0)
      .number(report.with_fewer ? 1 : 0)
      .take();
}

Report decode_report(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Report report;
  report.kind = static_cast<Report::Kind>(reader.number());
  report.key = reader.text();
  report.result = from_json(reader.text());
  report.failure = reader.failure();
  report.ready_too = reader.number() != 0;
  report.with_fewer = reader.number() != 0;
  return report;
}

std::vector<std::byte> encode(const Order& order) {
  return Writer()
      .number(static_cast<std::uint64_t>(order.kind))
      .text(order.item.key)
      .text(to_json(order.item.what))
      .number(std::bit_cast<std::uint64_t>(order.item.expected_cost))
      .number(static_cast<std::uint64_t>(order.item.attempt))
      .take();
}

Order decode_order(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Order order;
  order.kind = static_cast<Order::Kind>(reader.number());
  order.item.key = reader.text();
  order.item.what = from_json(reader.text());
  order.item.expected_cost = std::bit_cast<double>(reader.number());
  order.item.attempt = static_cast<int>(reader.number());
  return order;
}

std::vector<std::byte> encode(const Outcome& outcome) {
  Writer writer;
  writer.number(outcome.failure ? 1 : 0);
  if (outcome.failure)
    return writer.failure(*outcome.failure).take();
  writer.number(outcome.results.size());
  for (const auto& [key, result] : outcome.results)
    writer.text(key).text(to_json(result));
  return writer.take();
}

Outcome decode_outcome(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  Outcome outcome;
  if (reader.number() != 0) {
    outcome.failure = reader.failure();
    return outcome;
  }
  for (std::uint64_t left = reader.number(); left > 0; --left) {
    std::string key = reader.text();
    outcome.results.emplace(std::move(key), from_json(reader.text()));
  }
  return outcome;
}

}  // namespace proxytune::work
