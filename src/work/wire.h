#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "proxytune/comm/failure.h"
#include "proxytune/work/distribute.h"

namespace proxytune::work {

/// What a rank tells the manager.
struct Report {
  enum class Kind : std::uint8_t {
    arrived,   // its first message: it can take pieces
    watches,   // its first message: it takes none, and only hears of stops and the end
    ready,     // can take another piece
    finished,  // a piece, with a result
    again,     // a piece, whose result does not count: it is to be done once more
    failed,    // a piece, with an error that ends the work
    stopping,  // it was asked to stop; pieces it has go on to their next step
    stopped,   // a piece is not done, because it was asked to stop
    goodbye,   // its last message
  };
  Kind kind = Kind::arrived;
  std::string key = {};  // of the piece
  Record result = {};
  comm::Failure failure = {};
  bool ready_too = false;   // and the rank can take another piece
  bool with_fewer = false;  // of `again`: beside fewer others
};

/// What the manager tells a rank.
struct Order {
  enum class Kind : std::uint8_t {
    work,     // do the piece
    stop,     // leave the pieces you have at their next step
    go_home,  // the last order
  };
  Kind kind = Kind::go_home;
  Item item;
};

/// How all the work ended, alike on all ranks.
struct Outcome {
  std::optional<comm::Failure> failure;
  std::map<std::string, Record> results;
};

std::vector<std::byte> encode(const Report& report);
std::vector<std::byte> encode(const Order& order);
std::vector<std::byte> encode(const Outcome& outcome);
Report decode_report(std::span<const std::byte> bytes);
Order decode_order(std::span<const std::byte> bytes);
Outcome decode_outcome(std::span<const std::byte> bytes);

}  // namespace proxytune::work
