"""Checks from outside: one JSON object a line in, one a line out.

Each check is a function registered under its name; it takes the ``inputs`` as keyword arguments and returns
``(result, convention)``. Bad input raises ``ValueError`` whose message is one clear line that says what to do.

The first line of its docstring is the question it answers, the last one an example as typed on a command line. An
input annotated with ``str`` holds printed numbers, which are texts because their decimals count.
"""

import difflib
import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

CHECKS: dict[str, Callable] = {}


def check(function: Callable) -> Callable:
    """Register ``function`` as the check of its own name."""
    CHECKS[function.__name__] = function
    return function


def question(name: str) -> str:
    """The question that the check ``name`` answers, by definition the first line of its docstring."""
    return inspect.getdoc(CHECKS[name]).splitlines()[0]


def nearest(name: str) -> str:
    """Which check may have been meant, as the end of a message."""
    close = difflib.get_close_matches(name, CHECKS, n=3)
    return f"did you mean {' or '.join(close)}?" if close else 'the command "whichdata checks" lists them all'


def plain(value):
    """``value`` as JSON can carry it: fractions and NumPy scalars become numbers, tuples lists, keys strings."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(v) for v in value]
    if isinstance(value, Fraction):
        return float(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def answer(line: str | dict) -> dict:
    """The answer to one line of JSON, or to the request it holds, as the dict that is printed.

    ``{"check": name, "result": {...}, "convention": "..."}``, or ``{"check": name, "error": "one clear line"}``:
    whatever is asked, nothing is raised.
    """
    try:
        request = line if isinstance(line, dict) else json.loads(line)
    except json.JSONDecodeError as error:
        return {"check": None, "error": f"not a line of JSON: {error.msg} at column {error.colno}"}
    if not isinstance(request, dict) or not isinstance(request.get("check"), str):
        return {"check": None, "error": 'a line is {"check": NAME, "inputs": {...}}'}
    name, inputs = request["check"], request.get("inputs")
    if name not in CHECKS:
        return {"check": name, "error": f"no check named {name!r}; {nearest(name)}"}
    if not isinstance(inputs, dict):
        return {"check": name, "error": '"inputs" is an object of named values'}
    function = CHECKS[name]
    try:
        bound = inspect.signature(function).bind(**inputs)
    except TypeError as error:
        return {"check": name, "error": f"{error}; it takes {inspect.signature(function)}"}
    try:
        result, convention = function(*bound.args, **bound.kwargs)
    except (ValueError, OverflowError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, OverflowError):
            text = f"a figure is too large to compute with ({text}): give figures below 1e300"
        elif not isinstance(error, ValueError):
            text = f"{type(error).__name__}: {text}"
        return {"check": name, "error": text}
    return {"check": name, "result": plain(result), "convention": convention}


def answers(lines: Iterable[str]) -> Iterator[str]:
    """One line of JSON for each line that is not blank."""
    for line in lines:
        if line.strip():
            yield json.dumps(answer(line), ensure_ascii=False, allow_nan=False)


from whichdata.checks import counts, survival, toolbox  # noqa: E402,F401  (each registers its checks)
