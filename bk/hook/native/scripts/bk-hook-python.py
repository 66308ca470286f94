#!python
"""The hook's Python client. Whatever goes wrong, even a broken installation, is exit code 2 with a reason."""

import os
import sys

try:
    from bk.hook.client import main
except BaseException as error:  # noqa: BLE001 - an exit code other than 2 would let the call through
    said = f"bk blocked this call: bk is not installed whole: {type(error).__name__}: {error}\n"
    os.write(2, said.encode(errors="replace"))
    os._exit(2)
main(sys.argv[1:])
