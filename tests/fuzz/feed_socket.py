"""Socket's replies, and the file in which its verdicts are kept."""

from __future__ import annotations

from bk.engine.intel.sources import socket
from tests.fuzz._feeds import altered_json, read, seeds

SEEDS = [
    *seeds("socket_reply.ndjson"),
    b'["npm","x","1.0.0",1800000000000,"critical","pinned_origin"]\n'
    b'["pypi","y","2.0.0",1800000000000,"","none"]\n["maven","a:b","1",0,"cleared","pinned_origin"]\n',
]


def one(data: bytes) -> None:
    """Read `data` as a reply, and as kept verdicts."""
    for each in (data, altered_json(data, SEEDS)):
        try:
            found = socket.replies(each)
        except ValueError:
            found = {}
        assert set(found.values()) <= {"", "high", "critical"}
        read(socket.parse, each)
