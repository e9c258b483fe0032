"""``python -m pptpcap``: the same as the command ``pptpcap``."""

from .cli import main

main()
