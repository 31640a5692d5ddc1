#pragma once

#include <vector>

#include "proxytune/app/app.h"

namespace proxytune::jobs {

/// Every subcommand of the program.
std::vector<app::Command> commands();

// Commands on a study. Each brings the stages before it up to date, which costs nothing where
// they are; `run` is all of them.
void run_study(app::Session& session);
void run_preprocess(app::Session& session);
void run_rank(app::Session& session);
void run_select(app::Session& session);
void run_sweep(app::Session& session);
void run_search(app::Session& session);
void run_train(app::Session& session);
void run_merge(app::Session& session);
void run_predict(app::Session& session);
void check_study(app::Session& session);
void print_status(app::Session& session);
void print_configuration(app::Session& session);

// Commands on other things.
void plan_study(app::Session& session);
void verify_results(app::Session& session);
void make_phantom(app::Session& session);
void document_fields(app::Session& session);

}  // namespace proxytune::jobs
