"""A folder: writes new files into a locked subfolder, the part, and renames them into place.

Must not know formats.  Anything it finds may have been planted: it moves and removes only regular files with a known
name and, outside the part, with a recorded size.  A file may be in a folder of this folder: its name then has a slash.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import BinaryIO, NamedTuple

from .system import Inode, inode, naming, remove_empty, sync_files, sync_folder

__all__ = ["OLD", "PART", "UNFINISHED", "Folder"]

PART = ".pptpcap.part"
# Prefix of an old file that was moved aside, into the part.
OLD = "old."
# The state that the folder has while its files are being replaced.
UNFINISHED = "unfinished.json"
_LOCK = "lock"
# In the part, which has no folders, in place of the slash of a name.
_SLASH = "~"
_BUFFER = 64 << 10
# Another process may remove the part just before this one locks it, but not so often.
_ATTEMPTS = 100


class Standing(NamedTuple):
    """What identifies a file of the folder."""

    inode: Inode
    size: int
    modified_ns: int


class Folder:
    """A context that locks a folder and its part, and removes the part at its end.

    Parameters
    ----------
    path : str
        The folder; it is made where it is not there.
    names : collection of str
        Of the files that may be written, without those in folders of the folder.
    is_ours : callable
        Whether a file of a name in a folder of the folder may be written.
    inputs : mapping of (int, int) to str
        Device and inode of each file that must be neither replaced nor removed, and its name.
    mode : int
        Permissions of new files, before the umask.

    Attributes
    ----------
    keeps_part : bool
        The part stays at the end, with the files that were moved aside.
    descriptor : int
        Of the folder.
    was_left : bool
        A process that was killed left files in the part.

    Raises
    ------
    BlockingIOError
        On entering, where another process is writing there.
    FileExistsError
        On entering, where the part holds something that no killed run leaves, or an input.
    OSError
        On entering, where the system refuses, the folder or the part is something else, or the part is another user's.
    """

    def __init__(
        self,
        path: str,
        names: Collection[str],
        is_ours: Callable[[str], bool],
        inputs: Mapping[Inode, str],
        mode: int = 0o666,
    ) -> None:
        self.path = path
        self.keeps_part = self.was_left = False
        self._names = sorted(names)
        self._is_ours = is_ours
        self._inputs = inputs
        self._mode = mode
        self._made: list[str] = []
        self._unsynced: list[str] = []
        # Names in the part: leftovers of a killed run, and what this run makes.
        self._inside: set[str] = set()
        self._held: BinaryIO | None = None
        self.descriptor = self._part = -1
        self._open = contextlib.ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self._sizes: dict[str, int] = {}
        # Descriptors of the folders in the folder, and names of those that are removed at the end if they are empty.
        self._below: dict[str, int] = {}
        self._ours_below: set[str] = set()

    def __enter__(self) -> Folder:
        try:
            self._lock()
        except BaseException as error:
            if not isinstance(error, Exception):
                # Ctrl-C may have come just after the lock file was made: find it again, to remove it.
                with contextlib.suppress(OSError):
                    self._lock()
            with contextlib.suppress(OSError):
                self._leave()
            raise
        return self

    def _lock(self) -> None:
        """Make the part and lock it.  The lock ends with the process."""
        for _ in range(_ATTEMPTS):
            self._let_go()
            # The process that holds the lock may finish at any moment and remove the part.
            with contextlib.suppress(FileNotFoundError):
                self._make()
                self.descriptor = self._directory(self.path, self.path)
                self._part = self._opened_part()
                # Before the lock file is made: a refused part stays untouched.
                self._inspect()
                self._held = self._opened_lock()
                if self._is_locked():
                    self._inside = self._inspect()
                    self.was_left = self._inside > {_LOCK}
                    return
        raise FileNotFoundError(errno.ENOENT, "no folder can be made there", self.path)

    def _make(self) -> None:
        """Make the folder, with those above it."""
        missing = []
        above = os.path.abspath(self.path)
        while not os.path.lexists(above):
            missing.append(above)
            above = os.path.dirname(above)
        for one in reversed(missing):
            self._made.append(one)
            self._unsynced.append(one)
            with contextlib.suppress(FileExistsError):
                os.mkdir(one)

    def _opened_part(self) -> int:
        where = self.where(PART)
        with naming(where):
            try:
                os.mkdir(PART, 0o700, dir_fd=self.descriptor)
                made = True
            except FileExistsError:
                made = False
        part = self._directory(PART, where, os.O_NOFOLLOW, self.descriptor)
        # Some file systems give all files one owner, so do not check a part that was just made.
        if not made and os.fstat(part).st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, "belongs to another user", where)
        return part

    def _directory(self, path: str, where: str, flags: int = 0, above: int | None = None) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | flags, dir_fd=above)
        except OSError as error:
            error.filename = where
            if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.EMLINK):
                raise NotADirectoryError(errno.ENOTDIR, "is no folder", where) from None
            raise
        self._open.callback(os.close, descriptor)
        return descriptor

    def _opened_lock(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        with naming(self.where(PART, _LOCK)):
            # A file object, since collecting it closes the descriptor, which ends the lock.
            descriptor = os.open(_LOCK, flags, 0o600, dir_fd=self._part)
            file = self._open.enter_context(os.fdopen(descriptor, "wb", 0))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError:
                pass
        raise BlockingIOError(errno.EAGAIN, "another process is writing there", self.path)

    def _is_locked(self) -> bool:
        """Whether the locked file is still the lock file: its previous holder may have removed it."""
        try:
            return self._held is not None and os.path.samestat(os.fstat(self._held.fileno()), self._status(_LOCK))
        except FileNotFoundError:
            return False

    def _inspect(self) -> set[str]:
        """Names in the part; FileExistsError where one of them is nothing that a killed run leaves."""
        with naming(self.where(PART)):
            inside = os.listdir(self._part)
        for name in inside:
            status = self._status(name) if self._is_left(name) else None
            where = self.where(PART, name)
            if status is None or not stat.S_ISREG(status.st_mode):
                raise FileExistsError(errno.EEXIST, "is in the way, and no run of convert left it there", where)
            self._require_no_input(status, where)
        return set(inside)

    def _is_left(self, name: str) -> bool:
        """Whether a killed run may have left a file of this name in the part."""
        if name in (UNFINISHED, _LOCK):
            return True
        name = name.removeprefix(OLD).replace(_SLASH, "/")
        return self._is_ours(name) if "/" in name else name in self._names

    def standing(self, sizes: Mapping[str, Collection[int]], new: Iterable[str] = ()) -> dict[str, Standing]:
        """Files of the folder that may be replaced or removed.

        Parameters
        ----------
        sizes : mapping of str to collection of int
            Sizes that the files may have that an earlier run wrote.
        new : iterable of str
            Files in folders of the folder that may be written too.

        Raises
        ------
        FileExistsError
            Where something else has a name that may be written, or such a file is an input.
        """
        found = {}
        self._ours_below.update(name.partition("/")[0] for name in sizes if "/" in name)
        for name in sorted({*self._names, *sizes, *new}):
            where = self.where(name)
            try:
                above, last = self._place(name)
                with naming(where):
                    status = os.stat(last, dir_fd=above, follow_symlinks=False)
            except FileNotFoundError:
                continue
            self._require_no_input(status, where)
            if not stat.S_ISREG(status.st_mode) or status.st_size not in sizes.get(name, ()):
                raise FileExistsError(errno.EEXIST, "is there already, and is not as a run of convert wrote it", where)
            found[name] = Standing(inode(status), status.st_size, status.st_mtime_ns)
        return found

    def inside(self, above: str) -> list[str]:
        """Names of what is in a folder of the folder and has a name that may be written."""
        try:
            descriptor, _ = self._place(f"{above}/")
        except FileNotFoundError:
            return []
        with naming(self.where(above)):
            names = [f"{above}/{last}" for last in os.listdir(descriptor)]
        return [name for name in names if self._is_ours(name)]

    def require_unchanged(self, before: Mapping[str, Standing], new: Iterable[str]) -> None:
        """Raise FileExistsError where the folder is no longer as `standing` saw it, or has one of the new files."""
        now = self.standing({name: [file.size] for name, file in before.items()}, new)
        for name in sorted({*before, *now}):
            if before.get(name) != now.get(name):
                raise FileExistsError(errno.EEXIST, "was changed by somebody else meanwhile", self.where(name))

    def _require_no_input(self, status: os.stat_result, where: str) -> None:
        if (name := self._inputs.get(inode(status))) is not None:
            raise FileExistsError(errno.EEXIST, f"would be replaced or removed, and is to be read as {name}", where)

    def _place(self, name: str, *, make: bool = False) -> tuple[int, str]:
        """Descriptor of the folder that a file is in, and the name that it has there."""
        above, slash, last = name.rpartition("/")
        if not slash:
            return self.descriptor, name
        if above not in self._below:
            if make:
                self._ours_below.add(above)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(above, dir_fd=self.descriptor)
            self._below[above] = self._directory(above, self.where(above), os.O_NOFOLLOW, self.descriptor)
        return self._below[above], last

    def open(self, name: str) -> BinaryIO:
        """Create a file in the part; `finish` or `close` closes it, or the end of the context."""
        inside = name.replace("/", _SLASH)
        self._inside.add(inside)
        with naming(self.where(name)):
            file = self._files[name] = open(inside, "xb", _BUFFER, opener=self._opener)  # noqa: SIM115 - close() does it
        return file

    def renew(self, name: str) -> tuple[BinaryIO, BinaryIO]:
        """The file that was created, to be read, and a new one in its place; the former is gone when it is closed."""
        with naming(self.where(name)):
            self._files.pop(name).close()
            old = open(name.replace("/", _SLASH), "rb", opener=self._opener)  # noqa: SIM115 - the caller does it
        self._unlink(name.replace("/", _SLASH))
        return old, self.open(name)

    def _opener(self, name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NOFOLLOW, self._mode, dir_fd=self._part)

    def write(self, name: str, octets: bytes) -> None:
        """Create a file in the part with these octets."""
        file = self.open(name)
        with naming(self.where(name)):
            file.write(octets)

    def sizes(self) -> dict[str, int]:
        """Flush the open files; the size of each file that was created."""
        for name, file in self._files.items():
            with naming(self.where(name)):
                file.flush()
                self._sizes[name] = os.fstat(file.fileno()).st_size
        return self._sizes

    def finish(self, *names: str) -> None:
        """Sync files that are open, and close them."""
        self.sizes()
        sync_files({self.where(name): self._files[name].fileno() for name in names})
        for name in names:
            with naming(self.where(name)):
                self._files.pop(name).close()

    def close(self) -> None:
        """Sync all open files, and close them."""
        self.finish(*self._files)

    def holds(self, name: str) -> bool:
        """Whether the part has such a file; True if that is unknown."""
        try:
            return bool(self._status(name))
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def save(self, name: str, octets: bytes) -> None:
        """Hard-link a file of the folder into the part as an old one; copy it where the system refuses the link."""
        self._inside.add(OLD + name)
        try:
            os.link(name, OLD + name, src_dir_fd=self.descriptor, dst_dir_fd=self._part, follow_symlinks=False)
        except OSError:
            self.write(OLD + name, octets)
            self.close()

    def put(self, name: str, into: str | None = None) -> None:
        """Rename a file from the part into the folder."""
        inside = name.replace("/", _SLASH)
        above, last = self._place(into or name, make=True)
        with naming(self.where(into or name)):
            os.replace(inside, last, src_dir_fd=self._part, dst_dir_fd=above)

    def take(self, name: str, into: str | None = None) -> None:
        """Rename a file from the folder into the part."""
        inside = (into or name).replace("/", _SLASH)
        self._inside.add(inside)
        above, last = self._place(name)
        with naming(self.where(name)):
            os.replace(last, inside, src_dir_fd=above, dst_dir_fd=self._part)

    def remove(self, name: str) -> None:
        """Remove a file of the folder."""
        with naming(self.where(name)):
            os.unlink(name, dir_fd=self.descriptor)

    def sync(self) -> None:
        """Sync the folder with those in it, and once the parents of the folders that were made."""
        for name, descriptor in self._below.items():
            sync_folder(descriptor, self.where(name))
        sync_folder(self.descriptor, self.path)
        while self._unsynced:
            # A folder that may not be read cannot be opened for this.
            with contextlib.suppress(PermissionError):
                above = os.open(os.path.dirname(self._unsynced[-1]), os.O_RDONLY | os.O_DIRECTORY)
                try:
                    sync_folder(above, self.path)
                finally:
                    os.close(above)
            self._unsynced.pop()

    def clear(self) -> None:
        """Remove all files from the part but the lock."""
        for name in sorted(self._inside - {_LOCK}):
            self._unlink(name)
            self._inside.discard(name)

    def _unlink(self, name: str) -> None:
        with naming(self.where(PART, name)), contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._made.clear()
        try:
            self._leave()
        except BaseException as late:
            if error is None:
                late.add_note("the tables are all in place")
            # The first error is the one to report.
            if error is None or not isinstance(late, OSError):
                raise

    def _leave(self) -> None:
        try:
            self._clean()
        except BaseException:
            # Try again after a Ctrl-C; a second one leaves the rest to the next run.
            with contextlib.suppress(OSError):
                self._clean()
            raise
        finally:
            self._let_go()

    def _clean(self) -> None:
        """Remove the part, and new folders that are empty.  Idempotent."""
        while self._files:
            # These files are thrown away, so a failed flush does not matter.
            with contextlib.suppress(OSError):
                self._files.popitem()[1].close()
        if self._is_locked() and not self.keeps_part:
            self.clear()
            # Remove the lock last: another process may begin after that.
            self._unlink(_LOCK)
        if self._part >= 0:
            with naming(self.where(PART)):
                remove_empty(PART, self.descriptor)
        for name in self._ours_below:
            remove_empty(name, self.descriptor)
        while self._made:
            remove_empty(self._made[-1])
            self._made.pop()

    def _let_go(self) -> None:
        self._held = None
        self.descriptor = self._part = -1
        self._below.clear()
        # Nothing was written through these descriptors.
        with contextlib.suppress(OSError):
            self._open.close()

    def where(self, *names: str) -> str:
        """A path in the folder, for people."""
        return os.path.join(self.path, *names)

    def _status(self, name: str) -> os.stat_result:
        with naming(self.where(PART, name)):
            return os.stat(name, dir_fd=self._part, follow_symlinks=False)
