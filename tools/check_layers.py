#!/usr/bin/env python3
"""Holds every #include of include/proxytune, src and jobs to the rooms declared in CMakeLists.txt.

usage: tools/check_layers.py [ROOT]
       tools/check_layers.py --public-headers [ROOT]   one line a header: the foreign family it shows (or plain), its path

What a room may use, hide and show is read from the proxytune_room(...) lines; this file adds only which
headers belong to which library. A room uses exactly what its USES names: not what those use in turn.
Prints one sentence a violation, FILE:LINE first; exit code 1 if there is one.
"""

import pathlib
import re
import sys
from dataclasses import dataclass, field

# A room that chooses must not be able to name what holds the external scores.
EXTERNAL_SCORES = "analysis"
CHOOSERS = {"search", "selection", "training", "trials"}

# Public headers of rooms that show LibTorch which must stay readable without it.
WITHOUT_TORCH = {
    "include/proxytune/training/trainer.h",
    "include/proxytune/training/options.h",
    "include/proxytune/network/precision.h",
    "include/proxytune/network/unet_options.h",
    "include/proxytune/ops/bfloat16_products.h",
    "include/proxytune/ops/softmax_dice_options.h",
}
# The one door through which the raw communicator leaves comm, and who may go through it.
MPI_DOOR = "include/proxytune/comm/mpi_native.h"
MPI_DOOR_USERS = {"comm", "store"}


@dataclass
class Family:
    """Headers of one foreign library and the CMake targets that stand for it in HIDES and SHOWS."""

    name: str
    pattern: str
    targets: set
    extra_rooms: set = field(default_factory=set)  # may include it although no HIDES says so
    one_source_in: set = field(default_factory=set)  # at most one source of each of these rooms
    kernels_of: set = field(default_factory=set)  # only in .cu and .cuh files of these rooms

    def owns(self, header):
        return re.fullmatch(self.pattern, header) is not None


FAMILIES = [
    Family("MPI", r"mpi\.h|boost/mpi(\.hpp|/.*)", {"MPI::MPI_C", "MPI::MPI_CXX", "Boost::mpi"}),
    Family("NCCL", r"nccl\.h", set(), one_source_in={"comm"}),
    Family(
        "CUDA",
        r"cuda.*\.h|cu(blas|dnn|fft|rand|sparse)\w*\.h|cub/.*|thrust/.*|cooperative_groups.*|nvtx3/.*",
        set(),
        one_source_in={"training"},
        kernels_of={"ops", "similarity"},
    ),
    Family("HDF5", r"hdf5\.h|H5\w*\.h|highfive/.*", {"PkgConfig::hdf5"}),
    Family("ITK", r"itk\w*\.(h|hxx)|gdcm\w*\.h|vnl/.*|nifti\w*\.h", {"proxytune_itk"}),
    Family("LibTorch", r"(torch|ATen|c10|caffe2)/.*", {"proxytune_torch"}),
    Family("YAML", r"yaml-cpp/.*", {"yaml-cpp"}),
    Family("JSON", r"nlohmann/.*", {"nlohmann_json::nlohmann_json"}),
    Family("CLI11", r"CLI/.*", {"CLI11::CLI11"}),
    Family("spdlog", r"spdlog/.*", {"spdlog::spdlog"}),
    Family("xxhash", r"xxhash\.h|xxh3\.h", {"PkgConfig::xxhash"}),
    Family("zlib", r"zlib\.h|zconf\.h", {"ZLIB::ZLIB"}),
    # Every room writes sentences: fmt is for the sources of all of them, and for no public header.
    Family("fmt", r"fmt/.*", {"fmt::fmt"}, extra_rooms={"*"}),
]
SYSTEM = re.compile(
    r"[a-z0-9_]+"  # the standard library
    r"|(sys|linux|arpa|net|netinet|bits)/\w+\.h|\w*intrin\.h|cpuid\.h"
    r"|(dirent|dlfcn|errno|fcntl|ftw|glob|libgen|limits|math|netdb|poll|pthread|pwd|sched|semaphore|signal|spawn"
    r"|stdint|stdio|stdlib|string|syslog|termios|time|ucontext|unistd|utime|features|fenv|float|malloc)\.h"
)


@dataclass
class Room:
    name: str
    line: int
    uses: list
    hides: list
    shows: list


@dataclass
class Include:
    line: int
    header: str
    quoted: bool


class Tree:
    """The rooms and the includes of one checkout."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.rooms, self.jobs_use, self.jobs_line = self.read_rooms()
        self.includes = {}
        for folder in ("include", "src", "jobs"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in {".h", ".hpp", ".hxx", ".cpp", ".cc", ".cu", ".cuh", ".inc"}:
                    self.includes[path.relative_to(self.root).as_posix()] = read_includes(path)

    def read_rooms(self):
        text = (self.root / "CMakeLists.txt").read_text()
        text = re.sub(r"#.*", "", text)
        rooms, jobs_use, jobs_line = {}, [], 1
        for call in re.finditer(r"\b(proxytune_room|proxytune_program)\s*\(([^)]*)\)", text):
            line = text.count("\n", 0, call.start()) + 1
            name, *words = call[2].split()
            lists = {"USES": [], "HIDES": [], "SHOWS": []}
            current = None
            for word in words:
                if word in lists:
                    current = lists[word]
                elif current is not None:
                    current.append(word)
            if call[1] == "proxytune_program":
                jobs_use, jobs_line = lists["USES"], line
            else:
                rooms[name] = Room(name, line, lists["USES"], lists["HIDES"], lists["SHOWS"])
        if not rooms:
            sys.exit(f"{self.root}/CMakeLists.txt:1: there is no proxytune_room(...) line here")
        return rooms, jobs_use, jobs_line

    def target_of(self, file, include):
        """The project file that an include names, or None for a foreign or missing one."""
        candidates = [f"include/{include.header}", f"src/{include.header}", include.header]
        if include.quoted:
            beside = (self.root / file).parent / include.header
            try:
                candidates.insert(0, beside.resolve().relative_to(self.root).as_posix())
            except ValueError:
                pass
        return next((name for name in candidates if name in self.includes), None)

    def families_shown(self, file, seen=None):
        """Foreign families that a reader of this file gets, with the file that includes each."""
        seen = set() if seen is None else seen
        seen.add(file)
        shown = {}
        for include in self.includes[file]:
            target = self.target_of(file, include)
            if target is None:
                family = family_of(include.header)
                if family is not None:
                    shown.setdefault(family.name, file)
            elif target not in seen:
                for name, where in self.families_shown(target, seen).items():
                    shown.setdefault(name, where)
        return shown

    def reachable(self, name):
        reached, waiting = set(), list(self.rooms[name].uses)
        while waiting:
            used = waiting.pop()
            if used not in reached and used in self.rooms:
                reached.add(used)
                waiting += self.rooms[used].uses
        return reached


def read_includes(path):
    text = path.read_text(errors="replace")
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.S)
    includes = []
    for number, line in enumerate(text.splitlines(), start=1):
        found = re.match(r'\s*#\s*(?:include|include_next|import)\b\s*(?:"([^"]+)"|<([^>]+)>|(\S.*))', line)
        if found:
            header = found[1] or found[2] or f"the macro {found[3].strip()}"
            includes.append(Include(number, header, found[1] is not None))
    return includes


def family_of(header):
    return next((family for family in FAMILIES if family.owns(header)), None)


def room_of(file):
    parts = file.split("/")
    if file.startswith("include/proxytune/"):
        return parts[2]
    return parts[1] if parts[0] == "src" else "jobs"


def check_rooms(tree):
    declared = []
    for room in tree.rooms.values():
        for used in room.uses:
            if used not in declared:
                yield f"CMakeLists.txt:{room.line}: room {room.name} uses {used}, which is not declared above it"
        declared.append(room.name)
        if room.name in CHOOSERS and EXTERNAL_SCORES in room.uses:
            yield (
                f"CMakeLists.txt:{room.line}: room {room.name} uses {EXTERNAL_SCORES}, but what chooses "
                "must not see external scores"
            )
        elif room.name in CHOOSERS and EXTERNAL_SCORES in tree.reachable(room.name):
            yield (
                f"CMakeLists.txt:{room.line}: room {room.name} reaches {EXTERNAL_SCORES} through the rooms "
                "it uses, but what chooses must not see external scores"
            )
    for used in tree.jobs_use:
        if used not in tree.rooms:
            yield f"CMakeLists.txt:{tree.jobs_line}: the program uses {used}, which is no room"


def check_project_include(tree, file, include, target):
    room, other = room_of(file), room_of(target)
    where = f"{file}:{include.line}"
    if target.startswith("src/") and other != room:
        yield f"{where}: {include.header} is private to room {other}; {room} sees include/proxytune/{other} only"
    elif target.startswith("src/") and file.startswith("include/"):
        yield f"{where}: a public header includes {include.header}, which lies in src"
    elif target.startswith("jobs/") and room != "jobs":
        yield f"{where}: room {room} includes {include.header}, but no room knows the jobs"
    if target == MPI_DOOR and (room not in MPI_DOOR_USERS or file.startswith("include/")):
        yield f"{where}: only sources of {' and '.join(sorted(MPI_DOOR_USERS))} may include {include.header}"
    if other == room or target.startswith("jobs/"):
        return
    if room in CHOOSERS and other == EXTERNAL_SCORES:
        yield f"{where}: {room} includes {include.header}, but what chooses must not see external scores"
        return
    allowed = tree.jobs_use if room == "jobs" else tree.rooms[room].uses
    if other not in allowed:
        yield (
            f"{where}: {room} includes {include.header}, but may use only: "
            f"{', '.join(allowed) or 'nothing'} (CMakeLists.txt:"
            f"{tree.jobs_line if room == 'jobs' else tree.rooms[room].line})"
        )


def check_foreign_include(tree, file, include):
    where = f"{file}:{include.line}"
    family = family_of(include.header)
    if family is None:
        if not SYSTEM.fullmatch(include.header):
            yield f"{where}: {include.header} is of no library that tools/check_layers.py knows; add its family there"
        return
    room = room_of(file)
    public = file.startswith("include/")
    hides = tree.rooms[room].hides if room in tree.rooms else []
    shows = tree.rooms[room].shows if room in tree.rooms else []
    if public:
        if not family.targets & set(shows) and file != MPI_DOOR:
            yield f"{where}: a public header of {room} includes {include.header}, but {family.name} is not shown there"
        return
    if family.targets & set(hides + shows) or {room, "*"} & family.extra_rooms or room in family.one_source_in:
        return
    if room in family.kernels_of:
        if pathlib.PurePosixPath(file).suffix not in {".cu", ".cuh"}:
            yield f"{where}: {include.header} belongs into a .cu file: the sources of {room} know no {family.name}"
        return
    yield f"{where}: {room} includes {include.header}, but {family.name} is not among what CMakeLists.txt lets it see"


def check_single_sources(tree):
    """Some libraries may be named by one source of a room."""
    for family in FAMILIES:
        for room in sorted(family.one_source_in):
            users = [
                f"{file}:{include.line}"
                for file, includes in tree.includes.items()
                if file.startswith(f"src/{room}/")
                for include in includes
                if family.owns(include.header)
            ]
            files = sorted({user.rsplit(":", 1)[0] for user in users})
            for user in users:
                if len(files) > 1 and not user.startswith(f"{files[0]}:"):
                    yield f"{user}: {family.name} may be included by one source of {room}, and {files[0]} is one already"


def check_shown(tree, file):
    """What a public header shows through other headers."""
    if not file.startswith("include/") or file == MPI_DOOR:
        return
    shows = tree.rooms[room_of(file)].shows
    shown = tree.families_shown(file)
    for family in FAMILIES:
        through = shown.get(family.name)
        if through is None:
            continue
        if family.name == "LibTorch" and file in WITHOUT_TORCH:
            yield f"{file}:1: this header is for readers without LibTorch, but gets it from {through}"
        elif through != file and not family.targets & set(shows):
            yield f"{file}:1: this header of {room_of(file)} shows {family.name} through {through}"


def violations(tree):
    yield from check_rooms(tree)
    for file, includes in tree.includes.items():
        room = room_of(file)
        if room != "jobs" and room not in tree.rooms:
            yield f"{file}:1: {room} is no room of CMakeLists.txt"
            continue
        for include in includes:
            target = tree.target_of(file, include)
            if target is not None:
                if room_of(target) in tree.rooms or target.startswith("jobs/"):
                    yield from check_project_include(tree, file, include, target)
            elif include.quoted or include.header.startswith("proxytune/"):
                yield f"{file}:{include.line}: there is no {include.header} in this project"
            else:
                yield from check_foreign_include(tree, file, include)
        yield from check_shown(tree, file)
    yield from check_single_sources(tree)


def list_public_headers(tree):
    for file in tree.includes:
        if file.startswith("include/"):
            shown = tree.families_shown(file)
            kind = "torch" if "LibTorch" in shown else "mpi" if "MPI" in shown else "plain"
            print(kind, file)


def main(arguments):
    listing = "--public-headers" in arguments
    roots = [argument for argument in arguments if argument != "--public-headers"]
    if len(roots) > 1 or any(root.startswith("-") for root in roots):
        sys.exit(__doc__)
    tree = Tree(roots[0] if roots else pathlib.Path(__file__).resolve().parent.parent)
    if listing:
        list_public_headers(tree)
        return 0
    found = list(violations(tree))
    for sentence in found:
        print(sentence)
    if not found:
        print(f"check_layers: {len(tree.includes)} files of {len(tree.rooms)} rooms keep to the arrows")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
