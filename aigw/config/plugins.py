"""
``plugins``: what may stand on a route or a consumer. A plugin of the reference that
only observes is ignored; one that identifies, restricts, limits, rewrites, moderates or
routes, and is not built here, refuses the file: protection that is asked for is never
silently absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

import msgspec

from .multi import AiProxyMulti
from .part import Part, about
from .proxy import AiProxy

#: Plugins of the reference that only observe, or change nothing but the coding.
OBSERVING = frozenset(
    """
    brotli clickhouse-logger datadog elasticsearch-logger error-log-logger file-logger
    google-cloud-logging gzip http-logger kafka-logger lago log-rotate loggly
    loki-logger node-status opentelemetry prometheus real-ip request-id rocketmq-logger
    server-info skywalking skywalking-logger sls-logger splunk-hec-logging syslog
    tcp-logger tencent-cloud-cls udp-logger zipkin
    """.split()
)

#: Plugins of the reference that do more, and that this version does not have.
NOT_BUILT = frozenset(
    """
    acl ai-aliyun-content-moderation ai-aws-content-moderation ai-cache ai-lakera-guard
    ai-prompt-decorator ai-prompt-guard ai-prompt-template ai-rag
    ai-rate-limiting ai-request-rewrite api-breaker attach-consumer-label authz-casbin
    authz-casdoor authz-keycloak aws-lambda azure-functions basic-auth batch-requests
    body-transformer cas-auth chaitin-waf client-control consumer-restriction cors csrf
    data-mask degraphql dubbo-proxy echo error-page example-plugin exit-transformer
    ext-plugin-post-req ext-plugin-post-resp ext-plugin-pre-req fault-injection
    forward-auth gm graphql-limit-count graphql-proxy-cache grpc-transcode grpc-web
    hmac-auth http-dubbo inspect ip-restriction jwe-decrypt jwt-auth kafka-proxy
    key-auth ldap-auth limit-conn limit-count limit-req mcp-bridge mocking mqtt-proxy
    multi-auth oas-validator ocsp-stapling opa openfunction openid-connect openwhisk
    proxy-buffering proxy-cache proxy-control proxy-mirror proxy-rewrite public-api
    redirect referer-restriction request-validation response-rewrite saml-auth
    serverless-post-function serverless-pre-function soap traffic-label traffic-split
    ua-restriction uri-blocker wolf-rbac workflow
    """.split()
)

#: Plugins that serve a route; they make no sense anywhere else.
SERVING = frozenset({"ai-proxy", "ai-proxy-multi"})

_WHY = "not implemented by this version; set its _meta.disable to true to leave it out"


class Plugins(Part, frozen=True, kw_only=True):
    """The plugins of a route."""

    ignored: ClassVar[frozenset[str]] = OBSERVING
    refused: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(NOT_BUILT, _WHY)
    )
    disableable: ClassVar[bool] = True

    ai_proxy: Annotated[AiProxy | None, about("One provider behind the route.")] = (
        msgspec.field(name="ai-proxy", default=None)
    )
    ai_proxy_multi: Annotated[
        AiProxyMulti | None, about("Several instances behind the route, instead.")
    ] = msgspec.field(name="ai-proxy-multi", default=None)


class ConsumerPlugins(Part, frozen=True, kw_only=True):
    """The plugins of a consumer."""

    ignored: ClassVar[frozenset[str]] = OBSERVING
    refused: ClassVar[Mapping[str, str]] = MappingProxyType(
        dict.fromkeys(NOT_BUILT | SERVING, _WHY)
    )
    disableable: ClassVar[bool] = True
