//! As much of HTTP/1.1 as the benchmark needs, on blocking sockets: messages with a `Content-Length`, kept-alive connections.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// Longer than anything may take that is measured.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request or an answer.
pub(super) struct Message {
    /// `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(super) line: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Message {
    /// Reads the next one; `None` when the other side has closed the connection.
    pub(super) fn read(socket: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if socket.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut headers = Vec::new();
        loop {
            let mut header = String::new();
            socket.read_line(&mut header)?;
            match header.trim_end().split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None => break,
            }
        }
        let mut message = Self { line: line.trim_end().to_owned(), headers, body: String::new() };
        let length = message.header("content-length").map_or(Ok(0), str::parse::<usize>);
        let length = length.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        if message.header("transfer-encoding").is_some() {
            return Err(io::Error::new(ErrorKind::InvalidData, "a body without a length"));
        }
        let mut body = vec![0; length];
        io::Read::read_exact(socket, &mut body)?;
        message.body =
            String::from_utf8(body).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(Some(message))
    }

    /// A header by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The second word of the first line: the path of a request, the status of an answer.
    pub(super) fn second_word(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Writes a message; the first line and the headers come as one text, without the length and the last line break.
pub(super) fn write(socket: &mut TcpStream, head: &str, body: &str) -> io::Result<()> {
    let text = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    socket.write_all(text.as_bytes())
}

/// A caller with one connection that is kept open.
pub(super) struct Caller {
    socket: BufReader<TcpStream>,
    /// Headers that go along with every request.
    headers: String,
}

impl Caller {
    /// Connects to a port of this machine.
    #[expect(clippy::disallowed_methods, reason = "a caller of the product, not the product")]
    pub(super) fn connect(port: u16, key: &str) -> io::Result<Self> {
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let headers = format!("Host: localhost\r\nAuthorization: Bearer {key}");
        Ok(Self { socket: BufReader::new(socket), headers })
    }

    /// Sends a request and reads the answer.
    pub(super) fn send(&mut self, line: &str, more: &str, body: &str) -> io::Result<Message> {
        let head = format!("{line} HTTP/1.1\r\n{}{more}", self.headers);
        write(self.socket.get_mut(), &head, body)?;
        Message::read(&mut self.socket)?.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof))
    }

    /// A call through a connection: the status, and what was said about anything but 200.
    pub(super) fn call(&mut self, provider: &str, connection: &str) -> io::Result<(u16, String)> {
        let more = format!("\r\nConnection-Id: {connection}\r\nProvider-Config-Key: {provider}");
        let answer = self.send("GET /proxy/me", &more, "")?;
        let status = answer.second_word().parse().unwrap_or_default();
        Ok((status, if status == 200 { String::new() } else { answer.body }))
    }
}
