"""Tables as files: what ``read`` gives, the same octets whatever the road, no secret, a folder for each capture."""

from __future__ import annotations

import gzip
import io
import ipaddress
import json
import re
import shutil
from datetime import UTC, datetime
from enum import IntFlag
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from builder import Conversation, gre, gre_frame, pcap
from call_builder import octets
from cells import FLOWS, KEYS, community_ids, from_csv
from commands import ALL15, MSS88, call, shell
from helpers import BUNDLED
from places import CAPTURES
from test_convert_folder import NO_REPLY, REFUSED, listed, names, state
from test_convert_values import odd, opened
from unseen import known_of, unseen
from vectors import CONTROL_HEX

import pptpcap
from pptpcap import schema
from pptpcap.export import convert
from pptpcap.wire.model import Column
from pptpcap.wire.tables import BY_NAME

pytestmark = pytest.mark.slow

FORMATS = ("parquet", "arrow", "csv", "jsonl", "npy")
PAP_FAILED, PAP_PLAIN = CAPTURES / "auth_fail_pap.pcap", CAPTURES / "pap_plain_snaplen96.pcap"
SCCRQ = "start_control_connection_request"
LCP = bytes.fromhex("ff03c02109010008a1b2c3d4")


SOURCES = [*BUNDLED, odd()]
NAMES = [path.stem for path in BUNDLED] + ["odd"]


# ---- what should be there, made of the arrays by the words of docs/exports.md


def columns_of(table: str) -> list[str]:
    derived = ["community_id"] if table in FLOWS else []
    return [KEYS.get(table, "row"), *(column.name for column in BY_NAME[table].columns), *derived]


def escaped(content: bytes, spreadsheet: bool) -> str:
    text = "".join("\\\\" if o == 92 else chr(o) if 32 <= o < 127 else f"\\x{o:02x}" for o in content.rstrip(b"\0"))
    return f"\\x{ord(text[0]):02x}{text[1:]}" if spreadsheet and text[:1] in tuple("=+-@") else text


def instant(ns: int) -> str:
    seconds, rest = divmod(ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def told(value, column: Column, format_name: str, codes: bool):
    """A value that was seen, as its format has it."""
    if isinstance(value, np.ndarray):
        address = ipaddress.IPv6Address(value.tobytes())
        return str(address.ipv4_mapped or address)
    if isinstance(value, bytes):
        return escaped(value, format_name == "csv")
    if isinstance(value, np.datetime64):
        return instant(int(value.astype("i8")))
    plain = value.item()
    is_bits = isinstance(column.names, type) and issubclass(column.names, IntFlag)
    if column.names is not None and not is_bits and not codes:
        return column.values.get(plain, str(plain))
    return plain if format_name != "csv" else str(plain).lower()


def expected(capture, table: str, format_name: str, codes: bool) -> list[list[Any]]:
    rows, columns = capture[table], BY_NAME[table].columns
    out: list[list[Any]] = []
    for index, row in enumerate(rows):
        known = known_of(capture, table, index)
        out.append([str(index) if format_name == "csv" else index])
        for column in columns:
            is_none = unseen(table, column.name, row, known)
            out[-1].append(None if is_none else told(row[column.name], column, format_name, codes))
        if table in FLOWS:
            out[-1] += community_ids(rows[index : index + 1], table)
    return out


# ---- what is there


def found(folder, table: str, format_name: str) -> tuple[list[str], list[list[Any]]]:
    """Names of columns, and rows."""
    path = folder / f"{table}.{format_name}"
    if format_name == "csv":
        names, *rows = from_csv(path.read_text("ascii"))
        return names, rows
    if format_name == "jsonl":
        documents = [json.loads(line) for line in path.read_text("ascii").splitlines()]
        assert len({tuple(document) for document in documents}) <= 1
        return list(documents[0]) if documents else columns_of(table), [list(d.values()) for d in documents]
    read = opened(path)
    columns = []
    for field, column in zip(read.schema, read.columns, strict=True):
        if pa.types.is_timestamp(field.type):
            column = [None if ns is None else instant(ns) for ns in column.cast(pa.int64()).to_pylist()]
        columns.append(column if isinstance(column, list) else column.to_pylist())
    return read.schema.names, [list(row) for row in zip(*columns, strict=True)]


def octets_of(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix not in (".json", ".sql")}


# ---- round trips


@pytest.mark.parametrize("codes", [False, True])
@pytest.mark.parametrize("format_name", FORMATS[:4])
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_what_is_written_is_what_is_read(tmp_path, source, format_name, codes):
    capture = pptpcap.read(source, identities=True)
    done = convert(source, tmp_path, format=format_name, identities=True, codes=codes)
    assert done.rows == {name: len(capture[name]) for name in schema.TABLE_NAMES}
    assert (done.folder, done.damaged, done.again) == (str(tmp_path), False, False)
    assert done.summary is not None and done.summary.counters == capture.summary.counters
    assert sorted(octets_of(tmp_path)) == sorted(f"{name}.{format_name}" for name in schema.TABLE_NAMES)
    for table in schema.TABLE_NAMES:
        names, rows = found(tmp_path, table, format_name)
        assert names == columns_of(table)
        wanted = expected(capture, table, format_name, codes)
        for got, want in zip(rows, wanted, strict=True):
            assert dict(zip(names, got, strict=True)) == dict(zip(names, want, strict=True)), table


@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_npy_is_the_array(tmp_path, source):
    capture = pptpcap.read(source)
    convert(source, tmp_path, format="npy")
    for table in schema.TABLE_NAMES:
        modes: list[Literal["r"] | None] = [None, "r"]
        for mode in modes[: 1 + (len(capture[table]) > 0)]:
            rows = np.load(tmp_path / f"{table}.npy", mmap_mode=mode, allow_pickle=False)
            assert rows.dtype == schema.dtype(table) and rows.shape == capture[table].shape
            assert rows.tobytes() == capture[table].tobytes()


# ---- which tables


@pytest.mark.parametrize("format_name", FORMATS)
def test_some_tables_of_no_rows(tmp_path, format_name):
    done = convert(CAPTURES / "connection_refused.pcap", tmp_path, format=format_name, tables=["issues", "gre", "gre"])
    assert done.rows == {"gre": 0, "issues": 0}
    assert sorted(octets_of(tmp_path)) == [f"gre.{format_name}", f"issues.{format_name}"]
    if format_name == "npy":
        assert np.load(tmp_path / "gre.npy").dtype == schema.dtype("gre")
    else:
        assert found(tmp_path, "gre", format_name) == (columns_of("gre"), [])


@pytest.mark.parametrize(
    "more", [{"format": "xlsx"}, {"format": ""}, {"tables": ["nope"]}, {"tables": ["gre", "../x"]}]
)
def test_what_there_is_not(tmp_path, more):
    folder = tmp_path / "out"
    with pytest.raises(ValueError, match=r"xlsx|nope|x|format"):
        convert(MSS88, folder, **more)
    assert not folder.exists()


@pytest.mark.parametrize("arguments", [[], ["-o", "{}"], ["-o", "{}", "--format", "xlsx", MSS88], [MSS88],
                                       ["-o", "{}", "--table", "nope", MSS88]])  # fmt: skip
def test_wrong_usage(tmp_path, arguments):
    code, out, err = call("convert", *[str(a).format(tmp_path / "out") for a in arguments])
    assert (code, out) == (2, "") and "Usage: pptpcap convert" in err
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_how_many_rows(tmp_path):
    code, out, err = call(
        "convert", "-o", tmp_path / "o", "--format", "csv", "--table", "gre", "--table", "issues", ALL15
    )
    assert (code, err) == (0, "")
    counts = dict(reversed(re.findall(r"\w+", line)[-2:]) for line in out.splitlines() if line.split()[0].isdigit())
    assert counts == {"gre": "22", "issues": "2"}
    code, out, _ = call("convert", "-o", tmp_path / "all", ALL15)
    assert [line.split()[-1] for line in out.splitlines()][-23:] == list(schema.TABLE_NAMES)


def test_quiet(tmp_path):
    """What is wrong is told all the same."""
    (tmp_path / "cut.pcap").write_bytes(MSS88.read_bytes()[:3000])
    for _ in range(2):
        assert call("convert", "--quiet", "-o", tmp_path / "a", "--format", "csv", MSS88) == (0, "", "")
        assert call("convert", "--quiet", "--each", "-o", tmp_path / "b", "--format", "csv", MSS88, ALL15) == (
            0,
            "",
            "",
        )
        code, out, err = call("convert", "--quiet", "-o", tmp_path / "c", "--format", "csv", tmp_path / "cut.pcap")
        assert (code, out, err.count("\n")) == (3, "", 1)


def test_standard_input(tmp_path):
    command = f"$P convert --format csv - -o {tmp_path}"
    run = shell(f"{command}/a < {MSS88} && cat {MSS88} | {command}/b")
    assert (run.returncode, run.stderr) == (0, "")
    convert(MSS88, tmp_path / "c", format="csv")
    assert octets_of(tmp_path / "a") == octets_of(tmp_path / "b") == octets_of(tmp_path / "c")


# ---- the law of the split


def roads(source: bytes, path) -> list[tuple[Any, dict[str, Any]]]:
    """The same capture by every road on which it can come."""
    path.write_bytes(source)
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(source, 1, mtime=0))
    plain = [(path, {"threads": threads, "io": io_name}) for threads in (1, 2, 3) for io_name in ("mmap", "read")]
    return [*plain, (packed, {"threads": 1}), (packed, {"threads": 3}), (source, {}), (io.BytesIO(source), {})]


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("source", SOURCES, ids=NAMES)
def test_every_road_gives_the_same_octets(tmp_path, source, format_name):
    data = source if isinstance(source, bytes) else source.read_bytes()
    (tmp_path / "in").mkdir()
    results = []
    ways = [*roads(data, tmp_path / "in" / "a"), (data, {"engine": "reference"})]
    for number, (way, more) in enumerate(ways if format_name == "parquet" else ways[::3]):
        convert(way, tmp_path / str(number), format=format_name, **more)
        results.append(octets_of(tmp_path / str(number)))
    assert len(results[0]) == len(schema.TABLE_NAMES)
    assert all(result == results[0] for result in results)


def repeated(frame: bytes, count: int) -> tuple[bytes, np.ndarray]:
    """The header of a capture, and records of one frame a row, 50 of them each second."""
    first = pcap([frame])
    rows = np.tile(np.frombuffer(first[24:], np.uint8), (count, 1))
    rows[:, 0:4] = (1_600_000_000 + np.arange(count) // 50).astype("<u4").view(np.uint8).reshape(-1, 4)
    return first[:24], rows


def long_gre(count: int) -> bytes:
    """Numbers that no dictionary holds; sequence numbers stand behind 16, 34 and 8 octets."""
    header, rows = repeated(gre_frame(gre(octets("c021 0901000a a1b2c3d4 0000"), 7, 0)), count)
    numbers = np.arange(count, dtype=">u4")
    numbers[1::3] *= 2654435761
    rows[:, 58:62] = numbers.view(np.uint8).reshape(-1, 4)
    return header + rows.tobytes()


def long_control(count: int) -> bytes:
    """A Start-Control-Connection-Request each packet, with names of 64 octets that no dictionary holds."""
    header, rows = repeated(Conversation().client(0, CONTROL_HEX[1]).frames()[0], count)
    rows[:, 54:58] = np.arange(1001, 1001 + 156 * count, 156).astype(">u4").view(np.uint8).reshape(-1, 4)
    names = b"".join(b"%064x" % (n * 2654435761) for n in range(count))
    rows[:, 98:162] = np.frombuffer(names, np.uint8).reshape(-1, 64)
    return header + rows.tobytes()


@pytest.mark.parametrize(
    ("format_name", "make", "count", "tables"),
    [(name, long_gre, 300_000, ["gre", "ppp", "tunnels"]) for name in ("parquet", "arrow", "npy")]
    + [(name, long_control, 60_000, ["messages", SCCRQ, "issues"]) for name in ("parquet", "arrow", "npy")]
    + [(name, long_control, 8_000, [SCCRQ]) for name in ("csv", "jsonl")],
)
def test_every_road_of_a_long_capture(tmp_path, monkeypatch, format_name, make, count, tables):
    """Several batches, also such as end elsewhere, and several groups of rows."""
    (tmp_path / "in").mkdir()
    results = []
    for number, (way, more) in enumerate(roads(make(count), tmp_path / "in" / "a")):
        if number in (1, 4, 7, 9):
            monkeypatch.setattr("pptpcap.export.conversion._BATCH_BYTES", (16 << 20) - number * 1_500_001)
            done = convert(way, tmp_path / str(number), format=format_name, tables=tables, **more)
            assert done.rows == {table: 1 if table == "tunnels" else count for table in tables}
            results.append(octets_of(tmp_path / str(number)))
    assert all(result == results[0] for result in results)
    if format_name == "parquet":
        assert pa.parquet.ParquetFile(tmp_path / "1" / f"{tables[1]}.parquet").num_row_groups > 1


# ---- damage


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_damaged_capture_gives_what_is_before(tmp_path, format_name):
    path = tmp_path / "cut.pcap"
    path.write_bytes(MSS88.read_bytes()[:3000])
    code, out, err = call("convert", "-o", tmp_path / "o", "--format", format_name, path)
    assert code == 3 and "packet 31, offset 2998" in err and out
    assert json.loads((tmp_path / "o" / "capture.json").read_text())["counters"]["packets"] == 30
    done = convert(path, tmp_path / "p", format=format_name)
    assert done.damaged and (done.rows["messages"], done.rows["issues"]) == (4, 1)
    assert octets_of(tmp_path / "o") == octets_of(tmp_path / "p")


def test_salvage_goes_on_behind_it(tmp_path):
    data = MSS88.read_bytes()
    path = tmp_path / "bad.pcap"
    path.write_bytes(data[:2998] + b"\xff" * 16 + data[2998:])
    assert call("convert", "-o", tmp_path / "a", "--format", "npy", path)[0] == 3
    assert call("convert", "-o", tmp_path / "b", "--format", "npy", "--salvage", path)[0] == 3
    assert [len(np.load(tmp_path / folder / "messages.npy")) for folder in "ab"] == [4, 17]


# ---- secrets

# Of the bundled captures: passwords of PAP, and the parts of MS-CHAP and CHAP responses that prove a password.
SECRETS = [
    (PAP_FAILED, b"wrongpass1"),
    (PAP_PLAIN, b"labpass1"),
    (MSS88, bytes.fromhex("1fc8fd2709ab48da1cfff1a5018a1c42a4e18b694ee78cf3")),
    (CAPTURES / "killed_server.pcap", bytes.fromhex("8bb0c1f540853ba70969294c0d1c765883c166ca81cca0d0")),
    (CAPTURES / "echo_client_no_reply.pcap", bytes.fromhex("347e61633c0071a1020908ae03679b42")),
]
NAME_OF = {PAP_FAILED: "nobody"}


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(("path", "secret"), SECRETS)
def test_secrets_are_in_no_file(tmp_path, path, secret, format_name):
    assert secret in path.read_bytes()
    forms = {secret, secret.hex().encode(), secret.hex().upper().encode(), secret[-8:], secret[:8], secret[7::-1]}
    forms.add(escaped(secret, False).encode())
    name = NAME_OF.get(path, "lab")
    for identities in (False, True):
        folder = tmp_path / str(identities)
        convert(path, folder, format=format_name, identities=identities)
        files = octets_of(folder) | {"capture.json": (folder / "capture.json").read_bytes()}
        if format_name == "parquet":
            # uncompressed, as another reader would see them
            for table in schema.TABLE_NAMES:
                files[f"{table} read"] = "".join(map(str, found(folder, table, format_name)[1])).encode()
        assert not [(file, form) for file, content in files.items() for form in forms if form in content]
        if format_name == "npy":
            told_names = np.load(folder / "calls.npy")["pns_name"].tolist()
        else:
            told_names = [row[columns_of("calls").index("pns_name")] for row in found(folder, "calls", format_name)[1]]
        none = b"" if format_name == "npy" else None
        assert told_names == [none if not identities else name.encode() if format_name == "npy" else name]


# ---- a folder for each


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_each_in_a_folder_of_its_own(out, tmp_path):
    shutil.copy(ALL15, tmp_path / "a[1].pcap")
    code, said, err = call("convert", "-o", out, "--each", "--format", "csv", MSS88, tmp_path / "a*.pcap", REFUSED)
    assert (code, err) == (0, "")
    assert [line.partition(":")[0] for line in said.splitlines()] == [
        f"{out}/{name}" for name in ("mss88.pcap", "a[1].pcap", "connection_refused.pcap")
    ]
    assert listed(out) == ["a[1].pcap", "connection_refused.pcap", "mss88.pcap"]
    for path in (MSS88, REFUSED, tmp_path / "a[1].pcap"):
        convert(path, tmp_path / "alone", format="csv", overwrite=True)
        for name in names("csv"):
            assert (out / path.name / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


def test_each_goes_on_where_it_was(out):
    call("convert", "-o", out, "--each", MSS88, REFUSED, ALL15)
    before = state(out)
    shutil.rmtree(out / REFUSED.name)
    code, _, err = call("convert", "-o", out, "--each", MSS88, REFUSED, ALL15, NO_REPLY)
    assert (code, err) == (0, "")
    after = state(out)
    assert all(after[name] == before[name] for name in before if not name.startswith(REFUSED.name))
    for path in (REFUSED, NO_REPLY):
        assert listed(out / path.name) == names("parquet")


def test_each_passes_by_what_is_no_capture(out, tmp_path):
    bad, cut = tmp_path / "bad\x1b.pcap", tmp_path / "cut.pcap"
    bad.write_bytes(b"nothing of the kind at all")
    cut.write_bytes(MSS88.read_bytes()[:3000])
    code, _, err = call("convert", "-o", out, "--each", MSS88, bad, cut, ALL15)
    assert code == 1 and "bad\\x1b.pcap" in err and "cut.pcap: damaged" in err and "\x1b" not in err
    assert listed(out) == ["cut.pcap", "mss88.pcap", "synthetic_scapy_all15.pcap"]
    assert all(listed(out / name) == names("parquet") for name in listed(out))
    # what is damaged alone is 3, as often as one looks
    assert [call("convert", "-o", out, "--each", MSS88, cut, ALL15)[0] for _ in range(2)] == [3, 3]


def test_each_in_python(out, tmp_path):
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"nothing of the kind at all")
    with pytest.raises(ExceptionGroup, match="not converted") as error:
        convert([bad, MSS88, "/nowhere/at.pcap", ALL15], out, each=True, tables=["gre"])
    assert [type(one) for one in error.value.exceptions] == [pptpcap.CaptureError, FileNotFoundError]
    done = convert([MSS88, ALL15], out, each=True, tables=["gre", "calls"])
    assert [one.folder for one in done] == [f"{out}/{MSS88.name}", f"{out}/{ALL15.name}"]
    assert [(one.rows["gre"], one.again) for one in done] == [(57, False), (22, False)]
    assert [one.again for one in convert([MSS88, ALL15], out, each=True, tables=["calls", "gre"])] == [True, True]
    several: Any
    for several in ([MSS88, MSS88], [MSS88, b""], [io.BytesIO()]):
        with pytest.raises(ValueError, match=r"each capture"):
            convert(several, tmp_path / "none", each=True)
    assert not (tmp_path / "none").exists()


def test_each_refuses_other_results(out):
    call("convert", "-o", out, "--each", MSS88, REFUSED)
    before = state(out)
    assert call("convert", "-o", out, "--each", "--codes", MSS88, REFUSED)[0] == 1
    assert state(out) == before
    assert call("convert", "-o", out, "--each", "--codes", "--overwrite", MSS88, REFUSED)[0] == 0
    assert listed(out / MSS88.name) == names("parquet")


def test_each_beside_the_captures(tmp_path):
    """The folder would have the name of the capture, which is what it is afterwards too."""
    capture = tmp_path / "in.pcap"
    shutil.copy(MSS88, capture)
    code, _, err = call("convert", "-o", tmp_path, "--each", capture)
    assert code in (1, 2) and "in.pcap" in err
    assert capture.read_bytes() == MSS88.read_bytes() and listed(tmp_path) == ["in.pcap"]


@pytest.mark.parametrize("twice", ["in.pcap", "./in.pcap", "a/../in.pcap", "in.pca?"])
def test_each_with_one_file_twice(out, tmp_path, twice):
    (tmp_path / "a").mkdir()
    for place in ("a/in.pcap", "in.pcap"):
        shutil.copy(MSS88, tmp_path / place)
    code, said, err = call("convert", "-o", out, "--each", ALL15, tmp_path / "in.pcap", f"{tmp_path}/{twice}")
    assert (code, said) == (2, "") and "in.pcap" in err
    assert not out.exists()


def test_each_with_equal_names(out, tmp_path):
    """As many folders stand in front as tell them apart."""
    places = ("a/in.pcap", "b/a/in.pcap", "c/in.pcap", "other.pcap")
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MSS88, tmp_path / place)
    code, _, err = call("convert", "-o", out, "--each", "--table", "gre", *(tmp_path / place for place in places))
    assert (code, err) == (0, "")
    above = tmp_path.name
    assert sorted(str(path.parent.relative_to(out)) for path in out.rglob("capture.json")) == sorted(
        [f"{above}/a/in.pcap", "b/a/in.pcap", f"{above}/c/in.pcap", "other.pcap"]
    )


def test_each_with_a_name_that_is_a_folder_of_another(out, tmp_path):
    for place in ("x/in.pcap", "y/in.pcap", "z/x"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MSS88, tmp_path / place)
    code, said, err = call(
        "convert", "-o", out, "--each", *(tmp_path / name for name in ("x/in.pcap", "y/in.pcap", "z/x"))
    )
    assert (code, said) == (2, "") and "in.pcap" in err
    assert not out.exists()


@pytest.mark.parametrize("files", [[MSS88, "-"], ["-"]])
def test_each_takes_no_standard_input(out, files):
    code, said, err = call("convert", "-o", out, "--each", *files)
    assert (code, said) == (2, "") and "Usage" in err
    assert not out.exists()
