"""What CloudFormation knows of a deployed stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from dangol.errors import DangolError

_UNKNOWN = "ValidationError"
"""What CloudFormation answers for a stack that is not there."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack as it was deployed."""

    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    def output(self, name: str) -> str:
        """One output. Raises DangolError for a stack of something else."""
        return self._of(self.outputs, name, "output")

    def parameter(self, name: str) -> str:
        """One parameter. Raises DangolError for a stack of something else."""
        return self._of(self.parameters, name, "parameter")

    def _of(self, known: Mapping[str, str], name: str, kind: str) -> str:
        if name not in known:
            raise DangolError(f"stack '{self.name}' has no {kind} '{name}'; is it one of Dangol, and up to date?")
        return known[name]


def deployment(client: Any, name: str) -> Deployment:
    """Ask for a stack by its name or ARN. Raises DangolError when there is none."""
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != _UNKNOWN:
            raise
        region = client.meta.region_name
        raise DangolError(
            f"there is no stack '{name}' in {region}; is it the right name, account and region?"
        ) from error
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in found.get("Parameters", ())}
    return Deployment(name, outputs, parameters)
