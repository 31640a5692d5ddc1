// What tools/benchmark/search.cpp searches: surfaces that stand for the validation Dice of a
// training, and the table of real ones. Points are in [0,1]^d; a choice is a dimension with
// `choices` equal intervals.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

namespace proxytune::benchmark {

using Point = std::vector<double>;

struct Surface {
  std::string name;
  bool judged = false;       // looked at only once the controllers are finished
  std::vector<int> choices;  // of each dimension, 0 for a range
  double noise = 0;          // standard deviation between training seeds
  double best = 0;           // largest value
  std::function<double(const Point&)> value;
};

inline double square(double value) {
  return value * value;
}

inline int choice(double unit, int choices) {
  return std::clamp(static_cast<int>(unit * choices), 0, choices - 1);
}

/// sum of weights x squared distance from a centre
inline double bowl(const Point& x, const Point& centre, const Point& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < centre.size(); ++i)
    sum += weights[i] * square(x[i] - centre[i]);
  return sum;
}

inline double branin(const Point& u) {
  const double x = 15 * u[0] - 5, y = 15 * u[1], pi = std::numbers::pi;
  return square(y - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6) +
         10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

/// Hartmann's functions, as a maximum (Dixon and Szego 1978).
inline double hartmann(const Point& x,
                       const std::vector<Point>& scales,
                       const std::vector<Point>& centres) {
  const Point heights{1.0, 1.2, 3.0, 3.2};
  double sum = 0;
  for (std::size_t k = 0; k < heights.size(); ++k)
    sum += heights[k] * std::exp(-bowl(x, centres[k], scales[k]));
  return sum;
}

inline double hartmann3(const Point& x) {
  return hartmann(x,
                  {{3, 10, 30}, {0.1, 10, 35}, {3, 10, 30}, {0.1, 10, 35}},
                  {{0.3689, 0.1170, 0.2673},
                   {0.4699, 0.4387, 0.7470},
                   {0.1091, 0.8732, 0.5547},
                   {0.0381, 0.5743, 0.8828}});
}

inline double hartmann6(const Point& x) {
  return hartmann(x,
                  {{10, 3, 17, 3.5, 1.7, 8},
                   {0.05, 10, 17, 0.1, 8, 14},
                   {3, 3.5, 1.7, 10, 17, 8},
                   {17, 8, 0.05, 10, 0.1, 14}},
                  {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                   {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                   {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                   {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}});
}

/// Levy's function on [-10, 10]^d.
inline double levy(const Point& u) {
  const double pi = std::numbers::pi;
  const auto w = [&](std::size_t i) { return 1 + (20 * u[i] - 11) / 4; };
  double sum = square(std::sin(pi * w(0)));
  for (std::size_t i = 0; i + 1 < u.size(); ++i)
    sum += square(w(i) - 1) * (1 + 10 * square(std::sin(pi * w(i) + 1)));
  const double last = w(u.size() - 1);
  return sum + square(last - 1) * (1 + square(std::sin(2 * pi * last)));
}

inline double developed_bowl(const Point& x) {
  return 0.85 - bowl(x, {0.62, 0.27}, {0.5, 0.08});
}
/// Too large a learning rate diverges.
inline double developed_cliff(const Point& x) {
  const double edge = 0.72 + 0.1 * x[1];
  return x[0] > edge
             ? 0.05
             : 0.84 - 0.6 * square(x[0] - 0.64) - bowl({x[1], x[2]}, {0.4, 0.8}, {0.1, 0.05});
}
/// A narrow valley across two dimensions.
inline double developed_valley(const Point& x) {
  return 0.88 - 2.0 * square(x[0] - 0.3 - 0.5 * square(x[1])) - 0.15 * square(x[1] - 0.7);
}
/// Each optimizer has a learning rate of its own.
inline double developed_optimizer(const Point& x) {
  const int which = choice(x[2], 4);
  const Point rates{0.35, 0.3, 0.5, 0.8};
  const Point tops{0.83, 0.80, 0.84, 0.86};
  const auto at = static_cast<std::size_t>(which);
  return tops[at] - 0.7 * square(x[0] - rates[at]) - 0.06 * square(x[1] - 0.3);
}
inline double developed_hills(const Point& x) {
  return 0.2 + 0.55 * std::exp(-bowl(x, {0.2, 0.3, 0.7, 0.5}, {2, 2, 2, 2})) +
         0.62 * std::exp(-bowl(x, {0.8, 0.75, 0.2, 0.4}, {6, 6, 6, 6}));
}
/// Two dimensions of six matter much.
inline double developed_six(const Point& x) {
  return 0.86 - bowl(x, {0.7, 0.35, 0.5, 0.2, 0.6, 0.9}, {0.8, 0.4, 0.05, 0.03, 0.02, 0.01});
}

/// The optimum in a corner of the ranges.
inline double judged_corner(const Point& x) {
  return 0.82 - 0.25 * std::pow(1 - x[0], 1.5) - 0.12 * std::pow(x[1], 1.2) -
         0.05 * square(x[2] - 0.5);
}
/// Two losses and three optimizers, each with its own place and depth; the rate diverges.
inline double judged_choices(const Point& x) {
  const auto optimizer = static_cast<std::size_t>(choice(x[3], 3));
  const bool second = choice(x[4], 2) == 1;
  const Point rates{0.45, 0.6, 0.25};
  const Point widths{1.2, 0.5, 2.0};
  if (x[0] > rates[optimizer] + 0.3)
    return 0.02;
  return 0.80 + 0.02 * static_cast<double>(optimizer) + (second ? 0.03 : 0) -
         widths[optimizer] * square(x[0] - rates[optimizer]) -
         0.2 * square(x[1] - (second ? 0.7 : 0.3)) - 0.1 * square(x[2] - 0.6);
}

/// Six to develop controllers by and six to judge them by, standard functions of the literature
/// among the latter, scaled to a span like that of Dice. `best` 0: to be found numerically.
inline std::vector<Surface> synthetic_surfaces() {
  const auto ranges = [](std::size_t count) { return std::vector<int>(count, 0); };
  return {
      {"bowl", false, ranges(2), 0.005, 0.85, developed_bowl},
      {"cliff", false, ranges(3), 0.01, 0.84, developed_cliff},
      {"valley", false, ranges(2), 0.002, 0.88, developed_valley},
      {"optimizer", false, {0, 0, 4}, 0.01, 0.86, developed_optimizer},
      {"hills", false, ranges(4), 0.02, 0.0, developed_hills},
      {"six", false, ranges(6), 0.05, 0.86, developed_six},
      {"branin",
       true,
       ranges(2),
       0.02,
       0.9 - 0.397887 / 300,
       [](const Point& x) { return 0.9 - branin(x) / 300; }},
      {"corner", true, ranges(3), 0.005, 0.82, judged_corner},
      {"hartmann3",
       true,
       ranges(3),
       0.01,
       0.1 + 0.2 * 3.86278,
       [](const Point& x) { return 0.1 + 0.2 * hartmann3(x); }},
      {"levy4", true, ranges(4), 0.05, 0.9, [](const Point& x) { return 0.9 - levy(x) / 150; }},
      {"choices", true, {0, 0, 0, 3, 2}, 0.01, 0.87, judged_choices},
      {"hartmann6",
       true,
       ranges(6),
       0.002,
       0.1 + 0.2 * 3.32237,
       [](const Point& x) { return 0.1 + 0.2 * hartmann6(x); }},
  };
}

}  // namespace proxytune::benchmark
