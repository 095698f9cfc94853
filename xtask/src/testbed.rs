//! `cargo xtask testbed`: a bed that stays, owned by a supervisor of its own.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use runway_testkit::bed::{self, Bed, Built, Context as _, Kube, Pins, Result, State, Trouble, USERS};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::folders;

/// The namespace of Runway's own objects, in which a person wants to play.
const NAMESPACE: &str = "runway-provisioner";

/// Builds what is missing.
pub(crate) fn build() -> Result<ExitCode> {
    let built = built()?;
    println!("testbed: the programs are in {}", built.bin.display());
    Ok(ExitCode::SUCCESS)
}

/// Starts a bed that stays, and prints what a shell needs to use it.
pub(crate) fn up() -> Result<ExitCode> {
    if let Some(state) = running() {
        print_exports(&state);
        return Ok(ExitCode::SUCCESS);
    }
    built()?;
    let folder = folders::up();
    fs::create_dir_all(folders::testbed()).context(|| folder.display().to_string())?;
    let log = folders::testbed().join("up.log");
    let output = File::create(&log).context(|| log.display().to_string())?;
    let errors = output.try_clone().context(|| log.display().to_string())?;
    let own = std::env::current_exe().context(|| "this program".to_owned())?;
    let start = Instant::now();
    let mut supervisor = Command::new(own)
        .args(["testbed", "supervise"])
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .context(|| "the supervisor".to_owned())?;
    loop {
        if let Some(state) = running().filter(|state| state.owner == supervisor.id()) {
            eprintln!("testbed: ready in {:.1} s", start.elapsed().as_secs_f32());
            print_exports(&state);
            return Ok(ExitCode::SUCCESS);
        }
        let ended = supervisor.try_wait().context(|| "the supervisor".to_owned())?;
        if let Some(status) = ended {
            return Err(Trouble::new(format!("the test bed did not start: {status}\n{}", bed::log_tail(&log, 40))));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Ends the bed that `up` has started.
pub(crate) fn down() -> ExitCode {
    let Some(state) = running() else {
        println!("testbed: not running");
        return ExitCode::SUCCESS;
    };
    signal(state.owner, Signal::TERM);
    let deadline = Instant::now() + Duration::from_secs(30);
    while state.owner_lives() {
        if Instant::now() >= deadline {
            eprintln!("testbed: the supervisor does not listen, killing it");
            signal(state.owner, Signal::KILL);
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    println!("testbed: ended");
    ExitCode::SUCCESS
}

/// Says what runs; exits 1 when nothing does.
pub(crate) fn status() -> Result<ExitCode> {
    match bed::go_version() {
        None => println!("built: cannot tell, there is no `go` on PATH"),
        Some(go) => {
            let pins = Pins::read(&folders::workspace(), &go)?;
            let built = if bed::find_built(&pins)?.is_some() { "yes" } else { "no" };
            println!("built: {built}, {}", pins.folder()?.display());
        }
    }
    let Some(state) = running() else {
        println!("running: no");
        return Ok(ExitCode::FAILURE);
    };
    println!("running: yes, owned by process {}", state.owner);
    for (name, pid) in &state.processes {
        let there = i32::try_from(*pid).is_ok_and(folders::lives);
        println!("  {name:<22} {pid:>8}  {}", if there { "runs" } else { "GONE" });
    }
    println!("cluster: {}\nregistry: {}\nlogs: {}", state.cluster.server(), state.registry, state.ground.logs().display());
    Ok(ExitCode::SUCCESS)
}

/// Owns a bed until it is told to end, or a server of it ends.
pub(crate) fn supervise() -> Result<ExitCode> {
    // Away from the terminal and its Ctrl-C.
    let _own_already = rustix::process::setsid();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context(|| "signals".to_owned())?;
    let folder = folders::up();
    if folder.exists() {
        fs::remove_dir_all(&folder).context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).context(|| folder.display().to_string())?;
    let mut bed = Bed::start(&built()?, &folder)?;
    Kube::of(bed.state())?.create_namespace(NAMESPACE);
    let settings = folder.join("kubectl-runway.yaml");
    fs::write(&settings, settings_text(bed.state())).context(|| settings.display().to_string())?;
    let file = State::file(&folder);
    bed.state().write(&file)?;

    let mut result = Ok(ExitCode::SUCCESS);
    while signals.pending().next().is_none() {
        if let Err(error) = bed.check() {
            result = Err(error);
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    let keep_logs = result.is_err();
    bed.stop(keep_logs)?;
    // With the folder gone there is none to remove.
    if keep_logs {
        fs::remove_file(&file).context(|| file.display().to_string())?;
    }
    result
}

fn built() -> Result<Built> {
    let Some(go) = bed::go_version() else {
        return Err(Trouble::new("the test bed is built with Go, and there is no `go` on PATH"));
    };
    let pins = Pins::read(&folders::workspace(), &go)?;
    bed::build(&pins, |line| eprintln!("{line}"))
}

/// The bed that `up` has started, while its supervisor lives.
fn running() -> Option<State> {
    let state = State::read(&State::file(&folders::up())).ok()?;
    let command = format!("/proc/{}/cmdline", state.owner);
    // Where the system tells: another process may have got the id of a supervisor that was killed.
    let other = fs::read(&command).is_ok_and(|line| !String::from_utf8_lossy(&line).contains("supervise"));
    (state.owner_lives() && !other).then_some(state)
}

fn signal(process: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _gone_already = rustix::process::kill_process(pid, signal);
    }
}

/// Settings with which the product talks to this bed.
fn settings_text(state: &State) -> String {
    format!(
        "registry: {{base: \"{}/runway\"}}\nsource: {{secretRef: \"\", insecure: true}}\nparent: {{secretRef: \"\"}}\n",
        state.registry
    )
}

fn print_exports(state: &State) {
    let folder = &state.ground.folder;
    println!("export KUBECONFIG={}", quoted(&state.cluster.kubeconfig("admin")));
    println!("export PATH={}:$PATH", quoted(&state.ground.bin));
    println!("export {}={}", bed::VARIABLE, quoted(&State::file(folder)));
    println!("# registry, plain http: {}", state.registry);
    println!("# settings for kubectl runway: {}", folder.join("kubectl-runway.yaml").display());
    let users: Vec<_> = USERS.iter().map(|(user, _)| *user).collect();
    println!("# other users ({}): {}", users.join(", "), state.cluster.kubeconfig("USER").display());
    println!("# logs: {}", state.ground.logs().display());
    println!("# to end it: cargo xtask testbed down");
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
