"""look-alike: an organisation is named almost like a well-known one."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.reference import Reference
from aibom.policy.organisations import ORGANISATIONS
from aibom.policy.reference_rule import Told, name_of, reference_rule

_SCHEMES: Final = ("hf", "hf-dataset", "hf-space")
_NAME_CHARS: Final = 96  # what the Hub allows
_LETTERS: Final = 5  # shorter names are like each other by chance
_SAME_START: Final = 6  # letters, from where one may be changed, added or left out, but not the first
_ANY_PLACE: Final = 8  # letters, from where it may be any
# Words that many names end in: `xai-org` and `zai-org` are two names of three letters.
_COMMON: Final = (
    "ai", "community", "hf", "inc", "io", "lab", "labs", "lib", "ml", "org", "project", "research",
)  # fmt: skip
# What common fonts draw alike, in small and capital letters.
_DRAWN: Final = (
    ("013457", "oleast"),
    ("АВЕКМНОРСТУХЅІЈԚԜ", "abekmhopctyxsijqw"),
    ("авекмнорстухѕіјԛԝгпһӏԁ", "abekmhopctyxsijqwrnhld"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx"),
    ("αβεικνορτυχγηωσμ", "abeikvoptuxynwou"),
    ("ɡıɑ", "gia"),
)
_ALIKE: Final = str.maketrans(
    {one: other for drawn, read in _DRAWN for one, other in zip(drawn, read, strict=True)}
)


def _skeleton(name: str) -> str:
    """The name as the eye reads it: case, separators and look-alike letters do not count."""
    plain = unicodedata.normalize("NFKD", name).translate(_ALIKE).lower()
    kept = "".join(char for char in plain if char.isalnum()).replace("i", "l")
    return kept.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def _letters(name: str) -> int:
    """How many letters tell the name apart from others."""
    return sum(len(word) for word in name.split("-") if word not in _COMMON)


_KNOWN: Final = {name.lower(): name for name in ORGANISATIONS}
_SKELETONS: Final = {_skeleton(name): name for name in ORGANISATIONS}
_LONG: Final = {name: letters for name in _KNOWN if (letters := _letters(name)) >= _LETTERS}


@lru_cache(maxsize=4_096)
def resembled(organisation: str) -> tuple[str, Confidence] | None:
    """The well-known organisation that a name is mistaken for; None when it is one, or like none."""
    name = organisation.lower()
    if name in _KNOWN or not name or len(name) > _NAME_CHARS:
        return None
    skeleton = _skeleton(organisation)
    # A person may be called Arnd, and is not AMD; nobody is called `Qwen` in two scripts.
    if skeleton in _SKELETONS and (len(skeleton) >= _LETTERS or not name.isascii()):
        return _SKELETONS[skeleton], Confidence.HIGH
    mistyped = (_KNOWN[known] for known, letters in _LONG.items() if _is_slip(name, known, letters))
    return next(((known, Confidence.MEDIUM) for known in mistyped), None)


def _is_slip(name: str, known: str, letters: int) -> bool:
    """True when one letter is added, left out or changed, or two neighbours are swapped.

    The shorter the known name, the fewer of these: `intel` is one letter from too many others.
    """
    pairs = enumerate(zip(name, known, strict=False))
    start = next((place for place, (one, other) in pairs if one != other), min(len(name), len(known)))
    left, right = name[start:], known[start:]
    if left[:2] == right[1::-1] and left[2:] == right[2:]:
        return True
    added, missing = left[1:] == right, left == right[1:]
    if letters < _SAME_START:
        return added and name[start : start + 1] == name[start - 1 : start]
    return (added or missing or left[1:] == right[1:]) and (start > 0 or letters >= _ANY_PLACE)


def _tell(reference: Reference) -> Told | None:
    target = reference.target
    if target is None or target.scheme not in _SCHEMES or "/" not in target.location:
        return None
    organisation = target.location.partition("/")[0]
    found = resembled(organisation)
    if found is None:
        return None
    # In small letters and ASCII the difference can be seen.
    shown = ascii(organisation.lower())
    known, confidence = found
    return Told(
        message=f"{name_of(reference)}: {shown} looks like {known.lower()!r}, and is not it",
        expected=known,
        confidence=confidence,
    )


RULE = reference_rule(
    "look-alike",
    title="An organisation is named almost like a well-known one",
    severity=Severity.HIGH,
    why=(
        "Anybody can register a name that differs in one letter from a famous one and wait for a slip of "
        "the finger; the files are then whatever they like."
    ),
    remedy="compare the name letter by letter with the one you meant; if it is right, ignore the finding",
    tell=_tell,
    atlas=("AML.T0010.003", "AML.T0074"),
    cwe=(1007,),
)
