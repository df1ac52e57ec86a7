"""Finding and making drivers: what exists works, what does not is named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sdl.capabilities import LiquidHandler
from sdl.errors import UserMistake
from sdl.model.action import operations_of
from sdl.model.data import JsonValue
from sdl.model.lab import Instrument
from sdl.shell.bench import Bench
from sdl.shell.offered import offered_by
from sdl.shell.plugins import DRIVERS, PROTOCOLS, SIMULATORS, construct, load

FILE = """
from __future__ import annotations

from collections.abc import Mapping


class Pump:
    def __init__(self, port: str, *, baud: int = 9600, rates: Mapping[str, float] = {}) -> None:
        if port == "gone":
            raise OSError("no such port")
        self.baud = baud


def helper_of_pumps() -> None:
    pass
"""


def pump(options: dict[str, JsonValue], driver: str = "./pump.py:Pump") -> Instrument:
    """A real instrument by path."""
    return Instrument(name="pump", driver=driver, simulated=False, options=options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A lab's folder with one driver in it."""
    (tmp_path / "pump.py").write_text(FILE)
    return tmp_path


def test_an_entry_point_is_loaded_with_its_version_and_hash(tmp_path: Path) -> None:
    loaded = load(SIMULATORS, "liquid-handler", tmp_path)
    assert isinstance(loaded.value, type)
    assert loaded.version
    assert len(loaded.sha256) == 64


def test_a_file_is_loaded_once_under_a_name_that_holds_its_hash(folder: Path) -> None:
    loaded = load(DRIVERS, "./pump.py:Pump", folder)
    sha256 = hashlib.sha256(FILE.encode()).hexdigest()
    assert loaded.sha256 == sha256
    assert isinstance(loaded.value, type)
    assert loaded.value.__module__.startswith(f"sdl_file_pump_{sha256}_")
    assert load(DRIVERS, "./pump.py:Pump", folder).value is loaded.value
    (folder / "pump.py").write_text(FILE + "\n# another version\n")
    assert load(DRIVERS, "./pump.py:Pump", folder).value is not loaded.value


@pytest.mark.parametrize(
    "group,reference,says",
    [
        (
            SIMULATORS,
            "liquid-handlr",
            r"no simulator 'liquid-handlr'; did you mean 'liquid-handler'",
        ),
        (PROTOCOLS, "xyz", r"no protocol 'xyz'; there are: crossed-barrel, dye-assay"),
        (DRIVERS, "./none.py:Pump", r"none.py cannot be read: No such file"),
        (DRIVERS, "./pump.py", r"names no class; write './pump.py:NameInThatFile'"),
        (
            DRIVERS,
            "./pump.py:Pmp",
            r"no 'Pmp' in it; did you mean 'Pump'\? There are: Pump, helper",
        ),
        (DRIVERS, "./syntax.py:Pump", r"syntax.py:2: invalid syntax"),
        (DRIVERS, "./raises.py:Pump", r"raises.py:3: running the file failed with KeyError: 'a'"),
        (
            DRIVERS,
            "./imports.py:Pump",
            r"imports.py:1: .*'syntax' lies beside it, but such files cannot import each other.*"
            r"repeat what is needed, or install it as a package",
        ),
    ],
)
def test_what_does_not_exist_is_named(folder: Path, group: str, reference: str, says: str) -> None:
    (folder / "syntax.py").write_text("x = 1\nclass Pump Pump:\n")
    (folder / "imports.py").write_text("from syntax import Pump\n")
    (folder / "raises.py").write_text("x = {}\n\nx['a']\n")
    with pytest.raises(UserMistake, match=says):
        load(group, reference, folder)


def test_options_are_typed_by_the_constructor(folder: Path) -> None:
    device, _ = construct(pump({"port": "a", "baud": "115200"}), folder, None)
    assert vars(device) == {"baud": 115200}


@pytest.mark.parametrize(
    "options,says",
    [
        ({"port": "a", "bauds": 1}, r"'pump': Pump has no option 'bauds'; did you mean 'baud'"),
        ({"port": "a", "x": 1}, r"no option 'x'; there are: port, baud, rates"),
        ({}, r"Pump needs the option port"),
        ({"port": "a", "baud": "fast"}, r"option baud: Input should be a valid integer.*'fast'"),
        ({"port": "a", "rates": {"x": "y"}}, r"option rates.x: Input should be a valid number"),
        ({"port": "gone"}, r"Pump cannot be made with these options: OSError: no such port"),
    ],
)
def test_a_wrong_option_is_named(folder: Path, options: dict[str, JsonValue], says: str) -> None:
    with pytest.raises(UserMistake, match=says):
        construct(pump(options), folder, None)


def test_a_function_is_no_driver(folder: Path) -> None:
    with pytest.raises(UserMistake, match="is no class"):
        construct(pump({}, "./pump.py:helper_of_pumps"), folder, None)


def test_a_simulator_must_take_name_and_bench(folder: Path) -> None:
    wrong = Instrument(name="pump", driver="./pump.py:Pump", simulated=True, options={"port": "a"})
    with pytest.raises(UserMistake, match="must accept name= and bench="):
        construct(wrong, folder, Bench.instant())


def test_a_simulator_is_given_name_and_bench(tmp_path: Path) -> None:
    right = Instrument(
        name="handler",
        driver="liquid-handler",
        simulated=True,
        options={"sources_ul": {"dye": 1000}},
    )
    bench = Bench.instant()
    construct(right, tmp_path, bench)
    assert bench.left("handler", "source dye") + bench.left("handler", "tips") > 0


class Plain:
    """Fits a contract by shape, with one type left out."""

    async def dispense(self, well, volumes_ul):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        ...

    async def transfer(self, source: str, target: str, volume_ul: float) -> None:
        """Has types of its own."""

    async def mix(self, well: str, volume_ul: float, cycles: int = 3) -> None:
        """Has a default of its own."""


class Half:
    """Lacks two methods of the contract."""

    async def dispense(self, well: str, volumes_ul: dict[str, float]) -> None:
        """Never offered."""


def test_a_class_without_marks_offers_the_contracts_that_it_fits() -> None:
    offered, contract = offered_by(Plain), operations_of(LiquidHandler)
    assert list(offered) == ["dispense", "transfer", "mix"]
    assert offered["dispense"] == contract["dispense"]
    assert offered["transfer"].parameters["source"] is str
    assert offered["mix"].required == {"well", "volume_ul"}
    assert {each.effect for each in offered.values()} == {"once"}
    assert offered_by(Half) == {}
