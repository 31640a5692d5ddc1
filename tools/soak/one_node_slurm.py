"""A Slurm of this machine's own, in a folder and under the user who starts it: credentials, controller and one node."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerParameters=sched_interval=1,sched_min_interval=0
ReturnToService=2
KillWait=2
NodeName={host} CPUs={cores} CoresPerSocket={cores} RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing_tools():
    return [name for name in ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "scontrol") if shutil.which(name) is None]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class OneNodeSlurm:
    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.folder.chmod(0o755)
        controller_port, node_port = free_ports(2)
        configuration = self.folder / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=subprocess.check_output(["id", "-un"], text=True).strip(),
            folder=self.folder, controller_port=controller_port, node_port=node_port, cores=os.cpu_count()))
        self.environment = {**os.environ, "SLURM_CONF": str(configuration)}
        key = self.folder / "munge.key"
        self.call("mungekey", "--create", f"--keyfile={key}")
        self.daemons = []
        self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket",
                   f"--pid-file={self.folder}/munge.pid", f"--log-file={self.folder}/munge.log",
                   f"--seed-file={self.folder}/munge.seed")
        self.wait(lambda: (self.folder / "munge.socket").exists(), "munged has no socket")
        self.start("slurmctld", "-D", "-f", str(configuration))
        self.start("slurmd", "-D", "-f", str(configuration))
        self.wait(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T", check=False), "the node does not come up")

    def start(self, *command):
        with open(self.folder / f"{command[0]}.out", "w") as output:
            self.daemons.append(subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                                                 stderr=subprocess.STDOUT))

    def call(self, *command, check=True, cwd=None):
        done = subprocess.run(command, env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    @staticmethod
    def wait(condition, complaint, limit=60):
        deadline = time.time() + limit
        while not condition():
            if time.time() > deadline:
                raise RuntimeError(f"after {limit} s: {complaint}")
            time.sleep(0.1)

    def tasks(self, job):
        """(state, restarts) of a job, or of each task of a job array."""
        found = []
        for line in self.call("scontrol", "-o", "show", "job", job, check=False).splitlines():
            fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
            found.append((fields["JobState"], int(fields["Restarts"])))
        return found

    def close(self):
        self.call("scancel", "--user", self.call("id", "-un").strip(), check=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=30)
