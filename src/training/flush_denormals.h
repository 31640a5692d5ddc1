#pragma once

namespace proxytune::training {

/// Numbers below the smallest normal one are taken as 0 while this lives, in this thread and in
/// those that LibTorch shares its operations out to: saturated networks otherwise slow down
/// many times, and bits would depend on when those threads were started.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned before_ = 0;
};

}  // namespace proxytune::training
