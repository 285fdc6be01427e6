"""What README prints is what the commands and the code print."""

import doctest
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from whichdata.__main__ import main
from whichdata.checks import CHECKS, question

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text("utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [entry.split("\n", 1) for block in BLOCKS for entry in re.split(r"^\$ ", block, flags=re.MULTILINE) if entry]


@pytest.mark.parametrize(("typed", "shown"), COMMANDS, ids=[typed for typed, _ in COMMANDS])
def test_a_command_prints_what_is_shown(typed, shown, capsys, monkeypatch):
    echo, _, command = typed.rpartition(" | ")
    if echo:
        monkeypatch.setattr(sys, "stdin", io.StringIO(shlex.split(echo)[1] + "\n"))
    name, *words = shlex.split(command)
    assert name == "whichdata"
    main(words)
    assert capsys.readouterr() == (shown, "")


def test_the_python_shown_prints_what_is_shown():
    found = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert found.attempted and not found.failed


def test_the_table_lists_every_check_by_its_question():
    rows = [line for line in TEXT.splitlines() if re.match(r"\| .*\? \| `", line)]
    assert rows == [f"| {question(name)} | `{name}` |" for name in CHECKS]


def test_readme_and_help_say_alike_how_a_value_is_read(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "A value is read as JSON" in said and "digits stay the text that was typed" in said
    assert "A value is read as JSON" in TEXT and "digits stay the text that was typed" in TEXT
