//! Workloads against clusters: one row a workload, one column a cluster, in each cell the verdict and where it broke.

use super::status::colored_words;
use super::style::Style;
use super::table::table;
use runway_core::api::status::Cluster;
use runway_core::assess::{Item, Verdict};
use std::collections::HashMap;

/// The matrix. A workload that is not expected on a cluster has `-` there.
pub(crate) fn matrix(clusters: &[Cluster], items: &[&Item], style: Style) -> String {
    let mut rows: Vec<&str> = Vec::new();
    let mut cells: HashMap<(&str, &str), Vec<String>> = HashMap::new();
    for item in items.iter().filter(|item| item.workload != "*") {
        if !rows.contains(&item.workload.as_str()) {
            rows.push(&item.workload);
        }
        cells.entry((&item.workload, &item.cluster)).or_default().push(cell(item));
    }
    let mut heads = vec!["WORKLOAD"];
    heads.extend(clusters.iter().map(|cluster| cluster.name.as_str()));
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|workload| {
            let mut line = vec![(*workload).to_owned()];
            line.extend(clusters.iter().map(|cluster| match cells.get(&(*workload, cluster.name.as_str())) {
                Some(found) => found.join(" "),
                None if !cluster.reachable => Verdict::Unreachable.as_str().to_owned(),
                None if cluster.error.is_some() => Verdict::Unknown.as_str().to_owned(),
                None => "-".to_owned(),
            }));
            line
        })
        .collect();
    // Nothing is cut: the last column is as good as the others.
    colored_words(&table(&heads, &lines, Style { width: None, ..style }), style, usize::MAX)
}

fn cell(item: &Item) -> String {
    let verdict = item.verdict.as_str();
    match &item.broken {
        Some(broken) => format!("{verdict}:{}", broken.link.as_str()),
        None => verdict.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::matrix;
    use crate::render::style::Style;
    use runway_core::api::status::Cluster;
    use runway_core::assess::unscoped;
    use runway_core::observed::Gap;

    #[test]
    fn a_column_for_each_cluster() {
        let cluster = |name: &str, reachable| Cluster { name: name.to_owned(), reachable, error: None };
        let gap = Gap { reason: "TimedOut".to_owned(), message: "x".to_owned() };
        let (away, all) = (unscoped("b", &gap, &["svc".to_owned()]), unscoped("b", &gap, &[]));
        let clusters = [cluster("a", true), cluster("b", false), cluster("c", false)];
        let items: Vec<_> = away.iter().chain(&all).collect();
        let text = matrix(&clusters, &items, Style::default());
        assert_eq!(text, "WORKLOAD   a   b             c\nsvc        -   Unreachable   Unreachable\n");
    }
}
