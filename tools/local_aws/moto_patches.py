"""Replaces parts of moto, and notices when a part is no longer what its replacement was written for.

The only place that assigns to moto's classes and modules. What a replacement does belongs to its gap.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

NOTHING: Final = "not in moto"


@dataclass(frozen=True, slots=True)
class Patch:
    """One part of moto that a gap replaces or adds.

    Attributes:
        owner: the class or module, or the dictionary, that holds the part.
        name: of the attribute, or the key.
        expected: the signature that the replacement was written for, as far as it uses the parameters: the others are
            `...`; `NOTHING` for what moto lacks.
        found: the signature that the installed moto has.
        make: gives the replacement for moto's own part.
    """

    owner: Any
    name: str
    expected: str
    found: str
    make: Callable[[Any], Any]

    @property
    def problem(self) -> str | None:
        """What differs from what the gap was written for, and what to do about it; None if nothing does."""
        known, rest, _ = self.expected.partition("...")
        if self.found == self.expected or (rest and self.found.startswith(known)):
            return None
        part = f"{getattr(self.owner, '__name__', 'url_paths')}.{self.name}"
        module = getattr(self.owner, "__module__", "moto")
        if self.expected == NOTHING:
            return f"moto now has {part} ({module}). Delete this part of the gap if its tests pass without it."
        if self.found == NOTHING:
            return f"{part} ({module}) is gone. Find what replaced it in moto, and replace that instead."
        return f"{part} ({module}) has the signature {self.found}, and the gap was written for {self.expected}."

    def apply(self) -> None:
        """Put the replacement into moto."""
        if isinstance(self.owner, dict):
            self.owner[self.name] = self.make(self.owner.get(self.name))
            return
        static = isinstance(inspect.getattr_static(self.owner, self.name, None), staticmethod)
        made = self.make(getattr(self.owner, self.name, None))
        setattr(self.owner, self.name, staticmethod(made) if static else made)


class Gap:
    """The parts of moto that one module replaces, in the order in which they are applied."""

    def __init__(self, module: str) -> None:
        self.name = module.rpartition(".")[2]
        self.patches: list[Patch] = []
        self._installed = False

    def exchange(self, owner: Any, name: str, signature: str, make: Callable[[Any], Any]) -> None:
        """Replace a part by what `make` makes of it."""
        self.patches.append(Patch(owner, name, signature, _signature(owner, name), make))

    def replaces(self, owner: Any, name: str, signature: str) -> Callable[[Any], Any]:
        """Decorate what is there instead of a part."""

        def decorate(replacement: Any) -> Any:
            self.exchange(owner, name, signature, lambda _: replacement)
            return replacement

        return decorate

    def wraps(self, owner: Any, name: str, signature: str) -> Callable[[Any], Any]:
        """Decorate a function that is called instead of a part, with moto's own as its first argument."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            def wrap(own: Callable[..., Any]) -> Callable[..., Any]:
                def wrapper(*args: Any, **kwargs: Any) -> Any:
                    return function(own, *args, **kwargs)

                return wrapper

            self.exchange(owner, name, signature, wrap)
            return function

        return decorate

    def adds(self, owner: Any, name: str) -> Callable[[Any], Any]:
        """Decorate what moto lacks."""
        return self.replaces(owner, name, NOTHING)

    def install(self) -> None:
        """Apply all patches, once for the process.

        Raises:
            RuntimeError: the installed moto is not what the gap was written for; nothing is applied.
        """
        if self._installed:
            return
        if problems := self.problems():
            raise RuntimeError("\n".join(problems))
        for patch in self.patches:
            patch.apply()
        self._installed = True

    def problems(self) -> list[str]:
        """One sentence for each part of moto that is not what it was; empty if all are."""
        return [f"Gap {self.name}: {patch.problem}" for patch in self.patches if patch.problem]


def _signature(owner: Any, name: str) -> str:
    """Names and defaults of parameters, without annotations; the type of what cannot be called."""
    part = owner.get(name) if isinstance(owner, dict) else getattr(owner, name, None)
    if part is None:
        return NOTHING
    if not callable(part):
        return type(part).__name__
    signature = inspect.signature(part)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))
