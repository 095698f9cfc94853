//! Runs the fuzz targets' checked-in corpus as plain tests: what once broke a reader, or steers a fuzzer, stays read.
#![expect(clippy::disallowed_methods, reason = "a test reads its corpus from disk")]

mod bodies;

use std::path::Path;

#[test]
fn every_target_reads_its_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut names: Vec<String> =
        std::fs::read_dir(root.join("corpus")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut targets: Vec<&str> = bodies::TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(names, targets, "a target without a corpus, or a corpus without a target");
    for (name, body) in bodies::TARGETS {
        assert!(root.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name} has no fuzz target");
        let mut count = 0;
        for entry in std::fs::read_dir(root.join("corpus").join(name)).unwrap() {
            body(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 1, "{name} has no corpus to speak of");
    }
}
