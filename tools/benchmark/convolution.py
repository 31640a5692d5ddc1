#!/usr/bin/env python3
"""Our convolutions against LibTorch's channels-last ones, layer by layer, one thread, milliseconds a patch.

usage: tools/benchmark.sh convolution [STEPS]
The program does it all; each figure is the fastest of STEPS calls (default 5).
"""

import subprocess
import sys

sys.exit(subprocess.run(sys.argv[1:]).returncode)
