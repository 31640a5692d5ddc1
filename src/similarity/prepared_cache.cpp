#include "prepared_cache.h"

#include <iterator>
#include <tuple>

namespace proxytune::similarity {

bool PreparedKey::operator<(const PreparedKey& other) const {
  const auto parts = [](const PreparedKey& key) {
    return std::tie(key.volume, key.shape.z, key.shape.y, key.shape.x);
  };
  return parts(*this) < parts(other);
}

Prepared PreparedCache::find(const PreparedKey& key) {
  const auto place = places_.find(key);
  if (place == places_.end())
    return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->image;
}

void PreparedCache::keep(const PreparedKey& key, const Prepared& image) {
  if (places_.contains(key))
    return;
  entries_.push_front({key, image});
  places_[key] = entries_.begin();
  bytes_ += image->bytes();
  make_room(0);
}

void PreparedCache::make_room(std::size_t bytes) {
  for (auto entry = entries_.end(); bytes_ + bytes > limit_ && entry != entries_.begin();) {
    --entry;
    if (entry->image.use_count() > 1)
      continue;
    bytes_ -= entry->image->bytes();
    places_.erase(entry->key);
    entry = entries_.erase(entry);
  }
}

}  // namespace proxytune::similarity
