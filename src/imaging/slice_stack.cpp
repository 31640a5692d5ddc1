#include "imaging/slice_stack.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "proxytune/core/error.h"
#include "proxytune/imaging/grid.h"

namespace proxytune::imaging {

namespace {

using Vector = std::array<double, 3>;

constexpr double grid_tolerance = 1e-3;  // mm and direction cosines, between slices
/// Of the usual distance: scanners write positions with few digits; a missing slice is far
/// more.
constexpr double uneven_tolerance = 0.05;
/// Of the stack's length: a gantry tilt of half a degree.
constexpr double shear_tolerance = 0.01;

double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

Vector difference(const Vector& a, const Vector& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}

Vector column(const Geometry& geometry, std::size_t axis) {
  return {
      geometry.direction[0][axis], geometry.direction[1][axis], geometry.direction[2][axis]};
}

Vector normal_of(const Geometry& geometry) {
  const Vector x = column(geometry, 0);
  const Vector y = column(geometry, 1);
  return {x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]};
}

[[noreturn]] void refuse(const std::filesystem::path& folder, const std::string& why) {
  throw core::DataError(folder.string() + " holds a DICOM series " + why);
}

/// All but the position must be equal.
void need_equal_grids(const std::vector<ImageHeader>& slices,
                      const std::filesystem::path& folder) {
  const ImageHeader& first = slices.front();
  for (const ImageHeader& slice : slices) {
    Geometry moved = slice.geometry;
    moved.origin = first.geometry.origin;
    const auto found =
        grid_difference(first.shape, first.geometry, slice.shape, moved, grid_tolerance);
    if (found || slice.channels != first.channels)
      refuse(folder,
             "of unequal slices (" + found.value_or("the channels differ") +
                 "); move what does not belong to the volume elsewhere");
  }
}

double median_distance(const std::vector<double>& places) {
  std::vector<double> distances;
  for (std::size_t i = 1; i < places.size(); ++i)
    distances.push_back(places[i] - places[i - 1]);
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::nth_element(distances.begin(), middle, distances.end());
  return *middle;
}

void need_even_distances(const std::vector<double>& places,
                         const std::filesystem::path& folder) {
  const double usual = median_distance(places);
  for (std::size_t i = 1; i < places.size(); ++i) {
    const double distance = places[i] - places[i - 1];
    if (distance <= uneven_tolerance * usual)
      refuse(folder,
             "with two slices at one place, as several volumes in one series have; give each "
             "volume a folder of its own");
    if (std::abs(distance - usual) > uneven_tolerance * usual)
      refuse(folder,
             "of unevenly spaced slices (" + std::to_string(distance) + " mm after slice " +
                 std::to_string(i) + ", " + std::to_string(usual) +
                 " mm as a rule); copy the missing slices, or resample the volume");
  }
}

}  // namespace

SliceStack stack_slices(const std::vector<ImageHeader>& slices,
                        const std::filesystem::path& folder) {
  need_equal_grids(slices, folder);
  const Vector normal = normal_of(slices.front().geometry);
  const auto place = [&](std::size_t i) { return dot(slices[i].geometry.origin, normal); };
  SliceStack stack;
  stack.order.resize(slices.size());
  std::iota(stack.order.begin(), stack.order.end(), std::size_t{0});
  std::stable_sort(stack.order.begin(), stack.order.end(), [&](std::size_t a, std::size_t b) {
    return place(a) < place(b);
  });
  std::vector<double> places;
  for (const std::size_t i : stack.order)
    places.push_back(place(i));
  const double length = places.back() - places.front();
  const double spacing = length / static_cast<double>(slices.size() - 1);
  need_even_distances(places, folder);

  stack.header = slices[stack.order.front()];
  const Vector way =
      difference(slices[stack.order.back()].geometry.origin, stack.header.geometry.origin);
  if (std::sqrt(std::max(0.0, dot(way, way) - length * length)) > shear_tolerance * length)
    refuse(folder,
           "of slices that are shifted against each other, as a tilted gantry leaves them; "
           "resample it to an upright grid");
  stack.header.shape.z = static_cast<int>(slices.size());
  stack.header.geometry.spacing[2] = spacing;
  for (std::size_t row = 0; row < 3; ++row)
    stack.header.geometry.direction[row][2] = normal[row];
  return stack;
}

}  // namespace proxytune::imaging
