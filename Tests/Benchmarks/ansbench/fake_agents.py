"""Many idle agents in one process: they enrol as real ones do, connect with their own certificates, say HELLO and send heartbeats.

    python3 -m ansbench.fake_agents PORT AGENT_PORT TOKEN COUNT DIRECTORY

Prints "ready" when all are connected, and stays until its input ends. The controller cannot tell them from real ones; that they
share one process keeps their own cost out of the measurement's way.
"""

import hashlib
import json
import os
import pathlib
import selectors
import socket
import ssl
import struct
import subprocess
import sys
import time

from .client import Connection

#: The controller lets one address enrol 20 agents at once; loopback has many addresses.
PER_ADDRESS = 18


def source(number):
    return f"127.0.{1 + number // PER_ADDRESS // 250}.{1 + number // PER_ADDRESS % 250}"


def dial(port, context, number):
    raw = socket.socket()
    raw.bind((source(number), 0))
    raw.connect(("127.0.0.1", port))
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw)


def read_head(tls):
    data = b""
    while b"\r\n\r\n" not in data:
        part = tls.recv(65536)
        if not part:
            raise SystemExit(f"fake_agents: closed: {data[:300]!r}")
        data += part
    return data.split(b"\r\n\r\n", 1)


def client_context(authority=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE if authority is None else ssl.CERT_REQUIRED
    if authority:
        context.load_verify_locations(cadata=authority)
    return context


def enrol(api, port, number, directory):
    """Makes a key, has it signed, and returns the context to connect with."""
    key, request = directory / f"{number}.key", directory / f"{number}.csr"
    subprocess.run(
        [
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=agent",
            "-keyout", key, "-out", request,
        ],
        check=True, capture_output=True,
    )
    token = api.call("POST", "/api/v1/agents/enrolment-tokens", {})["token"]
    body = json.dumps(
        {
            "token": token.rsplit(".", 1)[0], "csr": request.read_text(), "name": f"idle-{number}",
            "labels": {"bench": "idle"}, "slots": 1,
        }
    ).encode()
    with dial(port, client_context(), number) as tls:
        head = f"POST /agent/enrol HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        tls.sendall(head.encode() + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        head, data = read_head(tls)
        length = int([line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")][0].split(b":")[1])
        while len(data) < length:
            part = tls.recv(65536)
            if not part:
                break
            data += part
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"fake_agents: enrolment refused: {data[:300]!r}")
    answer = json.loads(data)
    certificate = directory / f"{number}.crt"
    certificate.write_text(answer["certificate"])
    context = client_context(answer["ca"])
    context.load_cert_chain(certificate, key)
    return context


def frame(payload, opcode=2):
    """A client's frame, with a mask of zeros."""
    count = len(payload)
    head = struct.pack(">BB", 0x80 | opcode, 0x80 | count) if count < 126 else struct.pack(">BBH", 0x80 | opcode, 0xFE, count)
    return head + bytes(4) + payload


def message(kind, **fields):
    return frame(json.dumps({"type": kind, **fields}).encode())


def connect(port, context, number, boot):
    tls = dial(port, context, number)
    tls.sendall(
        (
            f"GET /agent/v1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Protocol: ansflow.agent.v1\r\n\r\n"
        ).encode()
    )
    head, rest = read_head(tls)
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"fake_agents: not upgraded: {head[:300]!r}")
    unique = hashlib.sha256(f"{boot}-{number}-{os.getpid()}".encode()).hexdigest()[:32]
    tls.sendall(
        message(
            "hello", proto_min=1, proto_max=1, version="0.1.0", process_nonce=unique, boot_id=boot, store_id=unique,
            highest_attempt_seen=0, containment="best_effort", slots=1, labels={"bench": "idle"}, attempts=[], draining=False,
        )
    )
    return tls, rest


def frames(data):
    """Whole frames at the front of `data`, which loses them."""
    while len(data) >= 2:
        length, head = data[1] & 0x7F, 2
        if length == 126:
            if len(data) < 4:
                return
            length, head = struct.unpack_from(">H", data, 2)[0], 4
        if len(data) < head + length:
            return
        yield data[0] & 0x0F, bytes(data[head : head + length])
        del data[: head + length]


def heartbeat():
    return message("heartbeat", now_ms=int(time.time() * 1000), load=0.1, disk_free_bytes=10**10)


class Crowd:
    """All connections and their clocks."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.due = []
        self.welcomed = 0

    def add(self, tls, rest):
        tls.setblocking(False)
        agent = {"tls": tls, "data": bytearray(rest)}
        self.selector.register(tls, selectors.EVENT_READ, agent)
        self.due.append([time.monotonic() + 10, agent])

    def turn(self, timeout):
        for key, _ in self.selector.select(timeout):
            if key.data is not None:
                self.read(key.data)
        now = time.monotonic()
        for entry in self.due:
            if entry[0] <= now:
                entry[1]["tls"].send(heartbeat())
                entry[0] += 10

    def read(self, agent):
        try:
            while True:
                part = agent["tls"].recv(65536)
                if not part:
                    raise SystemExit("fake_agents: the controller closed a connection")
                agent["data"] += part
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        for opcode, payload in frames(agent["data"]):
            if opcode == 9:
                agent["tls"].send(frame(payload, 10))
            elif opcode == 8:
                raise SystemExit(f"fake_agents: closed by the controller: {payload[2:]!r}")
            elif b'"welcome"' in payload:
                self.welcomed += 1
            elif b'"probe"' in payload:
                agent["tls"].send(heartbeat())


def main():
    port, agent_port, token, count, directory = sys.argv[1:6]
    directory = pathlib.Path(directory)
    directory.mkdir()
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    api = Connection(int(port), token)
    crowd = Crowd()
    for number in range(int(count)):
        context = enrol(api, int(agent_port), number, directory)
        crowd.add(*connect(int(agent_port), context, number, boot))
        crowd.turn(0)
    while crowd.welcomed < int(count):
        crowd.turn(1)
    print("ready", flush=True)
    crowd.selector.register(sys.stdin, selectors.EVENT_READ, None)
    while True:
        crowd.turn(0.2)
        if any(key.data is None and not os.read(0, 4096) for key, _ in crowd.selector.select(0)):
            return


if __name__ == "__main__":
    main()
