"""The AWS CLI as far as the documentation uses it: `python aws_cli.py SERVICE OPERATION [--option value ...]`.

Reads the names of services, operations and options from botocore, as the AWS CLI does, so that a misspelled one fails on
a machine without the AWS CLI, too. `--query` and `--output text` work as there.
"""

import json
import re
import sys
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name


def main(service: str, command: str, *words: str) -> str:
    """Call the operation at the endpoint of `AWS_ENDPOINT_URL`; what the AWS CLI prints."""
    client: Any = boto3.client(service)  # type: ignore[call-overload]  # any service
    model = client.meta.service_model
    (operation,) = (name for name in model.operation_names if xform_name(name, "-") == command)
    shapes = model.operation_model(operation).input_shape.members
    members = {f"--{xform_name(name, '-')}": name for name in shapes}
    given: dict[str, Any] = {}
    query, form, rest = "@", "json", list(words)
    while rest:
        option = rest.pop(0)
        if option == "--query":
            query = rest.pop(0)
        elif option == "--output":
            form = rest.pop(0)
        elif (name := members.get(option.replace("--no-", "--"))) and shapes[name].type_name == "boolean":
            given[name] = not option.startswith("--no-")
        else:
            name, value = members[option], rest.pop(0)
            given[name] = json.loads(value) if shapes[name].type_name in {"structure", "list", "map"} else value
    answer = getattr(client, xform_name(operation))(**given)
    answer.pop("ResponseMetadata", None)
    found = jmespath.search(query, answer)
    return str(found) if form == "text" else json.dumps(found, indent=4, default=str)


if __name__ == "__main__":
    sys.stdout.write(re.sub(r"\n*$", "\n", main(*sys.argv[1:])))
