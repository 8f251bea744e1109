"""What a tool says about the corpus, held against the truth: strictly for ours, generously for others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, replace
from operator import attrgetter

from .truth import Truth

SCORED_FLAGS = frozenset({"remote-code", "unsafe-load", "http", "local-path"})
# What another tool can be wrong about: an ordinary package that it lists beside them is no mistake.
CLAIMS = frozenset({"model", "adapter", "dataset", "tokenizer", "service"})
_HUB = re.compile(
    r"(?:https?://)?(?:(?:www\.|api-inference\.)?huggingface\.co|hf\.co)/(?:(?:datasets|spaces|models)/)?"
)
_INSIDE = re.compile(r"/(?:resolve|blob|tree|raw)(?:/.*)?\Z")
_REVISION = re.compile(r"(?<=[^/@])(?:@|:|==)[^/]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One reference, as a tool tells it. What it leaves open is None, or unresolved for the target."""

    path: str  # relative to the corpus; a folder, with a slash at its end, when the tool names no file
    part: str = ""
    line: int | None = None
    kind: str | None = None
    target: str | None = None  # scheme:location; of other tools just a name
    revision: str | None = None
    flags: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        return ":".join(filter(None, (self.path, self.part, str(self.line or ""))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A reference with what the tool says about that very one."""

    truth: Truth
    told: Told

    @property
    def kind(self) -> bool:
        return self.told.kind in self.truth.kinds

    @property
    def revision(self) -> bool:
        return self.told.revision == self.truth.revision

    @property
    def flags(self) -> bool:
        return self.told.flags & SCORED_FLAGS == self.truth.flags & SCORED_FLAGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts of references. `right` and `wrong` count what the tool tells, `found` what is there."""

    truth: int = 0
    found: int = 0
    right: int = 0
    wrong: int = 0
    kind: int = 0  # of the found ones: told with the right kind
    revision: int = 0
    flags: int = 0

    def __add__(self, other: Score) -> Score:
        names = self.__dataclass_fields__
        sums = map(sum, zip(astuple(self), astuple(other), strict=True))
        return Score(**dict(zip(names, sums, strict=True)))

    @property
    def missed(self) -> int:
        return self.truth - self.found

    @property
    def precision(self) -> float | None:
        """None when nothing is told."""
        told = self.right + self.wrong
        return self.right / told if told else None

    @property
    def recall(self) -> float | None:
        """None when there is nothing to find."""
        return self.found / self.truth if self.truth else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found, missed and wrong. Who reads generously has no pairs, only a score."""

    score: Score
    missed: tuple[Truth, ...]
    wrong: tuple[Told, ...]
    pairs: tuple[Pair, ...] = ()


def _key(path: str, part: str, target: str | None) -> tuple[str, str, str | None]:
    if target is None:
        return path, part, None
    scheme, _, location = target.partition(":")
    return path, part, f"{scheme.lower()}:{location}"


# Who is paired first: the same target may stand twice on a line, as a model and as its tokenizer.
_AGREEMENTS: tuple[Callable[[Pair], bool], ...] = (
    lambda pair: pair.kind and pair.revision,
    lambda pair: pair.kind,
    lambda _: True,
)


def strict(truths: Iterable[Truth], told: Iterable[Told]) -> Outcome:
    """One to one: same file, same target, and a line within the statement."""
    waiting: dict[object, list[Truth]] = defaultdict(list)
    # The range that ends first is paired first, and lines in order: no pairing finds more.
    for truth in sorted(truths, key=lambda each: each.last):
        waiting[_key(truth.path, truth.part, truth.target)].append(truth)
    rest = sorted(told, key=lambda each: (each.line is None, each.line or 0))
    pairs: list[Pair] = []
    for agrees in _AGREEMENTS:
        unpaired = []
        for each in rest:
            there = waiting.get(_key(each.path, each.part, each.target), [])
            candidates = (Pair(truth=truth, told=each) for truth in there if _within(each, truth))
            pair = next(filter(agrees, candidates), None)
            if pair is None:
                unpaired.append(each)
            else:
                there.remove(pair.truth)
                pairs.append(pair)
        rest = unpaired
    missed = tuple(truth for truths in waiting.values() for truth in truths)
    return Outcome(score=_counted(pairs, missed, rest), missed=missed, wrong=tuple(rest), pairs=tuple(pairs))


def _within(told: Told, truth: Truth) -> bool:
    return told.line is None or truth.first <= told.line <= truth.last


def _counted(pairs: list[Pair], missed: tuple[Truth, ...], wrong: list[Told]) -> Score:
    agreeing = {name: sum(map(attrgetter(name), pairs)) for name in ("kind", "revision", "flags")}
    found = len(pairs)
    return Score(truth=found + len(missed), found=found, right=found, wrong=len(wrong), **agreeing)


def generous(
    truths: Iterable[Truth], told: Iterable[Told], asked: Callable[[Truth], bool] = lambda _: True
) -> Outcome:
    """By name: found is what the tool names for that file, or for the folder when it tells no file.

    Unresolved references do not count, and those that are not `asked` for are neither found nor missed.
    A name of something else in the same project is no mistake: tools tell where a constant is defined.
    """
    named = [truth for truth in truths if truth.target is not None]
    # A name is one claim for each file, however often and as whatever it is told.
    claims = {
        _claim(each): each for each in sorted(told, key=lambda each: each.kind in CLAIMS) if each.target
    }
    met = {key: [truth for truth in named if _names(claim, truth)] for key, claim in claims.items()}
    found = {truth for truths in met.values() for truth in truths if asked(truth)}
    scope = [truth for truth in named if asked(truth)]
    missed = tuple(truth for truth in scope if truth not in found)
    unmet = [claim for key, claim in claims.items() if not met[key] and claim.kind in CLAIMS]
    wrong = tuple(claim for claim in unmet if not any(_names(_anywhere(claim), truth) for truth in named))
    right = sum(any(map(asked, truths)) for truths in met.values())
    score = Score(truth=len(scope), found=len(scope) - len(missed), right=right, wrong=len(wrong))
    return Outcome(score=score, missed=missed, wrong=wrong)


def _claim(told: Told) -> tuple[str, str]:
    return told.path, (told.target or "").lower()


def _anywhere(told: Told) -> Told:
    """The same, told about the whole project: the second folder of the path."""
    return replace(told, path="".join(f"{part}/" for part in told.path.split("/")[:2]))


def _names(told: Told, truth: Truth) -> bool:
    here = told.path == truth.path or (told.path.endswith("/") and truth.path.startswith(told.path))
    return here and same_name(told.target or "", (truth.target or "").partition(":")[2])


def same_name(told: str, location: str) -> bool:
    """The location or its last part, in any case, with or without a revision and a provider in front."""
    told, whole = (text.lower().replace("_", "-") for text in (told, location.strip("./")))
    last, place = whole.rpartition("/")[2], _INSIDE.sub("", _HUB.sub("", told)).strip("/")
    return any(
        spelling in (whole, last) or spelling.endswith((f"/{whole}", f":{whole}"))
        for spelling in (told.strip("/"), place, _REVISION.sub("", place))
    )
