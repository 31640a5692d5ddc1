"""files_test.py MPIEXEC WRITE_SAMPLE REPORT: results files seen from outside: equal whatever the number of ranks, open in
pandas, complete after a kill, untouched by a disk that is full on every rank or refuses one rank only."""
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

try:
    import h5py
    import pandas
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

mpiexec, sample = sys.argv[1:3]
folder = tempfile.mkdtemp(prefix="store_files_")


def command(ranks, *arguments):
    return [mpiexec, "-n", str(ranks), sample, *map(str, arguments)]


def write(ranks, *arguments):
    return subprocess.run(command(ranks, *arguments), capture_output=True, text=True, timeout=60, env=os.environ | {"PROXYTUNE_IO_PATIENCE": "4"})


def check_complete(path):
    with h5py.File(path, "r") as file:
        assert file.attrs["format"] in ("proxytune results", b"proxytune results")
        return len(file["/sweep/trials/dice"])


def equal_on_any_ranks_and_open_in_pandas():
    for ranks in (1, 2, 3, 4):
        result = write(ranks, f"{folder}/on{ranks}.h5", 1003, 1)
        assert result.returncode == 0, result.stderr
        compared = subprocess.run(["h5diff", f"{folder}/on1.h5", f"{folder}/on{ranks}.h5"])
        assert compared.returncode == 0, ranks
    with h5py.File(f"{folder}/on3.h5", "r") as file:
        group = file["/sweep/trials"]
        frame = pandas.DataFrame({k: group[k][:] for k in group})
        assert frame.shape == (1003, 3) and list(group) == ["dice", "seconds", "key"], frame
        assert frame.key[7].decode() == "trial \u00e4 7" and frame.seconds[5] == 25
        assert group["seconds"].attrs["units"].decode() == "s" if isinstance(
            group["seconds"].attrs["units"], bytes) else group["seconds"].attrs["units"] == "s"
        assert file["/sweep/curves/loss"].shape == (1003, 3)


def a_killed_writer_leaves_a_complete_file(kills=6):
    path = f"{folder}/killed.h5"
    assert write(2, path, 1003, 1).returncode == 0
    random.seed(1)
    for _ in range(kills):
        before = os.stat(path).st_ino
        process = subprocess.Popen(command(2, path, 4000, 100000), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        while os.stat(path).st_ino == before:  # one write at least is finished
            time.sleep(0.001)
        time.sleep(random.random() * 0.3)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        assert children, "the writer ended before it was killed"
        for child in map(int, children):
            os.kill(child, signal.SIGKILL)
        process.wait(30)
        assert check_complete(path) in (1003, 4000)
    assert check_complete(path) == 4000, "no write was finished before a kill"


def a_write_that_fails_on_one_rank_ends_the_job_and_keeps_the_old_file():
    for ranks, limit in ((2, 60000), (2, 20000), (2, 0), (4, 60000), (4, 20000), (4, 3000), (4, 0)):
        path = f"{folder}/refused{ranks}.h5"
        assert write(ranks, path, 1003, 1).returncode == 0
        result = write(ranks, path, 20000, 1, limit)
        assert result.returncode == 4, (ranks, limit, result)
        # With no room at all MPI-IO hangs while it opens the file, and HDF5 hears of nothing.
        assert "HDF5 could not" in result.stderr or "did not all end one step within" in result.stderr, result.stderr
        assert check_complete(path) == 1003


def a_full_disk_is_said_by_every_rank_before_anything_is_written():
    disk = f"{folder}/disk"
    os.mkdir(disk)
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
                                                   capture_output=True).returncode == 0
    if not mounted:
        print("a full disk: skipped, it takes the right to mount a small one")
        return
    try:
        assert write(2, f"{disk}/results.h5", 1003, 1).returncode == 0
        result = write(2, f"{disk}/results.h5", 40000, 1)
        assert result.returncode == 4, result
        for rank in (0, 1):
            assert f"rank {rank}: {disk}/results.h5.tmp: cannot reserve" in result.stderr, result.stderr
        assert "No space left on device; make room" in result.stderr
        assert check_complete(f"{disk}/results.h5") == 1003
        assert os.listdir(disk) == ["results.h5"]
    finally:
        subprocess.run(["umount", disk])


try:
    equal_on_any_ranks_and_open_in_pandas()
    a_killed_writer_leaves_a_complete_file()
    a_write_that_fails_on_one_rank_ends_the_job_and_keeps_the_old_file()
    a_full_disk_is_said_by_every_rank_before_anything_is_written()
    print("ok")
finally:
    shutil.rmtree(folder, ignore_errors=True)
