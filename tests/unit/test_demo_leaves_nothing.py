"""However the demo ends, its local AWS ends with it."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from examples.sandbox import demo
from examples.sandbox.local_aws import ROOT, LocalAws, wait_for

HOLD = """
import time
from examples.sandbox.local_aws import LocalAws
aws = LocalAws.start()
print(aws.endpoint, aws.home, flush=True)
time.sleep(60)
"""


def listens(endpoint: str) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", urlsplit(endpoint).port or 0)) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_local_aws_ends_with_the_process_that_started_it(how: signal.Signals) -> None:
    pytest.importorskip("ministack")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        endpoint, home = process.stdout.readline().split()
        assert listens(endpoint)
        process.send_signal(how)
    wait_for("the local AWS ends", lambda: not listens(endpoint), timeout=10)
    wait_for("its folder is removed", lambda: not Path(home).exists(), timeout=10)


def test_the_local_aws_makes_its_certificate_without_the_command_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ministack")
    monkeypatch.setenv("PATH", "/nowhere")
    with LocalAws.start(auth=True) as aws:
        assert aws.endpoint.startswith("https:")
        assert aws.client("s3").list_buckets()["Buckets"] == []


def test_without_the_file_of_the_second_shop_there_is_one_shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shops = [shop.stack for shop, _ in demo._shops(tmp_path, tmp_path / "cdnow.csv.gz")]
    assert shops == ["dangol-fashion"]
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert "left out" in line


def test_a_file_that_is_not_there_is_an_unusable_option(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        demo.main(["--cdnow", str(tmp_path / "nothing.csv")])
