"""Completion: what a shell gets, by the protocol of its script and, of bash, in a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from commands import MSS88, call, installed, shell
from test_start import COMMANDS, SEEN, SLOW

from pptpcap.schema import TABLE_NAMES

SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture(params=SHELLS)
def name(request):
    return request.param


@pytest.fixture
def completed(name, monkeypatch):
    """Values that a shell gets for the last of some words, by the variables that its script sets."""

    def values(*words: str) -> list[str]:
        last = words[-1]
        typed, number = ["pptpcap", *words], str(len(words))
        if name == "bash":
            # bash has = as a word of its own.
            option, equals, value = last.partition("=")
            typed = ["pptpcap", *words[:-1], *([option, "=", value] if equals else [last])]
            number = str(len(typed) - 1)
        monkeypatch.setenv("_PPTPCAP_COMPLETE", f"{name}_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(typed) if name == "fish" else "\n".join(typed))
        monkeypatch.setenv("COMP_CWORD", last if name == "fish" else number)
        code, out, err = call()
        assert (code, err) == (0, "")
        lines = out.splitlines()
        if name == "zsh":
            return [f"{kind},{value}" for kind, value in zip(lines[::3], lines[1::3], strict=True)]
        return [line.partition("\t")[0] for line in lines]

    return values


def plain(*names: str) -> list[str]:
    return [f"plain,{name}" for name in names]


def test_commands(completed):
    assert completed("con") == plain("convert")
    assert completed("") == plain(*COMMANDS)
    assert completed("nope") == []


def test_options(completed):
    assert completed("convert", "--fo") == plain("--format")
    assert completed("convert", "--format", "csv", "--fo") == []
    assert {"plain,--table", "plain,--salvage", "plain,-o", "plain,--help"} <= {*completed("convert", "-")}


def test_choices(completed):
    assert completed("convert", "--format", "") == plain("parquet", "arrow", "csv", "jsonl", "npy")
    assert completed("completion", "f") == plain("fish")
    assert completed("messages", "--message", "echo_") == plain("echo_request", "echo_reply")
    assert completed("extract", "--issue", "clock") == plain("CLOCK_BACK", "CLOCK_STANDS")
    assert completed("info", "--engine", "r") == plain("reference")


def test_a_choice_behind_an_equals_sign(completed, name):
    front = "" if name == "bash" else "--format="
    assert completed("convert", "--format=c") == plain(front + "csv")
    assert completed("convert", "--format=") == plain(*(front + one for one in "parquet arrow csv jsonl npy".split()))


def test_names_of_tables(completed):
    assert completed("schema", "") == plain(*TABLE_NAMES)
    assert completed("schema", "con") == plain("connections")
    assert completed("convert", "--only", "--table", "ppp") == plain("ppp", "ppp_options")


def test_names_of_columns(completed):
    assert completed("calls", "--order-by", "pns_lo") == plain("pns_lost")
    assert completed("calls", "--columns", "call,rea") == plain("call,reason")
    assert completed("messages", "--columns", "host_name,vend") == plain("host_name,vendor_name")


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("schema", "completion")])
def test_files(completed, command):
    assert completed(command, "a.pcap", "b") == ["file,b"]


def test_files_and_folders_of_options(completed):
    assert completed("extract", "-o", "b") == ["file,b"]
    assert completed("decapsulate", "--password-file", "b") == ["file,b"]
    assert completed("convert", "-o", "b") == ["dir,b"]


def test_what_is_wrong_in_front_does_not_matter(completed):
    wrong = ("convert", "--port", "0", "--mirror-port", "nope=1", "--max-memory", "x", "--nope", "--format", "c")
    assert completed(*wrong) == plain("csv")


@pytest.mark.parametrize("words", ["con", "schema con", "convert --table g", "extract --issue C", "info a"])
def test_completing_imports_nothing_slow(words):
    typed = ["pptpcap", *words.split()]
    asked = {"_PPTPCAP_COMPLETE": "bash_complete", "COMP_WORDS": "\n".join(typed), "COMP_CWORD": str(len(typed) - 1)}
    run = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, env={**os.environ, **asked})
    assert run.stdout
    assert "click" in run.stderr.split()
    assert not {*run.stderr.split()} & SLOW


def test_both_ways_to_the_script(name, monkeypatch):
    code, out, err = call("completion", name)
    assert (code, err) == (0, "")
    assert f"_PPTPCAP_COMPLETE={name}_complete" in out
    # fish would cut a list of columns at its first comma.
    assert ('string split --max 1 ","' in out) == (name == "fish")
    monkeypatch.setenv("_PPTPCAP_COMPLETE", f"{name}_source")
    assert call() == (0, out, "")


@pytest.mark.parametrize("asked", ["bash", "nope_source", "bash_nope", "\x1b_source"])
def test_a_question_of_no_script_is_wrong_usage(asked, monkeypatch):
    monkeypatch.setenv("_PPTPCAP_COMPLETE", asked)
    code, out, err = call("info", MSS88)
    assert (code, out) == (2, "")
    assert "none of bash_source, zsh_source, fish_source" in err
    assert "\x1b" not in err


def test_a_shell_that_is_not_known_is_wrong_usage():
    code, out, err = call("completion", "tcsh")
    assert (code, out) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in err


@pytest.fixture
def path(tmp_path):
    return installed(tmp_path / "bin")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["con"], "convert"),
        (["convert", "--fo"], "--format"),
        (["convert", "--format", "=", "pa"], "parquet"),
        (["convert", "--table", "ca"], "call_clear_request call_disconnect_notify calls"),
        (["schema", "connec"], "connections"),
    ],
)
def test_the_function_of_bash(path, words, expected):
    run = shell(
        f"source <(pptpcap completion bash); COMP_WORDS=(pptpcap {' '.join(words)}); COMP_CWORD={len(words)}; "
        '_pptpcap_completion pptpcap; echo "${COMPREPLY[@]}"; complete -p pptpcap',
        env={**os.environ, "PATH": path},
    )
    assert (run.returncode, run.stderr) == (0, "")
    reply, registered = run.stdout.splitlines()
    assert {*reply.split()} == {*expected.split()}
    assert registered == "complete -o nosort -F _pptpcap_completion pptpcap"


def typed(lines: bytes, env: dict[str, str], folder: os.PathLike[str]) -> None:
    """Type lines into bash in a terminal, and wait for its end."""
    ours, theirs = pty.openpty()
    command = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, cwd=folder, start_new_session=True
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while b"READY" not in said:
                said += os.read(ours, 4096)
            os.write(ours, lines)
            while os.read(ours, 4096):
                pass
        except OSError:
            # The end of a terminal.
            pass
        finally:
            os.close(ours)
        assert process.wait(60) == 0, said


def test_bash_in_a_terminal(tmp_path, path):
    """Keys, the tabulator among them; the command prints the words that it was called with."""
    folder = tmp_path / "work"
    (folder / "a folder").mkdir(parents=True)
    (folder / "my capture.pcap").touch()
    (folder / "a folder" / "one $more.pcap").touch()
    env = {
        **os.environ,
        "PATH": path,
        "PS1": "READY",
        "TERM": "dumb",
        "INPUTRC": os.devnull,
        "HISTFILE": "",
        "LC_ALL": "C",
    }
    keys = (
        b"source <(pptpcap completion bash)\n"
        b"pptpcap() { printf '<%s>' \"$@\" >> ../told; echo >> ../told; }\n"
        b"pptpcap con\t--fo\tcs\t--table conn\t-o a\t my\t\n"
        b"pptpcap info --engine=r\ta\tone\t\n"
        b"exit\n"
    )
    typed(keys, env, folder)
    assert (tmp_path / "told").read_text().splitlines() == [
        "<convert><--format><csv><--table><connections><-o><a folder/><my capture.pcap>",
        "<info><--engine=reference><a folder/one $more.pcap>",
    ]
