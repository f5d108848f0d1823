"""A configuration folder on this machine."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dangol.errors import DangolError, UnreadableFile

if TYPE_CHECKING:
    from dangol.configuration import Configuration


def configuration_in(folder: Path) -> "Configuration":
    """Read a folder. Raises InvalidFiles with every problem, UnreadableFile where it is no configuration at all."""
    from dangol.configuration import KNOWN_FILES, files_of, load_configuration

    if not folder.is_dir():
        raise UnreadableFile(str(folder), "is not a folder; name one that holds segments.yaml")
    files = files_of(folder)
    if not files:
        raise UnreadableFile(str(folder), f"holds no configuration; its files are named {', '.join(KNOWN_FILES)}")
    return load_configuration(files, f"{folder}/")


def left_alone(folder: Path) -> list[str]:
    """Names of the YAML files in a folder that are no part of a configuration: perhaps misspelt."""
    from dangol.configuration import files_of

    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*.y*ml")}
    return sorted(found.difference(files_of(folder)))


def check_names(names: Iterable[str], folder: Path) -> None:
    """Raise DangolError for a name that leads out of the folder."""
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise DangolError(f"'{name}' of the live configuration leads out of {folder}; nothing was written")
