"""The whole hall on one machine, without hardware: server, virtual devices, the agent beside them, and people.

Reading order: `stage` (which processes, in which order), `people` (simulated visitors and clerks, on the wire only).
"""
