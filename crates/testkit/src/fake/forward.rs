//! A proxy of the kind that `HTTPS_PROXY` and `HTTP_PROXY` name: tunnels by CONNECT, and requests with a whole URL.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::ops::Deref;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::listen::Listening;
use super::message::{Reply, Request, Wire};
use super::received::Received;

/// A proxy that leads every name to one port of loopback.
#[derive(Debug)]
pub struct ForwardProxy {
    listening: Listening,
    received: Received,
}

impl ForwardProxy {
    /// A proxy that lets in whoever has this `user:password`, or everybody.
    pub fn start(target: u16, login: Option<&str>) -> Self {
        let received = Received::default();
        let log = received.clone();
        let wanted = login.map(|login| format!("Basic {}", STANDARD.encode(login)));
        let listening = Listening::start(move |client| drop(serve(&client, target, wanted.as_deref(), &log)));
        Self { listening, received }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.listening.port()
    }
}

impl Deref for ForwardProxy {
    type Target = Received;

    fn deref(&self) -> &Received {
        &self.received
    }
}

fn serve(client: &TcpStream, target: u16, wanted: Option<&str>, log: &Received) -> io::Result<()> {
    let mut wire = Wire::new(client.try_clone()?);
    while let Some(request) = wire.request()? {
        log.push(request.clone());
        if wanted.is_some() && request.header("proxy-authorization") != wanted {
            let reply = Reply::new(407).with("Proxy-Authenticate", "Basic realm=\"proxy\"").body("log in to the proxy\n");
            wire.stream.write_all(&reply.bytes(&request.method))?;
            continue;
        }
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
        if request.method == "CONNECT" {
            wire.stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
            return tunnel(client, &server);
        }
        let mut server = Wire::new(server);
        server.stream.write_all(&passed_on(&request))?;
        let answer = server.answer(&request.method)?;
        wire.stream.write_all(&answer.raw)?;
    }
    Ok(())
}

/// As a proxy passes it on: the path alone, and nothing that was for the proxy.
fn passed_on(request: &Request) -> Vec<u8> {
    let (head, body) = request.raw.split_at(request.head);
    let head = String::from_utf8_lossy(head);
    let path = request.target.splitn(4, '/').nth(3).unwrap_or_default();
    let mut text = format!("{} /{path} HTTP/1.1\r\n", request.method);
    let kept = |line: &&str| !line.to_ascii_lowercase().starts_with("proxy-");
    for line in head.split("\r\n").skip(1).filter(|line| !line.is_empty()).filter(kept) {
        text.push_str(line);
        text.push_str("\r\n");
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// Passes on what either says, until both have ended.
pub(super) fn tunnel(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        drop(io::copy(&mut from_server, &mut to_client));
        drop(to_client.shutdown(Shutdown::Write));
    });
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    drop(io::copy(&mut from_client, &mut to_server));
    drop(to_server.shutdown(Shutdown::Write));
    drop(back.join());
    Ok(())
}
