#pragma once

namespace proxytune::training {

/// The peak of this process's resident memory, in bytes, above what it had when this was made;
/// 0 where the system does not say. Makes earlier work's freed memory go back first, since
/// memory that is used again adds nothing. One at a time: they share the kernel's peak.
class PeakMemory {
 public:
  PeakMemory();
  double bytes() const;

 private:
  double before_ = 0;
};

}  // namespace proxytune::training
