"""Results as lines for the terminal, as JSON, and as the tables of docs/benchmarks.md."""

import json
import time


def _number(value, unit):
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    if value == 0 or (value == int(value) and abs(value) < 100):
        digits = 0
    return f"{value:,.{digits}f}{unit}"


def _median(check):
    if check["absolute"]:
        low, high = (_number(value, check["unit"]) for value in check["range"])
        return _number(check["median"], check["unit"]), f"{low} … {high}"
    low, high = check["range"]
    if check.get("confident"):
        return f"{check['median']:.3f} ×", f"{low:.2f} … {high:.2f}{_confidence(check)}"
    return f"{check['median']:.2f} ×", f"{low:.2f} … {high:.2f}"


def _confidence(check):
    if not check.get("bounds"):
        return ", too few pairs for a bound"
    side = 0 if check["rule"] == "at least" else 1
    return f", median {check['rule']} {check['bounds'][side]:.3f} × (95 %)"


def _limit(check):
    if check["rule"] == "stated":
        return "stated"
    if check["rule"] == "within":
        return f"within {check['limit']:.0%} of 1"
    limit = f"{check['limit']:.2f} ×"
    if check["absolute"]:
        limit = _number(check["limit"], check["unit"])
    return f"{check['rule']} {limit}"


def verdict_lines(result):
    for check in result["checks"]:
        median, spread = _median(check)
        yield (f"  {check['title']}: {median} ({spread}), {_limit(check)}: "
               f"{check['verdict']}")
    for remark in result["remarks"]:
        yield f"  note: {remark}"


def save(path, host, results):
    """Results replace those of the same name; others of earlier runs stay."""
    kept = load(path)["results"] if path.exists() else {}
    for result in results:
        kept[result["name"]] = {**result, "host": host,
                                "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}
    path.write_text(json.dumps({"results": kept}, indent=1) + "\n")


def load(path):
    return json.loads(path.read_text())


def _absolute(check, side):
    return _number(check[side], check["unit"]) if side in check else "–"


def markdown(results, order):
    """One row per check, in the order of the list of comparisons."""
    known = [results[name] for name in order if name in results]
    if not known:
        return "No results yet: run `./dev bench`.\n"
    host = known[0]["host"]
    wins = sum(check["verdict"] == "win" for result in known for check in result["checks"])
    losses = sum(check["verdict"] == "loss" for result in known for check in result["checks"])
    lines = [
        f"{wins} of {wins + losses} demands met. Host: {host['processor']}, {host['cores']} cores, "
        f"Linux {host['kernel']}. Measured {min(result['when'] for result in known)} to "
        f"{max(result['when'] for result in known)}, {len(known[0]['runs'])} pairs each.",
        "",
        "| measure | peer | what | upcall | peer's | median ratio or value | range | demand "
        "| result |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in known:
        for check in result["checks"]:
            median, spread = _median(check)
            shown = {"win": "met", "loss": "**missed**", "stated": ""}[check["verdict"]]
            lines.append(f"| {result['measure']} | {result['peer']} | {check['title']} | "
                         f"{_absolute(check, 'subject')} | {_absolute(check, 'peer')} | {median} | "
                         f"{spread} | {_limit(check)} | {shown} |")
    remarks = [f"- `{result['name']}`: {remark}." for result in known
               for remark in result["remarks"]]
    if remarks:
        lines += ["", "Notes of the runs:", "", *remarks]
    return "\n".join(lines) + "\n"
