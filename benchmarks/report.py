"""The report: tables, plots and what they say, as Markdown. Every figure in it is computed from the measures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

from benchmarks.comparisons import USUAL
from benchmarks.costs import Cost
from benchmarks.model import WHOLE, Forecast, Machine, Parameters, forecast, machines, parameters
from benchmarks.plots import digits, model_plot, runs_plot, ways_plot, workers_plot
from benchmarks.results import Results, Row
from benchmarks.targets import Target, targets
from idr_assets.imaging.figures.drawing import svg
from idr_assets.imaging.reading.retries import PATIENT

HEAD = ["", "planes", "seconds", "planes/s", "ms a plane", "times the first", "peak MB"]

EVEN = 1.3
"""How many times as long the same work may take in another round on a calm machine."""

TEXT = Path(__file__).with_name("report_template.md").read_text()


def write(results: Results, machine: Mapping[str, str], docs: Path, seconds: float) -> str:
    """Write the page and its pictures below `docs`; give the Markdown. `seconds` is what measuring took."""
    found = parameters(results)
    models = machines(found)
    forecasts = [forecast(each, found) for each in models]
    plots = {
        "ways": ways_plot(results),
        "workers": workers_plot(results),
        "runs": runs_plot(results),
        "model": model_plot(forecasts),
    }
    for folder in ("pictures", "explanation"):
        (docs / folder).mkdir(parents=True, exist_ok=True)
    for name, plot in plots.items():
        (docs / "pictures" / f"benchmark_{name}.svg").write_bytes(svg(plot))
    text = _text(results, dict(machine) | {"minutes for all": f"{seconds / 60:.1f}"}, found, forecasts, models[0])
    (docs / "explanation/benchmarks.md").write_text(text)
    return text


def _text(
    results: Results, machine: Mapping[str, str], found: Parameters, forecasts: Sequence[Forecast], here: Machine
) -> str:
    notebook = results.ways[USUAL][-1]
    longest = list(results.runs.values())[-1][1].costs[0]
    modelled = forecast(here, found, longest.planes).seconds
    empty, some = (row.costs[0] for row in list(results.runs.values())[1])
    text = TEXT.format(
        rounds=len(results.blocks[0].costs),
        machine=pair(machine),
        targets=_targets(targets(results)),
        busy=_tell_load(results),
        some=some.planes,
        waiting=some.planes * USUAL / 1000 / PATIENT.requests,
        empty=empty.seconds,
        growth=(longest.peak - some.peak) / 1000 / max(1, longest.planes - some.planes),
        disk=_rows(results.disk),
        stages=_stages(results.stages),
        ways="\n\n".join(_rows(rows) for rows in results.ways.values()),
        notebook=notebook.costs[0].planes,
        usual=USUAL,
        faster=notebook.ratio,
        blocks=_rows(results.blocks),
        workers=_rows(results.workers),
        runs="\n\n".join(_rows(rows) for rows in results.runs.values()),
        postgres=_rows(results.postgres),
        demo="\n\n".join(f"{command}, {log}:\n\n{_rows(rows)}" for (log, command), rows in results.demo.items()),
        published=_rows(results.published),
        whole=WHOLE,
        verdict=_verdict(longest),
        model=_forecasts(forecasts),
        cap=PATIENT.requests,
        parameters=_told(found),
        longest=found.longest,
        modelled=modelled,
        measured=longest.seconds,
        fit=longest.seconds / modelled,
    )
    return "\n\n".join(_wrapped(paragraph) for paragraph in text.rstrip().split("\n\n")) + "\n"


def _wrapped(paragraph: str) -> str:
    """Break the lines of what is neither a table, a heading, a picture nor code."""
    return paragraph if paragraph[0] in "|#! " else fill(paragraph, 120, break_on_hyphens=False)


def _rows(rows: Sequence[Row]) -> str:
    return table(HEAD, [_cells(row) for row in rows])


def _cells(row: Row) -> list[str]:
    planes, peak = row.costs[0].planes, max(cost.peak for cost in row.costs) / 1e6
    numbers = (digits(value) for value in (row.plane * planes, 1 / row.plane, 1000 * row.plane, row.ratio))
    return [row.name, f"{planes:,}", *numbers, f"{peak:.0f}"]


def _stages(stages: Mapping[str, Mapping[str, float]]) -> str:
    names = dict.fromkeys(name for found in stages.values() for name in found)
    rows = [
        [name, *(digits(1000 * found[name]) if name in found else "" for found in stages.values())] for name in names
    ]
    total = ["together", *(digits(1000 * sum(found.values())) for found in stages.values())]
    return table(["processor ms a plane", *stages], [*rows, total])


def _targets(reached: Sequence[Target]) -> str:
    rows = [
        [it.what, digits(it.measured), f"{'at least' if it.at_least else 'at most'} {digits(it.bound)}", _kept(it)]
        for it in reached
    ]
    return table(["target", "measured", "bound", ""], rows)


def _kept(target: Target) -> str:
    return "kept" if target.kept else "**missed**"


def _tell_load(results: Results) -> str:
    """Say whether other work on the machine spoilt the figures: the same work then takes unequal times."""
    spread = [max(each) / min(each) for row in [*results.disk, *results.blocks] if len(each := [*row.seconds]) > 1]
    worst = max(spread, default=1.0)
    busy = "so the machine was too busy to judge by this run" if worst > EVEN else "so these figures can be compared"
    return f"The same work took at most {worst:.2f} times as long in one round as in another, {busy}."


def _verdict(longest: Cost) -> str:
    pace = longest.planes / longest.seconds
    return (
        f"The longest run does {pace:.0f} planes a second from end to end: at this pace the whole image takes "
        f"{WHOLE / pace / 60:.0f} minutes."
    )


def _forecasts(forecasts: Sequence[Forecast]) -> str:
    names = [f"{term}, min" for term in forecasts[0].terms]
    rows = [
        [
            each.machine,
            *(f"{seconds / 60:.1f}" for seconds in each.terms.values()),
            f"{each.seconds / 60:.0f}",
            each.bottleneck,
        ]
        for each in forecasts
    ]
    return table([f"{WHOLE:,} planes", *names, "total, min", "bottleneck"], rows)


def _told(found: Parameters) -> str:
    return (
        f"start {found.start:.1f} s, latency {1000 * found.latency:.0f} ms, share {found.share:.2f} of the requests in "
        f"flight, processor {1000 * found.processor:.2f} ms and bookkeeping {1000 * found.bookkeeping:.2f} ms a plane; "
        f"two threads are worth {found.threads:.2f} cores"
    )


def pair(values: Mapping[str, str]) -> str:
    return table(["", ""], [[*each] for each in values.items()])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
