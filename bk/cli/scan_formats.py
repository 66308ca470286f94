"""What a scan found, in the forms that other programs read: lines of JSON, SARIF, a CycloneDX bill of materials."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bk import __version__

if TYPE_CHECKING:
    from bk.engine.console.scan import Finding, Scanned

Json = Any
RULE = "package/known-malicious"
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"block": "error", "warn": "warning"}


def ndjson(scanned: Scanned) -> Iterator[str]:
    """One line an item, one a finding, and at the end one for the run."""
    from bk.engine.console.scan import plain

    for item in scanned.items():
        yield json.dumps({"record": "item", **plain(item)})
    for finding in scanned.findings:
        yield json.dumps({"record": "finding", **finding.told()})
    told = scanned.told()
    yield json.dumps(
        {"record": "run", **told["run"], "findings": len(scanned.findings), "responder": told["responder"]}
    )


def whole(scanned: Scanned) -> Iterator[str]:
    """The run and its findings as one object."""
    yield json.dumps(scanned.told())


def sarif(scanned: Scanned) -> Iterator[str]:
    """One result a finding, at the file that says so."""
    text = "Something that is installed is listed as malicious or compromised."
    rules = [{"id": RULE, "shortDescription": {"text": text}}]
    driver = {"name": "bk", "version": __version__, "rules": rules}
    invocation = {"executionSuccessful": scanned.run.complete}
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "results": [_result(each) for each in scanned.findings],
    }
    yield json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]})


def _result(finding: Finding) -> dict[str, Json]:
    told = finding.told()
    places = [{"physicalLocation": {"artifactLocation": {"uri": _uri(path)}}} for path in told["observed"]]
    text = f"{told['ecosystem']} {told['name']} {told['version']}: {finding.reason}"
    return {
        "ruleId": RULE,
        "level": LEVELS[finding.level],
        "message": {"text": text},
        "locations": places,
        "partialFingerprints": {"incident/v1": finding.incident},
        "properties": {"purl": told["purl"], "ids": told["ids"], "groups": told["groups"]},
    }


def cyclonedx(scanned: Scanned) -> Iterator[str]:
    """Every item as a component, every finding as a vulnerability of it; written piece by piece."""
    from bk.engine.console.scan import plain

    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(scanned.run.ended / 1000))
    head = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid4()}",
        "version": 1,
        "metadata": {"timestamp": made, "tools": {"components": [{"type": "application", "name": "bk",
                                                                  "version": __version__}]}},
    }  # fmt: skip
    yield json.dumps(head)[:-1] + ', "components": ['
    known: set[str] = set()
    first = True
    for item in scanned.items():
        told = plain(item)
        if told["purl"] in known:
            continue
        known.add(told["purl"])
        part = {"type": "library", "bom-ref": told["purl"], "name": told["name"], "version": told["version"],
                "purl": told["purl"]}  # fmt: skip
        yield ("" if first else ", ") + json.dumps(part)
        first = False
    bad = [_vulnerability(each) for each in scanned.findings]
    yield f'], "vulnerabilities": {json.dumps(bad)}}}'


def _vulnerability(finding: Finding) -> dict[str, Json]:
    told = finding.told()
    return {
        "id": (told["ids"] or [finding.incident])[0],
        "description": finding.reason,
        "ratings": [{"severity": told["severity"]}],
        "affects": [{"ref": told["purl"]}],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return f"file://{quote(path)}"


FORMATS = {"ndjson": ndjson, "json": whole, "sarif": sarif, "cyclonedx": cyclonedx}
