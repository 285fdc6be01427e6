"""The command line: what is typed is what the checks are asked, and what they answer is said in the exit status."""

import inspect
import json
import os
import shlex
import signal
import subprocess
import sys

import pytest
from test_checks_counts import examples
from test_goldens import KEPT

from whichdata import __main__ as command
from whichdata.checks import CHECKS, answer, question

EXAMPLES = examples(CHECKS)
SHOWN = {name: inspect.getdoc(function).splitlines()[-1] for name, function in CHECKS.items()}
LINE = b'{"check": "mann_whitney_min_p", "inputs": {"n1": 4, "n2": 5}}\n'
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def printed_inputs(name: str) -> set[str]:
    return {p.name for p in inspect.signature(CHECKS[name]).parameters.values() if command.as_printed(p)}


def as_typed(value, printed: bool = True) -> str:
    """A value as a person types it: text without quotes, but where it would then be read as a number."""
    return value if isinstance(value, str) and (printed or not is_json(value)) else json.dumps(value)


def numbers_in(value) -> bool:
    """Are there plain numbers in it, rather than printed ones?"""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or any(map(numbers_in, inner))


def run(capsys, *words: str) -> tuple[int, str, str]:
    try:
        status = command.main(list(words))
    except SystemExit as end:
        status = end.code
    return status, *capsys.readouterr()


def process(*words: str, **options) -> subprocess.CompletedProcess:
    command_line = [sys.executable, "-m", "whichdata", *words]
    return subprocess.run(command_line, capture_output=True, env=ENVIRONMENT, check=False, **options)


# -- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["check"])
def test_an_outside_example_typed_as_words_is_answered_as_a_line_is(example, capsys):
    words = [f"{key}={as_typed(value)}" for key, value in example["inputs"].items()]
    status, out, _ = run(capsys, "check", example["check"], *words, "--json")
    assert status in (0, 1)
    assert json.loads(out) == answer(example)


def test_every_kept_request_can_be_typed():
    typed = 0
    for request in KEPT:
        name, inputs = request["check"], request["inputs"]
        printed = printed_inputs(name)
        if any(numbers_in(value) for key, value in inputs.items() if key in printed):
            continue  # an exact number where printed ones are usual: a line of JSON can say that
        words = [f"{key}={as_typed(value, key in printed)}" for key, value in inputs.items()]
        assert json.dumps(command.read_inputs(name, words)) == json.dumps(inputs), words
        typed += 1
    assert typed > 1_500


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("percent=74", "74"),
        ("percent=74.0", "74.0"),
        ("percent=58%", "58%"),
        ("percent=.5", ".5"),
        ("percent=1e2", "1e2"),
        ("percent=null", None),
        ('percent="74"', "74"),
        ("n=12", 12),
        ("n=12.0", 12.0),
        ("n=012", "012"),
        ("n=[7, 5]", [7, 5]),
        ("n=", ""),
        ("n=a=b", "a=b"),
        ("n=" + "9" * 5_000, "9" * 5_000),
    ],
)
def test_a_value_is_json_or_text_and_digits_of_printed_numbers_stay(word, value):
    assert list(command.read_inputs("count_percent", [word]).values()) == [value]


def test_digits_of_printed_numbers_stay_within_lists_and_objects():
    typed = command.read_inputs("ratio_ci_p_consistency", ["ci95=[0.40, 0.70]"])
    assert typed == {"ci95": ["0.40", "0.70"]}
    typed = command.read_inputs("km_feasible_count", ['survival_percent_at={"6": 74.0}', "median=NR"])
    assert typed == {"survival_percent_at": {"6": "74.0"}, "median": "NR"}


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHECKS)
def test_the_example_of_a_check_can_be_answered(name, capsys):
    status, out, err = run(capsys, "check", name, *shlex.split(SHOWN[name].removeprefix(command.EXAMPLE)))
    assert status in (0, 1) and not err
    *fields, convention = out.splitlines()
    assert fields and convention.startswith("convention:")


def test_an_answer_is_lines_that_align(capsys):
    assert run(capsys, "check", "count_percent", "count=7", "n=12", "percent=58") == (
        0,
        "consistent:  yes\nconvention:  rounding up_or_down: half a unit either side, both ends in\n",
        "",
    )


def test_an_answer_in_json_is_that_of_a_line(capsys):
    asked = {"check": "odds_ratio", "inputs": {"table": [[7, 5], [2, 10]]}}
    for words in (["odds_ratio", "table=[[7,5],[2,10]]", "--json"], ["--json", "odds_ratio", "table=[[7,5],[2,10]]"]):
        assert json.loads(run(capsys, "check", *words)[1]) == answer(asked) == answer(json.dumps(asked))


def test_an_exact_fraction_is_shown_to_four_digits(capsys):
    _, out, _ = run(capsys, "check", "mann_whitney_min_p", "n1=4", "n2=5")
    assert out.startswith("exact_two_sided_min:  0.01587\n")


GROUPS = """'group1={"n": 5, "min": 3, "median": 11, "max": 20}' 'group2={"n": 5, "min": 1, "median": 6, "max": 12}'"""
ARMS = """'arm1={"n": 2}' 'arm2={"n": 2}' 'times=integers 1..2'"""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("count_percent count=9 n=12 percent=74", 1),
        ("percent_to_counts percent=58 n=12", 0),
        ("percent_to_counts percent=74 n=12", 1),
        ("percent_to_denominators percent=1 n_max=12", 1),
        ("two_proportions_feasible n1=12 percent1=74 n2=12 percent2=50", 1),
        ("mann_whitney_u_possible n1=2 n2=2 U=5", 1),
        ("ratio_ci_p_consistency estimate=0.56 ci95=[0.46,0.69] p=0.04", 1),
        ("ratio_ci_p_consistency estimate=0.56 ci95=[0.46,0.69] 'p=<0.001'", 0),
        ("rounding_interval printed=8.2 rounding=floor", 0),  # upper_closed: no
        (f"mann_whitney_feasible_set {GROUPS} p=0.04", 1),
        (f"mann_whitney_feasible_set {GROUPS} p=0.12", 0),
        (f"mann_whitney_feasible_set {GROUPS}", 0),
        (f"logrank_feasible_set {ARMS}", 0),
        (f"logrank_feasible_set {ARMS} logrank_p=0.0001", 1),
        ("grim_batch x=[5.90,5.71] n=40", 1),
        ("min_sd_integer mean=1.25 n=3", 1),
        ("p_value_recomputation test=t statistic=2.20 df2=28 p=0.04", 0),
        ("p_value_recomputation test=t statistic=2.20 df2=28 p=0.4", 1),
        ("km_reconstruction_exact n=7 curve_steps=[[2,0.99]]", 1),
        ("kendall x=[1,1] y=[1,2]", 0),  # undefined is not inconsistent
    ],
)
def test_the_exit_status_says_whether_the_figures_are_consistent(line, status, capsys):
    assert run(capsys, "check", *shlex.split(line))[0] == status


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "say check or checks"),
        ("chekc", "say check or checks, not chekc"),
        ("check cuont_percent n=12", "did you mean count_percent?"),
        ("checks zzz", 'the command "whichdata checks" lists them all'),
        ("check count_percent cuont=7 n=12 percent=58", "it takes (count, n, percent: str, rounding"),
        ("check count_percent 7 n=12", "'7' is not of the form input=value"),
        ("check count_percent n=12 n=13", "n is given twice"),
        ("check count_percent count=7 n=1,200 percent=58", "n is '1,200': give a whole number"),
        ("check count_percent count=13 n=12 percent=58", "there are more events than patients"),
    ],
)
def test_what_cannot_be_answered_is_one_line_of_advice(line, says, capsys):
    status, out, err = run(capsys, *line.split())
    assert status == 2 and not out and says in err and err.count("\n") == 1


# -- lists -----------------------------------------------------------------------------------------------------------


def test_checks_are_listed_by_their_question(capsys):
    _, out, _ = run(capsys, "checks")
    assert [line.split(maxsplit=1) for line in out.splitlines()] == [[name, question(name)] for name in CHECKS]
    assert all(question(name).endswith("?") for name in CHECKS)


def test_a_word_narrows_the_list_and_a_name_shows_the_inputs(capsys):
    _, out, _ = run(capsys, "checks", "log-rank")
    assert {line.split()[0] for line in out.splitlines()} == {
        "hr_from_logrank", "logrank_permutation_exact", "logrank_feasible_set",
    }  # fmt: skip
    _, out, _ = run(capsys, "checks", "count_percent")
    assert out.startswith(question("count_percent")) and "  percent   as printed\n" in out
    assert out.endswith("  whichdata check count_percent count=7 n=12 percent=58\n")


# -- streams ---------------------------------------------------------------------------------------------------------


def test_a_line_of_json_comes_back_for_each_line_that_is_not_blank():
    asked = [json.dumps({"check": e["check"], "inputs": e["inputs"]}) for e in EXAMPLES[:3]]
    done = process("check", input="\n\n".join(asked).encode() + b"\n\xff\n")
    *answers, last = map(json.loads, done.stdout.splitlines())
    assert answers == list(map(answer, asked)) and "error" in last
    assert not done.stderr and done.returncode == 0


def test_empty_input_is_quiet():
    done = process("check", input=b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def waiting() -> subprocess.Popen:
    """A command that has answered one line and waits for the next."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if os.name != "nt":  # what was begun in the background ignores interrupts, and so does what it begins
        pipes["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    asked = subprocess.Popen([sys.executable, "-m", "whichdata", "check"], **pipes, env=ENVIRONMENT)
    asked.stdin.write(LINE)
    asked.stdin.flush()
    assert json.loads(asked.stdout.readline())["result"]
    return asked


def test_a_reader_that_leaves_early_is_no_error():
    with waiting() as asked:
        asked.stdout.close()
        asked.stdin.write(LINE)
        asked.stdin.close()
        assert not asked.stderr.read()
    assert asked.returncode == 141


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_is_quiet():
    with waiting() as asked:
        asked.send_signal(signal.SIGINT)
        assert not asked.stderr.read()
    assert asked.returncode == 130
