#include "jobs/study_numerics.h"

#include <algorithm>

#include <fmt/format.h>

#include "jobs/version.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/similarity/device.h"
#include "proxytune/similarity/instruction_set.h"

namespace proxytune::jobs {
namespace {

std::string text_of(const study::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields)
    text += name + " " + value + "\n";
  return text;
}

/// Whether "avx2 and avx512" names "avx2": whole words only.
bool names_one(const std::string& list, const std::string& value) {
  return (" and " + list + " and ").find(" and " + value + " and ") != std::string::npos;
}

void refuse_unequal_ranks(comm::Communicator& world, const study::Fields& mine) {
  const std::vector<std::string> all = comm::gather_texts(world, text_of(mine));
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0])
      throw core::ConfigurationError(
          fmt::format("ranks 0 and {} would compute with different numerics, and results would "
                      "depend on who runs what:\n{}against\n{}Use equal nodes, or set "
                      "ATEN_CPU_CAPABILITY and ONEDNN_MAX_CPU_ISA to what all of them have",
                      rank,
                      all[0],
                      all[rank]));
}

/// What `auto` says must hold for all ranks.
network::Precision common_precision(comm::Communicator& world, const StudyOptions& options) {
  const network::Precision here = network::resolved(options.compute.precision);
  return comm::any(world, here == network::Precision::f32) ? network::Precision::f32 : here;
}

/// Of teams of one rank there is nothing to add up.
std::string reduction_of(const StudyOptions& options) {
  const int ranks = options.compute.ranks_per_trial;
  const int final_ranks = options.final_ranks_per_trial();
  if (options.compute.reduction == training::Reduction::ordered ||
      std::max(ranks, final_ranks) == 1)
    return "ordered";
  std::string text = fmt::format("fastest of {} ranks", ranks);
  if (final_ranks != ranks)
    text += fmt::format(", of {} in final trainings", final_ranks);
  return text;
}

}  // namespace

training::Numerics agreed_numerics(comm::Communicator& world,
                                   int node_rank,
                                   const StudyOptions& options) {
  training::Numerics numerics = training::set_up_numerics(
      options.compute.threads_per_trial, node_rank, common_precision(world, options));
  numerics.reduction = reduction_of(options);
  refuse_unequal_ranks(world, fields_of(numerics));
  comm::together(world, [&] {
    similarity::chosen_instruction_set();
    similarity::require_device(options.similarity);
  });
  return numerics;
}

study::Fields fields_of(const training::Numerics& numerics) {
  return {{"proxytune", numerics_version()},
          {"onednn_limit", numerics.onednn_limit.empty() ? "none" : numerics.onednn_limit},
          {"libtorch", numerics.libtorch},
          {"instruction_set", numerics.instruction_set},
          {"threads_per_trial", std::to_string(numerics.threads_per_trial)},
          {"precision", core::to_string(numerics.precision)},
          {"device", numerics.device},
          {"reduction", numerics.reduction}};
}

study::Fields mixed(study::Fields frozen, const study::Fields& present) {
  for (const auto& [name, value] : present)
    if (!names_one(frozen[name], value))
      frozen[name] += " and " + value;
  return frozen;
}

}  // namespace proxytune::jobs
