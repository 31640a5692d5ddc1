"""The batch scripts under a real Slurm of one node, COUNT rounds, each of the next kind: USR2 to the job's ranks in
mid-study; a preemption, which kills them and requeues; the end of the job's time, which the program sees coming; a sweep as a
job array of three, merged. Each must complete, with the results of an undisturbed run.

Slurm (on Debian: slurm-wlm, munge) must be installed; what runs of it on this machine is not touched.
SOAK name=slurm count=N restarts=R different=0 failed=0
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))
from one_node_slurm import OneNodeSlurm, missing_tools  # noqa: E402
from program import PROGRAM, ProgramTest, TINY_STUDY, differences, finished_trials, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# Longer than what a job of one minute with 45 s of grace has.
STUDY = TINY_STUDY.replace("epochs: 2", "epochs: 1000").replace("validate_every: 1", "validate_every: 500")
ENDS = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


class Rounds:
    def __init__(self, slurm):
        self.slurm, self.restarts = slurm, 0

    def submit(self, script, path, *settings, options=()):
        """Returns the job's number."""
        output = f"{path.with_suffix('')}-%A-%a.out"
        return self.slurm.call(
            "sbatch", "--parsable", "--ntasks-per-node=2", "--cpus-per-task=1", "--mem-per-cpu=500", f"--output={output}",
            f"--export=ALL,PROXYTUNE={Path(PROGRAM).resolve()}", *options, str(ROOT / "slurm" / script), str(path), *settings,
            cwd=path.parent).strip()

    def wait_for_trials(self, folder, count):
        self.slurm.wait(lambda: folder.exists() and len(finished_trials(folder)) >= count, f"{count} trials are not finished")

    def requeued(self, job):
        """Waits for the job to be queued again, and spares it the two minutes that Slurm makes it wait. False: it ended."""
        self.slurm.wait(lambda: self.slurm.tasks(job)[0][0] in ENDS | {"PENDING"}, "the job neither ends nor is requeued", 150)
        if self.slurm.tasks(job)[0][0] != "PENDING":
            return False
        self.slurm.call("scontrol", "update", f"JobId={job}", "StartTime=now")
        self.slurm.wait(lambda: self.slurm.tasks(job)[0][0] != "PENDING", "the job does not start again")
        self.restarts += 1
        return True

    def completed(self, job):
        self.slurm.wait(lambda: all(state in ENDS for state, _ in self.slurm.tasks(job)), "the job does not end", 400)
        return {state for state, _ in self.slurm.tasks(job)} == {"COMPLETED"}

    def signal(self, path, folder):
        job = self.submit("proxytune.sbatch", path)
        self.wait_for_trials(folder, 2)
        self.slurm.call("scancel", "--signal=USR2", job)
        return self.requeued(job) and self.completed(job)

    def preemption(self, path, folder):
        job = self.submit("proxytune.sbatch", path, "--set", "compute.checkpoint_interval=0.1")
        self.wait_for_trials(folder, 3)
        self.slurm.call("scontrol", "requeue", job)
        return self.requeued(job) and self.completed(job)

    def end_of_time(self, path, folder):
        """A minute's job that is given no signal: it stops by itself, a grace time of 50 s ahead of its end."""
        job = self.submit("proxytune.sbatch", path, "--set", "compute.grace=50", options=("--time=1", "--signal=CONT@1"))
        if not self.requeued(job):
            return False
        while self.requeued(job):
            pass
        return self.completed(job)

    def array(self, path, folder):
        if run("select", path, ranks=2).code != 0:
            return False
        job = self.submit("shard.sbatch", path, options=("--array=1-3", "--ntasks-per-node=1"))
        return self.completed(job) and run("merge", path, ranks=2).code == 0


def main(count):
    missing = missing_tools()
    if missing:
        print(f"soak slurm: {', '.join(missing)} is not installed; on Debian: apt-get install slurm-wlm munge", file=sys.stderr)
        return 1
    ProgramTest.setUpClass()
    scratch = ProgramTest.scratch
    reference = scratch / "reference.yaml"
    reference.write_text(STUDY.replace("OUT", str(scratch / "reference")))
    assert run("run", reference, ranks=2).code == 0
    slurm = OneNodeSlurm(scratch / "slurm")
    rounds = Rounds(slurm)
    different = failed = 0
    try:
        for number in range(count):
            kind = (rounds.signal, rounds.preemption, rounds.end_of_time, rounds.array)[number % 4]
            folder, path = scratch / f"round{number}", scratch / f"round{number}.yaml"
            path.write_text(STUDY.replace("OUT", str(folder)))
            restarts = rounds.restarts
            well = kind(path, folder)
            changed = differences(scratch / "reference/results.h5", folder / "results.h5") if well else ""
            failed += not well
            different += bool(changed)
            print(f"{number}: {kind.__name__}, {rounds.restarts - restarts} restarts, "
                  f"{'DIFFERENT ' + changed if changed else 'same results' if well else 'FAILED'}", flush=True)
            if not well:
                print("\n".join(log.read_text() for log in sorted(scratch.glob(f"round{number}-*.out"))), flush=True)
    finally:
        slurm.close()
    ProgramTest.tearDownClass()
    print(f"SOAK name=slurm count={count} restarts={rounds.restarts} different={different} failed={failed}")
    return 1 if different or failed or not rounds.restarts else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
