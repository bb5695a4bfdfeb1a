//! People who sign in, administered at the machine.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::servers::{Served, free_port, serve};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn people_are_invited_changed_and_shut_out() {
    let world = World::start().await;
    let port = free_port();
    let served = serve(&world, port).await;
    let nobody = world.run(&["user", "list"]).await;
    assert!(nobody.code == 0 && nobody.out.contains("nobody signs in yet"), "{}{}", nobody.out, nobody.err);

    let invited =
        world.run(&["user", "invite", "anna@example.com", "--name", "Anna", "--role", "admin"]).await;
    let begins = format!("http://localhost:{port}/invitation#");
    assert!(invited.code == 0 && invited.out.starts_with(&begins), "{}{}", invited.out, invited.err);
    assert_eq!(invited.out.lines().count(), 1, "the link and nothing else: {}", invited.out);
    for (arguments, code, said) in [
        (&["user", "invite", "ANNA@example.com"][..], 6, "anna@example.com"),
        (&["user", "invite", "two words"], 2, "login"),
        (&["user", "role", "anna@example.com", "member"], 0, "is member now"),
        (&["user", "disable", "anna@example.com"], 2, "--yes"),
        (&["user", "disable", "anna@example.com", "--yes"], 0, "is disabled now"),
        (&["user", "enable", "anna@example.com"], 0, "is invited now"),
        (&["user", "reset", "nobody"], 3, "nobody"),
        (&["user", "reset", "anna@example.com"], 0, &begins),
    ] {
        let ran = world.run(arguments).await;
        let told = format!("{}{}", ran.out, ran.err).to_lowercase();
        assert!(
            ran.code == code && told.contains(&said.to_lowercase()),
            "{arguments:?}: {} {told}",
            ran.code
        );
    }
    let listed = world.json(&["user", "list"]).await;
    let anna = &listed["users"][0];
    assert_eq!((&anna["role"], &anna["state"]), (&"member".into(), &"invited".into()), "{listed}");
    drop(served);
}

/// A server, and the address that it prints on standard error at its start.
fn printed(world: &World, port: u16) -> (Served, String) {
    let mut command = world.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut served = Served(command.stderr(Stdio::piped()).spawn().expect("the binary runs"));
    let begins = format!("http://localhost:{port}/setup#");
    let mut all = String::new();
    for line in BufReader::new(served.0.stderr.take().expect("piped")).lines() {
        let line = line.expect("UTF-8");
        if line.trim().starts_with(&begins) {
            return (served, line.trim().to_owned());
        }
        all = all + &line + "\n";
    }
    panic!("the server printed no address: {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_prints_where_the_first_administrator_is_made() {
    let world = World::start().await;
    let (first, one) = printed(&world, free_port());
    drop(first);
    let (second, two) = printed(&world, free_port());
    drop(second);
    let secret = |address: &str| address.split_once('#').expect("a fragment").1.to_owned();
    assert_ne!(secret(&one), secret(&two), "each start prints another one");
    let kept = World::bytes_below(&world.data());
    assert!(!String::from_utf8_lossy(&kept).contains(&secret(&two)), "only its hash is kept");
}
