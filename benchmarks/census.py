"""How many real model files import a name that the shipped allowlists do not hold.

python benchmarks/census.py FILE

FILE is a CSV with the columns repo_id, file and globals (`module:qualname`, separated by spaces), one
row per pickle file. What a file does with a name is not recorded, so two numbers are told: names that
are listed at all, and names that are listed for the use that is usual for their kind (functions and
what starts with a lower-case letter are called, enumerations too, other classes constructed).

The packs were made with such a census in sight, so its own share is too good. The estimate without
that: each repository in turn is judged by what was found elsewhere. A name that only one repository
shows counts as listed there only when a family holds it, that is a source whose names were taken from
the library and not written down by hand.
"""

import csv
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from aibom.domain.facts import Import, Use
from aibom.policy.allowlist import Allowlist, parse_pack

PACKS = Path(__file__).parent.parent / "policies" / "allowlists"
SHOWN = 25


def read(path: str) -> list[tuple[str, frozenset[str]]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [(row["repo_id"], frozenset(row["globals"].split())) for row in csv.DictReader(file)]


def surveyed() -> set[str]:
    """Names of the sections that a generator took from libraries."""
    names = set()
    for path in PACKS.glob("*.json"):
        for section in json.loads(path.read_bytes())["sections"]:
            if section["source"].endswith(", its classes"):
                for module, modes in section["modules"].items():
                    names |= {f"{module}:{name}" for text in modes.values() for name in text.split()}
    return names


def allowed(allowlist: Allowlist, name: str, *uses: Use) -> bool:
    module, _, qualname = name.partition(":")
    imports = (Import(module=module, qualname=qualname, offset=0, use=use) for use in uses)
    return any(allowlist.vouching(item) for item in imports)


def usual(name: str) -> tuple[Use, ...]:
    module, _, qualname = name.partition(":")
    if name == "numpy:ndarray" or (module == "torch" and name != "torch:device"):
        return (Use.REFERENCE,)
    return (Use.CALL,) if qualname.lstrip("_")[:1].islower() else (Use.CONSTRUCT, Use.REFERENCE)


def share(files: list[tuple[str, frozenset[str]]], unlisted: set[str]) -> str:
    hit = [repo for repo, names in files if names & unlisted]
    return f"{len(hit):5} of {len(files)} files ({len(hit) / len(files):.2%}), {len(set(hit))} repositories"


def main(path: str) -> None:
    files = read(path)
    allowlist = Allowlist(packs=tuple(parse_pack(file.read_bytes()) for file in sorted(PACKS.glob("*.json"))))
    names = frozenset().union(*(found for _, found in files))
    unlisted = {name for name in names if not allowed(allowlist, name, *Use)}
    unusual = {name for name in names if not allowed(allowlist, name, *usual(name))}
    repositories = defaultdict(set)
    for repo, found in files:
        for name in found:
            repositories[name].add(repo)
    alone = {name for name, repos in repositories.items() if len(repos) == 1}
    print(f"{len(names)} names, {len(unlisted)} on no list")
    print("a name is on no list:              ", share(files, unlisted))
    print("a name is on no list for its use:  ", share(files, unusual))
    print("held out, families and other repos:", share(files, unlisted | (alone - surveyed())))
    count = Counter(name for _, found in files for name in found & (unlisted | unusual))
    for name, number in count.most_common(SHOWN):
        print(f"  {number:4} files {len(repositories[name]):4} repositories  {name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
