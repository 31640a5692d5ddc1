#pragma once

#include "gpu_jobs.h"
#include "proxytune/similarity/mutual_information.h"

/// What mutual information makes of a joint histogram, wherever that was counted.
namespace proxytune::similarity {

/// n ln n.
double times_logarithm(double count);

/// MutualInformation's value for one channel of so many voxels.
double information(const QuantisedImage::Channel& one,
                   const QuantisedImage::Channel& other,
                   const JointSums& joint,
                   double voxels,
                   bool miller_madow,
                   bool normalised);

/// Throws core::DataError unless shapes and channels are equal.
void check_comparable(const QuantisedImage& one, const QuantisedImage& other, int bins);

}  // namespace proxytune::similarity
