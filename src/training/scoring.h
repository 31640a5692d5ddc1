#pragma once

#include <atomic>
#include <span>

#include "proxytune/datasets/case_source.h"
#include "proxytune/network/unet.h"
#include "proxytune/training/options.h"
#include "proxytune/training/team.h"
#include "proxytune/trials/trial.h"

namespace proxytune::training {

/// Classes of an image, on every rank of the team, which share its windows. `stop` is looked at
/// between batches of windows. Collective.
imaging::LabelVolume infer(network::UNet& network,
                           Team& team,
                           const imaging::VolumeView& image,
                           const TrainingOptions& options,
                           const std::atomic<bool>& stop);

/// Dice of these cases in this order, on every rank of the team: the ranks take a case each, or
/// share the windows of one after the other where that is sooner done. To the same bits.
/// Collective.
trials::CaseScores score_cases(network::UNet& network,
                               Team& team,
                               const datasets::CaseSource& cases,
                               std::span<const int> indices,
                               const TrainingOptions& options,
                               const std::atomic<bool>& stop);

}  // namespace proxytune::training
