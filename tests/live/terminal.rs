//! Our program on a terminal of its own: what it draws, and how it leaves the terminal.

use crate::stage::{ENVIRONMENT, Stage};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OutputModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long it may take to draw something.
const LIMIT: Duration = Duration::from_secs(60);

/// A terminal, and the program that it belongs to.
pub(crate) struct Terminal {
    /// What a person has in front of them.
    front: File,
    child: Child,
    drawn: Arc<Mutex<String>>,
}

impl Terminal {
    pub(crate) fn start(stage: &Stage, arguments: &[&str], (rows, columns): (u16, u16)) -> Self {
        let front = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&front).and_then(|()| unlockpt(&front)).expect("it is ours");
        tcsetwinsize(&front, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).expect("a size");
        let name = ptsname(&front, Vec::new()).expect("it has a name");
        let back = || File::options().read(true).write(true).open(name.to_str().unwrap()).expect("its other side");
        let inner = stage.env.command();
        // The program leads a session with this terminal, as in a shell: the terminal then turns ^C into a signal.
        let mut command = Command::new("/usr/bin/setsid");
        command.args(["--ctty", "--wait"]).arg(inner.get_program()).args(inner.get_args()).args(arguments);
        command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(inner.get_current_dir().unwrap()).stdin(back()).stdout(back()).stderr(back());
        let child = command.spawn().expect("it starts");
        let front: OwnedFd = front;
        let (front, drawn) = (File::from(front), Arc::new(Mutex::new(String::new())));
        let (mut reader, heard) = (front.try_clone().unwrap(), Arc::clone(&drawn));
        std::thread::spawn(move || {
            let mut piece = [0_u8; 4096];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Self { front, child, drawn }
    }

    fn drawn(&self) -> String {
        self.drawn.lock().unwrap().clone()
    }

    #[track_caller]
    pub(crate) fn until(&self, is: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !is(&self.drawn()) {
            assert!(begun.elapsed() < LIMIT, "not drawn: {:?}", self.drawn());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for its end; gives the exit code and what was drawn.
    #[track_caller]
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < LIMIT, "it does not end: {:?}", self.drawn());
            std::thread::sleep(Duration::from_millis(20));
        };
        // What was written last may still be on its way through the terminal.
        std::thread::sleep(Duration::from_millis(200));
        (status.code(), self.drawn())
    }

    /// Types ^C and gives the exit code. The modes of the terminal are those of before.
    #[track_caller]
    pub(crate) fn interrupt(mut self) -> (Option<i32>, String) {
        let modes = |front: &File| {
            let it = tcgetattr(front).expect("a terminal");
            (
                it.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG),
                it.output_modes.contains(OutputModes::OPOST),
            )
        };
        assert_eq!(modes(&self.front), (true, true), "while it runs");
        self.front.write_all(b"\x03").unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < LIMIT, "^C does not end it: {:?}", self.drawn());
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(modes(&self.front), (true, true), "after it");
        (status.code(), self.drawn())
    }
}

/// What would have to be taken back, and what moves where it must not.
pub(crate) fn is_sane(drawn: &str) -> bool {
    !drawn.contains("\u{1b}[?") && !drawn.contains("\u{1b}[2J") && !drawn.contains("\u{1b}[H")
}

/// The widths of the lines, without colours and movements.
pub(crate) fn widths(drawn: &str) -> Vec<usize> {
    let mut text = String::new();
    let mut rest = drawn;
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        let end = escape.find(|c: char| c.is_ascii_alphabetic()).map_or(escape.len(), |at| at + 1);
        rest = &escape[end..];
    }
    text.push_str(rest);
    text.lines().map(|line| line.trim_matches('\r').chars().count()).collect()
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_watch_draws_over_itself_and_leaves_the_terminal_as_it_was() {
    let stage = Stage::new("terminal", "gke");
    let long = "a".repeat(63);
    stage.declare(&["svc", &long]);
    stage.deploy("svc", "1");
    stage.push(&[]).ok();
    stage.parent();
    let watch = Terminal::start(&stage, &["status", "-w", "--runtime", "gke", "-e", ENVIRONMENT], (6, 40));
    watch.until(|drawn| drawn.matches("WORKLOAD").count() > 2 && drawn.contains("2 workloads"));
    let (code, drawn) = watch.interrupt();
    assert_eq!(code, Some(130), "{drawn:?}");
    assert!(drawn.contains("A\r\u{1b}[J"), "drawn over: {drawn:?}");
    assert!(is_sane(&drawn), "{drawn:?}");
    assert!(widths(&drawn).into_iter().all(|width| width <= 40), "a line wraps: {drawn:?}");
}

#[test]
#[ignore = "needs the live test bed: cargo xtask test"]
fn a_wait_shows_one_line_and_leaves_the_terminal_as_it_was() {
    let stage = Stage::new("terminal-wait", "gke");
    stage.declare(&["svc"]);
    stage.push(&[]).ok();
    stage.parent();
    let arguments = ["status", "--wait", "--grace", "10m", "--runtime", "gke", "-e", ENVIRONMENT];
    let wait = Terminal::start(&stage, &arguments, (24, 60));
    wait.until(|drawn| drawn.matches(" there; ").count() > 2);
    let (code, drawn) = wait.interrupt();
    assert_eq!(code, Some(130), "{drawn:?}");
    assert!(is_sane(&drawn) && drawn.contains("\r\u{1b}[K"), "{drawn:?}");
}
