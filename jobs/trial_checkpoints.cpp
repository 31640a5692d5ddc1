#include "jobs/trial_checkpoints.h"

#include <fmt/format.h>

#include "proxytune/core/error.h"

namespace proxytune::jobs {
namespace {

/// Between two lines in the journal that only say how far a trial is.
constexpr std::chrono::seconds progress_interval(30);

}  // namespace

TrialCheckpoints::TrialCheckpoints(
    const Study& study, const std::string& key, const std::string& file, int epochs, int ranks)
    : study_(study),
      key_(key),
      // A hash of the training's whole specification.
      file_(study.folder() / "checkpoints", file, study.numerics_fields()),
      of_epochs_(epochs),
      ranks_(ranks) {}

std::optional<std::string> TrialCheckpoints::load() {
  on_disk_ = file_.exists();
  std::optional<std::string> text = file_.read(study_.log());
  if (!text)
    return std::nullopt;
  const std::size_t end = text->find('\n');
  try {
    const work::Record head = work::from_json(std::string_view(*text).substr(0, end));
    external_dice = head.numbers("external_dice");
    epochs_ = static_cast<int>(head.integer("epochs"));
    earlier_device_seconds_ = head.has("device_seconds") ? head.number("device_seconds") : 0;
  } catch (const core::DataError& error) {
    refuse(error.what());
    return std::nullopt;
  }
  study_.journal().note({"resumed", "trial", key_, progress()});
  study_.log().info(fmt::format("trial {} goes on after epoch {}", key_, epochs_));
  text->erase(0, end + 1);
  return text;
}

bool TrialCheckpoints::due() {
  ++pauses_;
  study_.account().step(key_);
  // At the first pause nothing has been done yet: a checkpoint would tell of progress that is
  // none, and a trial that kills its rank at this step would never be set aside.
  if (pauses_ == 1)
    return false;
  if (pauses_ == 2)
    first_step_seconds_ = std::chrono::duration<double>(Clock::now() - start_).count();
  const double interval = study_.options().compute.checkpoint_interval;
  return interval > 0 && Clock::now() - last_ > std::chrono::duration<double>(interval);
}

void TrialCheckpoints::save(const std::string& state) {
  const work::Record head = work::Record()
                                .set("external_dice", external_dice)
                                .set("epochs", std::int64_t{epochs_})
                                .set("device_seconds", device_seconds());
  on_disk_ = true;
  const Clock::time_point start = Clock::now();
  file_.write(work::to_json(head) + "\n" + state);
  study_.clock().took_checkpoint(std::chrono::duration<double>(Clock::now() - start).count());
  study_.account().keep(key_);
  study_.journal().note({"checkpoint", "trial", key_, progress()});
  last_ = Clock::now();
}

double TrialCheckpoints::device_seconds() const {
  return earlier_device_seconds_ + ranks_ * study_.account().seconds(key_);
}

void TrialCheckpoints::reached(int epochs) {
  epochs_ = epochs;
  study_.account().reach(
      key_, fmt::format("{} of {} epochs done", epochs_, study_.options().training.epochs));
  if (last_progress_ && Clock::now() - *last_progress_ < progress_interval)
    return;
  last_progress_ = Clock::now();
  study_.journal().note({"progress", "trial", key_, progress()});
}

work::Record TrialCheckpoints::progress() const {
  return work::Record()
      .set("epochs", std::int64_t{epochs_})
      .set("of", std::int64_t{of_epochs_});
}

void TrialCheckpoints::refuse(const std::string& why) {
  external_dice.clear();
  epochs_ = 0;
  earlier_device_seconds_ = 0;
  study_.log().warn(fmt::format(
      "the checkpoint of trial {} is whole but not of this training ({}); it begins anew",
      key_,
      why));
}

}  // namespace proxytune::jobs
