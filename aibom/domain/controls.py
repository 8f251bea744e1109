"""The names behind the controls that requirements refer to. Ids and short titles, no text of the standards.

A requirement gives evidence about a control. It never says that somebody complies with it.
"""

from __future__ import annotations

from typing import Final

FRAMEWORKS: Final = {
    "iso42001": "ISO/IEC 42001:2023, Annex A",
    "nist-ai-rmf": "NIST AI Risk Management Framework 1.0",
    "eu-ai-act": "EU AI Act, Regulation (EU) 2024/1689",
    "owasp-llm": "OWASP Top 10 for LLM Applications 2025",
}

# By framework, then by id: a control of the annex, a subcategory, an article, a risk.
CONTROLS: Final = {
    "iso42001": {
        "A.4.2": "Resource documentation",
        "A.4.3": "Data resources",
        "A.4.4": "Tooling resources",
        "A.6.2.3": "Documentation of AI system design and development",
        "A.6.2.4": "AI system verification and validation",
        "A.6.2.5": "AI system deployment",
        "A.6.2.7": "AI system technical documentation",
        "A.7.3": "Acquisition of data",
        "A.7.5": "Data provenance",
        "A.8.2": "System documentation and information for users",
        "A.9.4": "Intended use of the AI system",
        "A.10.3": "Suppliers",
    },
    "nist-ai-rmf": {
        "GOVERN 1.6": "AI systems are inventoried",
        "GOVERN 6.1": "Policies address the risks of third-party entities",
        "MAP 2.2": "Knowledge limits and use of the output are documented",
        "MAP 4.1": "Legal risks of components, third-party data and software are mapped",
        "MAP 4.2": "Risk controls for components, third-party ones included, are documented",
        "MEASURE 2.7": "Security and resilience are evaluated and documented",
        "MANAGE 3.1": "Risks of third-party resources are monitored and controlled",
        "MANAGE 3.2": "Pre-trained models used for development are monitored",
    },
    "eu-ai-act": {
        "10": "Data and data governance",
        "11": "Technical documentation",
        "13": "Transparency and provision of information to deployers",
        "15": "Accuracy, robustness and cybersecurity",
        "25": "Responsibilities along the AI value chain",
        "53(1)(b)": "General-purpose models: information for providers of AI systems",
        "53(1)(c)": "General-purpose models: policy to comply with copyright law",
        "53(1)(d)": "General-purpose models: summary of the content used for training",
    },
    "owasp-llm": {
        "LLM03": "Supply Chain",
        "LLM04": "Data and Model Poisoning",
    },
}
