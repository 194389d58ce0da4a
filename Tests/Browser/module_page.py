"""Serves the page's modules as they stand in the sources, under the controller's policy, and hands calls on to a controller.

One part of the page can so be tested by itself: the log viewer or the graph in a page of nothing else.
"""
import mimetypes
import pathlib
import socket
import threading
import time

WEB = pathlib.Path(__file__).resolve().parents[2] / "Controller/Web"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
PAGE = (
    '<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Part</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{styles}</head><body><main><h1 class="hidden">Part</h1>'
    '<div id="host"></div></main><div id="announcer" class="hidden" aria-live="polite"></div>'
    '<script type="module" src="/part.js"></script></body></html>')
STYLES = "".join(f'<link rel="stylesheet" href="/css/{name}.css">' for name in ("tokens", "base", "ui", "log", "graph", "narrow"))


class ModulePage:
    """`script` is the module that puts the part into `#host`."""

    def __init__(self, script: str, controller: str = "", token: str = "", rate: int = 0):
        self.script = script
        self.controller = controller
        self.token = token
        # Bytes a second that a WebSocket brings to the page, for slow lines; 0 for no bound.
        self.rate = rate
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.calls: list[str] = []
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                part = connection.recv(65536)
                if not part:
                    return
                head += part
            head, _, rest = head.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            target = lines[0].split(" ")[1]
            path = target.partition("?")[0]
            if path.startswith(("/api/", "/ws")):
                self.calls.append(target)
                self.hand_on(connection, lines, rest)
            else:
                self.answer(connection, path, target)

    def answer(self, connection: socket.socket, path: str, target: str) -> None:
        status, kind, body = "200 OK", "text/html; charset=utf-8", b""
        file = (WEB / path.lstrip("/")).resolve()
        if path == "/":
            theme = "dark" if "theme=dark" in target else "light"
            body = PAGE.format(styles=STYLES, theme=theme).encode()
        elif path == "/part.css":
            kind, body = "text/css", b"#host{height:100vh}"
        elif path == "/part.js":
            kind, body = "text/javascript", self.script.encode()
        elif path == "/favicon.ico":
            status = "204 No Content"
        elif file.is_relative_to(WEB) and file.is_file():
            kind, body = mimetypes.guess_type(file.name)[0] or "text/plain", file.read_bytes()
        else:
            status = "404 Not Found"
        head = (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nContent-Security-Policy: {POLICY}\r\n"
                "Cache-Control: no-store\r\nConnection: close\r\n\r\n")
        connection.sendall(head.encode() + body)

    def hand_on(self, connection: socket.socket, lines: list[str], rest: bytes) -> None:
        """The request with its credentials; one for each connection."""
        host, port = self.controller.split("//")[1].split(":")
        is_socket = any(line.lower() == "upgrade: websocket" for line in lines)
        dropped = ("host:", "origin:", "authorization:", "cookie:") + (() if is_socket else ("connection:",))
        kept = [line for line in lines[1:] if not line.lower().startswith(dropped)]
        kept += [f"Host: {host}:{port}", f"Authorization: Bearer {self.token}"]
        if is_socket:
            kept.append(f"Origin: {self.controller}")
        else:
            kept.append("Connection: close")
        try:
            peer = socket.socket()
            # A slow line has little room in its buffers: what does not fit waits where it comes from.
            if is_socket and self.rate:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            peer.settimeout(5)
            peer.connect((host, int(port)))
        except OSError:
            return
        peer.settimeout(None)
        peer.sendall("\r\n".join([lines[0], *kept, "", ""]).encode("latin-1") + rest)
        threading.Thread(target=self.pump, args=(connection, peer), daemon=True).start()
        self.pump(peer, connection, self.rate if is_socket else 0)
        peer.close()

    @staticmethod
    def pump(source: socket.socket, target: socket.socket, rate: int = 0) -> None:
        try:
            while part := source.recv(max(1, rate // 20) if rate else 65536):
                target.sendall(part)
                if rate:
                    time.sleep(len(part) / rate)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
