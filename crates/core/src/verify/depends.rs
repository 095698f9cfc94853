//! `dependsOn`: every dependency is there, and none leads back.

use super::subject::Subject;
use super::walk::Step;
use crate::finding::Finding;
use crate::suggest;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A dependency as written.
struct Edge<'a> {
    /// Place in the list.
    index: usize,
    to: &'a str,
}

/// The kustomizations that have dependencies, and the names of all that are in the inventory.
pub(super) struct Graph<'a> {
    nodes: Vec<(&'a Subject<'a>, Vec<Edge<'a>>)>,
}

impl<'a> Graph<'a> {
    /// Reads the dependencies in the objects' own namespace; others cannot be seen from here.
    pub(super) fn new(kustomizations: impl IntoIterator<Item = &'a Subject<'a>>) -> Self {
        let mut nodes = Vec::new();
        for subject in kustomizations {
            let namespace = subject.object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
            let list = subject.spec().get("dependsOn").and_then(Value::as_array);
            let edges: Vec<Edge<'a>> = list
                .into_iter()
                .flatten()
                .enumerate()
                .filter(|(_, item)| item.get("namespace").and_then(Value::as_str).is_none_or(|other| other == namespace))
                .filter_map(|(index, item)| Some(Edge { index, to: item.get("name")?.as_str()? }))
                .collect();
            if !edges.is_empty() {
                nodes.push((subject, edges));
            }
        }
        Self { nodes }
    }

    /// Dependencies that are not among `names`. `elsewhere` are names of other environments.
    pub(super) fn missing(
        &self,
        names: &HashSet<&str>,
        elsewhere: &HashSet<&str>,
        environment: &str,
        findings: &mut Vec<Finding>,
    ) {
        for (subject, edges) in &self.nodes {
            for edge in edges.iter().filter(|edge| !names.contains(edge.to)) {
                let message = if elsewhere.contains(edge.to) {
                    format!("{} depends on {}, which is not in {environment}", subject.workload, edge.to)
                } else {
                    format!("{} depends on {}, which is not in the inventory", subject.workload, edge.to)
                };
                let mut finding = subject.finding("depends-on-missing", &path(edge.index), message);
                finding.did_you_mean(suggest::nearest(edge.to, names.iter().copied()));
                findings.push(finding);
            }
        }
    }

    /// Circles, each said once.
    pub(super) fn circles(&self, findings: &mut Vec<Finding>) {
        let index: HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(at, (subject, _))| (subject.workload, at)).collect();
        let mut done: HashSet<usize> = HashSet::new();
        for start in 0..self.nodes.len() {
            self.walk(start, &index, &mut done, findings);
        }
    }

    /// Goes down from one node without recursion: a chain may be as long as the inventory.
    fn walk(&self, start: usize, index: &HashMap<&str, usize>, done: &mut HashSet<usize>, findings: &mut Vec<Finding>) {
        // Nodes on the way, each with the edges that are still to be tried.
        let mut way: Vec<(usize, std::slice::Iter<'_, Edge<'_>>)> = Vec::new();
        let mut on_way: HashMap<usize, usize> = HashMap::new();
        let mut enter = |at: usize, way: &mut Vec<_>, on_way: &mut HashMap<usize, usize>| {
            if let Some((_, edges)) = self.nodes.get(at)
                && done.insert(at)
            {
                on_way.insert(at, way.len());
                way.push((at, edges.iter()));
            }
        };
        enter(start, &mut way, &mut on_way);
        while let Some((at, edges)) = way.last_mut() {
            let (at, edge) = (*at, edges.next());
            let Some(edge) = edge else {
                on_way.remove(&at);
                way.pop();
                continue;
            };
            let Some(next) = index.get(edge.to).copied() else { continue };
            if let Some(from) = on_way.get(&next) {
                let circle: Vec<usize> = way.iter().skip(*from).map(|(at, _)| *at).collect();
                findings.extend(self.circle(&circle, edge));
            } else {
                enter(next, &mut way, &mut on_way);
            }
        }
    }

    /// The finding, at the dependency that closes the circle.
    fn circle(&self, circle: &[usize], closing: &Edge<'_>) -> Option<Finding> {
        let names: Vec<&str> = circle.iter().filter_map(|at| Some(self.nodes.get(*at)?.0.workload)).collect();
        let (last, _) = self.nodes.get(*circle.last()?)?;
        let message = match names.as_slice() {
            [only] => format!("{only} depends on itself"),
            _ => format!("workloads depend on each other in a circle: {} -> {}", names.join(" -> "), closing.to),
        };
        let mut finding = last.finding("depends-on-cycle", &path(closing.index), message);
        finding.hint("none of them is ever applied; remove one of the dependencies");
        Some(finding)
    }
}

fn path(index: usize) -> [Step<'static>; 4] {
    [Step::Key("spec"), Step::Key("dependsOn"), Step::Index(index), Step::Key("name")]
}
