"""Differences for the tests of the outputs: an ordinary one, a hostile one, and a long one."""

from __future__ import annotations

from aibom.domain.difference import Change, ChangeClass, Difference, Missed
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap, Stage
from aibom.domain.target import Tool

TOOL = Tool(name="aibom", version="1.2.3")
HOSTILE = "\x1b[2J\u202e|<img>`*\n::error::x\n##vso[task.complete]\ud800"
GAP = Gap(path="data/rows.csv", stage=Stage.OPEN, reason=Reason.DENIED, detail="cannot be opened", offset=7)

ORDINARY = Difference(
    old="v1",
    new="v2",
    tool=TOOL,
    changes=(
        Change(kind=ChangeClass.COMPONENT_ADDED, subject="extra", new="model"),
        Change(kind=ChangeClass.WEIGHTS, subject="m.gguf: a", old="aa", new="bb", detail="one bit flipped"),
        Change(kind=ChangeClass.WEIGHTS, subject="m.gguf: b", old="F32 [2]", detail="tensor removed"),
        Change(kind=ChangeClass.LICENCE, subject="README.md: /license", old="mit", new="cc-by-nc-4.0"),
    ),
    missed=(Missed(side="new", gap=GAP),),
    notes=("findings: a reason",),
)
EQUAL = Difference(old="v1", new="v2", tool=TOOL)
ATTACK = Difference(
    old=HOSTILE,
    new=HOSTILE,
    tool=TOOL,
    changes=(Change(kind=ChangeClass.FILE, subject=HOSTILE, old=HOSTILE, new=HOSTILE, detail=HOSTILE),),
    missed=(
        Missed(side="old", gap=Gap(path=HOSTILE, stage=Stage.READ, reason=Reason.LIMIT, detail=HOSTILE)),
    ),
)
LONG = Difference(
    old="v1",
    new="v2",
    tool=TOOL,
    changes=tuple(Change(kind=ChangeClass.FILE, subject=f"file-{number:04}") for number in range(600)),
    missed=tuple(Missed(side="old", gap=GAP) for _ in range(600)),
)
