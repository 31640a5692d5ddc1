#include "proxytune/similarity/instruction_set.h"

#include <cstdlib>

#include "proxytune/core/error.h"

namespace proxytune::similarity {
namespace {

const char* const variable = "PROXYTUNE_INSTRUCTION_SET";

InstructionSet best() {
  for (const InstructionSet set : {InstructionSet::avx512, InstructionSet::avx2})
    if (available(set))
      return set;
  return InstructionSet::portable;
}

}  // namespace

bool available(InstructionSet set) {
  if (set == InstructionSet::portable)
    return true;
#if defined(__x86_64__) && defined(__GNUC__)
  if (set == InstructionSet::avx2)
    return __builtin_cpu_supports("avx2") != 0;
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
  return false;
#endif
}

InstructionSet chosen_instruction_set() {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0')
    return best();
  for (const auto& [set, name] : names_of_instruction_set)
    if (name == std::string_view(text)) {
      if (available(set))
        return set;
      throw core::ConfigurationError(std::string(variable) + " is " + text +
                                     ", which this processor does not have: unset it");
    }
  throw core::ConfigurationError(
      std::string(variable) + " is \"" + text +
      "\", but must be portable, avx2 or avx512: correct or unset it");
}

}  // namespace proxytune::similarity
