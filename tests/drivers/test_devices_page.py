"""docs/devices.md says what the code does: its tables are drawn from it, its examples run."""

import re
from pathlib import Path

from drivers import reference
from drivers.devices_file import read_devices
from drivers.driver import StateDriver, Wiring
from drivers.faults import Health
from drivers.jobs import TakeNumber, WindowPicture, read_window
from drivers.led import template
from drivers.led.options import StripOptions
from drivers.panel.options import Button, PanelOptions


def text(root: Path) -> str:
    return (root / "docs" / "devices.md").read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code(root: Path) -> None:
    assert reference.page(text(root)) == text(root), "run: python -m drivers.reference"


def test_the_example_file_is_good(root: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", text(root), re.DOTALL)
    assert example
    drivers = {device.driver for device in read_devices(example[1]).devices}
    assert drivers == {"escpos", "onbon-bx5", "ff68", "speech"}, "one example per driver"


def test_every_example_of_a_device_is_good(root: Path) -> None:
    examples = [code for code in re.findall(r"```toml\n(.*?)```", text(root), re.DOTALL) if "[[device]]" in code]
    head = 'schema = 1\nhall = "x"\n'
    found = [read_devices(code if "schema" in code else head + code).devices for code in examples]
    drivers = {device.driver for devices in found for device in devices}
    assert {"onbon-bx5", "modbus-strip", "template"} <= drivers


def test_the_worked_example_of_a_template_sends_what_the_page_says(root: Path) -> None:
    page = text(root)
    example = next(code for code in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if '"template"' in code)
    (device,) = read_devices('schema = 1\nhall = "x"\n' + example).devices
    said = re.search(r"Strip 3 is sent for 请 A012 号\n\n    ([0-9A-F ]+)\n", page)
    assert said
    strips = template.make(Wiring(device="s", url=device.url, options=device.options, windows=device.windows))  # type: ignore[arg-type]  # of the page
    strips.line_up(0.0)
    strips.show(_calling("12"))
    assert strips.due(0.0) == bytes.fromhex(said[1])
    strips.feed(bytes.fromhex("55 AA 03 E1 07"), 0.1)
    assert "error 7" in strips.health(0.2).faults[0].detail


def test_the_example_driver_works(root: Path) -> None:
    example = next(
        code for code in re.findall(r"```python\n(.*?)```", text(root), re.DOTALL) if "class Example" in code
    )
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(example, "docs/devices.md", "exec"), names)
    strips = names["make"](Wiring(device="s", url="tcp://h:1", options=StripOptions(), windows={5: "7"}))  # type: ignore[operator]  # of the page
    strips.line_up(0.0)
    strips.show(_calling("7"))
    assert strips.due(0.0) == b"\x02\x05A012\x03"
    assert strips.due(0.1) == b""
    strips.feed(b"\x00\x06", 0.2)
    strips.feed(b"\x05", 0.2)
    assert strips.due(1.0) == b""
    strips.line_up(2.0)
    assert strips.due(2.0) == b"\x02\x05A012\x03"
    assert strips.health(2.0) == Health()


def _calling(window: str) -> WindowPicture:
    shown = {"window": window, "name": {"zh": window}, "status": "calling", "waiting": 0}
    current = {"ticket": "t", "label": "A012", "service": {"zh": "税"}, "call_count": 1}
    return read_window({**shown, "current": current})


def test_the_example_of_a_box_of_buttons_works(root: Path) -> None:
    example = next(code for code in re.findall(r"```python\n(.*?)```", text(root), re.DOTALL) if "class Box" in code)
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(example, "docs/devices.md", "exec"), names)
    options = PanelOptions(buttons=(Button(key=3, service="tax"),))
    box: StateDriver = names["Box"](Wiring(device="box", url="serial:///x", options=options))  # type: ignore[operator]  # of the page
    box.line_up(0.0)
    assert box.feed(b"B1\rB", 1.0) == []
    assert box.feed(b"3\r", 1.0) == [TakeNumber(device="box", key="3", service="tax")]
    assert box.feed(b"B3\rB\rBx\r", 1.1) == []
