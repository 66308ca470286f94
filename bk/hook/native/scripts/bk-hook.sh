#!/bin/sh
# Stands in for the native client where there was no compiler: starts the Python client isolated from the environment.
no() {
    printf 'bk blocked this call: %s\n' "$1" >&2
    exit 2
}
here=$0
if [ -L "$here" ]; then here=$(readlink -f -- "$here") || no 'bk-hook cannot find itself'; fi
here=${here%/*}
python=
[ -r "$here/bk-hook-python" ] || no "bk is not installed whole; missing: $here/bk-hook-python"
IFS= read -r line <"$here/bk-hook-python"
case $line in
'#!/bin/sh'*) ;;
'#!/'*) python=${line#??} ;;
esac
[ -x "$python" ] || python=$here/python3
[ -x "$python" ] || no "the Python that bk was installed with is gone: $python"
"$python" -I "$here/bk-hook-python" "$@"
code=$?
# What a client would take for a mishap and let through: an interpreter that fails by itself, or was killed.
if [ "$code" -eq 1 ] || [ "$code" -ge 126 ]; then no "the Python client ended with code $code"; fi
exit "$code"
