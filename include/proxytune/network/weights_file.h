#pragma once

#include <filesystem>
#include <vector>

#include "proxytune/network/unet.h"

namespace proxytune::network {

/// Writes a file that Python's torch.load(path, weights_only=True) reads as a dict of
/// contiguous CPU tensors, so that MONAI's UNet.load_state_dict takes UNet::state(). Temporary
/// name beside it, sync, rename: the file is whole or absent. Equal tensors give equal bytes.
/// Float32, float64 and int64 tensors. Throws core::SystemError.
void save_weights(const std::filesystem::path& path, const std::vector<NamedTensor>& state);

/// Reads such a file, or one of Python's torch.save(model.state_dict(), path), as CPU tensors
/// in the file's order. Nothing in the file is executed. Throws core::DataError, also where a
/// tensor's bytes are not those that were written (by the archive's checksums, where it has
/// them).
std::vector<NamedTensor> load_weights(const std::filesystem::path& path);

}  // namespace proxytune::network
