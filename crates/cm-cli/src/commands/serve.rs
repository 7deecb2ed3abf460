//! `cm serve`: devices of this machine for programs on others.

use std::net::{SocketAddr, TcpListener};

use clap::Args;
use cm_train::device::{self, TOKEN};

use crate::{error::CliError, session::ComputeOptions};

/// Options of `cm serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Programs on other machines name it by --device ws://HOST:PORT, or ws://HOST:PORT/1 for the second device. Both sides \
    read the token that they share from the variable CM_TOKEN; without one the server draws one and prints it. WebSocket is not \
    encrypted: use it in a network that you trust. Both need `cargo install --path crates/cm-cli --features remote`.\n\n\
    Examples:\n  cm serve --device cuda\n  CM_TOKEN=secret cm serve --backend cuda --devices 0,1 --address 0.0.0.0:3000\n  \
    CM_TOKEN=secret cm train photos --device ws://gpu:3000 --devices 0,1"
)]
pub struct Options {
    /// Address and port to listen at
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    address: SocketAddr,
    /// Devices, by their numbers; a client has them in this order
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    devices: Vec<usize>,
    #[command(flatten)]
    compute: ComputeOptions,
}

/// Serves until Ctrl-C.
pub fn run(options: &Options) -> Result<(), CliError> {
    let devices = options.compute.devices(&options.devices)?;
    if !cfg!(feature = "remote") {
        return Err(cm_train::Error::RemoteMissing.into());
    }
    let opened = devices.open()?;
    let address = options.address;
    let listener = TcpListener::bind(address).map_err(|error| {
        CliError::Said(format!("cannot listen at {address}: {error}; choose another by --address"))
    })?;
    let at = listener.local_addr().unwrap_or(address);
    // Never without: a page in a browser of this machine can reach it as well.
    let token = device::token().unwrap_or_else(|| {
        let drawn = format!("{:032x}", rand::random::<u128>());
        eprintln!("{TOKEN}={drawn}");
        drawn
    });
    if !options.compute.quiet {
        eprintln!("serving {devices} at ws://{at}; Ctrl-C ends it");
    }
    Ok(device::serve(opened, listener, &token)?)
}
