"""Write the tables of inputs and outputs into a Terraform module's README, from its `.tf` files.

`python -m tools.module_docs` writes `modules/mediaconnect_flow/README.md`. The tables stand between the marks that
terraform-docs uses, so that it could take over.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import hcl2

from components.paths import FLOW_MODULE

BEGIN: Final = "<!-- BEGIN_TF_DOCS -->"
END: Final = "<!-- END_TF_DOCS -->"


def written(readme: str, module: Path) -> str:
    """`readme` with the tables of `module` between the marks."""
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"the README has no place for the tables: add {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{tables(module)}{END}{after}"


def tables(module: Path) -> str:
    """Requirements, inputs and outputs of a module, in Markdown; required inputs first."""
    variables, outputs = blocks(module, "variable"), blocks(module, "output")
    (terraform,) = (block for path in sorted(module.glob("*.tf")) for block in _read(path).get("terraform", ()))
    providers = {
        name: _text(row["version"]) for name, row in terraform["required_providers"][0].items() if name[0] != "_"
    }
    lines = [
        *("## Requirements", "", "| Name | Version |", "|---|---|"),
        f"| terraform | {_text(terraform['required_version'])} |",
        *(f"| {name} | {version} |" for name, version in providers.items()),
        *("", "## Inputs", "", "| Name | Description | Type | Default |", "|---|---|---|---|"),
    ]
    for name, variable in sorted(variables.items(), key=lambda item: "default" in item[1]):
        kind = _type(variable["type"])
        short = f"[{re.sub(r'[({].*', '', kind)}](#type-of-{name})" if "{" in kind else kind
        default = f"`{_default(variable['default'])}`" if "default" in variable else "required"
        lines.append(f"| `{name}` | {_line(variable['description'])} | {short} | {default} |")
    for name, variable in variables.items():
        if "{" in (kind := _type(variable["type"])):
            lines += ["", f"### Type of `{name}`", "", "```hcl", indented(kind), "```"]
    lines += ["", "## Outputs", "", "| Name | Description |", "|---|---|"]
    lines += [f"| `{name}` | {_line(output['description'])} |" for name, output in outputs.items()]
    return "\n".join(lines) + "\n"


def blocks(module: Path, kind: str) -> dict[str, Mapping[str, Any]]:
    """The blocks of a kind by name, in the order of the files."""
    return {
        _text(name): content
        for path in sorted(module.glob("*.tf"))
        for block in _read(path).get(kind, ())
        for name, content in block.items()
    }


def indented(kind: str) -> str:
    """A type with each attribute of an object on a line of its own."""
    text, opened = "", ""
    for letter in kind.replace(", ", ","):
        opened += letter if letter in "{(" else ""
        opened = opened[:-1] if letter in "})" else opened
        line = "\n" + "  " * opened.count("{")
        if letter == "}":
            text += line + letter
        elif letter == ",":
            text += line if opened.endswith("{") else ", "
        else:
            text += letter + (line if letter == "{" else "")
    return text


def _read(path: Path) -> dict[str, Any]:
    return dict(hcl2.loads(path.read_text(encoding="utf-8")))


def _text(value: str) -> str:
    """A string without its quotes."""
    return value[1:-1].replace('\\"', '"') if value.startswith('"') else value


def _type(value: str) -> str:
    return value.removeprefix("${").removesuffix("}") if value.startswith("${") else _text(value)


def _default(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _line(value: str) -> str:
    """A description as one line."""
    text = re.sub(r"^<<-?(\w+)\n(.*)\n\s*\1$", r"\2", _text(value), flags=re.DOTALL)
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    page = FLOW_MODULE / "README.md"
    page.write_text(written(page.read_text(encoding="utf-8"), FLOW_MODULE), encoding="utf-8")
