//! What the fuzz targets have found worth keeping, run again; `fuzz/README.md` says how it is found.

use std::path::Path;

use hsm_sim::fuzzing::TARGETS;

#[test]
fn every_input_of_the_corpora_holds() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut inputs = 0;
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{name}");
    }
}
