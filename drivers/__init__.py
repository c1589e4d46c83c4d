"""Printers, LED strips, loudspeakers and keypads: the agent beside the devices."""
