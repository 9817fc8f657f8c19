"""Writes the JSON Schemas of the description's files into schemas/, from the models that check them.

Run: python tools/schemas.py        (needs the package; a test fails when they are out of date)
"""

from pathlib import Path
from typing import Final

from cluster_forge.catalog.file_formats import SCHEMAS
from cluster_forge.cli.progress import event_schema
from cluster_forge.stack import json_schemas

FOLDER: Final = Path(__file__).parents[1] / "schemas"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in json_schemas.texts({**json_schemas.FILES, **SCHEMAS, **event_schema.SCHEMAS}):
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER.name, name, sep="/")


if __name__ == "__main__":
    main()
