#include "store/hdf5_calls.h"
#include "store/hdf5_error.h"

namespace proxytune::store::h5 {
namespace {

Handle property_list(hid_t property_class) {
  const hid_t id = H5Pcreate(property_class);
  if (id < 0)
    fail("HDF5", "make a property list");
  return {id, H5Pclose};
}

// A tracked order of creation keeps columns as they were written; without time stamps two runs
// of a study give equal files.
void keep_order_and_no_times(hid_t list) {
  const unsigned order = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
  if (H5Pset_link_creation_order(list, order) < 0 || H5Pset_obj_track_times(list, 0) < 0)
    fail("HDF5", "set properties of a group");
}

void be_silent() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

}  // namespace

Handle create_file(const std::filesystem::path& file,
                   MPI_Comm communicator,
                   hsize_t alignment) {
  be_silent();
  const Handle access = property_list(H5P_FILE_ACCESS);
  // Version 1.8 of the format: every header carries a checksum, and every reader knows it.
  if (H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 ||
      H5Pset_alignment(access, 1, alignment) < 0 ||
      (communicator != MPI_COMM_NULL &&
       H5Pset_fapl_mpio(access, communicator, MPI_INFO_NULL) < 0))
    fail(file.string(), "set properties of the file");
  const Handle creation = property_list(H5P_FILE_CREATE);
  keep_order_and_no_times(creation);
  const hid_t id = H5Fcreate(file.c_str(), H5F_ACC_TRUNC, creation, access);
  if (id < 0)
    fail(file.string(), "create the file");
  return {id, H5Fclose};
}

Handle open_file(const std::filesystem::path& file) {
  be_silent();
  const Handle access = property_list(H5P_FILE_ACCESS);
  // Our files get their name when they are complete, so reading needs no lock; parallel file
  // systems without flock would refuse it.
  if (H5Pset_file_locking(access, false, true) < 0)
    fail(file.string(), "set locking");
  const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDONLY, access);
  if (id < 0)
    fail(file.string(), "open the file");
  return {id, H5Fclose};
}

void flush(hid_t file) {
  check(H5Fflush(file, H5F_SCOPE_GLOBAL), file, "flush the file");
}

void close_file(Handle& file) {
  const hid_t id = file;
  file.abandon();
  if (H5Fclose(id) < 0)
    fail("an HDF5 file", "close the file");
}

Handle create_group(hid_t parent, const std::string& path) {
  const Handle links = property_list(H5P_LINK_CREATE);
  check(H5Pset_create_intermediate_group(links, 1), parent, "make parent groups");
  const Handle creation = property_list(H5P_GROUP_CREATE);
  keep_order_and_no_times(creation);
  return {check_id(H5Gcreate2(parent, path.c_str(), links, creation, H5P_DEFAULT),
                   parent,
                   "create group " + path),
          H5Gclose};
}

Handle open_group(hid_t parent, const std::string& path) {
  return {check_id(H5Gopen2(parent, path.c_str(), H5P_DEFAULT), parent, "open group " + path),
          H5Gclose};
}

std::vector<std::string> names_in(hid_t group) {
  H5G_info_t information{};
  check(H5Gget_info(group, &information), group, "list a group");
  std::vector<std::string> names;
  for (hsize_t i = 0; i < information.nlinks; ++i) {
    const auto name_of = [&](char* buffer, std::size_t size) {
      return H5Lget_name_by_idx(
          group, ".", H5_INDEX_CRT_ORDER, H5_ITER_INC, i, buffer, size, H5P_DEFAULT);
    };
    const ssize_t length = name_of(nullptr, 0);
    if (length < 0)
      fail(group, "list a group in its order of creation");
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    name_of(name.data(), name.size());
    name.pop_back();
    names.push_back(std::move(name));
  }
  return names;
}

bool is_group(hid_t parent, const std::string& name) {
  H5O_info_t information{};
  check(H5Oget_info_by_name2(parent, name.c_str(), &information, H5O_INFO_BASIC, H5P_DEFAULT),
        parent,
        "look at " + name);
  return information.type == H5O_TYPE_GROUP;
}

bool exists(hid_t parent, const std::string& path) {
  for (std::size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
    const std::string name = path.substr(0, end);
    const htri_t found = H5Lexists(parent, name.c_str(), H5P_DEFAULT);
    if (found < 0)
      fail(parent, "look for " + name);
    if (found == 0)
      return false;
    if (end == std::string::npos)
      return true;
  }
}

}  // namespace proxytune::store::h5
