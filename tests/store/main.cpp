#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/comm/agree.h"
#include "proxytune/comm/communicator.h"

#include "tests/store/world.h"

namespace proxytune::store {
namespace {

std::unique_ptr<comm::Communicator> the_world;

std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "store_test_XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make " + name);
  return name;
}

}  // namespace

comm::Communicator& world() {
  return *the_world;
}

SharedFolder::SharedFolder() : path_(comm::from_root(world(), make_folder)) {}

SharedFolder::~SharedFolder() {
  world().barrier();
  std::error_code ignored;
  if (world().is_root())
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace proxytune::store

int main(int argc, char** argv) {
  proxytune::comm::MpiEnvironment environment(argc, argv);
  proxytune::store::the_world = proxytune::comm::world_communicator();
  ::testing::InitGoogleTest(&argc, argv);
  const bool failed = RUN_ALL_TESTS() != 0;
  const bool any = proxytune::comm::any(*proxytune::store::the_world, failed);
  proxytune::store::the_world.reset();
  return any ? 1 : 0;
}
