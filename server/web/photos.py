"""Photos of the clerks, as the badge on the desk shows them.

They are files that an administrator put into `photos/` of the data folder, named after the work id. Who has none there
is shown by name alone.
"""

from flask import Response, send_from_directory
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.people import NAME
from server.web import wire
from server.web.asking import hall_of, operation_id
from server.web.problems import Problem
from server.web.site import here

KINDS = (".jpg", ".png")  # what they are called is what they are sent as

api = APIBlueprint(
    "photos",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="hall", description="What a hall looks like and how it stands")],
    operation_id_callback=operation_id,
)

_PICTURE = {"schema": {"type": "string", "format": "binary"}}


@api.get(
    "/halls/<hall>/clerks/<clerk>/photo",
    responses={200: {"description": "The picture", "content": {"image/jpeg": _PICTURE, "image/png": _PICTURE}}},
)
def photo(path: wire.ClerkPath) -> Response:
    """Give the photo of a clerk, for the tablet at the window: `photos/WORK_ID.jpg` or `.png` of the data folder."""
    hall_of(path.hall)
    folder = here().photos
    if folder is not None and NAME.fullmatch(path.clerk):
        for kind in KINDS:
            if (folder / f"{path.clerk}{kind}").is_file():
                return send_from_directory(folder.resolve(), f"{path.clerk}{kind}")
    raise Problem("not_found")
