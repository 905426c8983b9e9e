"""`media-workflow bench-rehearsal`."""

from tools.cli.shared import print_line


def bench_rehearsal() -> None:
    """Measure how long all scenarios take, and one more."""
    from tools.rehearsal.bench import measure

    for what, seconds in measure(print_line).items():
        print_line(f"{what}: {seconds:.1f} s")
