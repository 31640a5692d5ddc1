#!/usr/bin/env python3
"""Where the time of our training step goes, operation by operation, one thread, milliseconds a patch.

usage: tools/benchmark.sh operations [CHANNELS LEVELS UNITS X Y Z BATCH STEPS PRECISION]
       by default the 5-level proxy on 96^3 patches: 4 5 1 96 96 96 4 8 auto
"""

import subprocess
import sys

program, *given = sys.argv[1:]
sys.exit(subprocess.run([program, *(given or "4 5 1 96 96 96 4 8 auto".split())]).returncode)
