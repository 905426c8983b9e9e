"""The report of a run: one page that needs no network, for any width, light and dark.

Wiring of data, template and plotting library; what is drawn is in `plots` and `workflow`.
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from components.paths import PROJECT
from tools.rehearsal.report import plots, workflow
from tools.rehearsal.timeline import Result

HERE: Final = Path(__file__).resolve().parent


def write(results: Sequence[Result], folder: Path) -> Path:
    """Write `report.html` into a folder; its path.

    Args:
        results: what was played, with evidence.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    path.write_text(page(results), encoding="utf-8")
    return path


def page(results: Sequence[Result]) -> str:
    """The page. Vega draws the plots of a section in the browser when it is opened."""
    specs: dict[str, Any] = {}
    scenarios = [_scenario(number, result, specs) for number, result in enumerate(results, 1)]
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # In a script element, "</" would end it early.
    data = json.dumps({"config": plots.CONFIG, "specs": specs}).replace("</", "<\\/")
    return environment.get_template("page.html.jinja").render(
        scenarios=scenarios,
        failed=[scenario for scenario in scenarios if not scenario["passed"]],
        delivered=sum(len(result.delivered) for result in results),
        style=Markup((HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
        script=Markup((HERE / "page.js").read_text(encoding="utf-8")),  # noqa: S704  our own file
        vega=Markup(_vega()),  # noqa: S704  the library itself
        data=Markup(data),  # noqa: S704  JSON, as just made safe
    )


def _scenario(number: int, result: Result, specs: dict[str, Any]) -> dict[str, Any]:
    """The template's variables for one scenario; its plots are added to `specs` by their ids."""
    scenario, evidence = result.assignment.scenario, result.evidence
    if evidence is None:
        raise ValueError(f"{result.assignment.name} was played without evidence")
    prefix = f"s{number}"
    span = plots.Span(scenario.start, scenario.minutes)
    drawn = [graph for graph in evidence.metrics if not graph.empty]
    tracks = [(graph.title, plots.metric(graph, span)) for graph in drawn]
    if bands := plots.alarms(result, span):
        tracks.append(("Alarms", bands))
    tracks.append(("Activity", plots.moments(result, span)))
    widgets = []
    for index, graph in enumerate(evidence.dashboard):
        widgets.append({"title": graph.title, "note": graph.note, "empty": graph.empty, "plot": f"{prefix}-d{index}"})
        specs[f"{prefix}-d{index}"] = plots.widget(graph, span)
    for index, (_, spec) in enumerate(tracks):
        specs[f"{prefix}-t{index}"] = spec
    return {
        "id": scenario.name + ("" if scenario.environment == result.assignment.environment else f"-{number}"),
        "number": number,
        "title": scenario.title,
        "name": scenario.name,
        "flow": result.assignment.flow.name,
        "environment": result.assignment.environment,
        "passed": result.passed,
        "missed": [dict(zip(("expected", "seen"), line.split("; seen "), strict=True)) for line in result.missed],
        "tracks": [{"title": title, "plot": f"{prefix}-t{index}"} for index, (title, _) in enumerate(tracks)],
        "messages": [
            {
                "clock": scenario.at(message.minute).strftime("%H:%M:%S"),
                "severity": message.severity,
                "kind": message.kind,
                "subject": message.subject,
                "recipients": list(message.recipients),
                "text": message.text.strip(),
            }
            for message in result.notifications
        ],
        "workflow": Markup(workflow.draw(evidence.definition, result)),  # noqa: S704  escaped where it is drawn
        "widgets": widgets,
        "timeline": [
            {"clock": scenario.at(moment.minute).strftime("%H:%M:%S"), "kind": moment.kind, "text": moment.text}
            for moment in result.timeline
        ],
    }


def _vega() -> str:
    """The plotting library as one script, cached because creating it takes seconds."""
    import vl_convert  # noqa: PLC0415  30 MB, and only reports need it

    kept = PROJECT / ".build" / f"vega-{version('vl-convert-python')}.js"
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"), encoding="utf-8")
    return kept.read_text(encoding="utf-8").replace("</script", "<\\/script")
