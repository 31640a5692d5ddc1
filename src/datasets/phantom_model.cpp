#include "datasets/phantom_model.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace proxytune::datasets {

namespace {

/// 1 inside, 0 outside, with an edge of about a tenth of the radius (partial volume).
double membership(const Ellipsoid& ellipsoid, const Point& point) {
  return std::clamp((1 - length(ellipsoid.inside_out(point))) * 10 + 0.5, 0.0, 1.0);
}

Point random_direction(core::Random& random) {
  Point direction{random.normal(), random.normal(), random.normal()};
  const double size = std::max(1e-9, length(direction));
  for (double& component : direction)
    component /= size;
  return direction;
}

/// Blobs stay clear of the organ, so that its label stays the whole truth.
Ellipsoid random_blob(core::Random& random, const Anatomy& anatomy, double scale) {
  Ellipsoid blob;
  for (int attempt = 0; attempt < 50; ++attempt) {
    const double radius = random.uniform(0.05, 0.09) * scale;
    const Point direction = random_direction(random);
    const double distance = random.uniform(0.3, 0.8);
    for (std::size_t a = 0; a < 3; ++a) {
      blob.radius[a] = radius;
      blob.centre[a] = direction[a] * distance * anatomy.body.radius[a];
    }
    const double reach =
        *std::min_element(anatomy.organ.radius.begin(), anatomy.organ.radius.end());
    if (length(anatomy.organ.inside_out(blob.centre)) > 1.3 + radius / reach)
      break;
  }
  return blob;
}

}  // namespace

double length(const Point& point) {
  return std::sqrt(point[0] * point[0] + point[1] * point[1] + point[2] * point[2]);
}

Point Ellipsoid::inside_out(const Point& point) const {
  const double x = point[0] - centre[0];
  const double y = point[1] - centre[1];
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  return {(cosine * x + sine * y) / radius[0],
          (cosine * y - sine * x) / radius[1],
          (point[2] - centre[2]) / radius[2]};
}

Texture::Texture(core::Random& random) {
  for (Wave& wave : waves_) {
    const Point direction = random_direction(random);
    const double frequency = 2 * std::numbers::pi / random.uniform(6, 16);
    for (std::size_t a = 0; a < 3; ++a)
      wave.frequency[a] = direction[a] * frequency;
    wave.phase = random.uniform(0, 2 * std::numbers::pi);
  }
}

double Texture::at(const Point& point) const {
  double sum = 0;
  for (const Wave& wave : waves_)
    sum += std::sin(wave.frequency[0] * point[0] + wave.frequency[1] * point[1] +
                    wave.frequency[2] * point[2] + wave.phase);
  return sum / std::sqrt(static_cast<double>(waves_.size()) / 2);
}

Anatomy random_anatomy(core::Random& random, const Point& size) {
  Anatomy anatomy{{}, {}, {}, Texture(random), Texture(random), random_direction(random)};
  const double scale = std::min({size[0], size[1], size[2]});
  const Point usual_centre{0.08, -0.06, 0.04};  // off the middle, so that place tells something
  const Point usual_radius{0.24, 0.17, 0.19};
  for (std::size_t a = 0; a < 3; ++a) {
    anatomy.body.radius[a] = 0.5 * size[a] * random.uniform(0.94, 1.04);
    anatomy.organ.centre[a] = scale * (usual_centre[a] + random.uniform(-0.08, 0.08));
    anatomy.organ.radius[a] = scale * usual_radius[a] * random.uniform(0.8, 1.2);
  }
  anatomy.organ.angle = random.uniform(-0.5, 0.5);
  const std::uint64_t blobs = 3 + random.index(3);
  for (std::uint64_t i = 0; i < blobs; ++i)
    anatomy.blobs.push_back(random_blob(random, anatomy, scale));
  return anatomy;
}

double intensity(const Anatomy& anatomy, const Scanner& scanner, const Point& point) {
  const Point in_body = anatomy.body.inside_out(point);
  if (length(in_body) >= 1)
    return 0;
  double slope = 0;
  for (std::size_t a = 0; a < 3; ++a)
    slope += anatomy.gradient[a] * in_body[a];
  const double organ = membership(anatomy.organ, point);
  double bright = organ;
  for (const Ellipsoid& blob : anatomy.blobs)
    bright = std::max(bright, membership(blob, point));
  return scanner.body + scanner.gradient * slope +
         (1 - organ) * scanner.body_texture * anatomy.body_texture.at(point) +
         bright * scanner.organ +
         organ * scanner.organ_texture * anatomy.organ_texture.at(point);
}

}  // namespace proxytune::datasets
