//! Serves the built-in tenants until it is interrupted, and prints where.

use tombolo_kintone_emulator::{Emulator, EmulatorError, EmulatorOptions};

#[tokio::main]
async fn main() -> Result<(), EmulatorError> {
    let mut options = EmulatorOptions::default();
    if let Some(port) = std::env::args().nth(1).and_then(|port| port.parse().ok()) {
        options.http_listen.set_port(port);
    }
    let emulator = Emulator::start(options).await?;
    println!("service: http://localhost:{}/t/demo/k/v1/apis.json", emulator.http_address().port());
    if let Some(control) = emulator.control_address() {
        println!("control: http://{control}/");
    }
    // Without a signal handler the process ends at once, which is just as well here.
    let _ = tokio::signal::ctrl_c().await.is_ok();
    emulator.shutdown().await;
    Ok(())
}
