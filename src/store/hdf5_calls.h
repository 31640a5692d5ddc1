#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

#ifndef H5_HAVE_PARALLEL
#error "proxytune needs the parallel HDF5 (Debian: libhdf5-openmpi-dev)"
#endif

/// HDF5 as we use it: one function a call; error codes become core::SystemError that name the
/// file, identifiers close themselves. Nothing here knows tables or volumes.
namespace proxytune::store::h5 {

/// An HDF5 identifier and the function that closes it.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close close) : id_(id), close_(close) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  operator hid_t() const { return id_; }  // NOLINT: an identifier wherever HDF5 wants one
  /// Forgets the identifier without closing it.
  void abandon() { id_ = H5I_INVALID_HID; }
  void reset() {
    if (id_ >= 0)
      close_(std::exchange(id_, H5I_INVALID_HID));
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

enum class Kind { float64, int64, float32, uint8, text };

/// What a dataset holds: `width` is the bytes of an element.
struct ElementType {
  Kind kind = Kind::float64;
  std::size_t width = 8;
};
std::size_t width_of(Kind kind);  // of the numbers

struct Dataset {
  Handle handle;
  ElementType element;
  std::vector<hsize_t> extents;
  std::uint64_t elements() const;
  std::uint64_t bytes() const { return elements() * element.width; }
};

// Files. A communicator of MPI_COMM_NULL is the serial driver.
Handle create_file(const std::filesystem::path& file, MPI_Comm communicator, hsize_t alignment);
Handle open_file(const std::filesystem::path& file);
void flush(hid_t file);
void close_file(Handle& file);

// Groups and links; names come in the order of creation.
Handle create_group(hid_t parent, const std::string& path);
Handle open_group(hid_t parent, const std::string& path);
std::vector<std::string> names_in(hid_t group);
bool is_group(hid_t parent, const std::string& name);
bool exists(hid_t parent, const std::string& path);

// Datasets: contiguous, space allocated at once, never filled beforehand.
Dataset create_dataset(hid_t parent,
                       const std::string& path,
                       ElementType element,
                       const std::vector<std::size_t>& extents);
Dataset open_dataset(hid_t parent, const std::string& name);
/// Writes rows [first, first + rows), at least one, by this rank alone.
void write_rows(const Dataset& dataset, std::size_t first, std::size_t rows, const void* bytes);
/// Writes the whole dataset by this rank alone.
void write_alone(const Dataset& dataset, const void* bytes);
void read_all(const Dataset& dataset, void* bytes);
/// Where the dataset's bytes begin in the file.
std::uint64_t offset_of(const Dataset& dataset);

// Attributes.
void set_attribute(hid_t object, const std::string& name, const std::string& text);
void set_attribute(hid_t object, const std::string& name, std::span<const double> numbers);
void set_attribute(hid_t object, const std::string& name, std::uint32_t number);
std::vector<std::string> attribute_names(hid_t object);
std::string text_attribute(hid_t object, const std::string& name);
std::vector<double> numbers_attribute(hid_t object, const std::string& name);
std::optional<std::uint32_t> checksum_attribute(hid_t object);

}  // namespace proxytune::store::h5
