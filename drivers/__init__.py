"""The agent beside the machines of a hall: printers, LED strips, keypads, loudspeakers.

Reading order
    faults.py      what can be wrong with a device (`Fault`, `Health`), and `LineDown`
    jobs.py        what is asked of a device and what it answers: jobs, results, window pictures, presses (pure)
    driver.py      the two kinds of driver, `JobDriver` and `StateDriver`, and `Wiring`, what a driver is made from
    contacts.py, keys.py   buttons and lamps as bytes, keyboard keys by name (pure)
    modbus.py      Modbus frames for whoever drives slaves on a line that others may share (pure)
    transport/     ports by URL: `open_line("tcp://...")`, `open_line("serial:///dev/...?baud=9600")`
    printer/ led/ keypad/ panel/ idcard/ scanner/ speech/   one file per protocol
    registry.py    the plain dictionary: driver name in DEVICES.toml -> kind, options, maker
    devices_file.py  DEVICES.toml with every error at once
    journal.py     jobs started and done, durable: a job is never done twice
    server_link.py   the server on the wire: HTTP and Socket.IO
    hall_news.py   which services give numbers, the hall's key for card readers
    agent.py       puts it together: one owner thread per port
    virtual/       pretend devices that speak the real bytes and can be told to misbehave

The contract of a driver
    A *job driver* (printer, loudspeaker) does one thing once and says how it went. The agent gives its owner thread to
    `do(job, started)`. Before the first act that cannot be taken back (the first byte of the ticket, the first sample
    of the voice) the driver calls `started()`: the agent then writes to its journal, durably, that this job must never
    be begun again. `LineDown` before `started()` means nothing happened: the agent tries again until the job expires.
    After `started()` the driver does not raise for the world's faults: it gives a Result, `unknown` where nobody can
    know.

    A *state driver* (strip, keypad) is sans-IO: it never sees a port. It gets the newest picture of each of its
    windows, says which bytes are due, and turns bytes into key presses. The agent's owner thread of that line calls, in
    this order and never from two threads: `line_up(now_s)` whenever the port was (re)opened: the device may have
    forgotten everything, so everything is due again; `show(picture)` newest wins, whatever was not sent is forgotten;
    `due(now_s)` the next frame to write or b"" (a driver that waits for an acknowledgement says b"" until it came or
    its own time ran out); `feed(data, now_s)` bytes from the line, at any cut, with noise, also bytes meant for another
    driver on the same line; never raises, keeps at most one frame; `refused(place, code)` the hall said no to a press
    (beep). A driver with a lamp per service has `see_services(open_now)` (`driver.SeesServices`). `now_s` is the
    monotonic clock, in seconds, always an argument. A driver whose devices answer says so by `holds_line(now_s)`
    (`driver.HoldsLine`): while it awaits an answer, the others of its line are not asked for bytes.

    Both say how they are: a `Health`, compared by the agent and reported to the server only when it changed.
"""
