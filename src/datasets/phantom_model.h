#pragma once

#include <array>
#include <vector>

#include "proxytune/core/random.h"

// The anatomy of a phantom, in millimetres from the middle of the body (LPS).
namespace proxytune::datasets {

using Point = std::array<double, 3>;

/// An ellipsoid turned about the z axis.
struct Ellipsoid {
  Point centre{};
  Point radius{1, 1, 1};
  double angle = 0;
  /// The point in the ellipsoid's own axes, in radii: its length is below 1 inside.
  Point inside_out(const Point& point) const;
};
double length(const Point& point);

/// A smooth random field of about unit amplitude: plane waves of 6 to 16 mm.
class Texture {
 public:
  explicit Texture(core::Random& random);
  double at(const Point& point) const;

 private:
  struct Wave {
    Point frequency{};
    double phase = 0;
  };
  std::array<Wave, 5> waves_;
};

struct Anatomy {
  Ellipsoid body;
  Ellipsoid organ;
  std::vector<Ellipsoid> blobs;  // as bright as the organ, but not it
  Texture body_texture;
  Texture organ_texture;
  Point gradient{};  // per body radius, unit length
};

/// A random anatomy that fills a box of this size (mm).
Anatomy random_anatomy(core::Random& random, const Point& size);

/// How a site images an anatomy.
struct Scanner {
  double body = 100;
  double organ = 40;
  double gradient = 15;
  double body_texture = 8;
  double organ_texture = 10;
  double noise = 8;
};

/// The noiseless intensity at a point; 0 outside the body.
double intensity(const Anatomy& anatomy, const Scanner& scanner, const Point& point);

}  // namespace proxytune::datasets
