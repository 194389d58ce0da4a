"""HTTP and WebSocket as far as the benchmarks need them, with as little of Python between the clock and the socket as can be."""

import json
import select
import socket
import struct
import time

from .common import Broken


def now_ns():
    """CLOCK_MONOTONIC, the clock that the steps stamp with."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Connection:
    """One HTTP connection that is kept alive."""

    def __init__(self, port, token=None):
        self.port = port
        self.token = token
        self.socket = None
        self.rest = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None
        self.rest = b""

    def request(self, method, path, body=None, headers=()):
        """The bytes of a request."""
        payload = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {len(payload)}"]
        if payload:
            lines.append("Content-Type: application/json")
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        lines += [f"{name}: {value}" for name, value in headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + payload

    def send(self, request):
        """Sends a request's bytes; returns when (ns) the sending began."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = now_ns()
        self.socket.sendall(request)
        return at

    def _more(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise Broken("The controller closed the connection before its answer.")
        return part

    def answer(self, sink=None):
        """Status and body; with `sink` the body goes there piece by piece."""
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        fields = {}
        for line in lines[1:]:
            name, value = line.split(b":", 1)
            fields[name.strip().lower()] = value.strip()
        if fields.get(b"transfer-encoding") == b"chunked":
            body = self._chunked(data)
        else:
            body = self._counted(data, int(fields.get(b"content-length", b"0")), sink)
        return status, body

    def _counted(self, data, count, sink):
        taken, self.rest = data[:count], data[count:]
        left = count - len(taken)
        if sink is None:
            parts = [taken]
            while left > 0:
                part = self._more()
                parts.append(part[:left])
                self.rest = part[left:]
                left -= len(parts[-1])
            return b"".join(parts)
        sink(taken)
        while left > 0:
            part = self._more()
            sink(part[:left])
            self.rest = part[left:]
            left -= min(left, len(part))
        return b""

    def _chunked(self, data):
        body = b""
        while True:
            while b"\r\n" not in data:
                data += self._more()
            size, data = data.split(b"\r\n", 1)
            size = int(size.split(b";")[0], 16)
            while len(data) < size + 2:
                data += self._more()
            body, data = body + data[:size], data[size + 2 :]
            if size == 0:
                self.rest = data
                return body

    def call(self, method, path, body=None, headers=()):
        """A request and its answer as JSON; a status of 400 and above is an error."""
        request = self.request(method, path, body, headers)
        try:
            # Kept alive for too long: the peer has closed it meanwhile.
            if self.socket is not None and select.select([self.socket], [], [], 0)[0]:
                self.close()
        except ValueError:
            self.close()
        self.send(request)
        status, text = self.answer()
        if status >= 400:
            raise Broken(f"{method} {path} answered {status}: {text[:400].decode(errors='replace')}")
        return json.loads(text) if text else {}


class LiveSocket:
    """A viewer's WebSocket."""

    def __init__(self, port, path, token):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(
            (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            ).encode()
        )
        data = b""
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(65536)
            if not part:
                break
            data += part
        if not data.startswith(b"HTTP/1.1 101"):
            raise Broken(f"{path} was not upgraded: {data[:300].decode(errors='replace')}")
        self.data = bytearray(data.split(b"\r\n\r\n", 1)[1])
        self.read_at = now_ns()

    def close(self):
        self.socket.close()

    def _frame(self):
        data = self.data
        if len(data) < 2:
            return None
        length, head = data[1] & 0x7F, 2
        if length == 126:
            if len(data) < 4:
                return None
            length, head = struct.unpack_from(">H", data, 2)[0], 4
        elif length == 127:
            if len(data) < 10:
                return None
            length, head = struct.unpack_from(">Q", data, 2)[0], 10
        if len(data) < head + length:
            return None
        frame = data[0] & 0x0F, bytes(data[head : head + length])
        del data[: head + length]
        return frame

    def receive(self, timeout=60):
        """When the next message's bytes were read (ns), and the message; answers pings meanwhile."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self._frame()
            if frame is None:
                left = deadline - time.monotonic()
                if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                    raise Broken(f"Nothing came over the WebSocket for {timeout} s.")
                part = self.socket.recv(1 << 18)
                self.read_at = now_ns()
                if not part:
                    raise Broken("The controller closed the WebSocket.")
                self.data += part
                continue
            opcode, payload = frame
            if opcode == 1:
                return self.read_at, json.loads(payload)
            if opcode == 9:
                self.socket.sendall(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            elif opcode == 8:
                raise Broken(f"The controller closed the WebSocket: {payload[2:].decode(errors='replace')}")

    def await_snapshot(self):
        while self.receive()[1]["type"] != "snapshot":
            pass

    def await_finished(self, count=1, timeout=60):
        """Reads until `count` runs have ended; returns when (ns) the last of them did and the results."""
        results = []
        while len(results) < count:
            at, message = self.receive(timeout)
            data = message.get("data") or {}
            if message["type"] == "lagged":
                raise Broken("The benchmark's own viewer lagged.")
            if message["type"] == "execution_update" and "job" not in data and data.get("phase") == "finished":
                results.append(data.get("result"))
        return at, results
