"""docs/devices.md says what the code does: its tables are drawn from it, its examples run."""

import re
from pathlib import Path

from drivers import reference
from drivers.devices_file import read_devices
from drivers.driver import Wiring
from drivers.faults import Health
from drivers.jobs import read_window


def text(root: Path) -> str:
    return (root / "docs" / "devices.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code(root: Path) -> None:
    assert reference.page(text(root)) == text(root), "run: python -m drivers.reference"


def test_the_example_file_is_good(root: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", text(root), re.DOTALL)
    assert example
    drivers = {device.driver for device in read_devices(example[1]).devices}
    assert drivers == {"escpos", "onbon-bx5", "ff68", "speech"}, "one example per driver"


def test_the_example_driver_works(root: Path) -> None:
    example = next(
        code for code in re.findall(r"```python\n(.*?)```", text(root), re.DOTALL) if "ExampleStrips" in code
    )
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(example, "docs/devices.md", "exec"), names)
    strips = names["ExampleStrips"](Wiring(device="s", url="tcp://h:1", options=None, windows={5: "7"}))  # type: ignore[operator]  # of the page
    window = {"window": "7", "name": {"zh": "7"}, "status": "calling", "waiting": 0}
    strips.show(
        read_window({**window, "current": {"ticket": "t", "label": "A012", "service": {"zh": "税"}, "call_count": 1}})
    )
    assert strips.due(0.0) == b"\x02\x05A012\x03"
    assert strips.due(0.1) == b""
    strips.line_up(1.0)
    assert strips.due(1.0) == b"\x02\x05A012\x03"
    assert strips.health(1.0) == Health()
