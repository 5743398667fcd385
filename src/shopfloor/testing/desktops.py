"""What tests of programs with windows need of the machine. It does not know what they try."""

import functools
import subprocess
import sys

from shopfloor.sandbox.probe import probe


@functools.cache
def why_no_desktop() -> str:
    """Why such tests have to be skipped here, or ""."""
    if why := probe().why_no_desktop or probe().why_no_arena:
        return why
    python = f"{sys.base_prefix}/bin/python3"
    tried = subprocess.run([python, "-c", "import tkinter"], capture_output=True, check=False)
    return f"{python} has no tkinter: apt-get install python3-tk" if tried.returncode else ""
