#pragma once

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace proxytune::test {

/// The numbers of tests/reference/<name>.txt, made by the script of that name beside it.
inline std::map<std::string, double> reference_numbers(const std::string& name) {
  std::ifstream file(std::string(PROXYTUNE_SOURCE_DIR) + "/tests/reference/" + name + ".txt");
  if (!file)
    throw std::runtime_error("no reference numbers " + name);
  std::map<std::string, double> numbers;
  std::string key;
  double value = 0;
  while (file >> key >> value)
    numbers[key] = value;
  return numbers;
}

}  // namespace proxytune::test
