"""Where this is imported, the system seems to have no files without a name.  One of the modules of ``Forks``."""

import os

if hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
