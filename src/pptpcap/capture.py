"""What a reading returns: tables by name, and a summary.

Knows arrays and the schema.  Must not know engines or files.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import schema
from ._show import words
from ._show.null import octets_known
from .engine import COUNTERS, Rows

if TYPE_CHECKING:
    from .diagnosis import Diagnosis
    from .tables import Beside, Table
    from .timeline import Event

__all__ = ["Capture", "CaptureFile", "Summary"]


@dataclass(frozen=True)
class CaptureFile:
    """One file of a capture.

    Attributes
    ----------
    path : str
        As the caller named it; behind the name of an archive, "/" and that of the file in it.
    format : str
        "pcap", "pcapng", "snoop" or "netmon"; "empty" for a file of 0 octets; "" for a file of an archive that is no
        capture.
    byte_order : str
        Of the headers, "little" or "big".
    resolution : str
        Unit that holds all its times, "us" or "ns".
    interfaces : int
        Interfaces that it names; 1 in pcap.
    link_types : tuple of int
        Numbers of their link types, each once.
    link_type : int
        Number of the link type, -1 where there is not one but several or none.
    link : str
        Names of the link types, "link type N" for one that is not read, "none" where there is no interface.
    snap_length : int
        What the header says, the greatest of the interfaces, 0 where one of them has no limit; it limits nothing.
    size : int
        Octets, decompressed ones where the file is compressed, those of the pcap file where it is rewritten to one; of
        a stream, those that were read so far.
    packets : int
        Packets that were walked so far.
    damaged : bool
        It ends in a record that is corrupt or cut, or in compressed data that are.
    compression : str
        What it is compressed with, "zip" for a file of an archive, "" where it is not.
    parts : int
        Captures that are joined in it, as by ``cat``, so far; 1 in most files.

    Notes
    -----
    What a pcapng file says of byte order, times and interfaces is what the last section says that was walked so far.
    What a file of several parts says is what the last part says.

    Examples
    --------
    >>> import pptpcap
    >>> file = pptpcap.read("vpn.pcap").summary.files[0]
    >>> file.format, file.link, file.resolution, file.packets
    ('pcap', 'ETHERNET', 'us', 109)
    """

    path: str
    format: str
    byte_order: str
    resolution: str
    interfaces: int
    link_types: tuple[int, ...]
    link_type: int
    link: str
    snap_length: int
    size: int
    packets: int
    damaged: bool
    compression: str = ""
    parts: int = 1


class _Counters:
    """The counters of a summary, for type checkers; outside of `Summary`, whose annotations are its fields."""

    packets: int
    captured_octets: int
    original_octets: int
    unsupported_link: int
    frames_cut: int
    not_ip: int
    ip_malformed: int
    ip_other: int
    fragments: int
    control_segments: int
    checksums_offloaded: int
    gre_packets: int
    gre_other: int
    copies: int
    datagrams_reassembled: int
    fragments_copied: int
    connections_unlisted: int
    gre_unlisted: int
    calls_unlisted: int


@dataclass(frozen=True)
class Summary(_Counters):
    """Counters of a capture, from its start to the end of the batch.

    Every counter is an attribute too: ``summary.gre_packets``.

    Attributes
    ----------
    counters : dict of str to int
        Packets and octets, and how the walk of each packet ended.
    earliest, latest : numpy.datetime64
        Least and greatest time of a packet in ns, NaT where there is none.
    damaged : bool
        A file is damaged.
    files : tuple of CaptureFile
        The files in the order in which they were read.

    Examples
    --------
    >>> import pptpcap
    >>> summary = pptpcap.read("vpn.pcap").summary
    >>> summary.packets, summary.gre_packets, summary.damaged
    (109, 57, False)
    >>> str(summary.latest - summary.earliest)
    '18477783000 nanoseconds'
    """

    counters: dict[str, int]
    earliest: np.datetime64
    latest: np.datetime64
    damaged: bool
    files: tuple[CaptureFile, ...]

    # Type checkers know the counters from above, and that there is nothing else.
    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name in COUNTERS:
                return self.counters[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *COUNTERS]


class Capture(Mapping[str, Rows]):
    """A capture, or one batch of it: a mapping from table name to structured array.

    Every table is an attribute too: ``capture.messages``.  The arrays are the caller's own.

    Parameters
    ----------
    tables : dict of str to numpy.ndarray
        Structured arrays with the dtypes of ``pptpcap.schema``, or with some of their columns.
    summary : Summary
        Counters and files.
    first_row : dict of str to int
        Rows of each table in earlier batches.

    Attributes
    ----------
    summary : Summary
        Counters and files; of a batch, from the start of the capture to the batch's end.
    first_row : mapping of str to int
        Number of the batch's first row of each table in the whole capture; 0 where all was read at once.  Columns
        that point to rows (``messages.row``, ``messages.connection``, ``gre.tunnel`` and the like) count in the whole
        capture: ``batch.messages["row"] - batch.first_row["echo_request"]`` is an index in the batch.

    Raises
    ------
    KeyError, AttributeError
        Where a table was not read, or there is none of that name.

    Notes
    -----
    A table is a one-dimensional structured array of dtype ``pptpcap.schema.dtype(name)``.  The fifteen tables of
    messages have the fields of RFC 2637 sections 2.1 to 2.15, ``gre`` those of section 4.1.

    Examples
    --------
    >>> import pptpcap
    >>> capture = pptpcap.read("vpn.pcap", tables=["echo_request", "gre"])
    >>> list(capture)
    ['echo_request', 'gre']
    >>> capture.echo_request["identifier"].tolist()
    [1, 2, 3, 4, 5, 6]
    >>> capture["gre"] is capture.gre
    True
    """

    messages: Rows
    start_control_connection_request: Rows
    start_control_connection_reply: Rows
    stop_control_connection_request: Rows
    stop_control_connection_reply: Rows
    echo_request: Rows
    echo_reply: Rows
    outgoing_call_request: Rows
    outgoing_call_reply: Rows
    incoming_call_request: Rows
    incoming_call_reply: Rows
    incoming_call_connected: Rows
    call_clear_request: Rows
    call_disconnect_notify: Rows
    wan_error_notify: Rows
    set_link_info: Rows
    gre: Rows
    ppp: Rows
    ppp_options: Rows
    connections: Rows
    tunnels: Rows
    calls: Rows
    issues: Rows

    def __init__(self, tables: dict[str, Rows], summary: Summary, first_row: dict[str, int] | None = None) -> None:
        self._tables = tables
        self.summary = summary
        # What an assembler gives beside tables, for `decapsulate` and `extract`; never exported.
        self.beside: dict[str, np.ndarray[tuple[int], np.dtype[Any]]] = {}
        # Rows of `connections` that the messages of the batch refer to, by number, for the command `messages`.
        self.ends: dict[int, np.void] = {}
        self.first_row: Mapping[str, int] = MappingProxyType(first_row or dict.fromkeys(tables, 0))

    def __getitem__(self, name: str) -> Rows:
        try:
            return self._tables[name]
        except KeyError:
            raise KeyError(f"{name!r} is not among the tables: {', '.join(self._tables)}") from None

    # Type checkers know the tables from above, and that there is nothing else.
    if not TYPE_CHECKING:

        def __getattr__(self, name):
            # Not hasattr: copying and unpickling look up attributes before there are tables.
            if name in schema.TABLE_NAMES and name in self.__dict__.get("_tables", ()):
                return self[name]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def table(self, name: str, *, codes: bool = False, community_seed: int = 0) -> Table:
        """A table for other libraries: Arrow streams, data frames, contiguous arrays.

        Parameters
        ----------
        name : str
            Name of a table that was read with all its columns.
        codes : bool
            Numbers of enumerations stay numbers; without, they are their names.
        community_seed : int
            Seed of the column ``community_id`` of connections and tunnels, from 0 to 65,535: that of the other tool.

        Returns
        -------
        Table
            The table; it refers to the capture's array and copies nothing.

        Raises
        ------
        KeyError
            Where the table was not read; of the 15 tables of messages, where ``messages`` was not.
        ValueError
            Where some of its columns were not read.

        Examples
        --------
        >>> import pptpcap
        >>> pptpcap.read("vpn.pcap").table("gre")
        <pptpcap.Table gre: 57 rows, 15 columns>
        """
        return self._table(name, codes, community_seed, [])

    def joined(self, name: str, *others: str, codes: bool = False, community_seed: int = 0) -> Table:
        """A table whose rows stand beside those of other tables to which they point.

        The columns of another table have the name of the column in front that points to it: ``call_reason``,
        ``connection_initiator_address``, of calls ``pns_tunnel_packets`` and ``pac_tunnel_packets``.  A row that
        points to none has null there.

        Parameters
        ----------
        name : str
            Name of the table that gives the rows.
        *others : str
            Names of the others.  One that `name` does not point to is reached through those between: of ``gre``,
            ``calls`` through ``tunnels``.
        codes : bool
            Numbers of enumerations stay numbers.
        community_seed : int
            As for `table`.

        Returns
        -------
        Table
            As many rows as the table `name`, in its order.

        Raises
        ------
        KeyError
            Where a table that it needs was not read.
        ValueError
            Where no column leads to a table, some columns were not read, or this is a batch and not the whole capture.

        Examples
        --------
        >>> import pptpcap
        >>> capture = pptpcap.read("vpn.pcap")
        >>> capture.joined("messages", "connections", "calls")
        <pptpcap.Table messages with connection with call: 17 rows, 186 columns>
        """
        from .joins import besides

        if any(self.first_row.values()):
            raise ValueError("a batch has a part of the rows to which others point")
        return self._table(name, codes, community_seed, besides(self, name, others, codes, community_seed))

    def _table(self, name: str, codes: bool, community_seed: int, besides: list[Beside]) -> Table:
        from .tables import Table

        for one in (name, *(beside.table.name for beside in besides)):
            if self[one].dtype != schema.dtype(one):
                raise ValueError(f"some columns of {one} were not read: what was not seen cannot be told without them")
        known = octets_known(name, self, self.first_row)
        keys = np.arange(self.first_row[name], self.first_row[name] + len(self[name]), dtype=np.int64)
        return Table(
            name,
            self[name],
            known,
            keys=keys,
            codes=codes,
            community_seed=community_seed,
            besides=besides,
            join=self.joined,
        )

    def timeline(self, call: int) -> list[Event]:
        """What happened in one call, a line each, from its first packet to why it ended.

        Parameters
        ----------
        call : int
            Row of the table ``calls``.

        Returns
        -------
        list of Event
            As ``pptpcap.timeline.timeline`` returns them.

        Raises
        ------
        KeyError
            Where a table that it needs was not read.
        ValueError
            Where there is no such call, a column was not read, or this is a batch and not the whole capture.

        Examples
        --------
        >>> import pptpcap
        >>> pptpcap.read("vpn.pcap").timeline(0)[-1].text
        'ended: terminated, PNS first; reached: network; LCP Terminate-Request of the PNS in packet 94'
        """
        from .timeline import timeline

        if any(self.first_row.values()):
            raise ValueError("a batch has a part of the call; pptpcap.timeline.Timelines takes batches")
        return timeline(self, call)

    def diagnose(self) -> list[Diagnosis]:
        """What is wrong with the calls and control connections, in sentences with the packets that prove them.

        Returns
        -------
        list of Diagnosis
            As ``pptpcap.diagnosis.diagnose`` returns them; empty if nothing is wrong.

        Raises
        ------
        KeyError
            Where a table that it needs was not read.
        ValueError
            Where a column was not read, or this is a batch and not the whole capture.

        Examples
        --------
        >>> import pptpcap
        >>> pptpcap.read("vpn.pcap").diagnose()
        []
        """
        from .diagnosis import diagnose

        if any(self.first_row.values()):
            raise ValueError("a batch has a part of the calls; pptpcap.diagnosis.Diagnoses takes batches")
        return diagnose(self)

    def report(self) -> str:
        """One page of what the capture holds: calls and their stories, plots, security, messages, issues.

        Returns
        -------
        str
            HTML in one piece, of fewer than 500,000 octets, that loads nothing.  Of more than 40 calls it tells of
            those that came least far or lost most, and of others as if drawn by lot.

        Raises
        ------
        KeyError
            Where a table was not read.
        ValueError
            Where a column was not read, or this is a batch and not the whole capture.
        ImportError
            Where Jinja2 is not installed.

        Examples
        --------
        >>> import pptpcap
        >>> page = pptpcap.read("vpn.pcap").report()
        >>> page[:15], len(page) < 500_000
        ('<!DOCTYPE html>', True)
        """
        from ._page import page

        if any(self.first_row.values()):
            raise ValueError("a batch has a part of the capture; pptpcap report reads files batch by batch")
        return page(lambda **_: iter([self]))

    # Comparing arrays gives no single truth value, so a mapping of them does not compare.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._tables]

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "first_row": dict(self.first_row)}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.first_row = MappingProxyType(dict(self.first_row))

    def __repr__(self) -> str:
        title, rows = self._overview()
        width = max((len(name) for name, _ in rows), default=0)
        return "\n".join([f"<pptpcap.Capture: {title}>", *(f"  {name:<{width}}  {count:>12,}" for name, count in rows)])

    def _repr_html_(self) -> str:
        title, rows = self._overview()
        body = "".join(f"<tr><td>{html.escape(name)}</td><td>{count:,}</td></tr>" for name, count in rows)
        return (
            f"<div><p><b>pptpcap.Capture</b>: {html.escape(title)}</p>"
            f"<table><thead><tr><th>table</th><th>rows</th></tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _overview(self) -> tuple[str, list[tuple[str, int]]]:
        summary = self.summary
        names = [words.escape(file.path) for file in summary.files]
        parts = [names[0] if len(names) == 1 else f"{len(names)} files", f"{summary.packets:,} packets"]
        if not np.isnat(summary.earliest):
            parts.append(f"{words.instant(summary.earliest)} to {words.instant(summary.latest)} UTC")
        if summary.damaged:
            parts.append("damaged")
        return ", ".join(parts), [(name, len(rows)) for name, rows in self._tables.items() if len(rows)]
