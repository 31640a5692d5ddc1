#include "staged_collectives.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "proxytune/core/error.h"

namespace proxytune::comm {
namespace {

using Bytes = std::vector<std::byte>;

/// Elements of type T, one after the other.
class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}
  template <class T>
  void read(std::span<T> to) {
    if (to.size_bytes() > bytes_.size() - at_)
      throw core::SystemError("a rank gave " + std::to_string(bytes_.size()) +
                              " bytes to a collective in which more were awaited");
    if (!to.empty())
      std::memcpy(to.data(), bytes_.data() + at_, to.size_bytes());
    at_ += to.size_bytes();
  }

 private:
  const Bytes& bytes_;
  std::size_t at_ = 0;
};

template <class T>
void sum_up(Communicator& group, std::span<T> values) {
  const std::vector<Bytes> all = group.all_gather(std::as_bytes(values));
  std::vector<T> one(values.size());
  std::ranges::fill(values, T(0));
  for (const Bytes& bytes : all) {
    Reader(bytes).read(std::span<T>(one));
    for (std::size_t i = 0; i < one.size(); ++i)
      values[i] += one[i];
  }
}

void append(Bytes& bytes, std::span<const std::byte> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

}  // namespace

void StagedCollectives::sum(std::span<float> values) {
  sum_up(group_, values);
}
void StagedCollectives::sum(std::span<double> values) {
  sum_up(group_, values);
}

/// Everybody's letters to everybody: who it is for and how many elements, then those.
void StagedCollectives::exchange(const std::vector<Outgoing>& outgoing,
                                 const std::vector<Incoming>& incoming) {
  Bytes mine;
  for (const Outgoing& one : outgoing) {
    const std::size_t head[2] = {static_cast<std::size_t>(one.to), one.values.size()};
    append(mine, std::as_bytes(std::span(head)));
    append(mine, std::as_bytes(one.values));
  }
  const std::vector<Bytes> all = group_.all_gather(mine);
  std::vector<Reader> readers(all.begin(), all.end());
  std::vector<float> other;
  for (const Incoming& one : incoming)
    for (bool mine_came = false; !mine_came;) {
      Reader& reader = readers.at(static_cast<std::size_t>(one.from));
      std::size_t head[2] = {};
      reader.read(std::span<std::size_t>(head));
      mine_came = head[0] == static_cast<std::size_t>(rank());
      if (mine_came && head[1] != one.values.size())
        throw core::SystemError("rank " + std::to_string(one.from) + " gave " +
                                std::to_string(head[1]) + " values where " +
                                std::to_string(one.values.size()) + " were awaited");
      other.resize(head[1]);
      reader.read(mine_came ? one.values : std::span<float>(other));
    }
}

void StagedCollectives::gather(std::span<float> values, std::span<const std::size_t> bounds) {
  const auto part = [&](int of) {
    const auto r = static_cast<std::size_t>(of);
    return values.subspan(bounds[r], bounds[r + 1] - bounds[r]);
  };
  const std::vector<Bytes> all = group_.all_gather(std::as_bytes(part(rank())));
  for (int other = 0; other < size(); ++other)
    if (other != rank())
      Reader(all[static_cast<std::size_t>(other)]).read(part(other));
}

}  // namespace proxytune::comm
