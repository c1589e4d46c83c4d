"""Hall files: what a hall is, in one TOML file; read once by the mains and passed on as values.

`kiosk_file` is the same for the file of a kiosk's own server; `compare` says how two hall files differ.

Reading order: `schema` (what may stand in a file), `rules` (what must fit together), `loader` (`load_hall`, `check`),
then its helpers `text`, `positions`, `explain` and `problems`; `reference` draws docs/hall-file.md from the schema.
The halls themselves are the .toml files beside this one.
"""

from config.loader import HallFileError, check, find, load_hall, shipped
from config.problems import Problem, check_report
from config.schema import HallFile

__all__ = ["HallFile", "HallFileError", "Problem", "check", "check_report", "find", "load_hall", "shipped"]
