//! The client against small real servers on 127.0.0.1.

mod apart;
mod basics;
mod bed;
mod certificates;
mod expired;
mod explained;
mod hostile;
mod logins;
mod retries;
mod secure;
mod server;
mod store;
mod tokens;

use super::{Client, Files, Options};
use crate::net::Budget;
use runway_core::artifact::{Artifact, Tree, manifest::Provenance};
use runway_core::flux::reference::{Repository, Target};
use runway_core::problem::Problem;
use runway_core::settings::PlainHttp;
use server::Server;
use std::collections::HashMap;
use std::time::Duration;

/// A client that sees these variables and nothing else.
fn client(variables: &[(&str, &str)]) -> Client {
    within(Duration::from_secs(20), variables)
}

fn within(total: Duration, variables: &[(&str, &str)]) -> Client {
    let variables: HashMap<String, String> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut client = Client::new(Options {
        plain_http: PlainHttp::Auto,
        budget: Budget::new(total, Duration::from_secs(10)),
        variables: &|name| variables.get(name).cloned(),
        home: None,
        files: Files::default(),
    })
    .unwrap();
    client.exchange.transport.first_pause = Duration::from_millis(5);
    client
}

/// A login file's content in its variable.
fn login(server: &Server, user: &str, password: &str) -> (&'static str, String) {
    let host = &server.host;
    ("DOCKER_AUTH_CONFIG", format!(r#"{{"auths": {{"{host}": {{"username": "{user}", "password": "{password}"}}}}}}"#))
}

fn repository(server: &Server, name: &str) -> Repository {
    Repository::parse(&format!("{}/{name}", server.host)).unwrap()
}

fn tag(name: &str) -> Target {
    Target::Tag(name.to_owned())
}

fn artifact(text: &str) -> Artifact {
    let mut tree = Tree::default();
    tree.insert("production/inventory.yaml", text.as_bytes().to_vec()).unwrap();
    runway_core::artifact::build(&tree, &Provenance::default())
}

/// Everything that a problem says, as one text.
fn all(problem: &Problem) -> String {
    let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{problem}\nwhere: {place}\nhint: {}", problem.hints.join("\nhint: "))
}
