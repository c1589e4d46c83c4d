"""DEVICES.toml of panels, readers, scanners and keypads: where they stand, what shares a line, what is misspelt."""

import pytest

from drivers.devices_file import BadDevicesFile, read_devices

HEAD = 'schema = 1\nhall = "demo"\n'
PANEL = """[[device]]
id = "panel-1"
driver = "button-panel"
url = "hid:///dev/input/by-id/usb-Panel-event-kbd"
kiosks = ["kiosk-1"]
options = { buttons = [{ key = "KEY_1", service = "tax", lamp = 0 }] }
"""
READER = """[[device]]
id = "reader-1"
driver = "sam-v"
url = "serial:///dev/ttyUSB0?baud=115200"
kiosks = ["kiosk-1"]
"""
SCANNER = """[[device]]
id = "scanner-1"
driver = "scanner"
url = "serial:///dev/ttyUSB1"
windows = ["3"]
"""
PAD = """[[device]]
id = "pad-3"
driver = "hid-keypad"
url = "hid:///dev/input/by-id/usb-Pad-event-kbd"
windows = ["3"]
"""


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadDevicesFile) as bad:
        read_devices(HEAD + text)
    return [(each.line, each.en) for each in bad.value.problems]


def test_a_good_file_says_where_each_stands() -> None:
    found = {each.id: each for each in read_devices(HEAD + PANEL + READER + SCANNER + PAD).devices}
    assert [found[name].kiosks for name in ("panel-1", "reader-1")] == [("kiosk-1",)] * 2
    assert [dict(found[name].windows) for name in ("scanner-1", "pad-3")] == [{0: "3"}] * 2


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        (PANEL.replace('kiosks = ["kiosk-1"]\n', ""), 3, "it stands at one kiosk"),
        (PANEL.replace('["kiosk-1"]', '["kiosk-1", "kiosk-2"]'), 7, "it stands at one kiosk"),
        (PANEL.replace('kiosks = ["kiosk-1"]', 'kiosks = ["kiosk-1"]\nwindows = ["3"]'), 7, "it stands at one kiosk"),
        (SCANNER.replace('windows = ["3"]\n', ""), 3, "name one place"),
        (SCANNER + 'kiosks = ["kiosk-1"]\n', 8, "name one place"),
        (PAD.replace('["3"]', '["3", "4"]'), 7, "it stands at one window"),
        (READER.replace("?baud=115200", ""), 6, "url must say baud, for instance ?baud=115200"),
        (PANEL.replace("hid:///", "hid://"), 6, "three slashes"),
        (PANEL.replace("hid:///dev/input/by-id/usb-Panel-event-kbd", "gpio:?pull=left"), 6, "must be gpio:"),
        (PANEL.replace("service", "servise"), 8, "'servise' is not known"),
        (PANEL.replace("lamp = 0", 'lamp = "red"'), 8, "must be a whole number"),
    ],
)
def test_a_mistake_is_told_in_its_line(text: str, line: int, sentence: str) -> None:
    told = problems(text)
    assert told
    assert any(at == line and sentence in en for at, en in told), told


def test_a_reader_has_its_port_to_itself_and_a_panel_may_share_a_line() -> None:
    same = SCANNER.replace("serial:///dev/ttyUSB1", "serial:///dev/ttyUSB0?baud=115200")
    assert any("only strips, keypads and panels can share a line" in en for _, en in problems(READER + same))
    strips = """[[device]]
id = "strips-1"
driver = "modbus-strip"
url = "serial:///dev/ttyUSB2?baud=9600"
windows = { 5 = "3" }
options = { registers = [{ at = 0, holds = "number" }] }
"""
    module = PANEL.replace("button-panel", "modbus-panel").replace('"KEY_1"', "0")
    module = module.replace("hid:///dev/input/by-id/usb-Panel-event-kbd", "serial:///dev/ttyUSB2?baud=9600")
    assert len(read_devices(HEAD + strips + module).devices) == 2
