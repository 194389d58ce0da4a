"""What this machine does at the moment without AnsFlow."""

import os
import pathlib
import socket
import ssl
import subprocess
import threading
import time

from .client import now_ns
from .common import Yardstick, percentile


def spawn(bench, count=200):
    """`posix_spawn` of `sh -c true` until it was waited for: p50 and p99 in ms."""
    text = subprocess.run([bench.tool, "spawn", str(count), "true"], check=True, capture_output=True, text=True).stdout
    times = [(int(end) - int(start)) / 1e6 for start, end in (line.split() for line in text.splitlines())]
    return percentile(times, 0.5), percentile(times, 0.99)


def spawn_to_stamp(bench, count=100):
    """`posix_spawn` of `sh` until the program that it starts has its first instruction: p50 and p99 in ms."""
    stamps = bench.scratch / "spawn-stamps"
    text = subprocess.run(
        [bench.tool, "spawn", str(count), f"{bench.tool} stamp {stamps}"], check=True, capture_output=True, text=True
    ).stdout
    starts = [int(line.split()[0]) for line in text.splitlines()]
    first = [int(line) for line in stamps.read_text().split()]
    stamps.unlink()
    times = [(stamp - start) / 1e6 for start, stamp in zip(starts, first)]
    return percentile(times, 0.5), percentile(times, 0.99)


def sync(bench, count=200):
    """Appending 4 KiB with `fdatasync` where the data directories are: p50 and p99 in ms."""
    text = subprocess.run(
        [bench.tool, "fsync", str(count), bench.scratch / "fsync-probe"], check=True, capture_output=True, text=True
    ).stdout
    times = [int(line) / 1e6 for line in text.split()]
    return percentile(times, 0.5), percentile(times, 0.99)


def floor(bench, syncs, to_stamp):
    """A spawn and so many appends with `fdatasync`, one after another, which no durable run can do without: p50 and p99 in ms."""
    spawn50, spawn99 = spawn_to_stamp(bench) if to_stamp else spawn(bench)
    sync50, sync99 = sync(bench)
    return spawn50 + syncs * sync50, spawn99 + syncs * sync99


def certificate(bench):
    """A self-signed key and certificate for the TLS yardsticks."""
    path = bench.scratch / "yardstick.pem"
    if not path.exists():
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-keyout", path, "-out", bench.scratch / "yardstick.crt",
            ],
            check=True, capture_output=True,
        )
        with open(path, "ab") as both:
            both.write((bench.scratch / "yardstick.crt").read_bytes())
    return path


def tls_pair(bench):
    """Two connected TLS sockets over loopback TCP."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate(bench))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))
    made = []

    def accept():
        raw = listener.accept()[0]
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.append(server.wrap_socket(raw, server_side=True))

    thread = threading.Thread(target=accept)
    thread.start()
    raw = socket.create_connection(listener.getsockname())
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    near = client.wrap_socket(raw)
    thread.join()
    listener.close()
    return near, made[0]


def tls_copy(bench, total=101_000_000):
    """One TLS connection over loopback, 64 KiB at a time, sender and receiver in processes of their own: MB/s."""
    near, far = tls_pair(bench)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            left = total
            buffer = bytearray(1 << 18)
            while left > 0:
                count = far.recv_into(buffer)
                if count == 0:
                    break
                left -= count
            far.sendall(b"!")
            status = 0
        finally:
            os._exit(status)
    block = os.urandom(64 * 1024)
    start = time.perf_counter()
    left = total
    while left > 0:
        near.sendall(block if left >= len(block) else block[:left])
        left -= len(block)
    near.recv(1)
    seconds = time.perf_counter() - start
    os.waitpid(child, 0)
    near.close()
    far.close()
    return total / 1e6 / seconds


def tls_line(bench, count=200):
    """A line through one TLS connection over loopback, one each 10 ms: p50 and p99 in ms."""
    near, far = tls_pair(bench)
    times = []

    def read():
        for _ in range(count):
            line = far.recv(4096)
            times.append((now_ns() - int(line)) / 1e6)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(count):
        time.sleep(0.01)
        near.sendall(b"%d\n" % now_ns())
    thread.join()
    near.close()
    far.close()
    return percentile(times, 0.5), percentile(times, 0.99)


def plain_copy(path):
    """`sendfile` of a file over plain loopback TCP to a reader in a process of its own: seconds."""
    size = pathlib.Path(path).stat().st_size
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        try:
            with listener.accept()[0] as peer, open(path, "rb") as file:
                peer.sendfile(file)
        finally:
            os._exit(0)
    start = time.perf_counter()
    with socket.create_connection(listener.getsockname()) as peer:
        buffer = bytearray(1 << 18)
        left = size
        while left > 0:
            count = peer.recv_into(buffer)
            if count == 0:
                break
            left -= count
    seconds = time.perf_counter() - start
    os.waitpid(child, 0)
    listener.close()
    return seconds


def idle_tls_server(bench):
    """Resident MB of an idle `openssl s_server`: the least that a process with TLS has."""
    from .stack import free_port, memory

    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(free_port()), "-cert", certificate(bench), "-quiet"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    time.sleep(1)
    resident = memory(server.pid)["resident"]
    server.terminate()
    server.wait()
    return Yardstick("idle openssl s_server", resident, "MB")


def machine_speed(bench):
    """The figures that say how fast the machine is at the moment, as name, value, unit."""
    spawn50, spawn99 = spawn(bench)
    sync50, sync99 = sync(bench)
    return [
        Yardstick("posix_spawn sh -c true, p50", spawn50, "ms"),
        Yardstick("posix_spawn sh -c true, p99", spawn99, "ms"),
        Yardstick("append 4 KiB + fdatasync, p50", sync50, "ms"),
        Yardstick("append 4 KiB + fdatasync, p99", sync99, "ms"),
        Yardstick("loopback TLS copy of 101 MB", tls_copy(bench), "MB/s"),
    ]
