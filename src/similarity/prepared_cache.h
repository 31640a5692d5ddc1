#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxytune/imaging/volume.h"
#include "proxytune/similarity/measure.h"

namespace proxytune::similarity {

using Prepared = std::shared_ptr<const PreparedImage>;

/// A volume, by content, on a grid.
struct PreparedKey {
  std::string volume;
  imaging::Shape shape;
  bool operator<(const PreparedKey& other) const;
};

/// Prepared images up to a number of bytes; beyond it the ones used longest ago go, unless
/// somebody holds them.
class PreparedCache {
 public:
  explicit PreparedCache(std::size_t limit) : limit_(limit) {}
  /// Null where it is not there.
  Prepared find(const PreparedKey& key);
  void keep(const PreparedKey& key, const Prepared& image);
  /// Lets go of what nobody holds until so many bytes more fit, or nothing is left.
  void make_room(std::size_t bytes);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    PreparedKey key;
    Prepared image;
  };
  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // used last in front
  std::map<PreparedKey, std::list<Entry>::iterator> places_;
};

}  // namespace proxytune::similarity
