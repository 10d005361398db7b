"""A throw-away look at a root's path: `python -I -S probe.py PATH`, one JSON object on standard output.

The supervisor never touches a watched path, because a hung medium would hang it in the kernel; this
process may hang in its place and is abandoned. Standard library only, run as a file, to start fast.

    {"path": real path in hex, "device": st_dev, "folder": true}     or     {"fault": ERRNO NAME}
"""

import errno
import json
import os
import stat
import sys


def look(path: str) -> dict[str, object]:
    """The facts about a path, links followed."""
    try:
        real = os.path.realpath(path, strict=True)
        status = os.stat(real)  # noqa: PTH116 - pathlib would double the time to start
    except OSError as error:
        return {"fault": errno.errorcode.get(error.errno or 0, "EIO")}
    return {
        "path": os.fsencode(real).hex(),
        "device": status.st_dev,
        "folder": stat.S_ISDIR(status.st_mode),
    }


if __name__ == "__main__":
    print(json.dumps(look(sys.argv[1])))
