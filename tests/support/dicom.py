"""Writes a NIfTI volume of whole numbers as a DICOM series, one slice a file."""

import array
import gzip
import struct
from pathlib import Path

CT = "1.2.840.10008.5.1.4.1.1.2"


def element(group, tag, kind, value):
    data = value if isinstance(value, bytes) else str(value).encode()
    if len(data) % 2:
        data += b"\0" if kind == "UI" else b" "
    head = struct.pack("<HH2s", group, tag, kind.encode())
    return head + (struct.pack("<HI", 0, len(data)) if kind in ("OB", "OW") else struct.pack("<H", len(data))) + data


def decimals(values):
    return "\\".join(f"{value:.9g}" for value in values)


def slice_file(number, position, grid, voxels):
    """`grid`: columns, rows, their directions and distances."""
    columns, rows, directions, (dx, dy) = grid
    meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", CT) + element(2, 3, "UI", f"1.2.3.{number}")
    meta += element(2, 0x10, "UI", "1.2.840.10008.1.2.1")
    body = element(8, 0x16, "UI", CT) + element(8, 0x18, "UI", f"1.2.3.{number}") + element(8, 0x60, "CS", "CT")
    body += element(0x20, 0xD, "UI", "1.2") + element(0x20, 0xE, "UI", "1.2.3") + element(0x20, 0x13, "IS", number)
    body += element(0x20, 0x32, "DS", decimals(position)) + element(0x20, 0x37, "DS", decimals(directions))
    body += element(0x28, 2, "US", struct.pack("<H", 1)) + element(0x28, 4, "CS", "MONOCHROME2")
    body += element(0x28, 0x10, "US", struct.pack("<H", rows)) + element(0x28, 0x11, "US", struct.pack("<H", columns))
    body += element(0x28, 0x30, "DS", decimals((dy, dx)))
    for tag, value in ((0x100, 16), (0x101, 16), (0x102, 15), (0x103, 1)):
        body += element(0x28, tag, "US", struct.pack("<H", value))
    body += element(0x28, 0x1052, "DS", 0) + element(0x28, 0x1053, "DS", 1) + element(0x7FE0, 0x10, "OW", voxels)
    return b"\0" * 128 + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + body


def write_series(nifti, folder):
    """The volume of an .nii.gz file of 16-bit integers, in a new folder."""
    raw = gzip.decompress(Path(nifti).read_bytes())
    x, y, z = struct.unpack_from("<3h", raw, 42)
    assert struct.unpack_from("<h", raw, 70)[0] == 4
    rows = [struct.unpack_from("<4f", raw, 280 + 16 * i) for i in range(3)]
    # RAS+ of NIfTI to LPS+ of DICOM.
    rows = [[-value for value in rows[0]], [-value for value in rows[1]], list(rows[2])]
    columns = [[row[axis] for row in rows] for axis in range(4)]
    lengths = [sum(value * value for value in column) ** 0.5 for column in columns[:3]]
    directions = [value / lengths[axis] for axis in (0, 1) for value in columns[axis]]
    Path(folder).mkdir()
    for k in range(z):
        position = [columns[3][i] + k * columns[2][i] for i in range(3)]
        voxels = array.array("h", raw[352 + 2 * x * y * k: 352 + 2 * x * y * (k + 1)]).tobytes()
        content = slice_file(k + 1, position, (x, y, directions, lengths[:2]), voxels)
        (Path(folder) / f"IM{(k * 7) % 101:03}").write_bytes(content)
