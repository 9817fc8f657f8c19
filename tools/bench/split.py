"""The manual way: ``helm template`` for each chart, and every object into a file of its own, with PyYAML.

``split.py COMMANDS FOLDER``: ``COMMANDS`` is a JSON file with a list of command lines. Prints the number of objects.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# CRDs have YAML 1.1's `=` as a value, which PyYAML's safe loader cannot construct.
LOADER.add_constructor("tag:yaml.org,2002:value", LOADER.construct_yaml_str)


def main(commands: Path, folder: Path) -> int:
    count = 0
    for number, command in enumerate(json.loads(commands.read_text(encoding="utf-8"))):
        rendered = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        part = folder / str(number)
        part.mkdir(parents=True)
        for document in yaml.load_all(rendered, Loader=LOADER):
            if document:
                count += 1
                with (part / f"{count}.yaml").open("w", encoding="utf-8") as file:
                    yaml.dump(document, file, Dumper=DUMPER)
    return count


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), Path(sys.argv[2])))
