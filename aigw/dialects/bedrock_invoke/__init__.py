"""
Amazon Bedrock's InvokeModel and InvokeModelWithResponseStream
(https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html),
whose bodies are the model vendor's own. Of Anthropic's models those are Messages
(https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html).
"""

from .dialect import BedrockInvoke

__all__ = ["BedrockInvoke"]
