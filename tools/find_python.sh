#!/bin/sh
# Print a Python that can create the project's .venv; without one, print what to install.
set -eu

usable() { # a name on PATH may be a shim that only complains: run it
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

bare=""
for name in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
  usable "$name" || continue
  if "$name" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    command -v "$name"
    exit 0
  fi
  bare=${bare:-$name}
done

if [ -n "$bare" ]; then
  version=$("$bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$bare is Python $version, but it cannot make virtual environments (no ensurepip)." >&2
  echo "Install that part of Python: apt-get install python3-venv (or python$version-venv) on Debian and Ubuntu;" >&2
  echo "other systems ship it with Python itself." >&2
else
  echo "Python 3.11, 3.12, 3.13 or 3.14 is needed, but not installed${PYTHON:+ as PYTHON=$PYTHON}." >&2
  echo "Install one (apt-get install python3 python3-venv, dnf install python3.12, brew install python@3.13)," >&2
  echo "or name it: make PYTHON=/path/to/python3." >&2
fi
exit 1
