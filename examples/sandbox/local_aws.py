"""A local AWS for the demo, the sandbox and the end-to-end tests: MiniStack in a child process, and real stacks on it.

Its Lambda functions run on this interpreter with its packages, so the layer of third-party packages need not be built.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import ipaddress
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROOT = Path(__file__).resolve().parents[2]
REGION = "ap-northeast-2"
CERTIFICATE = "server.crt"
LOG = "ministack.log"
BUILT_FOR_LAMBDA = {"dependencies", "DependenciesLayer"}
"""Layers whose compiled code cannot run here: they are deployed empty."""

FOREIGN = ("AWS_", "LAMBDA_", "LOCALSTACK_", "MINISTACK_", "PERSIST_STATE", "S3_", "SERVICES", "SFN_")
"""How variables begin that may be set for another AWS, real or local, and would lead this one astray."""

ENDING_WITH_US = """
import os, runpy, shutil, signal, sys, threading
def watch():
    sys.stdin.buffer.read()
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module("ministack", run_name="__main__")
"""
"""MiniStack, ended with all its functions as soon as its standard input is closed: however we end, it ends too."""

T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T | None], timeout: float = 60, interval: float = 0.2) -> T:
    """The first true value of `condition`, asked every `interval` seconds; TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(interval)
    return value


@dataclass
class LocalAws:
    """A running MiniStack: a context manager, or to be ended by `stop`. At the latest it ends with this interpreter."""

    endpoint: str
    home: Path
    """A folder of its own for the log, the certificate and the unpacked functions; removed by `stop`."""
    process: subprocess.Popen[bytes]
    session: boto3.Session = field(default_factory=lambda: _session_of_root())

    @classmethod
    def start(cls, *, auth: bool = False, port: int | None = None) -> Self:
        """Starts MiniStack on `port`, or any free one.

        With `auth` it enforces policies, and each function has no more than its own role. Then it also speaks TLS,
        since the bucket's policy refuses anything else.
        """
        port = _free_port(port or 0)
        home = Path(tempfile.mkdtemp(prefix="dangol-aws-"))
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        settings = {
            "AUTH": "true" if auth else "false",
            "USE_SSL": "1" if auth else "0",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION,
            "POWERTOOLS_TRACE_DISABLED": "true",  # there is no X-Ray here
            "TMPDIR": str(home),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        if auth:
            settings |= _certified(home)
        with (home / LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", ENDING_WITH_US],
                env=inherited | settings,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group, for `stop` to end with all that it started
            )
        aws = cls(f"{'https' if auth else 'http'}://127.0.0.1:{port}", home, process)
        atexit.register(aws.stop)
        wait_for(f"MiniStack listens on port {port}", lambda: aws._listens(port), interval=0.05)
        return aws

    def _listens(self, port: int) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"MiniStack ended at once:\n{self.log(lines=30)}")
        with socket.socket() as caller:
            return caller.connect_ex(("127.0.0.1", port)) == 0

    def stop(self) -> None:
        """Ends MiniStack and every function it runs, at once: it keeps nothing that could be lost."""
        atexit.unregister(self.stop)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def log(self, lines: int) -> str:
        """The end of what MiniStack and the functions logged."""
        text = (self.home / LOG).read_text("utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def client(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        return self.session.client(service, **self._this_one)

    def resource(self, service: str) -> Any:
        """A boto3 resource of the account's root."""
        return self.session.resource(service, **self._this_one)

    @property
    def variables(self) -> dict[str, str]:
        """What leads another process here."""
        certificate = {"AWS_CA_BUNDLE": str(self.certificate)} if self.endpoint.startswith("https") else {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        } | certificate

    @property
    def _this_one(self) -> dict[str, Any]:
        directly = Config(proxies={})
        return {"endpoint_url": self.endpoint, "verify": str(self.certificate), "config": directly}

    @property
    def certificate(self) -> Path:
        """What an `https` endpoint shows for itself."""
        return self.home / CERTIFICATE

    def mails(self) -> list[dict[str, Any]]:
        """What SES took."""
        secure = self.endpoint.startswith("https")
        trusted = ssl.create_default_context(cafile=str(self.certificate)) if secure else None
        with urllib.request.urlopen(f"{self.endpoint}/_ministack/ses/messages", context=trusted) as answer:
            found = json.loads(answer.read())
        return [mail for mails in found["messages"].values() for mail in mails]

    def deploy(self, stack: str, template: Path = ROOT / "template.yaml", **parameters: str) -> dict[str, str]:
        """Creates a stack from the template, as it is or as `sam build` left it, and returns the stack's outputs."""
        cloudformation, s3, artifacts = self.client("cloudformation"), self.client("s3"), f"{stack}-artifacts"
        s3.create_bucket(Bucket=artifacts, CreateBucketConfiguration={"LocationConstraint": REGION})

        def upload(body: bytes) -> str:
            key = hashlib.sha256(body).hexdigest()
            s3.put_object(Bucket=artifacts, Key=key, Body=body)
            return key

        def packaged(uri: re.Match[str]) -> str:
            return f"{uri[1]}: s3://{artifacts}/{upload(_zipped(template.parent / uri[2]))}"

        text = re.sub(r"\b(CodeUri|ContentUri): (\S+)", packaged, template.read_text("utf-8"))
        cloudformation.create_stack(
            StackName=stack,
            TemplateURL=f"{self.endpoint}/{artifacts}/{upload(text.encode())}",
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )

        def created() -> Any:
            (description,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
            return None if description["StackStatus"].endswith("IN_PROGRESS") else description

        description = wait_for(f"the stack {stack} is created", created, timeout=120)
        if description["StackStatus"] != "CREATE_COMPLETE":
            events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
            failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
            causes = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed]
            raise RuntimeError("\n".join([f"the stack {stack} could not be created", *causes]))
        self._set_concurrency()
        return {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}

    def _set_concurrency(self) -> None:
        """Two messages of a queue at a time suit a small machine, and MiniStack fails on a number from a parameter."""
        functions = self.client("lambda")
        for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": 2})


def _session_of_root() -> boto3.Session:
    """With "test", MiniStack's root whom no policy binds, and none of the settings made for the real AWS."""
    nothing, nowhere = (None, None, None, None), (None, None, os.devnull, None)
    plain = botocore.session.Session({"profile": nothing, "config_file": nowhere, "credentials_file": nowhere})
    return boto3.Session("test", "test", region_name=REGION, botocore_session=plain)


def _certified(home: Path) -> dict[str, str]:
    """Makes a certificate of our own, which spares the command `openssl`; the variables that tell of it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Dangol's local AWS")])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = home / CERTIFICATE, home / "server.key"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    # The last is for its functions: they call no other host.
    return {"MINISTACK_SSL_CERT": str(path), "MINISTACK_SSL_KEY": str(key_path), "AWS_CA_BUNDLE": str(path)}


def _free_port(wanted: int) -> int:
    """The wanted port, or any for 0; OSError if another process listens on it."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of an ended one may linger
        listener.bind(("127.0.0.1", wanted))
        return int(listener.getsockname()[1])


def _zipped(folder: Path) -> bytes:
    """The folder as Lambda takes it, with what its links lead to."""
    if not folder.is_dir():
        raise FileNotFoundError(folder)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for parent, folders, names in os.walk(folder, followlinks=True):
            folders[:] = [] if folder.name in BUILT_FOR_LAMBDA else [name for name in folders if name != "__pycache__"]
            for name in names:
                zipped.write(Path(parent, name), Path(parent, name).relative_to(folder))
    return archive.getvalue()
