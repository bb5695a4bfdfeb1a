//! Keys of the compatible product, and what the administrators of an environment decided.

use crate::world::World;

const KEY: &str = "b27d94e0-16fa-4c83-9e5b-70a1d8f3624c";

#[tokio::test]
async fn a_key_of_the_compatible_product_is_taken_from_a_safe_place() {
    let world = World::start().await;
    let import = ["api-key", "import", "backend", "--from", "stdin"];
    let ran = world.run_with(&import, KEY).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("accepts `backend` (key_"), "{}", ran.out);
    assert!(!String::from_utf8_lossy(&World::bytes_below(&world.data())).contains(KEY));

    let again = world.run_with(&import, KEY).await;
    assert_eq!(again.code, 6, "{}", again.err);
    let guessed = world.run_with(&import, "00000000-0000-4000-8000-000000000000").await;
    assert_eq!(guessed.code, 2, "{}", guessed.err);
    let nobody = world.run(&["api-key", "import", "backend"]).await;
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("--from env:NAME"), "{}", nobody.err);
}

#[tokio::test]
async fn an_environment_is_shown_and_changed() {
    let world = World::start().await;
    world.link("Sales").await;
    let shown = world.json(&["environment", "show"]).await;
    assert_eq!((&shown["name"], &shown["confirm_authorizations"]), (&"default".into(), &true.into()));
    let changed = world.run(&["environment", "update", "--confirm-authorizations", "false"]).await;
    assert_eq!(changed.code, 0, "{}", changed.err);
    assert!(changed.out.contains("confirm authorizations  false"), "{}", changed.out);
    let nothing = world.run(&["environment", "update"]).await;
    assert_eq!((nothing.code, nothing.err.contains("nothing is to change")), (2, true));
}
