"""What README and docs say is there: links, commands with their options, keys, settings."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.main import MODULE_OF, parser_of
from core.errors import OtoError
from core.settings import Settings
from tui.actions import ACTIONS, shown_key

REPOSITORY = Path(__file__).parents[1]
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").glob("*.md"))]
LAUNCHER_WORDS = {"test", "check"}
"""What `./oto` does itself before there is an environment."""

CALL = re.compile(r"(?:sudo )?(?:\S*/)?oto (\S.*)$")
REMARK = re.compile(r"\s{2,}")
"""What stands behind a command, for the reader."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def links(text: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(text: str) -> list[list[str]]:
    """Every `oto ...` of a page, in code blocks and in running text, as words; remarks after it are left out."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", prose)]
    calls = (CALL.match(REMARK.split(line.strip())[0]) for line in lines)
    return [shlex.split(call[1]) for call in calls if call]


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        if ":" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


@every_page
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for words in command_lines(page.read_text()):
        if not words or words[0].startswith("-") or words[0] in LAUNCHER_WORDS or not words[0].islower():
            continue
        name = words[0]
        for part in name.split("|"):  # "oto rec|stop|mark"
            assert part in MODULE_OF, f"oto {' '.join(words)}"
        known = options_of(parser_of(name.split("|")[0]))
        used = {re.match(r"--[\w-]+", word)[0] for word in re.findall(r"--[\w-]+", " ".join(words))}  # type: ignore[index]
        assert used <= known, f"oto {' '.join(words)}"


def runnable(page: Path) -> list[list[str]]:
    """The command lines of a page that a person could type as they stand."""
    return [
        words
        for words in command_lines(page.read_text())
        if words
        and words[0] in MODULE_OF
        and len(words) > 1
        and not re.search(r"[\[\]|…]|\.\.\.|\b[A-Z]\b", " ".join(words))
    ]


@pytest.mark.parametrize("name", ["README.md", "docs/recording.md", "docs/hardware.md", "docs/mixing.md"])
def test_the_examples_are_understood_as_they_stand(name: str) -> None:
    examples = runnable(REPOSITORY / name)
    assert examples
    for words in examples:
        try:
            parser_of(words[0]).parse_args([word for word in words[1:] if word != "--json"])
        except OtoError as error:
            pytest.fail(f"oto {' '.join(words)}: {error.message}")


@every_page
def test_every_setting_that_is_named_exists(page: Path) -> None:
    for words in command_lines(page.read_text()):
        if words[:1] == ["settings"] and len(words) > 1 and words[1].islower():
            assert words[1] in Settings.__struct_fields__, " ".join(words)


def key_table(page: Path) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", page.read_text(), re.MULTILINE)


def test_every_key_of_the_readme_is_in_the_registry() -> None:
    known = {shown_key(key) for action in ACTIONS for key in action.keys}
    keys = key_table(REPOSITORY / "README.md")
    assert len(keys) > 10
    assert set(keys) <= known


def test_pictures_are_small_and_need_nothing_from_elsewhere() -> None:
    pictures = sorted((REPOSITORY / "docs/pictures").glob("*.svg"))
    assert pictures
    for photo in (REPOSITORY / "docs/pictures").glob("*.png"):
        assert photo.stat().st_size < 250_000
        assert any(photo.name in page.read_text() for page in PAGES), f"{photo.name} is shown nowhere"
    for picture in pictures:
        text = picture.read_text()
        assert len(text) < 150_000
        assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
        assert any(picture.name in page.read_text() for page in PAGES), f"{picture.name} is shown nowhere"
