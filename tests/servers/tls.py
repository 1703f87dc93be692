"""A TLS proxy before a server of the tests, with a certificate of an authority of its own."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def terminated(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Speak TLS on 127.0.0.1 for the server at `port`; gives the port and the file of the authority."""
    authority, chain = certificates(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    started: Future[tuple[int, Callable[[], None]]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(port, context, started)))
    thread.start()
    own_port, stop = started.result(10)
    try:
        yield own_port, authority
    finally:
        stop()
        thread.join(10)


async def _serve(port: int, context: ssl.SSLContext, started: Future[tuple[int, Callable[[], None]]]) -> None:
    """Serve until what is told in `started` is called; connections end with it."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        loop.call_soon_threadsafe(ended.set)

    server = await asyncio.start_server(lambda *ends: _join(port, *ends), "127.0.0.1", 0, ssl=context)
    started.set_result((server.sockets[0].getsockname()[1], stop))
    await ended.wait()
    server.close()


def certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority and a certificate for 127.0.0.1; return its file, and that of the other with its key."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("invented authority", "node")]
    above = _certificate(names[0], keys[0], names[0], keys[0], authority=True)
    node = _certificate(names[1], keys[1], names[0], keys[0], authority=False)
    pem = serialization.Encoding.PEM
    key = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    authority, chain = folder / "authority.pem", folder / "node.pem"
    authority.write_bytes(above.public_bytes(pem))
    chain.write_bytes(node.public_bytes(pem) + key)
    return authority, chain


def _certificate(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority:
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        built = built.add_extension(usage, critical=True)
    else:
        here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        built = built.add_extension(x509.SubjectAlternativeName([here]), critical=False)
    return built.sign(signer, hashes.SHA256())


async def _join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_carry(reader, back), _carry(there, writer), return_exceptions=True)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    finally:
        target.close()
