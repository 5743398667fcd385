"""What the machine's own tools can do, for tests that need more than git and Python. It does not install any."""

import functools
import os
import shutil
import subprocess
import sys


@functools.cache
def works(*words: str) -> bool:
    """Whether a command of the machine, not of this program's own environment, runs and exits 0."""
    own = os.path.dirname(sys.executable)  # noqa: PTH120 - links are not to be followed
    path = os.pathsep.join(entry for entry in os.environ.get("PATH", "").split(os.pathsep) if entry != own)
    program = shutil.which(words[0], path=path)
    if program is None:
        return False
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(
        (program, *words[1:]), env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0
