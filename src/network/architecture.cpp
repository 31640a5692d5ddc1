#include "network/architecture.h"

namespace proxytune::network {
namespace {

/// Collects the entries block by block, as MONAI's constructors register them.
class Collector {
 public:
  explicit Collector(Norm norm) : norm_(norm) {}

  void convolution(const std::string& prefix,
                   std::int64_t first,
                   std::int64_t second,
                   std::int64_t outputs,
                   std::int64_t edge) {
    const std::int64_t fan_in = second * edge * edge * edge;
    entries_.push_back({prefix + "weight",
                        {first, second, edge, edge, edge},
                        Role::convolution_weight,
                        fan_in});
    entries_.push_back({prefix + "bias", {outputs}, Role::bias, fan_in});
  }

  void norm_and_activation(const std::string& prefix, std::int64_t channels) {
    if (norm_ == Norm::batch) {
      entries_.push_back({prefix + "N.weight", {channels}, Role::norm_weight});
      entries_.push_back({prefix + "N.bias", {channels}, Role::norm_bias});
      entries_.push_back({prefix + "N.running_mean", {channels}, Role::running_mean});
      entries_.push_back({prefix + "N.running_var", {channels}, Role::running_variance});
      entries_.push_back({prefix + "N.num_batches_tracked", {}, Role::batches_tracked});
    }
    entries_.push_back({prefix + "A.weight", {1}, Role::slope});
  }

  void encoder_unit(const std::string& prefix,
                    std::int64_t in,
                    std::int64_t out,
                    int sub_units,
                    std::int64_t residual_edge) {
    for (int i = 0; i < sub_units; ++i) {
      const std::string unit = prefix + "conv.unit" + std::to_string(i) + ".";
      convolution(unit + "conv.", out, i == 0 ? in : out, out, 3);
      norm_and_activation(unit + "adn.", out);
    }
    convolution(prefix + "residual.", out, in, out, residual_edge);
  }

  void decoder_unit(const std::string& prefix, std::int64_t in, std::int64_t out, bool top) {
    convolution(prefix + "0.conv.", in, out, out, 3);
    norm_and_activation(prefix + "0.adn.", out);
    convolution(prefix + "1.conv.unit0.conv.", out, out, out, 3);
    if (!top)
      norm_and_activation(prefix + "1.conv.unit0.adn.", out);
  }

  std::vector<Entry> take() { return std::move(entries_); }

 private:
  Norm norm_;
  std::vector<Entry> entries_;
};

}  // namespace

std::string level_prefix(int level) {
  std::string prefix = "model.";
  for (int i = 0; i < level; ++i)
    prefix += "1.submodule.";
  return prefix;
}

std::int64_t channels_at(const UNetOptions& options, int level) {
  return static_cast<std::int64_t>(options.channels) << level;
}

std::vector<Entry> state_entries(const UNetOptions& options) {
  Collector collector(options.norm);
  const int bottom = options.levels - 1;
  for (int level = 0; level <= bottom; ++level) {
    const std::int64_t in = level == 0 ? options.in_channels : channels_at(options, level - 1);
    collector.encoder_unit(level_prefix(level) + (level == bottom ? "" : "0."),
                           in,
                           channels_at(options, level),
                           options.residual_units,
                           level == bottom ? 1 : 3);
  }
  for (int level = bottom - 1; level >= 0; --level) {
    const std::int64_t here = channels_at(options, level);
    const std::int64_t deeper = level == bottom - 1 ? channels_at(options, bottom) : here;
    collector.decoder_unit(level_prefix(level) + "2.",
                           here + deeper,
                           level == 0 ? options.out_channels : channels_at(options, level - 1),
                           level == 0);
  }
  return collector.take();
}

}  // namespace proxytune::network
