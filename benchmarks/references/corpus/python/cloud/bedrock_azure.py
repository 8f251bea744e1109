import json
import os

import boto3
from openai import AzureOpenAI

MODEL_ID = "anthropic.claude-3-sonnet-20240229-v1:0"
TITAN = 'amazon.titan-embed-text-v2:0'

runtime = boto3.client("bedrock-runtime", region_name="us-east-1")
s3 = boto3.client("s3")


def invoke(prompt):
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200, "messages": [{"role": "user", "content": prompt}]})
    out = runtime.invoke_model(modelId=MODEL_ID, body=body)
    return json.loads(out["body"].read())


def converse(prompt, model_id):
    a = runtime.converse(
        modelId="meta.llama3-1-70b-instruct-v1:0",
        messages=[{"role": "user", "content": [{"text": prompt}]}],
    )
    b = runtime.converse(modelId=model_id, messages=[])
    return a, b


def vec(text):
    kwargs = {"modelId": TITAN, "body": json.dumps({"inputText": text})}
    return runtime.invoke_model(**kwargs)


azure = AzureOpenAI(azure_endpoint="https://acme.openai.example.com", api_version="2024-06-01")


def azure_chat(text):
    return azure.chat.completions.create(model="acme-gpt4o-prod", messages=[{"role": "user", "content": text}])


def azure_embed(texts):
    return azure.embeddings.create(model=os.environ["AZURE_EMBED_DEPLOYMENT"], input=texts)


def archive(key):
    return s3.get_object(Bucket="acme-archive", Key=key)  # holds the gpt-35-turbo transcripts
