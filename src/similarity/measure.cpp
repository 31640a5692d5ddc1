#include "proxytune/similarity/measure.h"

#include <stdexcept>

#include "proxytune/similarity/mutual_information.h"
#include "proxytune/similarity/normalized_cross_correlation.h"

namespace proxytune::similarity {

std::unique_ptr<Measure> make_measure(Metric metric, const SimilarityOptions& options) {
  validate(options);
  switch (metric) {
    case Metric::mutual_information:
      return std::make_unique<MutualInformation>(options.bins);
    case Metric::normalized_cross_correlation:
      return std::make_unique<NormalizedCrossCorrelation>(
          options.window, options.flat_windows, options.border);
  }
  throw std::logic_error("a metric without a measure");
}

}  // namespace proxytune::similarity
