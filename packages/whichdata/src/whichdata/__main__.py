"""``whichdata``: the checks from a command line."""

import argparse
import inspect
import json
import os
import sys

import whichdata

HELP = """\
Which data could have printed these figures?

  whichdata checks [WORD]               list the checks by the question they answer (those that mention WORD)
  whichdata checks NAME                 show the inputs of a check and an example
  whichdata check NAME INPUT=VALUE ...  answer one check
  whichdata check                       answer one JSON object a line from standard input, one a line
"""
RULES = """\
values:
  A value is read as JSON (12, [7, 5], {"6": 74}, null), and as text where it is not JSON (floor, <0.001).
  In an input that holds printed numbers, digits stay the text that was typed, also within a list or an object,
  so that percent=74.0 is the printed 74.0 and not 74. "whichdata checks NAME" marks these inputs "as printed".
  Quote a value for the shell if it holds spaces or any of < > [ ] { } " ' *, such as 'p=<0.001'.

exit status:
  0  answered
  1  answered, and the figures are not consistent: the answer says so (consistent, p_consistent or possible is no,
     error is yes), or what it lists or counts as possible is nothing
  2  cannot be answered; one line on standard error says what to do
"""
EXAMPLE = "Example: "
POSSIBLE = ("consistent", "possible", "p_consistent")
COUNTED = ("n_datasets", "n_pairs", "n_solutions", "count", "pairs_compatible_with_p")


def as_printed(parameter: inspect.Parameter) -> bool:
    """Does this input of a check hold printed numbers, by definition those annotated with ``str``?"""
    return "str" in inspect.formatannotation(parameter.annotation)


def typed(value: str, printed: bool):
    """A value as JSON, or as text if it is not JSON; the numbers of a ``printed`` one stay text."""
    kept = {"parse_int": str, "parse_float": str} if printed else {}
    try:
        return json.loads(value, **kept)
    except ValueError:
        return value


def read_inputs(name: str, words: list[str]) -> dict:
    """The inputs of the check ``name`` from words such as ``n=12``. ValueError for a word of another form."""
    from whichdata.checks import CHECKS

    parameters = inspect.signature(CHECKS[name]).parameters if name in CHECKS else {}
    inputs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise ValueError(f"{word!r} is not of the form input=value, such as n=12")
        if key in inputs:
            raise ValueError(f"{key} is given twice")
        inputs[key] = typed(value, key in parameters and as_printed(parameters[key]))
    return inputs


def is_refuted(result: dict) -> bool:
    """Does the answer say that the figures are not consistent?

    By definition: a field of ``POSSIBLE`` is false (one of several, in a list), ``error`` is true, a list of what is
    possible is empty, a field of ``COUNTED`` is 0, under every convention where there are several, or there is not
    even a least SD.
    """
    nested = [value for value in result.values() if isinstance(value, dict)]
    return (
        any(result.get(key) is False or False in _items(result.get(key)) for key in POSSIBLE)
        or result.get("error") is True
        or [] in result.values()
        or any(result.get(key) == 0 for key in COUNTED)
        or result.get("min_sd", 0) is None
        or (bool(nested) and all(value.get("pairs_compatible_with_p") == 0 for value in nested))
    )


def _items(value) -> list:
    return value if isinstance(value, list) else []


def for_people(value) -> str:
    """A value of an answer in words: yes and no, four digits, lists with commas, objects with semicolons."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "; ".join(f"{key} {for_people(v)}" for key, v in value.items()) or "none"
    if isinstance(value, list):
        shown = [f"({for_people(v)})" if isinstance(v, (list, dict)) else for_people(v) for v in value]
        return ", ".join(shown) or "none"
    return "null" if value is None else str(value)


def aligned(pairs) -> str:
    """Lines of name and text, the texts one under another."""
    pairs = list(pairs)
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:{width}}  {text}".rstrip() for name, text in pairs)


def check(words: list[str], as_json: bool) -> int:
    """Answer one check, or every line of standard input; the exit status."""
    from whichdata.checks import answer, answers

    if not words:
        if sys.stdin.isatty():
            print("reading one JSON object a line; see whichdata --help", file=sys.stderr)
        for line in answers(sys.stdin):
            print(line, flush=True)
        return 0
    name, *rest = words
    found = answer({"check": name, "inputs": read_inputs(name, rest)})
    if "error" in found:
        raise ValueError(found["error"])
    if as_json:
        print(json.dumps(found, ensure_ascii=False, allow_nan=False))
    else:
        shown = found["result"] | {"convention": found["convention"]}
        print(aligned((f"{key}:", for_people(value)) for key, value in shown.items()))
    return int(is_refuted(found["result"]))


def checks(words: list[str]) -> int:
    """List the checks, those that mention a word, or the inputs of the one named."""
    from whichdata.checks import CHECKS, nearest, question

    word = " ".join(words)
    if word in CHECKS:
        print(described(word))
        return 0
    found = [(name, question(name)) for name in CHECKS if word.lower() in f"{name} {question(name)}".lower()]
    if not found:
        raise ValueError(f"no check mentions {word!r}; {nearest(word)}")
    print(aligned(found))
    return 0


def described(name: str) -> str:
    """What a check answers, its inputs, and an example."""
    from whichdata.checks import CHECKS

    *text, example = inspect.getdoc(CHECKS[name]).replace("``", "").splitlines()
    inputs = []
    for parameter in inspect.signature(CHECKS[name]).parameters.values():
        default = parameter.default
        needed = default is parameter.empty
        said = (
            ""
            if needed
            else "optional"
            if default is None
            else f"{default if isinstance(default, str) else json.dumps(default)} unless given"
        )
        inputs.append((f"  {parameter.name}", ", ".join(filter(None, ["as printed" * as_printed(parameter), said]))))
    command = f"whichdata check {name} {example.removeprefix(EXAMPLE)}"
    return "\n".join([*text, "inputs:", aligned(inputs), "", "example:", f"  {command}"])


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status, 2 if it cannot be answered."""
    parser = argparse.ArgumentParser(
        prog="whichdata",
        usage=argparse.SUPPRESS,
        description=HELP,
        epilog=RULES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the answer to one check as one line of JSON")
    parser.add_argument("--version", action="version", version=f"whichdata {whichdata.__version__}")
    args = parser.parse_intermixed_args(argv)
    commands = {"check": lambda: check(args.words, args.json), "checks": lambda: checks(args.words)}
    if args.command not in commands:
        parser.error(f"say check or checks, not {args.command}" if args.command else "say check or checks")
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):  # JSON is UTF-8 whatever the locale
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        status = commands[args.command]()
        sys.stdout.flush()
    except ValueError as error:
        print(f"whichdata: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at exit
        return 141
    return status


if __name__ == "__main__":
    sys.exit(main())
