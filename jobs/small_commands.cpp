#include <filesystem>

#include <fmt/format.h>

#include "jobs/jobs.h"
#include "jobs/study_options.h"
#include "proxytune/comm/agree.h"
#include "proxytune/config/options.h"
#include "proxytune/core/files.h"
#include "proxytune/datasets/phantom.h"
#include "proxytune/store/results.h"

namespace proxytune::jobs {

void print_configuration(app::Session& session) {
  session.log.info(config::to_yaml(read_study(session.study)));
}

void verify_results(app::Session& session) {
  comm::from_root(session.world, [&] {
    const store::Verified verified = store::verify(session.request.subject);
    session.log.info(fmt::format("{}: {} data sets, {} bytes, all checksums right",
                                 session.request.subject,
                                 verified.datasets,
                                 verified.bytes));
    return std::string();
  });
}

void make_phantom(app::Session& session) {
  // Its options may be set like those of a study: --set internal_cases=20.
  config::Node root;
  root.kind = config::Node::Kind::mapping;
  for (const std::string& assignment : session.request.overrides)
    config::override_field(root, assignment);
  datasets::PhantomOptions options;
  config::read(root, "", options);
  comm::from_root(session.world, [&] {
    const std::filesystem::path folder = session.request.subject;
    datasets::write_phantom(folder, options);
    session.log.info(fmt::format("phantom: {} internal cases in {}, {} external cases in {}",
                                 options.internal_cases,
                                 (folder / "siteA").string(),
                                 options.external_cases,
                                 (folder / "siteB").string()));
    return std::string();
  });
}

void document_fields(app::Session& session) {
  comm::from_root(session.world, [&] {
    core::write_file_atomically(
        session.request.subject,
        "# Fields of a study file\n\nMade by `proxytune document-fields`; do not edit. A study "
        "file "
        "is YAML; every field may be\noverridden with `--set section.field=value`, an item of "
        "a "
        "list with its position: `--set arms.0.budget=8`,\nseveral fields of a section at "
        "once: "
        "`--set 'training={epochs: 5, overlap: 0.5}'`. A list or a map of labels is replaced "
        "as a "
        "whole.\n" +
            config::to_markdown(config::describe_fields<StudyOptions>()));
    return std::string();
  });
}

}  // namespace proxytune::jobs
