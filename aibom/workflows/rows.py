"""The rows of datasets: fingerprints of what the files hold, beside the digests of their bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from aibom.domain.dataset import Field, LineBatch, RowBatch, RowForm, Schema
from aibom.domain.entry import Entry
from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.evidence import DatasetRows
from aibom.domain.facts import Facts, FileKind
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader, Source
from aibom.domain.text import visible
from aibom.fingerprint.contamination import Benchmark
from aibom.fingerprint.dataset import DatasetPass, Encoded, Sink, Wanted, encode
from aibom.readers import row_arrow, row_csv, row_folder, row_jsonl, row_parquet, row_webdataset
from aibom.workflows.progress import Progress


class Watch(Protocol):
    """Looks at the values of all rows, beside the fingerprint."""

    def feed(self, batch: RowBatch, rows: Encoded) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsRequest:
    """How rows are fingerprinted."""

    wanted: Wanted = field(default_factory=lambda: Wanted(columns=False))
    schema: Schema | None = None  # for CSV and JSON Lines, which name no types
    signals: bool = False  # True: look for poison and poor quality as well
    benchmarks: tuple[Benchmark, ...] = ()  # whose texts must not be in the rows
    watch: Watch | None = None  # sees the values of all rows of all parts
    form: RowForm = RowForm.TYPED  # LINES: JSON Lines by the bytes of their lines


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFile:
    """A file of rows, and what one has to know to read them."""

    entry: Entry
    format: str  # one of FORMATS, or MEDIA
    delimiter: str = ","  # of CSV and TSV
    sha256: str | None = None  # of an image, a sound or a film, whose row is its digest
    split: str | None = None  # the same

    @classmethod
    def of(cls, entry: Entry, facts: Facts | None) -> RowFile | None:
        """The file by what was read of it; None when its rows are not read."""
        if facts is None or facts.format not in FORMATS or facts.kind is not FileKind.DATA:
            return None
        usual = "\t" if facts.format == "tsv" else ","
        return cls(entry=entry, format=facts.format, delimiter=dict(facts.metadata).get("delimiter", usual))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Files whose rows stand behind each other: a split, or one file."""

    name: str
    files: tuple[RowFile, ...]
    folder: str | None = None  # of images, sounds or films, each of which is a row; "" is the top

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.entry.path for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of one file, encoded; `schema` is None where no types are named."""

    encoded: Encoded
    schema: Schema | None = None
    values: Callable[[int], RowBatch] | None = None  # by the number of the first row; None: lines


Open = Callable[[Entry], tuple[Source, Entry]]
Read = Callable[[RowFile, ByteReader, RowsRequest], Iterator[Rows]]


def opener(places: Sequence[tuple[str, Source]]) -> Open:
    """Which source an entry of a report is of, and the entry as that source listed it."""

    def found(entry: Entry) -> tuple[Source, Entry]:
        ours = [place for place in places if entry.path.startswith(place[0])]
        prefix, source = max(ours, key=lambda place: len(place[0]))
        return source, replace(entry, path=entry.path.removeprefix(prefix))

    return found


def fingerprint_part(
    part: Part,
    opened: Open,
    request: RowsRequest,
    progress: Progress,
    sink: Sink | None = None,
    watches: Sequence[Watch] = (),
) -> DatasetRows | Gap:
    """The fingerprint of all rows of the files, in their order; a gap when one row cannot be read.

    A digest over the readable rows would look like that of a smaller, sound dataset.
    """
    if part.folder is not None:
        return fingerprint_folder(part, opened, request, progress, sink, watches)
    request = request_for(part, request)
    whole, files = _Whole(request, sink, watches), []
    for file in part.files:
        before = whole.rows
        try:
            _check_form(part, file)
            source, entry = opened(file.entry)
            with source.open(entry) as reader:
                for rows in _READERS[file.format](file, _Told(reader, progress), request):
                    whole.feed(rows)
        except UnreadableError as error:
            return Gap.of(file.entry.path, Stage.DIGEST, error)
        files.append((file.entry.path, whole.rows - before))
    return whole.finish(part.name, files)


def fingerprint_folder(
    part: Part,
    opened: Open,
    request: RowsRequest,
    progress: Progress,
    sink: Sink | None = None,
    watches: Sequence[Watch] = (),
) -> DatasetRows | Gap:
    """The fingerprint of a folder of media, which is told in place of its files, with a slash behind it.

    A gap when one file has no digest, or when the metadata beside them is not about all of them.
    """
    media = [file for file in part.files if file.format == MEDIA]
    whole = _Whole(request, sink, watches)
    try:
        _only_typed(request)
        items = [_item(part, file) for file in media]
        with ExitStack() as stack:
            beside = {
                _below(part, file): _Told(stack.enter_context(_opened(file, opened)), progress)
                for file in _metadata(part)
            }
            for batch in row_folder.records(items, beside, request.schema):
                described = _described(batch)
                whole.feed(Rows(encoded=encode(batch), schema=_named(batch), values=_as_they_are(described)))
    except UnreadableError as error:
        return Gap.of(part.name, Stage.DIGEST, error)
    progress.advanced(sum(file.entry.size for file in media))
    return whole.finish(part.name, [(f"{part.folder or '.'}/", whole.rows)])


def _described(batch: RowBatch) -> RowBatch:
    """What somebody wrote about the files: labels and metadata."""
    known = (row_folder.PATH, row_folder.SPLIT, row_folder.SHA256)
    kept = [at for at, name in enumerate(batch.names) if name not in known]
    return replace(
        batch,
        names=tuple(batch.names[at] for at in kept),
        types=tuple(batch.types[at] for at in kept),
        columns=tuple(batch.columns[at] for at in kept),
    )


def _item(part: Part, file: RowFile) -> row_folder.Item:
    if file.sha256 is None:
        raise unsupported(f"{visible(file.entry.path[:200])} has no digest, so the folder has none")
    return row_folder.Item(path=_below(part, file), sha256=bytes.fromhex(file.sha256), split=file.split)


def _below(part: Part, file: RowFile) -> str:
    return file.entry.path.removeprefix(f"{part.folder}/") if part.folder else file.entry.path


def _metadata(part: Part) -> list[RowFile]:
    found = [file for file in part.files if file.format != MEDIA]
    if len(found) > METADATA_COUNT:  # all of them are open together
        raise over_limit(f"metadata in {len(found)} files, at most {METADATA_COUNT} are read")
    return found


def _opened(file: RowFile, opened: Open) -> AbstractContextManager[ByteReader]:
    source, entry = opened(file.entry)
    return source.open(entry)


def request_for(part: Part, request: RowsRequest) -> RowsRequest:
    """The request as the format of a part allows it: records of TFRecord are lines, and have no columns."""
    if not any(file.format in _RECORDS for file in part.files):
        return request
    wanted = replace(request.wanted, labels=frozenset(), identity=frozenset(), columns=False)
    return replace(request, wanted=wanted, form=RowForm.LINES)


def _check_form(part: Part, file: RowFile) -> None:
    if file.format not in _RECORDS and any(each.format in _RECORDS for each in part.files):
        raise unsupported("rows beside records of TFRecord, which are not of their form")


class _Whole:
    """All rows of a part, as far as they were taken in."""

    def __init__(self, request: RowsRequest, sink: Sink | None, watches: Sequence[Watch]) -> None:
        self._taken = DatasetPass(request.form, request.wanted, sink)
        self._wanted, self._watches = request.wanted, watches
        self._schemas, self._names = set[Schema](), set[str]()

    @property
    def rows(self) -> int:
        return self._taken.rows

    def feed(self, rows: Rows) -> None:
        if rows.schema is not None:
            self._schemas.add(rows.schema)
        if len(self._schemas) > 1:
            raise malformed("its columns are not those of the files in front of it")
        self._names.update(rows.encoded.names)
        if self._watches and rows.values is not None:
            values = rows.values(self.rows)
            for watch in self._watches:
                watch.feed(values, rows.encoded)
        self._taken.feed(rows.encoded)

    def finish(self, name: str, files: Iterable[tuple[str, int]]) -> DatasetRows:
        return DatasetRows(
            name=name,
            files=tuple(files),
            fingerprint=self._taken.finish(next(iter(self._schemas), None)),
            labels=tuple(sorted(self._wanted.labels & self._names)),
            identity=tuple(sorted(self._wanted.identity & self._names)),
        )


class _Told:
    """A reader that tells how far it is."""

    def __init__(self, reader: ByteReader, progress: Progress) -> None:
        self._reader, self._progress = reader, progress

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        self._progress.advanced(length)
        return self._reader.read_at(offset, length)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        count = self._reader.read_into(offset, buffer)
        self._progress.advanced(count)
        return count


def _csv(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:
    _only_typed(request)
    yield from _plain(row_csv.records(reader, request.schema, delimiter=file.delimiter))


def _jsonl(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:  # noqa: ARG001 - a `Read`
    is_lines = request.form is RowForm.LINES
    yield from _plain(row_jsonl.lines(reader) if is_lines else row_jsonl.records(reader, request.schema))


def _plain(batches: Iterator[RowBatch] | Iterator[LineBatch]) -> Iterator[Rows]:
    for batch in batches:
        yield Rows(encoded=encode(batch), schema=_named(batch), values=_as_they_are(batch))


def _as_they_are(batch: RowBatch | LineBatch) -> Callable[[int], RowBatch] | None:
    return None if isinstance(batch, LineBatch) else lambda _: batch


def _named(batch: RowBatch | LineBatch) -> Schema | None:
    """The columns of a batch, when each has a type."""
    if isinstance(batch, LineBatch):
        return None
    fields = [Field(name=n, type=t) for n, t in zip(batch.names, batch.types, strict=True) if t is not None]
    return Schema(fields=tuple(fields)) if len(fields) == len(batch.names) else None


def _parquet(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:  # noqa: ARG001 - a `Read`
    yield from _columns(row_parquet.parquet(reader), request)


def _arrow(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:  # noqa: ARG001 - a `Read`
    yield from _columns(row_arrow.arrow(reader), request)


def _columns(batches: Iterable[object], request: RowsRequest) -> Iterator[Rows]:
    _only_typed(request)
    if not row_parquet.available():
        raise unsupported("its rows need the extra [parquet]: pip install 'aibom[parquet]'")
    from aibom.fingerprint.signals_arrow import encoded_batches  # noqa: PLC0415 - needs the extra

    for encoded, schema, values in encoded_batches(batches):
        yield Rows(encoded=encoded, schema=schema, values=values)


def _tfrecord(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:  # noqa: ARG001 - a `Read`
    # The tables of its checksums take a while to build, and few scans need them.
    from aibom.readers import row_tfrecord  # noqa: PLC0415

    yield from _plain(row_tfrecord.lines(reader))


def _webdataset(file: RowFile, reader: ByteReader, request: RowsRequest) -> Iterator[Rows]:  # noqa: ARG001 - a `Read`
    _only_typed(request)
    # Samples of one shard may have different members, so there is no schema; and digests are no values.
    yield from (Rows(encoded=encode(batch)) for batch in row_webdataset.records(reader))


def _only_typed(request: RowsRequest) -> None:
    if request.form is RowForm.LINES:
        raise unsupported("only JSON Lines have rows as lines")


_READERS: Final[dict[str, Read]] = {
    "csv": _csv,
    "tsv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "arrow": _arrow,
    "arrow-stream": _arrow,
    "feather": _arrow,
    "tfrecord": _tfrecord,
    "webdataset": _webdataset,
}
_RECORDS: Final = frozenset({"tfrecord"})
MEDIA: Final = "media"  # in place of a format: images, sounds and films, which are not opened
METADATA_COUNT: Final = 100  # files beside the media of one part
FORMATS: Final = frozenset(_READERS)  # whose rows are read
