#include "jobs/jobs.h"

namespace proxytune::jobs {

std::vector<app::Command> commands() {
  using app::Subject;
  return {
      {"run", "a whole study, or the rest of it", Subject::study, run_study, {}},
      {"check",
       "everything that can be known before the run: configuration, volumes, leaks, hours, "
       "memory",
       Subject::study,
       check_study,
       {}},
      {"preprocess", "volumes into the cache", Subject::study, run_preprocess, {}},
      {"rank", "the pair matrices (and what they need)", Subject::study, run_rank, {}},
      {"select", "proxy data and splits (and what they need)", Subject::study, run_select, {}},
      {"sweep",
       "the grid of hyper-parameters (and what it needs), or a part of it",
       Subject::study,
       run_sweep,
       {"shard"}},
      {"merge",
       "the trials of the sweep's shards into the study, and the rest of it",
       Subject::study,
       run_merge,
       {}},
      {"search",
       "hyper-parameters for each arm (and what it needs)",
       Subject::study,
       run_search,
       {}},
      {"train", "final models (and what they need)", Subject::study, run_train, {}},
      {"analyse", "tables and results.h5 (and what they need)", Subject::study, run_study, {}},
      {"predict",
       "masks for any images, by a final model of the study",
       Subject::study,
       run_predict,
       {"input", "output", "arm", "repeat"}},
      {"status", "what is done, running, failed", Subject::study, print_status, {}},
      {"print-config", "the resolved study", Subject::study, print_configuration, {}},
      {"plan",
       "a study file derived from a dataset.json",
       Subject::file,
       plan_study,
       {"external", "output"}},
      {"phantom", "two sites of generated volumes", Subject::folder, make_phantom, {}},
      {"verify",
       "re-reads a results file against its checksums",
       Subject::file,
       verify_results,
       {}},
      {"document-fields",
       "writes the manual of all fields of a study file",
       Subject::file,
       document_fields,
       {}},
  };
}

}  // namespace proxytune::jobs
