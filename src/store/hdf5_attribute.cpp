#include <algorithm>

#include "store/hdf5_calls.h"
#include "store/hdf5_error.h"

namespace proxytune::store::h5 {
namespace {

Handle text_type(std::size_t width, hid_t object) {
  Handle type{check_id(H5Tcopy(H5T_C_S1), object, "copy a type"), H5Tclose};
  check(H5Tset_size(type, width), object, "set the length of a text");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), object, "set the padding of a text");
  check(H5Tset_cset(type, H5T_CSET_UTF8), object, "set the encoding of a text");
  return type;
}

void write_attribute(
    hid_t object, const std::string& name, hid_t type, hid_t space, const void* bytes) {
  const Handle attribute{
      check_id(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
               object,
               "create attribute " + name),
      H5Aclose};
  check(H5Awrite(attribute, type, bytes), object, "write attribute " + name);
}

Handle scalar_space(hid_t object) {
  return {check_id(H5Screate(H5S_SCALAR), object, "describe a value"), H5Sclose};
}

Handle open_attribute(hid_t object, const std::string& name) {
  return {
      check_id(H5Aopen(object, name.c_str(), H5P_DEFAULT), object, "open attribute " + name),
      H5Aclose};
}

}  // namespace

void set_attribute(hid_t object, const std::string& name, const std::string& text) {
  const std::string padded = text.empty() ? std::string(1, '\0') : text;
  const Handle type = text_type(padded.size(), object);
  write_attribute(object, name, type, scalar_space(object), padded.data());
}

void set_attribute(hid_t object, const std::string& name, std::span<const double> numbers) {
  const hsize_t extent = numbers.size();
  const Handle space{
      check_id(H5Screate_simple(1, &extent, nullptr), object, "describe an array"), H5Sclose};
  write_attribute(object, name, H5T_IEEE_F64LE, space, numbers.data());
}

void set_attribute(hid_t object, const std::string& name, std::uint32_t number) {
  write_attribute(object, name, H5T_STD_U32LE, scalar_space(object), &number);
}

std::vector<std::string> attribute_names(hid_t object) {
  H5O_info_t information{};
  check(H5Oget_info2(object, &information, H5O_INFO_NUM_ATTRS), object, "count attributes");
  std::vector<std::string> names;
  for (hsize_t i = 0; i < information.num_attrs; ++i) {
    const Handle attribute{
        check_id(H5Aopen_by_idx(
                     object, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
                 object,
                 "open an attribute"),
        H5Aclose};
    const ssize_t length = H5Aget_name(attribute, 0, nullptr);
    if (length < 0)
      fail(object, "read the name of an attribute");
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    H5Aget_name(attribute, name.size(), name.data());
    name.pop_back();
    names.push_back(std::move(name));
  }
  return names;
}

std::string text_attribute(hid_t object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  const Handle type{check_id(H5Aget_type(attribute), object, "read the type of " + name),
                    H5Tclose};
  const Handle space{check_id(H5Aget_space(attribute), object, "read the shape of " + name),
                     H5Sclose};
  if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0 ||
      H5Sget_simple_extent_npoints(space) != 1)
    fail(object, "read attribute " + name + " as a text");
  const std::size_t width = H5Tget_size(type);
  std::string text(width, '\0');
  const Handle ours = text_type(width, object);
  check(H5Aread(attribute, ours, text.data()), object, "read attribute " + name);
  text.resize(std::min(width, text.find('\0')));
  return text;
}

std::vector<double> numbers_attribute(hid_t object, const std::string& name) {
  const Handle attribute = open_attribute(object, name);
  const Handle space{check_id(H5Aget_space(attribute), object, "read the shape of " + name),
                     H5Sclose};
  std::vector<double> numbers(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  check(
      H5Aread(attribute, H5T_NATIVE_DOUBLE, numbers.data()), object, "read attribute " + name);
  return numbers;
}

std::optional<std::uint32_t> checksum_attribute(hid_t object) {
  if (H5Aexists(object, "checksum") <= 0)
    return std::nullopt;
  const Handle attribute = open_attribute(object, "checksum");
  std::uint32_t number = 0;
  check(H5Aread(attribute, H5T_NATIVE_UINT32, &number), object, "read a checksum");
  return number;
}

}  // namespace proxytune::store::h5
