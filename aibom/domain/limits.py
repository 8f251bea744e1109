"""Every bound of the readers, in one place. Hitting one is a `Gap`, never "clean".

Names end in their unit: `_BYTES`, `_COUNT`, `_DEPTH`, `_CHARS`, `_NS`, `_RATIO`.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# Identification
PROBE_BYTES: Final = 4 * KIB
WHOLE_FILE_BYTES: Final = 256 * KIB  # files up to this size are read once, into memory

# One header, whatever the format
HEADER_READ_BYTES: Final = 256 * MIB  # all bytes a reader may fetch from one file
SAFETENSORS_HEADER_BYTES: Final = 100_000_000  # the format's own bound
TENSOR_COUNT: Final = 100_000  # per file; the largest open model has 92,000 in 163 files
TENSOR_RANK: Final = 32
OVERLAP_RATIO: Final = 4  # tensors that share storage may add up to this many file sizes

# Text and structured documents
DOCUMENT_BYTES: Final = 32 * MIB  # a JSON, YAML or Markdown file that is parsed as a whole
JSON_VALUE_COUNT: Final = 1_000_000
YAML_BYTES: Final = 1 * MIB
YAML_NODE_COUNT: Final = 20_000
DOCUMENT_DEPTH: Final = 64

# References in code and configuration
REFERRING_BYTES: Final = DOCUMENT_BYTES  # of a file of code; of a longer one nothing is looked at
CONFIGURATION_BYTES: Final = 1 * MIB  # a longer file is data, whatever its name
BESIDE_BYTES: Final = 256 * KIB  # of a file that is read for the constants that another one imports

BOM_BYTES: Final = 512 * MIB  # a bill of materials that is validated

# What facts may carry
STRING_CHARS: Final = 4_096
METADATA_COUNT: Final = 512
STATEMENT_COUNT: Final = 2_000
IMPORT_COUNT: Final = 5_000
COLUMN_COUNT: Final = 10_000

# Containers
MEMBER_COUNT: Final = 200_000
CENTRAL_DIRECTORY_BYTES: Final = 32 * MIB
NESTING_DEPTH: Final = 4
INFLATED_BYTES: Final = 64 * MIB  # inflated in memory for one header
INFLATE_RATIO: Final = 1_100  # deflate cannot exceed 1,032

# Pickle
PICKLE_OPCODE_COUNT: Final = 30_000_000
PICKLE_MEMO_COUNT: Final = 8_000_000
PICKLE_STACK_COUNT: Final = 200_000

# Hashing
CHUNK_BYTES: Final = 1 * MIB
LARGE_FILE_BYTES: Final = 64 * MIB  # from here on a file may use a second core

# Walking
ENTRY_COUNT: Final = 5_000_000
PATH_DEPTH: Final = 256
RACY_NS: Final = 100_000_000  # a file younger than this when digested is not cached
