"""`oto engine`, `oto worker`: the processes themselves, for a service manager or another terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.cli.command import Answer, Command, number

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from core.cli.console import Console


def _engine_options(parser: ArgumentParser) -> None:
    parser.add_argument("--device", metavar="D", help="interface to use; 'sim' is the simulated band")
    parser.add_argument("--socket", metavar="FILE", help="where to listen (default: $OTO_HOME/engine.sock)")
    parser.add_argument("--no-workers", action="store_true", help="leave jobs to workers that are started elsewhere")
    parser.add_argument("--resume", action="store_true", help="go on with a take that a crash interrupted a moment ago")
    parser.add_argument("--exit-when-idle", type=number, metavar="SECONDS", help="end after this long without clients")
    parser.add_argument("--stop", action="store_true", help="end the running engine; it finishes its take first")


def _engine(options: Namespace, _console: Console) -> Answer:
    if options.stop:
        from core.cli.link import end_engine

        end_engine()
        return Answer({"ended": True}, "The engine has ended.")
    from core.engine.main import main

    arguments: list[str] = []
    if options.device is not None:
        arguments += ["--device", options.device]
    if options.socket is not None:
        arguments += ["--socket", options.socket]
    if options.no_workers:
        arguments.append("--no-workers")
    if options.resume:
        arguments.append("--resume")
    if options.exit_when_idle is not None:
        arguments += ["--exit-when-idle", str(options.exit_when_idle)]
    code = main(arguments)
    return Answer({"ended": True}, "", code)


def _worker_options(parser: ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="end after one job, or when there is none")
    parser.add_argument(
        "--exit-when-idle",
        type=number,
        nargs="?",
        const=0.0,
        metavar="SECONDS",
        help="end when the queue is empty, or has been for this long",
    )


def _worker(options: Namespace, _console: Console) -> Answer:
    from core.client import Client
    from core.jobs.worker import run

    if options.once or options.exit_when_idle is not None:
        Client().close()  # such a worker waits for no engine: its absence is told here
    code = run(once=options.once, exit_when_idle=options.exit_when_idle)
    return Answer({"ended": True}, "", code)


COMMANDS = {
    "engine": Command(
        "run the engine in this terminal",
        "Run the engine: it captures, plays, meters and keeps the queue of jobs, and listens at\n"
        "$OTO_HOME/engine.sock. SIGTERM or Ctrl-C finishes a running take first. Other commands\n"
        "start one by themselves when they need it.",
        ("oto engine", "oto engine --device sim", "oto engine --stop"),
        _engine_options,
        _engine,
    ),
    "worker": Command(
        "run a worker in this terminal",
        "Run a worker: it takes jobs (analyse, mix, master, export) from the engine, one at a time, at the lowest\n"
        "priority. It may be ended at any moment; its job goes back to the queue.",
        ("oto worker", "oto worker --exit-when-idle"),
        _worker_options,
        _worker,
    ),
}
