// store_write_sample FILE ROWS REPEATS [FSIZE_LIMIT_ON_LAST_RANK]: writes a results file with
// every kind of column, REPEATS times over. Exit code 4 where it failed on every rank alike.
#include <csignal>
#include <cstdio>
#include <string>

#include <sys/resource.h>

#include "proxytune/comm/communicator.h"
#include "proxytune/core/error.h"
#include "proxytune/store/results.h"

namespace {

using namespace proxytune;

std::vector<core::Table> tables_of(std::size_t rows) {
  std::vector<double> numbers(rows);
  std::vector<std::int64_t> integers(rows);
  std::vector<std::string> texts(rows);
  std::vector<double> curves(rows * 3);
  for (std::size_t i = 0; i < rows; ++i) {
    numbers[i] = 1.0 / static_cast<double>(i + 1);
    integers[i] = static_cast<std::int64_t>(i * i);
    texts[i] = "trial \u00e4 " + std::to_string(i);
    for (std::size_t epoch = 0; epoch < 3; ++epoch)
      curves[3 * i + epoch] = numbers[i] / static_cast<double>(epoch + 1);
  }
  core::Table trials{"/sweep/trials", "one row a trial", {}};
  trials.add("dice", "1", "validation Dice", numbers)
      .add("seconds", "s", "wall time <of> a trial", integers)
      .add("key", "1", "name", texts);
  core::Table curve{"/sweep/curves", "training curves", {}};
  curve.add("loss", "1", "(trial, epoch)", curves, {rows, 3});
  core::Table empty{"/search/trials", "no rows", {}};
  empty.add("dice", "1", "none", std::vector<double>{})
      .add("key", "1", "none", std::vector<std::string>{});
  return {trials, curve, empty};
}

}  // namespace

int main(int argc, char** argv) {
  comm::MpiEnvironment environment(argc, argv);
  const auto world = comm::world_communicator();
  const std::string file = argv[1];
  const auto rows = static_cast<std::size_t>(std::stoul(argv[2]));
  const int repeats = std::stoi(argv[3]);
  if (argc > 4 && world->rank() == world->size() - 1) {
    std::signal(SIGXFSZ, SIG_IGN);
    const auto limit = static_cast<rlim_t>(std::stoul(argv[4]));
    const rlimit small{.rlim_cur = limit, .rlim_max = limit};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  try {
    for (int i = 0; i < repeats; ++i)
      store::write_results(*world, file, tables_of(rows), {{"study", "sample"}});
  } catch (const core::Error& error) {
    std::fprintf(stderr, "rank %d: %s\n", world->rank(), error.what());
    std::fflush(stderr);
    world->barrier();  // every rank has said so
    comm::MpiEnvironment::abort(static_cast<int>(error.code()));
  }
  return 0;
}
