"""Print the OpenAPI document: `python -m server.web.openapi > server/ui/lib/src/openapi.json`."""

import json
import sys

from server.web.app import openapi


def openapi_json() -> str:
    """Give the document as it is kept beside the pages."""
    return json.dumps(openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_json())
