#include <algorithm>

#include "store/hdf5_calls.h"
#include "store/hdf5_error.h"

namespace proxytune::store::h5 {
namespace {

// Texts are null-padded UTF-8 of a fixed length: variable length cannot be written in parallel.
Handle file_type(ElementType element, hid_t object) {
  if (element.kind != Kind::text) {
    const hid_t base = element.kind == Kind::float64   ? H5T_IEEE_F64LE
                       : element.kind == Kind::int64   ? H5T_STD_I64LE
                       : element.kind == Kind::float32 ? H5T_IEEE_F32LE
                                                       : H5T_STD_U8LE;
    return {check_id(H5Tcopy(base), object, "copy a type"), H5Tclose};
  }
  Handle type{check_id(H5Tcopy(H5T_C_S1), object, "copy a type"), H5Tclose};
  check(H5Tset_size(type, element.width), object, "set the length of a text");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), object, "set the padding of a text");
  check(H5Tset_cset(type, H5T_CSET_UTF8), object, "set the encoding of a text");
  return type;
}

ElementType element_of(hid_t dataset, const std::string& name) {
  const Handle type{check_id(H5Dget_type(dataset), dataset, "read the type of " + name),
                    H5Tclose};
  for (const Kind kind : {Kind::float64, Kind::int64, Kind::float32, Kind::uint8}) {
    const Handle ours = file_type({kind, width_of(kind)}, dataset);
    if (H5Tequal(type, ours) > 0)
      return {kind, width_of(kind)};
  }
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0)
    return {Kind::text, H5Tget_size(type)};
  fail(dataset, "read " + name + ", whose type proxytune does not write");
}

Handle simple_space(const std::vector<hsize_t>& extents, hid_t object) {
  return {check_id(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
                   object,
                   "describe an array"),
          H5Sclose};
}

}  // namespace

std::size_t width_of(Kind kind) {
  return kind == Kind::uint8 ? 1 : kind == Kind::float32 ? 4 : 8;
}

std::uint64_t Dataset::elements() const {
  std::uint64_t count = 1;
  for (const hsize_t extent : extents)
    count *= extent;
  return count;
}

Dataset create_dataset(hid_t parent,
                       const std::string& path,
                       ElementType element,
                       const std::vector<std::size_t>& extents) {
  Dataset dataset{{}, element, {extents.begin(), extents.end()}};
  const Handle type = file_type(element, parent);
  const Handle space = simple_space(dataset.extents, parent);
  const Handle creation{check_id(H5Pcreate(H5P_DATASET_CREATE), parent, "make properties"),
                        H5Pclose};
  check(H5Pset_obj_track_times(creation, 0), parent, "leave out time stamps");
  check(H5Pset_layout(creation, H5D_CONTIGUOUS), parent, "choose a contiguous layout");
  check(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY), parent, "allocate early");
  check(H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER), parent, "leave out filling");
  dataset.handle = {
      check_id(
          H5Dcreate2(parent, path.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT),
          parent,
          "create dataset " + path),
      H5Dclose};
  return dataset;
}

Dataset open_dataset(hid_t parent, const std::string& name) {
  Dataset dataset;
  dataset.handle = {
      check_id(H5Dopen2(parent, name.c_str(), H5P_DEFAULT), parent, "open " + name), H5Dclose};
  dataset.element = element_of(dataset.handle, name);
  const Handle space{
      check_id(H5Dget_space(dataset.handle), parent, "read the shape of " + name), H5Sclose};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0)
    fail(parent, "read the shape of " + name);
  dataset.extents.resize(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space, dataset.extents.data(), nullptr),
        parent,
        "read extents");
  return dataset;
}

void write_rows(const Dataset& dataset,
                std::size_t first,
                std::size_t rows,
                const void* bytes) {
  const hid_t id = dataset.handle;
  const Handle type = file_type(dataset.element, id);
  std::vector<hsize_t> start(dataset.extents.size(), 0);
  std::vector<hsize_t> count = dataset.extents;
  start.front() = first;
  count.front() = rows;
  const Handle in_file = simple_space(dataset.extents, id);
  const Handle in_memory = simple_space(count, id);
  check(H5Sselect_hyperslab(
            in_file, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
        id,
        "select rows");
  check(H5Dwrite(id, type, in_memory, in_file, H5P_DEFAULT, bytes), id, "write rows");
}

void write_alone(const Dataset& dataset, const void* bytes) {
  const hid_t id = dataset.handle;
  const Handle type = file_type(dataset.element, id);
  check(H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes), id, "write a dataset");
}

void read_all(const Dataset& dataset, void* bytes) {
  const hid_t id = dataset.handle;
  if (dataset.elements() == 0)
    return;
  const Handle type = file_type(dataset.element, id);
  check(H5Dread(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes), id, "read a dataset");
}

std::uint64_t offset_of(const Dataset& dataset) {
  const haddr_t offset = H5Dget_offset(dataset.handle);
  if (offset == HADDR_UNDEF)
    fail(static_cast<hid_t>(dataset.handle), "say where a dataset lies");
  return offset;
}

}  // namespace proxytune::store::h5
