"""
Amazon Bedrock's Converse and ConverseStream
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
"""

from .dialect import BedrockConverse

__all__ = ["BedrockConverse"]
