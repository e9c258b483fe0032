"""Make an environment with all that this one has but for one distribution: ``python tools/without.py pyarrow FOLDER``.

Knows how installed distributions list their files.  Installs nothing: the new environment links to what is installed.
"""

from __future__ import annotations

import sys
import sysconfig
import venv
from importlib.metadata import files
from pathlib import Path


def without(name: str, folder: Path) -> int:
    """Make the environment anew; return how many entries of ``site-packages`` were left out."""
    venv.create(folder, clear=True, symlinks=True)
    # Names in site-packages; what stands elsewhere begins with "..".
    left_out = {file.parts[0] for file in files(name) or ()} - {"..", "__pycache__"}
    there = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name not in left_out:
            (there / entry.name).symlink_to(entry)
    return len(left_out)


if __name__ == "__main__":
    if not without(sys.argv[1], Path(sys.argv[2]).absolute()):
        sys.exit(f"{sys.argv[1]} has no files here")
