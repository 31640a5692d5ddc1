#include "proxytune/similarity/measure.h"

#include <stdexcept>

#include "gpu_measures.h"
#include "proxytune/similarity/mutual_information.h"
#include "proxytune/similarity/normalized_cross_correlation.h"
#include "proxytune/similarity/whole_image.h"

namespace proxytune::similarity {

double Measure::compare(const PreparedImage& one, const PreparedImage& other) {
  const PreparedImage* const row = &one;
  const PreparedImage* const column = &other;
  double value = 0;
  compare_all(Images(&row, 1), Images(&column, 1), Cells::all, std::span(&value, 1));
  return value;
}

void PairwiseMeasure::compare_all(Images rows,
                                  Images columns,
                                  Cells cells,
                                  std::span<double> values) {
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t column = cells == Cells::upper ? row : 0; column < columns.size();
         ++column) {
      const double value = compare_pair(*rows[row], *columns[column]);
      values[row * columns.size() + column] = value;
      if (cells == Cells::upper)
        values[column * columns.size() + row] = value;
    }
}

std::unique_ptr<Measure> make_measure(Metric metric,
                                      const SimilarityOptions& options,
                                      InstructionSet set,
                                      const std::shared_ptr<Gpu>& gpu) {
  validate(options);
  switch (metric) {
    case Metric::mutual_information:
      if (gpu)
        return std::make_unique<MutualInformationOnGpu>(
            options.bins, options.miller_madow, options.normalised, set, gpu);
      return std::make_unique<MutualInformation>(
          options.bins, options.miller_madow, options.normalised, set);
    case Metric::normalized_cross_correlation:
      if (gpu)
        return std::make_unique<NormalizedCrossCorrelationOnGpu>(
            options.window, options.flat_windows, options.border, set, gpu);
      return std::make_unique<NormalizedCrossCorrelation>(
          options.window, options.flat_windows, options.border, set);
    case Metric::global_cross_correlation:
      return std::make_unique<GlobalCrossCorrelation>(set);
    case Metric::mean_squared_difference:
      return std::make_unique<MeanSquaredDifference>(set);
  }
  throw std::logic_error("a metric without a measure");
}

std::string unit_of(Metric metric, const SimilarityOptions& options) {
  if (metric == Metric::mutual_information && !options.normalised)
    return "nat";
  return metric == Metric::mean_squared_difference ? "intensity^2" : "1";
}

}  // namespace proxytune::similarity
