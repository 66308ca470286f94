"""PowerShell's names, as data: the short names of its cmdlets, and their parameters."""

from __future__ import annotations

from bk.engine.tables import names

ALIASES = {
    alias: cmdlet
    for cmdlet, aliases in {
        "remove-item": "ri rm rmdir rd del erase",
        "get-content": "gc cat type",
        "set-content": "sc",
        "add-content": "ac",
        "clear-content": "clc",
        "copy-item": "cp copy cpi",
        "move-item": "mv move mi",
        "rename-item": "ren rni",
        "new-item": "ni",
        "get-childitem": "gci ls dir",
        "set-location": "cd sl chdir",
        "push-location": "pushd",
        "pop-location": "popd",
        "invoke-webrequest": "iwr curl wget",
        "invoke-restmethod": "irm",
        "invoke-expression": "iex",
        "start-process": "saps start",
        "stop-process": "kill spps",
        "stop-service": "spsv",
        "write-output": "echo write",
        "invoke-command": "icm",
        "set-alias": "sal",
        "remove-itemproperty": "rp",
        "set-itemproperty": "sp",
        "get-itemproperty": "gp",
        "get-item": "gi",
        "clear-item": "cli",
        "foreach-object": "% foreach",
        "where-object": "? where",
        "select-object": "select",
        "sort-object": "sort",
        "tee-object": "tee",
        "select-string": "sls",
        "out-host": "oh",
        "start-job": "sajb",
        "import-module": "ipmo",
        "export-csv": "epcsv",
        "import-csv": "ipcsv",
        "new-psdrive": "mount ndr",
        "invoke-item": "ii",
        "measure-object": "measure",
        "get-process": "ps gps",
        "set-variable": "set sv",
        "invoke-wmimethod": "iwmi",
    }.items()
    for alias in aliases.split()
}
# Parameters with a value, beside those of every cmdlet.
COMMON = names(
    "-erroraction -ea -warningaction -wa -errorvariable -ev -outvariable -ov -outbuffer -pipelinevariable"
    " -informationaction"
)
TAKES = names(
    "-path -literalpath -filter -include -exclude -value -destination -newname -itemtype -name -uri -method -body"
    " -infile"
    " -outfile -headers -contenttype -credential -argumentlist -filepath -workingdirectory -verb -computername"
    " -scriptblock"
    " -hostname -session -command -encoding -depth -inputobject -stream -source -totalcount -tail -readcount -delimiter"
    " -pattern -property -useragent -websession -sessionvariable -timeoutsec -proxy -form -id -namespace -class"
    " -executionpolicy"
    " -windowstyle -scope -target -root -psprovider -certificate -maximumredirection -transferencoding"
    " -redirectstandardoutput"
    " -redirectstandarderror -redirectstandardinput -drive -driveletter -filesystem -disknumber -number"
    " -partitionnumber"
)
SWITCHES = names(
    "-recurse -force -confirm -whatif -append -nonewline -passthru -asjob -nonewwindow -wait -verbose"
    " -usebasicparsing"
    " -file -directory -hidden -noclobber -container -skipcertificatecheck"
    " -allowunencryptedauthentication"
)
_KNOWN = tuple(sorted(TAKES | SWITCHES | COMMON))


def full(name: str) -> str:
    """A parameter's whole name: any beginning that only one has, in any case."""
    lowered = name.lower().partition(":")[0]
    if lowered in TAKES or lowered in SWITCHES or lowered in COMMON:
        return lowered
    if lowered in ("-r", "-rf", "-fr"):
        return "-recurse"
    found = [one for one in _KNOWN if one.startswith(lowered)]
    first = [
        one
        for one in found
        if one in ("-recurse", "-force", "-path", "-destination", "-uri", "-outfile", "-method", "-confirm")
    ]
    return (first or found or [lowered])[0]
