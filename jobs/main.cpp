#include "jobs/jobs.h"
#include "proxytune/work/stop.h"

int main(int argument_count, char** arguments) {
  std::atomic<bool>& stop = proxytune::work::install_stop_signals();
  return proxytune::app::run(argument_count, arguments, proxytune::jobs::commands(), stop);
}
