#include "proxytune/network/weights_file.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "proxytune/core/error.h"

#include "tests/network/networks.h"

namespace proxytune::network {
namespace {

using test::proxy_three;
using test::sentence_of;
using test::wave;
using test::with_batch_norm;
using ::testing::HasSubstr;

class WeightsFileTest : public ::testing::Test {
 protected:
  WeightsFileTest() { std::filesystem::create_directories(folder_); }
  ~WeightsFileTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                  ("weights_file_test_" + std::to_string(::getpid()));
};

TEST_F(WeightsFileTest, BringsBackWhatWasSaved) {
  UNet saved(with_batch_norm(proxy_three));
  initialise(saved, core::RandomKey(1));
  saved.forward(wave(2 * 512, 0, 0.3).view({2, 1, 8, 8, 8}).to(torch::kFloat32));
  save_weights(path("weights.pt"), saved.state());
  UNet loaded(with_batch_norm(proxy_three));
  load_state(loaded, load_weights(path("weights.pt")), "weights.pt");
  const std::vector<NamedTensor> before = saved.state();
  const std::vector<NamedTensor> after = loaded.state();
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(torch::equal(before[i].tensor, after[i].tensor)) << before[i].name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("").parent_path()), {}), 1);
}

TEST_F(WeightsFileTest, IsNotLeftWhereItCannotBeWritten) {
  EXPECT_THROW(save_weights(path("missing/weights.pt"), UNet(proxy_three).state()),
               core::SystemError);
}

TEST_F(WeightsFileTest, RefusesWhatIsNoWeightsFile) {
  const auto sentence = [&](const std::string& name) {
    return sentence_of<core::DataError>([&] { load_weights(path(name)); });
  };
  EXPECT_THAT(sentence("none.pt"), HasSubstr("is missing"));
  std::ofstream(path("text.pt")) << "no archive";
  EXPECT_THAT(sentence("text.pt"), HasSubstr("text.pt cannot be read"));
  save_weights(path("whole.pt"), UNet(proxy_three).state());
  const auto size = std::filesystem::file_size(path("whole.pt"));
  std::filesystem::copy_file(path("whole.pt"), path("torn.pt"));
  std::filesystem::resize_file(path("torn.pt"), size / 2);
  EXPECT_THAT(sentence("torn.pt"), HasSubstr("torn.pt cannot be read"));
}

TEST_F(WeightsFileTest, AFlippedBitIsRefusedOrChangesNothing) {
  const UNet network(proxy_three);
  save_weights(path("whole.pt"), network.state());
  std::ifstream file(path("whole.pt"), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  int refused = 0;
  for (std::size_t place = 0; place < whole.size(); place += 53) {
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ (1 << place % 8));
    std::ofstream(path("flipped.pt"), std::ios::binary) << flipped;
    try {
      const std::vector<NamedTensor> read = load_weights(path("flipped.pt"));
      const std::vector<NamedTensor> state = network.state();
      ASSERT_EQ(read.size(), state.size());
      for (std::size_t i = 0; i < read.size(); ++i)
        ASSERT_TRUE(torch::equal(read[i].tensor, state[i].tensor)) << "byte " << place;
    } catch (const core::DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST_F(WeightsFileTest, RefusesTheWeightsOfAnotherNetwork) {
  const auto sentence = [](const UNetOptions& of, const UNetOptions& into) {
    return sentence_of<core::DataError>([&] {
      UNet network(into);
      load_state(network, UNet(of).state(), "start.pt");
    });
  };
  EXPECT_THAT(sentence(proxy_three, with_batch_norm(proxy_three)),
              HasSubstr("start.pt has no model.0.conv.unit0.adn.N.weight"));
  EXPECT_THAT(sentence(with_batch_norm(proxy_three), proxy_three),
              HasSubstr("which the network has not"));
  UNetOptions three_classes = proxy_three;
  three_classes.out_channels = 3;
  EXPECT_THAT(sentence(three_classes, proxy_three),
              HasSubstr("start.pt has model.2.0.conv.weight of shape (8, 3, 3, 3, 3) where the "
                        "network has (8, 2, 3, 3, 3)"));
}

TEST(LoadStateTest, TakesFilesWithoutCountsOfBatches) {
  UNet network(with_batch_norm(proxy_three));
  std::vector<NamedTensor> state = network.state();
  std::erase_if(state, [](const NamedTensor& named) {
    return named.name.ends_with("num_batches_tracked");
  });
  EXPECT_NO_THROW(load_state(network, state, "start.pt"));
}

}  // namespace
}  // namespace proxytune::network
