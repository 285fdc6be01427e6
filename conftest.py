"""Hypothesis profiles: 500 draws from a fixed seed; 10,000 by chance for the nightly (HYPOTHESIS_PROFILE=nightly)."""

import os
from collections import Counter

# Before NumPy is loaded: the tests run side by side already, and threads that wait for each other made small
# optimisations some twenty times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings  # noqa: E402

# A red run should mean a fault in what was changed, so only the nightly one draws by chance. It must say so: where the
# variable CI is set, Hypothesis fixes the seed unless told otherwise.
common = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False)
settings.register_profile("default", common, max_examples=500, derandomize=True)
settings.register_profile("nightly", common, max_examples=10_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_terminal_summary(terminalreporter, config):
    """Say what was not checked, why, and what adds it."""
    skipped = terminalreporter.stats.get("skipped", [])
    why = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    left = [f"{n} test{'s' * (n > 1)}: {reason}" for reason, n in why.most_common()]
    if config.option.markexpr == "not slow":
        left.append("what takes long, such as killed runs, JupyterLab and the life of an edition: `make test-long`")
    if left:
        terminalreporter.section("Not checked, and what adds it")
        for line in left:
            terminalreporter.line(line)
