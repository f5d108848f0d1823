"""Commands of `dangol`, as a person types them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from examples.sandbox.local_aws import FOREIGN, LocalAws
from examples.sandbox.terminal import Terminal, wrapped


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A shell in a folder, in which `dangol` speaks to the local AWS."""

    aws: LocalAws
    folder: Path

    def run(self, command: str) -> str:
        """What `command` prints. RuntimeError if it cannot do its work (status 2, or a crash)."""
        program, *arguments = shlex.split(command)
        assert program == "dangol"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        caches = {"XDG_CACHE_HOME": str(self.aws.home / "cache")}
        done = subprocess.run(
            [sys.executable, "-m", "dangol", *arguments],
            cwd=self.folder,
            env=inherited | self.aws.variables | caches,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"$ {command}\n{done.stdout}{done.stderr}")
        return done.stdout.rstrip()


@dataclass(frozen=True, slots=True)
class Console:
    """Commands for one stack, shown as they are typed."""

    commands: CommandLine
    terminal: Terminal
    stack: str

    @property
    def folder(self) -> Path:
        """Where the commands are typed."""
        return self.commands.folder

    def show(self, command: str) -> None:
        """Run a command, and show what it prints."""
        self.terminal.show(f"$ {command}", wrapped(self.commands.run(command)))

    def show_on_stack(self, command: str) -> None:
        """The same with `--stack`."""
        self.show(f"{command} --stack {self.stack}")
