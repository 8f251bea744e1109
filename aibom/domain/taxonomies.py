"""The names behind the identifiers that rules refer to: MITRE ATLAS techniques and MITRE CWE weaknesses."""

from __future__ import annotations

from typing import Final

ATLAS_VERSION: Final = "5.6.0"

# Techniques as in `dist/ATLAS.yaml` of mitre-atlas/atlas-data; a sub-technique after its technique.
ATLAS: Final = {
    "AML.T0010.001": "AI Supply Chain Compromise: AI Software",
    "AML.T0010.002": "AI Supply Chain Compromise: Data",
    "AML.T0010.003": "AI Supply Chain Compromise: Model",
    "AML.T0010.004": "AI Supply Chain Compromise: Container Registry",
    "AML.T0011.000": "User Execution: Unsafe AI Artifacts",
    "AML.T0011.001": "User Execution: Malicious Package",
    "AML.T0018": "Manipulate AI Model",
    "AML.T0018.001": "Manipulate AI Model: Modify AI Model Architecture",
    "AML.T0018.002": "Manipulate AI Model: Embed Malware",
    "AML.T0025": "Exfiltration via Cyber Means",
    "AML.T0029": "Denial of AI Service",
    "AML.T0037": "Data from Local System",
    "AML.T0055": "Unsecured Credentials",
    "AML.T0074": "Masquerading",
    "AML.T0076": "Corrupt AI Model",
    "AML.T0107": "Exploitation for Defense Evasion",
    "AML.T0112.001": "Machine Compromise: AI Artifacts",
}

CWE: Final = {
    22: "Improper Limitation of a Pathname to a Restricted Directory ('Path Traversal')",
    59: "Improper Link Resolution Before File Access ('Link Following')",
    73: "External Control of File Name or Path",
    94: "Improper Control of Generation of Code ('Code Injection')",
    200: "Exposure of Sensitive Information to an Unauthorized Actor",
    319: "Cleartext Transmission of Sensitive Information",
    345: "Insufficient Verification of Data Authenticity",
    347: "Improper Verification of Cryptographic Signature",
    354: "Improper Validation of Integrity Check Value",
    400: "Uncontrolled Resource Consumption",
    409: "Improper Handling of Highly Compressed Data (Data Amplification)",
    436: "Interpretation Conflict",
    470: "Use of Externally-Controlled Input to Select Classes or Code ('Unsafe Reflection')",
    494: "Download of Code Without Integrity Check",
    502: "Deserialization of Untrusted Data",
    506: "Embedded Malicious Code",
    611: "Improper Restriction of XML External Entity Reference",
    646: "Reliance on File Name or Extension of Externally-Supplied File",
    693: "Protection Mechanism Failure",
    706: "Use of Incorrectly-Resolved Name or Reference",
    776: "Improper Restriction of Recursive Entity References in DTDs ('XML Entity Expansion')",
    798: "Use of Hard-coded Credentials",
    829: "Inclusion of Functionality from Untrusted Control Sphere",
    834: "Excessive Iteration",
    1007: "Insufficient Visual Distinction of Homoglyphs Presented to User",
    1336: "Improper Neutralization of Special Elements Used in a Template Engine",
    1357: "Reliance on Insufficiently Trustworthy Component",
}
