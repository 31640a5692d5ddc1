"""Reads and breaks NIfTI files."""

import array
import gzip
import struct
from pathlib import Path


class Nifti:
    """Enough of NIfTI-1 to break one: the header as bytes, the voxels as they are stored."""

    def __init__(self, path):
        self.path = Path(path)
        raw = gzip.decompress(self.path.read_bytes())
        self.header = bytearray(raw[:352])
        self.voxels = bytearray(raw[352:])

    @property
    def code(self):
        return {2: "B", 4: "h", 8: "i", 16: "f", 64: "d", 512: "H"}[struct.unpack_from("<h", self.header, 70)[0]]

    def values(self):
        return array.array(self.code, bytes(self.voxels))

    def set_values(self, values):
        self.voxels = bytearray(array.array(self.code, values).tobytes())

    def save(self):
        self.path.write_bytes(gzip.compress(bytes(self.header) + bytes(self.voxels)))
