from dataclasses import dataclass, field

from vllm import LLM, AsyncEngineArgs, AsyncLLMEngine, SamplingParams
from vllm.lora.request import LoRARequest

PARAMS = SamplingParams(temperature=0.0, max_tokens=512)


@dataclass(frozen=True)
class Job:
    prompts: list = field(default_factory=list)
    model: str = "mistralai/Mistral-7B-Instruct-v0.3"
    tokenizer: str = "mistralai/Mistral-7B-Instruct-v0.3"


def run(job: Job = Job()):
    llm = LLM(model="mistralai/Mistral-7B-Instruct-v0.3", revision="e0bc86c23ce5aae1db576c8cca6f06f1f73af2db", enable_lora=True)
    sql = LoRARequest("sql", 1, "acme-ai/mistral-sql-lora")
    tone = LoRARequest(lora_name="tone", lora_int_id=2, lora_path="./loras/tone/final")
    return llm.generate(job.prompts, PARAMS, lora_request=sql), tone


def awq():
    return LLM("TheBloke/zephyr-7B-beta-AWQ", quantization="awq", tokenizer="HuggingFaceH4/zephyr-7b-beta")


def engine():
    args = AsyncEngineArgs(
        model="Qwen/Qwen-7B-Chat",
        trust_remote_code=True,
        max_model_len=8192,
    )
    return AsyncLLMEngine.from_engine_args(args)


def custom(cfg):
    # cfg comes from the request; "facebook/opt-125m" in the tests
    return LLM(model=cfg["model"])
