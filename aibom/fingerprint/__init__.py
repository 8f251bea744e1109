"""What the bytes are, exactly: file, tensor and model digests, and the digest cache."""
