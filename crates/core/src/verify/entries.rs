//! Entries of workloads.yml: what is not about one value alone.

use super::Facts;
use crate::finding::Finding;
use crate::flux::names;
use crate::problem::Place;
use crate::settings::Settings;
use crate::suggest;
use crate::workloads::{Name, Workload, Workloads};
use crate::yaml::value::misread;

/// Names, environments and regions.
pub(super) fn check(workloads: &Workloads, settings: &Settings, facts: &Facts, findings: &mut Vec<Finding>) {
    for workload in &workloads.items {
        if !workload.refused {
            ids(workload, settings, facts, findings);
        }
        environments(workloads, workload, settings, findings);
        regions(workloads, workload, facts, findings);
    }
}

fn ids(workload: &Workload, settings: &Settings, facts: &Facts, findings: &mut Vec<Finding>) {
    let id = workload.id.as_str();
    let at = |code: &'static str, message: String| {
        let mut finding = Finding::error(code, workload.place(), message);
        finding.span = workload.span;
        finding.of(id);
        finding
    };
    if let Some(runtime) = names::runtime_of_parent(id)
        && (runtime == facts.runtime || settings.runtimes().iter().any(|known| known == runtime))
    {
        let mut finding = at("reserved-id", format!("'{id}' is the name of the pair that applies the inventory of {runtime}"));
        finding.hint("a workload of that name would replace the parent; choose another");
        findings.push(finding);
    }
    for other in &facts.others {
        if let Some(line) = other.ids.get(id) {
            let mut finding =
                at("shared-id", format!("'{id}' is listed for the runtime {} too ({}:{line})", other.runtime, other.file));
            finding.warning().hint("both would read the same deploy artifact");
            findings.push(finding);
        }
    }
}

fn environments(workloads: &Workloads, workload: &Workload, settings: &Settings, findings: &mut Vec<Finding>) {
    for (name, _) in workload.environments.iter().flatten() {
        if settings.environments().contains(&name.text) {
            continue;
        }
        let message =
            format!("there is no environment '{}'; the settings know {}", name.text, settings.environments().join(", "));
        let mut finding = at_name("unknown-environment", workloads, workload, name, message);
        finding.did_you_mean(suggest::nearest(&name.text, settings.environments().iter().map(String::as_str)));
        findings.push(finding);
    }
}

fn regions(workloads: &Workloads, workload: &Workload, facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(cloud) = Cloud::of(&facts.runtime) else { return };
    // What is read as no text at all has been told by the parser.
    let texts = workload.regions.iter().filter(|region| misread(&region.text).is_none());
    for region in texts.filter(|region| !cloud.spells(&region.text)) {
        let message = format!("'{}' is not spelled like a region of {}", region.text, facts.runtime);
        let mut finding = at_name("region-spelling", workloads, workload, region, message);
        finding.warning().hint(match cloud.respelled(&region.text) {
            Some(word) => format!("did you mean {word}?"),
            None => format!("regions of {} look like {}", facts.runtime, cloud.example()),
        });
        findings.push(finding);
    }
}

fn at_name(code: &'static str, workloads: &Workloads, workload: &Workload, name: &Name, message: String) -> Finding {
    let mut finding = Finding::error(code, Place::at(workloads.file.as_str(), name.at.0, name.at.1), message);
    finding.span = name.span;
    finding.of(&workload.id);
    finding
}

/// Whose regions a runtime has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cloud {
    /// `us-east1`.
    Google,
    /// `us-east-1`.
    Amazon,
}

impl Cloud {
    fn of(runtime: &str) -> Option<Self> {
        match runtime {
            "gke" | "cloud-run" => Some(Self::Google),
            "eks" => Some(Self::Amazon),
            _ => None,
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Google => "us-east1",
            Self::Amazon => "us-east-1",
        }
    }

    /// Google: a continent and a direction with a number; Amazon: three parts or more, the last of which is the number.
    fn spells(self, region: &str) -> bool {
        let letters = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
        let number = |text: &str| !text.is_empty() && text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Google => region.split_once('-').is_some_and(|(continent, rest)| {
                let name = rest.trim_end_matches(|c: char| c.is_ascii_digit());
                letters(continent) && letters(name) && rest.strip_prefix(name).is_some_and(number)
            }),
            Self::Amazon => region
                .rsplit_once('-')
                .is_some_and(|(name, last)| number(last) && name.contains('-') && name.split('-').all(letters)),
        }
    }

    /// The other cloud's spelling in this one's.
    fn respelled(self, region: &str) -> Option<String> {
        let word = match self {
            Self::Google => region.rsplit_once('-').map(|(name, number)| format!("{name}{number}"))?,
            Self::Amazon => {
                let name = region.trim_end_matches(|c: char| c.is_ascii_digit());
                format!("{name}-{}", region.strip_prefix(name)?)
            }
        };
        self.spells(&word).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::Cloud;

    #[test]
    fn spellings() {
        for region in ["us-east1", "europe-west12", "northamerica-northeast1"] {
            assert!(Cloud::Google.spells(region) && !Cloud::Amazon.spells(region), "{region}");
        }
        for region in ["us-east-1", "ap-southeast-2", "us-gov-west-1"] {
            assert!(Cloud::Amazon.spells(region) && !Cloud::Google.spells(region), "{region}");
        }
        for region in ["", "us", "us-east", "us-east1-b", "US-EAST1", "-1", "us--1", "üs-east1"] {
            assert!(!Cloud::Amazon.spells(region) && !Cloud::Google.spells(region), "{region}");
        }
        assert_eq!(Cloud::Google.respelled("us-east-1").as_deref(), Some("us-east1"));
        assert_eq!(Cloud::Amazon.respelled("europe-west12").as_deref(), Some("europe-west-12"));
        assert_eq!(Cloud::Google.respelled("nowhere"), None);
    }
}
