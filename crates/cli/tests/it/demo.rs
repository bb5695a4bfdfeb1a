use std::process::Command;

#[test]
fn the_demo_tells_its_story_twice_in_the_same_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    for time in ["the first time", "again, with connections that are there"] {
        let output = Command::new(env!("CARGO_BIN_EXE_tombolo"))
            .args(["demo", "--check", "--data-dir"])
            .arg(directory.path().join("data"))
            .env("LC_ALL", "C")
            .output()
            .expect("the program runs");
        let told = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{time}: {told}{complained}");
        assert_eq!(told.matches("connection available").count(), 3, "{time}: {told}");
        assert!(told.ends_with("demo: every step went as it should\n"), "{time}: {told}");
    }
}
