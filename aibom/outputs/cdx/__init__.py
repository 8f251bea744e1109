"""The parts of a CycloneDX document, each from the domain values that it tells."""
