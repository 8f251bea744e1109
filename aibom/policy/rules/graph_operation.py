"""graph-operation: a computation graph touches files, the network or Python."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.GRAPH_OPERATION,
    title="A computation graph touches files, the network or Python",
    severity=Severity.HIGH,
    why=(
        "Graphs of TensorFlow and TorchScript can read and write files or call back into Python as part "
        "of the computation; it happens whenever the model is used, without any pickle."
    ),
    remedy="do not run the model outside of a sandbox; export it again without these operations",
    atlas=("AML.T0011.000", "AML.T0018.001"),
    cwe=(73, 94),
)
