"""A USB printer without a device file of its own, through libusb (pyusb, `pip install jiaohao[usb]`).

    usb://0416:5011             vendor and product as `lsusb` shows them
    usb://0416:5011/7788        and the serial number, where two of a kind are plugged in

Facts that shape it: a time-out of 0 means for ever, so none is ever 0; the kernel's usblp holds the printer until it is
sent away; a printer without paper takes no more bytes and the transfer times out; an unplugged one is an error on every
transfer, and the handle is good for nothing from then on.

Source: USB Device Class Definition for Printing Devices 1.1 (interface class 7, bulk OUT and optional bulk IN),
https://www.usb.org/document-library/printer-device-class-document-11; pyusb, https://github.com/pyusb/pyusb
"""

import contextlib
import time
from typing import Any

from drivers.faults import LineDown
from drivers.transport.base import LineUrl

_PRINTER_CLASS = 7
_READ_BYTES = 4096
_CHUNK_BYTES = 4096
_LEAST_MS = 1


class UsbPort:
    """A claimed printer interface."""

    def __init__(self, parsed: LineUrl) -> None:
        """Find and claim the printer. Raises LineDown."""
        self.url = parsed.url
        try:
            import usb.core
            import usb.util
        except ImportError as error:
            raise LineDown(self.url, "pyusb is not installed: pip install 'jiaohao[usb]'") from error
        self._usb = usb
        try:
            self._device = self._find(parsed)
            self._interface = self._printer_interface()
            number = self._interface.bInterfaceNumber
            with contextlib.suppress(NotImplementedError):  # no kernel driver to send away on this system
                if self._device.is_kernel_driver_active(number):
                    self._device.detach_kernel_driver(number)
            usb.util.claim_interface(self._device, number)
        except usb.core.NoBackendError as error:
            raise LineDown(self.url, "libusb is not installed (package libusb-1.0-0)") from error
        except usb.core.USBError as error:
            raise LineDown(self.url, _why(error)) from error
        self._out = self._endpoint(usb.util.ENDPOINT_OUT)
        self._in = self._endpoint(usb.util.ENDPOINT_IN)
        self._closed = False
        if self._out is None:
            raise self._down("it has no endpoint that takes bytes: not a printer")

    def write(self, data: bytes, timeout_s: float) -> None:
        """Hand all bytes to the printer, or raise LineDown."""
        until_s = time.monotonic() + timeout_s
        rest = memoryview(data)
        try:
            while rest:
                left_s = until_s - time.monotonic()
                if left_s <= 0 or self._closed:
                    raise self._down(f"took {len(data) - len(rest)} of {len(data)} bytes in {timeout_s:g} s")
                rest = rest[self._out.write(bytes(rest[:_CHUNK_BYTES]), _ms(left_s)) :]
        except self._usb.core.USBTimeoutError as error:
            raise self._down(f"took {len(data) - len(rest)} of {len(data)} bytes in {timeout_s:g} s") from error
        except self._usb.core.USBError as error:
            raise self._down(_why(error)) from error

    def read(self, timeout_s: float) -> bytes:
        """Give what arrived within the time, or b""."""
        if self._closed:
            raise LineDown(self.url, "it is closed")
        if self._in is None:  # a printer that only listens
            time.sleep(timeout_s)
            return b""
        try:
            return bytes(self._in.read(_READ_BYTES, _ms(timeout_s)))
        except self._usb.core.USBTimeoutError:
            return b""
        except self._usb.core.USBError as error:
            raise self._down(_why(error)) from error

    def close(self) -> None:
        """Let go of the printer."""
        self._closed = True
        with contextlib.suppress(self._usb.core.USBError):  # it may be unplugged: that is what was asked
            self._usb.util.dispose_resources(self._device)

    def _find(self, parsed: LineUrl) -> Any:
        """Give the device; pyusb has no types."""
        vendor, product = (int(part, 16) for part in parsed.host.split(":"))
        found = list(self._usb.core.find(find_all=True, idVendor=vendor, idProduct=product) or ())
        if parsed.path:
            found = [device for device in found if device.serial_number == parsed.path]
        if not found:
            raise LineDown(self.url, "no such USB device")
        if len(found) > 1:
            raise LineDown(self.url, f"{len(found)} such USB devices: add the serial number to the url")
        return found[0]

    def _printer_interface(self) -> Any:
        """Give the printer interface, or the only one of a device that does not say what it is."""
        try:
            configuration = self._device.get_active_configuration()
        except self._usb.core.USBError:  # never configured since it was plugged in
            self._device.set_configuration()
            configuration = self._device.get_active_configuration()
        interfaces = list(configuration)
        printers = [each for each in interfaces if each.bInterfaceClass == _PRINTER_CLASS]
        return (printers or interfaces)[0]

    def _endpoint(self, direction: int) -> Any:
        util = self._usb.util
        for endpoint in self._interface:
            bulk = util.endpoint_type(endpoint.bmAttributes) == util.ENDPOINT_TYPE_BULK
            if bulk and util.endpoint_direction(endpoint.bEndpointAddress) == direction:
                return endpoint
        return None

    def _down(self, why: str) -> LineDown:
        self.close()
        return LineDown(self.url, why)


def _ms(seconds: float) -> int:
    return max(_LEAST_MS, int(seconds * 1000))


def _why(error: Exception) -> str:
    """Give the reason in one short sentence; a missing permission says what to do."""
    reason = getattr(error, "strerror", None) or str(error)
    if getattr(error, "errno", None) == 13:
        return f"{reason}: add a udev rule for it (docs/devices.md)"
    return reason
