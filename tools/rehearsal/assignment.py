"""Assigns scenarios to their own flows, or to those of another environment. Pure.

A scenario fits a flow that has what it needs: the number of sources, the metrics that it requires, and the `on_air`
setting. Metrics that a flow does not have are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from settings import Environment, Flow
from tools.rehearsal.metrics import emits
from tools.rehearsal.scenario import BREAKS, Event, Scenario, ScenarioError


@dataclass(frozen=True, slots=True)
class Assignment:
    """A scenario, and the flow that plays it."""

    scenario: Scenario
    environment: str
    flow: Flow

    @property
    def name(self) -> str:
        """Scenario, environment and flow, as a person would name the rehearsal."""
        return f"{self.scenario.name} on {self.flow.name} ({self.environment})"


def at_home(scenarios: Sequence[Scenario], environments: Mapping[str, Environment]) -> list[Assignment]:
    """Each scenario on its own flow.

    Args:
        scenarios: what is to be played.
        environments: those that the scenarios name, by name.

    Raises:
        ScenarioError: for each whose environment has no such flow, or whose flow lacks what it needs.
    """
    assignments, problems = [], []
    for scenario in scenarios:
        flows = {flow.name: flow for flow in environments[scenario.environment].flows}
        flow = flows.get(scenario.flow)
        if flow is None:
            problems.append(
                f'{scenario.place("flow")}: no flow "{scenario.flow}" in {scenario.environment}. '
                f"Flows: {', '.join(flows)}."
            )
        elif lacks := list(_lacks(scenario, flow, environments[scenario.environment])):
            words = " and ".join(lacks)
            problems.append(f"{scenario.place('flow')}: the flow {flow.name} ({scenario.environment}) {words}.")
        else:
            assignments.append(Assignment(scenario, scenario.environment, flow))
    if problems:
        raise ScenarioError("\n".join(problems))
    return assignments


def fitting(scenarios: Sequence[Scenario], environment: Environment) -> tuple[list[Assignment], list[str]]:
    """Each scenario on every flow of one environment that it fits, and why not on others.

    Raises:
        ScenarioError: none fits any flow.
    """
    assignments, left_out = [], []
    for scenario in scenarios:
        for flow in environment.flows:
            lacks = list(_lacks(scenario, flow, environment))
            if lacks:
                left_out.append(f"{scenario.name}: {flow.name} {' and '.join(lacks)}")
            else:
                assignments.append(Assignment(scenario, environment.name, flow))
    if not assignments:
        raise ScenarioError("\n".join([f"No scenario fits a flow of {environment.name}:", *left_out]))
    return assignments, left_out


def _lacks(scenario: Scenario, flow: Flow, environment: Environment) -> Iterator[str]:
    """What a flow lacks to play a scenario, each once."""
    yield from dict.fromkeys([*_all_lacks(scenario, flow), *_not_ours(scenario, environment)])


def _not_ours(scenario: Scenario, environment: Environment) -> Iterator[str]:
    """What a scenario breaks that the environment does not create."""
    targets = {fault.target for fault in scenario.faults if fault.target in BREAKS}
    if "key" in targets and environment.existing_key_arn:
        yield "uses a key of your own (existing_key_arn), which the local AWS does not have"
    if targets - {"key"} and environment.existing_topic_arn:
        yield "notifies through a topic of your own (existing_topic_arn), which the local AWS does not have"


def _all_lacks(scenario: Scenario, flow: Flow) -> Iterator[str]:
    sources = [flow.source.name, *([flow.backup_source.name] if flow.backup_source else [])]
    if scenario.sources and len(sources) != scenario.sources:
        yield f"has {len(sources)} source(s), not {scenario.sources}"
    if scenario.needs.on_air not in {None, flow.on_air}:
        yield f'is on_air = "{flow.on_air}", not "{scenario.needs.on_air}"'
    absent = [metric for metric in scenario.needs.metrics if not emits(flow, metric)]
    if absent:
        yield f"emits no {', '.join(absent)}"
    for event in scenario.events:
        yield from _unnamed(event, sources, list(flow.outputs))


def _unnamed(event: Event, sources: Sequence[str], outputs: Sequence[str]) -> Iterator[str]:
    for what, named, known in (("source", event.source, sources), ("output", event.output, outputs)):
        absent = named > len(known) if isinstance(named, int) else named is not None and named not in known
        if absent:
            yield f"has no {what} {named}, only {', '.join(known)}" if known else f"has no {what}"
