// The same pieces under MPI: results, a stop and an error reach every rank.
#include <iostream>

#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"

#include "tests/work/distribute_support.h"

namespace proxytune::work {
namespace {

void require(bool holds, const char* what) {
  if (!holds)
    throw std::runtime_error(what);
}

template <class Error>
bool throws(const Launch& launch, comm::Communicator& world, Source* source) {
  try {
    launch.run(world, source);
  } catch (const Error&) {
    return true;
  }
  return false;
}

void check(comm::Communicator& world) {
  std::unique_ptr<TestFolder> folder;
  Launch launch;
  launch.folder = comm::from_root(world, [&] {
    folder = std::make_unique<TestFolder>();
    return folder->path().string();
  });
  const auto list = [&](int count) {
    return world.is_root() ? std::make_unique<ListSource>(squares(count)) : nullptr;
  };
  const auto results = launch.run(world, list(200).get());
  require(results.size() == 200, "not all pieces have a result");
  for (const Item& item : squares(200))
    require(results.at(item.key) == square(item), "a result is wrong");

  launch.id = "launch1";
  launch.options.at_once = 2;
  launch.worker = [](const Item&) -> Record { throw core::DataError("done twice"); };
  require(launch.run(world, list(200).get()) == results, "the journal was not used");
  launch.id = "launch2";
  require(throws<core::DataError>(launch, world, list(201).get()), "the error was lost");
  launch.id = "launch3";
  launch.worker = square;
  launch.stops = [&](int rank) { return rank == world.size() - 1; };
  require(throws<core::Stopped>(launch, world, list(100000).get()), "the stop was lost");
  world.barrier();
}

}  // namespace
}  // namespace proxytune::work

int main(int argument_count, char** arguments) {
  const proxytune::comm::MpiEnvironment environment(argument_count, arguments);
  try {
    proxytune::work::check(*proxytune::comm::world_communicator());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    proxytune::comm::MpiEnvironment::abort(1);
  }
}
