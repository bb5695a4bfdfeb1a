//! nginx: one process in a directory of its own, as upstream and as the proxy that we compare ourselves with.

use std::path::Path;

use anyhow::Result;

use super::process::{Process, Scratch, free_port};
use super::subject::{Running, SUBJECT_CORE, Subject};
use super::upstream::{self, Upstream};

/// The key that callers of the proxy bring.
const CALLER_KEY: &str = "bench-caller-key-0123456789abcdef";

/// nginx as a proxy that checks a key by `map`, puts the secret onto the request and keeps connections to the upstream.
/// Its buffers are the default ones.
pub(super) fn as_subject(nginx: &Path, upstream: &Upstream, tls: bool) -> Result<Running> {
    let port = free_port()?;
    let (scheme, upstream_port) =
        if tls { ("https", upstream.https_port) } else { ("http", upstream.http_port) };
    let servers = format!(
        r#"
    upstream bench {{ server 127.0.0.1:{upstream_port}; keepalive 128; keepalive_requests 1000000000; }}
    map $http_authorization $refused {{ default 1; "Bearer {CALLER_KEY}" 0; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            if ($refused) {{ return 401; }}
            proxy_pass {scheme}://bench;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host {host};
            proxy_set_header Authorization "";
            proxy_set_header {secret_header} {secret};
            proxy_ssl_server_name on;
            proxy_ssl_name {host};
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate "{authority}";
        }}
    }}"#,
        host = upstream::HOST,
        secret_header = upstream::SECRET_HEADER,
        secret = upstream::SECRET,
        authority = upstream.authority().display(),
    );
    let base_url = format!("http://127.0.0.1:{port}");
    let process = start(SUBJECT_CORE, nginx, Scratch::new()?, &servers, &base_url)?;
    let headers = vec![format!("Authorization: Bearer {CALLER_KEY}")];
    Ok(Running { subject: Subject::Nginx, process, base_url, headers })
}

/// Starts one nginx process on a core, with its files in a scratch directory, and waits until it answers at a URL.
/// `servers` is what stands in the block `http`; relative paths in it mean the scratch directory.
pub(super) fn start(core: u32, nginx: &Path, scratch: Scratch, servers: &str, url: &str) -> Result<Process> {
    // Without a master the one process is the worker, so that its id is the one to measure.
    let configuration = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr crit;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n    access_log off;\n    sendfile on;\n    tcp_nopush on;\n    keepalive_requests 1000000000;\n    \
         client_body_temp_path body;\n    proxy_temp_path proxy;\n    fastcgi_temp_path fastcgi;\n    \
         uwsgi_temp_path uwsgi;\n    scgi_temp_path scgi;\n{servers}\n}}\n"
    );
    std::fs::write(scratch.path().join("nginx.conf"), configuration)?;
    let prefix = scratch.path().display().to_string();
    let arguments = ["-e", "stderr", "-p", &prefix, "-c", "nginx.conf"];
    let mut process = Process::start(core, nginx, &arguments, scratch)?;
    process.wait_for(url)?;
    Ok(process)
}
