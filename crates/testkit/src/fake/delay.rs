//! A network that is far away: every byte arrives later, none is lost, and as many as ever fit into a second.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::listen::Listening;

/// A proxy for any protocol over TCP, to a port of loopback. One round trip through it takes its delay.
#[derive(Debug)]
pub struct DelayProxy {
    listening: Listening,
}

impl DelayProxy {
    /// A proxy to a port; a connection too costs one round trip.
    pub fn start(target: u16, delay: Duration) -> Self {
        let listening = Listening::start(move |client| {
            thread::sleep(delay);
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
            drop(server.set_nodelay(true));
            let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
            let back = thread::spawn(move || pump(server_too, client_too, delay / 2));
            pump(client, server, delay / 2);
            // One side may be done while the other still has much to say.
            drop(back.join());
        });
        Self { listening }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.listening.port()
    }
}

/// Reads at once and writes when due; the end comes as late as the bytes.
fn pump(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, queue) = channel();
    let writer = thread::spawn(move || write(to, &queue));
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut piece).unwrap_or(0);
        let bytes = piece.iter().copied().take(count).collect::<Vec<u8>>();
        if sender.send((Instant::now() + delay, bytes)).is_err() || count == 0 {
            break;
        }
    }
    drop(writer.join());
}

fn write(mut to: TcpStream, queue: &Receiver<(Instant, Vec<u8>)>) {
    for (due, bytes) in queue {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            break;
        }
    }
    drop(to.shutdown(Shutdown::Write));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_takes_the_delay_and_nothing_is_lost() {
        let echo = Listening::start(|mut stream| {
            let mut piece = [0; 1024];
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                drop(stream.write_all(piece.get(..count).unwrap_or_default()));
            }
        });
        let proxy = DelayProxy::start(echo.port(), Duration::from_millis(60));
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).expect("connects");
        let sent: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let start = Instant::now();
        let mut writer = stream.try_clone().expect("a copy");
        let all = sent.clone();
        thread::spawn(move || {
            drop(writer.write_all(&all));
            drop(writer.shutdown(Shutdown::Write));
        });
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("read");
        assert!(received == sent, "{} of {} bytes, or others", received.len(), sent.len());
        // One round trip for the connection, one for the bytes.
        assert!(start.elapsed() >= Duration::from_millis(110), "{:?}", start.elapsed());
    }
}
