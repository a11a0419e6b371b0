"""The official clients, each used in a thread of its own straight against the mock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import openai
from botocore.config import Config
from google import genai
from google.genai import types
from twisted.internet.threads import deferToThread

from .client import Served

Result = TypeVar("Result")


async def using_openai(
    served: Served, work: Callable[[openai.OpenAI], Result]
) -> Result:
    """What ``work`` returns."""

    def run() -> Result:
        url = f"{served.url}/v1"
        with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
            return work(client)

    return await deferToThread(run)


async def using_gemini(
    served: Served, work: Callable[[genai.Client], Result]
) -> Result:
    """What ``work`` returns."""

    def run() -> Result:
        options = types.HttpOptions(base_url=served.url, timeout=10_000)
        client = genai.Client(api_key="k", http_options=options)
        try:
            return work(client)
        finally:
            client.close()

    return await deferToThread(run)


async def using_bedrock(served: Served, work: Callable[[Any], Result]) -> Result:
    """What ``work`` returns."""

    def run() -> Result:
        session = boto3.session.Session(
            aws_access_key_id="AKIDMOCK",
            aws_secret_access_key="s",
            region_name="us-east-1",
        )
        client = session.client(
            "bedrock-runtime",
            endpoint_url=served.url,
            config=Config(retries={"total_max_attempts": 1}),
        )
        try:
            return work(client)
        finally:
            client.close()

    return await deferToThread(run)
