"""`aibom publish`: puts a bill of materials and what vouches for it beside the model that it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from aibom.cli.exit_codes import ExitCode, of_error
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, network_options, offline_option, take_opening
from aibom.cli.writing import to_stdout
from aibom.domain.errors import UnreadableError
from aibom.domain.publication import Receipt
from aibom.domain.text import visible
from aibom.workflows.publish import OtherModelError, PublishRequest, beside, publish

_PATH: Final = click.Path(path_type=Path, dir_okay=False)


@click.command("publish")
@click.argument("bom", type=_PATH)
@click.argument("target")
@click.option(
    "--signature", "signatures", multiple=True, type=_PATH,
    help="Sigstore bundle to publish with it. Default: BOM.sigstore.json, when it is there. Repeatable.",
)  # fmt: skip
@click.option(
    "--attestation", "attestations", multiple=True, type=_PATH,
    help="Attestation (a sigstore bundle) to publish with it. Repeatable.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option(
    "--pull-request", is_flag=True, help="Propose the change instead of making it (Hugging Face Hub)."
)
@click.option("-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="What to write.")  # fmt: skip
@offline_option
@network_options
def command(**given: Any) -> int:
    """Put BOM, its signature and attestations beside the model TARGET.

    TARGET is a folder or a place in a registry: hf://, oci://, s3://, models:/. The same again changes
    nothing. What another publisher wrote is never lost.
    """
    check_targets((given["target"],), offline=given["offline"])
    request = PublishRequest(
        target=given["target"],
        bom=given["bom"],
        signatures=given["signatures"] or beside(given["bom"]),
        attestations=given["attestations"],
        opening=take_opening(given, surroundings=False),
        dry_run=given["dry_run"],
        pull_request=given["pull_request"],
    )
    try:
        receipt = publish(request)
    except OtherModelError as error:
        raise Failure(str(error), ExitCode.VIOLATED) from error
    except UnreadableError as error:
        raise Failure(f"not published: {visible(str(error))}", of_error(error)) from error
    to_stdout(_json(receipt) if given["output_format"] == "json" else _table(receipt))
    return ExitCode.PASSED


def _table(receipt: Receipt) -> bytes:
    lines = [
        f"{each.state:9} {visible(each.place)}\n          sha256:{each.sha256}" for each in receipt.written
    ]
    if receipt.revision:
        lines.append(f"revision  {visible(receipt.revision)}")
    lines += [f"note      {visible(note)}" for note in receipt.notes]
    return "".join(f"{line}\n" for line in lines).encode()


def _json(receipt: Receipt) -> bytes:
    import orjson  # noqa: PLC0415 - when it is asked for

    from aibom.outputs.inert import inert_json  # noqa: PLC0415

    document = {
        "schema": "aibom-receipt/1",
        "subject": visible(receipt.subject.address or receipt.subject.location),
        "written": [
            {"name": each.name, "place": each.place, "sha256": each.sha256, "state": each.state}
            for each in receipt.written
        ],
        "revision": receipt.revision,
        "notes": list(receipt.notes),
    }
    return inert_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
