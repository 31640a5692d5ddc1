#pragma once

#include <span>
#include <string>

#include "proxytune/core/names.h"

namespace proxytune::similarity {

/// Which kernels compute the pairs. No choice changes a bit of a result.
enum class InstructionSet { portable, avx2, avx512 };
inline constexpr core::Name<InstructionSet> names_of_instruction_set[] = {
    {InstructionSet::portable, "portable"},
    {InstructionSet::avx2, "avx2"},
    {InstructionSet::avx512, "avx512"},
};
constexpr std::span<const core::Name<InstructionSet>> names(InstructionSet) {
  return names_of_instruction_set;
}

/// Whether this processor can run them.
bool available(InstructionSet set);

/// The best available, or what the environment variable PROXYTUNE_INSTRUCTION_SET names. Throws
/// core::ConfigurationError for an unknown name or a set that this processor lacks.
InstructionSet chosen_instruction_set();

}  // namespace proxytune::similarity
