#!/usr/bin/env python3
"""What the readers of a lab's file take, against docs/lab.schema.json: every table of keys is the properties of one place in
the schema, and the other way round.  lab-schema.py SOURCE SCHEMA"""
import json
import pathlib
import re
import sys

source, schema = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())


def strings(text):
    return frozenset(re.findall(r'"([^"]+)"', text))


read = set()
for file in sorted(source.glob("read*.c")):
    for table in re.findall(r"(?:keys|all)\[\] = \{([^}]*)NULL,?\s*\}", file.read_text()):
        read.add(strings(table))
kinds = re.search(r"\} kinds\[\] = \{(.*?)\n\};", (source / "read_check.c").read_text(), re.S)[1]
read |= {strings(keys) for keys in re.findall(r"\{[^{}]*\{([^}]*)NULL", kinds)}
told = set()


def collect(at):
    if isinstance(at, dict):
        if at.get("additionalProperties") is False:
            told.add(frozenset(at["properties"]))
        at = list(at.values())
    if isinstance(at, list):
        for item in at:
            collect(item)


collect(schema)
for what, sets in (("read, and not in the schema", read - told), ("in the schema, and not read", told - read)):
    for keys in sets:
        print(f"{what}: {', '.join(sorted(keys))}")
sys.exit(0 if read == told and len(read) > 15 else 1)
