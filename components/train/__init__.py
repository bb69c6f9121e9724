"""The step that trains BigBiGAN."""

import os

# Before torch loads OpenMP: its threads wait for each other by spinning, for milliseconds by default. Where another
# program wants one of the cores, they then burn the time that the thread they wait for needs to run.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
