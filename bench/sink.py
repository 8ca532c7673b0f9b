"""A sink that accepts every push at once: nginx in place of FCM, with TLS and HTTP/2, on 127.0.0.1."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme

from bench.process import other_core
from functions.settings import FcmSettings
from local.standins.fcm import FakeFcm

PROJECT = "demo"
LATENCIES_MS = (0, 100)
"""The delays before the sink answers; the second is that of FCM from a nearby region."""

_ECHO_MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
_ANSWER = '{"name":"projects/demo/messages/0:1500415314455276%31bd1c9631bd1c96"}'
_READY_SECONDS = 10
_CONFIG = """\
load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    http2_max_concurrent_streams 100;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        location /0ms/ {{ return 200 '{answer}'; }}
        location /100ms/ {{ echo_sleep 0.1; echo '{answer}'; }}
    }}
}}
"""


class NotInstalled(Exception):
    """The sink cannot be started on this machine; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class Sink:
    """The address of the sink, and the files for TLS and for credentials."""

    port: int
    ca_file: Path
    credentials_file: Path

    def settings(self, latency_ms: int) -> FcmSettings:
        """Return the settings for an FcmSender that sends to the sink."""
        return FcmSettings(
            project=PROJECT,
            endpoint=f"https://127.0.0.1:{self.port}/{latency_ms}ms",
            ca_file=self.ca_file,
            credentials_file=self.credentials_file,
        )

    def arguments(self, latency_ms: int) -> dict[str, str]:
        """Return the arguments of `fcm_settings`, for another process."""
        settings = self.settings(latency_ms)
        files = {"ca_file": str(self.ca_file), "credentials_file": str(self.credentials_file)}
        return {"endpoint": settings.endpoint, **files}


def fcm_settings(endpoint: str, ca_file: str, credentials_file: str) -> FcmSettings:
    """Return the settings that `Sink.arguments` describes."""
    return FcmSettings(
        project=PROJECT, endpoint=endpoint, ca_file=Path(ca_file), credentials_file=Path(credentials_file)
    )


@contextmanager
def sink() -> Iterator[Sink]:
    """Run the sink and an endpoint for access tokens; NotInstalled if nginx is missing."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None or not _ECHO_MODULE.exists():
        raise NotInstalled("this benchmark needs nginx: apt-get install nginx libnginx-mod-http-echo")
    with TemporaryDirectory(prefix="tminus-sink-") as name, FakeFcm(project=PROJECT) as tokens:
        folder, port = Path(name), _free_port()
        _write_files(folder, port)
        command = [nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        process = subprocess.Popen(command)  # noqa: S603 - the nginx of this machine, with our configuration
        try:
            os.sched_setaffinity(process.pid, {other_core()})
            _wait_for(process, port, folder)
            yield Sink(port=port, ca_file=folder / "ca.pem", credentials_file=tokens.service_account_file)
        finally:
            process.terminate()
            process.wait()


def _write_files(folder: Path, port: int) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    config = _CONFIG.format(module=_ECHO_MODULE, folder=folder, port=port, answer=_ANSWER)
    (folder / "nginx.conf").write_text(config, encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    give_up_at = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    log = folder / "error.log"
    raise RuntimeError(f"nginx does not start: {log.read_text() if log.exists() else 'its log is empty'}")
