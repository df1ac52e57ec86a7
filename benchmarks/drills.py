"""Real processes killed by the hundred, and what was done twice, lost, or left open.

Campaigns of short actions (10 ms, four instruments, two nodes) in real processes, on a real broker
and a real database. Orchestrator, nodes, broker and planner are killed with SIGKILL, by a schedule
made from the seed, and kill themselves at every named point of the runtime; nodes and orchestrator
are frozen for 8 s; the lines to the broker are cut, left half open and slowed to 200 B/s;
PostgreSQL is stopped and started. What dies is started again. The drivers write what they do to a
file of its own, on disk before they go on. A scripted person looks into that file where the
orchestrator asks what became of an action, and answers over its HTTP API or the command line.
After some 25 kills the campaign is let come to its end, and all books are compared: the file, the
nodes' journal, the record. What is not clean is kept, and its folder told.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from common import arguments, machine, say, write_json
from sdl.testing.postgres import Postgres, postgres

sys.path.insert(0, str(Path(__file__).parents[1]))  # the drills of the tests are these
from tests.scenario.drill import Drill
from tests.scenario.drill_books import Tally
from tests.scenario.drill_place import Broker, Place


def drill(seed: int, kills: int, broker: Broker, server: Postgres | None) -> Tally:
    """One campaign, in a folder of its own that is kept if it is not clean."""
    folder = Path(tempfile.mkdtemp(prefix=f"drill-{seed}-"))
    url = f"sqlite:///{folder / 'record.sqlite'}" if server is None else server.add_database()
    place = Place(folder=folder, record_url=url)
    try:
        tally = Drill(place=place, seed=seed, broker=broker, postgres=server).run(kills)
    except AssertionError as stuck:
        tally = Tally(broken=[str(stuck)])
    if tally.is_clean:
        shutil.rmtree(folder)
        if server is not None:
            server.drop_database(url)
    else:
        say(f"seed {seed} is not clean, see {folder}:\n{tally.said()}")
    return tally


def show(tally: Tally) -> None:
    """Print the table."""
    print(f"{tally.rounds} campaigns, {tally.wall_s / 60.0:.1f} minutes")
    by_role = ", ".join(f"{role} {count}" for role, count in sorted(tally.kills.items()))
    print(f"  kills               {tally.kills.total()}: {by_role}")
    by_point = ", ".join(f"{point} {count}" for point, count in sorted(tally.crashes.items()))
    print(f"  of them by point    {tally.crashes.total()}: {by_point}")
    print(f"  other faults        {dict(tally.others)}")
    print(f"  commands            {tally.commands}, begun by their drivers {tally.actions}")
    print(
        f"  unknown             {tally.unknown}: had happened {tally.had_happened}, "
        f"had not {tally.had_not_happened} (of these half done {tally.half}); "
        f"answers of the person {tally.resolved}"
    )
    print(f"  done twice          {len(tally.doubles)}")
    print(f"  lost results        {len(tally.lost)}")
    print(f"  anything else       {len(tally.broken)}")


def main() -> None:
    """Drill, and print."""
    parser = arguments(__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first campaign")
    parser.add_argument("--per-campaign", type=int, default=25, help="kills of one campaign")
    parser.add_argument("--broker", choices=("mosquitto", "embedded"), default="mosquitto")
    parser.add_argument("--record", choices=("sqlite", "postgresql"), default="sqlite")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no process behind
    before, total, seed = machine(), Tally(rounds=0), int(chosen.seed)
    with ExitStack() as stack:
        server = stack.enter_context(postgres()) if chosen.record == "postgresql" else None
        while total.kills.total() < chosen.kills:
            left = min(chosen.per_campaign, chosen.kills - total.kills.total())
            total.add(drill(seed, left, chosen.broker, server))
            say(
                f"seed {seed}: {total.kills.total()} kills, {total.commands} commands, "
                f"{total.unknown} unknown, {len(total.doubles)} twice, {len(total.lost)} lost, "
                f"{len(total.broken)} broken, {total.wall_s / 60.0:.1f} minutes"
            )
            seed += 1
    if chosen.json:
        write_json(
            {"machine": before, "broker": chosen.broker, "record": chosen.record} | asdict(total)
        )
    else:
        print(before)
        print(f"{chosen.broker}, {chosen.record}")
        show(total)
    sys.exit(0 if total.is_clean else 1)


if __name__ == "__main__":
    main()
