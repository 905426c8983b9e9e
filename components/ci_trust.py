"""Trust policies of a pipeline's roles: GitHub workflows, by subject and audience of their tokens. Pure."""

from collections.abc import Sequence
from typing import Final

from components.iam import document
from settings import CiAccess

ISSUER: Final = "token.actions.githubusercontent.com"


def audiences(partition: str) -> list[str]:
    """Audiences of tokens: the common one, and in China also AWS's name there, as its GitHub action documents."""
    return ["sts.amazonaws.com", *(["sts.amazonaws.com.cn"] if partition == "aws-cn" else [])]


def subjects(access: CiAccess, *contexts: str) -> list[str]:
    """Subjects of GitHub's tokens for a repository in one of these contexts.

    Repositories that were created, renamed or transferred since 2026-07-15, or have opted in, are named together with
    their ids; others by name alone.

    Args:
        access: the repository.
        contexts: `pull_request`, or a kind and a value with a colon between. GitHub writes a colon within the value as
            `%3A`, since colons separate the parts.
    """
    owner, _, repository = access.repository.partition("/")
    named = [f"{owner}/{repository}"]
    if access.owner_id is not None and access.repository_id is not None:
        named.append(f"{owner}@{access.owner_id}/{repository}@{access.repository_id}")
    parts = [context.partition(":") for context in contexts]
    return [f"repo:{name}:{kind}{colon}{value.replace(':', '%3A')}" for name in named for kind, colon, value in parts]


def github_trust(provider_arn: str, *, audiences: Sequence[str], subjects: Sequence[str]) -> str:
    """Trust policy of a role for these subjects, compared literally: no part is a pattern."""
    return document(
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider_arn},
            "Condition": {"StringEquals": {f"{ISSUER}:aud": list(audiences), f"{ISSUER}:sub": list(subjects)}},
        }
    )
