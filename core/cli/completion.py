"""`oto completion`: scripts that let a shell complete commands and options, written out from the parsers themselves."""

from __future__ import annotations

from argparse import Action, _HelpAction
from typing import TYPE_CHECKING, Final

from core.cli.command import Answer, Command

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable

    from core.cli.console import Console


def _options(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SHELLS))


def _completion(options: Namespace, _console: Console) -> Answer:
    script = SHELLS[options.shell](_known())
    return Answer({"shell": options.shell, "script": script}, script)


def _known() -> dict[str, tuple[str, dict[str, str], tuple[str, ...]]]:
    """Every command with its summary, its options with their help, and the words that it can be followed by."""
    from core.cli.main import MODULE_OF, command, parser_of

    known = {}
    for name in MODULE_OF:
        actions: list[Action] = parser_of(name)._actions
        flags = {
            flag: "show help" if isinstance(action, _HelpAction) else (action.help or "").replace("%(default)s", "")
            for action in actions
            for flag in action.option_strings
            if flag.startswith("--")
        }
        words = tuple(str(word) for action in actions if not action.option_strings for word in (action.choices or ()))
        known[name] = (command(name).summary, flags, words)
    return known


Known = dict[str, tuple[str, dict[str, str], tuple[str, ...]]]


def _bash(known: Known) -> str:
    cases = "\n".join(
        f"    {name}) words='{' '.join([*flags, *words])}' ;;" for name, (_, flags, words) in known.items()
    )
    return f"""\
# Completion of oto for bash. Use it with: source <(oto completion bash)
_oto() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W '{" ".join(known)}' -- "$current")
    return
  fi
  case ${{COMP_WORDS[1]}} in
{cases}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; compgen -f -- "$current")
}}
complete -o filenames -o nosort -F _oto oto"""


def _zsh(known: Known) -> str:
    commands = "\n".join(f"    {_quoted(f'{name}:{summary}')}" for name, (summary, _, _) in known.items())
    cases = "\n".join(
        f"    {name}) _arguments "
        + " ".join(
            [_quoted(f"{flag}[{_plain(help)}]") for flag, help in flags.items()]
            + ([_quoted(f"*:word:({' '.join(words)})")] if words else [_quoted("*:file:_files")])
        )
        + " ;;"
        for name, (_, flags, words) in known.items()
    )
    return f"""\
#compdef oto
# Completion of oto for zsh. Use it with: source <(oto completion zsh)
_oto() {{
  local -a commands=(
{commands}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
{cases}
  esac
}}
compdef _oto oto"""


def _fish(known: Known) -> str:
    lines = ["# Completion of oto for fish. Use it with: oto completion fish | source"]
    for name, (summary, flags, words) in known.items():
        lines.append(f"complete -c oto -n __fish_use_subcommand -f -a {name} -d {_quoted(summary)}")
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c oto {seen} -l {flag[2:]} -d {_quoted(help)}" for flag, help in flags.items()]
        lines += [f"complete -c oto {seen} -f -a {word}" for word in words]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """One word for zsh and fish; both take a typographic apostrophe as a letter."""
    return "'" + text.replace("'", "’") + "'"


def _plain(text: str) -> str:
    """Without what zsh's _arguments reads as syntax."""
    return text.replace("[", "(").replace("]", ")").replace(":", " -")


SHELLS: Final[dict[str, Callable[[Known], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}

COMMANDS = {
    "completion": Command(
        "completion for bash, zsh or fish",
        "Print a script that lets the shell complete the commands and options of oto.",
        (
            "source <(oto completion bash)",
            "oto completion fish > ~/.config/fish/completions/oto.fish",
        ),
        _options,
        _completion,
    ),
}
