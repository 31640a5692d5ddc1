#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "jobs/jobs.h"
#include "jobs/load.h"
#include "jobs/stages.h"
#include "proxytune/comm/agree.h"
#include "proxytune/core/error.h"
#include "proxytune/datasets/dataset.h"
#include "proxytune/imaging/io.h"
#include "proxytune/imaging/preprocess.h"

namespace proxytune::jobs {
namespace {

/// One file a channel, separated by commas; a name of commas that exists is one file.
std::vector<std::filesystem::path> channel_files(const std::string& input) {
  if (std::filesystem::exists(input))
    return {input};
  std::vector<std::filesystem::path> files;
  std::istringstream parts(input);
  for (std::string part; std::getline(parts, part, ',');)
    files.emplace_back(part);
  return files;
}

/// The mask is named like the first channel's file.
std::filesystem::path mask_path(const std::string& folder, const std::string& input) {
  return std::filesystem::path(folder) /
         (datasets::case_id(channel_files(input).front()) + ".nii.gz");
}

/// What can be said before days of training.
void check_request(const StudyOptions& options,
                   const app::Request& request,
                   const std::string& arm) {
  const auto arms = options.search_arms();
  if (std::none_of(
          arms.begin(), arms.end(), [&](const auto& one) { return one.name == arm; }) ||
      request.repeat < 0 || request.repeat >= options.final_training.repeats)
    throw core::ConfigurationError(fmt::format(
        "there is no final model of arm \"{}\", repeat {}; final models are trained for "
        "the arms of the search, see search.arms and final_training.repeats",
        arm,
        request.repeat));
  std::map<std::filesystem::path, std::string> masks;
  for (const std::string& input : request.inputs) {
    for (const auto& file : channel_files(input)) {
      if (!std::filesystem::exists(file))
        throw core::DataError(
            fmt::format("{} does not exist; give --input an image (a file, or a folder with a "
                        "DICOM series), or one a channel separated by commas",
                        file.string()));
      std::error_code missing;
      if (std::filesystem::equivalent(file, mask_path(request.output, input), missing))
        throw core::ConfigurationError(fmt::format(
            "the mask of {} would overwrite that image; name another folder with --output",
            file.string()));
    }
    const auto [other, is_new] = masks.emplace(mask_path(request.output, input), input);
    if (!is_new)
      throw core::ConfigurationError(fmt::format(
          "{} and {} would both be written to {}; predict them into different folders",
          other->second,
          input,
          other->first.string()));
  }
}

const trials::TrialResult& final_result(const ArmTrials& finals,
                                        const std::string& arm,
                                        int repeat) {
  for (const ArmTrial& one : finals) {
    if (one.arm != arm || one.repeat != repeat)
      continue;
    const trials::TrialResult& result = one.record.result;
    if (result.weights_file.empty())
      throw core::DataError(
          fmt::format("the final training of arm {}, repeat {}, has no model: {}",
                      arm,
                      repeat,
                      result.reason));
    return result;
  }
  throw core::DataError(
      fmt::format("every trial of the search of arm {} failed, so it has no final model", arm));
}

}  // namespace

void run_predict(app::Session& session) {
  Study study(session);
  const StudyOptions& options = study.options();
  const app::Request& request = session.request;
  const std::string arm = request.arm.empty() ? options.reference : request.arm;
  comm::together(study.world(), [&] { check_request(options, request, arm); });

  const PreparedData data = preprocess(study);
  const Selection selection = select(study, data, rank(study, data));
  const ArmTrials finals = train(study, data, selection, search(study, data, selection));
  comm::together(study.world(), [&] {
    const trials::TrialResult& result = final_result(finals, arm, request.repeat);
    network::UNetOptions network = options.network(options.final_training.network).unet;
    network.in_channels = data.channels;
    network.out_channels = data.classes;
    const training::Model model = training::Model::load(
        network, study.folder() / result.weights_file, study.numerics().precision);
    std::filesystem::create_directories(request.output);
    for (std::size_t i = 0; i < request.inputs.size(); ++i) {
      if (study.stop())
        throw core::Stopped("stopped while predicting");
      if (static_cast<int>(i) % study.world().size() != study.world().rank())
        continue;
      const imaging::PreparedImage prepared =
          prepare_image(options, channel_files(request.inputs[i]));
      imaging::LabelVolume predicted =
          model.predict(imaging::view(prepared.image), options.training);
      predicted.geometry = prepared.image.geometry;
      imaging::write_labels(mask_path(request.output, request.inputs[i]),
                            imaging::restore_labels(predicted, prepared));
    }
  });
  for (const std::string& input : request.inputs)
    study.log().info(fmt::format("predict: {}", mask_path(request.output, input).string()));
}

}  // namespace proxytune::jobs
