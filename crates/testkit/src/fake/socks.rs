//! A SOCKS proxy (RFC 1928, with the login of RFC 1929) that leads every name to one port of loopback.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Mutex};

use super::forward::tunnel;
use super::listen::{Listening, locked};

/// A proxy that lets in whoever has its login.
#[derive(Debug)]
pub struct SocksProxy {
    listening: Listening,
    asked: Arc<Mutex<Vec<String>>>,
}

impl SocksProxy {
    /// A proxy with this user and password.
    pub fn start(target: u16, (user, password): (&str, &str)) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, login) = (Arc::clone(&asked), (user.to_owned(), password.to_owned()));
        let listening = Listening::start(move |client| drop(serve(client, target, &login, &log)));
        Self { listening, asked }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.listening.port()
    }

    /// `NAME:PORT` of whatever was asked for by name, after a right login.
    pub fn asked(&self) -> Vec<String> {
        locked(&self.asked).clone()
    }
}

fn serve(mut client: TcpStream, target: u16, login: &(String, String), log: &Mutex<Vec<String>>) -> io::Result<()> {
    let [5, methods] = bytes(&mut client)? else { return Ok(()) };
    text(&mut client, methods)?;
    client.write_all(&[5, 2])?;
    let [1, user] = bytes(&mut client)? else { return Ok(()) };
    let user = text(&mut client, user)?;
    let [password] = bytes(&mut client)?;
    let password = text(&mut client, password)?;
    if (user, password) != *login {
        return client.write_all(&[1, 1]);
    }
    client.write_all(&[1, 0])?;
    // CONNECT to a name.
    let [5, 1, 0, 3, length] = bytes(&mut client)? else { return Ok(()) };
    let name = text(&mut client, length)?;
    let port = u16::from_be_bytes(bytes(&mut client)?);
    locked(log).push(format!("{name}:{port}"));
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
    tunnel(&client, &server)
}

fn bytes<const N: usize>(from: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map(|()| bytes)
}

fn text(from: &mut TcpStream, length: u8) -> io::Result<String> {
    let mut bytes = vec![0; length.into()];
    from.read_exact(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
