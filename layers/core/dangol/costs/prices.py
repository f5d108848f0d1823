"""The prices of AWS: `prices.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import yaml

from dangol.document import Document, nearest
from dangol.errors import DangolError

PRICES_FILE = "prices.yaml"
MILLION = 1_000_000
UNITS: Mapping[str, tuple[int, str]] = {
    "emails": (1_000, "SES, e-mails"),
    "notifications": (MILLION, "SNS, pushes and what becomes of e-mails"),
    "dynamodb_writes": (MILLION, "DynamoDB, write units"),
    "dynamodb_reads": (MILLION, "DynamoDB, read units"),
    "dynamodb_storage": (1, "DynamoDB, GB kept"),
    "lambda_gb_seconds": (MILLION, "Lambda, GB-seconds"),
    "lambda_requests": (MILLION, "Lambda, invocations"),
    "queue_requests": (MILLION, "SQS, requests"),
    "events": (MILLION, "EventBridge, events"),
    "scheduler": (MILLION, "EventBridge Scheduler, invocations"),
    "s3_writes": (MILLION, "S3, PUT and LIST"),
    "s3_reads": (MILLION, "S3, GET"),
    "s3_storage": (1, "S3, GB kept"),
    "transitions": (MILLION, "Step Functions, transitions"),
    "alarms": (1, "CloudWatch, alarms"),
    "dashboards": (1, "CloudWatch, dashboards"),
    "secrets": (1, "Secrets Manager, secrets"),
}
"""What is paid for → (how many of it a price is for, what it is called)."""
_MOST = 10_000.0
Usage = Mapping[str, float]
"""How much of each of UNITS is used; what is not used is left out."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill."""

    what: str
    """Of UNITS."""
    quantity: float
    usd: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Those of one region: of each of UNITS in US dollars, for as many as UNITS says."""

    region: str
    usd: Mapping[str, float]

    def bill(self, usage: Usage) -> tuple[Line, ...]:
        """What usage costs, the dearest first."""
        lines = (
            Line(what, usage[what], usage[what] / UNITS[what][0] * self.usd[what]) for what in UNITS if what in usage
        )
        return tuple(sorted(lines, key=lambda line: -line.usd))

    def total(self, usage: Usage) -> float:
        """Its sum, in US dollars."""
        return sum(line.usd for line in self.bill(usage))


@dataclass(frozen=True, slots=True)
class PriceList:
    """All of the file."""

    region: str
    """Whose prices count unless another is asked for."""
    regions: Mapping[str, Prices]

    def of(self, region: str | None = None) -> Prices:
        """The prices of a region. Raises DangolError for one that is not listed."""
        name = region or self.region
        if name not in self.regions:
            raise DangolError(
                f"no prices of region '{name}'; {nearest(name, self.regions)}; {PRICES_FILE} may have others"
            )
        return self.regions[name]


def default_prices() -> PriceList:
    """Those shipped with Dangol."""
    text = (files("dangol") / "defaults" / PRICES_FILE).read_bytes()
    return load_prices(text, f"config/{PRICES_FILE}")


def load_prices(text: bytes, file: str) -> PriceList:
    """Read prices. Raises InvalidConfiguration with every problem found, each with its line."""
    document = Document(text, file)
    found = document.fields(document.root, ("region", "regions"), ("region", "regions"), "the file")
    regions = _regions(document, found["regions"]) if "regions" in found else {}
    region = document.choice(found["region"], regions, "region") if "region" in found and regions else ""
    document.close()
    return PriceList(region, regions)


def _regions(document: Document, node: yaml.Node) -> dict[str, Prices]:
    if not isinstance(node, yaml.MappingNode) or not node.value:
        document.note(node, "'regions' must be a mapping of regions to their prices")
        return {}
    return {
        document.text(name, "a region"): _prices(document, document.text(name, "a region"), of)
        for name, of in node.value
    }


def _prices(document: Document, region: str, node: yaml.Node) -> Prices:
    found = document.fields(node, tuple(UNITS), tuple(UNITS), f"'{region}'")
    return Prices(region, {what: document.number(value, 0, _MOST, f"'{what}'") for what, value in found.items()})
