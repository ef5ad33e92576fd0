"""The gRPC server: ``grpcplugin.Expander/BestOptions``, over TLS unless that was refused by an explicit flag."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc
from google.protobuf.message import DecodeError

from chipwise.expander.answers import Answers
from chipwise.expander.wire.expander_pb2 import BestOptionsRequest, BestOptionsResponse
from chipwise.telemetry.server import Address

log = logging.getLogger(__name__)

SERVICE = "grpcplugin.Expander"
METHOD = "BestOptions"
#: What Cluster Autoscaler sends at most.
_LARGEST = 128 * 1024 * 1024
_GRACE = 1.0


def _handlers(answers: Answers) -> grpc.GenericRpcHandler:
    async def best_options(content: bytes, context: grpc.aio.ServicerContext) -> BestOptionsResponse:
        """Bytes that are no request get an error: then Cluster Autoscaler keeps all options and asks the next expander."""
        try:
            request = BestOptionsRequest.FromString(content)
        except DecodeError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return answers.best_options(request)

    method = grpc.unary_unary_rpc_method_handler(
        best_options, response_serializer=BestOptionsResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: method})


@asynccontextmanager
async def answering(
    answers: Answers, address: Address, credentials: grpc.ServerCredentials | None
) -> AsyncGenerator[Address, None]:
    """Answer until the block ends; gives the address with the port that was chosen. Raises OSError if it cannot be had.

    Without ``credentials`` in the clear.
    """
    options = [("grpc.max_receive_message_length", _LARGEST), ("grpc.so_reuseport", 0)]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers((_handlers(answers),))
    try:
        port = (
            server.add_insecure_port(str(address))
            if credentials is None
            else server.add_secure_port(str(address), credentials)
        )
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    bound = Address(address.host, port)
    log.info("answering Cluster Autoscaler on %s%s", bound, "" if credentials else " in the clear")
    try:
        yield bound
    finally:
        await server.stop(_GRACE)
