"""A comparison: two contestants, one workload, and what the ratio must reach.

The two are run in turn, the first of one pair being the second of the next, and the ratio is
taken within each pair: what the host does meanwhile then falls on both."""

import dataclasses
import math
import statistics
from typing import Callable, Optional

from .process import Failed


@dataclasses.dataclass(frozen=True)
class Check:
    """`metric` of the subject, divided by the peer's or as it is, against `limit`."""
    metric: str
    title: str
    rule: str = "stated"  # or "at least", "at most", "within": of 1, so much above or below
    limit: Optional[float] = None
    absolute: bool = False
    unit: str = ""
    # Whether not the median has to reach the limit but its confidence bound.
    confident: bool = False


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Something that can be measured. `arguments` is for its family's workloads to read."""
    name: str
    program: str  # the file that has to exist
    arguments: object = None


@dataclasses.dataclass(frozen=True)
class Comparison:
    name: str
    measure: str  # the row of the table, in words
    workload: object
    subject: Contestant
    peer: Contestant
    checks: tuple
    pairs_times: int = 1  # more pairs than usual, for small differences


CONFIDENCE = 0.95


def confidence_bounds(values):
    """The median of all pairs there could be is at least the first, and at most the second, each
    with that confidence: order statistics, whatever the values' distribution. None: too few."""
    count, below = len(values), 0
    for rank in range(1, count + 1):
        below += math.comb(count, rank - 1)
        if below >= CONFIDENCE * 2 ** count:
            ordered = sorted(values)
            return ordered[count - rank], ordered[rank - 1]
    return None


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    cut = statistics.quantiles(values, n=4, method="inclusive")
    return cut[0], cut[2]


def _judge(check, median, bounds):
    if check.rule == "stated":
        return "stated"
    if check.confident and bounds:
        median = bounds[0] if check.rule == "at least" else bounds[1]
    met = {"at least": median >= check.limit, "at most": median <= check.limit,
           "within": abs(median - 1) <= check.limit}[check.rule]
    return "win" if met else "loss"


def evaluate(check, runs):
    """The check's verdict over all pairs, with its spread."""
    if check.absolute:
        values = [run["subject"][check.metric] for run in runs]
    else:
        if any(not run["peer"][check.metric] for run in runs):
            raise Failed(f"the peer's {check.metric} is nothing to divide by")
        values = [run["subject"][check.metric] / run["peer"][check.metric] for run in runs]
    median = statistics.median(values)
    low, high = quartiles(values)
    bounds = confidence_bounds(values)
    result = {
        **dataclasses.asdict(check),
        "median": median,
        "quartiles": [low, high],
        "range": [min(values), max(values)],
        "bounds": bounds,
        "verdict": _judge(check, median, bounds),
        "subject": statistics.median(run["subject"][check.metric] for run in runs),
    }
    if all(check.metric in run.get("peer", {}) for run in runs):
        result["peer"] = statistics.median(run["peer"][check.metric] for run in runs)
    return result


def run_pairs(comparison, settings, say: Callable[[str], None]):
    """Measures the pairs and returns the result as it is written to the results file."""
    workload = comparison.workload
    context = workload.prepare(comparison, settings)
    runs = []
    for number in range(settings.pairs * comparison.pairs_times):
        order = ["subject", "peer"] if number % 2 == 0 else ["peer", "subject"]
        run = {"first": order[0]}
        for side in order:
            run[side] = workload.run(getattr(comparison, side), settings, context)
        runs.append(run)
        say(f"  pair {number + 1}: "
            + "; ".join(f"{getattr(comparison, side).name} {workload.brief(run[side])}"
                        for side in ("subject", "peer")))
    return {
        "name": comparison.name,
        "measure": comparison.measure,
        "subject": comparison.subject.name,
        "peer": comparison.peer.name,
        "context": context,
        "checks": [evaluate(check, runs) for check in comparison.checks],
        "remarks": sorted({remark for run in runs for side in ("subject", "peer")
                           for remark in workload.remarks(run[side])}),
        "runs": runs,
    }


def run_alone(comparison, settings, say: Callable[[str], None]):
    """The peer without its subject, once: shows that the rig works before the subject exists."""
    workload = comparison.workload
    metrics = workload.run(comparison.peer, settings, workload.prepare(comparison, settings))
    say(f"  {comparison.peer.name} alone: {workload.brief(metrics)}")
