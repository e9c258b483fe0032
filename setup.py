"""Build the extension modules of ``pptpcap``; everything else about the project is in ``pyproject.toml``.

PPTPCAP_STRICT=1 makes C warnings, Cython warnings and Cython performance hints fail the build.
PPTPCAP_DEBUG=1 builds with the address and undefined-behaviour sanitizers, assertions and .pyx line numbers.
PPTPCAP_FUZZ=1 builds with clang for a coverage-guided fuzzer, which brings the runtime of the address sanitizer.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

STRICT = os.environ.get("PPTPCAP_STRICT") == "1"
DEBUG = os.environ.get("PPTPCAP_DEBUG") == "1"
FUZZ = os.environ.get("PPTPCAP_FUZZ") == "1"

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": True,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "freethreading_compatible": True,
    "legacy_implicit_noexcept": False,
    "show_performance_hints": True,
}
WARNINGS = [
    "-Wall",
    "-Wextra",
    # Cython's own code: module functions that ignore self, tables filled in part, casts between kinds of C functions.
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
    "-Wno-cast-function-type",
]
# What an overflow would need most is taken away; the sanitizers have checks of their own, which these would hide.  Some
# compilers define _FORTIFY_SOURCE by themselves, and warn of a second definition.
HARDENED = ["-O3", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3"]
HARDENED_LINK = ["-Wl,-z,relro", "-Wl,-z,now"] if sys.platform == "linux" else []
# Bounds of typed memoryviews are checked on purpose: it costs next to nothing.
ALLOWED_HINT = "Use boundscheck(False) for faster access"
CHECKED = ["-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG", "-U_FORTIFY_SOURCE", "-fno-wrapv"]
# Debugging information names the folder of the build.  Without it, builds in two folders are bit-identical.
UNPLACED = [f"-ffile-prefix-map={Path.cwd()}=."]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def extensions() -> list[Extension]:
    """One extension per ``.pyx``."""
    compile_args, link_args = [], []
    if os.name == "posix":
        compile_args = [*WARNINGS, *(["-Werror"] if STRICT else [])]
        if FUZZ:
            compile_args += [*CHECKED, "-fsanitize=address,fuzzer-no-link"]
        elif DEBUG:
            compile_args += [*CHECKED, *SANITIZERS]
            link_args = SANITIZERS[:1]
        else:
            compile_args += HARDENED
            link_args = HARDENED_LINK
    return [
        Extension(
            ".".join(path.relative_to("src").with_suffix("").parts),
            [path.as_posix()],
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
        for path in sorted(Path("src/pptpcap").rglob("*.pyx"))
    ]


class BuildCore(build_ext):  # type: ignore[misc]
    """Translate with the project's directives, then compile."""

    parallel: int | bool | None

    def finalize_options(self) -> None:
        """Compile on all cores unless told otherwise."""
        super().finalize_options()
        if self.parallel is None:
            self.parallel = True

    def build_extensions(self) -> None:
        """Translate every module, then compile them all."""
        from Cython.Build import cythonize
        from Cython.Compiler import Options

        build_dir = Path("build/cython" + ("-strict" if STRICT else "") + ("-debug" if DEBUG or FUZZ else ""))
        # What was translated does not remember its directives; a hint is given only when a file is translated.
        changed = Path(__file__).stat().st_mtime
        afresh = STRICT or any(path.stat().st_mtime < changed for path in build_dir.rglob("*.c"))
        Options.warning_errors = STRICT
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said):
                translated = cythonize(  # type: ignore[no-untyped-call]
                    self.extensions,
                    compiler_directives=DIRECTIVES,
                    build_dir=str(build_dir),
                    include_path=["src"],
                    emit_linenums=DEBUG or FUZZ,
                    quiet=self.verbose < 1,
                    force=afresh or self.force,
                )
        finally:
            sys.stderr.write(said.getvalue())
        hints = [line for line in said.getvalue().splitlines() if line.startswith("performance hint:")]
        if STRICT and not all(line.endswith(ALLOWED_HINT) for line in hints):
            raise SystemExit("setup.py: Cython gave performance hints, and PPTPCAP_STRICT is set")
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            extension.sources = sources[extension.name]
            if os.name == "posix":
                # Added behind the translation, which writes the arguments into the C file.
                extension.extra_compile_args = [*extension.extra_compile_args, *UNPLACED]
        # Compilers take the folder's name from here, which may be that of a link to it.
        os.environ["PWD"] = str(Path.cwd())
        super().build_extensions()


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildCore})
