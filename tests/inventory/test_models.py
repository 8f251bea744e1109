"""Which files are one model, what it is called, and what hangs under it."""

from __future__ import annotations

from aibom.domain.component import Component, ComponentKind, IdentityBasis, RelationKind
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import PinnedRef
from aibom.domain.target import Target
from aibom.fingerprint.model import model_digest
from aibom.inventory import Inventory, assemble
from tests.builders import TARGET, card, file, says, tensor, weights

COMMIT = "a" * 40


def inventory(*files: File, gaps: tuple[Gap, ...] = (), target: Target = TARGET) -> Inventory:
    return assemble(files, gaps, (target,), model_digest)


def components(*files: File, kind: ComponentKind = ComponentKind.MODEL, **more: object) -> list[Component]:
    return [c for c in inventory(*files, **more).components if c.kind is kind]  # type: ignore[arg-type]


def only(*files: File, kind: ComponentKind = ComponentKind.MODEL, **more: object) -> Component:
    (found,) = components(*files, kind=kind, **more)
    return found


CONFIG = file("m/config.json", "transformers-config", FileKind.CONFIG, says(Attribute.MODEL_TYPE, "bert"))


def test_shards_become_one_model() -> None:
    index = file("m/model.safetensors.index.json", "shard-index", FileKind.INDEX, shards=(
        "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"))  # fmt: skip
    one = weights("m/model-00001-of-00002.safetensors", tensors=(tensor("a", 2),))
    two = weights("m/model-00002-of-00002.safetensors", tensors=(tensor("b", 3),))
    model = only(index, one, two)
    assert (model.name, model.tensor_count, model.parameter_count, model.complete) == ("m", 2, 5, True)
    assert index.path in model.files


def test_the_model_digest_is_the_same_for_one_file_and_for_shards() -> None:
    a, b = tensor("a", 2), tensor("b", 3)
    whole = only(CONFIG, weights("m/model.safetensors", tensors=(a, b)))
    shards = only(
        CONFIG,
        weights("m/model-00001-of-00002.safetensors", tensors=(b,)),
        weights("m/model-00002-of-00002.safetensors", tensors=(a,)),
    )
    assert whole.model_digest == shards.model_digest
    assert whole.model_digest is not None


def test_a_missing_shard_is_a_gap_and_the_model_is_incomplete() -> None:
    found = inventory(weights("m/model-00001-of-00003.safetensors"))
    assert [(g.path, g.reason) for g in found.gaps] == [
        ("m/model-00002-of-00003.safetensors", Reason.MISSING),
        ("m/model-00003-of-00003.safetensors", Reason.MISSING),
    ]
    (model,) = found.components
    assert not model.complete
    assert (model.model_digest, model.model_digest_absent) == (None, "shards are missing")


def test_a_shard_that_only_the_index_names_is_missed_too() -> None:
    index = file(
        "model.safetensors.index.json", "shard-index", FileKind.INDEX, shards=("model-1.safetensors",)
    )
    assert [gap.path for gap in inventory(index).gaps] == ["model-1.safetensors"]


def test_a_huge_shard_count_in_a_name_promises_nothing() -> None:
    assert inventory(weights("model-00001-of-99999.safetensors")).gaps == ()


def test_gguf_variants_are_a_model_each_with_its_quantisation() -> None:
    files = [
        weights(f"g/tiny.{level}.gguf", "gguf", says(Attribute.QUANTISATION, level))
        for level in ("Q4_0", "Q8_0")
    ]
    found = components(*files, card("g/README.md", "model", says(Attribute.LICENCE, "mit")))
    assert [(c.name, c.first(Attribute.QUANTISATION)) for c in found] == [
        ("tiny.Q4_0", "Q4_0"),
        ("tiny.Q8_0", "Q8_0"),
    ]
    assert [c.first(Attribute.LICENCE) for c in found] == ["mit", "mit"]


def test_a_split_gguf_is_one_model() -> None:
    files = [weights(f"tiny-0000{n}-of-00002.gguf", "gguf") for n in (1, 2)]
    assert len(only(*files).files) == 2


def test_two_containers_of_a_described_folder_are_one_model() -> None:
    model = only(CONFIG, weights("m/model.safetensors"), weights("m/pytorch_model.bin", "torch-zip"))
    assert (len(model.files), model.tensor_count) == (3, 1)


def test_without_a_description_every_file_stands_for_itself() -> None:
    found = components(weights("loras/a.safetensors"), weights("loras/model.safetensors"))
    assert [c.name for c in found] == ["a", "model"]


def test_training_state_is_no_model_of_its_own() -> None:
    model = only(CONFIG, weights("m/model.safetensors"), weights("m/optimizer.pt", "torch-zip"))
    assert "m/optimizer.pt" in model.files
    assert model.tensor_count == 1


def test_a_fine_tune_is_named_after_itself_and_its_base_is_a_claim() -> None:
    config = file(
        "my-bert/config.json",
        "transformers-config",
        FileKind.CONFIG,
        says(Attribute.BASE_MODEL, "google-bert/bert-base-uncased", relation="name_or_path"),
    )
    model = only(config, weights("my-bert/model.safetensors"))
    assert (model.name, model.basis) == ("my-bert", IdentityBasis.INFERRED)
    (base,) = model.relations
    assert base.kind is RelationKind.ANCESTOR
    assert base.target is not None
    assert base.target.location == "google-bert/bert-base-uncased"
    assert base.source == "my-bert/config.json"


def test_the_cards_base_and_relation_win_over_name_or_path() -> None:
    config = file(
        "m/config.json", "transformers-config", FileKind.CONFIG,
        says(Attribute.BASE_MODEL, "org/base", relation="name_or_path"),
    )  # fmt: skip
    about = card(
        "m/README.md",
        "model",
        says(Attribute.BASE_MODEL, "org/base"),
        says(Attribute.BASE_MODEL_RELATION, "finetune"),
    )
    (base,) = only(config, about, weights("m/model.safetensors")).relations
    assert (base.detail, base.source) == ("finetune", "m/README.md")


def test_a_local_path_in_name_or_path_is_no_ancestor() -> None:
    config = file(
        "m/config.json", "transformers-config", FileKind.CONFIG,
        says(Attribute.BASE_MODEL, "/mnt/data/checkpoint-100", relation="name_or_path"),
    )  # fmt: skip
    model = only(config, weights("m/model.safetensors"))
    assert model.relations == ()
    assert model.first(Attribute.BASE_MODEL) == "(local folder) checkpoint-100"


def test_a_card_declares_the_name() -> None:
    model = only(
        card("m/README.md", "model", says(Attribute.NAME, "Nice Model")), weights("m/model.safetensors")
    )
    assert (model.name, model.basis) == ("Nice Model", IdentityBasis.DECLARED)


def test_a_heading_of_a_card_is_not_a_name() -> None:
    about = card("m/README.md", "model", says(Attribute.NAME, "Model Card for Foo", origin="heading"))
    assert only(about, weights("m/model.safetensors")).name == "m"


def test_the_cache_layout_declares_name_and_commit() -> None:
    base = f"models--org--name/snapshots/{COMMIT}"
    model = only(
        file(f"{base}/config.json", "transformers-config", FileKind.CONFIG),
        weights(f"{base}/model.safetensors"),
    )
    assert (model.name, model.version, model.basis) == ("org/name", COMMIT, IdentityBasis.DECLARED)
    assert isinstance(model.ref, PinnedRef)
    assert model.ref.purl == f"pkg:huggingface/org/name@{COMMIT}"


def test_a_cached_repository_as_the_target_gives_the_same_purl() -> None:
    target = Target(
        name="models--org--name", ref=PinnedRef(scheme="hf", location="org/name", revision=COMMIT)
    )
    model = only(weights(f"snapshots/{COMMIT}/sub/model.safetensors"), target=target)
    assert model.ref is not None
    assert model.ref.purl == f"pkg:huggingface/org/name@{COMMIT}#sub/model.safetensors"


def test_one_file_among_several_has_the_files_purl() -> None:
    target = Target(name="x", ref=PinnedRef(scheme="hf", location="org/name", revision=COMMIT))
    files = [weights(f"tiny.{level}.gguf", "gguf") for level in ("Q4_0", "Q8_0")]
    refs = [c.ref.purl for c in components(*files, target=target) if c.ref]
    assert refs == [f"pkg:huggingface/org/name@{COMMIT}#tiny.{level}.gguf" for level in ("Q4_0", "Q8_0")]


def test_an_adapter_is_an_adapter_and_its_base_an_ancestor() -> None:
    config = file(
        "lora/adapter_config.json", "adapter-config", FileKind.CONFIG,
        says(Attribute.BASE_MODEL, "org/base", relation="adapter", revision=COMMIT),
    )  # fmt: skip
    adapter = only(config, weights("lora/adapter_model.safetensors"), kind=ComponentKind.ADAPTER)
    (base,) = adapter.relations
    assert isinstance(base.target, PinnedRef)
    assert (base.target.revision, base.detail) == (COMMIT, "adapter")


def test_tokenizer_and_remote_code_hang_under_their_model() -> None:
    config = file(
        "m/config.json",
        "transformers-config",
        FileKind.CONFIG,
        says(Attribute.REMOTE_CODE, "modeling_x.XModel"),
    )
    found = inventory(
        config, weights("m/model.safetensors"), file("m/modeling_x.py"), file("m/other.py"),
        file("m/tokenizer.json", "tokenizer", FileKind.TOKENIZER),
    ).components  # fmt: skip
    by_kind = {c.kind: c for c in found}
    assert by_kind[ComponentKind.CODE].files == ("m/modeling_x.py",)
    assert by_kind[ComponentKind.TOKENIZER].files == ("m/tokenizer.json",)
    used = {r.target_id for r in by_kind[ComponentKind.MODEL].relations}
    assert used == {by_kind[ComponentKind.CODE].id, by_kind[ComponentKind.TOKENIZER].id}


def test_configuration_in_a_subfolder_without_weights_belongs_to_the_model_above() -> None:
    pooling = file("m/1_Pooling/config.json", "json-config", FileKind.CONFIG)
    assert pooling.path in only(CONFIG, weights("m/model.safetensors"), pooling).files


def test_an_mlflow_model_owns_the_weights_below_it() -> None:
    marker = file("run/model/MLmodel", "mlmodel", FileKind.CONFIG)
    model = only(marker, weights("run/model/data/model.pth", "torch-zip"))
    assert (model.name, len(model.files)) == ("model", 2)


def test_a_card_of_the_folder_above_is_inherited() -> None:
    about = card("README.md", "model", says(Attribute.LICENCE, "apache-2.0"))
    found = components(about, weights("onnx/model.onnx", "onnx"))
    assert "apache-2.0" in [c.first(Attribute.LICENCE) for c in found]


def test_a_model_without_weights_is_incomplete() -> None:
    model = only(CONFIG)
    assert not model.complete
    assert model.model_digest_absent == "no tensors"


def test_a_lost_neighbour_makes_the_model_incomplete() -> None:
    lost = Gap(path="m/model.safetensors.tmp", stage=Stage.OPEN, reason=Reason.DENIED, detail="no")
    assert not only(CONFIG, weights("m/model.safetensors"), gaps=(lost,)).complete


def test_an_lfs_pointer_counts_as_the_weights_it_stands_for() -> None:
    pointer = file("m/model.safetensors", "lfs-pointer", FileKind.POINTER)
    gap = Gap(path=pointer.path, stage=Stage.READ, reason=Reason.LFS_POINTER, detail="pointer")
    model = only(CONFIG, pointer, gaps=(gap,))
    assert pointer.path in model.files
    assert not model.complete


def test_other_and_unknown_are_not_licences() -> None:
    about = card(
        "m/README.md", "model", says(Attribute.LICENCE, "other"), says(Attribute.LICENCE_NAME, "My licence")
    )
    model = only(about, weights("m/model.safetensors"))
    assert model.first(Attribute.LICENCE) is None
    assert model.first(Attribute.LICENCE_NAME) == "My licence"


def test_ids_follow_from_content_and_not_from_order() -> None:
    files = [CONFIG, weights("m/model.safetensors"), weights("x/other.gguf", "gguf")]
    forward, backward = inventory(*files).components, inventory(*reversed(files)).components
    assert [c.id for c in forward] == [c.id for c in backward]
    assert len({c.id for c in forward}) == len(forward)
