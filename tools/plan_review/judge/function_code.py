"""Which files of the functions change, where both versions of their package are known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from tools.plan_review.findings import Finding, Rank
from tools.plan_review.plan import Change

FilesOf = Callable[[str], Mapping[str, str] | None]
"""The hash of each file in the functions' zip, for the digest of the zip; None if that zip is not known."""
DIGEST_SHOWN: Final = 12


def findings(changes: Sequence[Change], files_of: FilesOf) -> Iterator[Finding]:
    """One finding for each function with new code."""
    for change in changes:
        if change.type != "aws_lambda_function" or not change.before or not change.after or change.action == "no-op":
            continue
        old, new = (_digest(str(state.get("s3_key", ""))) for state in (change.before, change.after))
        hashes = [state.get("source_code_hash") for state in (change.before, change.after)]
        if old == new and hashes[0] == hashes[1] and not change.is_unknown("source_code_hash"):
            continue
        which = _changed_files(files_of(old), files_of(new))
        sentence = f"the functions run new code ({new[:DIGEST_SHOWN]} instead of {old[:DIGEST_SHOWN]}): {which}"
        yield Finding(rank=Rank.CODE, sentence=sentence, causes=(change.cause,))


def _changed_files(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> str:
    if old is None or new is None:
        return "the changed files are not known, because neither this folder nor its Git history has both versions"
    groups = {
        "changed": sorted(name for name in old if name in new and old[name] != new[name]),
        "added": sorted(set(new) - set(old)),
        "removed": sorted(set(old) - set(new)),
    }
    return "; ".join(f"{word}: {', '.join(names)}" for word, names in groups.items() if names) or "no file differs"


def _digest(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".zip")
