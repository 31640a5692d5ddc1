#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

// Channels-last rows to rows of one channel each and back, as the including source's compiler
// options and `Arithmetic` make them: type Words, `lanes` of a vector, and load_words(),
// load_piece(), store_words(), store_piece(), even(), odd(), low(), high(); and of pairs of
// bfloat16 low_half(), high_half() and pair().

namespace proxytune::ops {
namespace {

/// Words of a vector that hold `count` words from `begin` on, of those of this vector.
template <class A>
inline int lanes_left(std::int64_t count, std::int64_t begin) {
  return static_cast<int>(std::clamp<std::int64_t>(count - begin, 0, A::lanes));
}

// The indices are constants everywhere, so that all vectors live in registers.
template <class A, std::size_t Count>
struct Vectors {
  typename A::Words at[Count];
};

/// [lanes][Channels] in as many vectors as channels, to [Channels][lanes]: each stage gathers
/// what lies 2 apart.
template <class A, std::size_t... Half>
inline auto deinterleaved(const Vectors<A, 2 * sizeof...(Half)>& v,
                          std::index_sequence<Half...>) {
  return Vectors<A, 2 * sizeof...(Half)>{{A::even(v.at[2 * Half], v.at[2 * Half + 1])...,
                                          A::odd(v.at[2 * Half], v.at[2 * Half + 1])...}};
}

template <class A, std::size_t... At>
inline auto interleaved(const Vectors<A, sizeof...(At)>& v, std::index_sequence<At...>) {
  constexpr std::size_t half = sizeof...(At) / 2;
  return Vectors<A, sizeof...(At)>{
      {(At % 2 == 0 ? A::low(v.at[At / 2], v.at[At / 2 + half])
                    : A::high(v.at[At / 2], v.at[At / 2 + half]))...}};
}

template <class A, std::size_t Channels, std::size_t Stages = Channels>
inline auto part_block(const Vectors<A, Channels>& v) {
  if constexpr (Stages == 1)
    return v;
  else
    return part_block<A, Channels, Stages / 2>(
        deinterleaved<A>(v, std::make_index_sequence<Channels / 2>{}));
}

template <class A, std::size_t Channels, std::size_t Stages = Channels>
inline auto join_block(const Vectors<A, Channels>& v) {
  if constexpr (Stages == 1)
    return v;
  else
    return join_block<A, Channels, Stages / 2>(
        interleaved<A>(v, std::make_index_sequence<Channels>{}));
}

/// Words `at * lanes` on of [here][Channels], whose positions are `stride` words apart.
template <class A, int Channels>
inline typename A::Words load_part(const std::uint32_t* words,
                                   std::int64_t stride,
                                   int here,
                                   int at) {
  if (stride == Channels)
    return A::load_words(words + at * A::lanes, lanes_left<A>(here * Channels, at * A::lanes));
  constexpr int positions = A::lanes / Channels;
  typename A::Words vector = A::no_words();
  for (int j = 0; j < positions; ++j) {
    const int position = at * positions + j;
    if (position < here)
      vector = A::load_piece(vector, words + position * stride, j * Channels, Channels);
  }
  return vector;
}

template <class A, int Channels>
inline void store_part(const typename A::Words& vector,
                       std::uint32_t* words,
                       std::int64_t stride,
                       int here,
                       int at) {
  if (stride == Channels)
    return A::store_words(
        vector, words + at * A::lanes, lanes_left<A>(here * Channels, at * A::lanes));
  constexpr int positions = A::lanes / Channels;
  for (int j = 0; j < positions; ++j) {
    const int position = at * positions + j;
    if (position < here)
      A::store_piece(vector, words + position * stride, j * Channels, Channels);
  }
}

/// How a row's elements are kept: as they are, or each word as two rows of floats.
enum class Rows { words, pairs };

template <class A, Rows Kind>
inline void store_row(const typename A::Words& words,
                      std::uint32_t* rows,
                      std::int64_t pitch,
                      std::int64_t row,
                      int here) {
  if constexpr (Kind == Rows::words) {
    A::store_words(words, rows + row * pitch, here);
  } else {
    A::store_words(A::low_half(words), rows + 2 * row * pitch, here);
    A::store_words(A::high_half(words), rows + (2 * row + 1) * pitch, here);
  }
}

template <class A, Rows Kind>
inline typename A::Words load_row(const std::uint32_t* rows,
                                  std::int64_t pitch,
                                  std::int64_t row,
                                  int here) {
  if constexpr (Kind == Rows::words)
    return A::load_words(rows + row * pitch, here);
  else
    return A::pair(A::load_words(rows + 2 * row * pitch, here),
                   A::load_words(rows + (2 * row + 1) * pitch, here));
}

template <class A, Rows Kind, std::size_t... C>
inline void part(const std::uint32_t* words,
                 std::int64_t stride,
                 std::int64_t count,
                 std::uint32_t* rows,
                 std::int64_t pitch,
                 std::index_sequence<C...>) {
  constexpr int channels = sizeof...(C);
  for (std::int64_t x = 0; x < count; x += A::lanes) {
    const int here = lanes_left<A>(count, x);
    const auto parted = part_block<A, channels>(Vectors<A, channels>{
        {load_part<A, channels>(words + x * stride, stride, here, static_cast<int>(C))...}});
    (store_row<A, Kind>(parted.at[C], rows + x, pitch, C, here), ...);
  }
}

template <class A, Rows Kind, std::size_t... C>
inline void join(const std::uint32_t* rows,
                 std::int64_t pitch,
                 std::int64_t count,
                 std::uint32_t* words,
                 std::int64_t stride,
                 std::index_sequence<C...>) {
  constexpr int channels = sizeof...(C);
  for (std::int64_t x = 0; x < count; x += A::lanes) {
    const int here = lanes_left<A>(count, x);
    const auto joined = join_block<A, channels>(
        Vectors<A, channels>{{load_row<A, Kind>(rows + x, pitch, C, here)...}});
    (store_part<A, channels>(
         joined.at[C], words + x * stride, stride, here, static_cast<int>(C)),
     ...);
  }
}

/// Calls with the greatest power of two of channels that are left, up to a vector's lanes.
template <int Most, class Call>
inline void in_powers_of_two(int channels, const Call& call) {
  int c = 0;
  for (; c + Most <= channels; c += Most)
    call(c, std::make_index_sequence<Most>{});
  if constexpr (Most > 1)
    in_powers_of_two<Most / 2>(channels - c,
                               [&](int further, auto size) { call(c + further, size); });
}

template <class A, Rows Kind>
void part_channels(const std::uint32_t* words,
                   std::int64_t stride,
                   std::int64_t count,
                   int channels,
                   std::uint32_t* rows,
                   std::int64_t pitch) {
  constexpr std::int64_t of_a_word = Kind == Rows::words ? 1 : 2;
  in_powers_of_two<A::lanes>(channels, [&](int c, auto size) {
    part<A, Kind>(words + c, stride, count, rows + of_a_word * c * pitch, pitch, size);
  });
}

template <class A, Rows Kind>
void join_channels(const std::uint32_t* rows,
                   std::int64_t pitch,
                   std::int64_t count,
                   int channels,
                   std::uint32_t* words,
                   std::int64_t stride) {
  constexpr std::int64_t of_a_word = Kind == Rows::words ? 1 : 2;
  in_powers_of_two<A::lanes>(channels, [&](int c, auto size) {
    join<A, Kind>(rows + of_a_word * c * pitch, pitch, count, words + c, stride, size);
  });
}

}  // namespace
}  // namespace proxytune::ops
