"""A transparency log: Rekor v1, which promises an entry and its time, and v2, which proves inclusion only."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.services.attack import Attack
from tests.services.sigstore_bytes import b64, canonical, key_id, sha256

NEIGHBOUR = sha256(b"\0" + b"neighbour")  # the other leaf of every tree


class FakeLog:
    """A log with a key of its own, in which every entry gets a tree of two leaves."""

    def __init__(self) -> None:
        self.key, self._other_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def answer(self, body: Mapping[str, object], attack: Attack) -> dict[str, Any]:
        """The entry as the HTTP interface of Rekor v1 gives it."""
        now = int(time.time())
        entry = {
            "body": b64(canonical(body)),
            "integratedTime": now,
            "logID": key_id(self.key).hex(),
            "logIndex": 42,
        }
        promise = self._sign(canonical(entry), attack)
        entry["integratedTime"] = now + attack.time_shift
        proof = self._proof(canonical(body), attack)
        return entry | {"verification": {"inclusionProof": proof, "signedEntryTimestamp": b64(promise)}}

    def entry(self, body: Mapping[str, Any], attack: Attack) -> dict[str, object]:
        """The entry as a bundle holds it."""
        answer = self.answer(body, attack)
        proof = answer["verification"]["inclusionProof"]
        written = {
            "logIndex": str(proof["logIndex"]),
            "treeSize": str(proof["treeSize"]),
            "hashes": [b64(bytes.fromhex(item)) for item in proof["hashes"]],
            "rootHash": b64(bytes.fromhex(proof["rootHash"])),
        }
        if not attack.no_checkpoint:
            written["checkpoint"] = {"envelope": proof["checkpoint"]}
        entry: dict[str, object] = {
            "logIndex": str(answer["logIndex"]),
            "logId": {"keyId": b64(key_id(self.key))},
            "kindVersion": {"kind": attack.kind or body["kind"], "version": body["apiVersion"]},
            "canonicalizedBody": answer["body"],
        }
        if body["apiVersion"] == "0.0.1":
            entry["integratedTime"] = str(answer["integratedTime"])
            entry["inclusionPromise"] = {
                "signedEntryTimestamp": answer["verification"]["signedEntryTimestamp"]
            }
        return entry if attack.no_proof else entry | {"inclusionProof": written}

    def _proof(self, body: bytes, attack: Attack) -> dict[str, Any]:
        root = sha256(b"\1" + NEIGHBOUR + sha256(b"\0" + body))
        note = f"services.aibom.test - 1\n2\n{b64(root)}\n"
        mark = key_id(self.key)[:4] + self._sign(note.encode(), attack)
        return {
            "logIndex": 1,
            "treeSize": 2,
            "hashes": [(root if attack.wrong_proof else NEIGHBOUR).hex()],
            "rootHash": root.hex(),
            "checkpoint": f"{note}\n— services.aibom.test {b64(mark)}\n",
        }

    def _sign(self, data: bytes, attack: Attack) -> bytes:
        key = self._other_key if attack.wrong_log_key else self.key
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
