#include "proxytune/imaging/preprocess.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <sstream>

#include "imaging/room.h"
#include "proxytune/core/error.h"
#include "proxytune/imaging/transforms.h"

namespace proxytune::imaging {

namespace {

template <class Number>
std::string is_triple(const std::array<Number, 3>& values) {
  std::ostringstream text;
  text << "is [" << values[0] << ", " << values[1] << ", " << values[2] << "]";
  return text.str();
}

/// The steps that move voxels, done to an image and, if there is one, to its label alike.
class Pipeline {
 public:
  Pipeline(Volume image, std::optional<LabelVolume> label)
      : image_(std::move(image)), label_(std::move(label)) {
    for (std::size_t a = 0; a < 3; ++a)
      trace_[a] = {static_cast<int>(a), 1, 0, extents(image_.shape)[a], 0};
  }

  void orient(const std::string& codes) {
    const auto moves = axis_moves(image_.geometry, codes);
    const auto old = trace_;
    for (std::size_t a = 0; a < 3; ++a) {
      trace_[a] = old[static_cast<std::size_t>(moves[a].from)];
      if (!moves[a].flip)
        continue;
      trace_[a].scale = -trace_[a].scale;
      trace_[a].offset = trace_[a].extent - 1 - trace_[a].offset;
    }
    image_ = imaging::orient(image_, codes);
    if (label_)
      label_ = imaging::orient(*label_, codes);
  }

  void resample(const std::array<double, 3>& spacing) {
    Extents size{};
    for (std::size_t a = 0; a < 3; ++a) {
      const double old = image_.geometry.spacing[a];
      const AxisSpacing axis = resampled_axis(trace_[a].extent, old, spacing[a]);
      trace_[a].scale *= old / axis.spacing;
      trace_[a].offset *= old / axis.spacing;
      trace_[a].extent = axis.extent;
      size[a] = axis.extent;
    }
    need_room(size,
              image_.channels,
              "spacing",
              is_triple(spacing) + " mm",
              "use a coarser spacing, or 0 to keep the file's");
    image_ = resample_spacing(image_, spacing);
    if (label_)
      label_ = resample_spacing(*label_, spacing);
  }

  void crop_foreground() {
    const auto box = foreground_box(view(image_));
    if (!box)
      throw core::DataError(
          "no voxel is above 0, so there is no foreground to crop to; check the window, or set "
          "crop_foreground to false");
    for (std::size_t a = 0; a < 3; ++a)
      trace_[a].shift -= box->begin[a];
    image_ = crop(image_, *box);
    if (label_)
      label_ = crop(*label_, *box);
  }

  void pad(const Extents& wanted) {
    Extents padded = extents(image_.shape);
    for (std::size_t a = 0; a < 3; ++a) {
      trace_[a].shift += pad_before(padded[a], wanted[a]);
      padded[a] = std::max(padded[a], wanted[a]);
    }
    need_room(padded, image_.channels, "pad_to", is_triple(wanted), "pad to less");
    image_ = spatial_pad(image_, wanted);
    if (label_)
      label_ = spatial_pad(*label_, wanted);
  }

  Volume& image() { return image_; }
  std::optional<LabelVolume>& label() { return label_; }
  const std::array<AxisTrace, 3>& trace() const { return trace_; }

 private:
  Volume image_;
  std::optional<LabelVolume> label_;
  std::array<AxisTrace, 3> trace_;
};

void run(Pipeline& pipeline, const PreprocessOptions& options) {
  if (options.axis_order == AxisOrder::spacing_first)
    pipeline.resample(options.spacing);
  pipeline.orient(options.orientation);
  if (options.axis_order == AxisOrder::orient_first)
    pipeline.resample(options.spacing);
  if (options.intensity == Intensity::window)
    pipeline.image() = scale_intensity_range(
        std::move(pipeline.image()), options.window_low, options.window_high);
  if (options.crop_foreground)
    pipeline.crop_foreground();
  if (options.intensity == Intensity::nonzero_zscore)
    pipeline.image() = normalize_nonzero(std::move(pipeline.image()));
  pipeline.pad(options.pad_to);
}

/// The prepared index of each index along one axis of the file; -1 where it was cropped away.
std::vector<int> way_back(const AxisTrace& trace, int original_extent, int prepared_extent) {
  std::vector<int> indices;
  for (int i = 0; i < original_extent; ++i) {
    const double at = std::floor(trace.scale * i + trace.offset + 0.5);
    const int index =
        static_cast<int>(std::clamp(at, 0.0, static_cast<double>(trace.extent - 1))) +
        trace.shift;
    indices.push_back(index >= 0 && index < prepared_extent ? index : -1);
  }
  return indices;
}

}  // namespace

void validate(const PreprocessOptions& options) {
  if (!is_orientation(options.orientation))
    throw core::FieldError("orientation",
                           "is \"" + options.orientation +
                               "\", but it needs three letters, one each of R/L, A/P and S/I; "
                               "the paper uses RAS");
  for (const double spacing : options.spacing)
    if (!std::isfinite(spacing) || spacing < 0)
      throw core::FieldError("spacing", "needs lengths in mm above 0, or 0 to keep the file's");
  const bool window = std::isfinite(options.window_low) && std::isfinite(options.window_high) &&
                      options.window_low < options.window_high;
  if (!window)
    throw core::FieldError("window_low",
                           "needs to be less than window_high, both finite; the paper uses -57 "
                           "and 164 HU");
  for (const int extent : options.pad_to)
    if (extent < 0)
      throw core::FieldError("pad_to", "needs extents of 0 or more voxels");
  if (!std::isfinite(options.geometry_tolerance) || options.geometry_tolerance < 0)
    throw core::FieldError("geometry_tolerance", "needs a length of 0 mm or more");
}

std::string identity(const PreprocessOptions& options) {
  std::ostringstream text;
  text.precision(std::numeric_limits<double>::max_digits10);
  text << "orientation=" << options.orientation << " spacing=";
  for (const double spacing : options.spacing)
    text << spacing << ',';
  text << " axis_order=" << core::to_string(options.axis_order)
       << " intensity=" << core::to_string(options.intensity);
  if (options.intensity == Intensity::window)
    text << " window=" << options.window_low << ',' << options.window_high;
  text << " crop_foreground=" << options.crop_foreground << " pad_to=";
  for (const int extent : options.pad_to)
    text << extent << ',';
  return text.str();
}

PreparedVolume preprocess(Volume image, LabelVolume label, const PreprocessOptions& options) {
  if (const auto difference = grid_difference(
          image.shape, image.geometry, label.shape, label.geometry, options.geometry_tolerance))
    throw core::DataError("image and label do not lie on one grid: " + *difference);
  // Within the tolerance they are one grid, and the image's it is.
  label.geometry = image.geometry;
  Pipeline pipeline(std::move(image), std::move(label));
  run(pipeline, options);
  return {std::move(pipeline.image()), std::move(*pipeline.label())};
}

bool has_foreground(const LabelView& label) {
  return std::any_of(
      label.voxels.begin(), label.voxels.end(), [](std::uint8_t value) { return value != 0; });
}

PreparedImage preprocess_image(Volume image, const PreprocessOptions& options) {
  const Shape shape = image.shape;
  const Geometry geometry = image.geometry;
  Pipeline pipeline(std::move(image), std::nullopt);
  run(pipeline, options);
  return {std::move(pipeline.image()), shape, geometry, pipeline.trace()};
}

LabelVolume restore_labels(const LabelVolume& predicted, const PreparedImage& how) {
  if (!(predicted.shape == how.image.shape))
    throw std::invalid_argument(
        "restore_labels: the prediction has another shape than the "
        "prepared image");
  const Shape& prepared = predicted.shape;
  const std::array<std::ptrdiff_t, 3> stride{
      1, prepared.x, static_cast<std::ptrdiff_t>(prepared.x) * prepared.y};
  // Offsets into the prediction by axis of the file, so that x, y, z of the file add up.
  std::array<std::vector<std::ptrdiff_t>, 3> offsets;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto from = static_cast<std::size_t>(how.trace[a].from);
    for (const int index :
         way_back(how.trace[a], extents(how.original_shape)[from], extents(prepared)[a]))
      offsets[from].push_back(index < 0 ? -1 : index * stride[a]);
  }
  LabelVolume restored{how.original_shape, how.original_geometry, {}};
  restored.voxels.reserve(how.original_shape.voxels());
  for (const auto z : offsets[2])
    for (const auto y : offsets[1])
      for (const auto x : offsets[0]) {
        const bool inside = z >= 0 && y >= 0 && x >= 0;
        restored.voxels.push_back(inside ? predicted.voxels[static_cast<std::size_t>(z + y + x)]
                                         : std::uint8_t{0});
      }
  return restored;
}

}  // namespace proxytune::imaging
