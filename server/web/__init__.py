"""The doors of the server: HTTP, and the live line beside it (`live.py`).

Reading order: `wire` (the words), `doors` (hosts and origins), `site` (what the doors are built on), `problems`
(errors), `auth` (who may do what), `answers` (commits and state as answers), `asking` (what every route uses), one file
per audience (`structure`, `tickets`, `windows`, `people`, `devices`, `manager`, `health`, `pages`), `app` (all of it).
"""
